/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label selectors. Called by policies, filters and the API. Owns nothing. Must hold: NotIn and
 * DoesNotExist are exactly the opposites of In and Exists, also for a label set that has a key from
 * several sources.
 */
#include "model/selector.h"

/* Whether some label has the key, and one of the values unless any_value. */
static bool has(const struct requirement *q, const struct labels *l, bool any_value)
{
	bool any_source = str_eq(q->key.source, "any");

	for (size_t i = 0; i < l->count; i++) {
		const struct label *at = &l->label[i];

		if (!str_eq(at->key, q->key.key) ||
			(!any_source && !str_eq(at->source, q->key.source)))
			continue;
		if (any_value)
			return true;
		for (size_t v = 0; v < q->values; v++) {
			if (str_eq(at->value, q->value[v]))
				return true;
		}
	}
	return false;
}

static bool requirement_matches(const struct requirement *q, const struct labels *l)
{
	switch (q->op) {
	case SELECTOR_IN:
		return has(q, l, false);
	case SELECTOR_NOT_IN:
		return !has(q, l, false);
	case SELECTOR_EXISTS:
		return has(q, l, true);
	case SELECTOR_DOES_NOT_EXIST:
		return !has(q, l, true);
	}
	return false;
}

bool selector_matches(const struct selector *s, const struct labels *l)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!requirement_matches(&s->requirement[i], l))
			return false;
	}
	return true;
}

static bool requirement_eq(const struct requirement *a, const struct requirement *b)
{
	if (a->op != b->op || a->values != b->values || !str_eq(a->key.source, b->key.source) ||
		!str_eq(a->key.key, b->key.key))
		return false;
	for (size_t i = 0; i < a->values; i++) {
		if (!str_eq(a->value[i], b->value[i]))
			return false;
	}
	return true;
}

bool selector_eq(const struct selector *a, const struct selector *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!requirement_eq(&a->requirement[i], &b->requirement[i]))
			return false;
	}
	return true;
}

static void requirement_format(struct str *out, const struct requirement *q)
{
	bool listed = q->op == SELECTOR_NOT_IN || (q->op == SELECTOR_IN && q->values != 1);

	if (q->op == SELECTOR_DOES_NOT_EXIST)
		str_add(out, "!");
	str_printf(out, "%s:%s", q->key.source, q->key.key);
	if (q->op == SELECTOR_IN && q->values == 1)
		str_printf(out, "=%s", q->value[0]);
	if (!listed)
		return;
	str_add(out, q->op == SELECTOR_IN ? " in (" : " notin (");
	for (size_t i = 0; i < q->values; i++)
		str_printf(out, "%s%s", i ? "," : "", q->value[i]);
	str_add(out, ")");
}

void selector_format(struct str *out, const struct selector *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (i)
			str_add(out, ",");
		requirement_format(out, &s->requirement[i]);
	}
}
