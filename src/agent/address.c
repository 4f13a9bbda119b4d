/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identities of addresses: wanted state against the kernel's map. Called by endpoint.c,
 * policy.c and wire.c, which know when an identity may appear on an address (only after the slots
 * in force know it as a peer). Must hold: kernel says what the map holds, after each write.
 */
#include "agent/address.h"

#include <stdlib.h>
#include <string.h>

#include "abi/identity.h"
#include "base/hash.h"
#include "datapath/datapath.h"

struct wish {
	uint32_t identity; /* 0: none */
	uint32_t part; /* what it goes by in policies */
};

struct entry {
	struct wish wanted[ADDRESS_LAYERS], kernel; /* kernel: what the map holds */
};

struct addresses {
	struct datapath *datapath;
	struct hash entry; /* struct identity_key to struct entry */
	size_t count[ADDRESS_LAYERS];
	unsigned dirty; /* changes since the last complete sync */
};

static bool wish_eq(const struct wish *a, const struct wish *b)
{
	return a->identity == b->identity && a->part == b->part;
}

static struct identity_key key_of(const struct prefix *p)
{
	return (struct identity_key){.prefixlen = 32 + p->bits, .addr = p->addr};
}

struct prefix address_host(const struct addr *a)
{
	return (struct prefix){.addr = *a, .bits = ADDR_BITS};
}

static struct entry *entry_get(struct addresses *t, const struct identity_key *k)
{
	struct entry *n = hash_get(&t->entry, k, sizeof(*k));

	if (!n) {
		n = mem_alloc(sizeof(*n));
		(void)hash_put(&t->entry, k, sizeof(*k), n);
	}
	return n;
}

static int on_kernel_entry(const struct identity_key *k, const struct identity_value *v, void *data)
{
	struct addresses *t = data;

	entry_get(t, k)->kernel = (struct wish){v->identity, v->peer ? v->peer : v->identity};
	t->dirty++;
	return 0;
}

struct addresses *addresses_new(struct datapath *d)
{
	struct addresses *t = mem_alloc(sizeof(*t));

	t->datapath = d;
	(void)datapath_identity_each(d, on_kernel_entry, t);
	return t;
}

void addresses_free(struct addresses *t)
{
	if (!t)
		return;
	HASH_EACH(&t->entry, n)
		free(n->value);
	hash_done(&t->entry);
	free(t);
}

void addresses_set(struct addresses *t, enum address_layer layer, const struct prefix *p,
	uint32_t identity, uint32_t part)
{
	const struct wish w = {identity, part};
	struct identity_key k = key_of(p);
	struct entry *n = entry_get(t, &k);

	if (wish_eq(&n->wanted[layer], &w))
		return;
	if (!n->wanted[layer].identity)
		t->count[layer]++;
	n->wanted[layer] = w;
	t->dirty++;
}

void addresses_clear(struct addresses *t, enum address_layer layer, const struct prefix *p)
{
	struct identity_key k = key_of(p);
	struct entry *n = hash_get(&t->entry, &k, sizeof(k));

	if (!n || !n->wanted[layer].identity)
		return;
	n->wanted[layer] = (struct wish){0};
	t->count[layer]--;
	t->dirty++;
}

void addresses_clear_layer(struct addresses *t, enum address_layer layer)
{
	HASH_EACH(&t->entry, h) {
		struct entry *n = h->value;

		n->wanted[layer] = (struct wish){0};
	}
	t->count[layer] = 0;
	t->dirty++;
}

static struct wish effective(const struct entry *n)
{
	for (int layer = ADDRESS_LAYERS - 1; layer >= 0; layer--) {
		if (n->wanted[layer].identity)
			return n->wanted[layer];
	}
	return (struct wish){0};
}

/* Add or change the map's entry; 1 when it was written. */
static int entry_put(
	struct addresses *t, const struct identity_key *k, struct entry *n, struct err *e)
{
	const struct wish w = effective(n);
	struct identity_value v = {
		.identity = w.identity, .peer = w.part == w.identity ? 0 : w.part};
	int r;

	if (!w.identity || wish_eq(&w, &n->kernel))
		return 0;
	r = datapath_identity_put(t->datapath, k, &v, e);
	if (r)
		return r;
	n->kernel = w;
	return 1;
}

/* Remove the map's entry and ours when nobody wants it; 1 when the map changed. n may be gone
 * afterwards. */
static int entry_drop(
	struct addresses *t, const struct identity_key *k, struct entry *n, struct err *e)
{
	int written = 0;

	if (effective(n).identity)
		return 0;
	if (n->kernel.identity) {
		int r = datapath_identity_remove(t->datapath, k, e);

		if (r)
			return r;
		written = 1;
	}
	(void)hash_remove(&t->entry, k, sizeof(*k));
	free(n);
	return written;
}

int addresses_sync_one(struct addresses *t, const struct prefix *p, struct err *e)
{
	struct identity_key k = key_of(p);
	struct entry *n = hash_get(&t->entry, &k, sizeof(k));

	if (!n)
		return 0;
	return effective(n).identity ? entry_put(t, &k, n, e) : entry_drop(t, &k, n, e);
}

int addresses_sync(struct addresses *t, struct err *e)
{
	int written = 0;

	if (!t->dirty)
		return 0;
	HASH_EACH(&t->entry, h) {
		struct identity_key k;
		int r;

		memcpy(&k, h->key, sizeof(k));
		r = entry_put(t, &k, h->value, e);
		if (r < 0)
			return r;
		written += r;
	}
	HASH_EACH(&t->entry, h) {
		struct identity_key k;
		int r;

		memcpy(&k, h->key, sizeof(k));
		r = entry_drop(t, &k, h->value, e);
		if (r < 0)
			return r;
		written += r;
	}
	t->dirty = 0;
	return written;
}

static struct prefix shorter(const struct prefix *p, unsigned bits)
{
	struct prefix q = {.bits = bits};

	memcpy(q.addr.byte, p->addr.byte, bits / 8);
	if (bits % 8)
		q.addr.byte[bits / 8] = p->addr.byte[bits / 8] & (uint8_t)(0xff << (8 - bits % 8));
	return q;
}

uint32_t addresses_identity(const struct addresses *t, const struct addr *a, uint32_t *ret_part)
{
	struct prefix host = address_host(a);

	for (unsigned bits = ADDR_BITS + 1; bits-- > 0;) {
		struct prefix q = shorter(&host, bits);
		struct identity_key k = key_of(&q);
		const struct entry *n = hash_get(&t->entry, &k, sizeof(k));
		struct wish w = n ? effective(n) : (struct wish){0};

		if (!w.identity)
			continue;
		*ret_part = w.part;
		return w.identity;
	}
	return 0;
}

uint32_t addresses_part(const struct addresses *t, const struct prefix *p, uint32_t identity)
{
	struct identity_key k = key_of(p);
	const struct entry *n = hash_get(&t->entry, &k, sizeof(k));

	return n && n->kernel.identity == identity ? n->kernel.part : identity;
}

size_t addresses_numbers(const struct addresses *t, uint32_t **ret)
{
	uint32_t *list = mem_array(2 * t->entry.count, sizeof(*list));
	size_t count = 0;

	HASH_EACH(&t->entry, h) {
		const struct entry *n = h->value;

		if (!n->kernel.identity)
			continue;
		list[count++] = n->kernel.identity;
		list[count++] = n->kernel.part;
	}
	*ret = list;
	return count;
}

size_t addresses_list(const struct addresses *t, enum address_layer layer, struct prefix **ret)
{
	struct prefix *list = mem_array(t->count[layer], sizeof(*list));
	size_t count = 0;

	HASH_EACH(&t->entry, h) {
		const struct entry *n = h->value;
		struct identity_key k;

		memcpy(&k, h->key, sizeof(k));
		if (n->wanted[layer].identity)
			list[count++] = (struct prefix){k.addr, k.prefixlen - 32};
	}
	*ret = list;
	return count;
}

size_t addresses_count(const struct addresses *t, enum address_layer layer)
{
	return t->count[layer];
}
