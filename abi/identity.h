/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_IDENTITY_H
#define KILIM_ABI_IDENTITY_H
/* Security identities: numbers that stand for a set of labels. Numbering is Cilium's (interface
 * sheet, 1b). */
#include "abi/addr.h"

/* X(NAME, number, text): the reserved identities; text is the label behind "reserved:". */
#define IDENTITY_RESERVED(X)                                                                       \
	X(UNKNOWN, 0, "unknown")                                                                   \
	X(HOST, 1, "host")                                                                         \
	X(WORLD, 2, "world")                                                                       \
	X(UNMANAGED, 3, "unmanaged")                                                               \
	X(HEALTH, 4, "health")                                                                     \
	X(INIT, 5, "init")                                                                         \
	X(REMOTE_NODE, 6, "remote-node")                                                           \
	X(KUBE_APISERVER, 7, "kube-apiserver")                                                     \
	X(INGRESS, 8, "ingress")                                                                   \
	X(WORLD_IPV4, 9, "world-ipv4")                                                             \
	X(WORLD_IPV6, 10, "world-ipv6")

enum identity {
#define X(name, number, text) IDENTITY_##name = number,
	IDENTITY_RESERVED(X)
#undef X
		IDENTITY_CLUSTER_MIN = 256, /* allocated per label set */
	IDENTITY_CLUSTER_MAX = 65535,
	IDENTITY_LOCAL_MIN = 1 << 24 | 1, /* allocated on this node for prefixes (CIDR) */
	IDENTITY_LOCAL_MAX = (1 << 24) + 0xffffff,
};

/* Key of map identity: longest prefix wins. */
struct identity_key {
	__u32 prefixlen; /* 32 (the domain) + prefix bits of addr, IPv4 ones counted from 96 */
	__u32 domain;
	struct addr addr;
};

_Static_assert(sizeof(struct identity_key) == 24, "LPM key without padding");

struct identity_value {
	__u32 identity;
	__u32 peer; /* what it goes by as a peer in policies; 0: the identity */
};

#endif
