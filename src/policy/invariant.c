/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions against a compiled set. Called by the agent before a change is put in force, and by
 * scenarios. Owns nothing beyond a check. Must hold: sources of one content and destinations of one
 * content meet each other in every combination of their classes, so that looking at classes is
 * looking at all pairs; what an assertion excepts is taken away before anything counts.
 */
#include "policy/invariant.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model/protocol.h"
#include "policy/ids.h"
#include "policy/party.h"
#include "policy/port_set.h"

/* Identities that nothing in the check tells apart but their classes as peers. */
struct group {
	const struct compiled_content *content; /* NULL: no slot, so nothing is judged here */
	uint64_t excepts; /* a bit per except whose party it is in */
	unsigned families;
	bool is_host; /* whom localhost lets in */
	struct ids ids;
};

struct groups {
	struct group *group;
	size_t count, room;
	struct hash by_key; /* to index + 1 */
};

/* A class that some member of a group has, and who. */
struct member_class {
	const struct port_set *ports;
	uint32_t id;
};

struct member_classes {
	struct member_class *class;
	size_t count, room;
};

struct check {
	const struct invariant_view *view;
	const struct invariant *invariant;
	struct invariant_result *result;
	struct outside outside;
	struct groups from, to;
	struct port_sets sets;
	struct hash kept; /* pairs of sets, excepts and families that keep it */
	struct member_classes egress, ingress;
};

/* --- groups ---------------------------------------------------------------------------------- */

static void groups_done(struct groups *g)
{
	for (size_t i = 0; i < g->count; i++)
		ids_done(&g->group[i].ids);
	free(g->group);
	hash_done(&g->by_key);
}

static void groups_add(struct groups *g, const struct group *like, uint32_t id)
{
	const uint64_t key[] = {(uintptr_t)like->content, like->excepts,
		like->families | (unsigned)like->is_host << 8};
	uintptr_t at = (uintptr_t)hash_get(&g->by_key, key, sizeof(key));

	if (!at) {
		mem_grow(&g->group, &g->room, g->count + 1, sizeof(*g->group));
		g->group[g->count] = *like;
		at = ++g->count;
		(void)hash_put(&g->by_key, key, sizeof(key), (void *)at);
	}
	ids_append(&g->group[at - 1].ids, id);
}

static const struct invariant_party *party_of(const struct invariant_scope *s, bool from)
{
	return from ? &s->from : &s->to;
}

static void make_groups(const struct check *c, bool from, struct groups *ret)
{
	const struct invariant *v = c->invariant;
	const struct invariant_party *party = party_of(&v->scope, from);
	const struct identity_info *info;
	struct parties parties;
	size_t cursor = 0;

	parties_init(&parties, &c->outside, party);
	while ((info = identities_next(c->view->identities, &cursor))) {
		const struct compiled_slot *slot;
		struct group like = {.families = identity_families(info),
			.is_host = info->number == IDENTITY_HOST};

		if (!parties_meet(&parties, info))
			continue;
		slot = identity_is_endpoint(info)
			       ? compiled_slot_find(c->view->compiled, info->number)
			       : NULL;
		like.content = slot ? slot->content : NULL;
		for (size_t i = 0; i < v->excepts; i++) {
			if (parties_hold(&parties, party_of(&v->except[i], from), info))
				like.excepts |= UINT64_C(1) << i;
		}
		groups_add(ret, &like, info->number);
	}
}

/* --- classes --------------------------------------------------------------------------------- */

static void add_class(struct check *c, struct member_classes *out,
	const struct compiled_class *class, uint32_t id)
{
	const struct port_set *ports = port_set_of(&c->sets, class);

	for (size_t i = 0; i < out->count; i++) {
		if (out->class[i].ports == ports)
			return;
	}
	mem_grow(&out->class, &out->room, out->count + 1, sizeof(*out->class));
	out->class[out->count++] = (struct member_class){ports, id};
}

/* The first of the identities that has no entry of its own. */
static bool find_base(const struct compiled_content *content, const struct ids *ids, uint32_t *ret)
{
	size_t k = 0;

	for (size_t i = 0; i < ids->count; i++) {
		while (k < content->peers && content->peer[k].identity < ids->id[i])
			k++;
		if (k < content->peers && content->peer[k].identity == ids->id[i])
			continue;
		*ret = ids->id[i];
		return true;
	}
	return false;
}

/* What the content says to the identities as peers. */
static void find_classes(struct check *c, const struct compiled_content *content,
	enum policy_direction d, const struct ids *ids, struct member_classes *out)
{
	uint32_t id;

	out->count = 0;
	if (!content) {
		add_class(c, out, NULL, ids->id[0]);
		return;
	}
	if (ids->count < content->peers) {
		for (size_t i = 0; i < ids->count; i++)
			add_class(c, out, compiled_class_of(content, d, ids->id[i]), ids->id[i]);
		return;
	}
	if (find_base(content, ids, &id))
		add_class(c, out, content->class[content->base[d]], id);
	for (size_t i = 0; i < content->peers; i++) {
		if (ids_has(ids, content->peer[i].identity))
			add_class(c, out, content->class[content->peer[i].class[d]],
				content -> peer[i].identity);
	}
}

/* --- ports ----------------------------------------------------------------------------------- */

static bool scope_has(const struct invariant_scope *s, uint8_t protocol, uint16_t port)
{
	for (size_t i = 0; i < s->ports; i++) {
		const struct port_range *r = &s->port[i];

		if (port_range_is_of(r, protocol) && r->first <= port && port <= r->last)
			return true;
	}
	return !s->ports;
}

/* Two classes that meet. */
struct meeting {
	const struct check *check;
	const struct port_set *egress, *ingress;
	uint64_t excepts;
	uint8_t protocol;
};

static bool breaks(const struct meeting *m, uint32_t port)
{
	const struct invariant *v = m->check->invariant;
	uint32_t first = protocol_has_ports(m->protocol) ? 1 : 0;
	uint32_t last = first || protocol_is_icmp(m->protocol) ? 65535 : 0;
	bool passes;

	if (port < first || port > last || !scope_has(&v->scope, m->protocol, (uint16_t)port))
		return false;
	passes = port_set_has(m->egress, m->protocol, (uint16_t)port) &&
		 port_set_has(m->ingress, m->protocol, (uint16_t)port);
	if (passes == v->always)
		return false;
	for (size_t i = 0; i < v->excepts; i++) {
		if (m->excepts >> i & 1 && scope_has(&v->except[i], m->protocol, (uint16_t)port))
			return false;
	}
	return true;
}

static bool breaks_at(const struct meeting *m, uint32_t port, uint16_t *ret)
{
	if (!breaks(m, port))
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool breaks_in_set(const struct meeting *m, const struct port_set *s, uint16_t *ret)
{
	for (size_t i = 0; i < s->spans; i++) {
		if (s->span[i].protocol == m->protocol &&
			(breaks_at(m, s->span[i].first, ret) ||
				breaks_at(m, s->span[i].last + 1u, ret)))
			return true;
	}
	return false;
}

static bool breaks_in_scope(const struct meeting *m, const struct invariant_scope *s, uint16_t *ret)
{
	for (size_t i = 0; i < s->ports; i++) {
		if (breaks_at(m, s->port[i].first, ret) || breaks_at(m, s->port[i].last + 1u, ret))
			return true;
	}
	return false;
}

/*
 * A port that breaks it. The least one is where something begins or ends; before these come ports
 * that people know.
 */
static bool find_port(const struct meeting *m, uint16_t *ret)
{
	static const uint16_t known[] = {443, 80, 53, 22, 8 << 8, 128 << 8};
	const struct invariant *v = m->check->invariant;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if ((known[i] > 443) == protocol_is_icmp(m->protocol) &&
			breaks_at(m, known[i], ret))
			return true;
	}
	if (breaks_at(m, 0, ret) || breaks_at(m, 1, ret) || breaks_in_set(m, m->egress, ret) ||
		breaks_in_set(m, m->ingress, ret) || breaks_in_scope(m, &v->scope, ret))
		return true;
	for (size_t i = 0; i < v->excepts; i++) {
		if (m->excepts >> i & 1 && breaks_in_scope(m, &v->except[i], ret))
			return true;
	}
	return false;
}

static bool scope_names(const struct invariant_scope *s, unsigned protocol)
{
	for (size_t i = 0; i < s->ports; i++) {
		if (s->port[i].protocol == protocol)
			return true;
	}
	return false;
}

static bool is_named(const struct meeting *m, unsigned protocol)
{
	const struct invariant *v = m->check->invariant;
	bool named = m->egress->named[protocol] || m->ingress->named[protocol] ||
		     scope_names(&v->scope, protocol);

	for (size_t i = 0; !named && i < v->excepts; i++)
		named = scope_names(&v->except[i], protocol);
	return named;
}

/* Protocols that nobody names are alike: the first of them stands for all. */
static bool find_breach(struct meeting *m, unsigned families, uint16_t *ret)
{
	static const uint8_t known[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_GRE};
	bool unnamed = false;

	for (unsigned i = 0; i < ARRAY_SIZE(known) + 256; i++) {
		bool is_known = i < ARRAY_SIZE(known);
		unsigned protocol = is_known ? known[i] : i - (unsigned)ARRAY_SIZE(known);

		if ((protocol == IPPROTO_ICMP && !(families & PARTY_V4)) ||
			(protocol == IPPROTO_ICMPV6 && !(families & PARTY_V6)))
			continue;
		if (!is_known && !is_named(m, protocol)) {
			if (unnamed || !protocol)
				continue;
			unnamed = true;
		}
		m->protocol = (uint8_t)protocol;
		if (find_port(m, ret))
			return true;
	}
	return false;
}

/* --- the check ------------------------------------------------------------------------------- */

static void note_breach(struct check *c, const struct meeting *m, uint16_t port, uint32_t from,
	uint32_t to, const struct group *gf, const struct group *gt, bool let_in)
{
	struct invariant_result *r = c->result;
	const bool judged[] = {
		[POLICY_INGRESS] = gt->content && !let_in, [POLICY_EGRESS] = gf->content != NULL};

	r->broken = true;
	r->from = from;
	r->to = to;
	r->protocol = m->protocol;
	r->port = port;
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		uint32_t self = d == POLICY_EGRESS ? from : to;

		r->judged[d] = judged[d];
		if (judged[d])
			r->decision[d] =
				*compiled_lookup(compiled_slot_find(c->view->compiled, self), d,
					d == POLICY_EGRESS ? to : from, m->protocol, port);
	}
}

static bool meet(struct check *c, const struct group *gf, const struct group *gt)
{
	bool let_in = gf->is_host && c->view->localhost;
	struct meeting m = {.check = c, .excepts = gf->excepts & gt->excepts};
	unsigned families = gf->families & gt->families;

	find_classes(c, gf->content, POLICY_EGRESS, &gt->ids, &c->egress);
	find_classes(c, let_in ? NULL : gt->content, POLICY_INGRESS, &gf->ids, &c->ingress);
	for (size_t i = 0; i < c->egress.count * c->ingress.count; i++) {
		const struct member_class *e = &c->egress.class[i / c->ingress.count];
		const struct member_class *in = &c->ingress.class[i % c->ingress.count];
		const uint64_t key[] = {
			(uintptr_t)e->ports, (uintptr_t)in->ports, m.excepts, families};
		uint16_t port;

		if (hash_get(&c->kept, key, sizeof(key)))
			continue;
		m.egress = e->ports;
		m.ingress = in->ports;
		if (find_breach(&m, families, &port)) {
			note_breach(c, &m, port, in->id, e->id, gf, gt, let_in);
			return true;
		}
		(void)hash_put(&c->kept, key, sizeof(key), c);
	}
	return false;
}

/* Whether something of what the two groups say to each other is in the scope. */
static bool counts(const struct check *c, const struct group *gf, const struct group *gt)
{
	const struct invariant *v = c->invariant;

	if ((!gf->content && !gt->content) || !(gf->families & gt->families))
		return false;
	for (size_t i = 0; i < v->excepts; i++) {
		if (gf->excepts & gt->excepts & UINT64_C(1) << i && !v->except[i].ports)
			return false;
	}
	return true;
}

void invariant_check(
	const struct invariant_view *v, const struct invariant *i, struct invariant_result *ret)
{
	struct check c = {.view = v, .invariant = i, .result = ret};

	*ret = (struct invariant_result){0};
	outside_init(&c.outside, v->identities);
	make_groups(&c, true, &c.from);
	make_groups(&c, false, &c.to);
	for (size_t f = 0; f < c.from.count; f++) {
		for (size_t t = 0; t < c.to.count; t++) {
			const struct group *gf = &c.from.group[f], *gt = &c.to.group[t];

			if (!counts(&c, gf, gt))
				continue;
			ret->pairs += (uint64_t)gf->ids.count * gt->ids.count;
			if (!ret->broken)
				(void)meet(&c, gf, gt);
		}
	}
	outside_done(&c.outside);
	groups_done(&c.from);
	groups_done(&c.to);
	port_sets_done(&c.sets);
	hash_done(&c.kept);
	free(c.egress.class);
	free(c.ingress.class);
}
