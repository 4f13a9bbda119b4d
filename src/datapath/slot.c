/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots in memory. Pure; called by policy.c. Must hold: two slots that decide alike compare equal,
 * so that a switch writes only what has changed.
 */
#include "datapath/slot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum {
	RULE_KEY_BITS = (sizeof(struct rule_key) - sizeof(uint32_t)) * 8,
	CONTRIBUTORS = 3,
	NUMBER_TEXT = 32
};

void slot_free(struct slot *s)
{
	if (!s)
		return;
	free(s->peer);
	free(s->rule);
	free(s);
}

void slot_freep(struct slot **s)
{
	slot_free(*s);
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

static int compare_peers(const void *a, const void *b)
{
	const struct peer_key_class *x = a, *y = b;

	return (x->identity > y->identity) - (x->identity < y->identity);
}

static int compare_rules(const void *a, const void *b)
{
	return memcmp(&((const struct dp_rule *)a)->key, &((const struct dp_rule *)b)->key,
		sizeof(struct rule_key));
}

void slot_sort(struct slot *s)
{
	if (s->peers)
		qsort(s->peer, s->peers, sizeof(*s->peer), compare_peers);
	if (s->rules)
		qsort(s->rule, s->rules, sizeof(*s->rule), compare_rules);
}

void slot_append_peer(struct slot *s, uint32_t identity, struct peer_class class)
{
	mem_grow(&s->peer, &s->peer_room, s->peers + 1, sizeof(*s->peer));
	s->peer[s->peers++] = (struct peer_key_class){identity, class};
}

void slot_append_rule(struct slot *s, const struct rule_key *key, const struct decision *decision)
{
	struct dp_rule *r;

	mem_grow(&s->rule, &s->rule_room, s->rules + 1, sizeof(*s->rule));
	r = &s->rule[s->rules++];
	r->key = *key;
	r->key.slot = 0;
	r->key.pad = 0;
	r->decision = *decision;
	r->decision.pad = 0;
	clear_behind_prefix(&r->key);
}

static int check(const struct slot *s, struct err *e)
{
	for (size_t i = 1; i < s->peers; i++) {
		if (s->peer[i].identity == s->peer[i - 1].identity)
			return err_set(e, -EINVAL, "policy of identity %u: two classes for peer %u",
				s->identity, s->peer[i].identity);
	}
	for (size_t i = 0; i < s->rules; i++) {
		if (s->rule[i].key.prefixlen < RULE_PREFIX_CLASS ||
			s->rule[i].key.prefixlen > RULE_PREFIX_PORT)
			return err_set(e, -EINVAL,
				"policy of identity %u: rule with a prefix of %u bits", s->identity,
				s->rule[i].key.prefixlen);
		if (i && !compare_rules(&s->rule[i], &s->rule[i - 1]))
			return err_set(e, -EINVAL,
				"policy of identity %u: two decisions for one key", s->identity);
	}
	return 0;
}

int slot_make(const struct dp_slot *in, struct slot **ret, struct err *e)
{
	SCOPED(slot_freep) struct slot *s = mem_alloc(sizeof(*s));
	int r;

	s->identity = in->identity;
	mem_grow(&s->peer, &s->peer_room, in->peers, sizeof(*s->peer));
	mem_grow(&s->rule, &s->rule_room, in->rules, sizeof(*s->rule));
	for (size_t i = 0; i < in->peers; i++)
		slot_append_peer(s, in->peer[i].identity, in->peer[i].class);
	for (size_t i = 0; i < in->rules; i++)
		slot_append_rule(s, &in->rule[i].key, &in->rule[i].decision);
	slot_sort(s);
	r = check(s, e);
	if (!r)
		*ret = TAKE(s);
	return r;
}

bool slot_equal(const struct slot *a, const struct slot *b)
{
	return a->peers == b->peers && a->rules == b->rules &&
	       (!a->peers || !memcmp(a->peer, b->peer, a->peers * sizeof(*a->peer))) &&
	       (!a->rules || !memcmp(a->rule, b->rule, a->rules * sizeof(*a->rule)));
}

const struct peer_key_class *slot_peer(const struct slot *s, uint32_t identity)
{
	struct peer_key_class want = {.identity = identity};

	return s->peers ? bsearch(&want, s->peer, s->peers, sizeof(*s->peer), compare_peers) : NULL;
}

/* 71,304 */
static const char *grouped(size_t n, char buf[NUMBER_TEXT])
{
	char digits[NUMBER_TEXT];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%zu", n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = 0;
	return buf;
}

static size_t entries_of(const struct slot *s, const struct demand *d)
{
	return !strcmp(d->what, "rule") ? s->rules : s->peers;
}

/* "identity 4711: 60,000, identity 12: 9" */
static void largest(const struct demand *d, struct slot *const *slot, size_t slots, struct str *to)
{
	const struct slot *top[CONTRIBUTORS] = {0};
	char n[NUMBER_TEXT];

	for (size_t i = 0; i < slots; i++) {
		const struct slot *s = slot[i];

		for (int k = 0; !slot[i]->number && k < CONTRIBUTORS; k++) {
			const struct slot *was = top[k];

			if (was && entries_of(was, d) >= entries_of(s, d))
				continue;
			top[k] = s;
			s = was;
			if (!s)
				break;
		}
	}
	for (int k = 0; k < CONTRIBUTORS && top[k]; k++)
		str_printf(to, "%sidentity %u: %s", k ? ", " : "", top[k]->identity,
			grouped(entries_of(top[k], d), n));
}

int demand_check(const struct demand *d, struct slot *const *slot, size_t slots, struct err *e)
{
	SCOPED(str_done) struct str top = {0};
	char wanted[NUMBER_TEXT], there[NUMBER_TEXT], max[NUMBER_TEXT];

	if (d->wanted <= d->max && d->there <= d->max - d->wanted)
		return 0;
	largest(d, slot, slots, &top);
	return err_set(e, -E2BIG,
		"policy needs %s %s entries beside %s in force, %s are configured (%s): not "
		"activated; the largest contributors are %s",
		grouped(d->wanted, wanted), d->what, grouped(d->there, there), grouped(d->max, max),
		d->key, str_text(&top));
}
