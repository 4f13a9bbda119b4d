/* SPDX-License-Identifier: Apache-2.0 */
/* Handler of POST /v1/policy/diff. Called by the API server; it only reads. Must hold: the tables
 * of sources that it makes are never stored. */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/api.h"
#include "agent/conf.h"
#include "agent/diff.h"
#include "agent/invariant.h"
#include "agent/policy.h"
#include "codec/json.h"
#include "datapath/datapath.h"

static void begin(struct agent *a, struct sources *t)
{
	const struct sources *now = policies_sources(a->policies);

	sources_init(t, &now->context, now->state_dir);
}

/* What is in force. */
static void add_now(struct agent *a, struct sources *t)
{
	const struct sources *now = policies_sources(a->policies);

	begin(a, t);
	for (size_t i = 0; i < now->count; i++) {
		const struct source *s = now->source[i];

		if (s->applied)
			sources_replace(
				t, s->kind, s->name, s->origin, source_content_ref(s->applied));
	}
}

/* What was in force at a revision. */
static int add_revision(struct agent *a, struct sources *t, uint32_t revision, struct err *e)
{
	const struct history *h = policies_history(a->policies);
	const struct history_entry *x = history_at(h, revision);
	SCOPED(source_change_done) struct source_change ch = {.sources = t};

	begin(a, t);
	if (!x || revision > policies_revision(a->policies))
		return err_set(e, -ENOENT,
			"revision %u is not in the history; see 'kilim policy history'", revision);
	return journal_to_entry(&ch, h, x, a->conf->manifest_dir, e);
}

/*
 * A manifest as if it were applied: it takes the place of what is stored under its name, and its
 * policies that of their namesakes wherever these come from, for they are merged first.
 */
static int add_file(struct sources *t, const json_t *j, struct err *e)
{
	const char *name = json_string_value(json_object_get(j, "name")),
		   *text = json_string_value(json_object_get(j, "text"));
	SCOPED(str_done) struct str origin = {0}, first = {0};
	struct source_content *content;
	int r;

	if (!name || !source_name_is_valid(name) || !text)
		return err_set(e, -EINVAL, "files: expected a list of {\"name\", \"text\"}");
	str_printf(&origin, "api:%s", name);
	str_printf(&first, "\1%s", name);
	r = source_parse(&t->context, str_text(&origin), text, strlen(text), &content, e);
	if (r)
		return r;
	sources_remove(t, SOURCE_API, name);
	sources_replace(t, SOURCE_FILE, str_text(&first), str_text(&origin), content);
	return 0;
}

static int add_files(struct agent *a, struct sources *t, const json_t *files, struct err *e)
{
	int r = 0;

	add_now(a, t);
	if (!json_array_size(files))
		return err_set(e, -EINVAL, "files: expected a list of {\"name\", \"text\"}");
	for (size_t i = 0; !r && i < json_array_size(files); i++)
		r = add_file(t, json_array_get(files, i), e);
	return r;
}

/* The two sides that the request names. */
static int read_sides(struct agent *a, const json_t *body, struct sources *from, struct sources *to,
	json_t *ret, struct err *e)
{
	const json_t *files = json_object_get(body, "files");
	int64_t old = 0, new = 0;
	int r = json_get_int(body, "from", 1, UINT32_MAX, &old, e)
			?: json_get_int(body, "to", 1, UINT32_MAX, &new, e);

	if (r)
		return r;
	if (!files && !old)
		return err_set(e, -EINVAL, "expected files, or the revision from and perhaps to");
	if (old)
		r = add_revision(a, from, (uint32_t)old, e);
	else
		add_now(a, from);
	if (!r && files)
		r = add_files(a, to, files, e);
	else if (!r && new)
		r = add_revision(a, to, (uint32_t) new, e);
	else if (!r)
		add_now(a, to);
	(void)json_object_set_new(
		ret, "from", json_integer(old ? old : (json_int_t)policies_revision(a->policies)));
	(void)json_object_set_new(ret, "to",
		files ? json_null()
		      : json_integer(new ? new : (json_int_t)policies_revision(a->policies)));
	return r;
}

/* Why the second set would be refused: an assertion, or that it does not fit. */
static int check(struct agent *a, const struct diff *d, struct err *e)
{
	SCOPED(arena_done) struct arena mem = {0};
	struct dp_slot *slot = generation_slots(d->to, NULL, &mem);
	int r = guard_check(a->guard, d->to->compiled, e);

	/* contents' tokens are this comparison's, not those of what is in force */
	for (size_t i = 0; i < d->to->compiled->slots; i++)
		slot[i].content = NULL;
	return r ?: datapath_policy_check(a->datapath, slot, d->to->compiled->slots, e);
}

static int compare(struct agent *a, const json_t *body, json_t *ret, struct err *e)
{
	SCOPED(sources_done) struct sources from = {0};
	SCOPED(sources_done) struct sources to = {0};
	SCOPED(diff_done) struct diff d = {0};
	struct err refused = {0};
	int r = read_sides(a, body, &from, &to, ret, e);

	r = r ?: diff_open(&d, a, &from, &to, e);
	if (r)
		return r;
	(void)json_object_set_new(ret, "policies", diff_policies(&d));
	(void)json_object_set_new(ret, "rules", diff_rules(&d));
	(void)json_object_set_new(ret, "entries", diff_entries(&d));
	(void)json_object_set_new(ret, "flows", diff_flows(&d));
	if (check(a, &d, &refused))
		(void)json_object_set_new(ret, "refused", json_string(refused.text));
	return 0;
}

void api_policy_diff(const struct api_request *rq, struct api_reply *reply, void *data)
{
	struct agent *a = data;
	SCOPED(json_unrefp) json_t *j = json_object();
	struct err e = {0};
	int r = a->ready ? 0 : err_set(&e, -EAGAIN, "the agent is starting; try again");

	r = r ?: compare(a, rq->body, j, &e);
	if (r)
		api_fail(reply, r, &e);
	else
		reply->body = json_incref(j);
	agent_trim(a);
}
