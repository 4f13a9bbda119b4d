/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_BPF_STAGE_IDENTITY_H
#define KILIM_BPF_STAGE_IDENTITY_H
/* Stage identity: who sends, who receives. Owns maps endpoint, local and identity. */
#include "abi/endpoint.h"
#include "pkt.h"

/* The sender is who it says it is: an endpoint's own MAC and address, or an address that the stack
 * may send from. 0 or a reason. */
int identity_check(struct __sk_buff *skb, struct pkt *p);
/* Fill end[] in the direction in which the flow was opened (PKT_REPLY turns it round). 0 or a
 * reason. */
int identity_resolve(struct pkt *p);
/* What ARP and ND need to know of the endpoint: less than the row, for the stack's sake. */
struct neighbour {
	struct addr addr6;
	__be32 addr4;
	__u8 mac[6];
	__u8 host_mac[6];
};

/* The endpoint of the device that the packet came from. 0 or a reason. */
int identity_device(struct pkt *p, struct neighbour *ret);

#endif
