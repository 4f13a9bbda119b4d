/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From classes to sets of ports. Called by invariant.c. Owns the sets. Must hold: port_set_has()
 * says what the kernel's longest-prefix look-up in the class says.
 */
#include "policy/port_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void port_sets_done(struct port_sets *t)
{
	HASH_EACH(&t->by_text, x) {
		struct port_set *s = x->value;

		free(s->span);
		free(s);
	}
	hash_done(&t->by_text);
	hash_done(&t->by_class);
}

static void add_span(struct port_set *s, uint8_t protocol, uint32_t first, uint32_t last,
	const struct class_entry *by)
{
	struct port_span *before = s->spans ? &s->span[s->spans - 1] : NULL;

	if (first > last || by->decision.verdict != POLICY_ALLOW)
		return;
	if (before && before->protocol == protocol && before->last + 1u == first) {
		before->last = (uint16_t)last;
		return;
	}
	mem_grow(&s->span, &s->room, s->spans + 1, sizeof(*s->span));
	s->span[s->spans++] = (struct port_span){protocol, (uint16_t)first, (uint16_t)last};
}

static uint32_t first_of(const struct class_entry *e)
{
	return e->prefixlen <= RULE_PREFIX_CLASS ? 0 : e->port;
}

static uint32_t last_of(const struct class_entry *e)
{
	unsigned bits = RULE_PREFIX_PORT - e->prefixlen;

	return e->prefixlen <= RULE_PREFIX_PROTOCOL ? 65535 : e->port | ((1u << bits) - 1);
}

/* By protocol, then outer ones before what is inside them. */
static int entry_order(const void *pa, const void *pb)
{
	const struct class_entry *const *a = pa, *const *b = pb;
	int r = ((*a)->protocol > (*b)->protocol) - ((*a)->protocol < (*b)->protocol);

	r = r ? r : (first_of(*a) > first_of(*b)) - (first_of(*a) < first_of(*b));
	return r ? r : ((*a)->prefixlen > (*b)->prefixlen) - ((*a)->prefixlen < (*b)->prefixlen);
}

enum { NESTED_MAX = RULE_PREFIX_PORT + 2 };

/* Entries of one protocol are nested or apart: go through them with a stack of those around. */
static void sweep(struct port_set *s, uint8_t protocol, const struct class_entry *base,
	const struct class_entry **entry, size_t count)
{
	const struct class_entry *around[NESTED_MAX] = {base};
	size_t depth = 1;
	uint32_t at = 0;

	for (size_t i = 0; i < count; i++) {
		while (last_of(around[depth - 1]) < first_of(entry[i])) {
			add_span(s, protocol, at, last_of(around[depth - 1]), around[depth - 1]);
			at = last_of(around[--depth]) + 1;
		}
		if (at < first_of(entry[i])) {
			add_span(s, protocol, at, first_of(entry[i]) - 1, around[depth - 1]);
			at = first_of(entry[i]);
		}
		around[depth++] = entry[i];
	}
	while (depth) {
		add_span(s, protocol, at, last_of(around[depth - 1]), around[depth - 1]);
		at = last_of(around[--depth]) + 1;
	}
}

static void fill(struct port_set *s, const struct compiled_class *class)
{
	SCOPED(freep)
	const struct class_entry **sorted = mem_array(class->entries, sizeof(struct class_entry *));
	const struct class_entry *base = &class->entry[0];
	size_t count = 0;

	for (size_t i = 0; i < class->entries; i++) {
		if (class->entry[i].prefixlen > RULE_PREFIX_CLASS)
			sorted[count++] = &class->entry[i];
	}
	if (count)
		qsort(sorted, count, sizeof(struct class_entry *), entry_order);
	s->other = base->decision.verdict == POLICY_ALLOW;
	for (size_t i = 0, end; i < count; i = end) {
		uint8_t protocol = sorted[i]->protocol;

		for (end = i; end < count && sorted[end]->protocol == protocol;)
			end++;
		s->named[protocol] = true;
		sweep(s, protocol, base, &sorted[i], end - i);
	}
}

static void set_text(struct str *out, const struct port_set *s)
{
	str_printf(out, "%d", s->other);
	for (unsigned p = 0; p < ARRAY_SIZE(s->named); p++) {
		if (s->named[p])
			str_printf(out, " %u", p);
	}
	for (size_t i = 0; i < s->spans; i++)
		str_printf(
			out, ",%u:%u-%u", s->span[i].protocol, s->span[i].first, s->span[i].last);
}

const struct port_set *port_set_of(struct port_sets *t, const struct compiled_class *class)
{
	struct port_set *s = hash_get(&t->by_class, &class, sizeof(class)), *same;
	SCOPED(str_done) struct str text = {0};

	if (s)
		return s;
	s = mem_alloc(sizeof(*s));
	s->other = true;
	if (class)
		fill(s, class);
	set_text(&text, s);
	same = hash_get(&t->by_text, str_text(&text), text.len);
	if (same) {
		free(s->span);
		free(s);
	} else {
		same = s;
		(void)hash_put(&t->by_text, str_text(&text), text.len, s);
	}
	(void)hash_put(&t->by_class, &class, sizeof(class), same);
	return same;
}

bool port_set_has(const struct port_set *s, uint8_t protocol, uint16_t port)
{
	size_t low = 0, high = s->spans;

	if (!s->named[protocol])
		return s->other;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct port_span *at = &s->span[middle];

		if (at->protocol < protocol || (at->protocol == protocol && at->last < port))
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->spans && s->span[low].protocol == protocol && s->span[low].first <= port;
}
