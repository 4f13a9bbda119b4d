/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the maps slot, peer and rule: writing, removing, and reading them back at start.
 * Called by policy.c and open.c. Must hold: the copy in memory says what the maps hold, also after
 * a failure half-way.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/grace.h"
#include "datapath/policy.h"

static uint32_t take_number(struct policy_table *t)
{
	size_t n = 1;

	while (n < t->used_room && t->used[n])
		n++;
	mem_grow(&t->used, &t->used_room, n + 1, 1);
	t->used[n] = 1;
	return (uint32_t)n;
}

static int put_peers(struct policy_table *t, uint32_t number, const struct peer_key_class *peer,
	size_t peers, struct err *e)
{
	SCOPED(freep) struct peer_key *key = mem_array(peers + 1, sizeof(*key));
	SCOPED(freep) struct peer_class *class = mem_array(peers + 1, sizeof(*class));
	size_t done = 0;
	int r;

	for (size_t i = 0; i < peers; i++) {
		key[i] = (struct peer_key){number, peer[i].identity};
		class[i] = peer[i].class;
	}
	r = table_put(&t->peer_map, key, class, peers, BPF_ANY, &done);
	if (!r) {
		t->peers += peers;
		return 0;
	}
	(void)table_remove(&t->peer_map, key, done);
	return err_set(e, r, "map peer: %s", strerror(-r));
}

static int put_rules(struct policy_table *t, const struct slot *s, struct err *e)
{
	SCOPED(freep) struct rule_key *key = mem_array(s->rules + 1, sizeof(*key));
	SCOPED(freep) struct decision *decision = mem_array(s->rules + 1, sizeof(*decision));
	size_t done = 0;
	int r;

	for (size_t i = 0; i < s->rules; i++) {
		key[i] = s->rule[i].key;
		key[i].slot = s->number;
		decision[i] = s->rule[i].decision;
	}
	r = table_put(&t->rule_map, key, decision, s->rules, BPF_ANY, &done);
	if (!r) {
		t->rules += s->rules;
		return 0;
	}
	(void)table_remove(&t->rule_map, key, done);
	return err_set(e, r, "map rule: %s", strerror(-r));
}

static void remove_peers(struct policy_table *t, const struct slot *s)
{
	SCOPED(freep) struct peer_key *key = mem_array(s->peers + 1, sizeof(*key));

	for (size_t i = 0; i < s->peers; i++)
		key[i] = (struct peer_key){s->number, s->peer[i].identity};
	(void)table_remove(&t->peer_map, key, s->peers);
	t->peers -= s->peers;
}

static void remove_rules(struct policy_table *t, const struct slot *s)
{
	SCOPED(freep) struct rule_key *key = mem_array(s->rules + 1, sizeof(*key));

	for (size_t i = 0; i < s->rules; i++) {
		key[i] = s->rule[i].key;
		key[i].slot = s->number;
	}
	(void)table_remove(&t->rule_map, key, s->rules);
	t->rules -= s->rules;
}

int slot_write(struct policy_table *t, struct slot *s, struct err *e)
{
	int r;

	s->number = take_number(t);
	r = put_peers(t, s->number, s->peer, s->peers, e);
	if (!r) {
		r = put_rules(t, s, e);
		if (!r)
			return 0;
		remove_peers(t, s);
	}
	t->used[s->number] = 0;
	s->number = 0;
	return r;
}

void slot_unwrite(struct policy_table *t, struct slot *s)
{
	remove_rules(t, s);
	remove_peers(t, s);
	t->used[s->number] = 0;
	s->number = 0;
}

int slot_add_peers(struct policy_table *t, struct slot *s, const struct peer_key_class *peer,
	size_t peers, struct err *e)
{
	SCOPED(freep) struct peer_key_class *fresh = mem_array(peers + 1, sizeof(*fresh));
	size_t count = 0;
	int r;

	for (size_t i = 0; i < peers; i++) {
		if (!slot_peer(s, peer[i].identity))
			fresh[count++] = peer[i];
	}
	r = put_peers(t, s->number, fresh, count, e);
	for (size_t i = 0; !r && i < count; i++)
		slot_append_peer(s, fresh[i].identity, fresh[i].class);
	if (!r && count)
		slot_sort(s);
	return r;
}

int row_put(struct policy_table *t, unsigned generation, const struct slot *s, struct err *e)
{
	struct slot_key key = {s->identity, generation};

	if (bpf_map_update_elem(t->slot_map.fd, &key, &s->number, BPF_ANY) < 0)
		return err_set(e, -errno, "map slot: %s", strerror(errno));
	(void)hash_put(&t->row[generation], &s->identity, sizeof(s->identity),
		(void *)(uintptr_t)s->number);
	return 0;
}

int row_remove(
	struct policy_table *t, unsigned generation, const struct hash_entry *x, struct err *e)
{
	struct slot_key key = {.generation = generation};

	memcpy(&key.identity, x->key, sizeof(key.identity));
	if (bpf_map_delete_elem(t->slot_map.fd, &key) < 0 && errno != ENOENT)
		return err_set(e, -errno, "map slot: %s", strerror(errno));
	(void)hash_remove(&t->row[generation], &key.identity, sizeof(key.identity));
	return 0;
}

/* What reading the maps at start finds. */
struct reading {
	struct policy_table *table;
	unsigned generation; /* in force */
	struct hash number; /* slot number to struct slot */
	struct peer_key
		*peer; /* entries of no slot in force: left by a process that died in a switch */
	size_t peers, peer_room;
	struct rule_key *rule;
	size_t rules, rule_room;
};

static void reading_done(struct reading *rd)
{
	hash_done(&rd->number);
	free(rd->peer);
	free(rd->rule);
}

static int read_row(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct slot_key *k = key;
	struct slot *s;
	uint32_t number;

	memcpy(&number, value, sizeof(number));
	if (k->generation > 1 || !number)
		return 0;
	(void)hash_put(&rd->table->row[k->generation], &k->identity, sizeof(k->identity),
		(void *)(uintptr_t)number);
	if (k->generation != rd->generation || hash_get(&rd->number, &number, sizeof(number)))
		return 0;
	s = mem_alloc(sizeof(*s));
	s->identity = k->identity;
	s->number = number;
	(void)hash_put(&rd->number, &number, sizeof(number), s);
	(void)hash_put(&rd->table->slot, &k->identity, sizeof(k->identity), s);
	mem_grow(&rd->table->used, &rd->table->used_room, (size_t)number + 1, 1);
	rd->table->used[number] = 1;
	return 0;
}

static int read_peer(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct peer_key *k = key;
	struct slot *s = hash_get(&rd->number, &k->slot, sizeof(k->slot));

	rd->table->peers++;
	if (s) {
		slot_append_peer(s, k->identity, *(const struct peer_class *)value);
		return 0;
	}
	mem_grow(&rd->peer, &rd->peer_room, rd->peers + 1, sizeof(*rd->peer));
	rd->peer[rd->peers++] = *k;
	return 0;
}

static int read_rule(const void *key, const void *value, void *data)
{
	struct reading *rd = data;
	const struct rule_key *k = key;
	struct slot *s = hash_get(&rd->number, &k->slot, sizeof(k->slot));

	rd->table->rules++;
	if (s) {
		slot_append_rule(s, k, value);
		return 0;
	}
	mem_grow(&rd->rule, &rd->rule_room, rd->rules + 1, sizeof(*rd->rule));
	rd->rule[rd->rules++] = *k;
	return 0;
}

static int read_maps(struct policy_table *t, unsigned generation, struct err *e)
{
	SCOPED(reading_done) struct reading rd = {.table = t, .generation = generation};
	int r = table_each(&t->slot_map, read_row, &rd);

	r = r ? r : table_each(&t->peer_map, read_peer, &rd);
	r = r ? r : table_each(&t->rule_map, read_rule, &rd);
	if (r)
		return err_set(e, r, "reading the policy in force: %s", strerror(-r));
	HASH_EACH(&t->slot, x)
		slot_sort(x->value);
	if (!rd.peers && !rd.rules)
		return 0;
	grace_wait(); /* the process before may have switched just before it died */
	t->settled = true;
	r = table_remove(&t->peer_map, rd.peer, rd.peers);
	r = r ? r : table_remove(&t->rule_map, rd.rule, rd.rules);
	if (r)
		return err_set(e, r, "removing policy entries of no slot: %s", strerror(-r));
	t->peers -= rd.peers;
	t->rules -= rd.rules;
	return 0;
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
	datapath_state(d, &revision, &epoch);
	return read_maps(t, revision & 1, e);
}
