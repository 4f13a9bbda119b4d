/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_KNOWN_H
#define KILIM_BPF_STAGE_KNOWN_H
/*
 * The packet of a known flow: one look-up, in one straight inlined function. It takes only what
 * needs no thought, and leaves the rest to the stages, which do all of it again: options, extension
 * headers, fragments, ICMP, TCP's SYN, FIN and RST, the first answer, anything judged by another
 * epoch. A test holds both ways to the same outcome.
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
#include "stage/policy.h"

enum {
	KNOWN_NO = -100, /* not for this path */
	KNOWN_MISS = -101, /* for this path, but there is no such flow */
};

extern const volatile struct dp_config config;

/* TCP without SYN, FIN and RST, or UDP, whole. */
static __always_inline int known_ports(
	void *l4, void *end, __u8 protocol, __u32 room, __be16 *ret_source, __be16 *ret_destination)
{
	if (protocol == IPPROTO_TCP) {
		struct tcphdr *t = l4;
		__u8 *byte = l4;

		if ((void *)(t + 1) > end || room < sizeof(*t) || (byte[12] >> 4) < 5 ||
			(byte[12] >> 4) * 4u > room || (byte[13] & 0x07))
			return KNOWN_NO;
		*ret_source = t->source;
		*ret_destination = t->dest;
		return 0;
	}
	if (protocol == IPPROTO_UDP) {
		struct udphdr *u = l4;

		if ((void *)(u + 1) > end || bpf_ntohs(u->len) < sizeof(*u) ||
			bpf_ntohs(u->len) > room)
			return KNOWN_NO;
		*ret_source = u->source;
		*ret_destination = u->dest;
		return 0;
	}
	return KNOWN_NO;
}

/* Whether the entry may be used for this packet as it stands; counts it when so. */
static __always_inline struct flow_way *known_way(struct __sk_buff *skb, struct ethhdr *eth,
	struct flow *f, __u32 way, __u8 protocol, enum hook hook)
{
	struct flow_way *w = flow_way(f, way);
	__u64 now = bpf_jiffies64();

	if (f->epoch != (__u32)state_current() || f->expires < now ||
		w->from != (hook == HOOK_EGRESS ? skb->ifindex : 0) || w->action == FLOW_DROP)
		return NULL;
	if ((f->flags & FLOW_DENIED) || f->state == FLOW_STATE_CLOSED)
		return NULL;
	/* half open: only the opener's packets, and those of UDP; the answer has work to do */
	if (f->state == FLOW_STATE_NEW &&
		(protocol == IPPROTO_TCP || flow_is_reply(f, way) || (f->flags & FLOW_SEEN_REPLY)))
		return NULL;
	if (hook == HOOK_EGRESS && !mac_equal(eth->h_source, w->source))
		return NULL;
	if (hook == HOOK_INGRESS && w->to != skb->ifindex) /* the stack took it to another one */
		return NULL;
	f->expires = now + (protocol == IPPROTO_TCP ? config.timeout_tcp : config.timeout_any);
	return w;
}

static __always_inline int known_forward(
	struct __sk_buff *skb, struct ethhdr *eth, struct flow_way *w, enum hook hook)
{
	__sync_fetch_and_add(&w->packets, 1);
	__sync_fetch_and_add(&w->bytes, skb->len);
	count_packet(0, hook == HOOK_EGRESS ? POLICY_EGRESS : POLICY_INGRESS, skb->len);
	if (w->action != FLOW_PEER)
		return VERDICT_PASS;
	mac_copy(eth->h_dest, w->dmac);
	mac_copy(eth->h_source, w->smac);
	return (int)bpf_redirect_peer(w->to, 0);
}

static __always_inline int known4(struct __sk_buff *skb, enum hook hook)
{
	void *data = skb_data(skb), *end = skb_data_end(skb);
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct flow_key4 key = {};
	__be16 source_port, destination_port;
	struct flow_way *w;
	__u32 total, way;
	struct flow *f;

	if ((void *)(ip + 1) > end || *(__u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x3fff) ||
		ip->ttl <= 1)
		return KNOWN_NO;
	total = bpf_ntohs(ip->tot_len);
	if (total < sizeof(*ip) || total + ETH_HLEN > skb->len)
		return KNOWN_NO;
	if (known_ports(ip + 1, end, ip->protocol, total - sizeof(*ip), &source_port,
		    &destination_port))
		return KNOWN_NO;
	way = flow_key4_make(&key, ip->saddr, ip->daddr, source_port, destination_port);
	key.protocol = ip->protocol;
	f = bpf_map_lookup_elem(&flow4, &key);
	if (!f)
		f = bpf_map_lookup_elem(&half4, &key);
	if (!f)
		return KNOWN_MISS;
	w = known_way(skb, eth, f, way, ip->protocol, hook);
	if (!w)
		return KNOWN_NO;
	if (w->action == FLOW_PEER) {
		__u32 sum = ip->check + bpf_htons(0x100); /* RFC 1624: ttl is the high byte */

		ip->check = (__sum16)((sum & 0xffff) + (sum >> 16));
		ip->ttl--;
	}
	return known_forward(skb, eth, w, hook);
}

static __always_inline int known6(struct __sk_buff *skb, enum hook hook)
{
	void *data = skb_data(skb), *end = skb_data_end(skb);
	struct ethhdr *eth = data;
	struct ipv6hdr *ip = (void *)(eth + 1);
	struct flow_key6 key = {};
	__be16 source_port, destination_port;
	struct flow_way *w;
	struct flow *f;
	__u32 way;

	if ((void *)(ip + 1) > end || ip->version != 6 || ip->hop_limit <= 1 ||
		bpf_ntohs(ip->payload_len) + ETH_HLEN + sizeof(*ip) > skb->len)
		return KNOWN_NO;
	if (known_ports(ip + 1, end, ip->nexthdr, bpf_ntohs(ip->payload_len), &source_port,
		    &destination_port))
		return KNOWN_NO;
	way = flow_key6_make(&key, (struct addr *)&ip->saddr, (struct addr *)&ip->daddr,
		source_port, destination_port);
	key.protocol = ip->nexthdr;
	f = bpf_map_lookup_elem(&flow6, &key);
	if (!f)
		f = bpf_map_lookup_elem(&half6, &key);
	if (!f)
		return KNOWN_MISS;
	w = known_way(skb, eth, f, way, ip->nexthdr, hook);
	if (!w)
		return KNOWN_NO;
	if (w->action == FLOW_PEER)
		ip->hop_limit--;
	return known_forward(skb, eth, w, hook);
}

/* What the program returns, or KNOWN_NO or KNOWN_MISS. */
static __always_inline int known_packet(struct __sk_buff *skb, enum hook hook)
{
	if (skb->vlan_present)
		return KNOWN_NO;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return known4(skb, hook);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return known6(skb, hook);
	return KNOWN_NO;
}

#endif
