/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_EVENT_H
#define KILIM_ABI_EVENT_H
/*
 * Records of the one ring buffer. One record tells all about one packet: user space makes of it the
 * policy-verdict flows (one per enforced direction) and the trace or drop flow that clients know.
 * Byte order is the host's but for ports.
 */
#include "abi/addr.h"
#include "abi/policy.h"

/*
 * Waking the reader of the ring costs more than all the rest of a packet: it is done at most once
 * in this time, and the reader looks again that much after it was woken.
 */
enum { EVENT_WAKE_NS = 4000000 };

enum event_type {
	EVENT_NONE,
	EVENT_DROP, /* reason says why; decisions are filled as far as they were made */
	EVENT_TRACE, /* forwarded */
	EVENT_TYPES,
};

/* Where a packet goes or comes from: Hubble's trace points (flow.trace_observation_point, interface
 * sheet 1a). */
enum trace_point {
	TRACE_TO_ENDPOINT = 0,
	TRACE_TO_HOST = 2,
	TRACE_TO_STACK = 3,
	TRACE_FROM_ENDPOINT = 5,
	TRACE_FROM_HOST = 7,
	TRACE_FROM_STACK = 8,
};

enum event_flag {
	EVENT_REPLY = 1 << 0, /* against the direction in which the flow was opened */
	EVENT_REPLY_KNOWN = 1 << 1, /* EVENT_REPLY says something */
	EVENT_NEW = 1 << 2, /* first packet of a flow: the decisions were made for it */
	EVENT_RELATED = 1 << 3, /* ICMP error about a flow */
	EVENT_INGRESS = 1 << 4, /* seen on the way to an endpoint (else from one); drop: direction
				   that denied */
	EVENT_AGAIN = 1 << 5, /* judged again because epoch had changed */
	EVENT_JUDGED_INGRESS = 1 << 6, /* decision[POLICY_INGRESS] was made */
	EVENT_JUDGED_EGRESS = 1 << 7, /* decision[POLICY_EGRESS] was made */
};

/* The part of a decision that an event carries. */
struct event_decision {
	__u32 rule;
	__u8 verdict; /* enum policy_verdict */
	__u8 flags; /* enum policy_flag */
	__u8 match; /* enum policy_match */
	__u8 shadow; /* enum policy_verdict: what a policy in shadow mode says */
	__u32 shadow_rule;
};

struct event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct addr source, destination;
	__be16 source_port, destination_port; /* ICMP: type and code in source_port, echo id in
						 destination_port */
	__u8 type; /* enum event_type */
	__u8 point; /* enum trace_point */
	__u8 reason; /* enum drop_reason */
	__u8 flags; /* enum event_flag */
	__u8 protocol; /* IPPROTO_*; 0 when the packet was not understood so far */
	__u8 tcp_flags;
	__u8 family; /* 4, 6, or 0 */
	__u8 state; /* enum flow_state */
	__u32 length; /* bytes from the Ethernet header on */
	__u32 source_identity, destination_identity;
	__u16 source_endpoint, destination_endpoint; /* ids, 0 when not of this node */
	__u32 ifindex; /* where it was seen */
	__u32 revision; /* policy revision it was judged by */
	__u16 domain;
	__u16 ethertype; /* host byte order */
	__u8 smac[6], dmac[6];
	struct event_decision decision[POLICY_DIRECTIONS];
	__u32 file_line; /* drops: stage number << 16 | line of the statement that dropped */
	__u32 ingress_ifindex; /* device that brought the packet to the stack; 0: made here */
	__u32 cpu;
};

_Static_assert(sizeof(struct event) == 128, "two cache lines");

/* Stage numbers in file_line. X(NAME, text): text is the file. */
#define STAGES(X)                                                                                  \
	X(ENDPOINT, "endpoint.bpf.c")                                                              \
	X(PARSE, "parse.bpf.c")                                                                    \
	X(IDENTITY, "identity.bpf.c")                                                              \
	X(FLOW, "flow.bpf.c")                                                                      \
	X(POLICY, "policy.bpf.c")                                                                  \
	X(ROUTE, "route.bpf.c")                                                                    \
	X(EMIT, "emit.bpf.c")

enum stage {
	STAGE_NONE,
#define X(name, text) STAGE_##name,
	STAGES(X)
#undef X
		STAGE_COUNT,
};

#endif
