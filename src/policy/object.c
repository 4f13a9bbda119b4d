/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies to objects. Called by the compiler for each policy that has changed. Owns objects. Must
 * hold: a peer that resolves to nobody makes no element (it must never become "any"); an object's
 * digest differs when anything that its elements were made of does.
 */
#include "policy/object.h"

#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

static int by_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

int policy_order(const struct policy *a, const struct policy *b)
{
	int r = (a->tier > b->tier) - (a->tier < b->tier);

	r = r ? r : (a->priority > b->priority) - (a->priority < b->priority);
	if (!r && a->tier != TIER_NORMAL)
		r = by_text(a->name, b->name);
	r = r ? r : by_text(a->kind, b->kind);
	r = r ? r : by_text(a->namespace, b->namespace);
	r = r ? r : by_text(a->name, b->name);
	return r ? r : (a->mode > b->mode) - (a->mode < b->mode);
}

/* --- references ------------------------------------------------------------------------------ */

struct prefixes {
	struct prefix *prefix;
	size_t count, room;
};

static void add_prefix(struct prefixes *out, const struct prefix *p)
{
	mem_grow(&out->prefix, &out->room, out->count + 1, sizeof(*p));
	out->prefix[out->count++] = *p;
}

static bool peer_names(const struct peer *p, const char *name, const struct labels *labels)
{
	if (p->name)
		return str_eq(p->name, name);
	for (size_t i = 0; i < p->selectors; i++) {
		if (selector_matches(&p->selector[i], labels))
			return true;
	}
	return false;
}

static bool names_service(const struct peer *p, const struct policy_service *s)
{
	if (p->namespace && *p->namespace && !str_eq(p->namespace, s->namespace))
		return false;
	return peer_names(p, s->name, &s->labels);
}

static bool same_service(const struct policy_service *a, const struct policy_service *b)
{
	return str_eq(a->name, b->name) && str_eq(a->namespace, b->namespace);
}

/* Whether the peer names the service that this element is of: labels are those of the Service. */
static bool names_backends(
	const struct policy_set *set, const struct peer *p, const struct policy_service *of)
{
	for (size_t i = 0; i < set->services; i++) {
		const struct policy_service *s = &set->service[i];

		if (same_service(s, of) && names_service(p, s))
			return true;
	}
	return false;
}

size_t peer_prefixes(const struct policy_set *set, const struct peer *p, struct prefix **ret)
{
	struct prefixes out = {0};

	for (size_t i = 0; p->kind == PEER_GROUP && i < set->groups; i++) {
		const struct policy_group *g = &set->group[i];

		for (size_t k = 0; peer_names(p, g->name, &g->labels) && k < g->prefixes; k++)
			add_prefix(&out, &g->prefix[k]);
	}
	for (size_t i = 0; p->kind == PEER_SERVICE && i < set->services; i++) {
		const struct policy_service *s = &set->service[i];

		if (!s->backends || !names_backends(set, p, s))
			continue;
		for (size_t k = 0; k < s->backends; k++)
			add_prefix(&out, &(struct prefix){s->backend[k], ADDR_BITS});
	}
	*ret = out.prefix;
	return out.count;
}

static uint64_t text_digest(const char *text, uint64_t seed)
{
	return hash_bytes(text ? text : "", text ? strlen(text) + 1 : 1, seed);
}

static uint64_t labels_digest(const struct labels *l, uint64_t seed)
{
	SCOPED(str_done) struct str text = {0};

	labels_text(&text, l);
	return text_digest(str_text(&text), seed);
}

uint64_t object_references_digest(const struct policy_set *set)
{
	uint64_t d = hash_bytes("references", 10, 0);

	for (size_t i = 0; i < set->groups; i++) {
		const struct policy_group *g = &set->group[i];

		d = labels_digest(&g->labels, text_digest(g->name, d));
		d = hash_bytes(g->prefix, g->prefixes * sizeof(*g->prefix), d);
	}
	for (size_t i = 0; i < set->services; i++) {
		const struct policy_service *s = &set->service[i];
		SCOPED(str_done) struct str text = {0};

		selector_format(&text, &s->selector);
		d = text_digest(s->namespace, text_digest(s->name, d));
		d = labels_digest(&s->labels, text_digest(str_text(&text), d));
		d = hash_bytes(s->backend, s->backends * sizeof(*s->backend), d);
	}
	return d;
}

static bool has_references(const struct policy *p)
{
	for (size_t i = 0; i < p->specs; i++) {
		for (size_t k = 0; k < p->spec[i].rules; k++) {
			const struct rule *r = &p->spec[i].rule[k];

			for (size_t n = 0; n < r->peers; n++) {
				if (r->peer[n].kind == PEER_GROUP ||
					r->peer[n].kind == PEER_SERVICE)
					return true;
			}
		}
	}
	return false;
}

uint64_t object_digest(const struct policy *p, uint64_t references)
{
	if (!p->digest || !has_references(p))
		return p->digest;
	return hash_bytes(&references, sizeof(references), p->digest);
}

/* --- peers ----------------------------------------------------------------------------------- */

struct peers {
	struct selection **selection;
	size_t count, room;
	bool any;
};

static void add_selection(
	const struct object_maker *m, struct peers *out, const struct selection_want *want)
{
	mem_grow(&out->selection, &out->room, out->count + 1, sizeof(struct selection *));
	out->selection[out->count++] = selection_get(m->selections, want);
}

static void add_selectors(const struct object_maker *m, struct peers *out, const struct peer *p,
	enum selection_kind kind)
{
	for (size_t i = 0; i < p->selectors; i++) {
		if (!p->selector[i].count && kind == SELECTION_LABELS)
			out->any = true;
		else
			add_selection(m, out,
				&(struct selection_want){
					.kind = kind, .selector = &p->selector[i]});
	}
}

static void add_prefixes(const struct object_maker *m, struct peers *out, const struct peer *p,
	const struct prefix *prefix, size_t prefixes)
{
	if (prefixes)
		add_selection(m, out,
			&(struct selection_want){.kind = SELECTION_PREFIXES,
				.reach = p->reach,
				.prefix = prefix,
				.prefixes = prefixes,
				.except = p->except,
				.excepts = p->excepts});
}

static void add_service(const struct object_maker *m, struct peers *out, const struct peer *p)
{
	for (size_t i = 0; i < m->set->services; i++) {
		const struct policy_service *s = &m->set->service[i];

		if (s->has_selector && s->selector.count && names_service(p, s))
			add_selection(m, out,
				&(struct selection_want){
					.kind = SELECTION_LABELS, .selector = &s->selector});
	}
}

static void add_peer(const struct object_maker *m, struct peers *out, const struct peer *p)
{
	SCOPED(freep) struct prefix *prefix = NULL;
	size_t prefixes;

	switch (p->kind) {
	case PEER_ANY:
		out->any = true;
		return;
	case PEER_SELECTOR:
		add_selectors(m, out, p, SELECTION_LABELS);
		return;
	case PEER_NODE:
		add_selectors(m, out, p, p->own_node ? SELECTION_ALL_NODES : SELECTION_NODES);
		return;
	case PEER_PREFIX:
		add_prefixes(m, out, p, p->prefix, p->prefixes);
		return;
	case PEER_SERVICE:
		add_service(m, out, p);
		break;
	case PEER_GROUP:
		break;
	case PEER_NONE:
		return;
	}
	prefixes = peer_prefixes(m->set, p, &prefix);
	add_prefixes(m, out, p, prefix, prefixes);
}

/* --- objects --------------------------------------------------------------------------------- */

static const struct port_range *copy_ports(struct arena *mem, const struct rule *r, bool *ret_named)
{
	struct port_range *port = arena_array(mem, r->ports, sizeof(*port));

	for (size_t i = 0; i < r->ports; i++) {
		port[i] = r->port[i];
		port[i].name = arena_strdup(mem, r->port[i].name);
		*ret_named |= port[i].name != NULL;
	}
	return port;
}

static void add_element(const struct object_maker *m, struct object *o, struct spec *s,
	const struct rule *r, size_t index)
{
	SCOPED(str_done) struct str name = {0};
	struct element *e = &s->element[s->elements];
	struct peers peers = {0};

	s->selects[r->direction] = true;
	o->ordered[r->direction] |= o->tier == TIER_NORMAL && r->order != RULE_UNORDERED;
	for (size_t i = 0; i < r->peers; i++)
		add_peer(m, &peers, &r->peer[i]);
	str_printf(&name, "%s%s %s", o->name, o->mode == MODE_SHADOW ? " (shadow)" : "", r->path);
	*e = (struct element){.spec = s,
		.index = index,
		.id = rule_ids_get(m->ids, str_text(&name)),
		.direction = r->direction,
		.action = r->action,
		.order = r->order,
		.any = peers.any,
		.ports = r->ports};
	e->port = copy_ports(&o->mem, r, &e->named);
	e->selections = peers.count;
	e->selection = arena_array(&o->mem, peers.count, sizeof(struct selection *));
	if (peers.count)
		memcpy(e->selection, peers.selection, peers.count * sizeof(struct selection *));
	free(peers.selection);
	s->elements++;
}

static void add_spec(const struct object_maker *m, struct object *o, const struct policy_spec *from)
{
	struct spec *s = &o->spec[o->specs];

	*s = (struct spec){.object = o, .spares_own_node = from->spares_own_node};
	s->subject = selection_get(m->selections,
		&(struct selection_want){.kind = SELECTION_LABELS, .selector = &from->subject});
	s->element = arena_array(&o->mem, from->rules, sizeof(*s->element));
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		s->default_deny[d] = o->tier == TIER_NORMAL && from->default_deny[d];
		s->selects[d] = s->default_deny[d];
	}
	for (size_t i = 0; i < from->rules; i++)
		add_element(m, o, s, &from->rule[i], i);
	o->specs++;
}

struct object *object_new(const struct object_maker *m, const struct policy *p, uint64_t digest)
{
	SCOPED(str_done) struct str name = {0};
	struct object *o = mem_alloc(sizeof(*o));

	policy_format_name(&name, p);
	o->references = 1;
	o->name = arena_strdup(&o->mem, str_text(&name));
	o->digest = digest;
	o->tier = p->tier;
	o->mode = p->mode;
	o->spec = arena_array(&o->mem, p->specs, sizeof(*o->spec));
	for (size_t i = 0; i < p->specs; i++)
		add_spec(m, o, &p->spec[i]);
	return o;
}

struct object *object_ref(struct object *o)
{
	o->references++;
	return o;
}

void object_unref(struct selections *t, struct object *o)
{
	if (--o->references)
		return;
	for (size_t i = 0; i < o->specs; i++) {
		const struct spec *s = &o->spec[i];

		selection_put(t, s->subject);
		for (size_t k = 0; k < s->elements; k++) {
			for (size_t n = 0; n < s->element[k].selections; n++)
				selection_put(t, s->element[k].selection[n]);
		}
	}
	arena_done(&o->mem);
	free(o);
}
