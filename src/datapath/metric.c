/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the data path, and what its maps take. Called by the agent. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "datapath/handle.h"
#include "datapath/table.h"

/* Adds words of a per-CPU array up. */
struct sum {
	const struct table *table;
	char *to;
	size_t words, entries; /* per entry; entries there is room for */
};

static int add(const void *key, const void *value, void *data)
{
	const struct sum *s = data;
	uint32_t index;

	memcpy(&index, key, sizeof(index));
	if (index >= s->entries)
		return 0;
	for (unsigned cpu = 0; cpu < s->table->cpus; cpu++) {
		for (size_t w = 0; w < s->words; w++) {
			char *to = s->to + (index * s->words + w) * sizeof(uint64_t);
			uint64_t n, sum;

			memcpy(&n, (const char *)value + (cpu * s->words + w) * sizeof(n),
				sizeof(n));
			memcpy(&sum, to, sizeof(sum));
			sum += n;
			memcpy(to, &sum, sizeof(sum));
		}
	}
	return 0;
}

static int sum_up(
	struct datapath *d, enum dp_map map, void *to, size_t words, size_t entries, struct err *e)
{
	struct table t;
	struct sum s = {&t, to, words, entries};
	int r = table_info(d->map[map], &t);

	memset(to, 0, words * entries * sizeof(uint64_t));
	if (!r && t.value_size != words * sizeof(uint64_t))
		r = -EINVAL;
	r = r ? r : table_each(&t, add, &s);
	return r ? err_set(e, r, "map %s: %s", dp_map_name[map], strerror(-r)) : 0;
}

int datapath_packet_counts(
	struct datapath *d, struct packet_count ret[PACKET_COUNTS], struct err *e)
{
	return sum_up(
		d, DP_MAP_packet_count, ret, sizeof(*ret) / sizeof(uint64_t), PACKET_COUNTS, e);
}

int datapath_counters(struct datapath *d, uint64_t ret[COUNTER_COUNT], struct err *e)
{
	return sum_up(d, DP_MAP_counter, ret, 1, COUNTER_COUNT, e);
}

int datapath_rule_hits(
	struct datapath *d, const uint32_t *id, size_t count, struct rule_hit *ret, struct err *e)
{
	memset(ret, 0, count * sizeof(*ret));
	for (size_t i = 0; i < count; i++) {
		if (id[i] < d->map_max[DP_MAP_rule_hit] &&
			bpf_map_lookup_elem(d->map[DP_MAP_rule_hit], &id[i], &ret[i]) < 0)
			return err_set(e, -errno, "map rule_hit: %s", strerror(errno));
	}
	return 0;
}

int datapath_rule_hits_clear(struct datapath *d, const uint32_t *id, size_t count, struct err *e)
{
	const struct rule_hit none = {0};

	for (size_t i = 0; i < count; i++) {
		if (id[i] < d->map_max[DP_MAP_rule_hit] &&
			bpf_map_update_elem(d->map[DP_MAP_rule_hit], &id[i], &none, BPF_ANY) < 0)
			return err_set(e, -errno, "map rule_hit: %s", strerror(errno));
	}
	return 0;
}

static uint64_t memlock_of(int fd)
{
	SCOPED(freep) char *text = NULL;
	unsigned long long bytes = 0;
	char path[48];
	char *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (fd_read_file(path, 4096, &text, NULL, NULL))
		return 0;
	line = strstr(text, "memlock:");
	if (line)
		bytes = strtoull(line + strlen("memlock:"), NULL, 10);
	return bytes;
}

int datapath_map_each(struct datapath *d,
	int (*fn)(const char *name, uint64_t entries_max, uint64_t bytes, void *), void *data)
{
	int r = 0;

	for (int i = 0; !r && i < DP_MAPS; i++) {
		if (d->map[i] >= 0)
			r = fn(dp_map_name[i], d->map_max[i], memlock_of(d->map[i]), data);
	}
	return r;
}
