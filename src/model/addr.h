/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_MODEL_ADDR_H
#define KILIM_MODEL_ADDR_H
/* Addresses and prefixes as text and back; the value is abi's 128-bit struct addr. */
#include <stdbool.h>
#include <stddef.h>

#include "abi/addr.h"
#include "base/mem.h"

enum { ADDR_TEXT = 48 }; /* bytes for an address or a prefix as text */

/* Prefix: bits counts from the start of the 128 (an IPv4 /8 has 104). Host bits behind it are zero.
 */
struct prefix {
	struct addr addr;
	unsigned bits;
};

/* 10.0.0.1 or fd00::1; no zone, no prefix length, no ::ffff:10.0.0.1. -EINVAL. */
int addr_parse(const char *s, struct addr *ret) MUST_USE;
const char *addr_format(const struct addr *a, char buf[ADDR_TEXT]);
bool addr_is_v4(const struct addr *a); /* v4-mapped */
bool addr_is_zero(const struct addr *a); /* all 128 bits: "none" */
bool addr_eq(const struct addr *a, const struct addr *b);
/* a + n, carrying through all 128 bits. */
struct addr addr_add(struct addr a, unsigned n);
/* 10.0.0.0/8, fd00::/64, or a bare address (a host prefix). Host bits set: -EINVAL unless allowed,
 * then cleared. */
int prefix_parse(const char *s, bool allow_host_bits, struct prefix *ret) MUST_USE;
/* IPv4 ones with the length people expect (10.0.0.0/8). */
const char *prefix_format(const struct prefix *p, char buf[ADDR_TEXT]);
bool prefix_is_v4(const struct prefix *p); /* inside ::ffff:0:0/96 */
/* Never across families: ::/0 does not contain 10.0.0.0/8. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner); /* equal ones too */
bool prefix_has(const struct prefix *p, const struct addr *a);
/* Whether the list together has every address of p. */
bool prefixes_cover(const struct prefix *list, size_t count, const struct prefix *p);
int prefix_compare(const struct prefix *a, const struct prefix *b); /* total order for sorting */
int prefix_order(const void *a, const void *b); /* the same, for qsort() and bsearch() */
/* Sort the list and keep one of each; how many are left. */
size_t prefixes_unique(struct prefix *list, size_t count);

#endif
