/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_POLICY_H
#define KILIM_BPF_STAGE_POLICY_H
/* Stage policy: the verdict of both ends. Owns maps state, slot, peer, rule and rule_hit.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "pkt.h"

struct state_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct state);
};

extern struct state_map state SEC(".maps");

/* revision << 32 | epoch as they are at this moment: one load. */
static __always_inline __u64 state_current(void)
{
	__u32 zero = 0;
	struct state *s = bpf_map_lookup_elem(&state, &zero);

	return s ? *(volatile __u64 *)&s->current : 0;
}

/* Whether flows are being moved from the maps of a build before. */
static __always_inline __u32 state_migrating(void)
{
	__u32 zero = 0;
	struct state *s = bpf_map_lookup_elem(&state, &zero);

	return s ? *(volatile __u32 *)&s->migrating : 0;
}

/* The egress verdict of the opener and the ingress verdict of the answerer, as far as they are of
 * this node. 0 or a reason. */
int policy_judge(struct pkt *p);

#endif
