/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_PARSE_H
#define KILIM_BPF_STAGE_PARSE_H
/* Stage parse: Ethernet, IPv4 with options, IPv6 with extension headers, fragments, ports, ICMP
 * errors. Owns map frag. */
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

#endif
