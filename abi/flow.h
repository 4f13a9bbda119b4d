/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_FLOW_H
#define KILIM_ABI_FLOW_H
/*
 * The flow table. One entry serves both directions of a flow: the key is canonical (the lower
 * address, then the lower port, comes first). Way 0 is from the lower end to the higher one, way 1
 * back. IPv4 has a compact key in maps of its own; the value and all code behind the look-up are
 * the same.
 */
#include "abi/addr.h"

/* Key of maps flow4 and half4. */
struct flow_key4 {
	__be32 addr[2];
	__be16 port[2]; /* ICMP echo: the id in both; protocols without ports: 0 */
	__u8 protocol;
	__u8 side; /* ICMP echo: 1 when the lower end asks, 2 when the higher one does; else 0 */
	__u16 domain;
};

/* Key of maps flow6 and half6. */
struct flow_key6 {
	struct addr addr[2];
	__be16 port[2];
	__u8 protocol;
	__u8 side;
	__u16 domain;
};

_Static_assert(sizeof(struct flow_key4) == 16, "multiple of 4: jhash2");
_Static_assert(sizeof(struct flow_key6) == 40, "multiple of 4: jhash2");

enum flow_action {
	FLOW_DROP, /* judged and denied: the reason is in struct flow */
	FLOW_STACK, /* to the node's own stack, which routes it or takes it */
	FLOW_DELIVER, /* already on the way into the workload's device: let it in */
	FLOW_PEER, /* to an endpoint of this node, in one pass: bpf_redirect_peer */
};

/* X(NAME, text): states of a flow. */
#define FLOW_STATES(X)                                                                             \
	X(NEW, "new") /* half open: nothing has come back */                                       \
	X(ESTABLISHED, "established") /* answered */                                               \
	X(CLOSING, "closing") /* TCP: one FIN seen */                                              \
	X(CLOSED, "closed") /* TCP: both FIN, or RST */

enum flow_state {
#define X(name, text) FLOW_STATE_##name,
	FLOW_STATES(X)
#undef X
		FLOW_STATE_COUNT,
};

enum flow_flag {
	FLOW_ORIGIN_HIGH =
		1 << 0, /* the flow was opened by the higher end: way 1 is forward, way 0 reply */
	FLOW_FROM_OUTSIDE = 1 << 1, /* opened by a packet that a device brought to the stack */
	FLOW_DENIED = 1 << 2, /* judged again after a change, and denied now */
	FLOW_SEEN_REPLY = 1 << 3,
	FLOW_VIA_STACK = 1 << 4, /* opened by a packet from the stack: replies go back there, it may
				    hold NAT state */
};

/* What happens to the packets that go one way. */
struct flow_way {
	__u64 packets;
	__u64 bytes; /* from the Ethernet header on */
	__u32 from; /* ifindex that these packets must come in by; 0: from the node's stack */
	__u32 to; /* FLOW_PEER: ifindex of the node's side of the destination */
	__u8 source[6]; /* Ethernet source that they must have when from is an endpoint */
	__u8 action; /* enum flow_action */
	__u8 tcp_flags; /* union of the SYN, FIN and RST seen; of the first packet all flags */
	__u8 dmac[6]; /* FLOW_PEER: new Ethernet destination */
	__u16 pad1;
	__u8 smac[6]; /* FLOW_PEER: new Ethernet source */
	__u16 pad2;
};

/* Value of maps flow4, flow6, half4, half6. */
struct flow {
	__u64 expires; /* jiffies64 */
	__u64 created; /* CLOCK_MONOTONIC, ns */
	__u32 epoch; /* at which the verdicts were computed */
	__u8 state; /* enum flow_state */
	__u8 flags; /* enum flow_flag */
	__u8 reason; /* FLOW_DENIED: enum drop_reason */
	__u8 direction; /* FLOW_DENIED: the policy direction that said no */
	__u32 identity[2]; /* of the opener, of the answerer */
	__u32 endpoint[2]; /* their endpoint ids; 0 when not of this node */
	__u32 rule[2]; /* rule ids of enum policy_direction: the ingress verdict, the egress verdict
			*/
	struct flow_way way[2];
};

_Static_assert(sizeof(struct flow_way) == 48, "explicit padding");
_Static_assert(sizeof(struct flow) == 144, "explicit padding");

/* Key of map frag: what the fragments of one datagram share. */
struct frag_key {
	struct addr source, destination;
	__u32 id; /* IPv4: 16 bits, IPv6: 32 bits; as in the header */
	__u8 protocol;
	__u8 pad;
	__u16 domain;
};

/* Value of map frag: what only the first fragment says. */
struct frag {
	__be16 source_port, destination_port;
	__u8 icmp_type, icmp_code;
	__u8 echo; /* ICMP: 1 a request, 2 a reply, else 0 */
	__u8 pad;
	__u64 expires; /* jiffies64 */
};

_Static_assert(sizeof(struct frag) == 16, "explicit padding");

#endif
