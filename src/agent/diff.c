/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares two sets of policies. Called by api_diff.c. Owns the two generations and their engine.
 * Must hold: what is in force is not touched; identities that only this comparison names are given
 * back.
 */
#include "agent/diff.h"

#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "agent/policy.h"
#include "agent/source_edit.h"

/* --- both sides ------------------------------------------------------------------------------ */

/* The same numbers for the same rules as in force. */
static int open_engine(struct diff *d, struct err *e)
{
	SCOPED(json_unrefp) json_t *ids = policies_rule_ids(d->agent->policies);
	const struct conf *c = d->agent->conf;
	const struct policy_options o = {
		.enforce = (enum policy_enforce)c->enforce, .audit = c->audit};
	int r;

	d->ids = rule_ids_new();
	r = rule_ids_load(d->ids, ids, e);
	if (!r)
		d->engine = engine_new(d->agent->identities, d->ids, &o);
	return r;
}

static int compile(struct diff *d, struct err *e)
{
	SCOPED(freep) uint32_t *subject = NULL;
	size_t subjects = endpoints_parts(d->agent->endpoints, &subject);
	int r = engine_compile(
		d->engine, NULL, &d->from->set, subject, subjects, &d->from->compiled, e);

	return r
		       ?: engine_compile(d->engine, d->from->compiled, &d->to->set, subject,
				  subjects, &d->to->compiled, e);
}

int diff_open(
	struct diff *d, struct agent *a, struct sources *from, struct sources *to, struct err *e)
{
	int r;

	*d = (struct diff){.agent = a};
	r = open_engine(d, e);
	if (r)
		return r;
	d->from = generation_new(from, false);
	d->to = generation_new(to, false);
	r = generation_take_prefixes(d->from, a->identities, e);
	r = r ?: generation_take_prefixes(d->to, a->identities, e);
	r = r ?: generation_take_nodes(d->from, NULL, a, e);
	/* what either tells apart is told apart for both */
	r = r ?: generation_take_nodes(d->to, d->from, a, e);
	r = r ?: endpoints_place(a->endpoints, &d->to->set, &d->to->reach, e);
	return r ?: compile(d, e);
}

void diff_done(struct diff *d)
{
	if (!d->agent)
		return;
	endpoints_stay(d->agent->endpoints);
	generation_free(d->to, d->engine, d->agent->identities);
	generation_free(d->from, d->engine, d->agent->identities);
	engine_free(d->engine);
	rule_ids_free(d->ids);
	*d = (struct diff){0};
}

/* --- policies -------------------------------------------------------------------------------- */

static struct policy_name name_of(const struct policy *p)
{
	return (struct policy_name){p->kind, p->namespace ? p->namespace : "", p->name, p->mode};
}

static void key_of(struct str *out, const struct policy *p)
{
	out->len = 0;
	str_printf(out, "%d ", (int)p->mode);
	policy_format_name(out, p);
}

/* By name; the policies of a set. */
static void index_set(const struct policy_set *set, struct hash *ret)
{
	for (size_t i = 0; i < set->count; i++) {
		SCOPED(str_done) struct str key = {0};

		key_of(&key, &set->policy[i]);
		(void)hash_put_str(ret, str_text(&key), &set->policy[i]);
	}
}

static const struct policy *counterpart(const struct hash *index, const struct policy *p)
{
	SCOPED(str_done) struct str key = {0};

	key_of(&key, p);
	return hash_get_str(index, str_text(&key));
}

typedef void (*pair_fn)(
	const struct diff *d, const struct policy *was, const struct policy *is, json_t *list);

/* Each policy that is not the same in both; NULL where it is not there. */
static json_t *each_pair(const struct diff *d, pair_fn fn)
{
	struct hash SCOPED(hash_done) from = {0}, SCOPED(hash_done) to = {0};
	const struct policy_set *a = &d->from->set, *b = &d->to->set;
	json_t *list = json_array();

	index_set(a, &from);
	index_set(b, &to);
	for (size_t i = 0; i < b->count; i++) {
		const struct policy *was = counterpart(&from, &b->policy[i]);

		if (!was || !was->digest || was->digest != b->policy[i].digest)
			fn(d, was, &b->policy[i], list);
	}
	for (size_t i = 0; i < a->count; i++) {
		if (!counterpart(&to, &a->policy[i]))
			fn(d, &a->policy[i], NULL, list);
	}
	return list;
}

static const char *change_name(const void *was, const void *is)
{
	return !was ? "added" : !is ? "removed" : "changed";
}

static void on_policy(
	const struct diff *d, const struct policy *was, const struct policy *is, json_t *list)
{
	const struct policy *p = is ? is : was;

	(void)d;
	(void)json_array_append_new(list,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "change", change_name(was, is),
			"kind", p->kind, "namespace", p->namespace ? p->namespace : "", "name",
			p->name, "mode", p->mode == MODE_SHADOW ? "shadow" : "enforce", "file",
			p->origin.file, "line", p->origin.line));
}

json_t *diff_policies(const struct diff *d)
{
	return each_pair(d, on_policy);
}

/* --- rules ----------------------------------------------------------------------------------- */

/* The value at "specs[1].ingress[0]"; without specs it is below spec. */
static const json_t *value_at(const json_t *object, const char *path)
{
	const json_t *at = str_has_prefix(path, "spec") ? object : json_object_get(object, "spec");
	SCOPED(freep) char *copy = mem_strdup(path);
	char *rest = copy;

	for (char *part = strsep(&rest, "."); part; part = strsep(&rest, ".")) {
		char *index = strchr(part, '[');

		if (index)
			*index++ = 0;
		at = json_object_get(at, part);
		if (index)
			at = json_array_get(at, strtoul(index, NULL, 10));
	}
	return at;
}

/* The object of a policy as it stands in its source; a new reference. */
static json_t *object_of(const struct generation *g, const struct policy *p)
{
	const struct policy_name n = name_of(p);

	for (size_t i = 0; i < g->contents; i++) {
		const struct policy_set *set = &g->content[i]->set;

		for (size_t k = 0; k < set->count; k++) {
			if (str_eq(set->policy[k].origin.file, p->origin.file) &&
				set->policy[k].mode == p->mode &&
				str_eq(set->policy[k].kind, p->kind) &&
				str_eq(set->policy[k].name, p->name) &&
				str_eq(set->policy[k].namespace, p->namespace))
				return source_object(g->content[i], &n);
		}
	}
	return NULL;
}

struct rules {
	const struct policy *policy;
	const struct rule **rule;
	const json_t **value;
	bool *matched;
	size_t count;
};

static void rules_done(struct rules *r)
{
	free(r->rule);
	free(r->value);
	free(r->matched);
}

static void rules_of(struct rules *out, const struct policy *p, const json_t *object)
{
	size_t room = 0;

	*out = (struct rules){.policy = p};
	for (size_t i = 0; p && i < p->specs; i++)
		room += p->spec[i].rules;
	out->rule = mem_array(room + 1, sizeof(*out->rule));
	out->value = mem_array(room + 1, sizeof(*out->value));
	out->matched = mem_array(room + 1, sizeof(*out->matched));
	for (size_t i = 0; p && i < p->specs; i++) {
		for (size_t k = 0; k < p->spec[i].rules; k++) {
			out->rule[out->count] = &p->spec[i].rule[k];
			out->value[out->count++] = value_at(object, p->spec[i].rule[k].path);
		}
	}
}

static const char *action_name(enum rule_action action)
{
	return action == ACTION_ALLOW ? "allow" : action == ACTION_DENY ? "deny" : "pass";
}

static void add_rule(json_t *list, const char *change, const struct policy *p, const struct rule *r)
{
	SCOPED(str_done) struct str name = {0};

	policy_format_name(&name, p);
	(void)json_array_append_new(list,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "change", change, "policy",
			str_text(&name), "mode", p->mode == MODE_SHADOW ? "shadow" : "enforce",
			"path", r->path, "direction",
			r->direction == POLICY_INGRESS ? "ingress" : "egress", "verdict",
			action_name(r->action), "file", r->origin.file, "line", r->origin.line));
}

/* Rules that say the same belong together wherever they stand; then those of one place. */
static void match(struct rules *a, struct rules *b, bool by_place, json_t *list)
{
	for (size_t i = 0; i < b->count; i++) {
		for (size_t k = 0; k < a->count && !b->matched[i]; k++) {
			const struct rule *x = a->rule[k], *y = b->rule[i];

			if (a->matched[k] || x->direction != y->direction || x->action != y->action)
				continue;
			if (by_place ? !str_eq(x->path, y->path)
				     : !a->value[k] || !json_equal(a->value[k], b->value[i]))
				continue;
			a->matched[k] = b->matched[i] = true;
			if (by_place)
				add_rule(list, "changed", b->policy, y);
		}
	}
}

static void on_rules(
	const struct diff *d, const struct policy *was, const struct policy *is, json_t *list)
{
	SCOPED(json_unrefp) json_t *before = was ? object_of(d->from, was) : NULL;
	SCOPED(json_unrefp) json_t *after = is ? object_of(d->to, is) : NULL;
	SCOPED(rules_done) struct rules a = {0};
	SCOPED(rules_done) struct rules b = {0};

	rules_of(&a, was, before);
	rules_of(&b, is, after);
	match(&a, &b, false, list);
	match(&a, &b, true, list);
	for (size_t i = 0; i < b.count; i++) {
		if (!b.matched[i])
			add_rule(list, "added", is, b.rule[i]);
	}
	for (size_t i = 0; i < a.count; i++) {
		if (!a.matched[i])
			add_rule(list, "removed", was, a.rule[i]);
	}
}

json_t *diff_rules(const struct diff *d)
{
	return each_pair(d, on_rules);
}

/* --- entries --------------------------------------------------------------------------------- */

static json_t *counts_json(size_t before, size_t after, size_t written)
{
	return json_pack("{s:I, s:I, s:I}", "before", (json_int_t)before, "after",
		(json_int_t)after, "written", (json_int_t)written);
}

/* What the kernel has already: contents by their token, classes by their address. */
static void note_held(const struct compiled_set *c, struct hash *contents, struct hash *classes)
{
	for (size_t i = 0; i < c->slots; i++) {
		const struct compiled_content *x = c->slot[i].content;

		if (hash_put(contents, &x->token, sizeof(x->token), contents))
			continue;
		for (size_t k = 0; k < x->classes; k++)
			(void)hash_put(classes, &x->class[k], sizeof(x->class[k]), classes);
	}
}

json_t *diff_entries(const struct diff *d)
{
	const struct compiled_set *from = d->from->compiled, *to = d->to->compiled;
	struct hash SCOPED(hash_done) contents = {0}, SCOPED(hash_done) classes = {0};
	size_t slots = 0, rules = 0, peers = 0, before[2], after[2];

	note_held(from, &contents, &classes);
	for (size_t i = 0; i < to->slots; i++) {
		const struct compiled_content *x = to->slot[i].content;
		const struct compiled_slot *was = compiled_slot_find(from, to->slot[i].identity);

		slots += !was || was->content->token != x->token;
		if (hash_put(&contents, &x->token, sizeof(x->token), &contents))
			continue;
		peers += x->peers;
		for (size_t k = 0; k < x->classes; k++) {
			if (!hash_put(&classes, &x->class[k], sizeof(x->class[k]), &classes))
				rules += x->class[k]->entries;
		}
	}
	compiled_count(from, &before[0], &before[1]);
	compiled_count(to, &after[0], &after[1]);
	return json_pack("{s:o, s:o, s:o}", "slots", counts_json(from->slots, to->slots, slots),
		"rule_entries", counts_json(before[0], after[0], rules), "peer_entries",
		counts_json(before[1], after[1], peers));
}
