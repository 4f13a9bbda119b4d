/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_FOLLOW_H
#define KILIM_BPF_STAGE_FOLLOW_H
/*
 * What a packet of a flow in force does to its entry: by the known-flow path (known.h) and by stage
 * flow alike, and in this order: flow_count(), flow_follow(), flow_promote() when
 * flow_is_answered(). A fuzzer holds both to the same entry.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "pkt.h"
#include "stage/emit.h"
#include "stage/flow.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };
enum { TCP_ENDS = TCP_FIN | TCP_SYN | TCP_RST }; /* those that change something */

extern const volatile struct dp_config config;

static __always_inline __u64 flow_timeout(__u8 protocol, __u8 state)
{
	if (protocol != IPPROTO_TCP)
		return config.timeout_any;
	switch (state) {
	case FLOW_STATE_NEW:
		return config.timeout_tcp_syn;
	case FLOW_STATE_CLOSED:
		return config.timeout_tcp_fin;
	default: /* half closed may last as long as it likes: what still flows is allowed */
		return config.timeout_tcp;
	}
}

static __always_inline void flow_count(struct flow_way *w, __u32 bytes)
{
	__sync_fetch_and_add(&w->packets, 1);
	__sync_fetch_and_add(&w->bytes, bytes);
}

/* Follow TCP. Returns whether the packet is worth an event: the first answer, SYN, FIN, RST. */
static __always_inline int flow_follow(
	struct flow *f, __u32 way, int reply, __u8 protocol, __u8 tcp_flags, __u64 now)
{
	int told = 0;

	if (reply && !(f->flags & FLOW_SEEN_REPLY)) {
		f->flags |= FLOW_SEEN_REPLY;
		told = 1;
	}
	if (protocol == IPPROTO_TCP && (tcp_flags & TCP_ENDS)) {
		flow_way(f, way)->tcp_flags |= tcp_flags & TCP_ENDS;
		told = 1;
		if ((tcp_flags & TCP_RST) || (f->way[0].tcp_flags & f->way[1].tcp_flags & TCP_FIN))
			f->state = FLOW_STATE_CLOSED;
		else if ((tcp_flags & TCP_FIN) && f->state == FLOW_STATE_ESTABLISHED)
			f->state = FLOW_STATE_CLOSING;
	}
	f->expires = now + flow_timeout(protocol, f->state);
	return told;
}

/*
 * Whether this packet makes a half-open flow an answered one. TCP counts as answered when the
 * opener goes on after the answer: SYN cookies and floods of forged SYNs draw answers too.
 */
static __always_inline int flow_is_answered(
	const struct flow *f, int reply, __u8 protocol, __u8 tcp_flags)
{
	if (!(f->flags & FLOW_SEEN_REPLY) || f->state == FLOW_STATE_CLOSED)
		return 0;
	return protocol != IPPROTO_TCP || (!reply && (tcp_flags & TCP_ACK));
}

/*
 * An answered flow leaves the half-open table: *f may not be used any more. A full flow table
 * leaves the entry where it is, says so once, and is tried again by the next packet that answers.
 * Returns the flow's state.
 */
static __always_inline __u8 flow_promote(
	struct flow *f, const struct flow_key *k, __u8 family, __u8 protocol, __u64 now)
{
	int first = f->state == FLOW_STATE_NEW;
	__u8 state;
	long r;

	if (first) {
		f->state = FLOW_STATE_ESTABLISHED;
		f->expires = now + flow_timeout(protocol, FLOW_STATE_ESTABLISHED);
	}
	state = f->state;
	r = family == 4 ? bpf_map_update_elem(&flow4, &k->v4, f, BPF_NOEXIST)
			: bpf_map_update_elem(&flow6, &k->v6, f, BPF_NOEXIST);
	if (r && r != -17) { /* EEXIST: another CPU was faster */
		if (first)
			count(COUNTER_FLOW_TABLE_FULL);
		return state;
	}
	if (family == 4)
		bpf_map_delete_elem(&half4, &k->v4);
	else
		bpf_map_delete_elem(&half6, &k->v6);
	count(COUNTER_FLOW_ANSWERED);
	return state;
}

/* A SYN of the opener after the end, or of the other end at any time, opens a new flow with the
 * same tuple. */
static __always_inline int flow_is_reopened(
	const struct flow *f, int reply, __u8 protocol, __u8 tcp_flags)
{
	return protocol == IPPROTO_TCP && (tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       (reply || f->state == FLOW_STATE_CLOSED);
}

/* Put what the entry says into *p. */
static __always_inline void flow_take_way(struct pkt *p, const struct flow_way *w)
{
	p->action = w->action;
	p->to = w->to;
	mac_copy(p->new_dmac, w->dmac);
	mac_copy(p->new_smac, w->smac);
}

static __always_inline void flow_take(struct pkt *p, const struct flow *f, const struct flow_way *w)
{
	flow_take_way(p, w);
	p->flow_flags = f->flags;
	p->state = f->state;
	p->end[0].identity = f->identity[0];
	p->end[1].identity = f->identity[1];
	p->end[0].endpoint = f->endpoint[0];
	p->end[1].endpoint = f->endpoint[1];
}

#endif
