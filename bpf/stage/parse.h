/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_PARSE_H
#define KILIM_BPF_STAGE_PARSE_H
/* Stage parse: Ethernet, IPv4 with options, IPv6 with extension headers, fragments, ports, ICMP
 * errors. Owns map frag. */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>

#include "pkt.h"

/*
 * Fill *p from the packet; hook, ifindex and length are set by the caller. Returns 0, a negative
 * drop reason, or PKT_ARP / PKT_ND for what stage route answers.
 */
enum { PKT_ARP = 2, PKT_ND = 3 };
int pkt_parse(struct __sk_buff *skb, struct pkt *p);
/*
 * For p->part, once the sender is checked: the first fragment leaves its ports for the others,
 * which get theirs here. 0 or a reason.
 */
int pkt_fragment(struct pkt *p);

static __always_inline void addr_from4(struct addr *a, __be32 v4)
{
	a->word[0] = 0;
	a->word[1] = 0;
	a->word[2] = bpf_htonl(0xffff);
	a->word[3] = v4;
}

/* Not in the Internet's own use as a destination: loopback, multicast, broadcast, "this network".
 */
static __always_inline int addr_is_unicast4(__be32 a)
{
	__u32 host = bpf_ntohl(a);

	return host >> 24 != 127 && host >> 24 != 0 && host < 0xe0000000;
}

/* v4-mapped, loopback or unspecified addresses have no business on a wire. */
static __always_inline int addr_is_wire6(const struct addr *source, const struct addr *destination)
{
	if (!source->word[0] && !source->word[1] && source->word[2] == bpf_htonl(0xffff))
		return 0;
	return destination->word[0] || destination->word[1] ||
	       (destination->word[2] && destination->word[2] != bpf_htonl(0xffff));
}

#endif
