/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the node's programs and putting them in force. Called by open.c once migrate_recover()
 * has left one complete set, and by policy.c. Must hold: until the first store into the program
 * array nothing in force has changed, whatever fails; after it migrate.c can always go on; at it
 * the policy maps hold a whole policy.
 */
#include "datapath/load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "datapath/clock.h"
#include "datapath/diagnosis.h"
#include "datapath/layout.h"
#include "datapath/migrate.h"
#include "datapath/table.h"
#include "kilim.skel.h"

enum adopt { MOVE, FRESH, REWRITE };

static const enum adopt map_adopt[DP_MAPS] = {
#define X(name, owner, adopt, text) [DP_MAP_##name] = adopt,
	MAPS(X)
#undef X
};

const char *const dp_map_name[DP_MAPS] = {
#define X(name, owner, adopt, text) [DP_MAP_##name] = #name,
	MAPS(X)
#undef X
};

struct load {
	struct kilim_bpf *skel;
	struct bpf_map *map[DP_MAPS]; /* by their own names: reuse renames some */
	int old[DP_MAPS]; /* what is pinned; -1 */
	bool keep[DP_MAPS]; /* the pinned one goes on */
	bool hand_back[DP_MAPS]; /* flows move while the old programs serve them */
	bool rewrite; /* the maps marked so begin anew */
};

static struct load *load_new(void)
{
	struct load *l = mem_alloc(sizeof(*l));

	memset(l->old, 0xff, sizeof(l->old));
	return l;
}

void load_free(struct load *l)
{
	if (!l)
		return;
	for (int i = 0; i < DP_MAPS; i++)
		fd_closep(&l->old[i]);
	kilim_bpf__destroy(l->skel);
	free(l);
}

static void load_freep(struct load **l)
{
	load_free(*l);
}

/* Those exist during a move only, and are never adopted as they are. */
static bool is_transient(enum dp_map m)
{
	return m == DP_MAP_previous4 || m == DP_MAP_previous6 || m == DP_MAP_previous_half4 ||
	       m == DP_MAP_previous_half6 || m == DP_MAP_entry_previous;
}

static int open_object(struct load *l, struct err *e)
{
	diagnosis_begin();
	l->skel = kilim_bpf__open();
	if (!l->skel)
		return diagnosis_set(e, -errno, "open the data path's programs");
	for (int i = 0; i < DP_MAPS; i++) {
		l->map[i] = bpf_object__find_map_by_name(l->skel->obj, dp_map_name[i]);
		if (!l->map[i])
			return err_set(e, -ENOENT, "map %s: not in the object", dp_map_name[i]);
	}
	return 0;
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = (uint32_t)sysconf(_SC_PAGESIZE);

	while (p < n && p < 1u << 30)
		p *= 2;
	return p;
}

/*
 * The kernel gives a hash table as many buckets as it has room, rounded up to a power of two: one
 * entry more than such a number halves the chains that a first packet walks through, each link a
 * cache miss, for 16 bytes a bucket.
 */
static void widen(struct bpf_map *map)
{
	uint32_t max = bpf_map__max_entries(map);

	if (!(max & (max - 1)))
		(void)bpf_map__set_max_entries(map, max + 1);
}

static void configure(struct load *l, const struct datapath_options *o, uint32_t hz)
{
	const struct {
		enum dp_map map;
		uint32_t max;
	} size[] = {
		{DP_MAP_flow4, o->flow_max},
		{DP_MAP_flow6, o->flow_max},
		{DP_MAP_half4, o->half_max},
		{DP_MAP_half6, o->half_max},
		{DP_MAP_rule, o->rule_max},
		{DP_MAP_peer, o->peer_max},
		{DP_MAP_rule_hit, o->rule_hit_max},
		{DP_MAP_identity, o->identity_max},
		{DP_MAP_events, o->event_ring_bytes ? power_of_two(o->event_ring_bytes) : 0},
	};
	struct dp_config c = o->config;

	c.timeout_tcp = clock_jiffies(c.timeout_tcp, hz);
	c.timeout_tcp_syn = clock_jiffies(c.timeout_tcp_syn, hz);
	c.timeout_tcp_fin = clock_jiffies(c.timeout_tcp_fin, hz);
	c.timeout_any = clock_jiffies(c.timeout_any, hz);
	c.timeout_frag = clock_jiffies(c.timeout_frag, hz);
	l->skel->rodata->config = c;
	for (size_t i = 0; i < ARRAY_SIZE(size); i++) {
		if (size[i].max)
			(void)bpf_map__set_max_entries(l->map[size[i].map], size[i].max);
	}
	for (int m = DP_MAP_flow4; m <= DP_MAP_half6; m++)
		widen(l->map[m]);
}

static struct map_layout object_layout(const struct load *l, enum dp_map m)
{
	return (struct map_layout){.btf = bpf_object__btf(l->skel->obj),
		.key = bpf_map__btf_key_type_id(l->map[m]),
		.value = bpf_map__btf_value_type_id(l->map[m])};
}

/* Equal, or both without BTF (rings have none). */
static bool same_type(
	const struct map_layout *a, uint32_t a_type, const struct map_layout *b, uint32_t b_type)
{
	return (!a_type && !b_type) || layout_equal(a->btf, a_type, b->btf, b_type);
}

static bool same_layout(
	const struct load *l, enum dp_map m, const struct table *t, const struct map_layout *old)
{
	const struct bpf_map *map = l->map[m];
	struct map_layout new = object_layout(l, m);

	return t->type == bpf_map__type(map) && t->key_size == bpf_map__key_size(map) &&
	       t->value_size == bpf_map__value_size(map) && t->flags == bpf_map__map_flags(map) &&
	       same_type(old, old->key, &new, new.key) &&
	       same_type(old, old->value, &new, new.value);
}

/* Before anything is changed: it can be converted, and has room. */
static int check_move(const struct load *l, enum dp_map m, const struct table *t,
	const struct map_layout *old, struct err *e)
{
	SCOPED(layout_plan_done) struct layout_plan key = {0}, value = {0};
	struct map_layout new = object_layout(l, m);
	uint32_t max = bpf_map__max_entries(l->map[m]);
	uint64_t count;
	int r = -ENOTSUP;

	if (!old->key || !old->value)
		return err_set(e, r,
			"map %s: the pinned one has another layout and no BTF: kilim uninstall "
			"removes it",
			dp_map_name[m]);
	r = layout_plan(old->btf, old->key, new.btf, new.key, &key, e);
	r = r ? r : layout_plan(old->btf, old->value, new.btf, new.value, &value, e);
	if (r) {
		(void)err_prefix(e, "map %s: the pinned one cannot be moved to this build's layout",
			dp_map_name[m]);
		return r;
	}
	if (t->max_entries <= max)
		return 0;
	r = table_count(t, &count);
	if (r)
		return err_set(e, r, "map %s: %s", dp_map_name[m], strerror(-r));
	if (count > max && bpf_map__type(l->map[m]) != BPF_MAP_TYPE_LRU_HASH)
		return err_set(e, -E2BIG,
			"map %s holds %llu entries and is configured for %u: not made smaller",
			dp_map_name[m], (unsigned long long)count, max);
	return 0;
}

/* The old map under the name previous_: the programs look whether a flow is in it. */
static int lend_previous(struct load *l, enum dp_map m, const struct map_layout *old, struct err *e)
{
	enum dp_map previous = migrate_previous(m);
	struct map_layout new = object_layout(l, m);

	/* they know the old key only when it is theirs */
	if (previous == DP_MAPS || !layout_equal(old->btf, old->key, new.btf, new.key))
		return 0;
	if (bpf_map__reuse_fd(l->map[previous], l->old[m]) < 0)
		return err_set(e, -errno, "map %s: %s", dp_map_name[m], strerror(errno));
	l->hand_back[m] = true;
	return 0;
}

/* What is pinned under the name; -1 when there is none. */
static int find_old(struct load *l, const struct pins *p, enum dp_map m, struct table *ret,
	struct map_layout *ret_layout, struct err *e)
{
	int r;

	fd_closep(&l->old[m]);
	l->old[m] = pin_get(p, "map", dp_map_name[m]);
	if (l->old[m] == -ENOENT)
		return 0;
	r = l->old[m] < 0 ? l->old[m] : table_info(l->old[m], ret);
	if (r)
		return err_set(e, r, "pinned map %s: %s", dp_map_name[m], strerror(-r));
	map_layout_load(l->old[m], ret_layout);
	return 0;
}

/* Whether there is a map marked REWRITE of another layout: their entries refer to each other, so
 * all of them begin anew. */
static int choose_rewrite(struct load *l, const struct pins *p, struct err *e)
{
	for (int m = 0; m < DP_MAPS; m++) {
		SCOPED(map_layout_done) struct map_layout old = {0};
		struct table t;
		int r;

		if (map_adopt[m] != REWRITE)
			continue;
		r = find_old(l, p, m, &t, &old, e);
		if (r)
			return r;
		l->rewrite = l->rewrite || l->old[m] < 0 || !same_layout(l, m, &t, &old);
	}
	return 0;
}

static int choose_map(struct load *l, const struct pins *p, enum dp_map m, struct err *e)
{
	SCOPED(map_layout_done) struct map_layout old = {0};
	struct table t;
	int r;

	if (is_transient(m))
		return 0;
	r = find_old(l, p, m, &t, &old, e);
	if (r || l->old[m] < 0 || (l->rewrite && map_adopt[m] == REWRITE))
		return r;
	if (same_layout(l, m, &t, &old) && t.max_entries == bpf_map__max_entries(l->map[m])) {
		l->keep[m] = true;
		return bpf_map__reuse_fd(l->map[m], l->old[m]) < 0
			       ? err_set(e, -errno, "map %s: %s", dp_map_name[m], strerror(errno))
			       : 0;
	}
	if (map_adopt[m] == FRESH)
		return 0;
	r = check_move(l, m, &t, &old, e);
	return r ? r : lend_previous(l, m, &old, e);
}

static int choose_maps(struct load *l, const struct pins *p, struct err *e)
{
	int r = choose_rewrite(l, p, e);

	for (int m = 0; !r && m < DP_MAPS; m++)
		r = choose_map(l, p, m, e);
	return r;
}

static bool is_moved(const struct load *l, enum dp_map m)
{
	return l->old[m] >= 0 && !l->keep[m] && !l->hand_back[m] &&
	       (map_adopt[m] == MOVE || (map_adopt[m] == REWRITE && !l->rewrite));
}

/* What the old maps hold, except flows that the old programs serve on. */
static int fill_maps(struct load *l, struct err *e)
{
	for (int i = 0; i < DP_MAPS; i++) {
		struct moved moved = {0};
		int r;

		if (!is_moved(l, i))
			continue;
		r = map_move(dp_map_name[i], l->old[i], bpf_map__fd(l->map[i]), &moved, e);
		if (r)
			return r;
		if (moved.over && migrate_previous(i) == DP_MAPS &&
			bpf_map__type(l->map[i]) != BPF_MAP_TYPE_PERCPU_ARRAY)
			return err_set(e, -E2BIG,
				"map %s: %llu entries find no room in this build's", dp_map_name[i],
				(unsigned long long)moved.over);
	}
	return 0;
}

static int start_collector(struct load *l, struct err *e)
{
	const struct bpf_program *p = l->skel->progs.collector_start;
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int r;

	if (bpf_program__type(p) != BPF_PROG_TYPE_SYSCALL) {
		opts.data_in = packet;
		opts.data_size_in = sizeof(packet);
		opts.repeat = 1;
	}
	r = bpf_prog_test_run_opts(bpf_program__fd(p), &opts) < 0 ? -errno : 0;
	if (r || opts.retval)
		return err_set(e, r ? r : -EOPNOTSUPP,
			"the collector of expired flows cannot be started: %s (step %u)",
			strerror(r ? -r : EOPNOTSUPP), opts.retval);
	return 0;
}

/* The programs in force go into entry_previous, and with the old flow maps under pins of their own.
 */
static int pin_previous(struct load *l, const struct datapath *d, struct err *e)
{
	int array = bpf_map__fd(l->map[DP_MAP_entry_previous]);
	int r = pin_put(&d->pins, "map", dp_map_name[DP_MAP_entry_previous], "", array, e);

	for (uint32_t i = 0; !r && i < ENTRY_COUNT; i++) {
		SCOPED(fd_closep)
		int old = bpf_prog_get_fd_by_id(migrate_entry_program(d->entry, i));

		if (old >= 0 && bpf_map_update_elem(array, &i, &old, BPF_ANY) < 0)
			r = err_set(e, -errno, "program array of the build before: %s",
				strerror(errno));
	}
	for (int i = 0; !r && i < DP_MAPS; i++) {
		if (l->hand_back[i])
			r = pin_put(&d->pins, "map", dp_map_name[migrate_previous(i)], "",
				l->old[i], e);
	}
	return r;
}

static bool any_hand_back(const struct load *l)
{
	for (int i = 0; i < DP_MAPS; i++) {
		if (l->hand_back[i])
			return true;
	}
	return false;
}

/* In the order that migrate.c relies on. */
static int pin_new(struct load *l, const struct datapath *d, struct err *e)
{
	int r = 0;

	for (int i = 0; !r && i < DP_MAPS; i++) {
		if (!l->keep[i] && !is_transient(i))
			r = pin_put(&d->pins, "map", dp_map_name[i], PIN_NEW,
				bpf_map__fd(l->map[i]), e);
	}
	r = r ? r
	      : pin_put(&d->pins, "prog", "collector_start", PIN_NEW,
			bpf_program__fd(l->skel->progs.collector_start), e);
	r = r ? r
	      : pin_put(&d->pins, "prog", "endpoint_ingress", PIN_NEW,
			bpf_program__fd(l->skel->progs.endpoint_ingress), e);
	r = r ? r
	      : pin_put(&d->pins, "prog", "endpoint_egress", PIN_NEW,
			bpf_program__fd(l->skel->progs.endpoint_egress), e);
	return !r && any_hand_back(l) ? pin_previous(l, d, e) : r;
}

static int swap(const struct load *l, const struct datapath *d, struct err *e)
{
	const int program[ENTRY_COUNT] = {
		[ENTRY_ENDPOINT_EGRESS] = bpf_program__fd(l->skel->progs.endpoint_egress),
		[ENTRY_ENDPOINT_INGRESS] = bpf_program__fd(l->skel->progs.endpoint_ingress),
	};

	for (uint32_t i = 0; i < ENTRY_COUNT; i++) {
		if (bpf_map_update_elem(d->entry, &i, &program[i], BPF_ANY) < 0)
			return err_set(e, -errno, "program array: %s", strerror(errno));
	}
	return 0;
}

static int open_maps(struct load *l, struct datapath *d, struct err *e)
{
	for (int i = 0; i < DP_MAPS; i++) {
		if (is_transient(i))
			continue;
		d->map[i] = dup(bpf_map__fd(l->map[i]));
		d->map_max[i] = bpf_map__max_entries(l->map[i]);
		if (d->map[i] < 0)
			return err_set(e, -errno, "map %s: %s", dp_map_name[i], strerror(errno));
	}
	d->current = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		d->map[DP_MAP_state], 0);
	if (d->current == MAP_FAILED) {
		d->current = NULL;
		return err_set(e, -errno, "map state: %s", strerror(errno));
	}
	return 0;
}

/* All but the store that puts it in force. */
static int prepare(struct load *l, struct datapath *d, struct err *e)
{
	int r = open_maps(l, d, e);

	r = r ? r : fill_maps(l, e);
	r = r ? r : start_collector(l, e);
	return r ? r : pin_new(l, d, e);
}

int load_commit(struct datapath *d, struct err *e)
{
	struct state *state = (void *)d->current;
	int r;

	__atomic_store_n(&state->migrating, any_hand_back(d->load) ? 1 : 0, __ATOMIC_SEQ_CST);
	r = swap(d->load, d, e);
	r = r ? r : migrate_commit(&d->pins, e);
	r = r ? r : migrate_finish(&d->pins, e);
	if (!r)
		load_free(TAKE(d->load));
	return r;
}

int load_programs(
	struct datapath *d, const struct datapath_options *o, bool *ret_adopted, struct err *e)
{
	SCOPED(load_freep) struct load *l = load_new();
	bool adopted = migrate_entry_program(d->entry, ENTRY_ENDPOINT_EGRESS) != 0;
	bool waits;
	int r;

	r = open_object(l, e);
	if (r)
		return r;
	configure(l, o, d->hz);
	r = choose_maps(l, &d->pins, e);
	if (r)
		return r;
	if (kilim_bpf__load(l->skel))
		return diagnosis_set(e, -errno, "load the data path's programs");
	adopted = adopted && l->old[DP_MAP_state] >= 0;
	waits = adopted && l->rewrite;
	r = prepare(l, d, e);
	if (r)
		return r;
	d->load = TAKE(l);
	r = waits ? 0 : load_commit(d, e);
	if (!r)
		*ret_adopted = adopted;
	return r;
}
