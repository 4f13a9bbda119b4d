/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage route: the last step of a packet that may go on, and the gateway that every workload has,
 * which exists only here. Must hold: what goes to an endpoint of this node leaves with that
 * endpoint's MAC and one hop less.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi/config.h"
#include "kernel/icmp.h"
#include "stage/emit.h"
#include "stage/identity.h"
#include "stage/route.h"

#define STAGE_HERE STAGE_ROUTE

extern const volatile struct dp_config config;

enum {
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	HOP_LIMIT_ND = 255, /* RFC 4861: else it came from another link */
	PACKET_TO_US = 0, /* PACKET_HOST */
};

struct arp_packet { /* RFC 826, Ethernet and IPv4 */
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

struct nd_packet { /* RFC 4861, solicitation and advertisement with one link-layer address option */
	struct ipv6hdr ip;
	__u8 type, code;
	__sum16 checksum;
	__be32 flags;
	struct addr target;
	__u8 option, option_len;
	__u8 mac[6];
};

_Static_assert(sizeof(struct arp_packet) == 28, "RFC 826");
_Static_assert(sizeof(struct nd_packet) == 72, "RFC 4861");

enum { ND_ADVERTISED = 0x60000000, ND_TARGET_MAC = 2, ND_FIXED = 24 };

static __always_inline int write_ethernet(struct __sk_buff *skb, const __u8 *dmac, const __u8 *smac)
{
	__u8 mac[12];

	__builtin_memcpy(mac, dmac, 6);
	__builtin_memcpy(mac + 6, smac, 6);
	return bpf_skb_store_bytes(skb, 0, mac, sizeof(mac), 0) ? -1 : 0;
}

/*
 * To the endpoint's MAC, with one hop less; IPv4's checksum follows (RFC 1624). The headers are
 * written in place: they were read before, so all that can be missing is that they are in the
 * linear part.
 */
static __always_inline int rewrite(struct __sk_buff *skb, struct pkt *p)
{
	__u32 need = ETH_HLEN + (p->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	struct ethhdr *eth = skb_data(skb);

	if (p->ttl <= 1)
		return DROP(p, TTL_EXCEEDED);
	if ((void *)eth + ETH_HLEN + sizeof(struct ipv6hdr) > skb_data_end(skb)) {
		if (bpf_skb_pull_data(skb, need))
			return DROP(p, WRITE_ERROR);
		eth = skb_data(skb);
	}
	if (p->family == 4) {
		struct iphdr *ip = (void *)(eth + 1);
		__u32 sum;

		if ((void *)(ip + 1) > skb_data_end(skb))
			return DROP(p, WRITE_ERROR);
		sum = ip->check + bpf_htons(0x100);
		ip->check = (__sum16)((sum & 0xffff) + (sum >> 16));
		ip->ttl--;
	} else {
		struct ipv6hdr *ip = (void *)(eth + 1);

		if ((void *)(ip + 1) > skb_data_end(skb))
			return DROP(p, WRITE_ERROR);
		ip->hop_limit--;
	}
	mac_copy(eth->h_dest, p->new_dmac);
	mac_copy(eth->h_source, p->new_smac);
	return 0;
}

__noinline int route_forward(struct __sk_buff *skb, struct pkt *p)
{
	int r;

	if (!p)
		return -DROP_INVALID_PACKET;
	switch (p->action) {
	case FLOW_STACK:
	case FLOW_DELIVER:
		return VERDICT_PASS;
	case FLOW_PEER:
		r = rewrite(skb, p);
		if (r)
			return r;
		return (int)bpf_redirect_peer(p->to, 0);
	default:
		return DROP(p, UNKNOWN_FLOW);
	}
}

/* Back to the workload that asked. */
static __always_inline int answer(struct __sk_buff *skb, struct pkt *p, const struct neighbour *e)
{
	if (write_ethernet(skb, e->mac, e->host_mac))
		return DROP(p, WRITE_ERROR);
	bpf_skb_change_type(skb, PACKET_TO_US); /* the question may have been a broadcast */
	return (int)bpf_redirect_peer(skb->ifindex, 0);
}

static __always_inline int quiet(struct pkt *p)
{
	p->flags |= PKT_QUIET;
	return DROP(p, MULTICAST_HANDLED);
}

__noinline int route_arp(struct __sk_buff *skb, struct pkt *p)
{
	struct neighbour e = {};
	struct arp_packet a;
	__u32 sender, target;
	int r;

	if (!p)
		return -DROP_INVALID_PACKET;
	r = identity_device(p, &e);
	if (r)
		return r;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &a, sizeof(a)))
		return DROP(p, INVALID_PACKET);
	if (a.hardware != bpf_htons(1) || a.protocol != bpf_htons(ETH_P_IP) ||
		a.hardware_len != 6 || a.protocol_len != 4)
		return DROP(p, INVALID_PACKET);
	if (!mac_equal(a.sender_mac, e.mac))
		return DROP(p, INVALID_SOURCE_MAC);
	__builtin_memcpy(&sender, a.sender, 4);
	__builtin_memcpy(&target, a.target, 4);
	if (!sender || sender == target) /* probe, announcement */
		return quiet(p);
	if (sender != e.addr4)
		return DROP(p, INVALID_SOURCE_IP);
	if (a.operation != bpf_htons(ARP_REQUEST))
		return quiet(p);
	if (!config.gateway4.word[3] || target != config.gateway4.word[3])
		return DROP(p, UNROUTABLE);
	a.operation = bpf_htons(ARP_REPLY);
	__builtin_memcpy(a.target_mac, e.mac, 6);
	__builtin_memcpy(a.target, a.sender, 4);
	__builtin_memcpy(a.sender_mac, e.host_mac, 6);
	__builtin_memcpy(a.sender, &target, 4);
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &a, sizeof(a), 0))
		return DROP(p, WRITE_ERROR);
	count(COUNTER_ARP_ANSWERED);
	return answer(skb, p, &e);
}

/* fe80::/10: what a workload's kernel may ask from; the MAC has been checked. */
static __always_inline int link_local(const struct addr *a)
{
	return (a->word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* Checksum over pseudo header and message; the struct holds both next to each other. */
static __always_inline __sum16 nd_checksum(struct nd_packet *n)
{
	const __be16 *word = (const __be16 *)&n->ip.saddr;
	__u32 sum = bpf_htons(sizeof(*n) - sizeof(n->ip)) + bpf_htons(IPPROTO_ICMPV6);

	for (unsigned i = 0; i < (sizeof(*n) - 8) / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__sum16)~sum;
}

static __always_inline void nd_answer(struct nd_packet *n, const struct neighbour *e)
{
	__builtin_memcpy(&n->ip.daddr, &n->ip.saddr, sizeof(n->ip.daddr));
	for (int i = 0; i < 4; i++)
		((__be32 *)&n->ip.saddr)[i] = config.gateway6.word[i];
	n->ip.payload_len = bpf_htons(sizeof(*n) - sizeof(n->ip));
	n->ip.nexthdr = IPPROTO_ICMPV6;
	n->ip.hop_limit = HOP_LIMIT_ND;
	n->type = ICMP6_NEIGHBOUR_ADVERTISEMENT;
	n->code = 0;
	n->checksum = 0;
	n->flags = bpf_htonl(ND_ADVERTISED);
	n->option = ND_TARGET_MAC;
	n->option_len = 1;
	__builtin_memcpy(n->mac, e->host_mac, 6);
	n->checksum = nd_checksum(n);
}

__noinline int route_nd(struct __sk_buff *skb, struct pkt *p)
{
	struct neighbour e = {};
	struct nd_packet n = {};
	int r;

	if (!p)
		return -DROP_INVALID_PACKET;
	r = identity_device(p, &e);
	if (r)
		return r;
	/* without extension headers, long enough for a target, from this link */
	if (p->l4_offset != ETH_HLEN + sizeof(n.ip) || p->ttl != HOP_LIMIT_ND || p->icmp_code ||
		bpf_skb_load_bytes(skb, ETH_HLEN, &n, sizeof(n.ip) + ND_FIXED))
		return DROP(p, INVALID_PACKET);
	if (!p->sender.word[0] && !p->sender.word[1] && !p->sender.word[2] && !p->sender.word[3])
		return quiet(p); /* duplicate address detection: nobody else has it */
	if (!addr_equal(&p->sender, &e.addr6) && !link_local(&p->sender))
		return DROP(p, INVALID_SOURCE_IP);
	if (addr_none(&n.target)) /* or a gateway that is off would match */
		return DROP(p, INVALID_PACKET);
	for (int i = 0; i < 4; i++) {
		if (n.target.word[i] != config.gateway6.word[i])
			return DROP(p, UNROUTABLE);
	}
	nd_answer(&n, &e);
	if (skb->len != ETH_HLEN + sizeof(n) && bpf_skb_change_tail(skb, ETH_HLEN + sizeof(n), 0))
		return DROP(p, WRITE_ERROR);
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &n, sizeof(n), BPF_F_INVALIDATE_HASH))
		return DROP(p, WRITE_ERROR);
	count(COUNTER_ND_ANSWERED);
	return answer(skb, p, &e);
}
