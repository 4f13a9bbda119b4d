/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places, paths and typed values of a policy document. Called by the other model/policy*.c and by
 * src/scenario. Owns nothing: strings stay in the document until the caller copies them. Must hold:
 * every field that is not in a table is an error, so that nothing a person wrote is passed over.
 */
#include "model/policy_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "codec/json.h"

static const json_t *not_null(const json_t *j)
{
	return json_is_null(j) ? NULL : j;
}

struct node node_member(const struct node *up, const char *key)
{
	return (struct node){up, key, 0, not_null(json_object_get(up->value, key))};
}

struct node node_item(const struct node *up, size_t index)
{
	return (struct node){up, NULL, index, not_null(json_array_get(up->value, index))};
}

size_t node_items(const struct node *n)
{
	return json_array_size(n->value);
}

void walk_path(struct str *out, const struct node *n, const struct node *stop)
{
	if (!n->up || n == stop)
		return;
	walk_path(out, n->up, stop);
	if (!n->key)
		str_printf(out, "[%zu]", n->index);
	else
		str_printf(out, "%s%s", out->len ? "." : "", n->key);
}

/*
 * Where the node stands: a scalar itself, a mapping or list under a key at its key. An absent one
 * stands where its parent does.
 */
static void place(const struct walk *w, const struct node *n, int *line, int *column)
{
	int found = 0;

	if (n->up && n->key && (json_is_object(n->value) || json_is_array(n->value)))
		found = yaml_where_key(w->doc, n->up->value, n->key, line, column);
	else if (n->up && n->key)
		found = yaml_where_value(w->doc, n->up->value, n->key, line, column);
	else if (n->up)
		found = yaml_where_item(w->doc, n->up->value, n->index, line, column);
	else
		found = yaml_where(w->doc, n->value, line, column);
	if (!found && n->up)
		place(w, n->up, line, column);
}

static int error_at(const struct walk *w, const struct node *n, int line, int column,
	const char *field, const char *text)
{
	SCOPED(str_done) struct str path = {0};

	walk_path(&path, n, NULL);
	if (field)
		str_printf(&path, "%s%s", path.len ? "." : "", field);
	if (w->findings)
		findings_add(
			w->findings, FINDING_ERROR, w->file, line, column, str_text(&path), text);
	return err_set(w->e, -EINVAL, "%s:%d:%d: %s%s%s", w->file, line, column, str_text(&path),
		path.len ? ": " : "", text);
}

int walk_error(const struct walk *w, const struct node *n, const char *fmt, ...)
{
	SCOPED(str_done) struct str text = {0};
	int line = w->doc->line, column = 1;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	place(w, n, &line, &column);
	return error_at(w, n, line, column, NULL, str_text(&text));
}

void walk_warn(const struct walk *w, const struct node *n, const char *fmt, ...)
{
	SCOPED(str_done) struct str text = {0}, path = {0};
	int line = w->doc->line, column = 1;
	va_list ap;

	if (!w->findings)
		return;
	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	walk_path(&path, n, NULL);
	place(w, n, &line, &column);
	findings_add(w->findings, FINDING_WARNING, w->file, line, column, str_text(&path),
		str_text(&text));
}

struct origin walk_origin(const struct walk *w, const struct node *n)
{
	struct origin o = {.file = w->file, .line = w->doc->line, .column = 1};

	place(w, n, &o.line, &o.column);
	return o;
}

const char *walk_nearest(const char *written, const char *const *words)
{
	unsigned best = (unsigned)strlen(written) / 2 + 1;
	const char *nearest = NULL;

	for (; *words; words++) {
		unsigned d = str_distance(written, *words);

		if (!strcasecmp(written, *words))
			return *words;
		if (d < best) {
			best = d;
			nearest = *words;
		}
	}
	return nearest;
}

static int unknown_field(const struct walk *w, const struct node *n, const char *key,
	const struct field *fields, size_t count)
{
	SCOPED(freep) const char **words = mem_array(count + 1, sizeof(*words));
	SCOPED(str_done) struct str text = {0};
	int line = w->doc->line, column = 1;
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		words[i] = fields[i].name;
	nearest = walk_nearest(key, words);
	str_add(&text, "unknown field");
	if (nearest) {
		str_printf(&text, "; did you mean %s?", nearest);
	} else {
		str_add(&text, "; known here:");
		for (size_t i = 0; i < count; i++)
			str_printf(&text, "%s %s", i ? "," : "", fields[i].name);
	}
	place(w, n, &line, &column);
	(void)yaml_where_key(w->doc, n->value, key, &line, &column);
	return error_at(w, n, line, column, key, str_text(&text));
}

int walk_fields(
	const struct walk *w, const struct node *n, const struct field *fields, size_t count)
{
	const char *key;
	json_t *value;
	int r = 0;

	if (n->value && !json_is_object(n->value))
		return walk_error(w, n, "expected a mapping, found %s", json_kind(n->value));
	/* the iteration macro wants a mutable object but changes nothing */
	json_object_foreach((json_t *)n->value, key, value)
	{
		const struct field *f = fields;

		if (!walk_on(w, r))
			break;
		while (f < fields + count && !str_eq(f->name, key))
			f++;
		if (f == fields + count) {
			r = unknown_field(w, n, key, fields, count);
		} else if (f->refuse && !json_is_null(value) &&
			   !(json_is_array(value) && !json_array_size(value))) {
			struct node bad = node_member(n, f->name);

			r = walk_refuse(w, &bad, f->refuse);
		}
	}
	return r;
}

int walk_list(const struct walk *w, const struct node *n)
{
	if (n->value && !json_is_array(n->value))
		return walk_error(w, n, "expected a list, found %s", json_kind(n->value));
	return 0;
}

int walk_list_max(const struct walk *w, const struct node *n, size_t max)
{
	if (node_items(n) > max)
		return walk_error(
			w, n, "%zu items where at most %zu are allowed", node_items(n), max);
	return walk_list(w, n);
}

int walk_string(const struct walk *w, const struct node *n, const char **ret)
{
	if (n->value && !json_is_string(n->value))
		return walk_error(w, n, "expected a string, found %s%s", json_kind(n->value),
			json_is_object(n->value) || json_is_array(n->value) ? "" : "; quote it");
	*ret = json_string_value(n->value);
	return 0;
}

int walk_string_needed(const struct walk *w, const struct node *n, const char **ret)
{
	const char *s = NULL;
	int r = walk_string(w, n, &s);

	if (r < 0)
		return r;
	if (!s || !*s)
		return walk_error(w, n, s ? "is empty" : "is missing");
	*ret = s;
	return 0;
}

int walk_bool(const struct walk *w, const struct node *n, bool *ret)
{
	if (n->value && !json_is_boolean(n->value))
		return walk_error(w, n, "expected true or false, found %s", json_kind(n->value));
	if (n->value)
		*ret = json_is_true(n->value);
	return 0;
}

int walk_integer(const struct walk *w, const struct node *n, int64_t min, int64_t max, int64_t *ret)
{
	int64_t i = json_integer_value(n->value);

	if (!n->value)
		return 0;
	if (!json_is_integer(n->value))
		return walk_error(w, n, "expected an integer, found %s", json_kind(n->value));
	if (i < min || i > max)
		return walk_error(w, n, "%lld is not in %lld..%lld", (long long)i, (long long)min,
			(long long)max);
	*ret = i;
	return 0;
}

int walk_mapping(const struct walk *w, const struct node *n)
{
	if (!json_is_object(n->value))
		return walk_error(w, n, "expected a mapping, found %s",
			n->value ? json_kind(n->value) : "null");
	return 0;
}

int walk_strings(const struct walk *w, const struct node *n)
{
	int r = walk_list(w, n);

	for (size_t i = 0; walk_on(w, r) && i < node_items(n); i++) {
		struct node item = node_item(n, i);
		const char *s = NULL;

		r = WALK_ALSO(w, r, walk_string_needed(w, &item, &s));
	}
	return r;
}

int walk_refuse(const struct walk *w, const struct node *n, const char *what)
{
	return walk_error(
		w, n, "%s; the policy is refused as a whole rather than applied in part", what);
}
