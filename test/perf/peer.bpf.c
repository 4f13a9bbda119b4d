/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the data path is measured against, and what drives it in BPF_PROG_TEST_RUN: the driver
 * writes the next frame's head over the test packet (the program before has rewritten it) and jumps
 * to the program that is measured, so that one test run goes through many flows. Driver and empty
 * program together are what has to be subtracted.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_helpers.h>

#include "abi/flow.h"
#include "stage/flow.h"
#include "test/perf/peer.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAMES_MAX);
	__type(key, __u32);
	__type(value, struct frame);
} frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

/* The data path's own flow table: its descriptor is put in before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_FLOW_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key4);
	__type(value, struct flow);
} table SEC(".maps");

__u32 next, count; /* the driver goes through frames 0..count - 1 */
__u64 found;

SEC("tc")
int driver(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 i = next;
	struct frame *f = bpf_map_lookup_elem(&frames, &i);

	if (!f || data + FRAME_HEAD > end)
		return -1;
	__builtin_memcpy(data, f->head, FRAME_HEAD);
	next = i + 1 < count ? i + 1 : 0;
	bpf_tail_call_static(skb, &target, 0);
	return -1;
}

SEC("tc")
int empty(struct __sk_buff *skb)
{
	(void)skb;
	return 0;
}

/* The least that any flow table needs: parse, one look-up, use of the value. */
SEC("tc")
int lookup(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	struct flow_key4 key = {};
	struct flow *f;

	if ((void *)(udp + 1) > end)
		return -1;
	key.protocol = ip->protocol;
	flow_key4_make(&key, ip->saddr, ip->daddr, udp->source, udp->dest);
	f = bpf_map_lookup_elem(&table, &key);
	if (f)
		found += f->epoch;
	return f ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
