/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the rule that nearly allowed something, and says what it wanted instead. Called for the
 * failures of tests and for `kilim policy explain`. Owns nothing; texts go into the caller's arena.
 * Must hold: it only explains a verdict, which is the data path's; nothing here decides one.
 */
#include "scenario/explain.h"

#include <string.h>

/* How much of a rule does not fit; less is nearer. */
struct miss {
	unsigned fields; /* peer, and port or protocol */
	unsigned detail; /* requirements of the nearest peer */
	const char *field;
	char *text;
};

struct question {
	struct arena *mem;
	const struct policy_set *set;
	enum policy_direction direction;
	const struct explain_end *self, *peer;
	const struct traffic *traffic;
};

/* ---- peers ---- */

static void format_values(struct str *out, const struct requirement *q)
{
	if (q->values != 1)
		str_add(out, " in (");
	else
		str_add(out, "=");
	for (size_t i = 0; i < q->values; i++)
		str_printf(out, "%s%s", i ? ", " : "", q->value[i]);
	if (q->values != 1)
		str_add(out, ")");
}

static char *requirement_text(
	const struct question *x, const struct requirement *q, const struct label *has)
{
	SCOPED(str_done) struct str out = {0};
	const char *who = x->peer->name;
	bool any = str_eq(q->key.source, "any"); /* people leave it out */

	str_printf(&out, "wants %s%s%s%s",
		q->op == SELECTOR_DOES_NOT_EXIST || q->op == SELECTOR_NOT_IN ? "no " : "",
		any ? "" : q->key.source, any ? "" : ":", q->key.key);
	if (q->op == SELECTOR_IN || q->op == SELECTOR_NOT_IN)
		format_values(&out, q);
	if (has)
		str_printf(&out, ", %s has %s:%s%s%s", who, has->source, has->key,
			*has->value ? "=" : "", has->value);
	else
		str_printf(&out, ", %s has no such label", who);
	return arena_strdup(x->mem, str_text(&out));
}

static void miss_peer(struct miss *best, unsigned detail, const char *field, char *text)
{
	if (best->field && best->detail <= detail)
		return;
	best->detail = detail;
	best->field = field;
	best->text = text;
}

/* Whether the peer has what the selector asks for; else the first requirement that it has not. */
static bool selector_fits(const struct question *x, const struct selector *s, struct miss *best)
{
	const struct requirement *first = NULL;
	unsigned failed = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct selector one = {&s->requirement[i], 1};

		if (selector_matches(&one, x->peer->labels))
			continue;
		first = first ? first : &s->requirement[i];
		failed++;
	}
	if (!first)
		return true;
	miss_peer(best, failed, "peer",
		requirement_text(
			x, first, labels_find(x->peer->labels, first->key.source, first->key.key)));
	return false;
}

static bool selectors_fit(const struct question *x, const struct peer *p, struct miss *best)
{
	for (size_t i = 0; i < p->selectors; i++) {
		if (selector_fits(x, &p->selector[i], best))
			return true;
	}
	if (!p->selectors)
		miss_peer(best, 9, "peer", arena_strdup(x->mem, "selects nobody"));
	return false;
}

/* reach: what the prefix means beside addresses outside. */
static bool prefix_fits(
	const struct question *x, const struct prefix *p, const struct peer *of, struct miss *best)
{
	char prefix[ADDR_TEXT], addr[ADDR_TEXT];

	prefix_format(p, prefix);
	addr_format(&x->peer->addr, addr);
	if (x->peer->is_endpoint && !(of->reach & PREFIX_PODS)) {
		miss_peer(best, 3, "CIDR",
			arena_printf(x->mem, "%s means addresses outside, %s is an endpoint",
				prefix, x->peer->name));
		return false;
	}
	if (x->peer->is_node && !(of->reach & PREFIX_NODES)) {
		miss_peer(best, 3, "CIDR",
			arena_printf(x->mem, "%s means addresses outside, %s is a node", prefix,
				x->peer->name));
		return false;
	}
	if (!prefix_has(p, &x->peer->addr)) {
		miss_peer(best, 2, "CIDR", arena_printf(x->mem, "%s is not in %s", addr, prefix));
		return false;
	}
	for (size_t i = 0; i < of->excepts; i++) {
		char except[ADDR_TEXT];

		if (!prefix_has(&of->except[i], &x->peer->addr))
			continue;
		miss_peer(best, 1, "CIDR",
			arena_printf(x->mem, "%s is in %s, but also in its except %s", addr, prefix,
				prefix_format(&of->except[i], except)));
		return false;
	}
	return true;
}

static bool prefixes_fit(const struct question *x, const struct prefix *p, size_t count,
	const struct peer *of, struct miss *best)
{
	for (size_t i = 0; i < count; i++) {
		if (prefix_fits(x, &p[i], of, best))
			return true;
	}
	return false;
}

static bool object_is_meant(
	const struct peer *p, const char *namespace, const char *name, const struct labels *labels)
{
	if (namespace && *p->namespace && !str_eq(p->namespace, namespace))
		return false;
	if (p->name)
		return str_eq(p->name, name);
	for (size_t i = 0; i < p->selectors; i++) {
		if (selector_matches(&p->selector[i], labels))
			return true;
	}
	return false;
}

static bool groups_fit(const struct question *x, const struct peer *p, struct miss *best)
{
	for (size_t i = 0; i < x->set->groups; i++) {
		const struct policy_group *g = &x->set->group[i];

		if (object_is_meant(p, NULL, g->name, &g->labels) &&
			prefixes_fit(x, g->prefix, g->prefixes, p, best))
			return true;
	}
	if (!best->field)
		miss_peer(best, 9, "peer",
			arena_printf(x->mem, "group %s has no prefixes", p->name ? p->name : ""));
	return false;
}

static bool services_fit(const struct question *x, const struct peer *p, struct miss *best)
{
	for (size_t i = 0; i < x->set->services; i++) {
		const struct policy_service *s = &x->set->service[i];

		if (!object_is_meant(p, s->namespace, s->name, &s->labels))
			continue;
		if (s->has_selector && x->peer->is_endpoint &&
			selector_matches(&s->selector, x->peer->labels))
			return true;
		for (size_t k = 0; k < s->backends; k++) {
			if (addr_eq(&s->backend[k], &x->peer->addr))
				return true;
		}
	}
	miss_peer(best, 2, "peer",
		arena_printf(x->mem, "%s is no backend of %s%s", x->peer->name,
			p->name ? "service " : "the services selected", p->name ? p->name : ""));
	return false;
}

static bool peer_fits(const struct question *x, const struct peer *p, struct miss *best)
{
	switch (p->kind) {
	case PEER_ANY:
		return true;
	case PEER_SELECTOR:
		return selectors_fit(x, p, best);
	case PEER_NODE:
		if (x->peer->is_node && (p->own_node || !x->peer->is_own_node))
			return selectors_fit(x, p, best);
		miss_peer(best, 3, "peer",
			arena_printf(x->mem, "is for %snodes, %s is none",
				p->own_node ? "" : "other ", x->peer->name));
		return false;
	case PEER_PREFIX:
		return prefixes_fit(x, p->prefix, p->prefixes, p, best);
	case PEER_GROUP:
		return groups_fit(x, p, best);
	case PEER_SERVICE:
		return services_fit(x, p, best);
	case PEER_NONE:
		break;
	}
	miss_peer(best, 9, "peer", arena_strdup(x->mem, "has an empty list of peers: nobody"));
	return false;
}

/* ---- ports ---- */

static void format_range(struct str *out, const struct port_range *p)
{
	struct traffic first = {.protocol = p->protocol, .port = p->first};

	if (p->name)
		str_printf(out, "%s/", p->name);
	else if (protocol_is_icmp(p->protocol))
		traffic_format(out, &first);
	else if (p->first == 0 && p->last == UINT16_MAX)
		str_add(out, p->protocol && !protocol_has_ports(p->protocol) ? "" : "any port/");
	else if (p->first == p->last)
		str_printf(out, "%u/", p->first);
	else
		str_printf(out, "%u-%u/", p->first, p->last);
	if (!p->protocol)
		str_add(out, "ANY");
	else if (!protocol_is_icmp(p->protocol))
		protocol_format(out, p->protocol);
}

static bool range_fits(const struct question *x, const struct port_range *p)
{
	const struct explain_end *to = x->direction == POLICY_INGRESS ? x->self : x->peer;

	if (!port_range_is_of(p, x->traffic->protocol))
		return false;
	if (!p->name)
		return x->traffic->port >= p->first && x->traffic->port <= p->last;
	for (size_t i = 0; i < to->ports; i++) {
		if (!strcasecmp(to->port[i].name, p->name) &&
			to->port[i].traffic.protocol == x->traffic->protocol &&
			to->port[i].traffic.port == x->traffic->port)
			return true;
	}
	return false;
}

/* The number of another protocol that is asked for. */
static bool is_namesake(const struct question *x, const struct port_range *p)
{
	return protocol_has_ports(x->traffic->protocol) && protocol_has_ports(p->protocol) &&
	       x->traffic->port >= p->first && x->traffic->port <= p->last;
}

static bool ports_fit(const struct question *x, const struct rule *r, struct miss *miss)
{
	/* a rule for quite another protocol is hardly about this */
	enum { SHOWN = 8, OTHER_PROTOCOL = 4 };
	SCOPED(str_done) struct str out = {0};
	bool protocol = false, namesake = false;

	for (size_t i = 0; i < r->ports; i++) {
		if (range_fits(x, &r->port[i]))
			return true;
		protocol |= port_range_is_of(&r->port[i], x->traffic->protocol);
		namesake |= is_namesake(x, &r->port[i]);
	}
	if (!r->ports)
		return true;
	str_add(&out, "allows ");
	for (size_t i = 0; i < r->ports && i < SHOWN; i++) {
		str_add(&out, i ? ", " : "");
		format_range(&out, &r->port[i]);
	}
	str_add(&out, r->ports > SHOWN ? ", ... and not " : ", not ");
	traffic_format(&out, x->traffic);
	miss->field = protocol ? "port" : "protocol";
	miss->detail = protocol || namesake ? 0 : OTHER_PROTOCOL;
	miss->text = arena_strdup(x->mem, str_text(&out));
	return false;
}

/* ---- rules ---- */

static struct miss rule_misses(const struct question *x, const struct rule *r)
{
	struct miss peer = {0}, port = {0};
	bool fits = false, has_ports = ports_fit(x, r, &port);

	for (size_t i = 0; !fits && i < r->peers; i++)
		fits = peer_fits(x, &r->peer[i], &peer);
	if (fits)
		peer = port;
	else if (!has_ports)
		peer.text = arena_printf(x->mem, "%s; and %s", peer.text, port.text);
	peer.fields = !fits + !has_ports;
	return peer;
}

static void try_rules(const struct question *x, const struct policy *p,
	const struct policy_spec *spec, struct miss *best, struct explain_near *ret)
{
	for (size_t i = 0; i < spec->rules; i++) {
		const struct rule *r = &spec->rule[i];
		struct miss m;

		if (r->direction != x->direction || r->action != ACTION_ALLOW)
			continue;
		m = rule_misses(x, r);
		if (!m.fields || (best->fields && (m.fields > best->fields ||
							  (m.fields == best->fields &&
								  m.detail >= best->detail))))
			continue;
		*best = m;
		*ret = (struct explain_near){p, r, m.field, m.text};
	}
}

void explain_nearest(struct arena *mem, const struct policy_set *set,
	enum policy_direction direction, const struct explain_end *self,
	const struct explain_end *peer, const struct traffic *t, struct explain_near *ret)
{
	const struct question x = {mem, set, direction, self, peer, t};
	struct miss best = {0};

	*ret = (struct explain_near){0};
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];

		for (size_t k = 0; p->mode == MODE_ENFORCE && k < p->specs; k++) {
			if (selector_matches(&p->spec[k].subject, self->labels))
				try_rules(&x, p, &p->spec[k], &best, ret);
		}
	}
}

/* Whether a NetworkPolicy denies by default, which does not stop traffic to the own node. */
static bool is_spared(const struct policy_set *set, enum policy_direction d,
	const struct explain_end *self, const struct explain_end *peer)
{
	for (size_t i = 0; peer->is_own_node && i < set->count; i++) {
		const struct policy *p = &set->policy[i];

		for (size_t k = 0; p->mode == MODE_ENFORCE && k < p->specs; k++) {
			const struct policy_spec *s = &p->spec[k];

			if (s->spares_own_node && s->default_deny[d] &&
				selector_matches(&s->subject, self->labels))
				return true;
		}
	}
	return false;
}

void explain(struct explanation *x, const struct policy_set *set)
{
	for (enum policy_direction d = 0; d < POLICY_DIRECTIONS; d++) {
		struct explain_side *s = &x->side[d];
		const struct explain_end *self = d == POLICY_INGRESS ? &x->to : &x->from;
		const struct explain_end *peer = d == POLICY_INGRESS ? &x->from : &x->to;

		s->direction = d;
		if (s->is_judged && s->because == BECAUSE_DEFAULT_DENY)
			explain_nearest(&x->mem, set, d, self, peer, &x->traffic, &s->near);
		if (s->is_judged && s->is_enforced && s->because == BECAUSE_NO_POLICY)
			s->is_spared = is_spared(set, d, self, peer);
	}
}

void explanation_done(struct explanation *x)
{
	arena_done(&x->mem);
	*x = (struct explanation){0};
}
