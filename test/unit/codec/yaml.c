/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec/yaml.c: what reads as what, what is refused and where, bombs, positions; and
 * json_write_yaml(), which must read back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "codec/json.h"
#include "codec/yaml.h"

/* want: the documents as compact JSON, separated by a newline. */
static const struct {
	const char *text, *want;
} good[] = {
	{"", ""},
	{"# only a comment\n", ""},
	{"---\n---\n...\n", ""},
	{"~", ""},
	{"a: 1", "{\"a\":1}"},
	{"a: 1\nb: [x, 2, 3.5]\n", "{\"a\":1,\"b\":[\"x\",2,3.5]}"},
	{"- a\n- b: c\n  d: e\n-\n", "[\"a\",{\"b\":\"c\",\"d\":\"e\"},null]"},
	{"a:\nb: {}\nc: []\n", "{\"a\":null,\"b\":{},\"c\":[]}"},
	/* null, booleans */
	{"[~, null, Null, NULL, , 'null', \"~\"]", NULL},
	{"[~, null, Null, NULL, 'null', \"~\"]", "[null,null,null,null,\"null\",\"~\"]"},
	{"[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]"},
	{"[yes, no, on, off, y, n, Yes, ON, tRue, nULL]",
		"[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"Yes\",\"ON\",\"tRue\",\"nULL\"]"},
	{"['true', \"1\", '1.5', \"null\", '']", "[\"true\",\"1\",\"1.5\",\"null\",\"\"]"},
	/* integers */
	{"[0, -0, +12, -7, 0o17, 0x1F, 010, 0o9, 0xg]", "[0,0,12,-7,15,31,10,\"0o9\",\"0xg\"]"},
	{"[9223372036854775807, -9223372036854775808]",
		"[9223372036854775807,-9223372036854775808]"},
	{"[1_000, 0b11, 12:30:45, 1.2.3.4, 10.0.0.0/8, -x, +]",
		"[\"1_000\",\"0b11\",\"12:30:45\",\"1.2.3.4\",\"10.0.0.0/8\",\"-x\",\"+\"]"},
	{"[2026-11-24, 2026-11-24T01:02:03Z]", "[\"2026-11-24\",\"2026-11-24T01:02:03Z\"]"},
	/* floats */
	{"[1.5, .5, 5., -1e3, 1E-2, 1e+2, e1, 1e, .]",
		"[1.5,0.5,5.0,-1000.0,0.01,100.0,\"e1\",\"1e\",\".\"]"},
	/* tags */
	{"[!!str 1, !!str true, !!int 5, !!float 1, !!bool true, !!null '', ! 7]", NULL},
	{"[!!str 1, !!str true, !!int 5, !!float 1, !!bool true, !!null ~, ! 7]",
		"[\"1\",\"true\",5,1,true,null,\"7\"]"},
	{"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
	/* strings */
	{"a: |\n  x\n  y\nb: >\n  x\n  y\nc: |-\n  z\n",
		"{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\",\"c\":\"z\"}"},
	{"\"\\u00e4 \\x41 \\t \\/\"", "\"ä A \\t /\""},
	{"a: b: c", NULL},
	{"a: 'it''s'", "{\"a\":\"it's\"}"},
	{"a: x # comment\nb: x#y\n", "{\"a\":\"x\",\"b\":\"x#y\"}"},
	/* keys */
	{"1: a\ntrue: b\n~: c\n'<<': d\n", "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"<<\":\"d\"}"},
	{"? a\n: b\n", "{\"a\":\"b\"}"},
	{"\"\": x", "{\"\":\"x\"}"},
	/* documents */
	{"a: 1\n---\nb: 2\n---\n\n---\nc: 3\n...\n", "{\"a\":1}\n{\"b\":2}\n{\"c\":3}"},
	{"%YAML 1.2\n---\na: 1\n", "{\"a\":1}"},
	/* JSON */
	{"{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{\"d\":-1.5e3}}",
		"{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{\"d\":-1500.0}}"},
	{"{\n\t\"a\": \"b\",\n\t\"c\": []\n}\n", "{\"a\":\"b\",\"c\":[]}"},
	/* anchors */
	{"a: &x [1, 2]\nb: *x\nc: *x\n", "{\"a\":[1,2],\"b\":[1,2],\"c\":[1,2]}"},
	{"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
	{"a: &x ~\nb: *x\n", "{\"a\":null,\"b\":null}"},
	{"\xef\xbb\xbf"
	 "a: 1",
		"{\"a\":1}"},
	{"a: \xf0\x9f\x90\x9d", "{\"a\":\"\xf0\x9f\x90\x9d\"}"},
};

static const struct {
	const char *text, *want; /* the whole error text; a trailing * stands for anything */
} bad[] = {
	{"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\" (first at line 1)"},
	{"x:\n  - {k: 1, k: 2}\n", "f:2:12: duplicate key \"k\" (first at line 2)"},
	{"a: 1\n'a': 2\n", "f:2:1: duplicate key \"a\" (first at line 1)"},
	{"a: &x {b: 1}\nc:\n  <<: *x\n", "f:3:3: merge keys (<<) are not supported: write it out"},
	{"? [a]\n: b\n", "f:1:3: a key must be a plain or quoted string"},
	{"? {a: b}\n: b\n", "f:1:3: a key must be a plain or quoted string"},
	{"&k a: 1\n*k : 2\n", "f:2:1: a key must be a plain or quoted string"},
	{"a: 1\n?\n: 2\n", "f:2:2: a key is missing before the colon"},
	{"a: *nope\n", "f:1:4: alias *nope without an anchor &nope before it"},
	{"a: &x\n  - *x\n", "f:2:5: alias *x inside its own anchor"},
	{"&x [&x 1]\n", "f:1:5: anchor &x inside itself"},
	{"a: &x 1\n---\nb: *x\n", "f:3:4: alias *x without an anchor &x before it"},
	{"a: !!binary aGk=\n", "f:1:4: tag tag:yaml.org,2002:binary does not go with this value"},
	{"a: !foo 1\n", "f:1:4: unknown tag !foo"},
	{"a: !foo {}\n", "f:1:4: tag !foo does not go with this value"},
	{"a: !!int x\n", "f:1:4: tag tag:yaml.org,2002:int does not go with this value"},
	{"a: !!int '5'\n", "f:1:4: tag tag:yaml.org,2002:int does not go with this value"},
	{"a: 9223372036854775808\n", "f:1:4: 9223372036854775808 does not fit in 64 bits"},
	{"a: 0xfffffffffffffffff\n", "f:1:4: 0xfffffffffffffffff does not fit in 64 bits"},
	{"a: .inf\n", "f:1:4: .inf is no finite number; quote it if a string is meant"},
	{"a: -.INF\n", "f:1:4: -.INF is no finite number; quote it if a string is meant"},
	{"a: .NaN\n", "f:1:4: .NaN is no finite number; quote it if a string is meant"},
	{"a: 1e999\n", "f:1:4: 1e999 is no finite number; quote it if a string is meant"},
	{"a: \"x\\0y\"\n", "f:1:4: a NUL character in a string"},
	{"\"x\\0\": y\n", "f:1:1: a NUL character in a key"},
	{"a:\n\tb: 1\n", "f:2:1: a tab cannot indent YAML: use blanks"},
	{"a: [1, 2\n", "f:2:1: *"},
	{"a: \"x\n", "f:*"},
	{"a: 1\n  b: 2\n", "f:2:4: *"},
	{"a: b: c\n", "f:1:5: *"},
	{"- a\nb: c\n", "f:2:1: *"},
	{"ok: 1\nbad: \x01\n", "f:2:6: control characters are not allowed"},
	{"a: \xff\n", "f:1:4: invalid leading UTF-8 octet"},
	{"%YAML 3.0\n---\na: 1\n", "f:1:1: *"},
	{"a: @x\n", "f:1:4: *"},
	{"ok: 1\n---\na: {\n", "f:4:1: *"},
};

static char *documents(const struct yaml_docs *docs)
{
	struct str out = {0};

	for (size_t i = 0; i < docs->count; i++) {
		SCOPED(freep)
		char *text = json_text(docs->doc[i].root);

		str_printf(&out, "%s%s", i ? "\n" : "", text);
	}
	return str_take(&out);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		SCOPED(yaml_docs_done)
		struct yaml_docs docs = {0};
		SCOPED(freep)
		char *text = NULL;
		struct err e = {0};
		int r = yaml_parse("f", good[i].text, strlen(good[i].text), &docs, &e);

		if (!good[i].want) {
			if (r != -EINVAL)
				fail_msg("%s: accepted", good[i].text);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", good[i].text, e.text);
		text = documents(&docs);
		assert_string_equal(text, good[i].want);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct yaml_docs docs = {.count = 77};
		struct err e = {0};
		size_t len = strcspn(bad[i].want, "*");
		bool whole = bad[i].want[len] != '*' || bad[i].want[len + 1];

		assert_int_equal(
			yaml_parse("f", bad[i].text, strlen(bad[i].text), &docs, &e), -EINVAL);
		assert_int_equal(e.code, -EINVAL);
		assert_int_equal(docs.count, 77);
		if (whole)
			assert_string_equal(e.text, bad[i].want);
		else if (strncmp(e.text, bad[i].want, len))
			fail_msg("%s: got \"%s\", want \"%s\"", bad[i].text, e.text, bad[i].want);
	}
}

static int parse_str(struct str *s, struct err *e)
{
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};

	return yaml_parse("f", str_text(s), s->len, &docs, e);
}

/* Nine lists of nine aliases each: 9^9 values if it were written out. */
static void test_billion_laughs(void **state)
{
	SCOPED(str_done)
	struct str s = {0};
	struct err e = {0};

	(void)state;
	str_add(&s, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
	for (int i = 1; i <= 9; i++) {
		str_printf(&s, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			str_printf(&s, "%s*a%d", k ? ", " : "", i - 1);
		str_add(&s, "]\n");
	}
	assert_int_equal(parse_str(&s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "aliases expand to more than"));
	assert_true(str_has_prefix(e.text, "f:4:"));
}

/* One big string, used over and over. */
static void test_quadratic_blowup(void **state)
{
	SCOPED(str_done)
	struct str s = {0};
	struct err e = {0};

	(void)state;
	str_add(&s, "- &big ");
	for (int i = 0; i < 10000; i++)
		str_add(&s, "x");
	str_add(&s, "\n");
	for (int i = 0; i < 10; i++)
		str_add(&s, "- *big\n");
	assert_int_equal(parse_str(&s, &e), 0);
	for (int i = 0; i < 100; i++)
		str_add(&s, "- *big\n");
	assert_int_equal(parse_str(&s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "aliases expand"));
}

static void nest(struct str *s, const char *open, const char *middle, const char *close, int levels)
{
	for (int i = 0; i < levels; i++)
		str_add(s, open);
	str_add(s, middle);
	for (int i = 0; i < levels; i++)
		str_add(s, close);
}

static void test_depth(void **state)
{
	SCOPED(str_done)
	struct str lists = {0}, deeper = {0}, maps = {0}, thousands = {0};
	struct err e = {0};

	(void)state;
	nest(&lists, "[", "x", "]", 64);
	assert_int_equal(parse_str(&lists, &e), 0);
	nest(&deeper, "[", "x", "]", 65);
	assert_int_equal(parse_str(&deeper, &e), -EINVAL);
	assert_string_equal(e.text, "f:1:65: nested more than 64 levels deep");
	nest(&maps, "{a: ", "x", "}", 65);
	assert_int_equal(parse_str(&maps, &e), -EINVAL);
	assert_string_equal(e.text, "f:1:257: nested more than 64 levels deep");
	nest(&thousands, "- ", "x", "", 100000);
	assert_int_equal(parse_str(&thousands, &e), -EINVAL);
}

/* Levels add up through aliases. */
static void test_depth_by_aliases(void **state)
{
	SCOPED(str_done)
	struct str s = {0};
	struct err e = {0};

	(void)state;
	str_add(&s, "- &a ");
	nest(&s, "[", "x", "]", 40);
	str_add(&s, "\n- &b ");
	nest(&s, "[", "*a", "]", 23);
	assert_int_equal(parse_str(&s, &e), 0);
	str_add(&s, "\n- [*b]\n");
	assert_int_equal(parse_str(&s, &e), -EINVAL);
	assert_string_equal(e.text, "f:3:4: nested more than 64 levels deep");
}

static void test_too_many(void **state)
{
	SCOPED(str_done)
	struct str values = {0}, anchors = {0};
	struct err e = {0};

	(void)state;
	str_add(&values, "[");
	for (int i = 0; i < 500001; i++)
		str_add(&values, "x,\n");
	str_add(&values, "]");
	assert_int_equal(parse_str(&values, &e), -EINVAL);
	assert_string_equal(e.text, "f:500000:1: more than 500000 values: split the file");
	for (int i = 0; i < 1000; i++)
		str_printf(&anchors, "- &a%d x\n", i);
	assert_int_equal(parse_str(&anchors, &e), 0);
	str_add(&anchors, "- &b x\n");
	assert_int_equal(parse_str(&anchors, &e), -EINVAL);
	assert_string_equal(e.text, "f:1001:3: more than 1000 anchors");
}

#define assert_place(call, want_line, want_column)                                                 \
	do {                                                                                       \
		int at_line = 0, at_col = 0;                                                       \
		assert_int_equal(call, 1);                                                         \
		assert_int_equal(at_line, want_line);                                              \
		assert_int_equal(at_col, want_column);                                             \
	} while (0)

static void test_places(void **state)
{
	static const char text[] = "# head\n"
				   "kind: X\n"
				   "spec:\n"
				   "  deep:\n"
				   "    - one\n"
				   "    - true\n"
				   "    -  {k: null, n: 5}\n"
				   "flag: false\n"
				   "---\n"
				   "\n"
				   "ä: \"ö\"\n";
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	const struct yaml_doc *d;
	const json_t *spec, *deep, *map;
	struct err e = {0};
	int line = 5, column = 6;

	(void)state;
	assert_int_equal(yaml_parse("f", text, strlen(text), &docs, &e), 0);
	assert_int_equal(docs.count, 2);
	d = &docs.doc[0];
	assert_int_equal(d->line, 2);
	assert_int_equal(docs.doc[1].line, 11);
	spec = json_object_get(d->root, "spec");
	deep = json_object_get(spec, "deep");
	map = json_array_get(deep, 2);
	assert_place(yaml_where(d, d->root, &at_line, &at_col), 2, 1);
	assert_place(yaml_where(d, json_object_get(d->root, "kind"), &at_line, &at_col), 2, 7);
	assert_place(yaml_where(d, spec, &at_line, &at_col), 4, 3);
	assert_place(yaml_where(d, deep, &at_line, &at_col), 5, 5);
	assert_place(yaml_where(d, json_array_get(deep, 0), &at_line, &at_col), 5, 7);
	assert_place(yaml_where(d, map, &at_line, &at_col), 7, 8);
	assert_place(yaml_where(d, json_object_get(map, "n"), &at_line, &at_col), 7, 21);
	assert_place(yaml_where_key(d, d->root, "spec", &at_line, &at_col), 3, 1);
	assert_place(yaml_where_key(d, map, "k", &at_line, &at_col), 7, 9);
	assert_place(yaml_where_value(d, map, "k", &at_line, &at_col), 7, 12);
	assert_place(yaml_where_value(d, d->root, "flag", &at_line, &at_col), 8, 7);
	assert_place(yaml_where_item(d, deep, 1, &at_line, &at_col), 6, 7);
	assert_place(yaml_where_key(&docs.doc[1], docs.doc[1].root, "ä", &at_line, &at_col), 11, 1);
	assert_place(
		yaml_where_value(&docs.doc[1], docs.doc[1].root, "ä", &at_line, &at_col), 11, 4);
	/* unknown: shared values, other documents, absent keys */
	assert_int_equal(yaml_where(d, json_object_get(d->root, "flag"), &line, &column), 0);
	assert_int_equal(yaml_where(&docs.doc[1], spec, &line, &column), 0);
	assert_int_equal(yaml_where_key(d, d->root, "nope", &line, &column), 0);
	assert_int_equal(yaml_where_item(d, deep, 3, &line, &column), 0);
	assert_int_equal(yaml_where(d, NULL, &line, &column), 0);
	assert_int_equal(line, 5);
	assert_int_equal(column, 6);
}

/* A value used twice stands where its anchor is; each use is found by its parent. */
static void test_places_of_aliases(void **state)
{
	static const char text[] = "a: &x {k: 1}\nb: *x\n";
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	struct err e = {0};
	const json_t *b;

	(void)state;
	assert_int_equal(yaml_parse("f", text, strlen(text), &docs, &e), 0);
	b = json_object_get(docs.doc[0].root, "b");
	assert_place(yaml_where(&docs.doc[0], b, &at_line, &at_col), 1, 4);
	assert_place(
		yaml_where_value(&docs.doc[0], docs.doc[0].root, "b", &at_line, &at_col), 2, 4);
}

/* Every prefix of a text parses or fails cleanly (the sanitizers watch). */
static void test_prefixes(void **state)
{
	static const char text[] =
		"a: &x [1, 'b', \"\\u00e4\", {c: *y}]\n--- !!map\n? k\n: |\n  t\n"
		"l:\n- - x\n  - ~\n- {a, b: c}\n...\n%YAML 1.2\n---\nz\n";

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		SCOPED(yaml_docs_done)
		struct yaml_docs docs = {0};
		SCOPED(freep)
		char *copy = mem_dup(text, i);
		int r = yaml_parse("f", copy, i, &docs, NULL);

		assert_true(!r || r == -EINVAL);
	}
}

static void test_write(void **state)
{
	static const char json[] =
		"{\"apiVersion\":\"v1\",\"num\":-5,\"r\":1.5,\"t\":true,\"z\":null,\"e\":{},\"l\":["
		"],"
		"\"list\":[\"a\",{\"k\":\"v\",\"m\":[1,2]},[3,[4]]],\"80\":\"80\",\"s\":\"a: b\"}";
	static const char want[] = "apiVersion: v1\n"
				   "num: -5\n"
				   "r: 1.5\n"
				   "t: true\n"
				   "z: null\n"
				   "e: {}\n"
				   "l: []\n"
				   "list:\n"
				   "- a\n"
				   "- k: v\n"
				   "  m:\n"
				   "  - 1\n"
				   "  - 2\n"
				   "- - 3\n"
				   "  - - 4\n"
				   "\"80\": \"80\"\n"
				   "s: \"a: b\"\n";
	SCOPED(json_unrefp)
	json_t *j = NULL;
	SCOPED(str_done)
	struct str out = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(json_parse_text(json, strlen(json), 4096, &j, &e), 0);
	json_write_yaml(&out, j);
	assert_string_equal(str_text(&out), want);
}

/* Strings that mean something else when they stand plain, and those that need no quotes. */
static void test_write_strings(void **state)
{
	static const char *const quoted[] = {"", " ", "true", "False", "null", "~", "yes", "No",
		"on", "Off", "y", "N", "0", "-1", "1.5", "0x1F", "0o17", "010", "1e3", "1_000",
		"12:30", "2026-11-24", "2026-11-24T01:02:03Z", ".inf", ".NaN", "-", "- a", "a: b",
		"a:", "a #b", "#a", "*a", "&a", "!a", "[a", "{a", "|", ">", "%a", "@a", "`a", "\"a",
		"'a", "? a", "a ", " a", "a\nb", "a\tb", "\x01", "\x7f", "\xc2\x85", "\xe2\x80\xa8",
		"\xef\xbb\xbf", "<<", "=", "...", "...x", "---", "a\\b\n", "\\"};
	static const char *const plain[] = {"a", "a b", "k8s:app=web", "10.0.0.5", "10.0.0.0/8",
		"fd00::1", "default/web", "a#b", "80/TCP", "ä", "CiliumNetworkPolicy/default/x",
		"$host", "it's", "a, b", "1.2.3", "_x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(quoted) + ARRAY_SIZE(plain); i++) {
		bool is_quoted = i < ARRAY_SIZE(quoted);
		const char *s = is_quoted ? quoted[i] : plain[i - ARRAY_SIZE(quoted)];
		SCOPED(json_unrefp)
		json_t *j = json_pack("{s:s, s:[s], s:{s:i}}", "v", s, "l", s, "m", s, 1);
		SCOPED(str_done)
		struct str out = {0};
		SCOPED(yaml_docs_done)
		struct yaml_docs docs = {0};
		struct err e = {0};

		assert_non_null(j);
		json_write_yaml(&out, j);
		if ((str_text(&out)[3] == '"') != is_quoted)
			if (strcmp(s, "1.2.3")) /* may be either */
				fail_msg("%s is written as %s", s, str_text(&out));
		if (yaml_parse("f", str_text(&out), out.len, &docs, &e) < 0)
			fail_msg("%s is written as %s: %s", s, str_text(&out), e.text);
		assert_int_equal(docs.count, 1);
		assert_true(json_equal(docs.doc[0].root, j));
	}
}

static void test_write_long_key(void **state)
{
	char key[3001];
	SCOPED(json_unrefp)
	json_t *j = json_object();
	SCOPED(str_done)
	struct str out = {0};
	SCOPED(yaml_docs_done)
	struct yaml_docs docs = {0};
	struct err e = {0};

	(void)state;
	memset(key, 'k', 3000);
	key[3000] = 0;
	json_object_set_new(j, key, json_pack("[{s:s}]", key, "v"));
	json_write_yaml(&out, j);
	if (yaml_parse("f", str_text(&out), out.len, &docs, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(json_equal(docs.doc[0].root, j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_billion_laughs),
		cmocka_unit_test(test_quadratic_blowup),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_depth_by_aliases),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_places_of_aliases),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_strings),
		cmocka_unit_test(test_write_long_key),
	};

	return cmocka_run_group_tests_name("codec/yaml", tests, NULL, NULL);
}
