/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage policy. Called for the first packet of a flow, and again when epoch has changed. Must hold:
 * both directions are judged by the one revision that was read at the start; an endpoint whose
 * identity has no slot passes nothing, but to itself.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "abi/identity.h"
#include "abi/map.h"
#include "kernel/icmp.h"
#include "stage/policy.h"

#define STAGE_HERE STAGE_POLICY

extern const volatile struct dp_config config;

struct state_map state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_SLOT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct slot_key);
	__type(value, struct slot_value);
} slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAP_PEER_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct peer_key);
	__type(value, struct peer_class);
} peer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAP_RULE_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct rule_key);
	__type(value, struct decision);
} rule SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAP_RULE_HIT_MAX);
	__type(key, __u32);
	__type(value, struct rule_hit);
} rule_hit SEC(".maps");

/* The port that rules speak of: the answerer's; for ICMP type and code of what the opener sent. */
static __always_inline __be16 judged_port(const struct pkt *p)
{
	if (p->echo)
		return bpf_htons(
			(p->echo == ECHO_REPLY && !(p->flags & PKT_REPLY)
					? (p->family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY)
					: (p->family == 4 ? ICMP4_ECHO : ICMP6_ECHO))
			<< 8);
	if (p->flags & PKT_STATELESS)
		return bpf_htons((__u16)(p->icmp_type << 8 | p->icmp_code));
	return p->flags & PKT_REPLY ? p->source_port : p->destination_port;
}

/* Ids beyond the map are not counted. */
static __always_inline void count_hit(__u32 id, int shadow)
{
	struct rule_hit *h = bpf_map_lookup_elem(&rule_hit, &id);

	if (h)
		__sync_fetch_and_add(shadow ? &h->shadow : &h->decisions, 1);
}

/* For the event; one is worth writing for a flow that is judged again too when audit lets it pass,
 * or the shadow verdict would not do the same. */
static __always_inline void note(struct pkt *p, struct event_decision *to, const struct decision *d)
{
	int allow = d->verdict == POLICY_ALLOW;

	to->rule = d->rule;
	to->verdict = d->verdict;
	to->flags = d->flags;
	to->match = d->match;
	to->shadow = d->shadow;
	to->shadow_rule = d->shadow_rule;
	count_hit(d->rule, 0);
	if (!allow && (d->flags & POLICY_AUDIT))
		p->flags |= PKT_TRACE;
	if (allow == (d->shadow == POLICY_ALLOW))
		return;
	to->flags |= POLICY_SHADOW;
	p->flags |= PKT_TRACE;
	count_hit(d->shadow_rule, 1);
}

static __always_inline int decide(struct pkt *p, __u8 direction, __u32 self, __u32 other)
{
	struct slot_key sk = {.identity = self, .generation = (__u32)(p->current >> 32) & 1};
	struct rule_key rk = {.prefixlen = RULE_PREFIX_PORT, .protocol = p->protocol};
	struct peer_key pk = {.identity = other};
	struct slot_value *s;
	struct peer_class *c;
	struct decision *d;

	s = bpf_map_lookup_elem(&slot, &sk);
	if (!s)
		return DROP(p, EP_NOT_READY);
	pk.slot = s->slot;
	c = bpf_map_lookup_elem(&peer, &pk);
	rk.class = c ? c->class[direction] : s->class[direction];
	rk.port = judged_port(p);
	d = bpf_map_lookup_elem(&rule, &rk);
	if (!d)
		return DROP(p, EP_NOT_READY);
	p->judged |= 1 << direction;
	note(p, &p->decision[direction], d);
	if (d->verdict == POLICY_ALLOW || (d->flags & POLICY_AUDIT))
		return 0;
	p->denied = direction;
	return d->verdict == POLICY_DENY ? DROP(p, POLICY_DENY) : DROP(p, POLICY_DENIED);
}

__noinline int policy_judge(struct pkt *p)
{
	int r = 0;

	if (!p)
		return -DROP_INVALID_PACKET;
	p->current = state_current();
	p->judged = 0;
	if (p->end[0].endpoint == p->end[1].endpoint) /* an endpoint always reaches itself */
		return 0;
	if (p->end[0].endpoint)
		r = decide(p, POLICY_EGRESS, p->end[0].peer, p->end[1].peer);
	if (r || !p->end[1].endpoint)
		return r;
	if (p->end[0].identity == IDENTITY_HOST && config.allow_localhost) {
		p->judged |= 1 << POLICY_INGRESS;
		p->decision[POLICY_INGRESS] = (struct event_decision){.verdict = POLICY_ALLOW};
		return 0;
	}
	return decide(p, POLICY_INGRESS, p->end[1].peer, p->end[0].peer);
}
