/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_BASE_HASH_H
#define KILIM_BASE_HASH_H
/* A hash table from byte keys to pointers. Keys are copied; values belong to the caller. {0} is the
 * empty table. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_entry {
	struct hash_entry *next;
	void *value;
	uint32_t code;
	uint32_t len;
	char key[]; /* len bytes and a NUL */
};

struct hash {
	struct hash_entry **bucket;
	size_t buckets, count;
};

/* The value under the key, or NULL. */
void *hash_get(const struct hash *h, const void *key, size_t len);
/* Store value (not NULL) under the key; returns the value that was there before, or NULL. */
void *hash_put(struct hash *h, const void *key, size_t len, void *value);
/* Remove the key; returns its value, or NULL. Safe for the current entry inside HASH_EACH. */
void *hash_remove(struct hash *h, const void *key, size_t len);
/* Free the table (not the values). */
void hash_done(struct hash *h);
/* The entry after e (the first for NULL), or NULL. */
struct hash_entry *hash_next(const struct hash *h, const struct hash_entry *e);
/* FNV-1a over the bytes, continued from seed (0 to begin). */
uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

static inline void *hash_get_str(const struct hash *h, const char *key)
{
	return hash_get(h, key, __builtin_strlen(key));
}
static inline void *hash_put_str(struct hash *h, const char *key, void *value)
{
	return hash_put(h, key, __builtin_strlen(key), value);
}
static inline void *hash_remove_str(struct hash *h, const char *key)
{
	return hash_remove(h, key, __builtin_strlen(key));
}

/* struct hash_entry *e, over all entries in no order; the body may remove the entry it is at. */
#define HASH_EACH(h, e)                                                                            \
	for (struct hash_entry *e = hash_next((h), NULL),                                          \
			       *e##_next = e ? hash_next((h), e) : NULL;                           \
		e; e = e##_next, e##_next = e ? hash_next((h), e) : NULL)

#endif
