/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_TABLE_H
#define KILIM_DATAPATH_TABLE_H
/* Whole maps in few system calls: batches where the map type has them, one entry at a time where
 * not. */
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* What the kernel says about a map. */
struct table {
	int fd;
	uint32_t type, key_size, value_size, max_entries, flags, id;
	size_t value_bytes; /* as user space sees a value: for per-CPU maps those of all CPUs */
	unsigned cpus; /* 1, or the number of values in one for per-CPU maps */
};

int table_info(int fd, struct table *ret) MUST_USE;
/*
 * Call fn with each entry, until it returns non-zero, which is returned. fn may remove the entry.
 * Entries that come and go meanwhile may be seen or not; others are seen.
 */
int table_each(const struct table *t, int (*fn)(const void *key, const void *value, void *data),
	void *data);
/* Entries now, by walking. */
int table_count(const struct table *t, uint64_t *ret) MUST_USE;
/* Write count entries (flags as bpf(2)); *ret_done: how many were written when it fails. */
int table_put(const struct table *t, const void *key, const void *value, size_t count,
	uint64_t flags, size_t *ret_done) MUST_USE;
/* Remove count entries; missing ones are fine. */
int table_remove(const struct table *t, const void *key, size_t count) MUST_USE;
/* Remove all entries. */
int table_clear(const struct table *t) MUST_USE;

#endif
