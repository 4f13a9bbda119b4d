/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implications between selectors, peers and ports. Called by lint. Owns nothing. Must hold: what
 * cannot be compared does not cover; a set of labels has a key once per source, but may have it
 * from several sources, which "any" means all of.
 */
#include "policy/cover.h"

#include <netinet/in.h>
#include <string.h>

enum { PORT_MAX = 65535 };

/* --- selectors ------------------------------------------------------------------------------- */

static bool has_value(const struct requirement *q, const char *value)
{
	for (size_t i = 0; i < q->values; i++) {
		if (str_eq(q->value[i], value))
			return true;
	}
	return false;
}

/* All values of a are among those of b. */
static bool values_within(const struct requirement *a, const struct requirement *b)
{
	for (size_t i = 0; i < a->values; i++) {
		if (!has_value(b, a->value[i]))
			return false;
	}
	return true;
}

static bool values_apart(const struct requirement *a, const struct requirement *b)
{
	for (size_t i = 0; i < a->values; i++) {
		if (has_value(b, a->value[i]))
			return false;
	}
	return true;
}

static bool is_any(const struct requirement *q)
{
	return str_eq(q->key.source, "any");
}

static bool same_source(const struct requirement *a, const struct requirement *b)
{
	return str_eq(a->key.source, b->key.source);
}

/* A label that a speaks of is one that b speaks of. */
static bool source_within(const struct requirement *a, const struct requirement *b)
{
	return is_any(b) || same_source(a, b);
}

/* q holds only where p does. */
static bool implies(const struct requirement *q, const struct requirement *p)
{
	if (!str_eq(q->key.key, p->key.key))
		return false;
	switch (p->op) {
	case SELECTOR_IN:
		return q->op == SELECTOR_IN && source_within(q, p) && values_within(q, p);
	case SELECTOR_EXISTS:
		return (q->op == SELECTOR_IN || q->op == SELECTOR_EXISTS) && source_within(q, p);
	case SELECTOR_DOES_NOT_EXIST:
		return q->op == SELECTOR_DOES_NOT_EXIST && source_within(p, q);
	case SELECTOR_NOT_IN:
		break;
	}
	if (q->op == SELECTOR_DOES_NOT_EXIST)
		return source_within(p, q);
	if (q->op == SELECTOR_NOT_IN)
		return source_within(p, q) && values_within(p, q);
	return q->op == SELECTOR_IN && same_source(q, p) && !is_any(p) && values_apart(q, p);
}

bool selector_covers(const struct selector *outer, const struct selector *inner)
{
	for (size_t i = 0; i < outer->count; i++) {
		bool found = false;

		for (size_t k = 0; !found && k < inner->count; k++)
			found = implies(&inner->requirement[k], &outer->requirement[i]);
		if (!found)
			return false;
	}
	return true;
}

/* No set of labels meets both. */
static bool conflict(const struct requirement *a, const struct requirement *b, bool weak)
{
	bool wants = a->op == SELECTOR_IN || a->op == SELECTOR_EXISTS;

	if (!str_eq(a->key.key, b->key.key) || !wants)
		return false;
	switch (b->op) {
	case SELECTOR_DOES_NOT_EXIST:
		return source_within(a, b);
	case SELECTOR_NOT_IN:
		return a->op == SELECTOR_IN && source_within(a, b) && values_within(a, b);
	case SELECTOR_IN:
		return a->op == SELECTOR_IN && values_apart(a, b) &&
		       (same_source(a, b) ? weak || !is_any(a) : weak && (is_any(a) || is_any(b)));
	case SELECTOR_EXISTS:
		break;
	}
	return false;
}

const struct requirement *selector_conflict(
	const struct selector *s, bool weak, const struct requirement **ret_other)
{
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->count; k++) {
			if (i == k || !conflict(&s->requirement[i], &s->requirement[k], weak))
				continue;
			*ret_other = &s->requirement[k];
			return &s->requirement[i];
		}
	}
	return NULL;
}

bool selectors_disjoint(const struct selector *a, const struct selector *b)
{
	for (size_t i = 0; i < a->count; i++) {
		for (size_t k = 0; k < b->count; k++) {
			if (conflict(&a->requirement[i], &b->requirement[k], false) ||
				conflict(&b->requirement[k], &a->requirement[i], false))
				return true;
		}
	}
	return false;
}

static bool is_nobody(const struct selector *s)
{
	const struct requirement *other;

	return selector_conflict(s, false, &other);
}

/* --- peers ----------------------------------------------------------------------------------- */

bool peer_excepts_all(const struct peer *p, const struct prefix *prefix)
{
	return prefixes_cover(p->except, p->excepts, prefix);
}

/* The peer is certainly nobody. */
static bool peer_is_nobody(const struct peer *p)
{
	switch (p->kind) {
	case PEER_NONE:
		return true;
	case PEER_SELECTOR:
	case PEER_NODE:
		for (size_t i = 0; i < p->selectors; i++) {
			if (!is_nobody(&p->selector[i]))
				return false;
		}
		return true;
	case PEER_PREFIX:
		for (size_t i = 0; i < p->prefixes; i++) {
			if (!peer_excepts_all(p, &p->prefix[i]))
				return false;
		}
		return true;
	case PEER_ANY:
	case PEER_GROUP:
	case PEER_SERVICE:
		break;
	}
	return false;
}

bool rule_is_nobody(const struct rule *r)
{
	for (size_t i = 0; i < r->peers; i++) {
		if (!peer_is_nobody(&r->peer[i]))
			return false;
	}
	return true;
}

/* One of the peer's selectors covers it. */
static bool selectors_cover(const struct peer *outer, const struct selector *inner)
{
	for (size_t i = 0; i < outer->selectors; i++) {
		if (selector_covers(&outer->selector[i], inner))
			return true;
	}
	return false;
}

static bool all_selectors_covered(const struct peer *outer, const struct peer *inner)
{
	for (size_t i = 0; i < inner->selectors; i++) {
		if (!selectors_cover(outer, &inner->selector[i]))
			return false;
	}
	return true;
}

/* What the outer peer excepts is not the inner one's, or excepted there, too. */
static bool excepts_harmless(const struct peer *outer, const struct peer *inner)
{
	for (size_t i = 0; i < outer->excepts; i++) {
		const struct prefix *e = &outer->except[i];
		bool touches = false, excepted = false;

		for (size_t k = 0; k < inner->prefixes; k++)
			touches |= prefix_contains(&inner->prefix[k], e) ||
				   prefix_contains(e, &inner->prefix[k]);
		for (size_t k = 0; k < inner->excepts; k++)
			excepted |= prefix_contains(&inner->except[k], e);
		if (touches && !excepted)
			return false;
	}
	return true;
}

static bool prefixes_within(const struct peer *outer, const struct peer *inner)
{
	for (size_t i = 0; i < inner->prefixes; i++) {
		bool found = false;

		for (size_t k = 0; !found && k < outer->prefixes; k++)
			found = prefix_contains(&outer->prefix[k], &inner->prefix[i]);
		if (!found)
			return false;
	}
	return !(inner->reach & ~outer->reach) && excepts_harmless(outer, inner);
}

/* Groups and services are not looked into: only the very same cover each other. */
static bool same_reference(const struct peer *a, const struct peer *b)
{
	if (a->reach != b->reach || a->selectors != b->selectors || a->excepts != b->excepts ||
		!str_eq(a->name, b->name) || !str_eq(a->namespace, b->namespace))
		return false;
	for (size_t i = 0; i < a->selectors; i++) {
		if (!selector_eq(&a->selector[i], &b->selector[i]))
			return false;
	}
	for (size_t i = 0; i < a->excepts; i++) {
		if (prefix_compare(&a->except[i], &b->except[i]))
			return false;
	}
	return true;
}

static bool peer_covers(const struct peer *outer, const struct peer *inner)
{
	if (outer->kind == PEER_ANY)
		return true;
	if (outer->kind != inner->kind)
		return false;
	switch (outer->kind) {
	case PEER_SELECTOR:
		return all_selectors_covered(outer, inner);
	case PEER_NODE:
		return outer->own_node >= inner->own_node && all_selectors_covered(outer, inner);
	case PEER_PREFIX:
		return prefixes_within(outer, inner);
	case PEER_GROUP:
	case PEER_SERVICE:
		return same_reference(outer, inner);
	case PEER_ANY:
	case PEER_NONE:
		break;
	}
	return false;
}

bool rule_peers_cover(const struct rule *outer, const struct rule *inner)
{
	for (size_t i = 0; i < inner->peers; i++) {
		bool found = peer_is_nobody(&inner->peer[i]);

		for (size_t k = 0; !found && k < outer->peers; k++)
			found = peer_covers(&outer->peer[k], &inner->peer[i]);
		if (!found)
			return false;
	}
	return true;
}

/* --- ports ----------------------------------------------------------------------------------- */

/* The numbers among the rule's ports have all of first..last. */
static bool numbers_cover(const struct rule *r, uint8_t protocol, uint32_t first, uint32_t last)
{
	while (first <= last) {
		uint32_t before = first;

		for (size_t i = 0; i < r->ports; i++) {
			const struct port_range *p = &r->port[i];

			if (!p->name && port_range_is_of(p, protocol) && p->first <= first &&
				first <= p->last)
				first = p->last + 1u;
		}
		if (first == before)
			return false;
	}
	return true;
}

static bool names_cover(const struct rule *r, const struct port_range *named)
{
	for (size_t i = 0; i < r->ports; i++) {
		const struct port_range *p = &r->port[i];

		if (p->name && str_eq(p->name, named->name) &&
			(!p->protocol || p->protocol == named->protocol))
			return true;
	}
	return false;
}

/* A name stands for some number of its protocol. */
static bool range_covered(const struct rule *outer, const struct port_range *r)
{
	static const uint8_t any[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
	uint32_t first = r->name ? 0 : r->first, last = r->name ? PORT_MAX : r->last;

	if (r->name && names_cover(outer, r))
		return true;
	if (r->protocol)
		return numbers_cover(outer, r->protocol, first, last);
	for (size_t i = 0; i < ARRAY_SIZE(any); i++) {
		if (!numbers_cover(outer, any[i], first, last))
			return false;
	}
	return true;
}

bool rule_ports_cover(const struct rule *outer, const struct rule *inner)
{
	if (!outer->ports || !inner->ports)
		return !outer->ports;
	for (size_t i = 0; i < inner->ports; i++) {
		if (!range_covered(outer, &inner->port[i]))
			return false;
	}
	return true;
}
