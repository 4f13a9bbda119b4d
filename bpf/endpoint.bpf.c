/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attach points of endpoints with a device (veth, netkit, tap): reached from the dispatchers
 * (dispatch.bpf.c) by the program array. Must hold: a packet that is of no known flow is judged
 * before it goes anywhere, and what comes to no conclusion is dropped.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "stage/emit.h"
#include "stage/flow.h"
#include "stage/identity.h"
#include "stage/known.h"
#include "stage/parse.h"
#include "stage/policy.h"
#include "stage/route.h"

#define STAGE_HERE STAGE_ENDPOINT

extern const volatile struct dp_config config;

/* Count, tell, and give the program's return value. */
static __always_inline int finish(struct __sk_buff *skb, struct pkt *p, int r)
{
	__u32 direction = p->hook == HOOK_EGRESS ? POLICY_EGRESS : POLICY_INGRESS;

	if (r >= 0)
		r = route_forward(skb, p);
	if (r < 0) {
		__u32 reason = (__u32)-r & 0xff;

		if (reason == DROP_POLICY_DENIED || reason == DROP_POLICY_DENY)
			direction = p->denied & 1;
		count_packet(reason, direction, p->length);
		if (!(p->flags & PKT_QUIET))
			emit_event(p, reason);
		return VERDICT_DROP;
	}
	count_packet(0, direction, p->length);
	if (config.trace && (p->flags & (PKT_NEW | PKT_TRACE | PKT_RELATED)))
		emit_event(p, 0);
	return r;
}

/* ARP and neighbour solicitations end here. */
static __always_inline int gateway(struct __sk_buff *skb, struct pkt *p, int what)
{
	int r = what == PKT_ARP ? route_arp(skb, p) : route_nd(skb, p);

	if (r >= 0)
		return r;
	p->action = FLOW_DROP;
	count_packet((__u32)-r & 0xff, POLICY_EGRESS, p->length);
	if (!(p->flags & PKT_QUIET))
		emit_event(p, (__u32)-r & 0xff);
	return VERDICT_DROP;
}

/* A flow that has not been moved from the build before is that build's business. Returns when it is
 * not, or when that has gone. */
static __always_inline void hand_back(struct __sk_buff *skb, struct pkt *p, enum hook hook)
{
	if ((p->flags & PKT_FOUND) || !state_migrating() || !flow_previous(p))
		return;
	if (hook == HOOK_EGRESS)
		bpf_tail_call_static(skb, &entry_previous, ENTRY_ENDPOINT_EGRESS);
	else
		bpf_tail_call_static(skb, &entry_previous, ENTRY_ENDPOINT_INGRESS);
}

/* missed: the known-flow path has parsed it and found that there is no such flow. */
static __always_inline int packet(struct __sk_buff *skb, enum hook hook, struct pkt *p, int missed)
{
	int r = 0;

	if (!missed) {
		__builtin_memset(p, 0, sizeof(*p));
		p->hook = hook;
		p->length = skb->len;
		p->ifindex = skb->ifindex;
		r = pkt_parse(skb, p);
	}
	if (r > 0)
		return gateway(skb, p, r);
	r = r ?: identity_check(skb, p);
	if (!r && p->part)
		r = pkt_fragment(p);
	if (missed && !p->domain) /* the known-flow path looks in domain 0 only */
		p->current = r ? 0 : state_current();
	else
		r = r ?: flow_find(p);
	if (r == 0 || r == -DROP_UNKNOWN_FLOW)
		hand_back(skb, p, hook);
	if (r == 0) {
		r = identity_resolve(p);
		r = r ?: policy_judge(p);
		if (p->flags & PKT_FOUND)
			r = flow_again(p, r);
		else
			r = r ?: flow_create(p);
	}
	return finish(skb, p, r);
}

static __always_inline int endpoint_packet(struct __sk_buff *skb, enum hook hook)
{
	struct pkt p;
	int r = known_packet(skb, hook, &p);

	return r > KNOWN_NO ? r : packet(skb, hook, &p, r == KNOWN_MISS);
}

SEC("tc")
int endpoint_egress(struct __sk_buff *skb)
{
	return endpoint_packet(skb, HOOK_EGRESS);
}

SEC("tc")
int endpoint_ingress(struct __sk_buff *skb)
{
	return endpoint_packet(skb, HOOK_INGRESS);
}
