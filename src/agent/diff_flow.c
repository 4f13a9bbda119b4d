/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which flows would get another verdict: those of the flow table and of the flow history, judged by
 * both sets as the data path would. Called by api_diff.c. Must hold: flows between the same two
 * ends and to the same port are one, however many ports they came from.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "abi/identity.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/diff.h"
#include "agent/endpoint.h"
#include "agent/flows.h"
#include "datapath/datapath.h"
#include "flow/name.h"
#include "flow/record.h"
#include "flow/ring.h"
#include "model/protocol.h"

enum { FLOWS_MAX = 65536, LISTED_MAX = 1000 };

/* A conversation by who opened it. */
struct flow_key {
	struct addr addr[2]; /* opener, answerer */
	uint32_t endpoint[2], identity[2];
	uint16_t port; /* the answerer's; ICMP: type << 8 | code */
	uint8_t protocol, family;
};

struct judged {
	const char *verdict;
	enum policy_direction direction; /* that decided */
	uint32_t rule;
};

struct walk {
	const struct diff *diff;
	struct hash seen; /* struct flow_key to its count */
	size_t changed;
	json_t *list;
};

/* --- judging --------------------------------------------------------------------------------- */

static const struct prefix *longest(const struct generation *g, const struct addr *a, uint32_t *ret)
{
	const struct prefix *p = prefixes_longest(g->prefix, g->prefixes, a);

	if (p)
		*ret = g->prefix_identity[p - g->prefix];
	return p;
}

/* What an end goes by in both sets. */
static uint32_t part_of(const struct diff *d, const struct flow_key *f, int end)
{
	const struct agent_endpoint *ep =
		f->endpoint[end] ? endpoint_by_id(d->agent->endpoints, f->endpoint[end]) : NULL;
	uint32_t from = 0, to = 0;
	const struct prefix *a, *b;

	if (ep)
		return ep->next.is ? ep->next.part[f->family == 6] : ep->part[f->family == 6];
	for (size_t i = 0; i < d->to->nodes; i++) {
		if (addr_eq(&d->to->node[i].address.addr, &f->addr[end]))
			return d->to->node[i].part;
	}
	a = longest(d->from, &f->addr[end], &from);
	b = longest(d->to, &f->addr[end], &to);
	if (a && (!b || a->bits > b->bits))
		return from;
	if (b)
		return to;
	/* prefixes that were named then are the world now */
	if (f->identity[end] >= IDENTITY_LOCAL_MIN || !f->identity[end])
		return f->family == 4 ? IDENTITY_WORLD_IPV4 : IDENTITY_WORLD_IPV6;
	return f->identity[end];
}

static bool judge_way(const struct compiled_set *c, enum policy_direction direction, uint32_t self,
	uint32_t other, const struct flow_key *f, struct judged *ret)
{
	const struct compiled_slot *s = compiled_slot_find(c, self);
	const struct decision *x =
		s ? compiled_lookup(s, direction, other, f->protocol, f->port) : NULL;

	*ret = (struct judged){"deny", direction, x ? x->rule : 0};
	if (!x)
		return false;
	if (x->verdict == POLICY_ALLOW)
		ret->verdict = "allow";
	else if (x->flags & POLICY_AUDIT)
		ret->verdict = "audit";
	return x->verdict == POLICY_ALLOW;
}

/* Both directions, as stage policy asks them: ways[d] is false where nobody is asked. The answer is
 * the one that denies, else that of the last. */
static struct judged judge(const struct walk *w, const struct generation *g,
	const struct flow_key *f, const uint32_t part[2])
{
	const struct agent *a = w->diff->agent;
	struct judged one = {"allow", POLICY_INGRESS, 0};
	bool local = a->conf->localhost != CONF_LOCALHOST_POLICY && f->identity[0] == IDENTITY_HOST;

	if (f->endpoint[0] && !judge_way(g->compiled, POLICY_EGRESS, part[0], part[1], f, &one))
		return one;
	if (f->endpoint[1] && !local)
		(void)judge_way(g->compiled, POLICY_INGRESS, part[1], part[0], f, &one);
	return one;
}

/* The rule of one direction, for the side that passes where the other is denied. */
static struct judged judge_direction(const struct generation *g, const struct flow_key *f,
	const uint32_t part[2], enum policy_direction d)
{
	int self = d == POLICY_EGRESS ? 0 : 1;
	struct judged one;

	(void)judge_way(g->compiled, d, part[self], part[!self], f, &one);
	return one;
}

/* --- writing --------------------------------------------------------------------------------- */

static json_t *judged_json(const struct generation *g, const struct judged *j)
{
	const struct rule_info *r = j->rule ? generation_rule(g, j->rule) : NULL;
	SCOPED(str_done) struct str text = {0};

	if (r)
		rule_format(&text, r);
	else
		str_add(&text, "no policy");
	return json_pack("{s:s, s:s, s:s}", "verdict", j->verdict, "direction",
		j->direction == POLICY_INGRESS ? "ingress" : "egress", "rule", str_text(&text));
}

static void add_labels(struct str *out, const struct identity_info *info)
{
	for (size_t i = 0; i < info->labels.count; i++) {
		str_add(out, i ? "," : "");
		label_format(out, &info->labels.label[i]);
	}
}

static json_t *end_json(const struct diff *d, const struct flow_key *f, int end)
{
	const struct agent_endpoint *ep =
		f->endpoint[end] ? endpoint_by_id(d->agent->endpoints, f->endpoint[end]) : NULL;
	const struct identity_info *info = identity_find(d->agent->identities, f->identity[end]);
	SCOPED(str_done) struct str name = {0};
	char text[ADDR_TEXT];

	if (ep)
		str_printf(&name, "%s%s%s", ep->namespace, *ep->namespace ? "/" : "", ep->name);
	else if (info)
		add_labels(&name, info);
	return json_pack("{s:s, s:I, s:s}", "address", addr_format(&f->addr[end], text), "identity",
		(json_int_t)f->identity[end], "name", str_text(&name));
}

static void compare(struct walk *w, const struct flow_key *f, size_t count)
{
	const struct diff *d = w->diff;
	const uint32_t part[2] = {part_of(d, f, 0), part_of(d, f, 1)};
	struct judged a = judge(w, d->from, f, part), b = judge(w, d->to, f, part);
	char number[FLOW_PROTOCOL_TEXT];

	if (str_eq(a.verdict, b.verdict))
		return;
	if (str_eq(a.verdict, "allow"))
		a = judge_direction(d->from, f, part, b.direction);
	else if (str_eq(b.verdict, "allow"))
		b = judge_direction(d->to, f, part, a.direction);
	if (w->changed++ >= LISTED_MAX)
		return;
	(void)json_array_append_new(
		w->list, json_pack("{s:s, s:i, s:o, s:o, s:I, s:o, s:o}", "protocol",
				 flow_protocol_format(f->protocol, number), "port", f->port,
				 "source", end_json(d, f, 0), "destination", end_json(d, f, 1),
				 "count", (json_int_t)count, "before", judged_json(d->from, &a),
				 "after", judged_json(d->to, &b)));
}

/* --- collecting ------------------------------------------------------------------------------ */

static void note(struct walk *w, const struct flow_key *f)
{
	size_t count = (size_t)hash_get(&w->seen, f, sizeof(*f));

	if (f->family && f->protocol && (f->endpoint[0] || f->endpoint[1]) &&
		(count || w->seen.count < FLOWS_MAX))
		(void)hash_put(&w->seen, f, sizeof(*f), (void *)(count + 1));
}

static uint16_t echo(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP ? 8 << 8 : 128 << 8;
}

static int on_entry(const struct dp_flow *x, void *data)
{
	unsigned opener = x->flow.flags & FLOW_ORIGIN_HIGH ? 1 : 0;
	struct flow_key f;
	bool icmp = protocol_is_icmp(x->protocol);

	memset(&f, 0, sizeof(f));
	f.protocol = x->protocol;
	f.family = x->family;
	f.addr[0] = x->addr[opener];
	f.addr[1] = x->addr[!opener];
	f.port = icmp ? echo(x->protocol) : x->port[!opener];
	for (int i = 0; i < 2; i++) {
		f.endpoint[i] = x->flow.endpoint[i];
		f.identity[i] = x->flow.identity[i];
	}
	note(data, &f);
	return 0;
}

static void on_record(struct walk *w, const struct flow_record *r)
{
	int opener = r->is_reply == FLOW_REPLY_YES ? 1 : 0;
	const struct flow_end *end[2] = {r->source_end, r->destination_end};
	bool icmp = protocol_is_icmp(r->protocol);
	struct flow_key f;

	/* what was not dropped is told by its policy verdict and its trace, too: once is enough */
	if (r->event_type == FLOW_EVENT_POLICY_VERDICT || !r->family || !end[0] || !end[1] ||
		r->trace_reason == FLOW_TRACE_RELATED)
		return;
	memset(&f, 0, sizeof(f));
	f.protocol = r->protocol;
	f.family = r->family;
	f.addr[opener] = r->source;
	f.addr[!opener] = r->destination;
	f.port = opener ? r->source_port : r->destination_port;
	if (icmp)
		f.port = opener ? echo(r->protocol) : (uint16_t)(r->icmp_type << 8 | r->icmp_code);
	for (int i = 0; i < 2; i++) {
		f.endpoint[i ^ opener] = end[i]->id;
		f.identity[i ^ opener] = end[i]->identity;
	}
	note(w, &f);
}

json_t *diff_flows(const struct diff *d)
{
	struct walk w = {.diff = d, .list = json_array()};
	struct flow_ring *ring = flows_ring(d->agent->flows);
	uint64_t at = 1, lost = 0;
	const struct flow_record *r;
	size_t seen;

	(void)datapath_flow_each(d->agent->datapath, on_entry, &w);
	while ((r = flow_ring_read(ring, &at, &lost)))
		on_record(&w, r);
	HASH_EACH(&w.seen, x)
		compare(&w, (const struct flow_key *)(const void *)x->key, (size_t)x->value);
	seen = w.seen.count;
	hash_done(&w.seen);
	return json_pack("{s:I, s:I, s:o}", "seen", (json_int_t)seen, "changed",
		(json_int_t)w.changed, "flows", w.list);
}
