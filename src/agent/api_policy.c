/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers of /v1/policy. Called by the API server. Must hold: a change is in force and on disk
 * when it is answered with success, and neither when it is not.
 */
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

/* How many endpoints of this node the policy's specs select; each once per spec that selects it is
 * enough to be counted once. */
static size_t selected(struct agent *a, const struct policy *p)
{
	size_t n = 0;

	for (struct agent_endpoint *ep = endpoint_after(a->endpoints, 0); ep;
		ep = endpoint_after(a->endpoints, ep->id)) {
		bool hit = false;

		for (size_t i = 0; !hit && i < p->specs; i++)
			hit = selector_matches(&p->spec[i].subject, &ep->labels);
		n += hit;
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

/* The rules in force that this policy makes. Empty for one that is not in force. */
static json_t *rule_ids_json(struct agent *a, const struct policy *p)
{
	const struct compiled_set *c = policies_compiled(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; c && i < c->rules; i++) {
		for (size_t j = 0; j < c->rule[i].policies; j++) {
			if (c->rule[i].policy[j] == p)
				(void)json_array_append_new(list, json_integer(c->rule[i].id));
		}
	}
	return list;
}

static json_t *policy_json(struct agent *a, const struct policy *p, bool enforced)
{
	size_t rules = 0;

	for (size_t i = 0; i < p->specs; i++)
		rules += p->spec[i].rules;
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:i, s:s, s:i, s:i, s:i, s:s, s:o}", "kind",
		p->kind, "namespace", p->namespace ? p->namespace : "", "name", p->name, "labels",
		labels_json(&p->labels), "file", p->origin.file, "line", p->origin.line, "source",
		str_has_prefix(p->origin.file, "api:") ? "api" : "file", "specs", (int)p->specs,
		"rules", (int)rules, "endpoints", (int)selected(a, p), "state",
		enforced ? "enforced" : "pending", "rule_ids", rule_ids_json(a, p));
}

/* The policy of this name in a set, or NULL. */
static const struct policy *set_find(const struct policy_set *set, const struct policy *p)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *q = &set->policy[i];

		if (str_eq(p->name, q->name) && str_eq(p->namespace, q->namespace) &&
			str_eq(p->kind, q->kind))
			return q;
	}
	return NULL;
}

void api_policy_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const struct policy_set *set = policies_set(a->policies);
	const struct sources *t = policies_sources(a->policies);

	(void)rq;
	reply->body = json_array();
	for (size_t i = 0; i < set->count; i++)
		(void)json_array_append_new(reply->body, policy_json(a, &set->policy[i], true));
	/* what the sources have and a refused revision keeps out */
	if (!hash_get_str(&a->problems, "policy"))
		return;
	for (size_t i = 0; i < t->count; i++) {
		const struct source_content *c = t->source[i]->content;

		for (size_t j = 0; c && j < c->set.count; j++) {
			if (!set_find(set, &c->set.policy[j]))
				(void)json_array_append_new(
					reply->body, policy_json(a, &c->set.policy[j], false));
		}
	}
}

static const char *match_name(const struct rule_info *r)
{
	return r->kind == RULE_DENY ? "deny" : r->kind == RULE_ALLOW ? "allow" : "default-deny";
}

static json_t *rules_json(struct agent *a, const struct policy *p)
{
	const struct compiled_set *c = policies_compiled(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; c && i < c->rules; i++) {
		const struct rule_info *r = &c->rule[i];

		for (size_t j = 0; j < r->policies; j++) {
			if (r->policy[j] != p)
				continue;
			(void)json_array_append_new(
				list, json_pack("{s:i, s:s, s:s, s:s, s:i}", "id", (int)r->id,
					      "direction",
					      r->direction == POLICY_INGRESS ? "ingress" : "egress",
					      "verdict", match_name(r), "path",
					      r->path ? r->path : "", "line", r->origin.line));
		}
	}
	return list;
}

static struct policy_name name_of(const struct api_request *rq)
{
	const char *ns = rq->argument[1];

	return (struct policy_name){rq->argument[0], str_eq(ns, "-") ? "" : ns, rq->argument[2]};
}

static int not_there(const struct policy_name *n, struct err *e)
{
	return err_set(e, -ENOENT, "%.60s %.100s%s%.100s: there is no such policy", n->kind,
		n->namespace, *n->namespace ? "/" : "", n->name);
}

void api_policy_get(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct policy_name n = name_of(rq);
	const struct source *s;
	const struct policy *p = sources_policy(
				    policies_sources(a->policies), n.kind, n.namespace, n.name, &s),
			    *in_force;
	SCOPED(json_unrefp)
	json_t *object = NULL;
	struct err e = {0};

	if (!p) {
		api_fail(reply, not_there(&n, &e), &e);
		return;
	}
	in_force = set_find(policies_set(a->policies), p);
	object = source_object(s->content, &n);
	reply->body = policy_json(a, in_force ? in_force : p, in_force);
	if (json_object_get(object, "specs"))
		(void)json_object_set(reply->body, "spec", json_object_get(object, "specs"));
	else if (json_object_get(object, "spec"))
		(void)json_object_set(reply->body, "spec", json_object_get(object, "spec"));
	(void)json_object_set_new(reply->body, "rule", rules_json(a, in_force ? in_force : p));
}

/* Policies that other sources have already: files are not ours to change, stored manifests give
 * them up. */
static int take_over(
	struct source_change *ch, const char *name, const struct policy_set *set, struct err *e)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];
		struct policy_name n = {p->kind, p->namespace ? p->namespace : "", p->name};
		const struct source *s = NULL;
		const struct policy *other =
			sources_policy(ch->sources, n.kind, n.namespace, n.name, &s);
		int r;

		if (!other || (s->kind == SOURCE_API && str_eq(s->name, name)))
			continue;
		if (s->kind == SOURCE_FILE)
			return err_set(e, -EEXIST,
				"%s:%d: %s %s is defined in %s:%d; change it there", p->origin.file,
				p->origin.line, p->kind, p->name, other->origin.file,
				other->origin.line);
		r = source_change_take(ch, s->name, &n, e);
		if (r)
			return r;
	}
	return 0;
}

/* Make the changed sources the policy in force and write them, or put everything back. */
static int commit(struct agent *a, struct source_change *ch, struct err *e)
{
	struct err ignored = {0};
	int r = policies_try(a->policies, e);

	if (r) {
		source_change_undo(ch);
		return r;
	}
	r = source_change_store(ch, e);
	if (r) {
		source_change_undo(ch);
		(void)policies_apply(a->policies, &ignored);
	}
	return r;
}

static json_t *put_answer(struct agent *a, const struct source_content *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->set.count; i++) {
		const struct policy *p = set_find(policies_set(a->policies), &c->set.policy[i]);

		(void)json_array_append_new(list, policy_json(a, p ? p : &c->set.policy[i], p));
	}
	return json_pack(
		"{s:i, s:o}", "revision", (int)policies_revision(a->policies), "policies", list);
}

static int put(struct agent *a, const char *name, const char *text, bool dry_run, json_t **ret,
	struct err *e)
{
	SCOPED(source_change_done)
	struct source_change ch = {.sources = policies_sources(a->policies)};
	SCOPED(source_content_unrefp)
	struct source_content *content = NULL;
	SCOPED(str_done)
	struct str origin = {0};
	int r;

	if (!a->ready)
		return err_set(e, -EAGAIN, "the agent is starting; try again");
	if (!source_name_is_valid(name))
		return err_set(e, -EINVAL,
			"%.200s: a manifest's name has letters, digits, . _ and - only", name);
	if (!text)
		return err_set(e, -EINVAL, "text: expected the manifest as a string");
	str_printf(&origin, "api:%s", name);
	r = source_parse(&ch.sources->context, str_text(&origin), text, strlen(text), &content, e);
	if (!r && !content->set.count)
		r = err_set(e, -EINVAL, "%s: no policy in it", str_text(&origin));
	r = r ?: take_over(&ch, name, &content->set, e);
	if (!r) {
		source_change_put(&ch, name, source_content_ref(content));
		r = dry_run ? policies_check(a->policies, e) : commit(a, &ch, e);
	}
	if (dry_run || r)
		source_change_undo(&ch);
	if (!r)
		*ret = put_answer(a, content);
	return r;
}

void api_policy_put(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const char *dry_run = api_query(rq, "dry_run");
	struct err e = {0};
	int r = put(a, rq->argument[0], json_string_value(json_object_get(rq->body, "text")),
		dry_run && !str_eq(dry_run, "0"), &reply->body, &e);

	if (r)
		api_fail(reply, r, &e);
}

static int delete (struct agent *a, const struct policy_name *n, struct err *e)
{
	SCOPED(source_change_done)
	struct source_change ch = {.sources = policies_sources(a->policies)};
	const struct source *s;
	int r;

	if (!a->ready)
		return err_set(e, -EAGAIN, "the agent is starting; try again");
	if (!sources_policy(ch.sources, n->kind, n->namespace, n->name, &s))
		return not_there(n, e);
	if (s->kind == SOURCE_FILE)
		return err_set(e, -EEXIST, "%s %s comes from %s; remove it there", n->kind, n->name,
			s->origin);
	r = source_change_take(&ch, s->name, n, e);
	return r ?: commit(a, &ch, e);
}

void api_policy_delete(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct policy_name n = name_of(rq);
	struct err e = {0};
	int r = delete (a, &n, &e);

	if (r)
		api_fail(reply, r, &e);
	else
		reply->body = json_pack("{s:i}", "revision", (int)policies_revision(a->policies));
}

void api_policy_invariants(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;

	(void)rq;
	reply->body = guard_json(a->guard);
}
