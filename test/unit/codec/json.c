/* SPDX-License-Identifier: Apache-2.0 */
/* codec/json.c: getters name the field at fault and leave outputs alone; texts are bounded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "codec/json.h"

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct err e = {0};

	if (json_parse_text(text, strlen(text), 1000, &j, &e) < 0)
		fail_msg("%s", e.text);
	return j;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{"{\"a\": }", "JSON line 1 column 7:"},
		{"{\"a\": 1,\n \"a\": 2}", "JSON line 2 column 4: duplicate"},
		{"", "JSON line 1 column 0:"},
		{"[1] x", "JSON line 1 column 5: end of file expected"},
		{"[\"\\u0000\"]", "JSON line 1"},
		{"[\"\xff\"]", "JSON line 1"},
	};
	json_t *j = (json_t *)&bad;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			json_parse_text(bad[i].text, strlen(bad[i].text), 100, &j, &e), -EINVAL);
		if (!str_has_prefix(e.text, bad[i].want))
			fail_msg("%s: %s", bad[i].text, e.text);
		assert_ptr_equal(j, &bad);
	}
	assert_int_equal(json_parse_text("[1,2]", 5, 4, &j, &e), -E2BIG);
	assert_string_equal(e.text, "5 bytes of JSON where at most 4 are taken");
}

/* jansson bounds the depth, so no text overflows the stack. */
static void test_deep(void **state)
{
	static char text[100000];
	json_t *j = NULL;

	(void)state;
	memset(text, '[', sizeof(text));
	assert_int_equal(json_parse_text(text, sizeof(text), sizeof(text), &j, NULL), -EINVAL);
}

static void test_getters(void **state)
{
	SCOPED(json_unrefp)
	json_t *j =
		parse("{\"s\":\"x\",\"i\":5,\"b\":true,\"n\":null,\"l\":[],\"r\":1.5,\"o\":{}}");
	const char *s = "before";
	int64_t i = 42;
	bool b = false;
	struct err e = {0};

	(void)state;
	assert_int_equal(json_get_string(j, "l", &s, &e), -EINVAL);
	assert_string_equal(e.text, "l: expected a string, found a list");
	assert_string_equal(s, "before");
	assert_int_equal(json_get_string(j, "s", &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(json_get_string(j, "n", &s, &e), 0);
	assert_null(s);
	assert_int_equal(json_get_int(j, "absent", 0, 9, &i, &e), 0);
	assert_int_equal(json_get_int(j, "n", 0, 9, &i, &e), 0);
	assert_int_equal(i, 42);
	assert_int_equal(json_get_int(j, "i", 6, 9, &i, &e), -EINVAL);
	assert_string_equal(e.text, "i: 5 is not in 6..9");
	assert_int_equal(json_get_int(j, "i", -9, 4, &i, &e), -EINVAL);
	assert_int_equal(json_get_int(j, "r", 0, 9, &i, &e), -EINVAL);
	assert_string_equal(e.text, "r: expected an integer, found a number");
	assert_int_equal(i, 42);
	assert_int_equal(json_get_int(j, "i", 5, 5, &i, &e), 0);
	assert_int_equal(i, 5);
	assert_int_equal(json_get_bool(j, "s", &b, &e), -EINVAL);
	assert_string_equal(e.text, "s: expected true or false, found a string");
	assert_int_equal(json_get_bool(j, "b", &b, &e), 0);
	assert_true(b);
	assert_int_equal(json_get_bool(NULL, "b", &b, &e), 0);
}

static void test_text(void **state)
{
	SCOPED(json_unrefp)
	json_t *j = parse("{ \"b\" : [1, true], \"a\": null }");
	SCOPED(freep)
	char *text = json_text(j);
	SCOPED(freep)
	char *none = json_text(NULL);

	(void)state;
	assert_string_equal(text, "{\"b\":[1,true],\"a\":null}");
	assert_string_equal(none, "null");
	assert_string_equal(json_kind(NULL), "nothing");
	assert_string_equal(json_kind(json_object_get(j, "a")), "null");
	assert_string_equal(json_kind(j), "a mapping");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests_name("codec/json", tests, NULL, NULL);
}
