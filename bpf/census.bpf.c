/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the entries of the flow maps without walking them. The loader puts the pinned maps in the
 * place of these, so only their kind matters here. Must hold: where the kernel cannot tell, known
 * stays 0.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/clock.h"
#include "abi/flow.h"

struct census_map4 {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key4);
	__type(value, struct flow);
};

struct census_map6 {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key6);
	__type(value, struct flow);
};

struct census_map4 flow4 SEC(".maps");
struct census_map6 flow6 SEC(".maps");
struct census_map4 half4 SEC(".maps");
struct census_map6 half6 SEC(".maps");

/* as far as the kernel's type is looked at */
struct bpf_map {
	__u32 id;
} __attribute__((preserve_access_index));

/* Linux 6.6 */
extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __weak __ksym;

SEC("syscall")
int census_take(struct census *c)
{
	if (!bpf_map_sum_elem_count)
		return 0;
	c->flow4 = (__u64)bpf_map_sum_elem_count((const struct bpf_map *)&flow4);
	c->flow6 = (__u64)bpf_map_sum_elem_count((const struct bpf_map *)&flow6);
	c->half4 = (__u64)bpf_map_sum_elem_count((const struct bpf_map *)&half4);
	c->half6 = (__u64)bpf_map_sum_elem_count((const struct bpf_map *)&half6);
	c->known = 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
