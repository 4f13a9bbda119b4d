/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers that change stored manifests: apply, delete, promote. Called by the API server. Must
 * hold: a change is in force and on disk when it is answered with success, and neither when it is
 * not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/policy.h"
#include "codec/json.h"

#define CONFIRM_MAX_NS (24 * 3600 * 1000000000ull)

enum { NAMES_TRIED = 1000 };

/* --- apply ----------------------------------------------------------------------------------- */

struct apply {
	struct agent *agent;
	struct source_change change;
	struct source_content **content;
	size_t contents;
	uint64_t confirm_ns;
	bool dry_run;
};

static void apply_done(struct apply *x)
{
	for (size_t i = 0; i < x->contents; i++)
		source_content_unref(x->content[i]);
	free(x->content);
	source_change_done(&x->change);
}

/* Policies that other sources have already: files are not ours to change, stored manifests give
 * them up. */
static int take_over(
	struct source_change *ch, const char *name, const struct policy_set *set, struct err *e)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];
		struct policy_name n = {
			p->kind, p->namespace ? p->namespace : "", p->name, p->mode};
		const struct source *s = NULL;
		const struct policy *other = sources_policy(ch->sources, &n, &s);
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

/* Put one manifest into the table. */
static int add_file(struct apply *x, const char *name, const char *text, struct err *e)
{
	SCOPED(source_content_unrefp) struct source_content *content = NULL;
	SCOPED(str_done) struct str origin = {0};
	int r;

	if (!name || !source_name_is_valid(name))
		return err_set(e, -EINVAL,
			"%.200s: a manifest's name has letters, digits, . _ and - only",
			name ? name : "name");
	if (!text)
		return err_set(e, -EINVAL, "text: expected the manifest as a string");
	str_printf(&origin, "api:%s", name);
	r = source_parse(
		&x->change.sources->context, str_text(&origin), text, strlen(text), &content, e);
	if (!r && !content->set.count)
		r = err_set(e, -EINVAL, "%s: no policy in it", str_text(&origin));
	r = r ?: take_over(&x->change, name, &content->set, e);
	if (r)
		return r;
	source_change_put(&x->change, name, source_content_ref(content));
	x->content[x->contents++] = TAKE(content);
	return 0;
}

static int add_files(struct apply *x, const json_t *files, struct err *e)
{
	int r = x->confirm_ns ? policies_may_confirm(x->agent->policies, e)
			      : policies_may_change(x->agent->policies, e);

	if (!r && !json_array_size(files))
		r = err_set(e, -EINVAL, "files: expected a list of {\"name\", \"text\"}");
	x->change.sources = policies_sources(x->agent->policies);
	x->content = mem_array(json_array_size(files), sizeof(struct source_content *));
	for (size_t i = 0; !r && i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);

		r = add_file(x, json_string_value(json_object_get(f, "name")),
			json_string_value(json_object_get(f, "text")), e);
	}
	return r;
}

static json_t *answer(const struct apply *x)
{
	struct agent *a = x->agent;
	json_t *list = json_array(), *j;

	for (size_t i = 0; i < x->contents; i++) {
		for (size_t k = 0; k < x->content[i]->set.count; k++)
			(void)json_array_append_new(
				list, api_policy_json(a, &x->content[i]->set.policy[k]));
	}
	j = json_pack(
		"{s:i, s:o}", "revision", (int)policies_revision(a->policies), "policies", list);
	if (x->confirm_ns && !x->dry_run)
		(void)json_object_set_new(j, "confirm", confirm_json(a));
	return j;
}

static int apply_all(struct apply *x, const json_t *files, json_t **ret, struct err *e)
{
	int r = add_files(x, files, e);

	if (!r && x->dry_run)
		r = policies_check(x->agent->policies, e);
	else if (!r)
		r = policies_commit(x->agent->policies, &x->change, NULL, x->confirm_ns, e);
	if (r || x->dry_run)
		source_change_undo(&x->change);
	if (!r)
		*ret = answer(x);
	return r;
}

void api_policy_put(const struct api_request *rq, struct api_reply *reply, void *data)
{
	SCOPED(apply_done) struct apply x = {.agent = data};
	const char *dry_run = api_query(rq, "dry_run");
	const json_t *text = json_object_get(rq->body, "text");
	SCOPED(json_unrefp)
	json_t *files = json_pack("[{s:s, s:O?}]", "name", rq->argument[0], "text", text);
	struct err e = {0};
	int r;

	x.dry_run = dry_run && !str_eq(dry_run, "0");
	r = apply_all(&x, files, &reply->body, &e);
	if (r)
		api_fail(reply, r, &e);
}

static int read_confirm(const json_t *body, uint64_t *ret_ns, struct err *e)
{
	const char *text = NULL;
	int r = json_get_string(body, "confirm", &text, e);

	if (r || !text)
		return r;
	if (str_to_duration(text, ret_ns) < 0 || !*ret_ns || *ret_ns > CONFIRM_MAX_NS)
		return err_set(e, -EINVAL,
			"confirm: '%.40s' is no duration such as 60s or 5m, at most 24h", text);
	return 0;
}

void api_policy_apply(const struct api_request *rq, struct api_reply *reply, void *data)
{
	SCOPED(apply_done) struct apply x = {.agent = data};
	struct err e = {0};
	int r = read_confirm(rq->body, &x.confirm_ns, &e);

	r = r ?: json_get_bool(rq->body, "dry_run", &x.dry_run, &e);
	r = r ?: apply_all(&x, json_object_get(rq->body, "files"), &reply->body, &e);
	if (r)
		api_fail(reply, r, &e);
}

/* --- delete ---------------------------------------------------------------------------------- */

static int delete (struct agent *a, const struct policy_name *n, struct err *e)
{
	SCOPED(source_change_done)
	struct source_change ch = {.sources = policies_sources(a->policies)};
	const struct source *s;
	int r = policies_may_change(a->policies, e);

	if (r)
		return r;
	if (!sources_policy(ch.sources, n, &s))
		return api_policy_missing(n, e);
	if (s->kind == SOURCE_FILE)
		return err_set(e, -EEXIST, "%s %s comes from %s; remove it there", n->kind, n->name,
			s->origin);
	r = source_change_take(&ch, s->name, n, e);
	if (r) {
		source_change_undo(&ch);
		return r;
	}
	return policies_commit(a->policies, &ch, NULL, 0, e);
}

static void answer_revision(struct agent *a, struct api_reply *reply, int r, const struct err *e)
{
	if (r)
		api_fail(reply, r, e);
	else
		reply->body = json_pack("{s:i}", "revision", (int)policies_revision(a->policies));
}

void api_policy_delete(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct policy_name n = api_policy_name(a, rq);
	struct err e = {0};

	answer_revision(a, reply, delete (a, &n, &e), &e);
}

/* --- promote --------------------------------------------------------------------------------- */

/* "web.shadow.yaml" was made of "web.yaml". */
static void base_name(struct str *out, const char *name, unsigned number)
{
	const char *dot = strrchr(name, '.');
	size_t stem = (size_t)(dot - name) - strlen(".shadow");

	str_addn(out, name, stem);
	if (number > 1)
		str_printf(out, "-%u", number);
	str_add(out, dot);
}

/* A name for the enforced policy, under which nothing else is stored. */
static int find_name(const struct sources *t, const struct source *shadow,
	const struct policy_name *n, struct str *out, struct err *e)
{
	for (unsigned i = 1; i < NAMES_TRIED; i++) {
		const struct source *s;
		const struct policy *p;

		out->len = 0;
		if (source_name_is_shadow(shadow->name))
			base_name(out, shadow->name, i);
		else if (i > 1)
			str_printf(out, "%s-%u.yaml", n->name, i);
		else
			str_printf(out, "%s.yaml", n->name);
		s = sources_find(t, SOURCE_API, str_text(out));
		p = s && s->content && s->content->set.count == 1 ? s->content->set.policy : NULL;
		if (!s || (p && str_eq(p->kind, n->kind) && str_eq(p->name, n->name) &&
				  str_eq(p->namespace ? p->namespace : "", n->namespace) &&
				  s != shadow))
			return 0;
	}
	return err_set(e, -EEXIST, "%s: no free name to store it under", n->name);
}

static void drop_mode(json_t *spec)
{
	(void)json_object_del(spec, "mode");
}

/* The object without what puts it in shadow mode. */
static json_t *enforced_object(const struct source_content *c, const struct policy_name *n)
{
	json_t *object = source_object(c, n), *specs = json_object_get(object, "specs");

	drop_mode(json_object_get(object, "spec"));
	for (size_t i = 0; i < json_array_size(specs); i++)
		drop_mode(json_array_get(specs, i));
	(void)json_object_del(json_object_get(json_object_get(object, "metadata"), "annotations"),
		"policy.kilim.io/mode");
	return object;
}

/* What the enforced policy's manifest says: the same text where that is enforced under another
 * name, so that lines stay what they are. */
static int enforced_content(const struct sources *t, const struct source *shadow,
	const struct policy_name *n, const char *name, struct source_content **ret, struct err *e)
{
	SCOPED(source_content_unrefp) struct source_content *c = NULL;
	SCOPED(json_unrefp) json_t *object = NULL;
	SCOPED(str_done) struct str origin = {0};
	SCOPED(freep) char *text = NULL;
	int r;

	str_printf(&origin, "api:%s", name);
	if (shadow->content->set.count == 1) {
		r = source_parse(&t->context, str_text(&origin), shadow->content->text,
			shadow->content->len, &c, e);
		if (r)
			return r;
		if (c->set.policy[0].mode == MODE_ENFORCE) {
			*ret = TAKE(c);
			return 0;
		}
	}
	object = enforced_object(shadow->content, n);
	text = json_text(object);
	return source_parse(&t->context, str_text(&origin), text, strlen(text), ret, e);
}

/* The enforced one of this name goes. */
static int retire(
	struct source_change *ch, const struct policy_name *shadow, const char *name, struct err *e)
{
	struct policy_name n = *shadow;
	const struct source *s;

	n.mode = MODE_ENFORCE;
	if (!sources_policy(ch->sources, &n, &s))
		return 0;
	if (s->kind == SOURCE_FILE)
		return err_set(e, -EEXIST,
			"the enforced %s %s comes from %s: put the new text there, then delete the "
			"one in shadow mode",
			n.kind, n.name, s->origin);
	return str_eq(s->name, name) ? 0 : source_change_take(ch, s->name, &n, e);
}

static int promote(struct agent *a, const struct policy_name *n, struct err *e)
{
	SCOPED(source_change_done)
	struct source_change ch = {.sources = policies_sources(a->policies)};
	SCOPED(source_content_unrefp) struct source_content *content = NULL;
	SCOPED(str_done) struct str name = {0}, reason = {0};
	const struct source *s;
	int r = policies_may_change(a->policies, e);

	if (r)
		return r;
	if (!sources_policy(ch.sources, n, &s))
		return err_set(e, -ENOENT, "%.60s %.100s%s%.100s: no such policy is in shadow mode",
			n->kind, n->namespace, *n->namespace ? "/" : "", n->name);
	if (s->kind == SOURCE_FILE)
		return err_set(e, -EEXIST, "%s %s comes from %s: change its mode there", n->kind,
			n->name, s->origin);
	r = find_name(ch.sources, s, n, &name, e);
	r = r ?: enforced_content(ch.sources, s, n, str_text(&name), &content, e);
	r = r ?: retire(&ch, n, str_text(&name), e);
	r = r ?: source_change_take(&ch, s->name, n, e);
	if (r) {
		source_change_undo(&ch);
		return r;
	}
	source_change_put(&ch, str_text(&name), TAKE(content));
	str_printf(&reason, "promotion of %s/%s%s%s", n->kind, n->namespace,
		*n->namespace ? "/" : "", n->name);
	return policies_commit(a->policies, &ch, str_text(&reason), 0, e);
}

void api_policy_promote(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	struct policy_name n = api_policy_name(a, rq);
	struct err e = {0};

	n.mode = MODE_SHADOW;
	answer_revision(a, reply, promote(a, &n, &e), &e);
}
