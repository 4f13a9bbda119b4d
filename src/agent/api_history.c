/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers of /v1/policy/history, rollback, release and confirm. Called by the API server. Must
 * hold: a change is in force and on disk when it is answered with success, and neither when it is
 * not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/conf.h"
#include "agent/policy.h"
#include "codec/json.h"

void api_history_list(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const struct history *h = policies_history(a->policies);

	(void)rq;
	reply->body = json_array();
	for (size_t i = h->count; i-- > 0;) {
		json_t *j = history_entry_json(h->entry[i]);

		(void)json_object_set_new(j, "in_force", json_boolean(i + 1 == h->count));
		(void)json_array_append_new(reply->body, j);
	}
}

/* --- one revision ---------------------------------------------------------------------------- */

static void add_policies(json_t *list, const struct policy_set *set, const char *origin)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];

		(void)json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "kind", p->kind, "namespace",
				p->namespace ? p->namespace : "", "name", p->name, "mode",
				p->mode == MODE_SHADOW ? "shadow" : "enforce", "file", origin,
				"line", p->origin.line));
	}
}

static void origin_of(const struct agent *a, const struct history_source *s, struct str *out)
{
	if (s->kind == SOURCE_API)
		str_printf(out, "api:%s", s->name);
	else
		str_printf(out, "%s/%s", a->conf->manifest_dir, s->name);
}

/* The policies of a revision; errors gets what cannot be read any more. */
static json_t *policies_of(struct agent *a, const struct history_entry *x, json_t *errors)
{
	const struct history *h = policies_history(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; i < x->sources; i++) {
		SCOPED(source_content_unrefp) struct source_content *c = NULL;
		SCOPED(str_done) struct str origin = {0};
		SCOPED(freep) char *text = NULL;
		struct err e = {0};
		size_t len;
		int r = history_text(h, x->source[i].digest, &text, &len, &e);

		origin_of(a, &x->source[i], &origin);
		r = r
			    ?: source_parse(&policies_sources(a->policies)->context,
				       str_text(&origin), text, len, &c, &e);
		if (r)
			(void)json_array_append_new(errors, json_string(e.text));
		else
			add_policies(list, &c->set, str_text(&origin));
	}
	return list;
}

static json_t *text_of(struct agent *a, const struct history_source *s, json_t *errors)
{
	SCOPED(freep) char *text = NULL;
	struct err e = {0};
	size_t len;

	if (!s)
		return json_null();
	if (!history_text(policies_history(a->policies), s->digest, &text, &len, &e))
		return json_stringn(text, len);
	(void)json_array_append_new(errors, json_string(e.text));
	return json_null();
}

struct changes {
	struct agent *agent;
	json_t *list, *errors;
};

static void add_change(
	const struct history_source *was, const struct history_source *is, void *data)
{
	struct changes *x = data;
	SCOPED(str_done) struct str origin = {0};

	origin_of(x->agent, is ? is : was, &origin);
	(void)json_array_append_new(x->list,
		json_pack("{s:s, s:s, s:o, s:o}", "source", str_text(&origin), "change",
			history_change_name(was, is), "before", text_of(x->agent, was, x->errors),
			"after", text_of(x->agent, is, x->errors)));
}

/* What a revision has that the one before had not, with the texts. */
static json_t *changes_of(struct agent *a, const struct history_entry *x, json_t *errors)
{
	struct changes all = {a, json_array(), errors};

	history_each_change(history_before(policies_history(a->policies), x), x, add_change, &all);
	return all.list;
}

void api_history_get(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const struct history *h = policies_history(a->policies);
	const struct history_entry *x = NULL, *before;
	struct err e = {0};
	uint64_t revision;
	json_t *errors;

	if (str_to_u64(rq->argument[0], UINT32_MAX, &revision) < 0) {
		api_fail(reply,
			err_set(&e, -EINVAL, "%.40s is no revision number", rq->argument[0]), &e);
		return;
	}
	if (revision <= policies_revision(a->policies))
		x = history_at(h, (uint32_t)revision);
	if (!x) {
		api_fail(reply,
			err_set(&e, -ENOENT, "revision %s is not in the history", rq->argument[0]),
			&e);
		return;
	}
	before = history_before(h, x);
	errors = json_array();
	reply->body = history_entry_json(x);
	(void)json_object_set_new(reply->body, "in_force", json_boolean(x == history_newest(h)));
	(void)json_object_set_new(
		reply->body, "before", json_integer(before ? before->revision : 0));
	(void)json_object_set_new(reply->body, "policy", policies_of(a, x, errors));
	(void)json_object_set_new(reply->body, "changes", changes_of(a, x, errors));
	(void)json_object_set_new(reply->body, "errors", errors);
}

/* --- changes --------------------------------------------------------------------------------- */

/* Files that stay as they were though they say something else: whoever goes back wants to know. */
static json_t *held_json(struct agent *a)
{
	const struct sources *t = policies_sources(a->policies);
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++) {
		if (t->source[i]->held)
			(void)json_array_append_new(list, json_string(t->source[i]->origin));
	}
	return list;
}

void api_policy_rollback(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	int64_t revision = 0;
	uint32_t to = 0;
	struct err e = {0};
	int r = json_get_int(rq->body, "revision", 1, UINT32_MAX, &revision, &e);

	r = r ?: policies_rollback(a->policies, (uint32_t)revision, &to, &e);
	if (r) {
		api_fail(reply, r == -EALREADY ? -EEXIST : r, &e);
		return;
	}
	reply->body =
		json_pack("{s:I, s:I, s:o}", "revision", (json_int_t)policies_revision(a->policies),
			"to", (json_int_t)to, "held", held_json(a));
}

void api_policy_release(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	const char *name = NULL;
	struct err e = {0};
	int r = json_get_string(rq->body, "name", &name, &e);

	r = r ?: policies_release(a->policies, name, &e);
	if (r)
		api_fail(reply, r, &e);
	else
		reply->body =
			json_pack("{s:I}", "revision", (json_int_t)policies_revision(a->policies));
}

void api_policy_confirm(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct err e = {0};
	int r = policies_confirm(a->policies, &e);

	(void)rq;
	if (r)
		api_fail(reply, r, &e);
	else
		reply->body =
			json_pack("{s:I}", "revision", (json_int_t)policies_revision(a->policies));
}
