/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parties of assertions to identities. Called by invariant.c. Owns nothing. Must hold: everybody is
 * exactly one of endpoint, world, host, remote node; identities that nobody has on this node
 * (reserved:health and the like) are none.
 */
#include "policy/party.h"

#include <stdlib.h>

static bool is_reserved(const struct identity_info *n, const char *key)
{
	return labels_find(&n->labels, "reserved", key);
}

/* Addresses outside, by their prefix; the worlds are what no other prefix has. */
static bool is_outside(const struct identity_info *n, struct prefix *ret)
{
	static const struct prefix v4 = {
		.addr = {.byte = {[10] = 0xff, [11] = 0xff}}, .bits = ADDR_V4_PREFIX};

	*ret = n->is_prefix                       ? n->prefix
	       : n->number == IDENTITY_WORLD_IPV4 ? v4
						  : (struct prefix){0};
	return n->is_prefix || n->number == IDENTITY_WORLD_IPV4 || n->number == IDENTITY_WORLD_IPV6;
}

bool identity_is_endpoint(const struct identity_info *n)
{
	if (n->is_prefix)
		return false;
	for (size_t i = 0; i < n->labels.count; i++) {
		if (str_eq(n->labels.label[i].source, "reserved"))
			return false;
	}
	return n->labels.count > 0;
}

/* All but addresses outside. */
static bool is_of(const struct invariant_party *party, const struct identity_info *n, bool outside)
{
	switch (party->kind) {
	case PARTY_ANY:
		return outside || is_reserved(n, "host") || is_reserved(n, "remote-node") ||
		       identity_is_endpoint(n);
	case PARTY_WORLD:
		return outside;
	case PARTY_HOST:
		return is_reserved(n, "host");
	case PARTY_REMOTE_NODE:
		return is_reserved(n, "remote-node");
	case PARTY_ENDPOINTS:
		return identity_is_endpoint(n) && selector_matches(&party->selector, &n->labels);
	case PARTY_PREFIX:
		return false;
	}
	return false;
}

static int outside_order(const void *pa, const void *pb)
{
	const struct prefix *a = pa, *b = pb;
	int r = prefix_is_v4(a) - prefix_is_v4(b);

	return r ? r : prefix_compare(a, b);
}

/* What is inside a prefix stands right behind it. */
static bool is_empty(const struct outside *o, size_t at)
{
	size_t end = at + 1;

	while (end < o->count && prefix_contains(&o->prefix[at], &o->prefix[end]))
		end++;
	return prefixes_cover(&o->prefix[at + 1], end - at - 1, &o->prefix[at]);
}

void outside_init(struct outside *o, const struct identities *t)
{
	const struct identity_info *n;
	size_t cursor = 0;
	struct prefix q;

	*o = (struct outside){0};
	while ((n = identities_next(t, &cursor))) {
		if (!is_outside(n, &q))
			continue;
		mem_grow(&o->prefix, &o->room, o->count + 1, sizeof(*o->prefix));
		o->prefix[o->count++] = q;
	}
	if (o->count)
		qsort(o->prefix, o->count, sizeof(*o->prefix), outside_order);
	o->is_empty = mem_array(o->count, sizeof(*o->is_empty));
	for (size_t i = 0; i < o->count; i++)
		o->is_empty[i] = is_empty(o, i);
}

void outside_done(struct outside *o)
{
	free(o->prefix);
	free(o->is_empty);
}

static bool has_addresses(const struct outside *o, const struct prefix *p)
{
	const struct prefix *found =
		o->count ? bsearch(p, o->prefix, o->count, sizeof(*p), outside_order) : NULL;

	return found && !o->is_empty[found - o->prefix];
}

void parties_init(struct parties *p, const struct outside *o, const struct invariant_party *party)
{
	size_t first = o->count, count = 0;

	*p = (struct parties){.outside = o, .party = party};
	for (size_t i = 0; party->kind == PARTY_PREFIX && i < o->count; i++) {
		const struct prefix *q = &o->prefix[i];

		if (prefix_contains(&party->prefix, q)) {
			first = count++ ? first : i;
		} else if (prefix_contains(q, &party->prefix)) {
			p->around = q->bits; /* shorter ones come first */
			p->has_around = true;
		}
	}
	p->has_around &= !count || !prefixes_cover(&o->prefix[first], count, &party->prefix);
}

bool parties_meet(const struct parties *p, const struct identity_info *info)
{
	struct prefix q;
	bool outside = is_outside(info, &q);

	if (outside && !has_addresses(p->outside, &q))
		return false;
	if (p->party->kind != PARTY_PREFIX)
		return is_of(p->party, info, outside);
	return outside && (prefix_contains(&p->party->prefix, &q) ||
				  (p->has_around && p->around == q.bits &&
					  prefix_contains(&q, &p->party->prefix)));
}

/* Where the prefix, or what is behind it, begins. */
static size_t outside_position(const struct outside *o, const struct prefix *p)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (outside_order(&o->prefix[middle], p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether the prefix, and those that are longer than own inside of all, leave nothing of all. */
static bool takes_all(const struct outside *o, const struct prefix *all, const struct prefix *own,
	const struct prefix *taken)
{
	SCOPED(freep) struct prefix *list = NULL;
	size_t count = 0, room = 0;

	if (prefix_contains(taken, all) || !prefix_contains(all, taken))
		return prefix_contains(taken, all);
	mem_grow(&list, &room, 1, sizeof(*list));
	list[count++] = *taken;
	for (size_t i = outside_position(o, all);
		i < o->count && prefix_contains(all, &o->prefix[i]); i++) {
		if (o->prefix[i].bits <= own->bits)
			continue;
		mem_grow(&list, &room, count + 1, sizeof(*list));
		list[count++] = o->prefix[i];
	}
	return prefixes_cover(list, count, all);
}

bool parties_hold(const struct parties *scope, const struct invariant_party *party,
	const struct identity_info *info)
{
	struct prefix own, all;
	bool outside = is_outside(info, &own);

	if (party->kind != PARTY_PREFIX)
		return is_of(party, info, outside);
	all = scope->party->kind == PARTY_PREFIX && prefix_contains(&own, &scope->party->prefix)
		      ? scope->party->prefix
		      : own;
	return outside && takes_all(scope->outside, &all, &own, &party->prefix);
}

unsigned identity_families(const struct identity_info *info)
{
	if (info->is_prefix)
		return prefix_is_v4(&info->prefix) ? PARTY_V4 : PARTY_V6;
	return info->number == IDENTITY_WORLD_IPV4   ? PARTY_V4
	       : info->number == IDENTITY_WORLD_IPV6 ? PARTY_V6
						     : PARTY_V4 | PARTY_V6;
}
