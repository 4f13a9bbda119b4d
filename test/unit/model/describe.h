/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_MODEL_DESCRIBE_H
#define KILIM_TEST_MODEL_DESCRIBE_H
/*
 * A rule of the model in one line, so that tables can say what a document must become:
 * "DIRECTION ACTION[ order=N] PEERS[ ports=PORTS]"; peers and ports are joined by '|'.
 */
#include "fixture.h"
#include "model/addr.h"

static inline void describe_selectors(struct str *out, const struct peer *p)
{
	for (size_t i = 0; i < p->selectors; i++) {
		str_add(out, i ? " or " : "");
		selector_format(out, &p->selector[i]);
		str_add(out, p->selector[i].count ? "" : "*");
	}
}

static inline void describe_prefixes(
	struct str *out, const char *before, const struct prefix *prefix, size_t count)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < count; i++)
		str_printf(out, "%s%s", i ? "," : before, prefix_format(&prefix[i], text));
}

static inline void describe_peer(struct str *out, const struct peer *p)
{
	static const char *const kinds[] = {[PEER_ANY] = "any",
		[PEER_SELECTOR] = "endpoint",
		[PEER_NODE] = "node",
		[PEER_PREFIX] = "cidr",
		[PEER_GROUP] = "group",
		[PEER_SERVICE] = "service",
		[PEER_NONE] = "none"};

	str_printf(out, "%s", kinds[p->kind]);
	if (p->kind == PEER_ANY || p->kind == PEER_NONE)
		return;
	str_add(out, "{");
	if (p->namespace)
		str_printf(out, "%s/", p->namespace);
	if (p->name)
		str_add(out, p->name);
	describe_selectors(out, p);
	describe_prefixes(out, "", p->prefix, p->prefixes);
	describe_prefixes(out, " except ", p->except, p->excepts);
	str_add(out, p->reach & PREFIX_PODS ? " +pods" : "");
	str_add(out, p->reach & PREFIX_NODES ? " +nodes" : "");
	str_add(out, p->own_node ? " +own" : "");
	str_add(out, "}");
}

static inline void describe_port(struct str *out, const struct port_range *p)
{
	str_printf(out, "%u:", p->protocol);
	if (p->name)
		str_add(out, p->name);
	else if (p->first == p->last)
		str_printf(out, "%u", p->first);
	else
		str_printf(out, "%u-%u", p->first, p->last);
}

static inline void describe_rule(struct str *out, const struct rule *r)
{
	static const char *const actions[] = {
		[ACTION_ALLOW] = "allow", [ACTION_DENY] = "deny", [ACTION_PASS] = "pass"};

	str_printf(out, "%s %s", r->direction == POLICY_INGRESS ? "in" : "out", actions[r->action]);
	if (r->order != RULE_UNORDERED)
		str_printf(out, " order=%d", r->order);
	str_add(out, " ");
	for (size_t i = 0; i < r->peers; i++) {
		str_add(out, i ? "|" : "");
		describe_peer(out, &r->peer[i]);
	}
	for (size_t i = 0; i < r->ports; i++) {
		str_add(out, i ? "|" : " ports=");
		describe_port(out, &r->port[i]);
	}
}

/* A document, and its rules: joined by "; ". */
struct described {
	const char *text, *rules;
};

static inline void check_described(
	const struct policy_context *context, const struct described *row)
{
	struct reading r = {0};
	struct str out = {0};

	reading_need(&r, context, row->text);
	for (size_t i = 0; i < r.set.policy[0].specs; i++) {
		const struct policy_spec *s = &r.set.policy[0].spec[i];

		for (size_t k = 0; k < s->rules; k++) {
			str_add(&out, out.len ? "; " : "");
			describe_rule(&out, &s->rule[k]);
		}
	}
	assert_string_equal(str_text(&out), row->rules);
	str_done(&out);
	reading_done(&r);
}

#endif
