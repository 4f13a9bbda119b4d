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
/* The gateway's MAC for the device the packet came from, and the endpoint's own addresses: for ARP
 * and ND. 0 or a reason. */
int identity_device(struct pkt *p, struct endpoint *ret);

#endif
