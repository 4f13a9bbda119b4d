/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_IPAM_POOL_H
#define KILIM_IPAM_POOL_H
/*
 * A pool of addresses out of one prefix. Pure and in memory: what is in use is known from the
 * endpoints, which are on disk. The first address is the gateway's; an IPv4 pool's network and
 * broadcast addresses are never given out. Of a large pool the first 65,536 addresses are used.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/addr.h"

struct pool;

/* -EINVAL when the prefix has no room for a gateway and an endpoint. The gateway's address is
 * reserved. */
int pool_new(const struct prefix *prefix, struct pool **ret, struct err *e) MUST_USE;
void pool_free(struct pool *p); /* NULL is fine */
/* A free address, the one after the last that was given out: an address rests as long as it can.
 * -ENOSPC names the pool and its size. */
int pool_alloc(struct pool *p, struct addr *ret, struct err *e) MUST_USE;
/* This very address. -EEXIST: in use or reserved; -ERANGE: not of this pool. */
int pool_take(struct pool *p, const struct addr *a, struct err *e) MUST_USE;
/* Give an address back; one that is not in use, or not of this pool, is ignored. */
void pool_release(struct pool *p, const struct addr *a);
bool pool_in_use(const struct pool *p, const struct addr *a);
/* Addresses that endpoints have, and that they can have in all (without gateway, network and
 * broadcast). */
size_t pool_used(const struct pool *p);
size_t pool_total(const struct pool *p);
const struct prefix *pool_prefix(const struct pool *p);
/* The first address of the pool: what workloads use as their gateway. */
struct addr pool_gateway(const struct pool *p);

#endif
