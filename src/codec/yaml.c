/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML texts to JSON values with positions, over libyaml's event parser. Called by model/policy,
 * the agent's configuration and the CLI. The text comes from outside: depth, number of values,
 * number of anchors and the size after expansion of aliases are bounded, and every refusal names
 * file, line and column. Must hold: an anchor's value is used only when it is complete, so the
 * values form no cycle; positions are kept beside the values and never change them.
 */
#include "codec/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/hash.h"
#include "codec/json.h"
#include "codec/yaml_scalar.h"

enum {
	DEPTH_MAX = 64,
	VALUES_MAX = 500000,
	ANCHORS_MAX = 1000,
	VALUE_COST = 8, /* bytes that a value counts beside its text */
};

enum mark_kind { MARK_SELF, MARK_KEY, MARK_VALUE, MARK_ITEM };

struct mark {
	const json_t *at; /* the value, or the mapping or list it is in */
	uint64_t sub; /* kind, and hash of the key or index of the item */
	int line, column;
};

struct yaml_marks {
	struct mark *mark;
	size_t count, capacity;
};

struct anchor {
	json_t *value; /* NULL until it is complete */
	size_t cost; /* what it adds to parse.expanded at each use */
	unsigned height; /* levels of lists and mappings in it; 0: a scalar */
};

struct parse {
	yaml_parser_t parser;
	const char *name, *text;
	size_t len, values, expanded, limit;
	unsigned deepest; /* level of the deepest list or mapping so far in the anchor at hand */
	struct hash anchors; /* of the current document */
	struct yaml_marks *marks;
	struct err *e;
};

static uint64_t mark_sub(enum mark_kind kind, uint64_t n)
{
	return n << 2 | kind;
}

static uint64_t key_sub(enum mark_kind kind, const char *key)
{
	return mark_sub(kind, hash_bytes(key, strlen(key), 0));
}

static void mark_add(struct parse *p, const json_t *at, uint64_t sub, const yaml_mark_t *where)
{
	struct yaml_marks *m = p->marks;

	mem_grow(&m->mark, &m->capacity, m->count + 1, sizeof(*m->mark));
	m->mark[m->count++] = (struct mark){at, sub, (int)where->line + 1, (int)where->column + 1};
}

static int mark_compare(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->at != y->at)
		return (uintptr_t)x->at < (uintptr_t)y->at ? -1 : 1;
	return x->sub < y->sub ? -1 : x->sub > y->sub;
}

static int mark_find(
	const struct yaml_doc *d, const json_t *at, uint64_t sub, int *ret_line, int *ret_column)
{
	struct mark key = {.at = at, .sub = sub}, *m;

	if (!d || !d->marks || !d->marks->count || !at)
		return 0;
	m = bsearch(&key, d->marks->mark, d->marks->count, sizeof(key), mark_compare);
	if (!m)
		return 0;
	*ret_line = m->line;
	*ret_column = m->column;
	return 1;
}

int yaml_where(const struct yaml_doc *d, const json_t *value, int *ret_line, int *ret_column)
{
	return mark_find(d, value, mark_sub(MARK_SELF, 0), ret_line, ret_column);
}

int yaml_where_key(const struct yaml_doc *d, const json_t *mapping, const char *key, int *ret_line,
	int *ret_column)
{
	return mark_find(d, mapping, key_sub(MARK_KEY, key), ret_line, ret_column);
}

int yaml_where_value(const struct yaml_doc *d, const json_t *mapping, const char *key,
	int *ret_line, int *ret_column)
{
	return mark_find(d, mapping, key_sub(MARK_VALUE, key), ret_line, ret_column);
}

int yaml_where_item(
	const struct yaml_doc *d, const json_t *list, size_t index, int *ret_line, int *ret_column)
{
	return mark_find(d, list, mark_sub(MARK_ITEM, index), ret_line, ret_column);
}

/* "name:line:column: what". */
#define fail(p, where, ...) fail_at((p), (where)->line + 1, (where)->column + 1, __VA_ARGS__)

__attribute__((format(printf, 4, 5))) static int fail_at(
	struct parse *p, size_t line, size_t column, const char *fmt, ...)
{
	va_list ap;
	char text[256];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(p->e, -EINVAL, "%s:%zu:%zu: %s", p->name, line, column, text);
}

/* What libyaml has against the text. */
static int fail_parser(struct parse *p)
{
	const yaml_parser_t *y = &p->parser;
	const char *problem = y->problem ? y->problem : "unreadable";
	size_t line = 1, column = 1;

	if (y->error == YAML_MEMORY_ERROR)
		return err_set(p->e, -ENOMEM, "%s: out of memory", p->name);
	if (y->error == YAML_SCANNER_ERROR && y->problem_mark.index < p->len &&
		p->text[y->problem_mark.index] == '\t')
		return fail(p, &y->problem_mark, "a tab cannot indent YAML: use blanks");
	if (y->error != YAML_READER_ERROR)
		return fail(p, &y->problem_mark, "%s%s%s", y->context ? y->context : "",
			y->context ? ": " : "", problem);
	for (size_t i = 0; i < y->problem_offset && i < p->len; i++) {
		column++;
		if (p->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return fail_at(p, line, column, "%s", problem);
}

static int next_event(struct parse *p, yaml_event_t *ret)
{
	return yaml_parser_parse(&p->parser, ret) ? 0 : fail_parser(p);
}

static void anchors_done(struct parse *p)
{
	HASH_EACH(&p->anchors, entry) {
		struct anchor *a = entry->value;

		json_decref(a->value);
		free(a);
	}
	hash_done(&p->anchors);
}

/* Count a value of so many bytes of text. */
static int count_value(struct parse *p, const yaml_mark_t *where, size_t cost)
{
	if (++p->values > VALUES_MAX)
		return fail(p, where, "more than %d values: split the file", VALUES_MAX);
	p->expanded += cost;
	if (p->expanded > p->limit)
		return fail(p, where, "aliases expand to more than %zu bytes", p->limit);
	return 0;
}

static int parse_node(struct parse *p, yaml_event_t *ev, unsigned depth, json_t **ret);

/* A list or mapping with so many levels, itself the first of them, begins at this depth. */
static int count_levels(struct parse *p, const yaml_mark_t *where, unsigned depth, unsigned height)
{
	unsigned deepest = depth + height - 1;

	if (deepest > DEPTH_MAX)
		return fail(p, where, "nested more than %d levels deep", DEPTH_MAX);
	if (deepest > p->deepest)
		p->deepest = deepest;
	return 0;
}

static int parse_alias(struct parse *p, const yaml_event_t *ev, unsigned depth, json_t **ret)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct anchor *a = hash_get_str(&p->anchors, name);
	int r;

	if (!a)
		return fail(p, &ev->start_mark, "alias *%s without an anchor &%s before it", name,
			name);
	if (!a->value)
		return fail(p, &ev->start_mark, "alias *%s inside its own anchor", name);
	r = count_value(p, &ev->start_mark, a->cost);
	if (!r && a->height)
		r = count_levels(p, &ev->start_mark, depth, a->height);
	if (r < 0)
		return r;
	*ret = json_incref(a->value);
	return 0;
}

/* "str", "int", ... of a tag of the core schema; "" for none and "!"; NULL for a foreign one. */
static const char *core_tag(const yaml_char_t *tag)
{
	const char *t = (const char *)tag;

	if (!t || !strcmp(t, "!"))
		return "";
	return strncmp(t, "tag:yaml.org,2002:", 18) ? NULL : t + 18;
}

static int check_tag(
	struct parse *p, const yaml_event_t *ev, const yaml_char_t *tag, const char *kind)
{
	const char *core = core_tag(tag);

	if (core && (!*core || !strcmp(core, kind)))
		return 0;
	return fail(p, &ev->start_mark, "tag %s does not go with this value", (const char *)tag);
}

/* A tag must agree with what the text stands for. */
static bool tag_agrees(const char *core, const json_t *value)
{
	if (!*core)
		return true;
	if (!strcmp(core, "int"))
		return json_is_integer(value);
	if (!strcmp(core, "float"))
		return json_is_number(value);
	if (!strcmp(core, "bool"))
		return json_is_boolean(value);
	return !strcmp(core, "null") && json_is_null(value);
}

static int parse_scalar(struct parse *p, const yaml_event_t *ev, json_t **ret)
{
	const char *text = (const char *)ev->data.scalar.value;
	const char *core = core_tag(ev->data.scalar.tag);
	size_t len = ev->data.scalar.length;
	json_t *value = NULL;
	int r = count_value(p, &ev->start_mark, len + VALUE_COST);

	if (r < 0)
		return r;
	if (memchr(text, 0, len))
		return fail(p, &ev->start_mark, "a NUL character in a string");
	if (!core)
		return fail(
			p, &ev->start_mark, "unknown tag %s", (const char *)ev->data.scalar.tag);
	if (!strcmp(core, "str") || ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
		(ev->data.scalar.tag && !*core)) {
		if (*core && strcmp(core, "str"))
			return check_tag(p, ev, ev->data.scalar.tag, "str");
		*ret = json_stringn_nocheck(text, len);
		return 0;
	}
	r = yaml_scalar_resolve(text, len, &value);
	if (r == -ERANGE)
		return fail(p, &ev->start_mark, "%.40s does not fit in 64 bits", text);
	if (r < 0)
		return fail(p, &ev->start_mark,
			"%.40s is no finite number; quote it if a string is meant", text);
	if (!tag_agrees(core, value)) {
		json_decref(value);
		return check_tag(p, ev, ev->data.scalar.tag, "");
	}
	*ret = value;
	return 0;
}

/* The line of an earlier key; the marks are not sorted yet. */
static int line_of_key(const struct parse *p, const json_t *mapping, const char *key)
{
	uint64_t sub = key_sub(MARK_KEY, key);

	for (size_t i = 0; i < p->marks->count; i++) {
		if (p->marks->mark[i].at == mapping && p->marks->mark[i].sub == sub)
			return p->marks->mark[i].line;
	}
	return 0;
}

static int check_key(struct parse *p, const yaml_event_t *ev, const json_t *mapping)
{
	const char *key = (const char *)ev->data.scalar.value;
	bool plain;

	if (ev->type != YAML_SCALAR_EVENT)
		return fail(p, &ev->start_mark, "a key must be a plain or quoted string");
	plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !ev->data.scalar.tag;
	if (memchr(key, 0, ev->data.scalar.length))
		return fail(p, &ev->start_mark, "a NUL character in a key");
	if (plain && !*key)
		return fail(p, &ev->start_mark, "a key is missing before the colon");
	if (plain && !strcmp(key, "<<"))
		return fail(p, &ev->start_mark, "merge keys (<<) are not supported: write it out");
	if (check_tag(p, ev, ev->data.scalar.tag, "str") < 0)
		return -EINVAL;
	if (json_object_get(mapping, key))
		return fail(p, &ev->start_mark, "duplicate key \"%.100s\" (first at line %d)", key,
			line_of_key(p, mapping, key));
	return count_value(p, &ev->start_mark, ev->data.scalar.length + VALUE_COST);
}

static int parse_mapping(struct parse *p, unsigned depth, json_t *mapping)
{
	for (;;) {
		SCOPED(yaml_event_delete)
		yaml_event_t kev = {0};
		SCOPED(yaml_event_delete)
		yaml_event_t vev = {0};
		const char *key;
		json_t *value = NULL;
		int r = next_event(p, &kev);

		if (r < 0)
			return r;
		if (kev.type == YAML_MAPPING_END_EVENT)
			return 0;
		r = check_key(p, &kev, mapping);
		if (r < 0)
			return r;
		key = (const char *)kev.data.scalar.value;
		mark_add(p, mapping, key_sub(MARK_KEY, key), &kev.start_mark);
		r = next_event(p, &vev);
		if (r < 0)
			return r;
		mark_add(p, mapping, key_sub(MARK_VALUE, key), &vev.start_mark);
		r = parse_node(p, &vev, depth + 1, &value);
		if (r < 0)
			return r;
		if (json_object_set_new_nocheck(mapping, key, value) < 0)
			return fail(p, &kev.start_mark, "this key cannot be kept");
	}
}

static int parse_list(struct parse *p, unsigned depth, json_t *list)
{
	for (size_t i = 0;; i++) {
		SCOPED(yaml_event_delete)
		yaml_event_t ev = {0};
		json_t *value = NULL;
		int r = next_event(p, &ev);

		if (r < 0)
			return r;
		if (ev.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		mark_add(p, list, mark_sub(MARK_ITEM, i), &ev.start_mark);
		r = parse_node(p, &ev, depth + 1, &value);
		if (r < 0)
			return r;
		if (json_array_append_new(list, value) < 0)
			return fail(p, &ev.start_mark, "this item cannot be kept");
	}
}

static int parse_collection(struct parse *p, const yaml_event_t *ev, unsigned depth, json_t **ret)
{
	bool is_mapping = ev->type == YAML_MAPPING_START_EVENT;
	SCOPED(json_unrefp)
	json_t *value = is_mapping ? json_object() : json_array();
	int r = check_tag(p, ev,
		is_mapping ? ev->data.mapping_start.tag : ev->data.sequence_start.tag,
		is_mapping ? "map" : "seq");

	if (r < 0)
		return r;
	r = count_levels(p, &ev->start_mark, depth, 1);
	if (!r)
		r = count_value(p, &ev->start_mark, VALUE_COST);
	if (!r)
		r = is_mapping ? parse_mapping(p, depth, value) : parse_list(p, depth, value);
	if (r < 0)
		return r;
	*ret = TAKE(value);
	return 0;
}

/* The anchor of the value that begins here, registered so that uses inside of it are found out;
 * NULL in *ret for none. */
static int anchor_open(struct parse *p, const yaml_event_t *ev, struct anchor **ret)
{
	const char *name = (const char *)(ev->type == YAML_SCALAR_EVENT ? ev->data.scalar.anchor
					  : ev->type == YAML_MAPPING_START_EVENT
						  ? ev->data.mapping_start.anchor
						  : ev->data.sequence_start.anchor);
	struct anchor *a, *old;

	*ret = NULL;
	if (!name)
		return 0;
	old = hash_get_str(&p->anchors, name);
	if (old && !old->value)
		return fail(p, &ev->start_mark, "anchor &%s inside itself", name);
	if (!old && p->anchors.count >= ANCHORS_MAX)
		return fail(p, &ev->start_mark, "more than %d anchors", ANCHORS_MAX);
	a = mem_alloc(sizeof(*a));
	old = hash_put_str(&p->anchors, name, a);
	if (old) {
		json_decref(old->value);
		free(old);
	}
	*ret = a;
	return 0;
}

static int parse_node(struct parse *p, yaml_event_t *ev, unsigned depth, json_t **ret)
{
	struct anchor *a;
	size_t before = p->expanded;
	unsigned deepest = p->deepest;
	json_t *value = NULL;
	int r;

	if (ev->type == YAML_ALIAS_EVENT)
		return parse_alias(p, ev, depth, ret);
	p->deepest = 0;
	r = anchor_open(p, ev, &a);
	if (!r)
		r = ev->type == YAML_SCALAR_EVENT ? parse_scalar(p, ev, &value)
						  : parse_collection(p, ev, depth, &value);
	if (r < 0)
		return r;
	if (!json_is_null(value) && !json_is_boolean(value))
		mark_add(p, value, mark_sub(MARK_SELF, 0), &ev->start_mark);
	if (a) {
		a->cost = p->expanded - before;
		a->height = p->deepest ? p->deepest - depth + 1 : 0;
		a->value = json_incref(value);
	}
	if (deepest > p->deepest)
		p->deepest = deepest;
	*ret = value;
	return 0;
}

static void marks_free(struct yaml_marks *m)
{
	if (!m)
		return;
	free(m->mark);
	free(m);
}

/* One document, behind its start event. */
static int parse_document(struct parse *p, struct yaml_doc *ret)
{
	SCOPED(yaml_event_delete)
	yaml_event_t ev = {0};
	SCOPED(yaml_event_delete)
	yaml_event_t end = {0};
	int r;

	p->marks = ret->marks = mem_alloc(sizeof(*ret->marks));
	r = next_event(p, &ev);
	if (r < 0)
		return r;
	ret->line = (int)ev.start_mark.line + 1;
	r = parse_node(p, &ev, 1, &ret->root);
	anchors_done(p);
	if (r < 0)
		return r;
	if (ret->marks->count)
		qsort(ret->marks->mark, ret->marks->count, sizeof(struct mark), mark_compare);
	return next_event(p, &end);
}

static void doc_done(struct yaml_doc *d)
{
	json_decref(d->root);
	marks_free(d->marks);
	*d = (struct yaml_doc){0};
}

void yaml_docs_done(struct yaml_docs *d)
{
	for (size_t i = 0; i < d->count; i++)
		doc_done(&d->doc[i]);
	free(d->doc);
	*d = (struct yaml_docs){0};
}

static int parse_stream(struct parse *p, struct yaml_docs *docs)
{
	size_t capacity = 0;

	for (;;) {
		SCOPED(yaml_event_delete)
		yaml_event_t ev = {0};
		SCOPED(doc_done)
		struct yaml_doc doc = {0};
		int r = next_event(p, &ev);

		if (r < 0)
			return r;
		if (ev.type == YAML_STREAM_END_EVENT)
			return 0;
		if (ev.type != YAML_DOCUMENT_START_EVENT)
			continue; /* the start of the stream */
		r = parse_document(p, &doc);
		if (r < 0)
			return r;
		if (json_is_null(doc.root))
			continue;
		mem_grow(&docs->doc, &capacity, docs->count + 1, sizeof(*docs->doc));
		docs->doc[docs->count++] = doc;
		doc = (struct yaml_doc){0};
	}
}

int yaml_parse(const char *name, const char *text, size_t len, struct yaml_docs *ret, struct err *e)
{
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	struct parse p = {.name = name, .text = text, .len = len, .e = e};
	int r;

	p.limit = len * 10 + 65536;
	if (!yaml_parser_initialize(&p.parser))
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	yaml_parser_set_input_string(&p.parser, (const unsigned char *)text, len);
	r = parse_stream(&p, &docs);
	yaml_parser_delete(&p.parser);
	if (r < 0)
		return r;
	*ret = docs;
	docs = (struct yaml_docs){0};
	return 0;
}
