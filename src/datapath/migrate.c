/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving from one build's programs and maps to the next's, safe against death at any point. Called
 * by load.c. Must hold, as the order of pins in load.c makes it: prog/endpoint_egress-new is pinned
 * after all other -new pins and renamed after all others; the previous_ pins are made after it. So
 * a data path in force is always complete under one of both names.
 */
#include "datapath/migrate.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "datapath/grace.h"
#include "datapath/table.h"

enum { PASSES = 8 };

/* The pin that says whether the new set is in force. */
static const char witness[] = "endpoint_egress";

/* Half-open flows first: one that is answered meanwhile is then met in the second map. */
static const enum dp_map flow_maps[][2] = {
	{DP_MAP_previous_half4, DP_MAP_half4},
	{DP_MAP_previous_half6, DP_MAP_half6},
	{DP_MAP_previous4, DP_MAP_flow4},
	{DP_MAP_previous6, DP_MAP_flow6},
};

enum dp_map migrate_previous(enum dp_map m)
{
	for (size_t i = 0; i < ARRAY_SIZE(flow_maps); i++) {
		if (flow_maps[i][1] == m)
			return flow_maps[i][0];
	}
	return DP_MAPS;
}

void map_layout_load(int fd, struct map_layout *ret)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	*ret = (struct map_layout){0};
	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || !info.btf_id)
		return;
	ret->btf = ret->own = btf__load_from_kernel_by_id(info.btf_id);
	if (!ret->own)
		return;
	ret->key = info.btf_key_type_id;
	ret->value = info.btf_value_type_id;
}

void map_layout_done(struct map_layout *l)
{
	btf__free(l->own);
	*l = (struct map_layout){0};
}

/* One map on its way into another. */
struct move {
	struct table from, to;
	struct layout_plan key_plan, value_plan;
	char *key, *value; /* converted */
	bool is_array;
	struct moved moved;
};

static void move_done(struct move *m)
{
	layout_plan_done(&m->key_plan);
	layout_plan_done(&m->value_plan);
	free(m->key);
	free(m->value);
}

static int move_one(const void *key, const void *value, void *data)
{
	struct move *m = data;
	size_t from_step = m->from.value_bytes / m->from.cpus,
	       to_step = m->to.value_bytes / m->to.cpus;

	layout_convert(&m->key_plan, key, m->key);
	for (unsigned i = 0; i < m->from.cpus && i < m->to.cpus; i++)
		layout_convert(&m->value_plan, (const char *)value + i * from_step,
			m->value + i * to_step);
	if (!bpf_map_update_elem(m->to.fd, m->key, m->value, m->is_array ? BPF_ANY : BPF_NOEXIST)) {
		m->moved.copied++;
		return 0;
	}
	if (errno == E2BIG || errno == ENOSPC)
		m->moved.over++;
	else if (errno != EEXIST)
		return -errno;
	return 0;
}

static int move_prepare(struct move *m, int from, int to, struct err *e)
{
	SCOPED(map_layout_done) struct map_layout a = {0}, b = {0};
	int r = table_info(from, &m->from);

	r = r ? r : table_info(to, &m->to);
	if (r)
		return err_set(e, r, "%s", strerror(-r));
	map_layout_load(from, &a);
	map_layout_load(to, &b);
	if (!a.key || !a.value || !b.key || !b.value)
		return err_set(e, -ENOTSUP, "no BTF tells its layout");
	r = layout_plan(a.btf, a.key, b.btf, b.key, &m->key_plan, e);
	r = r ? r : layout_plan(a.btf, a.value, b.btf, b.value, &m->value_plan, e);
	m->key = mem_alloc(m->to.key_size);
	m->value = mem_alloc(m->to.value_bytes);
	m->is_array = m->to.type == BPF_MAP_TYPE_ARRAY || m->to.type == BPF_MAP_TYPE_PERCPU_ARRAY;
	return r;
}

int map_move(const char *name, int from, int to, struct moved *ret, struct err *e)
{
	SCOPED(move_done) struct move m = {0};
	int r = move_prepare(&m, from, to, e);

	if (r) {
		(void)err_prefix(e, "map %s cannot be moved to this build's layout", name);
		return r;
	}
	r = table_each(&m.from, move_one, &m);
	if (r)
		return err_set(e, r, "map %s: moving entries to this build's layout: %s", name,
			strerror(-r));
	*ret = m.moved;
	return 0;
}

uint32_t migrate_entry_program(int entry, enum entry which)
{
	uint32_t key = which, id = 0;

	return bpf_map_lookup_elem(entry, &key, &id) < 0 ? 0 : id;
}

static uint32_t program_id(const struct pins *p, const char *name)
{
	SCOPED(fd_closep) int fd = pin_get(p, "prog", name);
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ? 0 : info.id;
}

static void settle_one(const struct pins *p, const char *folder, const char *name, void *data)
{
	char final[PIN_PATH];
	size_t len = strlen(name);

	if (!str_has_suffix(name, PIN_NEW) || len >= sizeof(final))
		return;
	snprintf(final, sizeof(final), "%.*s", (int)(len - strlen(PIN_NEW)), name);
	if (strcmp(final, witness))
		*(int *)data = pin_settle(p, folder, final, NULL) ?: *(int *)data;
}

int migrate_commit(const struct pins *p, struct err *e)
{
	int r = 0;

	pin_each(p, "map", settle_one, &r);
	pin_each(p, "prog", settle_one, &r);
	if (r)
		return err_set(e, r, "%s: renaming pins: %s", p->root, strerror(-r));
	return pin_settle(p, "prog", witness, e);
}

static void drop_previous(const struct pins *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(flow_maps); i++)
		pin_remove(p, "map", dp_map_name[flow_maps[i][0]]);
	pin_remove(p, "map", dp_map_name[DP_MAP_entry_previous]);
}

static void drop_new(const struct pins *p, const char *folder, const char *name, void *data)
{
	(void)data;
	if (str_has_suffix(name, PIN_NEW) && strcmp(name, "endpoint_egress" PIN_NEW))
		pin_remove(p, folder, name);
}

/* An attempt that never came into force. */
static void forget_attempt(const struct pins *p)
{
	drop_previous(p);
	pin_each(p, "map", drop_new, NULL);
	pin_each(p, "prog", drop_new, NULL);
	pin_remove(p, "prog", "endpoint_egress" PIN_NEW);
}

/* The second entry may still hold the old program. */
static int complete_swap(const struct pins *p, int entry, struct err *e)
{
	uint32_t key = ENTRY_ENDPOINT_INGRESS;
	int fd = pin_get(p, "prog", "endpoint_ingress" PIN_NEW);
	int r = 0;

	if (fd == -ENOENT) /* renamed already */
		fd = pin_get(p, "prog", "endpoint_ingress");
	if (fd < 0)
		return err_set(e, fd, "program endpoint_ingress: %s", strerror(-fd));
	if (bpf_map_update_elem(entry, &key, &fd, BPF_ANY) < 0)
		r = err_set(e, -errno, "program array: %s", strerror(errno));
	fd_closep(&fd);
	return r;
}

int migrate_recover(struct datapath *d, struct err *e)
{
	uint32_t id = program_id(&d->pins, "endpoint_egress" PIN_NEW);
	int r = 0;

	if (id && id == migrate_entry_program(d->entry, ENTRY_ENDPOINT_EGRESS)) {
		r = complete_swap(&d->pins, d->entry, e);
		r = r ? r : migrate_commit(&d->pins, e);
	} else {
		pin_each(&d->pins, "map", drop_new, NULL);
		pin_each(&d->pins, "prog", drop_new, NULL);
		if (id)
			forget_attempt(&d->pins);
	}
	return r ? r : migrate_finish(&d->pins, e);
}

/* Flows that have no room are judged again when they go on. */
static int move_flows(const struct pins *p, uint64_t *ret_copied, struct err *e)
{
	int r = 0;

	*ret_copied = 0;
	for (size_t i = 0; !r && i < ARRAY_SIZE(flow_maps); i++) {
		SCOPED(fd_closep) int from = pin_get(p, "map", dp_map_name[flow_maps[i][0]]);
		SCOPED(fd_closep) int to = pin_get(p, "map", dp_map_name[flow_maps[i][1]]);
		struct moved moved = {0};

		if (from < 0 || to < 0)
			continue;
		r = map_move(dp_map_name[flow_maps[i][1]], from, to, &moved, e);
		*ret_copied += moved.copied;
	}
	return r;
}

/* Tell the programs that the old maps say nothing any more. */
static void end_moving(const struct pins *p)
{
	SCOPED(fd_closep) int fd = pin_get(p, "map", dp_map_name[DP_MAP_state]);
	struct state s = {0};
	struct table t;
	uint32_t key = 0;

	if (fd < 0 || table_info(fd, &t) || t.value_size != sizeof(s) ||
		bpf_map_lookup_elem(fd, &key, &s) < 0)
		return;
	s.migrating = 0;
	(void)bpf_map_update_elem(fd, &key, &s, BPF_ANY);
}

/* The programs in force hold the old maps until they are replaced: they shall at least be empty. */
static void empty_previous(const struct pins *p, int entry)
{
	struct table t;

	for (uint32_t i = 0; i < ENTRY_COUNT; i++)
		(void)bpf_map_delete_elem(entry, &i);
	for (size_t i = 0; i < ARRAY_SIZE(flow_maps); i++) {
		SCOPED(fd_closep) int fd = pin_get(p, "map", dp_map_name[flow_maps[i][0]]);

		if (fd >= 0 && !table_info(fd, &t))
			(void)table_clear(&t);
	}
}

int migrate_finish(const struct pins *p, struct err *e)
{
	SCOPED(fd_closep) int entry = pin_get(p, "map", dp_map_name[DP_MAP_entry_previous]);
	uint64_t copied = 1;
	int r = 0;

	if (entry < 0) {
		drop_previous(p);
		return 0;
	}
	grace_wait(); /* the old programs' last packets of their own */
	for (int i = 0; !r && copied && i < PASSES; i++)
		r = move_flows(p, &copied, e);
	if (r)
		return r;
	end_moving(p);
	grace_wait(); /* packets that are on their way to the old programs */
	empty_previous(p, entry);
	drop_previous(p);
	return 0;
}
