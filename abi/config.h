/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_CONFIG_H
#define KILIM_ABI_CONFIG_H
/* What the programs must know before they are loaded: .rodata, so that the verifier prunes what is
 * off. */
#include "abi/addr.h"

struct dp_config {
	struct addr gateway4; /* v4-mapped; answered by ARP; all zero: IPv4 is off */
	struct addr gateway6; /* answered by ND; all zero: IPv6 is off */
	__u64 timeout_tcp; /* the timeouts are jiffies */
	__u64 timeout_tcp_syn;
	__u64 timeout_tcp_fin;
	__u64 timeout_any; /* UDP, ICMP and the rest */
	__u64 timeout_frag;
	__u64 sweep_ns; /* time between two runs of the collector */
	__u32 world4, world6; /* identity of an address that no prefix covers; also of a node's
				 address brought by a device */
	__u32 allow_localhost; /* 1: the node itself always reaches its endpoints */
	__u32 trace; /* 1: write trace events */
};

#endif
