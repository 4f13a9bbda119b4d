/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to policies and compiled slots that need no compiler. Called by the agent (prefixes to
 * give identities, status), scenarios and tests. Owns nothing. Must hold: compiled_lookup() answers
 * as the kernel's longest-prefix table does.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

struct prefixes {
	struct prefix *prefix;
	size_t count, capacity;
};

/* A /0 is the world and needs no identity of its own; but endpoints are inside it, too. */
static void add(struct prefixes *out, const struct prefix *p, size_t count, bool reach)
{
	for (size_t i = 0; i < count; i++) {
		if (!reach && p[i].bits == (prefix_is_v4(&p[i]) ? ADDR_V4_PREFIX : 0))
			continue;
		mem_grow(&out->prefix, &out->capacity, out->count + 1, sizeof(*out->prefix));
		out->prefix[out->count++] = p[i];
	}
}

static void add_spec(
	struct prefixes *out, const struct policy_set *set, const struct policy_spec *s, bool reach)
{
	for (size_t i = 0; i < s->rules; i++) {
		for (size_t k = 0; k < s->rule[i].peers; k++) {
			const struct peer *p = &s->rule[i].peer[k];
			SCOPED(freep) struct prefix *named = NULL;
			size_t count;

			if (reach && !p->reach)
				continue;
			add(out, p->prefix, p->prefixes, reach);
			add(out, p->except, p->excepts, reach);
			count = peer_prefixes(set, p, &named);
			add(out, named, count, reach);
		}
	}
}

static size_t prefixes_of(const struct policy_set *set, bool reach, struct prefix **ret)
{
	struct prefixes all = {0};

	for (size_t i = 0; i < set->count; i++) {
		for (size_t k = 0; k < set->policy[i].specs; k++)
			add_spec(&all, set, &set->policy[i].spec[k], reach);
	}
	*ret = all.prefix;
	return prefixes_unique(all.prefix, all.count);
}

size_t policy_prefixes(const struct policy_set *set, struct prefix **ret)
{
	return prefixes_of(set, false, ret);
}

size_t policy_reach_prefixes(const struct policy_set *set, struct prefix **ret)
{
	return prefixes_of(set, true, ret);
}

const struct prefix *prefixes_longest(
	const struct prefix *prefix, size_t prefixes, const struct addr *a)
{
	const struct prefix *best = NULL;

	for (size_t i = 0; i < prefixes; i++) {
		if (prefix_has(&prefix[i], a) && (!best || best->bits < prefix[i].bits))
			best = &prefix[i];
	}
	return best;
}

size_t compiled_slot_position(const struct compiled_set *c, uint32_t identity)
{
	size_t low = 0, high = c->slots;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->slot[middle].identity < identity)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct compiled_slot *compiled_slot_find(const struct compiled_set *c, uint32_t identity)
{
	size_t i = compiled_slot_position(c, identity);

	return i < c->slots && c->slot[i].identity == identity ? &c->slot[i] : NULL;
}

size_t compiled_peer_position(const struct compiled_content *c, uint32_t peer)
{
	size_t low = 0, high = c->peers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->peer[middle].identity < peer)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct compiled_peer *compiled_peer_find(const struct compiled_content *c, uint32_t peer)
{
	size_t i = compiled_peer_position(c, peer);

	return i < c->peers && c->peer[i].identity == peer ? &c->peer[i] : NULL;
}

const struct rule_info *compiled_rule(const struct compiled_set *c, uint32_t id)
{
	const struct rule_info *r = id && id <= c->rules ? &c->rule[id - 1] : NULL;

	return r && r->id ? r : NULL;
}

const struct compiled_class *compiled_class_of(
	const struct compiled_content *c, enum policy_direction d, uint32_t peer)
{
	const struct compiled_peer *p = compiled_peer_find(c, peer);

	return c->class[p ? p->class[d] : c->base[d]];
}

static bool covers(const struct class_entry *entry, uint8_t protocol, uint16_t dport)
{
	unsigned any_bits = RULE_PREFIX_PORT - entry->prefixlen;

	if (entry->prefixlen <= RULE_PREFIX_CLASS)
		return true;
	return entry->protocol == protocol &&
	       (any_bits >= 16 || !((entry->port ^ dport) >> any_bits));
}

const struct decision *compiled_lookup(const struct compiled_slot *s, enum policy_direction d,
	uint32_t peer, uint8_t protocol, uint16_t dport)
{
	const struct compiled_class *class = compiled_class_of(s->content, d, peer);
	const struct decision *best = NULL;
	uint32_t longest = 0;

	for (size_t i = 0; i < class->entries; i++) {
		const struct class_entry *n = &class->entry[i];

		if (n->prefixlen < longest || !covers(n, protocol, dport))
			continue;
		longest = n->prefixlen;
		best = &n->decision;
	}
	return best;
}

void compiled_count(const struct compiled_set *c, size_t *ret_rules, size_t *ret_peers)
{
	struct hash SCOPED(hash_done) seen = {0};

	*ret_rules = *ret_peers = 0;
	for (size_t i = 0; i < c->slots; i++) {
		const struct compiled_content *content = c->slot[i].content;

		if (hash_put(&seen, &content, sizeof(content), (void *)c))
			continue;
		*ret_peers += content->peers;
		for (size_t k = 0; k < content->classes; k++) {
			const struct compiled_class *class = content->class[k];

			if (!hash_put(&seen, &class, sizeof(class), (void *)c))
				*ret_rules += class->entries;
		}
	}
}
