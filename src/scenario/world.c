/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities and compiled policy of a scenario. Called by whoever wants it judged. Owns the table
 * of identities and the compiled set. Must hold: labels and numbers come about as they do in the
 * agent, so that what holds here holds there.
 */
#include "scenario/world.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct policy_namespace *find_namespace(const struct scenario *s, const char *name)
{
	for (size_t i = 0; i < s->namespaces; i++) {
		if (str_eq(s->namespace[i].name, name))
			return &s->namespace[i];
	}
	for (size_t i = 0; i < s->set.namespaces; i++) {
		if (str_eq(s->set.namespace[i].name, name))
			return &s->set.namespace[i];
	}
	return NULL;
}

static int add_endpoint(struct world *w, struct scenario_endpoint *at, struct err *e)
{
	struct scenario *s = w->scenario;
	const struct policy_namespace *namespace = find_namespace(s, at->namespace);
	struct workload_place place = {
		.namespace = at->namespace, .cluster = s->settings.context.cluster};
	const struct identity_info *info;
	int r;

	if (namespace)
		place.namespace_labels = namespace->labels;
	r = labels_of_workload(&s->mem, &at->given, &place, &at->labels, e);
	r = r < 0 ? r : identity_get(w->identities, &at->labels, &info, e);
	if (r < 0) {
		err_prefix(e, "%s:%d: endpoint %s", at->origin.file, at->origin.line, at->name);
		return r;
	}
	at->identity = info->number;
	return 0;
}

/* Named ports as policies know them; free() the array, which holds the names. */
static struct named_port *ports_of(const struct scenario_endpoint *at)
{
	struct named_port *port;
	size_t size = 0;
	char *text;

	for (size_t i = 0; i < at->ports; i++)
		size += strlen(at->port[i].name) + 1;
	port = mem_alloc(at->ports * sizeof(*port) + size);
	text = (char *)(port + at->ports);
	for (size_t i = 0; i < at->ports; i++) {
		port[i] = (struct named_port){
			text, at->port[i].traffic.protocol, at->port[i].traffic.port};
		for (const char *c = at->port[i].name; *c; c++)
			*text++ = (char)tolower((unsigned char)*c);
		*text++ = 0;
	}
	return port;
}

/* Whether an endpoint has the named ports that its identity got from the first one. */
static bool same_ports(const struct scenario_endpoint *a, const struct scenario_endpoint *b)
{
	for (size_t i = 0; a->ports == b->ports && i < a->ports; i++) {
		if (!str_eq(a->port[i].name, b->port[i].name) ||
			a->port[i].traffic.protocol != b->port[i].traffic.protocol ||
			a->port[i].traffic.port != b->port[i].traffic.port)
			return false;
	}
	return a->ports == b->ports;
}

/* What tells an address apart: the longest prefix of those that reach it. */
struct reach {
	struct prefix *prefix;
	size_t count;
};

static const struct prefix *inside_of(const struct reach *r, const struct addr *a)
{
	return addr_is_zero(a) ? NULL : prefixes_longest(r->prefix, r->count, a);
}

/* The identity has the ports of its first endpoint; another one with other ports is a part. */
static int add_endpoint_part(
	struct world *w, const struct reach *reach, size_t index, struct err *e)
{
	struct scenario_endpoint *at = &w->scenario->endpoint[index], *first = at;
	SCOPED(freep) struct named_port *port = ports_of(at);
	struct identity_part part = {0};
	const struct identity_info *info;
	int r;

	for (size_t i = index; i-- > 0;) {
		if (w->scenario->endpoint[i].identity == at->identity)
			first = &w->scenario->endpoint[i];
	}
	if (first == at)
		identity_set_ports(w->identities, at->identity, port, at->ports);
	part.own_ports = !same_ports(first, at);
	part.port = port;
	part.ports = part.own_ports ? at->ports : 0;
	for (enum family f = 0; f < FAMILIES; f++) {
		part.inside = inside_of(reach, &at->addr[f]);
		r = identity_get_part(w->identities, at->identity, &part, &info, e);
		if (r < 0)
			return r;
		at->part[f] = info->number;
	}
	return 0;
}

static int add_node_parts(
	struct world *w, const struct reach *reach, struct scenario_node *n, struct err *e)
{
	n->part = arena_array(&w->scenario->mem, n->addrs, sizeof(*n->part));
	n->host_part = arena_array(&w->scenario->mem, n->addrs, sizeof(*n->host_part));
	for (size_t i = 0; i < n->addrs; i++) {
		struct identity_part part = {.inside = inside_of(reach, &n->addr[i])};
		const struct identity_info *there, *here;
		int r = identity_get_part(w->identities, n->identity, &part, &there, e);

		part.labels = n->labels;
		r = r < 0 ? r : identity_get_part(w->identities, IDENTITY_HOST, &part, &here, e);
		if (r < 0)
			return r;
		n->part[i] = there->number;
		n->host_part[i] = here->number;
	}
	return 0;
}

/* What a policy tells apart among ends of one identity. */
static int add_parts(struct world *w, struct err *e)
{
	struct scenario *s = w->scenario;
	struct reach reach;
	int r = 0;

	reach.count = policy_reach_prefixes(&s->set, &reach.prefix);
	for (size_t i = 0; r >= 0 && i < s->endpoints; i++)
		r = add_endpoint_part(w, &reach, i, e);
	for (size_t i = 0; r >= 0 && i < s->nodes; i++)
		r = add_node_parts(w, &reach, &s->node[i], e);
	free(reach.prefix);
	return r;
}

/* Another node: reserved:remote-node and its own labels. */
static int add_node(struct world *w, struct scenario_node *n, struct err *e)
{
	struct arena mem SCOPED(arena_done) = {0};
	const struct identity_info *info;
	struct labels l = {.count = n->labels.count + 1};
	int r;

	n->identity = IDENTITY_REMOTE_NODE;
	if (!n->labels.count)
		return 0;
	l.label = arena_array(&mem, l.count, sizeof(*l.label));
	for (size_t i = 0; i < n->labels.count; i++)
		l.label[i] = n->labels.label[i];
	l.label[n->labels.count] = (struct label){"reserved", "remote-node", ""};
	r = identity_get(w->identities, &l, &info, e);
	if (r >= 0)
		n->identity = info->number;
	return r;
}

static int add_prefixes(struct world *w, struct err *e)
{
	w->prefixes = policy_prefixes(&w->scenario->set, &w->prefix);
	w->prefix_identity = mem_array(w->prefixes, sizeof(*w->prefix_identity));
	for (size_t i = 0; i < w->prefixes; i++) {
		const struct identity_info *info;
		int r = identity_get_prefix(w->identities, &w->prefix[i], &info, e);

		if (r < 0)
			return r;
		w->prefix_identity[i] = info->number;
	}
	return 0;
}

static int compile(struct world *w, struct err *e)
{
	const struct scenario *s = w->scenario;
	SCOPED(freep) uint32_t *subject = mem_array(s->endpoints * FAMILIES, sizeof(*subject));

	int r;

	for (size_t i = 0; i < s->endpoints; i++)
		memcpy(&subject[i * FAMILIES], s->endpoint[i].part, sizeof(s->endpoint[i].part));
	r = policy_compile(&s->set, w->identities, subject, s->endpoints * FAMILIES,
		&(struct policy_options){s->settings.enforce, s->settings.audit}, w->ids, &w->own,
		e);
	w->compiled = w->own;
	return r;
}

int world_make(struct scenario *s, struct world *ret, struct err *e)
{
	struct world SCOPED(world_done) w = {.scenario = s, .ids = rule_ids_new()};
	int r = 0;

	w.identities = identities_new(s->settings.context.cluster, true);
	for (size_t i = 0; r >= 0 && i < s->endpoints; i++)
		r = add_endpoint(&w, &s->endpoint[i], e);
	for (size_t i = 0; r >= 0 && i < s->nodes; i++)
		r = add_node(&w, &s->node[i], e);
	r = r < 0 ? r : add_prefixes(&w, e);
	r = r < 0 ? r : add_parts(&w, e);
	r = r < 0 ? r : compile(&w, e);
	if (r < 0)
		return r;
	*ret = w;
	w = (struct world){0};
	return 0;
}

void world_borrow(struct world *w, struct scenario *s, struct identities *t,
	const struct compiled_set *compiled)
{
	*w = (struct world){.scenario = s, .identities = t, .compiled = compiled};
}

void world_done(struct world *w)
{
	compiled_set_freep(&w->own);
	if (w->ids)
		rule_ids_free(w->ids);
	identities_free(w->identities);
	free(w->prefix);
	free(w->prefix_identity);
	*w = (struct world){0};
}

struct invariant_view world_view(const struct world *w)
{
	return (struct invariant_view){w->compiled, w->identities, w->scenario->settings.localhost};
}

const struct rule_info *world_rule(const struct world *w, uint32_t id)
{
	return compiled_rule(w->compiled, id);
}
