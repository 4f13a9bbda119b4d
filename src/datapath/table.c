/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking and filling maps. Called by the other files of datapath. Must hold: a map type that has
 * no batch operations (524 ENOTSUPP or EINVAL, by kernel version) is walked entry by entry with the
 * same outcome.
 */
#include "datapath/table.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1024, KERNEL_ENOTSUPP = 524 };

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool has_no_batch(int r)
{
	return r == -KERNEL_ENOTSUPP || r == -EINVAL || r == -ENOSYS;
}

int table_info(int fd, struct table *ret)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	*ret = (struct table){.fd = fd,
		.type = info.type,
		.key_size = info.key_size,
		.value_size = info.value_size,
		.max_entries = info.max_entries,
		.flags = info.map_flags,
		.id = info.id,
		.value_bytes = info.value_size,
		.cpus = 1};
	if (is_per_cpu(info.type)) {
		int cpus = libbpf_num_possible_cpus();

		if (cpus < 0)
			return cpus;
		ret->cpus = (unsigned)cpus;
		ret->value_bytes = (info.value_size + 7u) / 8 * 8 * (size_t)cpus;
	}
	return 0;
}

typedef int (*entry_fn)(const void *key, const void *value, void *data);

static int each_single(const struct table *t, entry_fn fn, void *data)
{
	SCOPED(freep)
	char *key = mem_alloc(t->key_size), *next = mem_alloc(t->key_size),
	     *value = mem_alloc(t->value_bytes);
	bool more = !bpf_map_get_next_key(t->fd, NULL, next);

	while (more) {
		int r;

		memcpy(key, next, t->key_size);
		/* before fn, which may remove the entry: the walk would begin again */
		more = !bpf_map_get_next_key(t->fd, key, next);
		if (bpf_map_lookup_elem(t->fd, key, value) < 0)
			continue;
		r = fn(key, value, data);
		if (r)
			return r;
	}
	return 0;
}

/* Buffers of one batch walk. */
struct batch {
	char *in, *out, *key, *value;
	uint32_t room;
};

static void batch_done(struct batch *b)
{
	free(b->in);
	free(b->out);
	free(b->key);
	free(b->value);
}

static void batch_room(struct batch *b, const struct table *t, uint32_t room)
{
	b->room = room;
	b->key = mem_resize(b->key, (size_t)room * t->key_size);
	b->value = mem_resize(b->value, (size_t)room * t->value_bytes);
}

int table_each(const struct table *t, entry_fn fn, void *data)
{
	size_t cursor = t->key_size > 8 ? t->key_size : 8;
	SCOPED(batch_done) struct batch b = {.in = mem_alloc(cursor), .out = mem_alloc(cursor)};
	bool first = true, last = false;

	batch_room(&b, t, t->max_entries < BATCH ? t->max_entries : BATCH);
	while (!last) {
		uint32_t count = b.room;
		int r = bpf_map_lookup_batch(
				t->fd, first ? NULL : b.in, b.out, b.key, b.value, &count, NULL) < 0
				? -errno
				: 0;

		if (r == -ENOSPC) { /* a bucket larger than the buffers */
			batch_room(&b, t, b.room * 2);
			continue;
		}
		if (first && has_no_batch(r))
			return each_single(t, fn, data);
		if (r && r != -ENOENT)
			return r;
		last = r == -ENOENT;
		for (uint32_t i = 0; i < count; i++) {
			r = fn(b.key + (size_t)i * t->key_size,
				b.value + (size_t)i * t->value_bytes, data);
			if (r)
				return r;
		}
		memcpy(b.in, b.out, cursor);
		first = false;
	}
	return 0;
}

static int count_one(const void *key, const void *value, void *data)
{
	(void)key;
	(void)value;
	++*(uint64_t *)data;
	return 0;
}

int table_count(const struct table *t, uint64_t *ret)
{
	uint64_t n = 0;
	int r = table_each(t, count_one, &n);

	if (!r)
		*ret = n;
	return r;
}

int table_put(const struct table *t, const void *key, const void *value, size_t count,
	uint64_t flags, size_t *ret_done)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = flags);
	uint32_t n = (uint32_t)count;

	*ret_done = 0;
	if (!count)
		return 0;
	if (!bpf_map_update_batch(t->fd, key, value, &n, &opts)) {
		*ret_done = count;
		return 0;
	}
	/* where batches fail, n tells how far it came; going on singly finds the true reason */
	*ret_done = has_no_batch(-errno) || n >= count ? 0 : n;
	for (; *ret_done < count; ++*ret_done) {
		const char *k = (const char *)key + *ret_done * t->key_size;
		const char *v = (const char *)value + *ret_done * t->value_bytes;

		if (bpf_map_update_elem(t->fd, k, v, flags) < 0)
			return -errno;
	}
	return 0;
}

int table_remove(const struct table *t, const void *key, size_t count)
{
	uint32_t n = (uint32_t)count;
	size_t done;

	if (!count || !bpf_map_delete_batch(t->fd, key, &n, NULL))
		return 0;
	done = has_no_batch(-errno) || n >= count ? 0 : n;
	for (; done < count; done++) {
		if (bpf_map_delete_elem(t->fd, (const char *)key + done * t->key_size) < 0 &&
			errno != ENOENT)
			return -errno;
	}
	return 0;
}

struct keys {
	const struct table *table;
	char *key;
	size_t count, capacity;
};

static int take_key(const void *key, const void *value, void *data)
{
	struct keys *k = data;

	(void)value;
	mem_grow(&k->key, &k->capacity, k->count + 1, k->table->key_size);
	memcpy(k->key + k->count++ * k->table->key_size, key, k->table->key_size);
	return 0;
}

int table_clear(const struct table *t)
{
	struct keys k = {.table = t};
	int r = table_each(t, take_key, &k);

	r = r ? r : table_remove(t, k.key, k.count);
	free(k.key);
	return r;
}
