/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_METRIC_H
#define KILIM_ABI_METRIC_H
/* Counters of the data path. */
#include "abi/policy.h"

/* Index into map packet_count (per-CPU array): reason * POLICY_DIRECTIONS + direction; reason 0
 * counts what was forwarded. */
enum { PACKET_COUNTS = 256 * POLICY_DIRECTIONS };

struct packet_count {
	__u64 packets, bytes;
};

/* X(NAME, text): index into map counter (per-CPU array of __u64); text is the metric's name behind
 * kilim_ and its help. */
#define COUNTERS(X)                                                                                \
	X(EVENT_LOST_DROP, "events_lost_drop", "drop events that found the ring full")             \
	X(EVENT_LOST_TRACE, "events_lost_trace", "trace events that found the ring full")          \
	X(EVENT_DROP, "events_drop", "drop events written")                                        \
	X(EVENT_TRACE, "events_trace", "trace events written")                                     \
	X(FLOW_CREATED, "flows_created", "half-open flows made")                                   \
	X(FLOW_ANSWERED, "flows_answered", "flows moved to the flow table by an answer")           \
	X(FLOW_TABLE_FULL, "flow_table_full",                                                      \
		"answered flows left in the half-open table: flow table full")                     \
	X(FLOW_JUDGED_AGAIN, "flows_judged_again", "flows judged again after a change")            \
	X(FLOW_COLLECTED, "flows_collected", "expired flows removed by the kernel's collector")    \
	X(FLOW_SWEEPS, "flow_sweeps", "runs of the collector")                                     \
	X(ARP_ANSWERED, "arp_answered", "ARP requests for the gateway answered")                   \
	X(ND_ANSWERED, "nd_answered", "neighbour solicitations for the gateway answered")

enum counter {
#define X(name, text, help) COUNTER_##name,
	COUNTERS(X)
#undef X
		COUNTER_COUNT,
};

#endif
