/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and prefixes as text and back. Called by everything on the user side that names an
 * address. Owns nothing. Must hold: an IPv4 prefix never contains an IPv6 one or the other way
 * round, although both live in the same 128 bits (::/0 does not contain 10.0.0.0/8).
 */
#include "model/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

int addr_parse(const char *s, struct addr *ret)
{
	struct addr a = {0};

	if (!s)
		return -EINVAL;
	if (!strchr(s, ':')) {
		if (inet_pton(AF_INET, s, &a.byte[12]) != 1)
			return -EINVAL;
		memcpy(a.byte, v4_mapped, sizeof(v4_mapped));
	} else if (inet_pton(AF_INET6, s, a.byte) != 1 || addr_is_v4(&a)) {
		return -EINVAL; /* ::ffff:a.b.c.d is IPv4 in disguise: it has one spelling here */
	}
	*ret = a;
	return 0;
}

const char *addr_format(const struct addr *a, char buf[ADDR_TEXT])
{
	bool v4 = addr_is_v4(a);

	if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? &a->byte[12] : a->byte, buf, ADDR_TEXT))
		buf[0] = 0;
	return buf;
}

bool addr_is_v4(const struct addr *a)
{
	return !memcmp(a->byte, v4_mapped, sizeof(v4_mapped));
}

bool addr_is_zero(const struct addr *a)
{
	return !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

struct addr addr_add(struct addr a, unsigned n)
{
	uint64_t carry = n;

	for (int i = 15; i >= 0 && carry; i--) {
		carry += a.byte[i];
		a.byte[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return a;
}

/* The address with everything behind its first bits cleared. */
static struct addr masked(struct addr a, unsigned bits)
{
	for (unsigned i = 0; i < 16; i++) {
		if (bits >= 8 * (i + 1))
			continue;
		a.byte[i] &= bits <= 8 * i ? 0 : (uint8_t)(0xff00u >> (bits - 8 * i));
	}
	return a;
}

int prefix_parse(const char *s, bool allow_host_bits, struct prefix *ret)
{
	const char *slash = s ? strchr(s, '/') : NULL;
	char text[ADDR_TEXT];
	size_t len = s ? slash ? (size_t)(slash - s) : strlen(s) : 0;
	struct prefix p = {.bits = ADDR_BITS};
	struct addr whole;
	uint64_t bits;

	if (!len || len >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = 0;
	if (addr_parse(text, &whole) < 0)
		return -EINVAL;
	if (slash) {
		unsigned before = addr_is_v4(&whole) ? ADDR_V4_PREFIX : 0;

		/* no leading zeros: 010 is ten here and eight elsewhere */
		if ((slash[1] == '0' && slash[2]) ||
			str_to_u64(slash + 1, ADDR_BITS - before, &bits) < 0)
			return -EINVAL;
		p.bits = before + (unsigned)bits;
	}
	p.addr = masked(whole, p.bits);
	if (!allow_host_bits && !addr_eq(&p.addr, &whole))
		return -EINVAL;
	*ret = p;
	return 0;
}

bool prefix_is_v4(const struct prefix *p)
{
	return p->bits >= ADDR_V4_PREFIX && addr_is_v4(&p->addr);
}

const char *prefix_format(const struct prefix *p, char buf[ADDR_TEXT])
{
	size_t len = strlen(addr_format(&p->addr, buf));

	snprintf(buf + len, ADDR_TEXT - len, "/%u",
		prefix_is_v4(p) ? p->bits - ADDR_V4_PREFIX : p->bits);
	return buf;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	struct addr a;

	if (inner->bits < outer->bits || prefix_is_v4(outer) != prefix_is_v4(inner))
		return false;
	a = masked(inner->addr, outer->bits);
	return addr_eq(&a, &outer->addr);
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	const struct prefix host = {.addr = *a, .bits = ADDR_BITS};

	return prefix_contains(p, &host);
}

bool prefixes_cover(const struct prefix *list, size_t count, const struct prefix *p)
{
	struct prefix low = {p->addr, p->bits + 1}, high = low;
	bool inside = false;

	for (size_t i = 0; i < count; i++) {
		if (prefix_contains(&list[i], p))
			return true;
		inside |= prefix_contains(p, &list[i]);
	}
	if (!inside)
		return false;
	high.addr.byte[p->bits / 8] |= (uint8_t)(0x80 >> p->bits % 8);
	return prefixes_cover(list, count, &low) && prefixes_cover(list, count, &high);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : a->bits < b->bits ? -1 : a->bits > b->bits;
}

int prefix_order(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

size_t prefixes_unique(struct prefix *list, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(list, count, sizeof(*list), prefix_order);
	for (size_t i = 0; i < count; i++) {
		if (!kept || prefix_compare(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	}
	return kept;
}
