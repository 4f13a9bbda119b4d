/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef KILIM_ABI_ADDR_H
#define KILIM_ABI_ADDR_H
/* Addresses as both sides see them: always 128 bits, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
#include <linux/types.h>

struct addr {
	union {
		__u8 byte[16];
		__be32 word[4]; /* word[3] is the IPv4 address of a v4-mapped one */
	};
};

_Static_assert(sizeof(struct addr) == 16, "struct addr is an IPv6 address");

enum {
	ADDR_V4_PREFIX = 96, /* bits in front of an IPv4 address: a /n is a /(96 + n) here */
	ADDR_BITS = 128,
};

/* An address in a routing domain: networks whose addresses overlap have different domains. */
struct addr_key {
	__u32 domain; /* 0 unless configured */
	struct addr addr;
};

_Static_assert(sizeof(struct addr_key) == 20, "no padding in a hash key");

#endif
