/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage flow, the slow half: everything that the inlined known-flow path (known.h) leaves alone.
 * Called by the attach points. Must hold: an entry is only used when its epoch is the one in force,
 * it has not expired, and the packet came in by the way it is bound to; a reply never opens
 * anything; only an answered flow enters flow4 or flow6, and nothing but its end or silence removes
 * it there.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "abi/metric.h"
#include "stage/emit.h"
#include "stage/flow.h"
#include "stage/follow.h"
#include "stage/policy.h"
#include "stage/route.h"

#define STAGE_HERE STAGE_FLOW

extern const volatile struct dp_config config;

struct flow4_map flow4 SEC(".maps");
struct flow6_map flow6 SEC(".maps");
struct half4_map half4 SEC(".maps");
struct half6_map half6 SEC(".maps");

/* One entry each until the loader puts the maps of the build before in their place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key4);
	__type(value, struct flow);
} previous4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key6);
	__type(value, struct flow);
} previous6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key4);
	__type(value, struct flow);
} previous_half4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key6);
	__type(value, struct flow);
} previous_half6 SEC(".maps");

struct entry_map entry_previous SEC(".maps");

/* Where a new entry is put together: it would be too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow);
} scratch SEC(".maps");

/* Which end asks, so that an echo request never passes as the answer to another. */
static __always_inline __u8 side_of(const struct pkt *p, __u32 way)
{
	if (!p->echo)
		return 0;
	return (p->echo == ECHO_REQUEST) == !way ? 1 : 2;
}

static __always_inline void key_make(struct flow_key *k, const struct pkt *p)
{
	__builtin_memset(k, 0, sizeof(*k));
	if (p->family == 4) {
		k->way = flow_key4_make(&k->v4, p->source.word[3], p->destination.word[3],
			p->source_port, p->destination_port);
		k->v4.protocol = p->protocol;
		k->v4.domain = p->domain;
		k->v4.side = side_of(p, k->way);
	} else {
		k->way = flow_key6_make(
			&k->v6, &p->source, &p->destination, p->source_port, p->destination_port);
		k->v6.protocol = p->protocol;
		k->v6.domain = p->domain;
		k->v6.side = side_of(p, k->way);
	}
}

static __always_inline void forget(const struct flow_key *k, __u8 family)
{
	if (family == 4) {
		bpf_map_delete_elem(&flow4, &k->v4);
		bpf_map_delete_elem(&half4, &k->v4);
	} else {
		bpf_map_delete_elem(&flow6, &k->v6);
		bpf_map_delete_elem(&half6, &k->v6);
	}
}

/* Go on with the flow: the packet is counted already. */
static __always_inline void follow(
	struct pkt *p, const struct flow_key *k, struct flow *f, int half)
{
	__u64 now = bpf_jiffies64();
	int reply = !!(p->flags & PKT_REPLY);

	if (flow_follow(f, k->way, reply, p->protocol, p->tcp_flags, now))
		p->flags |= PKT_TRACE;
	p->state = f->state;
	if (half && flow_is_answered(f, reply, p->protocol, p->tcp_flags))
		p->state = flow_promote(f, k, p->family, p->protocol, now);
}

static __always_inline int unknown(struct pkt *p, __u8 extra)
{
	p->flags = (p->flags & ~PKT_REPLY) | extra;
	return p->flags & PKT_RELATED ? DROP(p, UNKNOWN_FLOW) : 0;
}

/* Denied when it was judged again: what was written then. */
static __always_inline int denied(struct pkt *p, const struct flow *f)
{
	__u8 verdict = f->reason == DROP_POLICY_DENY ? POLICY_DENY : POLICY_DEFAULT_DENY;

	if (f->reason != DROP_POLICY_DENY && f->reason != DROP_POLICY_DENIED)
		return pkt_drop(p, STAGE_HERE, __LINE__, f->reason ? f->reason : DROP_UNKNOWN_FLOW);
	p->denied = f->direction;
	p->judged = 1 << f->direction;
	if (f->direction == POLICY_INGRESS) {
		p->decision[POLICY_INGRESS].rule = f->rule[POLICY_INGRESS];
		p->decision[POLICY_INGRESS].verdict = verdict;
	} else {
		p->decision[POLICY_EGRESS].rule = f->rule[POLICY_EGRESS];
		p->decision[POLICY_EGRESS].verdict = verdict;
	}
	return verdict == POLICY_DENY ? DROP(p, POLICY_DENY) : DROP(p, POLICY_DENIED);
}

__noinline int flow_find(struct pkt *p)
{
	struct flow_key key;
	struct flow_way *w;
	struct flow *f;
	int half = 0;

	if (!p)
		return -DROP_INVALID_PACKET;
	if (p->flags & PKT_STATELESS)
		return 0;
	p->current = state_current();
	key_make(&key, p);
	f = flow_lookup(&key, p->family, &half);
	if (!f)
		return unknown(p, 0);
	w = flow_way(f, key.way);
	if (flow_is_reply(f, key.way))
		p->flags |= PKT_REPLY;
	if (f->expires < bpf_jiffies64() ||
		(!(p->flags & PKT_RELATED) &&
			flow_is_reopened(f, !!(p->flags & PKT_REPLY), p->protocol, p->tcp_flags)) ||
		w->from != (p->hook == HOOK_EGRESS ? p->ifindex : 0))
		return unknown(p, PKT_REPLACE);
	flow_take(p, f, w);
	if (f->epoch != (__u32)p->current) {
		p->flags |= PKT_FOUND;
		return 0;
	}
	if (f->flags & FLOW_DENIED)
		return denied(p, f);
	flow_count(w, p->length);
	if (!(p->flags & PKT_RELATED))
		follow(p, &key, f, half);
	return PKT_DONE;
}

__noinline int flow_previous(struct pkt *p)
{
	struct flow_key key;
	void *f;

	if (!p)
		return 0;
	key_make(&key, p);
	if (p->family == 4) {
		f = bpf_map_lookup_elem(&previous4, &key.v4);
		if (!f)
			f = bpf_map_lookup_elem(&previous_half4, &key.v4);
	} else {
		f = bpf_map_lookup_elem(&previous6, &key.v6);
		if (!f)
			f = bpf_map_lookup_elem(&previous_half6, &key.v6);
	}
	return f != NULL;
}

/* Bind both ways to where their packets come in and say what happens to them. */
static __always_inline void fill_ways(const struct pkt *p, struct flow *f, __u32 forward)
{
	struct flow_way *to = flow_way(f, forward), *back = flow_way(f, !forward);
	struct route r;

	route_choose(p, &r);
	to->from = r.forward_from;
	to->to = r.forward_to;
	to->action = r.forward_action;
	back->from = r.reply_from;
	back->to = r.reply_to;
	back->action = r.reply_action;
	mac_copy(to->source, p->end[0].mac);
	mac_copy(to->dmac, p->end[1].mac);
	mac_copy(to->smac, p->end[1].host_mac);
	mac_copy(back->source, p->end[1].mac);
	mac_copy(back->dmac, p->end[0].mac);
	mac_copy(back->smac, p->end[0].host_mac);
}

static __always_inline void fill_verdict(const struct pkt *p, struct flow *f)
{
	f->identity[0] = p->end[0].identity;
	f->identity[1] = p->end[1].identity;
	f->endpoint[0] = p->end[0].endpoint;
	f->endpoint[1] = p->end[1].endpoint;
	f->rule[POLICY_INGRESS] = p->decision[POLICY_INGRESS].rule;
	f->rule[POLICY_EGRESS] = p->decision[POLICY_EGRESS].rule;
}

/*
 * A packet that ends something, or answers something unknown, is let through where policy allows
 * it, but leaves no entry: an entry would let the other direction pass.
 */
static __always_inline int leaves_entry(const struct pkt *p)
{
	if (p->flags & PKT_STATELESS || p->echo == ECHO_REPLY)
		return 0;
	return !(p->tcp_flags & TCP_RST);
}

/* The half-open entry. */
static __always_inline void fill_new(struct pkt *p, struct flow *f, __u32 way)
{
	struct flow_way *w = flow_way(f, way);

	p->time_ns = bpf_ktime_get_ns();
	f->expires = bpf_jiffies64() + flow_timeout(p->protocol, FLOW_STATE_NEW);
	f->created = p->time_ns;
	f->epoch = (__u32)p->current;
	f->flags = p->flow_flags | (way ? FLOW_ORIGIN_HIGH : 0) |
		   (p->hook == HOOK_INGRESS ? FLOW_VIA_STACK : 0);
	fill_verdict(p, f);
	w->packets = 1;
	w->bytes = p->length;
	w->tcp_flags = p->tcp_flags;
}

__noinline int flow_create(struct pkt *p)
{
	struct flow_key key;
	__u32 zero = 0;
	struct flow *f = bpf_map_lookup_elem(&scratch, &zero);
	long r;

	if (!p || !f)
		return -DROP_INVALID_PACKET;
	__builtin_memset(f, 0, sizeof(*f));
	key_make(&key, p);
	fill_ways(p, f, key.way);
	flow_take_way(p, flow_way(f, key.way));
	p->flags |= PKT_NEW;
	if (!leaves_entry(p))
		return 0;
	if (p->flags & PKT_REPLACE)
		forget(&key, p->family);
	fill_new(p, f, key.way);
	r = p->family == 4 ? bpf_map_update_elem(&half4, &key.v4, f, BPF_ANY)
			   : bpf_map_update_elem(&half6, &key.v6, f, BPF_ANY);
	if (r)
		return DROP(p, FLOW_INSERT);
	count(COUNTER_FLOW_CREATED);
	return 0;
}

__noinline int flow_again(struct pkt *p, int outcome)
{
	struct flow_key key;
	struct flow_way *w;
	struct flow *f;
	int half = 0;

	if (!p)
		return -DROP_INVALID_PACKET;
	key_make(&key, p);
	f = flow_lookup(&key, p->family, &half);
	if (!f) /* collected in between: its next packet begins anew */
		return outcome ? outcome : DROP(p, UNKNOWN_FLOW);
	count(COUNTER_FLOW_JUDGED_AGAIN);
	fill_verdict(p, f);
	f->direction = p->denied;
	f->reason = (__u8)-outcome;
	if (outcome) {
		f->flags |= FLOW_DENIED;
	} else {
		if (f->flags & FLOW_DENIED)
			p->flags |= PKT_TRACE; /* allowed again: worth an event */
		f->flags &= ~FLOW_DENIED;
		fill_ways(p, f, flow_is_reply(f, key.way) ? !key.way : key.way);
	}
	w = flow_way(f, key.way);
	barrier();
	*(volatile __u32 *)&f->epoch =
		(__u32)p->current; /* last: until now the entry was not in force */
	if (outcome)
		return outcome;
	flow_count(w, p->length);
	flow_take(p, f, w);
	if (!(p->flags & PKT_RELATED))
		follow(p, &key, f, half);
	return 0;
}
