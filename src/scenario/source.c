/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a scenario's policies come from: inline documents, files, patterns, directories. Called by
 * parse.c, and for policies without a scenario. Owns nothing beyond what it puts into the set. Must
 * hold: what a policy file says is refused as the agent refuses it, under the file's own name.
 */
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "codec/json.h"
#include "scenario/invariants.h"
#include "scenario/parse.h"

enum { FILE_BYTES_MAX = 64 << 20 };

static int read_document(
	struct scenario *s, const char *file, const struct yaml_doc *doc, struct err *e)
{
	if (!policy_is_kind(doc->root))
		return 0; /* other objects stand beside policies in many files */
	return policy_parse(&s->set, &s->settings.context, file, doc, e);
}

static int read_file(struct scenario *s, const char *path, struct err *e)
{
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(freep) char *text = NULL;
	size_t len;
	int r = fd_read_file(path, FILE_BYTES_MAX, &text, &len, e);

	r = r < 0 ? r : yaml_parse(path, text, len, &docs, e);
	for (size_t i = 0; r >= 0 && i < docs.count; i++)
		r = read_document(s, path, &docs.doc[i], e);
	return r;
}

/* The files that the pattern means; none is an error. */
static int read_pattern(struct scenario *s, const char *pattern, struct err *e)
{
	glob_t found = {0};
	int r = 0;

	if (glob(pattern, GLOB_BRACE, NULL, &found) || !found.gl_pathc)
		r = err_set(e, -ENOENT, "%s: no such file", pattern);
	for (size_t i = 0; r >= 0 && i < found.gl_pathc; i++)
		r = read_file(s, found.gl_pathv[i], e);
	globfree(&found);
	return r;
}

static int read_path(struct scenario *s, const char *path, struct err *e)
{
	SCOPED(str_done) struct str pattern = {0};
	struct stat st;

	/* a name may hold what looks like a pattern */
	if (stat(path, &st) < 0)
		return read_pattern(s, path, e);
	if (!S_ISDIR(st.st_mode))
		return read_file(s, path, e);
	str_printf(&pattern, "%s/*.{yaml,yml,json}", path);
	return read_pattern(s, str_text(&pattern), e);
}

/* A path that does not begin with / begins beside the scenario. */
static void add_path(struct str *out, const struct reader *r, const char *text)
{
	if (*text != '/' && *r->directory)
		str_printf(out, "%s/", r->directory);
	str_add(out, text);
}

/* What a file of its own says has a place of its own; that it is not there is said here. */
static int read_fails(const struct reader *r, const struct node *n, const struct err *e)
{
	if (e->code != -ENOENT)
		return err_set(r->walk.e, e->code, "%s", e->text);
	return walk_error(&r->walk, n, "%s", e->text);
}

static int read_item(struct reader *r, const struct node *n)
{
	const char *text = json_string_value(n->value);
	SCOPED(str_done) struct str path = {0};
	struct yaml_doc inline_doc = *r->walk.doc;
	struct err e = {0};
	int column;

	if (json_is_object(n->value)) {
		(void)yaml_where(r->walk.doc, n->value, &inline_doc.line, &column);
		inline_doc.root = (json_t *)n->value;
		if (!policy_is_kind(n->value))
			return walk_error(&r->walk, n, "this is no policy: kind or apiVersion");
		return read_document(r->scenario, r->scenario->file, &inline_doc, r->walk.e);
	}
	if (!text || !*text)
		return walk_error(&r->walk, n, "expected a path or a policy, found %s",
			n->value ? json_kind(n->value) : "nothing");
	add_path(&path, r, text);
	if (read_path(r->scenario, str_text(&path), &e) >= 0)
		return 0;
	return read_fails(r, n, &e);
}

static int read_invariant(struct reader *r, const struct node *n)
{
	struct invariants *l = &r->scenario->invariants;
	const char *text = json_string_value(n->value);
	SCOPED(str_done) struct str path = {0};
	struct invariant one;
	struct err e = {0};
	int bad;

	if (!text || !*text) {
		bad = invariant_parse(&r->walk, n, &one);
		return bad < 0 ? bad : invariants_add(l, &r->walk, n, &one);
	}
	add_path(&path, r, text);
	return invariants_read(l, str_text(&path), &e) < 0 ? read_fails(r, n, &e) : 0;
}

int read_invariants(struct reader *r, const struct node *list)
{
	int bad = walk_list(&r->walk, list);

	for (size_t i = 0; bad >= 0 && i < node_items(list); i++) {
		struct node n = node_item(list, i);

		bad = read_invariant(r, &n);
	}
	return bad;
}

int read_policies(struct reader *r, const struct node *list)
{
	int bad = walk_list(&r->walk, list);

	for (size_t i = 0; bad >= 0 && i < node_items(list); i++) {
		struct node n = node_item(list, i);

		bad = read_item(r, &n);
	}
	return bad;
}

int scenario_of_policies(const struct scenario_settings *settings, const char *path,
	struct scenario *ret, struct err *e)
{
	struct scenario SCOPED(scenario_done) s = {.line = 1, .settings = *settings, .nodes = 1};
	int r;

	s.file = arena_strdup(&s.mem, path);
	s.node = arena_alloc(&s.mem, sizeof(*s.node));
	s.node[0].name = "";
	node_make_addresses(&s, 0);
	r = read_path(&s, path, e);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct scenario){0};
	return 0;
}
