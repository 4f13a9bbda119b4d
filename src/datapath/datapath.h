/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_DATAPATH_H
#define KILIM_DATAPATH_DATAPATH_H
/*
 * The hands: loads and pins the programs, adopts what is pinned, writes maps from abi entries,
 * reads the event ring. Knows no policy.
 *
 * Pins, all below BPF-ROOT/kilim/: map/NAME (abi/map.h), prog/NAME (the dispatchers that devices
 * hold, and the programs behind them), map/entry (the program array that the dispatchers jump
 * through). Any process may die at any moment: the pins go on.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/config.h"
#include "abi/endpoint.h"
#include "abi/flow.h"
#include "abi/identity.h"
#include "abi/metric.h"
#include "abi/policy.h"
#include "base/err.h"
#include "base/mem.h"

struct datapath;
struct loop;
struct event;

struct datapath_options {
	const char *bpf_root; /* a bpffs mount; mounted when it is a directory without one */
	struct dp_config
		config; /* timeouts in nanoseconds here: datapath_open() turns them into jiffies */
	uint32_t flow_max, half_max, rule_max, peer_max, rule_hit_max,
		identity_max; /* map sizes; 0: the default of abi/map.h */
	uint32_t event_ring_bytes;
};

/*
 * Load the programs, adopt or create the pinned maps, swap the entries. Flows keep going during it,
 * whether the maps are new, the same or of another layout (entries are then moved, see map.h).
 * adopted says whether a running data path was found.
 */
int datapath_open(const struct datapath_options *o, struct datapath **ret, bool *ret_adopted,
	struct err *e) MUST_USE;
/* Let go of the descriptors; everything in the kernel stays. */
void datapath_close(struct datapath *d);
/* Remove every trace: detach from all devices that have our dispatchers, unpin everything. Needs no
 * open datapath. */
int datapath_uninstall(const char *bpf_root, struct err *e) MUST_USE;

/* --- endpoints (datapath/endpoint.c) --- */
/* Attach the dispatchers to the device (clsact, cls_bpf), at once; nothing is done where they are
 * attached already. Others, of a data path whose pins are lost, give way to them. */
int datapath_attach(struct datapath *d, uint32_t ifindex, struct err *e) MUST_USE;
/*
 * Put the dispatcher of one of the device's hooks in front of its filter, as a tcx program: a
 * packet is some 100 ns faster by it. Does one hook at a time, since that waits for a grace period
 * (15 ms). Returns 1 when there may be more to do, 0 when both are there; -EOPNOTSUPP: not on this
 * kernel.
 */
int datapath_attach_front(struct datapath *d, uint32_t ifindex, struct err *e) MUST_USE;
/* Write row, then its addresses (map local). Bumps nothing: the caller does that once for a batch.
 */
int datapath_endpoint_put(struct datapath *d, const struct endpoint_key *key,
	const struct endpoint *row, struct err *e) MUST_USE;
/* Remove the addresses, the row, and the flows of the endpoint. */
int datapath_endpoint_remove(
	struct datapath *d, const struct endpoint_key *key, struct err *e) MUST_USE;
/* Call fn for each row; stops at the first non-zero return and returns it. */
int datapath_endpoint_each(struct datapath *d,
	int (*fn)(const struct endpoint_key *, const struct endpoint *, void *), void *data);

/* --- identities of addresses (datapath/identity.c) --- */
int datapath_identity_put(struct datapath *d, const struct identity_key *key,
	const struct identity_value *v, struct err *e) MUST_USE;
int datapath_identity_remove(struct datapath *d, const struct identity_key *key,
	struct err *e) MUST_USE; /* missing is fine */
int datapath_identity_each(struct datapath *d,
	int (*fn)(const struct identity_key *, const struct identity_value *, void *), void *data);

/* --- policy (datapath/policy.c) --- */
struct dp_rule {
	struct rule_key key; /* class and pad do not matter: the class gets its number here */
	struct decision decision;
};
/* A table of ports. Equal ones are written once, whoever has them. */
struct dp_class {
	const struct dp_rule *rule;
	size_t rules;
};
struct dp_peer {
	uint32_t identity;
	uint32_t class[POLICY_DIRECTIONS]; /* indexes into the slot's classes */
};
/* What one identity's slot shall hold. Equal ones are written once, whoever has them. */
struct dp_slot {
	uint32_t identity;
	/*
	 * NULL, or an address that stands for the content: slots with the same one have the same
	 * content and are not compared. It must stand for nothing else as long as a slot with it is
	 * in force, so what it points at must live until the apply that replaces it has returned.
	 */
	const void *content;
	/* the same pointer again, in this or another slot of the call, is not looked at again */
	const struct dp_class *const *class;
	size_t classes;
	uint32_t base[POLICY_DIRECTIONS]; /* class of peers that are not named, as an index */
	const struct dp_peer *peer; /* in any order; those in the base classes cost nothing */
	size_t peers;
};
struct dp_policy_stats {
	uint32_t revision, epoch;
	size_t slots, slots_written, slots_kept; /* identities that have one; of the last apply */
	size_t contents, classes; /* slots that differ, classes that differ */
	size_t peer_entries, rule_entries, peer_max, rule_max;
	size_t rule_hit_max; /* rule ids from here on are not counted */
	size_t written; /* entries of all maps that the last apply or extend has written */
};
/*
 * Make the kernel's policy equal to these slots (one per identity): what is there already is kept,
 * the rest is written beside, then one store switches and what nobody uses any more is removed
 * after every program that may read it has ended. Capacity is computed first: -E2BIG with the
 * arithmetic in e and nothing written. Identities without a slot here lose theirs. revision is the
 * new policy revision, > the old. The first one after an upgrade that could not take the policy
 * maps over puts this build's programs in force.
 */
int datapath_policy_apply(struct datapath *d, const struct dp_slot *slot, size_t slots,
	uint32_t revision, struct dp_policy_stats *ret, struct err *e) MUST_USE;
/* Whether these slots would fit: what apply refuses before it writes. */
int datapath_policy_check(
	struct datapath *d, const struct dp_slot *slot, size_t slots, struct err *e) MUST_USE;
/*
 * What new identities need of the revision in force, before any address or endpoint has them; no
 * switch. more: peers for slots that are in force (base counts for nothing, a peer that is there
 * already gets the classes given; slots of other identities are passed over). When the slot was
 * given with a content, all that have this content learn the same, one of them is named here, and
 * it stands for what they hold then. fresh: slots of identities that have none, or have had one
 * when they stood for something else. Capacity is computed first, as by apply.
 */
int datapath_policy_extend(struct datapath *d, const struct dp_slot *more, size_t mores,
	const struct dp_slot *fresh, size_t freshes, struct err *e) MUST_USE;
/* These identities are nobody's any more: their slots go, and their places as peers. Contents stand
 * for what is left. */
int datapath_policy_forget(
	struct datapath *d, const uint32_t *identity, size_t count, struct err *e) MUST_USE;
/*
 * Remove the slots that a switch has replaced. Waits about 10 ms for programs that may still read
 * them, so it is not part of apply: once datapath_events_start() has brought the loop it runs by
 * itself soon after a switch, and apply does it first when their room is needed.
 */
void datapath_policy_collect(struct datapath *d);
/* What these rules have decided so far, over restarts; 0 for ids that are not counted. */
int datapath_rule_hits(struct datapath *d, const uint32_t *id, size_t count, struct rule_hit *ret,
	struct err *e) MUST_USE;
/* An id is another rule's from now on: it counts from 0. */
int datapath_rule_hits_clear(
	struct datapath *d, const uint32_t *id, size_t count, struct err *e) MUST_USE;
/* The revision and epoch in force. */
void datapath_state(struct datapath *d, uint32_t *ret_revision, uint32_t *ret_epoch);
/* Something that a verdict depends on has changed and the maps are ready: every flow is judged
 * again at its next packet. */
void datapath_bump_epoch(struct datapath *d);
void datapath_policy_stats(struct datapath *d, struct dp_policy_stats *ret);

/* --- flows (datapath/flow.c) --- */
struct dp_flow {
	struct addr addr[2]; /* lower end, higher end */
	uint16_t port[2]; /* host byte order */
	uint8_t protocol, family; /* 4 or 6 */
	bool half_open;
	uint16_t domain;
	int64_t expires_in_ns; /* negative: expired, not collected yet */
	struct flow flow;
};
int datapath_flow_each(struct datapath *d, int (*fn)(const struct dp_flow *, void *), void *data);
/* Entries now and room: answered (both families), half-open. */
void datapath_flow_count(struct datapath *d, uint64_t *ret_answered, uint64_t *ret_half_open);

/* --- events and counters (datapath/events.c, datapath/metric.c) --- */
typedef void (*datapath_event_fn)(const struct event *ev, void *data);
/* Read the ring from the loop; fn gets each record (in the ring's memory: copy what must stay). */
int datapath_events_start(struct datapath *d, struct loop *l, datapath_event_fn fn, void *data,
	struct err *e) MUST_USE;
/* Sum over CPUs. */
int datapath_packet_counts(
	struct datapath *d, struct packet_count ret[PACKET_COUNTS], struct err *e) MUST_USE;
int datapath_counters(struct datapath *d, uint64_t ret[COUNTER_COUNT], struct err *e) MUST_USE;
/* Kernel memory of each map, by name, from fdinfo's memlock. */
int datapath_map_each(struct datapath *d,
	int (*fn)(const char *name, uint64_t entries_max, uint64_t bytes, void *), void *data);

#endif
