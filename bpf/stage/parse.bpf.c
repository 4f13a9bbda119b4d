/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stage parse, first on the first-packet path: from bytes to struct pkt. Must hold: nothing is
 * believed that was not checked against the packet's length; a fragment without its first one has
 * no ports and goes no further.
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
#include "abi/map.h"
#include "kernel/icmp.h"
#include "stage/parse.h"

#define STAGE_HERE STAGE_PARSE

extern const volatile struct dp_config config;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAP_FRAG_MAX);
	__type(key, struct frag_key);
	__type(value, struct frag);
} frag SEC(".maps");

enum {
	IP_MF = 0x2000,
	IP_OFFSET = 0x1fff,
	EXTENSION_HEADERS_MAX = 6,
	NEXTHDR_HOP = 0,
	NEXTHDR_ROUTING = 43,
	NEXTHDR_FRAGMENT = 44,
	NEXTHDR_AUTH = 51,
	NEXTHDR_DEST = 60,
	TCP_FLAGS = 13, /* offset of the flags in a TCP header */
	IGMP = 2,
};

/* What the fragment fields of a header say. */
struct fragment {
	__u32 id;
	__u8 later; /* not the first one: no ports inside */
	__u8 first; /* the first of several */
};

static __always_inline int parse_tcp(struct __sk_buff *skb, struct pkt *p, __u32 room)
{
	struct tcphdr h;
	__u8 flags, words;

	if (room < sizeof(h) || pkt_read(skb, p->l4_offset, &h, sizeof(h)))
		return DROP(p, CT_TRUNCATED);
	flags = ((const __u8 *)&h)[TCP_FLAGS];
	words = ((const __u8 *)&h)[TCP_FLAGS - 1] >> 4;
	if (words < 5 || words * 4u > room)
		return DROP(p, CT_TRUNCATED);
	/* SYN with FIN or RST is no packet that any stack sends */
	if ((flags & 0x02) && (flags & 0x05))
		return DROP(p, INVALID_PACKET);
	p->source_port = h.source;
	p->destination_port = h.dest;
	p->tcp_flags = flags;
	return 0;
}

static __always_inline int parse_udp(struct __sk_buff *skb, struct pkt *p, __u32 room, int whole)
{
	struct udphdr h;

	if (room < sizeof(h) || pkt_read(skb, p->l4_offset, &h, sizeof(h)))
		return DROP(p, CT_TRUNCATED);
	/* a jumbogram of IPv6 has length 0; of a fragment only a part is here */
	if (bpf_ntohs(h.len) < sizeof(h) && (h.len || p->family == 4))
		return DROP(p, CT_TRUNCATED);
	if (whole && bpf_ntohs(h.len) > room)
		return DROP(p, CT_TRUNCATED);
	p->source_port = h.source;
	p->destination_port = h.dest;
	return 0;
}

static __always_inline int parse_sctp(struct __sk_buff *skb, struct pkt *p, __u32 room)
{
	__be16 port[2];

	if (room < 12 || pkt_read(skb, p->l4_offset, port, sizeof(port)))
		return DROP(p, CT_TRUNCATED);
	p->source_port = port[0];
	p->destination_port = port[1];
	return 0;
}

/* Ports of the packet inside an ICMP error; 8 bytes of its L4 header are all that RFC 792 promises.
 */
static __always_inline int inner_ports(struct __sk_buff *skb, struct pkt *p, __u32 offset)
{
	__be16 word[4];

	switch (p->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		break;
	default:
		return 0;
	}
	if (bpf_skb_load_bytes(skb, offset, word, sizeof(word)))
		return DROP(p, CT_TRUNCATED);
	if (p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6) {
		__u8 type = bpf_ntohs(word[0]) >> 8;

		if (type != (p->family == 4 ? ICMP4_ECHO : ICMP6_ECHO))
			return DROP(p, UNKNOWN_FLOW);
		p->source_port = word[2];
		p->destination_port = word[2];
		p->echo = ECHO_REPLY; /* turned round */
		return 0;
	}
	p->source_port = word[1]; /* turned round */
	p->destination_port = word[0];
	return 0;
}

/* The packet that an ICMPv4 error is about: the flow's tuple, turned round, since the error goes
 * back to its sender. */
static __always_inline int parse_error4(struct __sk_buff *skb, struct pkt *p)
{
	__u32 offset = p->l4_offset + sizeof(struct icmp_header);
	struct iphdr h;

	if (bpf_skb_load_bytes(skb, offset, &h, sizeof(h)))
		return DROP(p, CT_TRUNCATED);
	if (h.version != 4 || h.ihl < 5 || (bpf_ntohs(h.frag_off) & IP_OFFSET))
		return DROP(p, INVALID_PACKET);
	/* it must go to the one who sent what it is about */
	if (h.saddr != p->destination.word[3])
		return DROP(p, UNKNOWN_FLOW);
	addr_from4(&p->source, h.daddr);
	p->protocol = h.protocol;
	p->flags |= PKT_RELATED;
	return inner_ports(skb, p, offset + h.ihl * 4);
}

static __always_inline int parse_error6(struct __sk_buff *skb, struct pkt *p)
{
	__u32 offset = p->l4_offset + sizeof(struct icmp_header);
	struct ipv6hdr h;
	struct addr inner;

	if (bpf_skb_load_bytes(skb, offset, &h, sizeof(h)))
		return DROP(p, CT_TRUNCATED);
	if (h.version != 6)
		return DROP(p, INVALID_PACKET);
	__builtin_memcpy(&inner, &h.saddr, sizeof(inner));
	if (!addr_equal(&inner, &p->destination))
		return DROP(p, UNKNOWN_FLOW);
	__builtin_memcpy(&p->source, &h.daddr, sizeof(p->source));
	p->protocol = h.nexthdr;
	p->flags |= PKT_RELATED;
	return inner_ports(skb, p, offset + sizeof(h));
}

static __always_inline int parse_icmp4(struct __sk_buff *skb, struct pkt *p, __u32 room)
{
	struct icmp_header h;

	if (room < sizeof(h) || pkt_read(skb, p->l4_offset, &h, sizeof(h)))
		return DROP(p, CT_TRUNCATED);
	p->icmp_type = h.type;
	p->icmp_code = h.code;
	switch (h.type) {
	case ICMP4_ECHO:
	case ICMP4_ECHO_REPLY:
		p->echo = h.type == ICMP4_ECHO ? ECHO_REQUEST : ECHO_REPLY;
		p->source_port = h.id;
		p->destination_port = h.id;
		return 0;
	case ICMP4_UNREACHABLE:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER_PROBLEM:
		return parse_error4(skb, p);
	case ICMP4_REDIRECT:
		return DROP(p, INVALID_PACKET); /* nobody may reroute a workload */
	default:
		p->flags |= PKT_STATELESS;
		return 0;
	}
}

static __always_inline int parse_icmp6(struct __sk_buff *skb, struct pkt *p, __u32 room)
{
	struct icmp_header h;

	if (room < sizeof(h) || pkt_read(skb, p->l4_offset, &h, sizeof(h)))
		return DROP(p, CT_TRUNCATED);
	p->icmp_type = h.type;
	p->icmp_code = h.code;
	switch (h.type) {
	case ICMP6_ECHO:
	case ICMP6_ECHO_REPLY:
		if (p->destination.byte[0] == 0xff)
			return DROP(p, UNROUTABLE);
		p->echo = h.type == ICMP6_ECHO ? ECHO_REQUEST : ECHO_REPLY;
		p->source_port = h.id;
		p->destination_port = h.id;
		return 0;
	case ICMP6_UNREACHABLE:
	case ICMP6_PACKET_TOO_BIG:
	case ICMP6_TIME_EXCEEDED:
	case ICMP6_PARAMETER_PROBLEM:
		return parse_error6(skb, p);
	case ICMP6_NEIGHBOUR_SOLICITATION:
		return p->hook == HOOK_EGRESS ? PKT_ND : DROP(p, FORBIDDEN_ICMP6);
	case ICMP6_LISTENER_QUERY:
	case ICMP6_LISTENER_REPORT:
	case ICMP6_LISTENER_DONE:
	case ICMP6_LISTENER_REPORT2:
	case ICMP6_ROUTER_SOLICITATION:
		p->flags |= PKT_QUIET;
		return DROP(p, MULTICAST_HANDLED);
	case ICMP6_ROUTER_ADVERTISEMENT: /* never from a workload */
	case ICMP6_NEIGHBOUR_ADVERTISEMENT:
	case ICMP6_REDIRECT:
		return DROP(p, FORBIDDEN_ICMP6);
	default:
		if (p->destination.byte[0] == 0xff)
			return DROP(p, UNROUTABLE);
		p->flags |= PKT_STATELESS;
		return 0;
	}
}

static __always_inline int parse_l4(
	struct __sk_buff *skb, struct pkt *p, __u32 room, const struct fragment *f)
{
	int r = 0;

	p->fragment_id = f->id;
	p->part = f->later ? PART_LATER : f->first ? PART_FIRST : PART_WHOLE;
	if (f->later)
		return 0;
	switch (p->protocol) {
	case IPPROTO_TCP:
		r = parse_tcp(skb, p, room);
		break;
	case IPPROTO_UDP:
		r = parse_udp(skb, p, room, !f->first);
		break;
	case IPPROTO_SCTP:
		r = parse_sctp(skb, p, room);
		break;
	case IPPROTO_ICMP:
		if (p->family != 4)
			return DROP(p, UNKNOWN_L4);
		r = parse_icmp4(skb, p, room);
		break;
	case IPPROTO_ICMPV6:
		if (p->family != 6)
			return DROP(p, UNKNOWN_L4);
		r = parse_icmp6(skb, p, room);
		break;
	case IGMP:
		p->flags |= PKT_QUIET;
		return DROP(p, MULTICAST_HANDLED);
	}
	/* an ICMP error or a stateless message in fragments is nothing that a stack sends */
	if (!r && f->first && (p->flags & (PKT_RELATED | PKT_STATELESS)))
		return DROP(p, INVALID_PACKET);
	return r;
}

/* The header as it stands in its own block: the stack of what follows is short. */
static __always_inline int header4(
	struct __sk_buff *skb, struct pkt *p, struct fragment *f, __u32 *ret_room)
{
	__u32 total, header;
	__u16 frag_off;
	struct iphdr h;

	if (pkt_read(skb, ETH_HLEN, &h, sizeof(h)))
		return DROP(p, INVALID_PACKET);
	header = h.ihl * 4;
	total = bpf_ntohs(h.tot_len);
	if (!total && p->length > 0xffff)
		total = p->length - ETH_HLEN; /* BIG TCP */
	if (h.version != 4 || header < sizeof(h) || total < header || total + ETH_HLEN > p->length)
		return DROP(p, INVALID_PACKET);
	addr_from4(&p->source, h.saddr);
	addr_from4(&p->destination, h.daddr);
	p->sender = p->source;
	p->protocol = h.protocol;
	p->ttl = h.ttl;
	p->l4_offset = ETH_HLEN + header;
	if (h.protocol == IGMP) {
		p->flags |= PKT_QUIET;
		return DROP(p, MULTICAST_HANDLED);
	}
	if (!addr_is_unicast4(h.daddr))
		return DROP(p, UNROUTABLE);
	frag_off = bpf_ntohs(h.frag_off);
	f->id = h.id;
	f->later = !!(frag_off & IP_OFFSET);
	f->first = !f->later && (frag_off & IP_MF);
	*ret_room = total - header;
	return 0;
}

static __always_inline int parse4(struct __sk_buff *skb, struct pkt *p)
{
	struct fragment f = {};
	__u32 room = 0;
	int r = header4(skb, p, &f, &room);

	return r ?: parse_l4(skb, p, room, &f);
}

/* One extension header at offset: its length in bytes, 0 when next is none that is known, or a
 * negative drop reason. */
static __always_inline int extension(
	struct __sk_buff *skb, struct pkt *p, __u32 offset, __u8 *next, struct fragment *f)
{
	__u8 h[8];
	int len;

	switch (*next) {
	case NEXTHDR_HOP:
	case NEXTHDR_ROUTING:
	case NEXTHDR_FRAGMENT:
	case NEXTHDR_AUTH:
	case NEXTHDR_DEST:
		break;
	default:
		return 0;
	}
	if (bpf_skb_load_bytes(skb, offset, h, sizeof(h)))
		return DROP(p, INVALID_EXTENSION);
	len = (h[1] + 1) * 8;
	if (*next == NEXTHDR_FRAGMENT) {
		__u16 frag_off = (__u16)h[2] << 8 | h[3];

		f->later = !!(frag_off & 0xfff8);
		f->first = !f->later && (frag_off & 1);
		__builtin_memcpy(&f->id, h + 4, sizeof(f->id));
		len = 8;
	} else if (*next == NEXTHDR_AUTH) {
		len = (h[1] + 2) * 4;
	} else if (*next == NEXTHDR_ROUTING && h[2] == 0) {
		return DROP(p, INVALID_EXTENSION); /* source routing, RFC 5095 */
	}
	*next = h[0];
	return len;
}

/* The fixed header; *ret_end is where the packet ends. */
static __always_inline int header6(
	struct __sk_buff *skb, struct pkt *p, __u8 *ret_next, __u32 *ret_end)
{
	struct ipv6hdr h;

	if (pkt_read(skb, ETH_HLEN, &h, sizeof(h)))
		return DROP(p, INVALID_PACKET);
	*ret_end = ETH_HLEN + sizeof(h) + bpf_ntohs(h.payload_len);
	if (!h.payload_len && p->length > 0xffff)
		*ret_end = p->length; /* BIG TCP */
	if (h.version != 6 || *ret_end > p->length)
		return DROP(p, INVALID_PACKET);
	__builtin_memcpy(&p->source, &h.saddr, sizeof(p->source));
	__builtin_memcpy(&p->destination, &h.daddr, sizeof(p->destination));
	p->sender = p->source;
	p->ttl = h.hop_limit;
	*ret_next = h.nexthdr;
	return 0;
}

static __always_inline int parse6(struct __sk_buff *skb, struct pkt *p)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr), end = 0;
	struct fragment f = {};
	__u8 next = 0;
	int r = header6(skb, p, &next, &end);

	if (r)
		return r;
	for (int i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		int len = extension(skb, p, offset, &next, &f);

		if (len < 0)
			return len;
		if (len == 0)
			break;
		offset += (__u32)len;
		if (f.later)
			break;
	}
	p->protocol = next;
	p->l4_offset = (__u16)offset;
	if (offset > end)
		return DROP(p, INVALID_EXTENSION);
	if (!f.later &&
		(next == NEXTHDR_HOP || next == NEXTHDR_ROUTING || next == NEXTHDR_FRAGMENT ||
			next == NEXTHDR_AUTH || next == NEXTHDR_DEST))
		return DROP(p, INVALID_EXTENSION);
	if (!addr_is_wire6(&p->source, &p->destination) ||
		(p->destination.byte[0] == 0xff && next != IPPROTO_ICMPV6))
		return DROP(p, UNROUTABLE);
	return parse_l4(skb, p, end - offset, &f);
}

static __always_inline int ethernet(struct __sk_buff *skb, struct pkt *p)
{
	struct ethhdr h;

	if (pkt_read(skb, 0, &h, sizeof(h)))
		return DROP(p, INVALID_PACKET);
	__builtin_memcpy(p->dmac, h.h_dest, sizeof(p->dmac));
	__builtin_memcpy(p->smac, h.h_source, sizeof(p->smac));
	p->ethertype = bpf_ntohs(h.h_proto);
	return 0;
}

__noinline int pkt_parse(struct __sk_buff *skb, struct pkt *p)
{
	int r;

	if (!p)
		return -DROP_INVALID_PACKET;
	r = ethernet(skb, p);
	if (r)
		return r;
	if (skb->vlan_present)
		return DROP(p, VLAN_FILTERED);
	switch (p->ethertype) {
	case ETH_P_IP:
		p->family = 4;
		return parse4(skb, p);
	case ETH_P_IPV6:
		p->family = 6;
		return parse6(skb, p);
	case ETH_P_ARP:
		return p->hook == HOOK_EGRESS ? PKT_ARP : DROP(p, UNSUPPORTED_L2);
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		return DROP(p, VLAN_FILTERED);
	default:
		return DROP(p, UNSUPPORTED_L3);
	}
}

/* Its sender has been checked before: nobody leaves ports in another's name. */
__noinline int pkt_fragment(struct pkt *p)
{
	struct frag_key key = {};
	__u64 now = bpf_jiffies64();
	struct frag *known;

	if (!p)
		return -DROP_INVALID_PACKET;
	key.source = p->source;
	key.destination = p->destination;
	key.id = p->fragment_id;
	key.protocol = p->protocol;
	key.domain = p->domain;
	if (p->part == PART_FIRST) {
		struct frag first = {
			.source_port = p->source_port,
			.destination_port = p->destination_port,
			.icmp_type = p->icmp_type,
			.icmp_code = p->icmp_code,
			.echo = p->echo,
			.expires = now + config.timeout_frag,
		};

		return bpf_map_update_elem(&frag, &key, &first, BPF_ANY) ? DROP(p, FRAG_NOT_FOUND)
									 : 0;
	}
	known = bpf_map_lookup_elem(&frag, &key);
	if (!known || known->expires < now)
		return DROP(p, FRAG_NOT_FOUND);
	p->source_port = known->source_port;
	p->destination_port = known->destination_port;
	p->icmp_type = known->icmp_type;
	p->icmp_code = known->icmp_code;
	p->echo = known->echo;
	return 0;
}
