/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_ADDRESS_H
#define KILIM_AGENT_ADDRESS_H
/*
 * Which identity each address has: the wanted state in layers, of which the highest one that knows
 * a prefix counts, and the kernel's map identity, which is made equal to it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "model/addr.h"

struct datapath;
struct addresses;

enum address_layer {
	ADDRESS_WORLD, /* 0.0.0.0/0 and ::/0 */
	ADDRESS_PREFIX, /* prefixes that policies name */
	ADDRESS_NODE, /* addresses of other nodes */
	ADDRESS_HOST, /* addresses of the node, the gateways too */
	ADDRESS_ENDPOINT, /* addresses of endpoints */
	ADDRESS_LAYERS,
};

/* Starts with what the kernel's map holds, so that equal entries are adopted untouched. */
struct addresses *addresses_new(struct datapath *d);
void addresses_free(struct addresses *t);
/* Want this identity (not 0) for the prefix, which goes by part in policies; the kernel follows at
 * the next sync. */
void addresses_set(struct addresses *t, enum address_layer layer, const struct prefix *p,
	uint32_t identity, uint32_t part);
void addresses_clear(struct addresses *t, enum address_layer layer, const struct prefix *p);
/* Clear a whole layer, to be set anew. */
void addresses_clear_layer(struct addresses *t, enum address_layer layer);
/* Make the kernel's map equal: first what is added or changed, then what goes. Returns how many
 * entries were written. */
int addresses_sync(struct addresses *t, struct err *e) MUST_USE;
/* The same for one prefix. */
int addresses_sync_one(struct addresses *t, const struct prefix *p, struct err *e) MUST_USE;
/* The identity that an address has, and what it goes by in policies; 0: none. */
uint32_t addresses_identity(const struct addresses *t, const struct addr *a, uint32_t *ret_part);
/* What the prefix goes by in the kernel's map, when it has this identity there; else the identity.
 */
uint32_t addresses_part(const struct addresses *t, const struct prefix *p, uint32_t identity);
/* Every identity and part that the kernel's map names, some more than once; free() the array. */
size_t addresses_numbers(const struct addresses *t, uint32_t **ret);
/* All prefixes wanted in a layer; free() the array. */
size_t addresses_list(const struct addresses *t, enum address_layer layer, struct prefix **ret);
/* Wanted entries of this layer. */
size_t addresses_count(const struct addresses *t, enum address_layer layer);
/* A host prefix. */
struct prefix address_host(const struct addr *a);

#endif
