/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to policies and compiled slots that need no compiler. Called by the agent (prefixes to
 * give identities, status) and by tests. Owns nothing. Must hold: compiled_lookup() answers as the
 * kernel's longest-prefix table does.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile.h"

static int prefix_order(const void *pa, const void *pb)
{
	return prefix_compare(pa, pb);
}

struct prefixes {
	struct prefix *prefix;
	size_t count, capacity;
};

/* A /0 is the world and needs no identity of its own. */
static void add(struct prefixes *out, const struct prefix *p, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (p[i].bits == (prefix_is_v4(&p[i]) ? ADDR_V4_PREFIX : 0))
			continue;
		mem_grow(&out->prefix, &out->capacity, out->count + 1, sizeof(*out->prefix));
		out->prefix[out->count++] = p[i];
	}
}

static void add_spec(struct prefixes *out, const struct policy_spec *s)
{
	for (size_t i = 0; i < s->rules; i++) {
		for (size_t k = 0; k < s->rule[i].peers; k++) {
			const struct peer *p = &s->rule[i].peer[k];

			add(out, p->prefix, p->prefixes);
			add(out, p->except, p->excepts);
		}
	}
}

size_t policy_prefixes(const struct policy_set *set, struct prefix **ret)
{
	struct prefixes all = {0};
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		for (size_t k = 0; k < set->policy[i].specs; k++)
			add_spec(&all, &set->policy[i].spec[k]);
	}
	if (all.count)
		qsort(all.prefix, all.count, sizeof(*all.prefix), prefix_order);
	for (size_t i = 0; i < all.count; i++) {
		if (!kept || prefix_compare(&all.prefix[kept - 1], &all.prefix[i]))
			all.prefix[kept++] = all.prefix[i];
	}
	*ret = all.prefix;
	return kept;
}

static uint32_t class_of(const struct compiled_slot *s, enum policy_direction d, uint32_t peer)
{
	size_t low = 0, high = s->peers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->peer[middle].identity < peer)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->peers && s->peer[low].identity == peer ? s->peer[low].class.class[d] : d;
}

/* Whether the entry's prefix covers the key; both of the same class. */
static bool covers(const struct rule_key *entry, uint8_t protocol, uint16_t dport)
{
	unsigned port_bits;

	if (entry->prefixlen <= RULE_PREFIX_CLASS)
		return true;
	if (entry->protocol != protocol)
		return false;
	port_bits = entry->prefixlen - RULE_PREFIX_PROTOCOL;
	return !port_bits || !((ntohs(entry->port) ^ dport) >> (16 - port_bits));
}

const struct decision *compiled_lookup(const struct compiled_slot *s, enum policy_direction d,
	uint32_t peer, uint8_t protocol, uint16_t dport)
{
	const struct decision *best = NULL;
	uint32_t class = class_of(s, d, peer);
	uint32_t longest = 0;

	for (size_t i = 0; i < s->rules; i++) {
		const struct rule_key *k = &s->rule[i].key;

		if (k->class != class || k->prefixlen < longest || !covers(k, protocol, dport))
			continue;
		longest = k->prefixlen;
		best = &s->rule[i].decision;
	}
	return best;
}
