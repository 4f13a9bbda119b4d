/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools of addresses: a bitmap of what is taken, a place to go on from, and the order in which the
 * last addresses came back. Called by the agent for each endpoint. Must hold: an address is given
 * out once until it is released; special addresses are marked as taken from the start and are never
 * released.
 */
#include "ipam/pool.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	HOST_BITS_V4 = 24,
	HOST_BITS_V6 = 16,
	RESTING_MAX = 256, /* addresses that came back last and rest while others are free */
};

struct pool {
	struct prefix prefix;
	uint64_t *taken; /* one bit per address: in use or special */
	uint64_t *special; /* one bit per address */
	uint64_t *rests; /* one bit per address: is in resting[] */
	size_t size; /* addresses covered by the bitmaps */
	size_t used, total, next;
	uint32_t resting[RESTING_MAX]; /* ring, oldest first */
	size_t oldest, restings;
};

static bool get(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void set(uint64_t *bits, size_t i, bool on)
{
	uint64_t bit = (uint64_t)1 << i % 64;

	if (on)
		bits[i / 64] |= bit;
	else
		bits[i / 64] &= ~bit;
}

/* Which address of the pool it is; -ERANGE when it is none of those the bitmaps cover. */
static int64_t index_of(const struct pool *p, const struct addr *a)
{
	uint64_t offset = 0;

	if (!prefix_has(&p->prefix, a))
		return -ERANGE;
	for (unsigned i = 0; i < 16; i++) {
		offset = offset << 8 | (uint8_t)(a->byte[i] ^ p->prefix.addr.byte[i]);
		if (offset >= p->size)
			return -ERANGE;
	}
	return (int64_t)offset;
}

static void make_special(struct pool *p, size_t i)
{
	if (get(p->special, i))
		return;
	set(p->special, i, true);
	set(p->taken, i, true);
	p->total--;
}

int pool_new(
	const struct prefix *prefix, const struct addr *gateway, struct pool **ret, struct err *e)
{
	bool v4 = prefix_is_v4(prefix);
	unsigned host_bits = ADDR_BITS - prefix->bits, most = v4 ? HOST_BITS_V4 : HOST_BITS_V6;
	char text[ADDR_TEXT], other[ADDR_TEXT];
	struct pool *p;

	if (gateway && !prefix_has(prefix, gateway))
		return err_set(e, -EINVAL, "pool %s: the gateway %s is not in it",
			prefix_format(prefix, text), addr_format(gateway, other));
	p = mem_alloc(sizeof(*p));
	p->prefix = *prefix;
	p->size = p->total = (size_t)1 << (host_bits < most ? host_bits : most);
	p->taken = mem_array((p->size + 63) / 64, sizeof(*p->taken));
	p->special = mem_array((p->size + 63) / 64, sizeof(*p->special));
	p->rests = mem_array((p->size + 63) / 64, sizeof(*p->rests));
	if (host_bits > 1) {
		make_special(p, 0);
		if (v4 && host_bits <= most)
			make_special(p, p->size - 1);
	}
	if (gateway && index_of(p, gateway) >= 0)
		make_special(p, (size_t)index_of(p, gateway));
	if (!p->total) {
		pool_free(p);
		return err_set(e, -EINVAL,
			"pool %s: no address is left beside the special ones; "
			"use a shorter prefix",
			prefix_format(prefix, text));
	}
	*ret = p;
	return 0;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	free(p->taken);
	free(p->special);
	free(p->rests);
	free(p);
}

static struct addr give(struct pool *p, size_t i)
{
	set(p->taken, i, true);
	p->used++;
	return addr_add(p->prefix.addr, (unsigned)i);
}

/* The next free address from the place on that does not rest; size when there is none. */
static size_t find_fresh(const struct pool *p)
{
	for (size_t n = 0; n < p->size; n++) {
		size_t i = (p->next + n) % p->size, word = i / 64;

		/* whole words at once where nothing is free */
		if (i % 64 == 0 && i + 64 <= p->size && !~(p->taken[word] | p->rests[word])) {
			n += 63;
			continue;
		}
		if (!get(p->taken, i) && !get(p->rests, i))
			return i;
	}
	return p->size;
}

static size_t wake_oldest(struct pool *p)
{
	size_t i = p->resting[p->oldest];

	p->oldest = (p->oldest + 1) % RESTING_MAX;
	p->restings--;
	set(p->rests, i, false);
	return i;
}

int pool_alloc(struct pool *p, struct addr *ret, struct err *e)
{
	char text[ADDR_TEXT];
	size_t i;

	if (p->used == p->total)
		return err_set(e, -ENOSPC,
			"pool %s: all %zu addresses are in use: delete endpoints or give the node "
			"a "
			"larger pool",
			prefix_format(&p->prefix, text), p->total);
	i = find_fresh(p);
	while (i == p->size || get(p->taken, i))
		i = wake_oldest(p);
	p->next = (i + 1) % p->size;
	*ret = give(p, i);
	return 0;
}

int pool_take(struct pool *p, const struct addr *a, struct err *e)
{
	char text[ADDR_TEXT], of[ADDR_TEXT];
	int64_t i = index_of(p, a);

	prefix_format(&p->prefix, of);
	addr_format(a, text);
	if (i < 0)
		return err_set(e, -ERANGE, "pool %s: %s is not an address of it", of, text);
	if (get(p->special, (size_t)i))
		return err_set(e, -EINVAL,
			"pool %s: %s is the network, broadcast or gateway address", of, text);
	if (get(p->taken, (size_t)i))
		return err_set(e, -EEXIST, "pool %s: %s is in use", of, text);
	(void)give(p, (size_t)i);
	return 0;
}

bool pool_release(struct pool *p, const struct addr *a)
{
	int64_t found = index_of(p, a);
	size_t i = (size_t)found;

	if (found < 0 || !get(p->taken, i) || get(p->special, i))
		return false;
	set(p->taken, i, false);
	p->used--;
	if (get(p->rests, i))
		return true; /* was taken by name while it rested */
	if (p->restings == RESTING_MAX)
		(void)wake_oldest(p);
	p->resting[(p->oldest + p->restings++) % RESTING_MAX] = (uint32_t)i;
	set(p->rests, i, true);
	return true;
}

bool pool_has(const struct pool *p, const struct addr *a)
{
	return prefix_has(&p->prefix, a);
}

bool pool_is_used(const struct pool *p, const struct addr *a)
{
	int64_t i = index_of(p, a);

	return i >= 0 && get(p->taken, (size_t)i) && !get(p->special, (size_t)i);
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
