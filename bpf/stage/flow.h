/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_FLOW_H
#define KILIM_BPF_STAGE_FLOW_H
/* Stage flow: one entry per flow, one look-up per packet of a known one. Owns maps flow4, flow6,
 * half4 and half6. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/map.h"
#include "pkt.h"

struct flow4_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_FLOW_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key4);
	__type(value, struct flow);
};

struct flow6_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_FLOW_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key6);
	__type(value, struct flow);
};

struct half4_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAP_HALF_MAX);
	__type(key, struct flow_key4);
	__type(value, struct flow);
};

struct half6_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAP_HALF_MAX);
	__type(key, struct flow_key6);
	__type(value, struct flow);
};

extern struct flow4_map flow4 SEC(".maps");
extern struct flow6_map flow6 SEC(".maps");
extern struct half4_map half4 SEC(".maps");
extern struct half6_map half6 SEC(".maps");

/*
 * While a new build takes over and the layout of flows has changed, a flow that has not been moved
 * yet is served by the programs of the build before: they wait in entry_previous. The previous_
 * maps are theirs; only the keys are understood here.
 */
struct entry_map {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, ENTRY_ROOM);
	__type(key, __u32);
	__type(value, __u32);
};

extern struct entry_map entry_previous SEC(".maps");

/* Whether the packet's flow is in a map of the build before. */
int flow_previous(struct pkt *p);

/*
 * Look the packet's flow up. PKT_DONE: it is known and in force, the packet is counted and
 * p->action says what happens to it. 0: unknown, or (PKT_FOUND) to be judged again. Negative: a
 * reason.
 */
int flow_find(struct pkt *p);
/* Make the half-open entry of a flow that was judged and routed. 0 or a reason. */
int flow_create(struct pkt *p);
/* Write the outcome of judging again (0 or a reason) into the entry; returns that outcome. */
int flow_again(struct pkt *p, int outcome);

/* Both directions of a flow have the same key. Returns the way (0 or 1) that this packet goes. */
static __always_inline __u32 flow_key4_make(struct flow_key4 *k, __be32 source, __be32 destination,
	__be16 source_port, __be16 destination_port)
{
	__u32 way =
		source > destination || (source == destination && source_port > destination_port);

	k->addr[0] = way ? destination : source;
	k->addr[1] = way ? source : destination;
	k->port[0] = way ? destination_port : source_port;
	k->port[1] = way ? source_port : destination_port;
	return way;
}

static __always_inline __u32 addr_greater(const struct addr *a, const struct addr *b)
{
	for (int i = 0; i < 4; i++) {
		if (a->word[i] != b->word[i])
			return a->word[i] > b->word[i];
	}
	return 0;
}

static __always_inline __u32 flow_key6_make(struct flow_key6 *k, const struct addr *source,
	const struct addr *destination, __be16 source_port, __be16 destination_port)
{
	__u32 way = addr_greater(source, destination) ||
		    (addr_equal(source, destination) && source_port > destination_port);

	k->addr[0] = way ? *destination : *source;
	k->addr[1] = way ? *source : *destination;
	k->port[0] = way ? destination_port : source_port;
	k->port[1] = way ? source_port : destination_port;
	return way;
}

/* The key of one packet; the family says which shape it has. */
struct flow_key {
	union {
		struct flow_key4 v4;
		struct flow_key6 v6;
	};
	__u32 way;
};

/* ret_half: it is, or would be, in the half-open table. */
static __always_inline struct flow *flow_lookup(
	const struct flow_key *k, __u8 family, int *ret_half)
{
	struct flow *f;

	*ret_half = 0;
	f = family == 4 ? bpf_map_lookup_elem(&flow4, &k->v4) : bpf_map_lookup_elem(&flow6, &k->v6);
	if (f)
		return f;
	*ret_half = 1;
	return family == 4 ? bpf_map_lookup_elem(&half4, &k->v4)
			   : bpf_map_lookup_elem(&half6, &k->v6);
}

/* Whether packets that go this way go against the direction of the flow's opening. */
static __always_inline __u32 flow_is_reply(const struct flow *f, __u32 way)
{
	return way ^ !!(f->flags & FLOW_ORIGIN_HIGH);
}

/*
 * way is a number, but the verifier loses its bounds when it comes from memory: choose between the
 * two by hand.
 */
static __always_inline struct flow_way *flow_way(struct flow *f, __u32 way)
{
	return way ? &f->way[1] : &f->way[0];
}

#endif
