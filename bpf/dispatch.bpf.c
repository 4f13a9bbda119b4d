/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What devices hold: programs that never change and jump through a pinned program array, so that
 * one store per entry replaces the data path of the whole node, and attaching a device waits for
 * nothing. Must hold: an empty array drops.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/map.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ENTRY_ROOM);
	__type(key, __u32);
	__type(value, __u32);
} entry SEC(".maps");

enum { DROP_PACKET = 2 }; /* TC_ACT_SHOT */

SEC("tc")
int dispatch_egress(struct __sk_buff *skb)
{
	bpf_tail_call_static(skb, &entry, ENTRY_ENDPOINT_EGRESS);
	return DROP_PACKET;
}

SEC("tc")
int dispatch_ingress(struct __sk_buff *skb)
{
	bpf_tail_call_static(skb, &entry, ENTRY_ENDPOINT_INGRESS);
	return DROP_PACKET;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
