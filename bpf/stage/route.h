/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_ROUTE_H
#define KILIM_BPF_STAGE_ROUTE_H
/* Stage route: where packets go, and the gateway's answers to ARP and neighbour solicitations. Owns
 * no map. */
#include "pkt.h"

/* Where both ways of a flow come in and go. */
struct route {
	__u32 forward_from, forward_to;
	__u32 reply_from, reply_to;
	__u8 forward_action, reply_action; /* enum flow_action */
};

/*
 * By end[] and by how the flow was opened. What the stack brought goes back through the stack: it
 * may hold NAT state for it.
 */
static __always_inline void route_choose(const struct pkt *p, struct route *ret)
{
	int via_stack =
		p->flags & PKT_FOUND ? p->flow_flags & FLOW_VIA_STACK : p->hook == HOOK_INGRESS;

	if (!p->end[0].ifindex) /* the opener has left this node: the stack knows where it is */
		via_stack = 1;
	ret->forward_from = via_stack ? 0 : p->end[0].ifindex;
	ret->forward_to = p->end[1].ifindex;
	ret->reply_to = p->end[0].ifindex;
	if (via_stack) {
		ret->forward_action = FLOW_DELIVER;
		ret->reply_from = p->end[1].ifindex;
		ret->reply_action = FLOW_STACK;
	} else {
		ret->forward_action = p->end[1].ifindex ? FLOW_PEER : FLOW_STACK;
		ret->reply_from = p->end[1].ifindex;
		ret->reply_action = p->end[1].ifindex ? FLOW_PEER : FLOW_DELIVER;
	}
}

/* Carry out p->action. Returns what the program returns, or a negative reason. */
int route_forward(struct __sk_buff *skb, struct pkt *p);
/* Answer an ARP request or a neighbour solicitation for the gateway. Returns what the program
 * returns, or a negative reason. */
int route_arp(struct __sk_buff *skb, struct pkt *p);
int route_nd(struct __sk_buff *skb, struct pkt *p);

#endif
