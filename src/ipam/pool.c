/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address pools: a bit per address. Called by the agent's endpoint manager, which owns the pools.
 * Must hold: no address is given out twice; reserved ones never.
 */
#include "ipam/pool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum { POOL_MAX = 65536, GATEWAY = 1 };

struct pool {
	struct prefix prefix;
	size_t size; /* addresses from the prefix's first on that have a bit */
	size_t total, used;
	size_t last; /* given out last */
	bool v4;
	uint8_t bit[POOL_MAX / 8];
};

static bool bit_get(const struct pool *p, size_t i)
{
	return p->bit[i / 8] & 1u << i % 8;
}

static void bit_set(struct pool *p, size_t i, bool on)
{
	if (on)
		p->bit[i / 8] |= (uint8_t)(1u << i % 8);
	else
		p->bit[i / 8] &= (uint8_t) ~(1u << i % 8);
}

/* The first address and the gateway; in IPv4 also the broadcast address. */
static bool is_reserved(const struct pool *p, size_t i)
{
	unsigned host_bits = ADDR_BITS - p->prefix.bits;

	return i <= GATEWAY || (p->v4 && host_bits <= 16 && i == p->size - 1);
}

int pool_new(const struct prefix *prefix, struct pool **ret, struct err *e)
{
	unsigned host_bits = ADDR_BITS - prefix->bits;
	char text[ADDR_TEXT];
	struct pool *p;

	if (host_bits < 2)
		return err_set(e, -EINVAL,
			"pool %s: no room for a gateway and an endpoint; use a shorter prefix",
			prefix_format(prefix, text));
	p = mem_alloc(sizeof(*p));
	p->prefix = *prefix;
	p->v4 = addr_is_v4(&prefix->addr);
	p->size = host_bits >= 16 ? POOL_MAX : (size_t)1 << host_bits;
	p->last = GATEWAY;
	for (size_t i = 0; i < p->size; i++)
		p->total += !is_reserved(p, i);
	*ret = p;
	return 0;
}

void pool_free(struct pool *p)
{
	free(p);
}

/* The address's place in the pool; p->size when it has none. */
static size_t place(const struct pool *p, const struct addr *a)
{
	uint32_t first, at;

	if (!prefix_has(&p->prefix, a))
		return p->size;
	for (int i = 0; i < 3; i++) {
		if (a->word[i] != p->prefix.addr.word[i])
			return p->size;
	}
	first = ntohl(p->prefix.addr.word[3]);
	at = ntohl(a->word[3]) - first;
	return at < p->size ? at : p->size;
}

int pool_alloc(struct pool *p, struct addr *ret, struct err *e)
{
	char text[ADDR_TEXT];

	for (size_t n = 1; n <= p->size; n++) {
		size_t i = (p->last + n) % p->size;

		if (bit_get(p, i) || is_reserved(p, i))
			continue;
		bit_set(p, i, true);
		p->used++;
		p->last = i;
		*ret = addr_add(p->prefix.addr, (unsigned)i);
		return 0;
	}
	return err_set(e, -ENOSPC,
		"pool %s: all %zu addresses are in use; delete endpoints or configure a larger "
		"pool",
		prefix_format(&p->prefix, text), p->total);
}

int pool_take(struct pool *p, const struct addr *a, struct err *e)
{
	char address[ADDR_TEXT], text[ADDR_TEXT];
	size_t i = place(p, a);

	if (i == p->size)
		return err_set(e, -ERANGE, "address %s is not of pool %s", addr_format(a, address),
			prefix_format(&p->prefix, text));
	if (is_reserved(p, i))
		return err_set(e, -EEXIST,
			"address %s is reserved in pool %s (network, gateway or broadcast)",
			addr_format(a, address), prefix_format(&p->prefix, text));
	if (bit_get(p, i))
		return err_set(e, -EEXIST, "address %s of pool %s is in use",
			addr_format(a, address), prefix_format(&p->prefix, text));
	bit_set(p, i, true);
	p->used++;
	return 0;
}

bool pool_in_use(const struct pool *p, const struct addr *a)
{
	size_t i = place(p, a);

	return i < p->size && bit_get(p, i);
}

void pool_release(struct pool *p, const struct addr *a)
{
	size_t i = place(p, a);

	if (i == p->size || !bit_get(p, i))
		return;
	bit_set(p, i, false);
	p->used--;
}

size_t pool_used(const struct pool *p)
{
	return p->used;
}

size_t pool_total(const struct pool *p)
{
	return p->total;
}

const struct prefix *pool_prefix(const struct pool *p)
{
	return &p->prefix;
}

struct addr pool_gateway(const struct pool *p)
{
	return addr_add(p->prefix.addr, GATEWAY);
}
