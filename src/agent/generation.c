/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations of compiled policy. Called by policy.c only. Must hold: a generation has a reference
 * on every source content and every prefix identity that its compiled set names, so that it stays
 * valid while its successor is made.
 */
#include "agent/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/address.h"
#include "datapath/datapath.h"

/* The policies that are merged already, by their name. */
static const struct policy *merged_find(
	struct hash *names, const struct policy *p, struct policy *mine)
{
	SCOPED(str_done)
	struct str name = {0};
	struct policy *other;

	policy_format_name(&name, p);
	other = hash_get_str(names, str_text(&name));
	if (!other)
		(void)hash_put_str(names, str_text(&name), mine);
	return other;
}

static void merge(
	struct generation *g, struct source *s, struct source_content *c, struct hash *names)
{

	free(s->conflict);
	s->conflict = NULL;
	if (!c)
		return;
	g->content[g->contents++] = source_content_ref(c);
	for (size_t i = 0; i < c->set.count; i++) {
		const struct policy *p = &c->set.policy[i];
		const struct policy *other = merged_find(names, p, &g->set.policy[g->set.count]);
		SCOPED(str_done)
		struct str text = {0};

		if (!other) {
			g->set.policy[g->set.count++] = *p;
			continue;
		}
		str_printf(&text,
			"%s:%d:1: metadata.name: %s %s is defined by %s:%d already, which counts",
			p->origin.file, p->origin.line, p->kind, p->name, other->origin.file,
			other->origin.line);
		free(s->conflict);
		s->conflict = str_take(&text);
	}
}

struct generation *generation_new(struct sources *t, bool applied)
{
	struct generation *g = mem_alloc(sizeof(*g));
	struct hash names = {0};
	size_t policies = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct source_content *c =
			applied ? t->source[i]->applied : t->source[i]->content;

		policies += c ? c->set.count : 0;
	}
	g->content = mem_array(t->count, sizeof(struct source_content *));
	g->set.policy = mem_array(policies, sizeof(struct policy));
	g->set.capacity = policies;
	for (size_t i = 0; i < t->count; i++)
		merge(g, t->source[i], applied ? t->source[i]->applied : t->source[i]->content,
			&names);
	hash_done(&names);
	return g;
}

void generation_free(struct generation *g, struct identities *t)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->prefixes; i++) {
		if (g->prefix_identity[i])
			identity_put(t, g->prefix_identity[i]);
	}
	compiled_set_done(&g->compiled);
	for (size_t i = 0; i < g->contents; i++)
		source_content_unref(g->content[i]);
	HASH_EACH(&g->identity, n)
		free(n->value);
	hash_done(&g->identity);
	free(g->content);
	free(g->set.policy);
	free(g->prefix);
	free(g->prefix_identity);
	free(g);
}

int generation_take_prefixes(struct generation *g, struct identities *t, struct err *e)
{
	g->prefixes = policy_prefixes(&g->set, &g->prefix);
	g->prefix_identity = mem_array(g->prefixes, sizeof(uint32_t));
	for (size_t i = 0; i < g->prefixes; i++) {
		const struct identity_info *info;
		int r = identity_get_prefix(t, &g->prefix[i], &info, e);

		if (r)
			return r;
		g->prefix_identity[i] = info->number;
	}
	return 0;
}

void generation_note_identities(struct generation *g, const struct identities *t)
{
	for (size_t i = 0; i < g->compiled.slots; i++) {
		uint32_t number = g->compiled.slot[i].identity;
		const struct identity_info *info = identity_find(t, number);
		struct str text = {0};

		if (!info)
			continue;
		labels_text(&text, &info->labels);
		free(hash_put(&g->identity, &number, sizeof(number), str_take(&text)));
	}
}

bool generation_knows(const struct generation *g, const struct identities *t, uint32_t identity)
{
	const struct identity_info *info = identity_find(t, identity);
	const char *text = hash_get(&g->identity, &identity, sizeof(identity));
	SCOPED(str_done)
	struct str now = {0};

	if (!info || !text)
		return false;
	labels_text(&now, &info->labels);
	return str_eq(text, str_text(&now));
}

const struct compiled_slot *generation_slot(const struct generation *g, uint32_t identity)
{
	size_t low = 0, high = g->compiled.slots;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct compiled_slot *s = &g->compiled.slot[middle];

		if (s->identity == identity)
			return s;
		if (s->identity < identity)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static size_t classes_of(const struct compiled_slot *s)
{
	return s->rules ? (size_t)s->rule[s->rules - 1].key.class + POLICY_DIRECTIONS : 0;
}

/* The slot's classes, by their numbers in it: its rules are sorted by them. */
static const struct dp_class *const *slot_classes(const struct compiled_slot *s, struct arena *mem)
{
	size_t count = classes_of(s);
	const struct dp_class **out = arena_array(mem, count + 1, sizeof(*out));
	struct dp_class *class = arena_array(mem, count + 1, sizeof(*class));
	struct dp_rule *rule = arena_array(mem, s->rules + 1, sizeof(*rule));

	for (size_t i = 0; i < count; i++)
		out[i] = &class[i];
	for (size_t i = 0; i < s->rules; i++) {
		struct dp_class *c = &class[s->rule[i].key.class];

		rule[i] = (struct dp_rule){.key = s->rule[i].key, .decision = s->rule[i].decision};
		if (!c->rules++)
			c->rule = &rule[i];
	}
	return out;
}

static struct dp_slot slot_of(const struct compiled_slot *s, struct arena *mem)
{
	struct dp_peer *peer = arena_array(mem, s->peers + 1, sizeof(*peer));

	for (size_t j = 0; j < s->peers; j++) {
		peer[j].identity = s->peer[j].identity;
		memcpy(peer[j].class, s->peer[j].class.class, sizeof(peer[j].class));
	}
	/* equal slots share their rules, which live as long as the generation */
	return (struct dp_slot){.identity = s->identity,
		.content = s->rule,
		.class = slot_classes(s, mem),
		.classes = classes_of(s),
		.base = {POLICY_INGRESS, POLICY_EGRESS},
		.peer = peer,
		.peers = s->peers};
}

struct dp_slot *generation_slots(const struct generation *g, struct arena *mem)
{
	struct dp_slot *out = arena_array(mem, g->compiled.slots + 1, sizeof(*out));
	SCOPED(hash_done) struct hash made = {0};

	for (size_t i = 0; i < g->compiled.slots; i++) {
		const struct compiled_slot *s = &g->compiled.slot[i];
		const struct dp_slot *same = hash_get(&made, &s->rule, sizeof(s->rule));

		if (same) {
			out[i] = *same;
			out[i].identity = s->identity;
			continue;
		}
		out[i] = slot_of(s, mem);
		(void)hash_put(&made, &s->rule, sizeof(s->rule), &out[i]);
	}
	return out;
}

static const struct compiled_peer *slot_peer(const struct compiled_slot *s, uint32_t identity)
{
	size_t low = 0, high = s->peers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->peer[middle].identity == identity)
			return &s->peer[middle];
		if (s->peer[middle].identity < identity)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool has_prefix(const struct generation *g, const struct prefix *p)
{
	size_t low = 0, high = g->prefixes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = prefix_compare(&g->prefix[middle], p);

		if (c == 0)
			return true;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* A prefix that is new, and the identity that its addresses have so far. */
struct newcomer {
	uint32_t identity, covering;
};

static size_t newcomers(const struct generation *next, const struct generation *now,
	const struct addresses *t, struct newcomer *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < next->prefixes; i++) {
		if (has_prefix(now, &next->prefix[i]))
			continue;
		ret[n].identity = next->prefix_identity[i];
		ret[n++].covering = addresses_covering(t, &next->prefix[i]);
	}
	return n;
}

size_t generation_peers_for(const struct generation *next, const struct generation *now,
	const struct addresses *t, struct arena *mem, struct dp_slot **ret)
{
	struct newcomer *fresh = arena_array(mem, next->prefixes + 1, sizeof(*fresh));
	size_t count = newcomers(next, now, t, fresh), slots = 0;
	struct dp_slot *out = arena_array(mem, now->compiled.slots + 1, sizeof(*out));

	for (size_t i = 0; count && i < now->compiled.slots; i++) {
		const struct compiled_slot *s = &now->compiled.slot[i];
		struct dp_peer *peer = arena_array(mem, count, sizeof(*peer));
		size_t peers = 0;

		for (size_t j = 0; j < count; j++) {
			const struct compiled_peer *q = slot_peer(s, fresh[j].covering);

			/* without an entry it is in the base classes as what covers it */
			if (!q)
				continue;
			peer[peers].identity = fresh[j].identity;
			memcpy(peer[peers++].class, q->class.class, sizeof(peer->class));
		}
		if (peers)
			out[slots++] = (struct dp_slot){.identity = s->identity,
				.class = slot_classes(s, mem),
				.classes = classes_of(s),
				.peer = peer,
				.peers = peers};
	}
	*ret = out;
	return slots;
}

const struct rule_info *generation_rule(const struct generation *g, uint32_t id)
{
	const struct rule_info *r =
		id && id <= g->compiled.rules ? &g->compiled.rule[id - 1] : NULL;

	return r && r->id ? r : NULL;
}
