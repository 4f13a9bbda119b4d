/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_KNOWN_H
#define KILIM_BPF_STAGE_KNOWN_H
/*
 * The packet of a known flow: one look-up, in one straight inlined function. It takes whole TCP and
 * UDP packets without options of IP, does to the entry what stage flow would do (follow.h), and
 * leaves the rest to the stages, which do all of it again: options, extension headers, fragments,
 * ICMP, anything judged by another epoch. A plain packet of no known flow goes to the stages with
 * struct pkt filled as stage parse fills it. A fuzzer holds both ways to the same outcome.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include <kernel/skb.h>
#include "stage/emit.h"
#include "stage/flow.h"
#include "stage/follow.h"
#include "stage/parse.h"
#include "stage/policy.h"

enum {
	KNOWN_NO = -100, /* not for this path */
	KNOWN_MISS = -101, /* for this path, but there is no such flow: struct pkt is filled */
};

extern const volatile struct dp_config config;

/* TCP or UDP, whole. */
static __always_inline int known_ports(void *l4, void *end, __u32 room, struct pkt *p)
{
	if (p->protocol == IPPROTO_TCP) {
		struct tcphdr *t = l4;
		__u8 *byte = l4;

		if ((void *)(t + 1) > end || room < sizeof(*t) || (byte[12] >> 4) < 5 ||
			(byte[12] >> 4) * 4u > room)
			return KNOWN_NO;
		p->tcp_flags = byte[13];
		if ((p->tcp_flags & TCP_SYN) && (p->tcp_flags & (TCP_FIN | TCP_RST)))
			return KNOWN_NO;
		p->source_port = t->source;
		p->destination_port = t->dest;
		return 0;
	}
	if (p->protocol == IPPROTO_UDP) {
		struct udphdr *u = l4;

		if ((void *)(u + 1) > end || bpf_ntohs(u->len) < sizeof(*u) ||
			bpf_ntohs(u->len) > room)
			return KNOWN_NO;
		p->source_port = u->source;
		p->destination_port = u->dest;
		return 0;
	}
	return KNOWN_NO;
}

/* The rest of *p, as pkt_parse() fills it. */
static __always_inline void known_fill(
	struct pkt *p, const struct __sk_buff *skb, const struct ethhdr *eth, __u8 family)
{
	__builtin_memset(p, 0, offsetof(struct pkt, source_port));
	p->length = skb->len;
	p->ifindex = skb->ifindex;
	p->ingress_ifindex = skb->ingress_ifindex;
	mac_copy(p->dmac, eth->h_dest);
	mac_copy(p->smac, eth->h_source);
	if (family == 4) {
		const struct iphdr *ip = (const void *)(eth + 1);

		p->ethertype = ETH_P_IP;
		addr_from4(&p->source, ip->saddr);
		addr_from4(&p->destination, ip->daddr);
		p->ttl = ip->ttl;
		p->l4_offset = ETH_HLEN + sizeof(*ip);
	} else {
		const struct ipv6hdr *ip = (const void *)(eth + 1);

		p->ethertype = ETH_P_IPV6;
		p->source = *(const struct addr *)&ip->saddr;
		p->destination = *(const struct addr *)&ip->daddr;
		p->ttl = ip->hop_limit;
		p->l4_offset = ETH_HLEN + sizeof(*ip);
	}
	p->sender = p->source;
}

/* Whether the entry may be used for this packet as it stands. */
static __always_inline int known_in_force(const struct __sk_buff *skb, const struct ethhdr *eth,
	const struct flow *f, const struct flow_way *w, enum hook hook, __u64 current, __u64 now)
{
	if (f->epoch != (__u32)current || f->expires < now || (f->flags & FLOW_DENIED) ||
		w->from != (hook == HOOK_EGRESS ? skb->ifindex : 0) || w->action == FLOW_DROP)
		return 0;
	if (hook == HOOK_EGRESS)
		return mac_equal(eth->h_source, w->source);
	return w->to == skb->ifindex; /* else the stack took it to another one */
}

/* To the endpoint's MAC, with one hop less. */
static __always_inline void known_rewrite(struct ethhdr *eth, const struct flow_way *w, __u8 family)
{
	if (family == 4) {
		struct iphdr *ip = (void *)(eth + 1);
		__u32 sum = ip->check + bpf_htons(0x100); /* RFC 1624: ttl is the high byte */

		ip->check = (__sum16)((sum & 0xffff) + (sum >> 16));
		ip->ttl--;
	} else {
		struct ipv6hdr *ip = (void *)(eth + 1);

		ip->hop_limit--;
	}
	mac_copy(eth->h_dest, w->dmac);
	mac_copy(eth->h_source, w->smac);
}

/* The look-up, and all that follows from what it finds. */
static __always_inline int known_flow(struct __sk_buff *skb, struct ethhdr *eth,
	const struct flow_key *k, enum hook hook, __u8 family, struct pkt *p)
{
	__u64 current, now;
	int half, reply, told;
	struct flow_way *w;
	struct flow *f = flow_lookup(k, family, &half);
	__u32 to;

	if (!f)
		return KNOWN_MISS;
	w = flow_way(f, k->way);
	reply = (int)flow_is_reply(f, k->way);
	current = state_current();
	now = bpf_jiffies64();
	if (!known_in_force(skb, eth, f, w, hook, current, now) ||
		flow_is_reopened(f, reply, p->protocol, p->tcp_flags))
		return KNOWN_NO;
	flow_count(w, skb->len);
	count_packet(0, hook == HOOK_EGRESS ? POLICY_EGRESS : POLICY_INGRESS, skb->len);
	told = flow_follow(f, k->way, reply, p->protocol, p->tcp_flags, now) && config.trace;
	if (told) {
		known_fill(p, skb, eth, family);
		flow_take(p, f, w);
		p->current = current;
		p->flags = reply ? PKT_REPLY | PKT_TRACE : PKT_TRACE;
	}
	to = w->action == FLOW_PEER ? w->to : 0;
	if (to)
		known_rewrite(eth, w, family);
	if (half && flow_is_answered(f, reply, p->protocol, p->tcp_flags))
		p->state = flow_promote(f, k, family, p->protocol, now);
	if (told)
		emit_event(p, 0);
	return to ? (int)bpf_redirect_peer(to, 0) : VERDICT_PASS;
}

static __always_inline int known4(
	struct __sk_buff *skb, enum hook hook, struct flow_key *key, struct pkt *p)
{
	void *data = skb_data(skb), *end = skb_data_end(skb);
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	__u32 total;
	int r;

	if ((void *)(ip + 1) > end || *(__u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x3fff) ||
		ip->ttl <= 1)
		return KNOWN_NO;
	total = bpf_ntohs(ip->tot_len);
	if (total < sizeof(*ip) || total + ETH_HLEN > skb->len)
		return KNOWN_NO;
	p->family = 4;
	p->hook = hook;
	p->protocol = ip->protocol;
	p->tcp_flags = 0;
	if (known_ports(ip + 1, end, total - sizeof(*ip), p))
		return KNOWN_NO;
	key->way =
		flow_key4_make(&key->v4, ip->saddr, ip->daddr, p->source_port, p->destination_port);
	key->v4.protocol = ip->protocol;
	r = known_flow(skb, eth, key, hook, 4, p);
	if (r != KNOWN_MISS)
		return r;
	if (!addr_is_unicast4(ip->daddr))
		return KNOWN_NO;
	known_fill(p, skb, eth, 4);
	return KNOWN_MISS;
}

static __always_inline int known6(
	struct __sk_buff *skb, enum hook hook, struct flow_key *key, struct pkt *p)
{
	void *data = skb_data(skb), *end = skb_data_end(skb);
	struct ethhdr *eth = data;
	struct ipv6hdr *ip = (void *)(eth + 1);
	int r;

	if ((void *)(ip + 1) > end || ip->version != 6 || ip->hop_limit <= 1 ||
		bpf_ntohs(ip->payload_len) + ETH_HLEN + sizeof(*ip) > skb->len)
		return KNOWN_NO;
	p->family = 6;
	p->hook = hook;
	p->protocol = ip->nexthdr;
	p->tcp_flags = 0;
	if (known_ports(ip + 1, end, bpf_ntohs(ip->payload_len), p))
		return KNOWN_NO;
	key->way = flow_key6_make(&key->v6, (struct addr *)&ip->saddr, (struct addr *)&ip->daddr,
		p->source_port, p->destination_port);
	key->v6.protocol = ip->nexthdr;
	r = known_flow(skb, eth, key, hook, 6, p);
	if (r != KNOWN_MISS)
		return r;
	if (!addr_is_wire6((struct addr *)&ip->saddr, (struct addr *)&ip->daddr) ||
		ip->daddr.in6_u.u6_addr8[0] == 0xff)
		return KNOWN_NO;
	known_fill(p, skb, eth, 6);
	return KNOWN_MISS;
}

/* What the program returns, or KNOWN_NO or KNOWN_MISS. */
static __always_inline int known_packet(struct __sk_buff *skb, enum hook hook, struct pkt *p)
{
	struct flow_key key = {};

	if (skb->vlan_present)
		return KNOWN_NO;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return known4(skb, hook, &key, p);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return known6(skb, hook, &key, p);
	return KNOWN_NO;
}

#endif
