/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes in memory. Pure; called by slot.c, policy.c and policy_map.c. Must hold: two classes that
 * decide alike compare equal, so that what many slots share is there once.
 */
#include "datapath/class.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_KEY_BITS = (sizeof(struct rule_key) - sizeof(uint32_t)) * 8 };

static void class_free(struct class *c)
{
	free(c->rule);
	free(c);
}

static void class_freep(struct class **c)
{
	if (*c)
		class_free(*c);
}

/* The kernel compares prefixlen bits of what follows it; the others must not make a difference
 * here. */
static void clear_behind_prefix(struct rule_key *k)
{
	unsigned char *byte = (unsigned char *)k + sizeof(k->prefixlen);

	for (unsigned i = 0; i < RULE_KEY_BITS / 8; i++) {
		unsigned bits = k->prefixlen > i * 8 ? k->prefixlen - i * 8 : 0;

		if (bits < 8)
			byte[i] &= (unsigned char)(0xff00u >> bits);
	}
}

void class_append(struct class *c, const struct rule_key *key, const struct decision *decision)
{
	struct dp_rule *r;

	mem_grow(&c->rule, &c->room, c->rules + 1, sizeof(*c->rule));
	r = &c->rule[c->rules++];
	r->key = *key;
	r->key.class = 0;
	r->key.pad = 0;
	r->decision = *decision;
	r->decision.pad = 0;
	clear_behind_prefix(&r->key);
}

static int compare_rules(const void *a, const void *b)
{
	return memcmp(&((const struct dp_rule *)a)->key, &((const struct dp_rule *)b)->key,
		sizeof(struct rule_key));
}

static void finish(struct class *c)
{
	if (c->rules)
		qsort(c->rule, c->rules, sizeof(*c->rule), compare_rules);
	c->digest = hash_bytes(c->rule, c->rules * sizeof(*c->rule), 0);
}

static bool is_prefix(uint32_t bits)
{
	return bits == RULE_PREFIX_CLASS ||
	       (bits >= RULE_PREFIX_PROTOCOL && bits <= RULE_PREFIX_PORT);
}

static int check(const struct class *c, struct err *e)
{
	for (size_t i = 0; i < c->rules; i++) {
		if (!is_prefix(c->rule[i].key.prefixlen))
			return err_set(e, -EINVAL, "rule with a prefix of %u bits",
				c->rule[i].key.prefixlen);
		if (i && !compare_rules(&c->rule[i], &c->rule[i - 1]))
			return err_set(e, -EINVAL, "two decisions for one key");
	}
	return 0;
}

static bool equal(const struct class *a, const struct class *b)
{
	return a->rules == b->rules &&
	       (!a->rules || !memcmp(a->rule, b->rule, a->rules * sizeof(*a->rule)));
}

static void enter(struct classes *t, struct class *c)
{
	c->next = hash_get(&t->index, &c->digest, sizeof(c->digest));
	(void)hash_put(&t->index, &c->digest, sizeof(c->digest), c);
}

static void note_number(struct classes *t, struct class *c)
{
	mem_grow(&t->by_number, &t->room, (size_t)c->number + 1, sizeof(struct class *));
	t->by_number[c->number] = c;
	t->count++;
}

int class_get(struct classes *t, const struct dp_class *in, struct class **ret, struct err *e)
{
	SCOPED(class_freep) struct class *c = mem_alloc(sizeof(*c));
	struct class *have;
	int r;

	mem_grow(&c->rule, &c->room, in->rules, sizeof(*c->rule));
	for (size_t i = 0; i < in->rules; i++)
		class_append(c, &in->rule[i].key, &in->rule[i].decision);
	finish(c);
	r = check(c, e);
	if (r)
		return r;
	have = hash_get(&t->index, &c->digest, sizeof(c->digest));
	while (have && !equal(have, c))
		have = have->next;
	if (!have) {
		c->number = number_take(&t->numbers);
		note_number(t, c);
		enter(t, c);
		have = TAKE(c);
	}
	*ret = have;
	return 0;
}

struct class *class_find(const struct classes *t, uint32_t number)
{
	return number < t->room ? t->by_number[number] : NULL;
}

void class_drop(struct classes *t, struct class *c)
{
	struct class *first = hash_get(&t->index, &c->digest, sizeof(c->digest));

	if (first == c && !c->next) {
		(void)hash_remove(&t->index, &c->digest, sizeof(c->digest));
	} else if (first == c) {
		(void)hash_put(&t->index, &c->digest, sizeof(c->digest), c->next);
	} else {
		while (first->next != c)
			first = first->next;
		first->next = c->next;
	}
	t->by_number[c->number] = NULL;
	t->count--;
	number_give(&t->numbers, c->number);
	class_free(c);
}

struct class *class_adopt(struct classes *t, uint32_t number)
{
	struct class *c = class_find(t, number);

	if (c)
		return c;
	c = mem_alloc(sizeof(*c));
	c->number = number;
	c->written = true;
	number_claim(&t->numbers, number);
	note_number(t, c);
	return c;
}

void class_settle(struct classes *t, struct class *c)
{
	finish(c);
	enter(t, c);
}

void classes_done(struct classes *t)
{
	for (size_t i = 0; i < t->room; i++) {
		if (t->by_number[i])
			class_free(t->by_number[i]);
	}
	free(t->by_number);
	hash_done(&t->index);
	numbers_done(&t->numbers);
	*t = (struct classes){0};
}
