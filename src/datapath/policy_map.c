/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the maps slot, peer and rule: writing, removing, and reading them back at start.
 * Called by policy.c, extend.c, plan.c and open.c. Must hold: the copy in memory says what the maps
 * hold, also after a failure half-way.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/grace.h"
#include "datapath/policy.h"

enum { BATCH = 4096 };

void writer_done(struct writer *w)
{
	free(w->key);
	free(w->value);
}

int writer_flush(struct writer *w, struct err *e)
{
	size_t done = w->count;
	int r = w->removes ? table_remove(w->map, w->key, w->count)
			   : table_put(w->map, w->key, w->value, w->count, BPF_ANY, &done);

	w->count = 0;
	w->written += done;
	if (w->total)
		*w->total = w->removes ? *w->total - done : *w->total + done;
	return r ? err_set(e, r, "map %s: %s", w->name, strerror(-r)) : 0;
}

int writer_add(struct writer *w, const void *key, const void *value, struct err *e)
{
	if (!w->key) {
		w->key = mem_array(BATCH, w->map->key_size);
		w->value = mem_array(BATCH, w->map->value_size);
	}
	memcpy(w->key + w->count * w->map->key_size, key, w->map->key_size);
	if (!w->removes)
		memcpy(w->value + w->count * w->map->value_size, value, w->map->value_size);
	return ++w->count == BATCH ? writer_flush(w, e) : 0;
}

struct writer peer_writer(struct policy_table *t)
{
	return (struct writer){.map = &t->peer_map, .name = "peer", .total = &t->peers};
}

struct writer rule_writer(struct policy_table *t)
{
	return (struct writer){.map = &t->rule_map, .name = "rule", .total = &t->rules};
}

struct writer row_writer(struct policy_table *t)
{
	return (struct writer){.map = &t->slot_map, .name = "slot"};
}

int slot_write(struct writer *w, const struct slot *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->peers; i++) {
		struct peer_key key = {.slot = s->number, .identity = s->peer[i].identity};

		r = writer_add(w, &key, &s->peer[i].class, e);
	}
	return r;
}

int class_write(struct writer *w, const struct class *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < c->rules; i++) {
		struct rule_key key = c->rule[i].key;

		key.class = c->number;
		r = writer_add(w, &key, &c->rule[i].decision, e);
	}
	return r;
}

void policy_recount(struct policy_table *t)
{
	uint64_t peers, rules;

	if (!table_count(&t->peer_map, &peers))
		t->peers = peers;
	if (!table_count(&t->rule_map, &rules))
		t->rules = rules;
}

/* The last slot that had it is gone from the map, and no program reads it any more. */
static void on_class_gone(struct class *c, void *data)
{
	SCOPED(writer_done) struct writer w = rule_writer(data);
	int r;

	if (!c->written)
		return;
	w.removes = true;
	r = class_write(&w, c, NULL);
	(void)(r ? r : writer_flush(&w, NULL));
}

/* --- what reading the maps at start finds --- */

struct reading {
	struct policy_table *table;
	unsigned generation; /* in force */
	struct hash number; /* slot number to struct slot */
	/* entries of no slot in force: left by a process that died in a switch */
	struct writer peers, rules;
	struct err *e;
	bool strays;
};

static void reading_done(struct reading *rd)
{
	hash_done(&rd->number);
	writer_done(&rd->peers);
	writer_done(&rd->rules);
}

static void adopt_classes(struct reading *rd, const uint32_t class[POLICY_DIRECTIONS])
{
	for (int d = 0; d < POLICY_DIRECTIONS; d++)
		(void)class_adopt(&rd->table->slots.classes, class[d]);
}

static int read_row(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct slot_key *k = key;
	struct slot_value v;
	struct row *row;
	struct slot *s;

	memcpy(&v, value, sizeof(v));
	if (k->generation > 1 || !v.slot)
		return 0;
	row = row_get(rd->table, k->identity);
	row->value[k->generation] = v;
	if (k->generation != rd->generation)
		return 0;
	s = hash_get(&rd->number, &v.slot, sizeof(v.slot));
	if (!s) {
		s = slot_adopt(&rd->table->slots, &v);
		(void)hash_put(&rd->number, &v.slot, sizeof(v.slot), s);
		adopt_classes(rd, v.class);
	}
	s->refs++;
	row->slot = s;
	rd->table->subjects++;
	return 0;
}

static int read_peer(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct peer_key *k = key;
	const struct peer_class *class = value;
	struct slot *s = hash_get(&rd->number, &k->slot, sizeof(k->slot));

	rd->table->peers++;
	if (!s) {
		rd->strays = true;
		return 0;
	}
	slot_append(s, k->identity, class);
	adopt_classes(rd, class->class);
	return 0;
}

static int read_rule(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct rule_key *k = key;
	struct class *c = class_find(&rd->table->slots.classes, k->class);

	rd->table->rules++;
	if (c)
		class_append(c, k, value);
	else
		rd->strays = true;
	return 0;
}

static int drop_peer(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct peer_key *k = key;

	return hash_get(&rd->number, &k->slot, sizeof(k->slot))
		       ? 0
		       : writer_add(&rd->peers, key, value, rd->e);
}

static int drop_rule(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct rule_key *k = key;

	return class_find(&rd->table->slots.classes, k->class)
		       ? 0
		       : writer_add(&rd->rules, key, value, rd->e);
}

/* The process before may have switched just before it died, hence the waiting. */
static int drop_strays(struct reading *rd, struct err *e)
{
	struct policy_table *t = rd->table;
	int r;

	grace_wait();
	t->settled = true;
	rd->e = e;
	rd->peers = peer_writer(t);
	rd->rules = rule_writer(t);
	rd->peers.removes = rd->rules.removes = true;
	r = table_each(&t->peer_map, drop_peer, rd);
	r = r ? r : writer_flush(&rd->peers, e);
	r = r ? r : table_each(&t->rule_map, drop_rule, rd);
	return r ? r : writer_flush(&rd->rules, e);
}

static int read_maps(struct policy_table *t, unsigned generation, struct err *e)
{
	SCOPED(reading_done) struct reading rd = {.table = t, .generation = generation};
	int r = table_each(&t->slot_map, read_row, &rd);

	r = r ? r : table_each(&t->peer_map, read_peer, &rd);
	r = r ? r : table_each(&t->rule_map, read_rule, &rd);
	if (r)
		return err_set(e, r, "reading the policy in force: %s", strerror(-r));
	for (size_t i = 0; i < t->slots.classes.room; i++) {
		if (t->slots.classes.by_number[i])
			class_settle(&t->slots.classes, t->slots.classes.by_number[i]);
	}
	HASH_EACH(&rd.number, x)
		slot_settle(&t->slots, x->value);
	return rd.strays ? drop_strays(&rd, e) : 0;
}

int policy_open(struct datapath *d, struct err *e)
{
	struct policy_table *t = d->policy = mem_alloc(sizeof(*t));
	uint32_t revision, epoch;
	int r = table_info(d->map[DP_MAP_slot], &t->slot_map);

	r = r ? r : table_info(d->map[DP_MAP_peer], &t->peer_map);
	r = r ? r : table_info(d->map[DP_MAP_rule], &t->rule_map);
	if (r)
		return err_set(e, r, "policy maps: %s", strerror(-r));
	t->slots.class_gone = on_class_gone;
	t->slots.data = t;
	datapath_state(d, &revision, &epoch);
	return read_maps(t, revision & 1, e);
}
