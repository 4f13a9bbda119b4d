/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_MAP_H
#define KILIM_ABI_MAP_H
/*
 * Every map: name (its pin below BPF-ROOT/kilim/map/), owner stage, what it holds. X(name, owner,
 * adopt, text): adopt says what a new build does when the layout of the pinned one differs: MOVE
 * copies the entries member by member, FRESH starts empty, REWRITE starts empty and leaves the old
 * build's programs in force until the agent has written the whole policy.
 */
#define MAPS(X)                                                                                    \
	X(state, policy, MOVE, "the policy revision and the epoch: one 64-bit store switches")     \
	X(slot, policy, REWRITE, "identity and generation to policy slot")                         \
	X(peer, policy, REWRITE, "slot and peer identity to classes")                              \
	X(rule, policy, REWRITE, "class, protocol, port to decision")                              \
	X(rule_hit, policy, MOVE, "rule id to its decisions")                                      \
	X(endpoint, identity, MOVE, "device or cgroup to endpoint")                                \
	X(local, identity, MOVE, "address to endpoint of this node")                               \
	X(identity, identity, MOVE, "prefix to identity")                                          \
	X(flow4, flow, MOVE, "answered IPv4 flows")                                                \
	X(flow6, flow, MOVE, "answered IPv6 flows")                                                \
	X(half4, flow, MOVE, "half-open IPv4 flows (LRU)")                                         \
	X(half6, flow, MOVE, "half-open IPv6 flows (LRU)")                                         \
	X(previous4, flow, FRESH, "during an upgrade: flow4 of the build before, of any layout")   \
	X(previous6, flow, FRESH, "flow6 of the build before")                                     \
	X(previous_half4, flow, FRESH, "half4 of the build before")                                \
	X(previous_half6, flow, FRESH, "half6 of the build before")                                \
	X(entry_previous, flow, FRESH,                                                             \
		"the programs of the build before: they serve the flows that are not moved yet")   \
	X(collector, flow, FRESH, "timer and work item of the in-kernel collector")                \
	X(frag, parse, FRESH, "ports of datagrams in fragments (LRU)")                             \
	X(events, emit, FRESH, "the event ring")                                                   \
	X(packet_count, emit, MOVE, "packets and bytes per reason and direction")                  \
	X(counter, emit, MOVE, "other counters")

/* Sizes that are not configurable; the others are set by the agent before load. */
enum {
	MAP_ENDPOINT_MAX = 4096,
	MAP_LOCAL_MAX = 8192,
	MAP_IDENTITY_MAX = 131072,
	MAP_SLOT_MAX = 16384,
	MAP_PEER_MAX = 262144,
	MAP_RULE_MAX = 65536, /* default of policy-map-max */
	MAP_RULE_HIT_MAX = 65536, /* default of policy-rule-hit-max */
	MAP_FLOW_MAX = 131072, /* default of bpf-ct-global-tcp-max; flow6 has the same */
	MAP_HALF_MAX = 32768,
	MAP_FRAG_MAX = 8192,
	EVENT_RING_BYTES = 1 << 20,
};

/* Entries of the program array "entry": what the attached dispatchers jump to. One store replaces a
 * program on the whole node. */
enum entry {
	ENTRY_ENDPOINT_EGRESS, /* packets that an endpoint sends */
	ENTRY_ENDPOINT_INGRESS, /* packets that the stack sends to an endpoint */
	ENTRY_COUNT,
	/* Size of the array: devices hold programs that jump through it, so it never changes. */
	ENTRY_ROOM = 32,
};

#endif
