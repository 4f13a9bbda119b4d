/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of GET /v1/policy, and the policy as the API has it. Called by the API server; they only
 * read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/endpoint.h"
#include "agent/invariant.h"
#include "agent/policy.h"
#include "agent/source_edit.h"
#include "codec/json.h"
#include "datapath/datapath.h"

struct selection {
	size_t endpoints, realized;
};

/* How many endpoints of this node the policy selects, each once; and of these, how many live by the
 * revision in force. */
static struct selection selected(struct agent *a, const struct policy *p)
{
	struct selection n = {0};

	for (struct agent_endpoint *ep = endpoint_after(a->endpoints, 0); ep;
		ep = endpoint_after(a->endpoints, ep->id)) {
		bool hit = false;

		for (size_t i = 0; !hit && i < p->specs; i++)
			hit = selector_matches(&p->spec[i].subject, &ep->labels);
		n.endpoints += hit;
		n.realized += hit && ep->state == ENDPOINT_STATE_READY &&
			      policies_know(a->policies, ep->part);
	}
	return n;
}

static json_t *labels_json(const struct labels *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->count; i++) {
		SCOPED(str_done)
		struct str text = {0};

		label_format(&text, &l->label[i]);
		(void)json_array_append_new(list, json_string(str_text(&text)));
	}
	return list;
}

static const char *match_name(const struct rule_info *r)
{
	static const char *const names[] = {[RULE_ALLOW] = "allow",
		[RULE_DENY] = "deny",
		[RULE_DEFAULT_DENY] = "default-deny",
		[RULE_PASS] = "pass"};

	return names[r->kind];
}

static bool is_of(const struct rule_info *r, const struct policy *p)
{
	for (size_t i = 0; i < r->policies; i++) {
		if (r->policy[i] == p)
			return true;
	}
	return false;
}

/*
 * Whether a shadow verdict of the rule is due to the policy: it is its own, or it is its enforced
 * namesake's, which counts for nothing where the other does. Equal default denies of both are one.
 */
static bool is_shadow_of(const struct rule_info *r, const struct policy *p)
{
	for (size_t i = 0; p->mode == MODE_SHADOW && i < r->policies; i++) {
		const struct policy *q = r->policy[i];

		if (str_eq(p->name, q->name) && str_eq(p->namespace, q->namespace) &&
			str_eq(p->kind, q->kind))
			return true;
	}
	return false;
}

/* What the policy's rules have decided; shadow is how often it would have been otherwise. */
struct rule_hit policy_hits(struct agent *a, const struct policy *p)
{
	const struct compiled_set *c = policies_compiled(a->policies);
	struct rule_hit all = {0};

	for (size_t i = 0; c && i < c->rules; i++) {
		const struct rule_info *r = &c->rule[i];
		struct rule_hit hit;

		bool own = is_of(r, p), shadow = is_shadow_of(r, p);

		if ((!own && !shadow) || datapath_rule_hits(a->datapath, &r->id, 1, &hit, NULL) < 0)
			continue;
		all.shadow += shadow ? hit.shadow : 0;
		/* a default deny belongs to all that cause it: not to be counted for each */
		all.decisions += own && r->kind != RULE_DEFAULT_DENY ? hit.decisions : 0;
	}
	return all;
}

/* The rules in force that this policy makes. Empty for one that is not in force. */
static json_t *rules_json(struct agent *a, const struct policy *p)
{
	const struct compiled_set *c = policies_compiled(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; c && i < c->rules; i++) {
		const struct rule_info *r = &c->rule[i];
		struct rule_hit hit = {0};

		if (!is_of(r, p))
			continue;
		(void)datapath_rule_hits(a->datapath, &r->id, 1, &hit, NULL);
		(void)json_array_append_new(list,
			json_pack("{s:i, s:s, s:s, s:s, s:i, s:I, s:I}", "id", (int)r->id,
				"direction", r->direction == POLICY_INGRESS ? "ingress" : "egress",
				"verdict", match_name(r), "path", r->path ? r->path : "", "line",
				r->origin.line, "hits", (json_int_t)hit.decisions,
				"shadow_differences", (json_int_t)hit.shadow));
	}
	return list;
}

/* Their numbers. */
static json_t *rule_ids_json(struct agent *a, const struct policy *p)
{
	const struct compiled_set *c = policies_compiled(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; c && i < c->rules; i++) {
		if (is_of(&c->rule[i], p))
			(void)json_array_append_new(list, json_integer(c->rule[i].id));
	}
	return list;
}

/* The policy of this name in a set, or NULL. */
static const struct policy *set_find(const struct policy_set *set, const struct policy *p)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *q = &set->policy[i];

		if (p->mode == q->mode && str_eq(p->name, q->name) &&
			str_eq(p->namespace, q->namespace) && str_eq(p->kind, q->kind))
			return q;
	}
	return NULL;
}

static const char *state_of(struct agent *a, const struct policy *p, bool in_force)
{
	const struct sources *t = policies_sources(a->policies);

	if (!in_force)
		return hash_get_str(&a->problems, "policy") ? "refused" : "pending";
	for (size_t i = 0; i < t->count; i++) {
		if (t->source[i]->held && str_eq(t->source[i]->origin, p->origin.file))
			return "held";
	}
	return p->mode == MODE_SHADOW ? "shadow" : "enforced";
}

json_t *api_policy_json(struct agent *a, const struct policy *p)
{
	const struct policy *now = set_find(policies_set(a->policies), p);
	struct selection n = selected(a, p);
	struct rule_hit hits;
	size_t rules = 0;
	json_t *j;

	for (size_t i = 0; i < p->specs; i++)
		rules += p->spec[i].rules;
	p = now ? now : p;
	hits = policy_hits(a, p);
	j = json_pack("{s:s, s:s, s:s, s:o, s:s, s:i, s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:o, s:I}",
		"kind", p->kind, "namespace", p->namespace ? p->namespace : "", "name", p->name,
		"labels", labels_json(&p->labels), "file", p->origin.file, "line", p->origin.line,
		"source", str_has_prefix(p->origin.file, "api:") ? "api" : "file", "specs",
		(int)p->specs, "rules", (int)rules, "endpoints", (int)n.endpoints, "realized",
		now ? (int)n.realized : 0, "mode", p->mode == MODE_SHADOW ? "shadow" : "enforce",
		"state", state_of(a, p, now), "rule_ids", rule_ids_json(a, p), "hits",
		(json_int_t)hits.decisions);
	if (p->mode == MODE_SHADOW)
		(void)json_object_set_new(
			j, "shadow_differences", json_integer((json_int_t)hits.shadow));
	return j;
}

static void add_policy(struct agent *a, json_t *list, const struct policy *p, bool with_rules)
{
	json_t *j = api_policy_json(a, p);

	if (with_rules)
		(void)json_object_set_new(j, "rule", rules_json(a, p));
	(void)json_array_append_new(list, j);
}

void api_policy_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const struct policy_set *set = policies_set(a->policies);
	const struct sources *t = policies_sources(a->policies);
	const char *rules = api_query(rq, "rules");
	bool with_rules = rules && !str_eq(rules, "0");

	reply->body = json_array();
	for (size_t i = 0; i < set->count; i++)
		add_policy(a, reply->body, &set->policy[i], with_rules);
	/* what the sources have, and what is in force has not, or not yet */
	for (size_t i = 0; i < t->count; i++) {
		const struct source_content *c = t->source[i]->content;

		for (size_t j = 0; c && j < c->set.count; j++) {
			if (!set_find(set, &c->set.policy[j]))
				add_policy(a, reply->body, &c->set.policy[j], with_rules);
		}
	}
}

struct policy_name api_policy_name(struct agent *a, const struct api_request *rq)
{
	const char *ns = rq->argument[1], *mode = api_query(rq, "mode");
	struct policy_name n = {rq->argument[0], str_eq(ns, "-") ? "" : ns, rq->argument[2],
		str_eq(mode, "shadow") ? MODE_SHADOW : MODE_ENFORCE};

	/* the enforced one, or else the one in shadow mode */
	if (!mode && !sources_policy(policies_sources(a->policies), &n, NULL))
		n.mode = MODE_SHADOW;
	return n;
}

int api_policy_missing(const struct policy_name *n, struct err *e)
{
	return err_set(e, -ENOENT, "%.60s %.100s%s%.100s: there is no such policy", n->kind,
		n->namespace, *n->namespace ? "/" : "", n->name);
}

void api_policy_get(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct policy_name n = api_policy_name(a, rq);
	const struct source *s;
	const struct policy *p = sources_policy(policies_sources(a->policies), &n, &s), *in_force;
	SCOPED(json_unrefp)
	json_t *object = NULL;
	struct err e = {0};

	if (!p) {
		api_fail(reply, api_policy_missing(&n, &e), &e);
		return;
	}
	in_force = set_find(policies_set(a->policies), p);
	object = source_object(s->content, &n);
	reply->body = api_policy_json(a, p);
	if (json_object_get(object, "specs"))
		(void)json_object_set(reply->body, "spec", json_object_get(object, "specs"));
	else if (json_object_get(object, "spec"))
		(void)json_object_set(reply->body, "spec", json_object_get(object, "spec"));
	(void)json_object_set_new(reply->body, "rule", rules_json(a, in_force ? in_force : p));
}

void api_policy_invariants(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;

	(void)rq;
	reply->body = guard_json(a->guard);
}
