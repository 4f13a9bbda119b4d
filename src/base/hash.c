/* SPDX-License-Identifier: Apache-2.0 */
/* Chained hash table. Owned by whoever embeds it; single-threaded. Must hold: buckets is 0 or a
 * power of two. */
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t h = seed ? seed : 0xcbf29ce484222325u;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

static uint32_t code_of(const void *key, size_t len)
{
	uint64_t h = hash_bytes(key, len, 0);

	return (uint32_t)(h ^ h >> 32);
}

static struct hash_entry **find(const struct hash *h, const void *key, size_t len, uint32_t code)
{
	struct hash_entry **at = &h->bucket[code & (h->buckets - 1)];

	while (*at && ((*at)->code != code || (*at)->len != len || memcmp((*at)->key, key, len)))
		at = &(*at)->next;
	return at;
}

static void grow(struct hash *h)
{
	struct hash bigger = {.buckets = h->buckets ? h->buckets * 2 : 16};

	bigger.bucket = mem_array(bigger.buckets, sizeof(*bigger.bucket));
	for (size_t i = 0; i < h->buckets; i++) {
		while (h->bucket[i]) {
			struct hash_entry *e = h->bucket[i];
			struct hash_entry **at = &bigger.bucket[e->code & (bigger.buckets - 1)];

			h->bucket[i] = e->next;
			e->next = *at;
			*at = e;
		}
	}
	free(h->bucket);
	h->bucket = bigger.bucket;
	h->buckets = bigger.buckets;
}

void *hash_get(const struct hash *h, const void *key, size_t len)
{
	struct hash_entry *e = h->buckets ? *find(h, key, len, code_of(key, len)) : NULL;

	return e ? e->value : NULL;
}

void *hash_put(struct hash *h, const void *key, size_t len, void *value)
{
	uint32_t code = code_of(key, len);
	struct hash_entry **at, *e;
	void *old;

	if (h->count >= h->buckets)
		grow(h);
	at = find(h, key, len, code);
	if (*at) {
		old = (*at)->value;
		(*at)->value = value;
		return old;
	}
	e = mem_alloc(sizeof(*e) + len + 1);
	e->value = value;
	e->code = code;
	e->len = (uint32_t)len;
	memcpy(e->key, key, len);
	*at = e;
	h->count++;
	return NULL;
}

void *hash_remove(struct hash *h, const void *key, size_t len)
{
	struct hash_entry **at, *e;
	void *value;

	if (!h->buckets)
		return NULL;
	at = find(h, key, len, code_of(key, len));
	e = *at;
	if (!e)
		return NULL;
	value = e->value;
	*at = e->next;
	h->count--;
	free(e);
	return value;
}

struct hash_entry *hash_next(const struct hash *h, const struct hash_entry *e)
{
	size_t i = 0;

	if (e) {
		if (e->next)
			return e->next;
		i = (e->code & (h->buckets - 1)) + 1;
	}
	for (; i < h->buckets; i++) {
		if (h->bucket[i])
			return h->bucket[i];
	}
	return NULL;
}

void hash_done(struct hash *h)
{
	for (size_t i = 0; i < h->buckets; i++) {
		while (h->bucket[i]) {
			struct hash_entry *e = h->bucket[i];

			h->bucket[i] = e->next;
			free(e);
		}
	}
	free(h->bucket);
	*h = (struct hash){0};
}
