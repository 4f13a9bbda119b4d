/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_IPAM_POOL_H
#define KILIM_IPAM_POOL_H
/*
 * A pool of addresses of one prefix, IPv4 or IPv6. Pure bookkeeping in memory: who holds what
 * survives a restart in the state of the holders, who take it again. An address that was released
 * is given out again as late as the pool allows.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/addr.h"

struct pool;

/*
 * A pool of all addresses of the prefix but those that are special: IPv4 network and broadcast
 * address (in prefixes shorter than /31), the IPv6 subnet-router address (shorter than /127), and
 * the gateway (NULL: none). Only the first 2^24 addresses of an IPv4 prefix and 2^16 of an IPv6 one
 * are used. -EINVAL when nothing is left or the gateway lies outside.
 */
int pool_new(const struct prefix *p, const struct addr *gateway, struct pool **ret,
	struct err *e) MUST_USE;
void pool_free(struct pool *p); /* NULL is fine */
/* The next free address behind the one given out last. -ENOSPC names the pool. */
int pool_alloc(struct pool *p, struct addr *ret, struct err *e) MUST_USE;
/* This address. -EEXIST: in use; -ERANGE: not of this pool; -EINVAL: a special one. */
int pool_take(struct pool *p, const struct addr *a, struct err *e) MUST_USE;
/* Give it back; false when it was not in use. */
bool pool_release(struct pool *p, const struct addr *a);
/* Whether the address lies in the pool's prefix. */
bool pool_has(const struct pool *p, const struct addr *a);
bool pool_is_used(const struct pool *p, const struct addr *a);
size_t pool_used(const struct pool *p);
size_t pool_total(const struct pool *p); /* how many can be in use at once */
const struct prefix *pool_prefix(const struct pool *p);

#endif
