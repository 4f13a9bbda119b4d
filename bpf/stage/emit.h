/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_EMIT_H
#define KILIM_BPF_STAGE_EMIT_H
/* Stage emit: events and counters. Owns maps events, packet_count and counter. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/map.h"
#include "abi/metric.h"
#include "pkt.h"

struct packet_count_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PACKET_COUNTS);
	__type(key, __u32);
	__type(value, struct packet_count);
};

struct counter_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
};

extern struct packet_count_map packet_count SEC(".maps");
extern struct counter_map counter SEC(".maps");

static __always_inline void count(enum counter which)
{
	__u32 key = which;
	__u64 *n = bpf_map_lookup_elem(&counter, &key);

	if (n)
		*n += 1; /* of this CPU, and programs do not interrupt each other there */
}

/* reason 0 counts what was forwarded. */
static __always_inline void count_packet(__u32 reason, __u32 direction, __u32 bytes)
{
	__u32 key = reason * POLICY_DIRECTIONS + direction;
	struct packet_count *c = bpf_map_lookup_elem(&packet_count, &key);

	if (c) {
		c->packets += 1;
		c->bytes += bytes;
	}
}

/* Write the event of a packet that was forwarded, or dropped for the reason (0: forwarded). */
int emit_event(struct pkt *p, __u32 reason);

#endif
