/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for rules: what a decision carries and a flow shows. Owned by the agent over all
 * revisions, kept on disk with the rest of its state. Must hold: a rule keeps its number for as
 * long as it is compiled, and a number comes back into use only after KEPT_GENERATIONS compilations
 * without it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "policy/internal.h"

enum { KEPT_GENERATIONS = 64, ID_MAX = 1 << 20 };

struct rule_id {
	uint32_t id;
	uint64_t used; /* generation of the last compilation with it */
	char *name;
};

struct rule_ids {
	struct hash by_name;
	struct rule_id **by_id; /* [id - 1]; NULL: free */
	size_t count, capacity;
	size_t lowest_free; /* no index below is free */
	uint64_t generation; /* compilations that succeeded */
};

struct rule_ids *rule_ids_new(void)
{
	return mem_alloc(sizeof(struct rule_ids));
}

static void forget(struct rule_ids *t, size_t index)
{
	struct rule_id *n = t->by_id[index];

	(void)hash_remove_str(&t->by_name, n->name);
	t->by_id[index] = NULL;
	if (index < t->lowest_free)
		t->lowest_free = index;
	free(n->name);
	free(n);
}

void rule_ids_free(struct rule_ids *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		if (t->by_id[i])
			forget(t, i);
	}
	hash_done(&t->by_name);
	free(t->by_id);
	free(t);
}

static struct rule_id *place(struct rule_ids *t, size_t index, const char *name)
{
	struct rule_id *n = mem_alloc(sizeof(*n));

	mem_grow(&t->by_id, &t->capacity, index + 1, sizeof(struct rule_id *));
	if (index >= t->count)
		t->count = index + 1;
	n->id = (uint32_t)index + 1;
	n->name = mem_strdup(name);
	n->used = t->generation + 1;
	t->by_id[index] = n;
	(void)hash_put_str(&t->by_name, name, n);
	return n;
}

void rule_ids_commit(struct rule_ids *t)
{
	t->generation++;
	for (size_t i = 0; i < t->count; i++) {
		if (t->by_id[i] && t->by_id[i]->used + KEPT_GENERATIONS < t->generation)
			forget(t, i);
	}
	while (t->count && !t->by_id[t->count - 1])
		t->count--;
	if (t->lowest_free > t->count)
		t->lowest_free = t->count;
}

uint32_t rule_ids_get(struct rule_ids *t, const char *name)
{
	struct rule_id *n = hash_get_str(&t->by_name, name);

	if (!n) {
		while (t->lowest_free < t->count && t->by_id[t->lowest_free])
			t->lowest_free++;
		n = place(t, t->lowest_free, name);
	}
	n->used = t->generation + 1;
	return n->id;
}

void rule_ids_keep(struct rule_ids *t, uint32_t id)
{
	if (id && id <= t->count && t->by_id[id - 1])
		t->by_id[id - 1]->used = t->generation + 1;
}

size_t rule_ids_max(const struct rule_ids *t)
{
	return t->count;
}

json_t *rule_ids_save(const struct rule_ids *t)
{
	json_t *rules = json_object();

	for (size_t i = 0; i < t->count; i++) {
		const struct rule_id *n = t->by_id[i];

		if (n)
			(void)json_object_set_new(rules, n->name, json_integer(n->id));
	}
	return json_pack("{s:o}", "rules", rules);
}

int rule_ids_load(struct rule_ids *t, const json_t *j, struct err *e)
{
	json_t *rules = json_object_get(j, "rules"), *value;
	const char *name;

	if (!json_is_object(rules))
		return err_set(e, -EINVAL, "rules: expected a mapping of names to numbers");
	json_object_foreach(rules, name, value)
	{
		json_int_t id = json_integer_value(value);

		if (id < 1 || id > ID_MAX)
			return err_set(e, -EINVAL,
				"rules: %.100s: %" JSON_INTEGER_FORMAT " is no rule number", name,
				id);
		if (((size_t)id <= t->count && t->by_id[id - 1]) || hash_get_str(&t->by_name, name))
			return err_set(e, -EINVAL,
				"rules: %.100s: number %" JSON_INTEGER_FORMAT " is there twice",
				name, id);
		(void)place(t, (size_t)id - 1, name);
	}
	return 0;
}
