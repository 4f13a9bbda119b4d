/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations of compiled policy. Called by policy.c only. Must hold: a generation has a reference
 * on every source content and every prefix identity that its compiled set names, so that it stays
 * valid while its successor is made.
 */
#include "agent/generation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/datapath.h"

/* The policies that are merged already, by their name. */
static const struct policy *merged_find(
	struct hash *names, const struct policy *p, struct policy *mine)
{
	SCOPED(str_done)
	struct str name = {0};
	struct policy *other;

	str_printf(&name, "%d ", (int)p->mode);
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

/* Objects that policies refer to: all sources' together. */
static void merge_objects(struct policy_set *to, const struct policy_set *from)
{
	mem_grow(&to->namespace, &to->namespace_room, to->namespaces + from->namespaces,
		sizeof(*to->namespace));
	for (size_t i = 0; i < from->namespaces; i++)
		to->namespace[to->namespaces++] = from->namespace[i];
	mem_grow(&to->node, &to->node_room, to->nodes + from->nodes, sizeof(*to->node));
	for (size_t i = 0; i < from->nodes; i++)
		to->node[to->nodes++] = from->node[i];
	mem_grow(&to->group, &to->group_room, to->groups + from->groups, sizeof(*to->group));
	for (size_t i = 0; i < from->groups; i++)
		to->group[to->groups++] = from->group[i];
	mem_grow(&to->service, &to->service_room, to->services + from->services,
		sizeof(*to->service));
	for (size_t i = 0; i < from->services; i++)
		to->service[to->services++] = from->service[i];
}

struct generation *generation_new(struct sources *t, bool applied)
{
	struct generation *g = mem_alloc(sizeof(*g));
	struct hash SCOPED(hash_done) names = {0};
	size_t policies = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct source_content *c =
			applied ? t->source[i]->applied : t->source[i]->content;

		policies += c ? c->set.count : 0;
	}
	g->content = mem_array(t->count, sizeof(struct source_content *));
	mem_grow(&g->set.policy, &g->set.capacity, policies, sizeof(struct policy));
	for (size_t i = 0; i < t->count; i++) {
		struct source *s = t->source[i];
		struct source_content *c = applied ? s->applied : s->content;

		merge(g, s, c, &names);
		if (c)
			merge_objects(&g->set, &c->set);
	}
	return g;
}

bool generation_same_sources(const struct generation *g, const struct generation *other)
{
	return other && g->contents == other->contents &&
	       (!g->contents || !memcmp(g->content, other->content,
					g->contents * sizeof(struct source_content *)));
}

void generation_free(struct generation *g, struct engine *engine, struct identities *t)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->prefixes; i++) {
		if (g->prefix_identity[i])
			identity_put(t, g->prefix_identity[i]);
	}
	for (size_t i = 0; i < g->helds; i++)
		identity_put(t, g->held[i]);
	compiled_set_free(engine, g->compiled);
	for (size_t i = 0; i < g->contents; i++)
		source_content_unref(g->content[i]);
	free(g->content);
	policy_set_done(&g->set); /* its arrays: what they hold is the contents' */
	free(g->prefix);
	free(g->prefix_identity);
	free(g->own_reach.prefix);
	free(g->reach.prefix);
	free(g->node);
	free(g->held);
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

bool generation_knows(const struct generation *g, const struct identities *t, uint32_t identity)
{
	const struct identity_info *info = identity_find(t, identity);
	const struct compiled_slot *s = compiled_slot_find(g->compiled, identity);

	return info && s && s->serial == info->serial;
}

/* The classes of a content in the data path's form. */
static const struct dp_class *const *classes_of(
	const struct compiled_content *c, struct arena *mem, struct hash *made)
{
	const struct dp_class **out = arena_array(mem, c->classes + 1, sizeof(*out));

	for (size_t i = 0; i < c->classes; i++) {
		const struct compiled_class *from = c->class[i];
		struct dp_class *class = hash_get(made, &from, sizeof(from));
		struct dp_rule *rule;

		out[i] = class;
		if (class)
			continue;
		class = arena_alloc(mem, sizeof(*class));
		rule = arena_array(mem, from->entries, sizeof(*rule));
		for (size_t k = 0; k < from->entries; k++)
			rule[k] = (struct dp_rule){.key = {.prefixlen = from->entry[k].prefixlen,
							   .protocol = from->entry[k].protocol,
							   .port = htons(from->entry[k].port)},
				.decision = from->entry[k].decision};
		*class = (struct dp_class){.rule = rule, .rules = from->entries};
		(void)hash_put(made, &from, sizeof(from), class);
		out[i] = class;
	}
	return out;
}

static struct dp_peer peer_of(const struct compiled_peer *p)
{
	return (struct dp_peer){.identity = p->identity,
		.class = {p->class[POLICY_INGRESS], p -> class[POLICY_EGRESS]}};
}

/* The token stands for the content: the data path compares no more where it is in force. */
static struct dp_slot token_of(const struct compiled_slot *s)
{
	const struct compiled_content *c = s->content;

	return (struct dp_slot){.identity = s->identity,
		.content = (const void *)(uintptr_t)c->token,
		.base = {c->base[POLICY_INGRESS], c->base[POLICY_EGRESS]}};
}

static void fill_slot(struct dp_slot *out, const struct compiled_content *c, struct arena *mem,
	struct hash *classes)
{
	struct dp_peer *peer = arena_array(mem, c->peers + 1, sizeof(*peer));

	for (size_t i = 0; i < c->peers; i++)
		peer[i] = peer_of(&c->peer[i]);
	out->class = classes_of(c, mem, classes);
	out->classes = c->classes;
	out->peer = peer;
	out->peers = c->peers;
}

/* Whether the slot is in force with this very content. */
static bool in_force(const struct generation *now, const struct compiled_slot *s)
{
	const struct compiled_slot *was =
		now ? compiled_slot_find(now->compiled, s->identity) : NULL;

	return was && was->content->token == s->content->token;
}

struct dp_slot *generation_slots(
	const struct generation *g, const struct generation *now, struct arena *mem)
{
	struct dp_slot *out = arena_array(mem, g->compiled->slots + 1, sizeof(*out));
	struct hash SCOPED(hash_done) classes = {0}, SCOPED(hash_done) made = {0};

	for (size_t i = 0; i < g->compiled->slots; i++) {
		const struct compiled_slot *s = &g->compiled->slot[i];
		const struct dp_slot *same = hash_get(&made, &s->content, sizeof(s->content));

		if (same && same->class) {
			out[i] = *same;
			out[i].identity = s->identity;
			continue;
		}
		out[i] = token_of(s);
		if (in_force(now, s))
			continue; /* what it holds is not looked at */
		fill_slot(&out[i], s->content, mem, &classes);
		(void)hash_put(&made, &s->content, sizeof(s->content), &out[i]);
	}
	return out;
}

struct dp_slot generation_slot_for(const struct compiled_slot *s, struct arena *mem)
{
	struct hash SCOPED(hash_done) classes = {0};
	struct dp_slot out = token_of(s);

	fill_slot(&out, s->content, mem, &classes);
	return out;
}

struct dp_slot *generation_changes(
	const struct compiled_changes *c, struct arena *mem, size_t *ret_count)
{
	struct dp_slot *out = arena_array(mem, c->changes + 1, sizeof(*out));
	struct hash SCOPED(hash_done) classes = {0}, SCOPED(hash_done) by_content = {0};
	size_t count = 0;

	for (size_t i = 0; i < c->changes; i++) {
		const struct compiled_change *x = &c->change[i];
		struct dp_slot *slot = hash_get(&by_content, &x->content, sizeof(x->content));
		struct dp_peer *peer;

		if (x->gone)
			continue;
		if (!slot) {
			slot = &out[count++];
			*slot = (struct dp_slot){.identity = x->slot,
				.class = classes_of(x->content, mem, &classes),
				.classes = x->content->classes,
				/* at most all that is left */
				.peer = arena_array(mem, c->changes - i, sizeof(*peer))};
			(void)hash_put(&by_content, &x->content, sizeof(x->content), slot);
		}
		peer = (struct dp_peer *)slot->peer;
		peer[slot->peers++] = peer_of(&x->peer);
	}
	*ret_count = count;
	return out;
}

size_t generation_gone(const struct compiled_changes *c, struct arena *mem, uint32_t **ret)
{
	struct hash SCOPED(hash_done) seen = {0};
	uint32_t *out = arena_array(mem, c->changes + 1, sizeof(*out));
	size_t count = 0;

	for (size_t i = 0; i < c->changes; i++) {
		uint32_t number = c->change[i].peer.identity;

		if (c->change[i].gone && !hash_put(&seen, &number, sizeof(number), out))
			out[count++] = number;
	}
	*ret = out;
	return count;
}

const struct rule_info *generation_rule(const struct generation *g, uint32_t id)
{
	return compiled_rule(g->compiled, id);
}
