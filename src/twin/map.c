/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps of the data path in memory, made from the records that its sources leave in the section
 * twin_uses. Called by the data path through the shim and by the twin's users through twin.h. Must
 * hold: results, error numbers and the life of value pointers are those of the kernel's maps. An
 * entry that a program removes stays readable until that program ends, but not one of an LRU map:
 * the kernel may hand that one out again at once, so it is spoilt here.
 */
#include "twin/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include "base/hash.h"
#include "base/mem.h"
#include "twin/shim/bpf/bpf_helpers.h"
#include "twin/twin.h"

enum { MAPS_MAX = 48, KEY_MAX = 64, RING_HEADER = 8, SPOILT = 0xdd };

struct twin_map {
	const struct twin_use *use;
	uint32_t max_entries;
	struct hash
		entries; /* all but arrays: key to struct value; of LPM keys the bits that count */
	uint8_t *array; /* arrays: all values */
	uint32_t with_prefix[KEY_MAX * 8 + 1]; /* LPM: entries by prefix length */
	uint64_t clock; /* LRU */
};

struct value {
	uint64_t used; /* LRU: clock of the last look-up */
	struct value *next; /* among the removed ones */
	uint8_t *key; /* as it was written; LPM keys have bits that do not count */
	uint8_t bytes[] __attribute__((aligned(8)));
};

struct record {
	struct record *next;
	size_t size;
	uint8_t bytes[] __attribute__((aligned(8)));
};

extern struct twin_use *const __start_twin_uses[];
extern struct twin_use *const __stop_twin_uses[];

static struct twin_map maps[MAPS_MAX];
static size_t map_count;
static struct value *removed;
static struct {
	struct record *first, **end;
	size_t used;
} ring;

static bool is_array(const struct twin_map *m)
{
	return m->use->type == BPF_MAP_TYPE_ARRAY || m->use->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_hash(const struct twin_map *m)
{
	return m->use->type == BPF_MAP_TYPE_HASH || m->use->type == BPF_MAP_TYPE_LRU_HASH ||
	       m->use->type == BPF_MAP_TYPE_LPM_TRIE;
}

static bool is_lpm(const struct twin_map *m)
{
	return m->use->type == BPF_MAP_TYPE_LPM_TRIE;
}

static void map_add(struct twin_use *u)
{
	struct twin_map *m;

	for (size_t i = 0; i < map_count; i++) {
		if (maps[i].use->object == u->object) {
			u->map = &maps[i];
			return;
		}
	}
	assert(map_count < MAPS_MAX && u->key_size <= KEY_MAX);
	m = &maps[map_count++];
	m->use = u;
	m->max_entries = u->max_entries;
	u->map = m;
	if (is_array(m))
		m->array = mem_array(m->max_entries, u->value_size);
}

/* Before main(): every place that names a map gets its map. */
__attribute__((constructor)) static void maps_make(void)
{
	for (struct twin_use *const *u = __start_twin_uses; u < __stop_twin_uses; u++)
		map_add(*u);
	ring.end = &ring.first;
}

struct twin_map *twin_map(const char *name)
{
	for (size_t i = 0; i < map_count; i++) {
		if (!strcmp(maps[i].use->name + 1, name))
			return &maps[i];
	}
	return NULL;
}

size_t twin_map_key_size(const struct twin_map *m)
{
	return m->use->key_size;
}

size_t twin_map_value_size(const struct twin_map *m)
{
	return m->use->value_size;
}

size_t twin_map_count(const struct twin_map *m)
{
	return is_array(m) ? m->max_entries : m->entries.count;
}

void twin_map_limit(struct twin_map *m, uint32_t max_entries)
{
	assert(!is_array(m) && max_entries);
	m->max_entries = max_entries;
}

/* Leaves only the first bits of an LPM key. */
static void key_mask(uint8_t *key, size_t size, uint32_t bits)
{
	for (size_t i = 4; i < size; i++, bits -= bits < 8 ? bits : 8)
		key[i] &= bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
	/* what counts bits is not what was asked for, but what is stored under it */
}

static void *lpm_lookup(struct twin_map *m, const void *key)
{
	size_t size = m->use->key_size;
	uint32_t bits, most = (uint32_t)(size - 4) * 8;
	uint8_t masked[KEY_MAX];

	memcpy(&bits, key, sizeof(bits));
	if (bits > most)
		return NULL;
	for (uint32_t n = bits + 1; n-- > 0;) {
		struct value *v;

		if (!m->with_prefix[n])
			continue;
		memcpy(masked, key, size);
		memcpy(masked, &n, sizeof(n));
		key_mask(masked, size, n);
		v = hash_get(&m->entries, masked, size);
		if (v)
			return v->bytes;
	}
	return NULL;
}

void *twin_map_lookup(struct twin_map *m, const void *key)
{
	struct value *v;
	uint32_t index;

	if (is_array(m)) {
		memcpy(&index, key, sizeof(index));
		return index < m->max_entries ? m->array + (size_t)index * m->use->value_size
					      : NULL;
	}
	if (!is_hash(m))
		return NULL;
	if (is_lpm(m))
		return lpm_lookup(m, key);
	v = hash_get(&m->entries, key, m->use->key_size);
	if (!v)
		return NULL;
	v->used = ++m->clock;
	return v->bytes;
}

static void value_drop(struct twin_map *m, struct value *v)
{
	if (m->use->type == BPF_MAP_TYPE_LRU_HASH)
		memset(v->bytes, SPOILT, m->use->value_size);
	v->next = removed;
	removed = v;
}

static void lru_make_room(struct twin_map *m)
{
	struct hash_entry *oldest = NULL;

	HASH_EACH(&m->entries, e) {
		if (!oldest ||
			((struct value *)e->value)->used < ((struct value *)oldest->value)->used)
			oldest = e;
	}
	if (oldest)
		value_drop(m, hash_remove(&m->entries, oldest->key, m->use->key_size));
}

static int full(const struct twin_map *m)
{
	return is_lpm(m) ? -ENOSPC : -E2BIG;
}

/* The key under which an entry is stored; LPM keys without the bits behind the prefix. */
static int key_stored(
	const struct twin_map *m, const void *key, uint8_t ret[KEY_MAX], uint32_t *ret_bits)
{
	memcpy(ret, key, m->use->key_size);
	*ret_bits = 0;
	if (!is_lpm(m))
		return 0;
	memcpy(ret_bits, key, sizeof(*ret_bits));
	if (*ret_bits > (m->use->key_size - 4) * 8)
		return -EINVAL;
	key_mask(ret, m->use->key_size, *ret_bits);
	return 0;
}

static int hash_update(struct twin_map *m, const void *key, const void *value, uint64_t flags)
{
	uint8_t stored[KEY_MAX];
	struct value *v, *old;
	uint32_t bits;
	int r = key_stored(m, key, stored, &bits);

	if (r < 0)
		return r;
	old = hash_get(&m->entries, stored, m->use->key_size);
	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	if (!old && m->entries.count >= m->max_entries) {
		if (m->use->type != BPF_MAP_TYPE_LRU_HASH)
			return full(m);
		lru_make_room(m);
	}
	v = mem_alloc(sizeof(*v) + m->use->value_size);
	v->used = ++m->clock;
	v->key = mem_dup(key, m->use->key_size);
	memcpy(v->bytes, value, m->use->value_size);
	hash_put(&m->entries, stored, m->use->key_size, v);
	if (old)
		value_drop(m, old);
	else if (is_lpm(m))
		m->with_prefix[bits]++;
	return 0;
}

int twin_map_update(struct twin_map *m, const void *key, const void *value, uint64_t flags)
{
	uint32_t index;

	if (flags > BPF_EXIST)
		return -EINVAL;
	if (is_hash(m))
		return hash_update(m, key, value, flags);
	if (!is_array(m))
		return -EINVAL;
	memcpy(&index, key, sizeof(index));
	if (index >= m->max_entries)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	memcpy(m->array + (size_t)index * m->use->value_size, value, m->use->value_size);
	return 0;
}

int twin_map_delete(struct twin_map *m, const void *key)
{
	uint8_t stored[KEY_MAX];
	struct value *v;
	uint32_t bits;
	int r;

	if (!is_hash(m))
		return -EINVAL;
	r = key_stored(m, key, stored, &bits);
	if (r < 0)
		return r;
	v = hash_remove(&m->entries, stored, m->use->key_size);
	if (!v)
		return -ENOENT;
	if (is_lpm(m))
		m->with_prefix[bits]--;
	value_drop(m, v);
	return 0;
}

void twin_map_clear(struct twin_map *m)
{
	if (is_array(m))
		memset(m->array, 0, (size_t)m->max_entries * m->use->value_size);
	HASH_EACH(&m->entries, e) {
		value_drop(m, hash_remove(&m->entries, e->key, m->use->key_size));
	}
	if (is_lpm(m))
		memset(m->with_prefix, 0, sizeof(m->with_prefix));
}

int twin_map_each(
	struct twin_map *m, int (*fn)(const void *key, void *value, void *data), void *data)
{
	for (uint32_t i = 0; is_array(m) && i < m->max_entries; i++) {
		int r = fn(&i, m->array + (size_t)i * m->use->value_size, data);

		if (r)
			return r;
	}
	HASH_EACH(&m->entries, e) {
		struct value *v = e->value;
		int r = fn(v->key, v->bytes, data);

		if (r)
			return r;
	}
	return 0;
}

static void ring_clear(void)
{
	while (ring.first) {
		struct record *next = ring.first->next;

		free(ring.first);
		ring.first = next;
	}
	ring.end = &ring.first;
	ring.used = 0;
}

void twin_maps_settle(void)
{
	while (removed) {
		struct value *next = removed->next;

		free(removed->key);
		free(removed);
		removed = next;
	}
}

void twin_maps_reset(void)
{
	for (size_t i = 0; i < map_count; i++) {
		twin_map_clear(&maps[i]);
		maps[i].max_entries = maps[i].use->max_entries;
	}
	ring_clear();
	twin_maps_settle();
}

/* As the kernel counts: a header for each record, multiples of 8, and one byte always free. */
static size_t ring_bytes(size_t size)
{
	return (size + RING_HEADER + 7) & ~(size_t)7;
}

void *twin_ring_reserve(struct twin_use *u, __u64 size, __u64 flags)
{
	struct record *r;

	if (flags || ring.used + ring_bytes(size) > u->map->max_entries - 1)
		return NULL;
	r = mem_alloc(sizeof(*r) + size);
	memset(r->bytes, SPOILT, size); /* the kernel does not clear it either */
	r->size = size;
	ring.used += ring_bytes(size);
	return r->bytes;
}

void twin_ring_submit(void *record, __u64 flags)
{
	struct record *r =
		(struct record *)(void *)((uint8_t *)record - offsetof(struct record, bytes));

	(void)flags; /* whether to wake a reader: there is none */
	*ring.end = r;
	ring.end = &r->next;
}

bool twin_ring_take(void *ret, size_t size)
{
	struct record *r = ring.first;

	if (!r)
		return false;
	assert(r->size == size);
	memcpy(ret, r->bytes, size);
	ring.used -= ring_bytes(size);
	ring.first = r->next;
	if (!ring.first)
		ring.end = &ring.first;
	free(r);
	return true;
}

void *twin_use_lookup(struct twin_use *u, const void *key)
{
	return twin_map_lookup(u->map, key);
}

long twin_use_update(struct twin_use *u, const void *key, const void *value, __u64 flags)
{
	return twin_map_update(u->map, key, value, flags);
}

long twin_use_delete(struct twin_use *u, const void *key)
{
	return twin_map_delete(u->map, key);
}
