/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds, confirmation and stored manifests on disk as one. Called by policy.c. Must hold: whenever
 * the agent is killed, the next one finds what was before a change or what is after it; a text that
 * the file names is on disk before the file is.
 */
#include "agent/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/time.h"

enum { STATE_BYTES_MAX = 64 << 20 };

static void set_problem(struct journal *c, const struct err *e)
{
	free(c->problem);
	c->problem = e ? mem_strdup(e->text) : NULL;
}

/* --- what is on disk ------------------------------------------------------------------------- */

static json_t *holds_json(const struct sources *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++) {
		const struct source *s = t->source[i];

		if (s->held)
			(void)json_array_append_new(list,
				json_pack("{s:s, s:s, s:I, s:s, s:s}", "name", s->name, "origin",
					s->origin, "revision", (json_int_t)s->held, "text",
					source_content_digest(s->content), "file", s->disk));
	}
	return list;
}

static json_t *state_json(
	const struct sources *t, const struct confirm *confirm, const json_t *redo)
{
	json_t *j = json_object(), *holds = holds_json(t);
	char time[TIME_TEXT];

	if (json_array_size(holds))
		(void)json_object_set(j, "hold", holds);
	json_decref(holds);
	if (confirm->base)
		(void)json_object_set_new(j, "confirm",
			json_pack("{s:I, s:s, s:I}", "base", (json_int_t)confirm->base, "deadline",
				time_format(confirm->deadline_ns, time), "timeout_ns",
				(json_int_t)confirm->timeout_ns));
	if (json_array_size(redo))
		(void)json_object_set(j, "store", (json_t *)redo);
	return j;
}

static uint64_t state_digest(const json_t *j, const char *text)
{
	return json_object_size(j) ? hash_bytes(text, strlen(text), 0) : 0;
}

static bool state_is_written(
	const struct journal *c, const struct sources *t, const struct confirm *confirm)
{
	SCOPED(json_unrefp) json_t *j = state_json(t, confirm, NULL);
	SCOPED(freep) char *text = json_text(j);

	return state_digest(j, text) == c->written;
}

static int state_write(struct journal *c, const struct sources *t, const struct confirm *confirm,
	const json_t *redo, struct err *e)
{
	SCOPED(json_unrefp) json_t *j = state_json(t, confirm, redo);
	SCOPED(freep) char *text = json_text(j);
	uint64_t digest = state_digest(j, text);
	bool empty = !json_object_size(j);
	int r;

	if (digest == c->written)
		return 0;
	r = empty ? fd_unlink_sync(c->path, e)
		  : fd_write_file_sync(c->path, text, strlen(text), 0600, e);
	if (!r)
		c->written = digest;
	return r;
}

/* --- stored manifests ------------------------------------------------------------------------ */

/* What the change does to stored manifests: [{"name", "text": DIGEST or ""}] */
static json_t *redo_of(const struct source_change *ch)
{
	json_t *list = json_array();

	for (size_t i = 0; ch && i < ch->count; i++) {
		const struct source *s;

		if (ch->item[i].kind != SOURCE_API)
			continue;
		s = sources_find(ch->sources, SOURCE_API, ch->item[i].name);
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s}", "name", ch->item[i].name, "text",
				      source_content_digest(s ? s->content : NULL)));
	}
	return list;
}

static int put_texts(const struct journal *c, const struct source_change *ch, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && ch && i < ch->count; i++) {
		const struct source *s =
			sources_find(ch->sources, ch->item[i].kind, ch->item[i].name);

		if (s && s->content)
			r = history_text_put(c->history, s->content, e);
	}
	return r;
}

static int redo_one(
	const struct journal *c, const struct sources *t, const json_t *item, struct err *e)
{
	const char *name = json_string_value(json_object_get(item, "name")),
		   *digest = json_string_value(json_object_get(item, "text"));
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r;

	if (!name || !digest || !source_name_is_valid(name))
		return err_set(e, -EINVAL, "%s: store: not understood", c->path);
	if (!*digest)
		return sources_unstore(t, name, e);
	r = history_text(c->history, digest, &text, &len, e);
	return r ?: sources_store(t, name, text, len, e);
}

/* Write them all; what cannot be written stays to be done. */
static int redo_all(
	const struct journal *c, const struct sources *t, const json_t *redo, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < json_array_size(redo); i++) {
		int one = redo_one(c, t, json_array_get(redo, i), r ? NULL : e);

		r = r ?: one;
	}
	return r;
}

static int finish(struct journal *c, const struct sources *t, struct err *e)
{
	int r = redo_all(c, t, c->redo, e);

	r = r ?: state_write(c, t, &c->confirm, NULL, e);
	if (r)
		return r;
	json_unrefp(&c->redo);
	set_problem(c, NULL);
	return 0;
}

/* --- at start -------------------------------------------------------------------------------- */

static int load_hold(struct journal *c, struct sources *t, const json_t *j, struct err *e)
{
	const char *name = NULL, *origin = NULL, *digest = NULL, *disk = NULL;
	SCOPED(source_content_unrefp) struct source_content *content = NULL;
	SCOPED(freep) char *text = NULL;
	int64_t revision = 0;
	size_t len;
	int r = json_get_string(j, "name", &name, e) ?: json_get_string(j, "origin", &origin, e) ?:
		json_get_string(j, "text", &digest, e) ?: json_get_string(j, "file", &disk, e);

	r = r ?: json_get_int(j, "revision", 1, UINT32_MAX, &revision, e);
	if (r)
		return r;
	if (!name || !origin || !digest || !disk || !revision)
		return err_set(e, -EINVAL, "%s: hold: not understood", c->path);
	if (*digest)
		r = history_text(c->history, digest, &text, &len, e)
			    ?: source_parse(&t->context, origin, text, len, &content, e);
	if (r)
		return err_prefix(e, "%s is not held any more", name);
	sources_hold(t, name, origin, TAKE(content), (uint32_t)revision, disk);
	return 0;
}

static void load_confirm(struct journal *c, const json_t *j)
{
	const char *deadline = json_string_value(json_object_get(j, "deadline"));
	json_int_t base = json_integer_value(json_object_get(j, "base")),
		   timeout = json_integer_value(json_object_get(j, "timeout_ns"));
	struct err e = {0};
	uint64_t ns;

	if (!j)
		return;
	if (base < 1 || base > UINT32_MAX || timeout < 0 || !deadline ||
		time_parse(deadline, &ns) < 0) {
		(void)err_set(&e, -EINVAL, "%s: confirm: not understood", c->path);
		set_problem(c, &e);
		return;
	}
	c->confirm = (struct confirm){(uint32_t)base, ns, (uint64_t)timeout};
}

static void load(struct journal *c, struct sources *t, const json_t *j)
{
	const json_t *holds = json_object_get(j, "hold");
	struct err e = {0};

	load_confirm(c, json_object_get(j, "confirm"));
	for (size_t i = 0; i < json_array_size(holds); i++) {
		if (load_hold(c, t, json_array_get(holds, i), &e))
			set_problem(c, &e);
	}
	c->redo = json_incref(json_object_get(j, "store"));
	if (c->redo && finish(c, t, &e))
		set_problem(c, &e);
}

void journal_open(
	struct journal *c, const struct history *h, struct sources *t, const char *state_dir)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(freep) char *text = NULL;
	struct err e = {0};
	size_t len;
	int r;

	str_printf(&path, "%s/policy-change.json", state_dir);
	*c = (struct journal){.path = str_take(&path), .history = h};
	r = fd_read_file(c->path, STATE_BYTES_MAX, &text, &len, &e);
	if (r == -ENOENT)
		return;
	r = r ?: json_parse_text(text, len, STATE_BYTES_MAX, &j, &e);
	c->written = 1;
	if (r) {
		(void)err_prefix(&e, "%s", c->path);
		set_problem(c, &e);
		return;
	}
	c->written = hash_bytes(text, len, 0);
	load(c, t, j);
}

void journal_done(struct journal *c)
{
	free(c->path);
	free(c->problem);
	json_unrefp(&c->redo);
	*c = (struct journal){0};
}

/* --- in between ------------------------------------------------------------------------------ */

int journal_commit(struct journal *c, const struct sources *t, const struct source_change *ch,
	const struct confirm *confirm, struct err *e)
{
	SCOPED(json_unrefp) json_t *redo = NULL;
	struct err later = {0};
	int r = c->redo ? finish(c, t, e) : 0;

	if (r)
		return r;
	redo = redo_of(ch);
	if (json_array_size(redo) <= 1 && state_is_written(c, t, confirm))
		return ch ? source_change_store(ch, e) : 0; /* one file: an instant of its own */
	r = put_texts(c, ch, e);
	r = r ?: state_write(c, t, confirm, redo, e);
	if (r)
		return r;
	/* that was the instant: from here on the change is there, now or at the next start */
	c->confirm = *confirm;
	c->redo = TAKE(redo);
	if (finish(c, t, &later))
		set_problem(c, &later);
	return 0;
}

int journal_settle(struct journal *c, const struct sources *t, struct err *e)
{
	return state_write(c, t, &c->confirm, c->redo, e);
}

uint64_t confirm_left_ns(const struct confirm *c, uint64_t wall_ns)
{
	uint64_t left = c->deadline_ns > wall_ns ? c->deadline_ns - wall_ns : 0;

	return left < c->timeout_ns ? left : c->timeout_ns;
}

/* --- back to a revision ---------------------------------------------------------------------- */

static int content_of(struct source_change *ch, const struct history *h,
	const struct history_source *x, const char *origin, struct source_content **ret,
	struct err *e)
{
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r = history_text(h, x->digest, &text, &len, e);

	return r ?: source_parse(&ch->sources->context, origin, text, len, ret, e);
}

static int api_to(struct source_change *ch, const struct history *h, const struct history_source *x,
	struct err *e)
{
	const struct source *s = sources_find(ch->sources, SOURCE_API, x->name);
	SCOPED(str_done) struct str origin = {0};
	struct source_content *content;
	int r;

	if (s && str_eq(source_content_digest(s->content), x->digest))
		return 0;
	str_printf(&origin, "api:%s", x->name);
	r = content_of(ch, h, x, str_text(&origin), &content, e);
	if (!r)
		source_change_put(ch, x->name, content);
	return r;
}

static int file_to(struct source_change *ch, const struct history *h,
	const struct history_source *x, uint32_t revision, const char *manifest_dir, struct err *e)
{
	const struct source *s = sources_find(ch->sources, SOURCE_FILE, x->name);
	SCOPED(str_done) struct str origin = {0};
	struct source_content *content;
	char disk[DIGEST_TEXT] = "";
	int r;

	if (s && str_eq(source_content_digest(s->content), x->digest) &&
		(!s->held || !str_eq(s->disk, x->digest)))
		return 0;
	if (s)
		memcpy(disk, s->disk, sizeof(disk));
	str_printf(&origin, "%s/%s", manifest_dir, x->name);
	r = content_of(ch, h, x, str_text(&origin), &content, e);
	if (!r)
		source_change_hold(ch, x->name, s ? s->origin : str_text(&origin), content,
			str_eq(disk, x->digest) ? 0 : revision, disk);
	return r;
}

/* Sources of now that the revision did not have. */
static void drop_others(struct source_change *ch, const struct history_entry *x)
{
	const struct sources *t = ch->sources;

	for (size_t i = t->count; i-- > 0;) {
		const struct source *s = t->source[i];
		SCOPED(freep) char *name = NULL;

		if (history_source_find(x, s->kind, s->name) || !s->content)
			continue;
		name = mem_strdup(s->name);
		if (s->kind == SOURCE_API)
			source_change_put(ch, name, NULL);
		else
			source_change_hold(
				ch, name, s->origin, NULL, *s->disk ? x->revision : 0, s->disk);
	}
}

int journal_to_entry(struct source_change *ch, const struct history *h,
	const struct history_entry *x, const char *manifest_dir, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < x->sources; i++) {
		const struct history_source *s = &x->source[i];

		r = s->kind == SOURCE_API ? api_to(ch, h, s, e)
					  : file_to(ch, h, s, x->revision, manifest_dir, e);
	}
	if (r)
		return r;
	drop_others(ch, x);
	return 0;
}
