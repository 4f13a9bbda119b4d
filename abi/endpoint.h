/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_ENDPOINT_H
#define KILIM_ABI_ENDPOINT_H
/* An endpoint is a row: the programs are loaded once per node and find what they serve here. */
#include "abi/addr.h"

enum endpoint_kind {
	ENDPOINT_KIND_DEVICE, /* id is the ifindex of the node's side: veth, netkit, tap */
	ENDPOINT_KIND_CGROUP, /* id is a cgroup id */
};

/* Key of map endpoint. */
struct endpoint_key {
	__u64 id;
	__u32 kind; /* enum endpoint_kind */
	__u32 pad;
};

_Static_assert(sizeof(struct endpoint_key) == 16, "no padding in a hash key");

enum endpoint_flag {
	ENDPOINT_READY = 1 << 0, /* its policy is known; without it every packet is dropped */
};

/* Value of map endpoint. The row is written as a whole. */
struct endpoint {
	struct addr addr4; /* v4-mapped, or all zero for none */
	struct addr addr6; /* all zero for none */
	__u32 id; /* number that people see, 1..65535 */
	__u32 identity;
	__u16 domain; /* routing domain of its addresses */
	__u16 flags; /* enum endpoint_flag */
	__u32 ifindex; /* node's side of the device, 0 for a cgroup */
	__u8 mac[6]; /* of the workload's device */
	__u8 host_mac[6]; /* of the node's side: what the gateway's ARP and ND answer with */
	__u32 peer[2]; /* what it goes by in policies, with IPv4 and with IPv6; 0: the identity */
	__u32 pad;
};

_Static_assert(sizeof(struct endpoint) == 72, "explicit padding");

/* Map local: struct addr_key (an address of an endpoint of this node) to struct endpoint_key. */

#endif
