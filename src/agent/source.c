/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of policy sources. Called by policy.c (which compiles what is here) and api_policy.c.
 * Must hold: content is always a text that was parsed without an error; what is in force never
 * depends on a broken text.
 */
#include "agent/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum { NAME_LENGTH_MAX = 200 };

bool source_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	/* .tmp: what a write that was cut short leaves behind */
	if (!len || len > NAME_LENGTH_MAX || !isalnum((unsigned char)*name) || strstr(name, ".tmp"))
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	}
	return true;
}

bool source_name_is_shadow(const char *name)
{
	return str_has_suffix(name, ".shadow.yaml") || str_has_suffix(name, ".shadow.yml") ||
	       str_has_suffix(name, ".shadow.json");
}

/* FNV-1a from two starts. Who keeps a text under its digest compares the text itself. */
void source_digest(const char *text, size_t len, char ret[DIGEST_TEXT])
{
	(void)snprintf(ret, DIGEST_TEXT, "%016llx%016llx-%zu",
		(unsigned long long)hash_bytes(text, len, 0),
		(unsigned long long)hash_bytes(text, len, 0x9e3779b97f4a7c15u), len);
}

const char *source_content_digest(const struct source_content *c)
{
	return c ? c->digest : "";
}

static int duplicate(const char *kind, const char *name, const struct origin *second,
	const struct origin *first, struct err *e)
{
	return err_set(e, -EEXIST,
		"%s:%d: metadata.name: %s %s is in this file already, at line %d", second->file,
		second->line, kind, name, first->line);
}

/* Of services several objects belong together, and a node may have one of each kind. */
static int check_duplicate_objects(const struct policy_set *set, struct err *e)
{
	for (size_t i = 0; i < set->namespaces; i++) {
		for (size_t j = 0; j < i; j++) {
			if (str_eq(set->namespace[i].name, set->namespace[j].name))
				return duplicate("Namespace", set->namespace[i].name,
					&set->namespace[i].origin, &set->namespace[j].origin, e);
		}
	}
	for (size_t i = 0; i < set->groups; i++) {
		for (size_t j = 0; j < i; j++) {
			if (str_eq(set->group[i].name, set->group[j].name))
				return duplicate("CiliumCIDRGroup", set->group[i].name,
					&set->group[i].origin, &set->group[j].origin, e);
		}
	}
	return 0;
}

static int check_duplicates(const struct policy_set *set, struct err *e)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *a = &set->policy[i];

		for (size_t j = 0; j < i; j++) {
			const struct policy *b = &set->policy[j];

			if (str_eq(a->kind, b->kind) && str_eq(a->namespace, b->namespace) &&
				str_eq(a->name, b->name))
				return duplicate(a->kind, a->name, &a->origin, &b->origin, e);
		}
	}
	return check_duplicate_objects(set, e);
}

int source_parse(const struct policy_context *ctx, const char *origin, const char *text, size_t len,
	struct source_content **ret, struct err *e)
{
	SCOPED(source_content_unrefp)
	struct source_content *c = mem_alloc(sizeof(*c));
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	int r;

	c->references = 1;
	r = yaml_parse(origin, text, len, &docs, e);
	for (size_t i = 0; !r && i < docs.count; i++) {
		if (policy_is_kind(docs.doc[i].root))
			r = policy_parse(&c->set, ctx, origin, &docs.doc[i], e);
		else
			r = policy_check_other(origin, &docs.doc[i], e);
	}
	if (!r)
		r = check_duplicates(&c->set, e);
	if (r)
		return r;
	/* the documents go; who wants the source of a policy parses the text again */
	for (size_t i = 0; i < c->set.count; i++) {
		c->set.policy[i].source = NULL;
		if (str_has_prefix(origin, "api:") && source_name_is_shadow(origin))
			c->set.policy[i].mode = MODE_SHADOW;
	}
	c->text = mem_dup(text, len);
	c->len = len;
	source_digest(text, len, c->digest);
	*ret = TAKE(c);
	return 0;
}

struct source_content *source_content_ref(struct source_content *c)
{
	if (c)
		c->references++;
	return c;
}

void source_content_unref(struct source_content *c)
{
	if (!c || --c->references)
		return;
	policy_set_done(&c->set);
	free(c->text);
	free(c);
}

void source_content_unrefp(struct source_content **c)
{
	source_content_unref(*c);
}

void sources_init(struct sources *t, const struct policy_context *ctx, const char *state_dir)
{
	*t = (struct sources){.context = *ctx, .state_dir = mem_strdup(state_dir)};
}

static void source_free(struct source *s)
{
	source_content_unref(s->content);
	source_content_unref(s->applied);
	free(s->name);
	free(s->origin);
	free(s->error);
	free(s->conflict);
	free(s);
}

void sources_done(struct sources *t)
{
	for (size_t i = 0; i < t->count; i++)
		source_free(t->source[i]);
	free(t->source);
	free(t->state_dir);
	*t = (struct sources){0};
}

/* Where the source is, or where it belongs. */
static size_t position(
	const struct sources *t, enum source_kind kind, const char *name, bool *ret_found)
{
	size_t low = 0, high = t->count;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct source *s = t->source[middle];
		int c = s->kind != kind ? (s->kind < kind ? -1 : 1) : strcmp(s->name, name);

		if (c == 0) {
			*ret_found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct source *sources_find(const struct sources *t, enum source_kind kind, const char *name)
{
	bool found;
	size_t i = position(t, kind, name, &found);

	return found ? t->source[i] : NULL;
}

static struct source *source_get(
	struct sources *t, enum source_kind kind, const char *name, const char *origin)
{
	bool found;
	size_t i = position(t, kind, name, &found);
	struct source *s;

	if (found)
		return t->source[i];
	s = mem_alloc(sizeof(*s));
	s->kind = kind;
	s->name = mem_strdup(name);
	s->origin = mem_strdup(origin);
	mem_grow(&t->source, &t->capacity, t->count + 1, sizeof(struct source *));
	memmove(&t->source[i + 1], &t->source[i], (t->count - i) * sizeof(struct source *));
	t->source[i] = s;
	t->count++;
	return s;
}

static void last_good_path(const struct sources *t, const char *name, struct str *out)
{
	str_printf(out, "%s/last-good/%s", t->state_dir, name);
}

/* The content that this file had when it was in force last, in this run or an earlier one; a new
 * reference or NULL. */
static struct source_content *last_good_load(struct sources *t, const struct source *s)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = NULL;
	struct source_content *c = NULL;
	size_t len;

	last_good_path(t, s->name, &path);
	if (fd_read_file(str_text(&path), POLICY_FILE_MAX_BYTES, &text, &len, NULL) == 0)
		(void)source_parse(&t->context, s->origin, text, len, &c, NULL);
	return c;
}

static void last_good_save(const struct sources *t, const struct source *s)
{
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *text = NULL;
	size_t len;

	last_good_path(t, s->name, &path);
	if (fd_read_file(str_text(&path), POLICY_FILE_MAX_BYTES, &text, &len, NULL) == 0 &&
		len == s->content->len && !memcmp(text, s->content->text, len))
		return;
	/* not being able to keep it matters only if the file breaks before the next start */
	(void)fd_write_file(str_text(&path), s->content->text, s->content->len, 0600, NULL);
}

static void last_good_drop(const struct sources *t, const struct source *s)
{
	SCOPED(str_done) struct str path = {0};

	last_good_path(t, s->name, &path);
	(void)unlink(str_text(&path));
}

void sources_settle(struct sources *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct source *s = t->source[i];

		if (s->applied_known && s->applied == s->content)
			continue;
		if (s->kind == SOURCE_FILE && s->content)
			last_good_save(t, s);
		else if (s->kind == SOURCE_FILE)
			last_good_drop(t, s);
		source_content_unref(s->applied);
		s->applied = source_content_ref(s->content);
		s->applied_known = true;
	}
}

void sources_recall(struct sources *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct source *s = t->source[i];

		if (s->applied_known)
			continue;
		/* a manifest of the API is stored only when it has been in force */
		s->applied = s->kind == SOURCE_FILE ? last_good_load(t, s)
						    : source_content_ref(s->content);
		s->applied_known = true;
	}
}

static void source_set_error(struct sources *t, struct source *s, const char *why)
{
	free(s->error);
	s->error = mem_strdup(why);
	if (!s->content && s->kind == SOURCE_FILE && !s->held)
		s->content = last_good_load(t, s);
}

int sources_update(struct sources *t, enum source_kind kind, const char *name, const char *origin,
	const char *text, size_t len, struct err *e)
{
	struct source *s = source_get(t, kind, name, origin);
	struct source_content *content;
	char digest[DIGEST_TEXT];
	bool same;
	int r;

	s->seen = true;
	source_digest(text, len, digest);
	same = str_eq(digest, s->disk);
	memcpy(s->disk, digest, sizeof(digest));
	if (s->held && same)
		return 0;
	if (!s->held && s->content && !s->error && s->content->len == len &&
		!memcmp(s->content->text, text, len))
		return 0;
	r = source_parse(&t->context, s->origin, text, len, &content, e);
	if (r) {
		source_set_error(t, s, e->text);
		return r;
	}
	source_content_unref(s->content);
	s->content = content;
	s->held = 0;
	free(s->error);
	s->error = NULL;
	return 0;
}

void sources_fail(struct sources *t, enum source_kind kind, const char *name, const char *origin,
	const char *why)
{
	struct source *s = source_get(t, kind, name, origin);

	s->seen = true;
	source_set_error(t, s, why);
}

void sources_replace(struct sources *t, enum source_kind kind, const char *name, const char *origin,
	struct source_content *content)
{
	struct source *s;

	if (!content) {
		sources_remove(t, kind, name);
		return;
	}
	s = source_get(t, kind, name, origin);
	source_content_unref(s->content);
	s->content = content;
	free(s->error);
	s->error = NULL;
}

void sources_hold(struct sources *t, const char *name, const char *origin,
	struct source_content *content, uint32_t revision, const char *disk)
{
	struct source *s = source_get(t, SOURCE_FILE, name, origin);

	source_content_unref(s->content);
	s->content = content;
	s->held = revision;
	if (disk != s->disk)
		(void)snprintf(s->disk, sizeof(s->disk), "%s", disk);
	free(s->error);
	s->error = NULL;
}

void sources_remove(struct sources *t, enum source_kind kind, const char *name)
{
	bool found;
	size_t i = position(t, kind, name, &found);

	if (!found)
		return;
	if (kind == SOURCE_FILE)
		last_good_drop(t, t->source[i]);
	source_free(t->source[i]);
	t->count--;
	memmove(&t->source[i], &t->source[i + 1], (t->count - i) * sizeof(struct source *));
}

const struct policy *sources_policy(
	const struct sources *t, const struct policy_name *n, const struct source **ret_source)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct source_content *c = t->source[i]->content;

		for (size_t j = 0; c && j < c->set.count; j++) {
			const struct policy *p = &c->set.policy[j];

			if (p->mode != n->mode || !str_eq(p->kind, n->kind) ||
				!str_eq(p->namespace ? p->namespace : "", n->namespace) ||
				!str_eq(p->name, n->name))
				continue;
			if (ret_source)
				*ret_source = t->source[i];
			return p;
		}
	}
	return NULL;
}
