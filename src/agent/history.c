/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history of policy sources. Called by policy.c (which adds), policy_change.c and
 * api_history.c. Must hold: an entry is on disk only when all its texts are; nothing is taken from
 * the disk that is not what was written; a disk that fails costs history, never policy.
 */
#include "agent/history.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/time.h"

enum { ENTRY_BYTES_MAX = 64 << 20, CHANGES_NAMED = 4 };

static const char *const kind_names[] = {[SOURCE_FILE] = "file", [SOURCE_API] = "api"};

static void entry_free(struct history_entry *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->sources; i++)
		free(x->source[i].name);
	free(x->source);
	free(x->reason);
	free(x);
}

static void entry_freep(struct history_entry **x)
{
	entry_free(*x);
}

static void set_problem(struct history *h, const char *text)
{
	free(h->problem);
	h->problem = text ? mem_strdup(text) : NULL;
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static void entry_path(const struct history *h, uint32_t revision, struct str *out)
{
	str_printf(out, "%s/%u.json", h->dir, revision);
}

static void text_path(const struct history *h, const char *digest, struct str *out)
{
	str_printf(out, "%s/text/%s", h->dir, digest);
}

/* --- entries as JSON ------------------------------------------------------------------------- */

json_t *history_entry_json(const struct history_entry *x)
{
	const struct history_counts *n = &x->counts;
	json_t *sources = json_array();
	char time[TIME_TEXT];

	for (size_t i = 0; i < x->sources; i++) {
		const struct history_source *s = &x->source[i];

		(void)json_array_append_new(
			sources, json_pack("{s:s, s:s, s:s}", "kind", kind_names[s->kind], "name",
					 s->name, "text", s->digest));
	}
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "revision",
		(json_int_t)x->revision, "time", time_format(x->time_ns, time), "reason", x->reason,
		"policies", (json_int_t)n->policies, "rules", (json_int_t)n->rules, "slots",
		(json_int_t)n->slots, "rule_entries", (json_int_t)n->rule_entries, "peer_entries",
		(json_int_t)n->peer_entries, "sources", sources);
}

/* As sources are sorted. */
static int compare_sources(const void *a, const void *b)
{
	const struct history_source *x = a, *y = b;

	return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind)
				  : strcmp(x->name, y->name);
}

static bool digest_is_valid(const char *d)
{
	size_t len = strspn(d, "0123456789abcdef-");

	return len && !d[len] && len < DIGEST_TEXT;
}

static int source_from_json(const json_t *j, struct history_source *ret, struct err *e)
{
	const char *kind, *name, *digest;
	int r = json_get_string(j, "kind", &kind, e) ?: json_get_string(j, "name", &name, e) ?:
		json_get_string(j, "text", &digest, e);

	if (r)
		return r;
	if (!kind || !name || strchr(name, '/') || !digest || !digest_is_valid(digest))
		return err_set(e, -EINVAL, "sources: one that is not understood");
	*ret = (struct history_source){
		.kind = str_eq(kind, kind_names[SOURCE_API]) ? SOURCE_API : SOURCE_FILE,
		.name = mem_strdup(name)};
	(void)snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
	return 0;
}

static int count_from_json(const json_t *j, const char *key, size_t *ret, struct err *e)
{
	int64_t n = 0;
	int r = json_get_int(j, key, 0, INT64_MAX, &n, e);

	*ret = (size_t)n;
	return r;
}

static int entry_from_json(const json_t *j, struct history_entry **ret, struct err *e)
{
	SCOPED(entry_freep) struct history_entry *x = mem_alloc(sizeof(*x));
	const json_t *sources = json_object_get(j, "sources");
	const char *time = NULL, *reason = NULL;
	int64_t revision = 0;
	int r = json_get_int(j, "revision", 1, UINT32_MAX, &revision, e) ?:
		json_get_string(j, "time", &time, e) ?: json_get_string(j, "reason", &reason, e);

	r = r ?: count_from_json(j, "policies", &x->counts.policies, e);
	r = r ?: count_from_json(j, "rules", &x->counts.rules, e);
	r = r ?: count_from_json(j, "slots", &x->counts.slots, e);
	r = r ?: count_from_json(j, "rule_entries", &x->counts.rule_entries, e);
	r = r ?: count_from_json(j, "peer_entries", &x->counts.peer_entries, e);
	if (r)
		return r;
	if (!revision || !time || time_parse(time, &x->time_ns) < 0 || !json_is_array(sources))
		return err_set(e, -EINVAL, "revision, time or sources are not understood");
	x->revision = (uint32_t)revision;
	x->reason = mem_strdup(reason ? reason : "");
	x->source = mem_array(json_array_size(sources), sizeof(*x->source));
	for (size_t i = 0; i < json_array_size(sources); i++) {
		r = source_from_json(json_array_get(sources, i), &x->source[i], e);
		if (r)
			return r;
		x->sources++;
	}
	if (x->sources)
		qsort(x->source, x->sources, sizeof(*x->source), compare_sources);
	*ret = TAKE(x);
	return 0;
}

/* --- texts ----------------------------------------------------------------------------------- */

int history_text(
	const struct history *h, const char *digest, char **ret, size_t *ret_len, struct err *e)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = NULL;
	char found[DIGEST_TEXT];
	size_t len;
	int r;

	text_path(h, digest, &path);
	r = fd_read_file(str_text(&path), POLICY_FILE_MAX_BYTES, &text, &len, e);
	if (r)
		return r;
	source_digest(text, len, found);
	if (!str_eq(found, digest))
		return err_set(e, -EILSEQ,
			"%s: the file is damaged: its text is not what was written",
			str_text(&path));
	*ret_len = len;
	*ret = TAKE(text);
	return 0;
}

int history_text_put(const struct history *h, const struct source_content *c, struct err *e)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r = history_text(h, c->digest, &text, &len, NULL);

	text_path(h, c->digest, &path);
	if (!r && (len != c->len || memcmp(text, c->text, len)))
		return err_set(e, -EEXIST, "%s: another text has the same digest", str_text(&path));
	return r ? fd_write_file_sync(str_text(&path), c->text, c->len, 0600, e) : 0;
}

/* --- reading --------------------------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
	const struct history_entry *x = *(struct history_entry *const *)a,
				   *y = *(struct history_entry *const *)b;

	return (x->revision > y->revision) - (x->revision < y->revision);
}

static int load_one(struct history *h, const char *name, struct err *e)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(entry_freep) struct history_entry *x = NULL;
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r;

	str_printf(&path, "%s/%s", h->dir, name);
	r = fd_read_file(str_text(&path), ENTRY_BYTES_MAX, &text, &len, e);
	r = r ?: json_parse_text(text, len, ENTRY_BYTES_MAX, &j, e) ?: entry_from_json(j, &x, e);
	if (r)
		return err_prefix(e, "%s", str_text(&path));
	mem_grow(&h->entry, &h->capacity, h->count + 1, sizeof(*h->entry));
	h->entry[h->count++] = TAKE(x);
	return 0;
}

void history_open(struct history *h, const char *state_dir, size_t max)
{
	SCOPED(str_done) struct str dir = {0}, text = {0};
	SCOPED(closedirp) DIR *d = NULL;
	const struct dirent *x;
	struct err e = {0};
	int r;

	str_printf(&dir, "%s/history", state_dir);
	str_printf(&text, "%s/text", str_text(&dir));
	*h = (struct history){.dir = str_take(&dir), .max = max};
	r = fd_mkdir(str_text(&text), 0700, &e);
	d = opendir(h->dir);
	while (!r && d && (x = readdir(d))) {
		if (str_has_suffix(x->d_name, ".json") && load_one(h, x->d_name, &e))
			set_problem(h, e.text);
	}
	if (r)
		set_problem(h, e.text);
	if (h->count)
		qsort(h->entry, h->count, sizeof(*h->entry), compare_entries);
}

void history_done(struct history *h)
{
	for (size_t i = 0; i < h->count; i++)
		entry_free(h->entry[i]);
	free(h->entry);
	free(h->dir);
	free(h->problem);
	*h = (struct history){0};
}

const struct history_entry *history_newest(const struct history *h)
{
	return h->count ? h->entry[h->count - 1] : NULL;
}

const struct history_entry *history_at(const struct history *h, uint32_t revision)
{
	size_t i = h->count;

	while (i && h->entry[i - 1]->revision > revision)
		i--;
	return i ? h->entry[i - 1] : NULL;
}

const struct history_entry *history_before(const struct history *h, const struct history_entry *x)
{
	return x && x->revision ? history_at(h, x->revision - 1) : NULL;
}

const struct history_source *history_source_find(
	const struct history_entry *x, enum source_kind kind, const char *name)
{
	const struct history_source key = {.kind = kind, .name = (char *)name};

	return x->sources ? bsearch(&key, x->source, x->sources, sizeof(key), compare_sources)
			  : NULL;
}

bool history_entry_is(const struct history_entry *x, const struct sources *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct source *s = t->source[i];
		const struct history_source *was = n < x->sources ? &x->source[n] : NULL;

		if (!s->applied)
			continue;
		/* both are sorted alike */
		if (!was || was->kind != s->kind || !str_eq(was->name, s->name) ||
			!str_eq(was->digest, s->applied->digest))
			return false;
		n++;
	}
	return n == x->sources;
}

/* --- writing --------------------------------------------------------------------------------- */

void history_each_change(const struct history_entry *a, const struct history_entry *b,
	history_change_fn fn, void *data)
{
	static const struct history_entry none;

	a = a ? a : &none;
	for (size_t i = 0; i < b->sources; i++) {
		const struct history_source *s = &b->source[i],
					    *was = history_source_find(a, s->kind, s->name);

		if (!was || !str_eq(was->digest, s->digest))
			fn(was, s, data);
	}
	for (size_t i = 0; i < a->sources; i++) {
		if (!history_source_find(b, a->source[i].kind, a->source[i].name))
			fn(&a->source[i], NULL, data);
	}
}

const char *history_change_name(const struct history_source *was, const struct history_source *is)
{
	return !was ? "added" : !is ? "removed" : "changed";
}

struct said {
	struct str *out;
	size_t count;
};

static void say_change(
	const struct history_source *was, const struct history_source *is, void *data)
{
	const struct history_source *s = is ? is : was;
	struct said *x = data;

	if (x->count++ < CHANGES_NAMED)
		str_printf(x->out, "%s%s %s %s", x->out->len ? ", " : "", kind_names[s->kind],
			s->name, history_change_name(was, is));
}

void history_changes(struct str *out, const struct history_entry *a, const struct history_entry *b)
{
	struct said x = {.out = out};

	history_each_change(a, b, say_change, &x);
	if (x.count > CHANGES_NAMED)
		str_printf(out, " and %zu more", x.count - CHANGES_NAMED);
	if (!x.count)
		str_add(out, b->sources ? "no change" : "no policies");
}

static struct history_entry *entry_of(
	const struct sources *t, uint32_t revision, const struct history_counts *counts)
{
	struct history_entry *x = mem_alloc(sizeof(*x));

	x->revision = revision;
	x->time_ns = time_wall_ns();
	x->counts = *counts;
	x->source = mem_array(t->count, sizeof(*x->source));
	for (size_t i = 0; i < t->count; i++) {
		const struct source *s = t->source[i];
		struct history_source *to = &x->source[x->sources];

		if (!s->applied)
			continue;
		*to = (struct history_source){.kind = s->kind, .name = mem_strdup(s->name)};
		memcpy(to->digest, s->applied->digest, sizeof(to->digest));
		x->sources++;
	}
	return x;
}

static void need_text(struct hash *needed, const char *digest)
{
	if (*digest)
		(void)hash_put_str(needed, digest, needed);
}

static void drop_texts(const struct history *h, const struct sources *t)
{
	SCOPED(str_done) struct str path = {0};
	struct hash SCOPED(hash_done) needed = {0};
	SCOPED(closedirp) DIR *d = NULL;
	const struct dirent *x;

	for (size_t i = 0; i < h->count; i++) {
		for (size_t k = 0; k < h->entry[i]->sources; k++)
			need_text(&needed, h->entry[i]->source[k].digest);
	}
	for (size_t i = 0; i < t->count; i++) {
		need_text(&needed, source_content_digest(t->source[i]->content));
		need_text(&needed, source_content_digest(t->source[i]->applied));
	}
	text_path(h, "", &path);
	d = opendir(str_text(&path));
	while (d && (x = readdir(d))) {
		if (*x->d_name != '.' && !hash_get_str(&needed, x->d_name))
			(void)unlinkat(dirfd(d), x->d_name, 0);
	}
}

/* Entries go before the texts that they name. */
static void prune(struct history *h, const struct sources *t, uint32_t keep)
{
	size_t kept = 0, first = h->count > h->max ? h->count - h->max : 0;
	bool dropped = false;

	for (size_t i = 0; i < h->count; i++) {
		SCOPED(str_done) struct str path = {0};

		if (i >= first || h->entry[i]->revision == keep) {
			h->entry[kept++] = h->entry[i];
			continue;
		}
		entry_path(h, h->entry[i]->revision, &path);
		(void)unlink(str_text(&path));
		entry_free(h->entry[i]);
		dropped = true;
	}
	h->count = kept;
	if (dropped)
		drop_texts(h, t);
}

/* Those that the newest entry has are there. */
static int put_texts(const struct history *h, const struct sources *t, struct err *e)
{
	const struct history_entry *newest = history_newest(h);
	int r = 0;

	for (size_t i = 0; !r && i < t->count; i++) {
		const struct source *s = t->source[i];
		const struct history_source *was =
			newest ? history_source_find(newest, s->kind, s->name) : NULL;

		if (s->applied && !(was && str_eq(was->digest, s->applied->digest)))
			r = history_text_put(h, s->applied, e);
	}
	return r;
}

int history_add(struct history *h, const struct sources *t, uint32_t revision, const char *reason,
	const struct history_counts *counts, uint32_t keep, struct err *e)
{
	SCOPED(entry_freep) struct history_entry *x = entry_of(t, revision, counts);
	SCOPED(str_done) struct str path = {0}, why = {0};
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(freep) char *text = NULL;
	int r;

	if (reason)
		str_add(&why, reason);
	else
		history_changes(&why, history_newest(h), x);
	x->reason = str_take(&why);
	r = put_texts(h, t, e);
	j = history_entry_json(x);
	text = json_text(j);
	entry_path(h, revision, &path);
	r = r ?: fd_write_file_sync(str_text(&path), text, strlen(text), 0600, e);
	if (r) {
		set_problem(h, e ? e->text : strerror(-r));
		return r;
	}
	set_problem(h, NULL);
	mem_grow(&h->entry, &h->capacity, h->count + 1, sizeof(*h->entry));
	h->entry[h->count++] = TAKE(x);
	prune(h, t, keep);
	return 0;
}
