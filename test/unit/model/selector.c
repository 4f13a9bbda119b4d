/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors: every operator against label sets, sources included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/selector.h"

static struct label web[] = {
	{"container", "app", "box"}, {"k8s", "app", "web"}, {"k8s", "empty", ""}};
static const struct labels set = {web, 3};

static void test_operators(void **state)
{
	static const struct {
		const char *source, *key;
		const char *value[2];
		size_t values;
		bool in, exists;
	} rows[] = {{"k8s", "app", {"web"}, 1, true, true}, {"k8s", "app", {"box"}, 1, false, true},
		{"any", "app", {"box"}, 1, true, true}, {"any", "app", {"x", "web"}, 2, true, true},
		{"any", "app", {"x"}, 1, false, true},
		{"container", "app", {"web"}, 1, false, true},
		{"reserved", "app", {"web"}, 1, false, false},
		{"k8s", "empty", {""}, 1, true, true}, {"any", "none", {""}, 1, false, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value[2] = {rows[i].value[0], rows[i].value[1]};
		struct requirement q = {.key = {rows[i].source, rows[i].key, ""},
			.value = value,
			.values = rows[i].values};
		struct selector s = {&q, 1};

		q.op = SELECTOR_IN;
		assert_int_equal(selector_matches(&s, &set), rows[i].in);
		q.op = SELECTOR_NOT_IN;
		assert_int_equal(selector_matches(&s, &set), !rows[i].in);
		q.op = SELECTOR_EXISTS;
		assert_int_equal(selector_matches(&s, &set), rows[i].exists);
		q.op = SELECTOR_DOES_NOT_EXIST;
		assert_int_equal(selector_matches(&s, &set), !rows[i].exists);
	}
}

static void test_all_must_hold(void **state)
{
	const char *yes = "web", *no = "x";
	struct requirement q[] = {
		{.key = {"k8s", "app", ""}, .op = SELECTOR_IN, .value = &yes, .values = 1},
		{.key = {"k8s", "app", ""}, .op = SELECTOR_IN, .value = &no, .values = 1}};
	struct selector none = {q, 0}, one = {q, 1}, both = {q, 2};
	struct labels empty = {0};
	struct str text = {0};

	(void)state;
	assert_true(selector_matches(&none, &set));
	assert_true(selector_matches(&none, &empty));
	assert_true(selector_matches(&one, &set));
	assert_false(selector_matches(&both, &set));
	assert_true(selector_eq(&both, &both));
	assert_false(selector_eq(&one, &both));
	selector_format(&text, &both);
	assert_string_equal(str_text(&text), "k8s:app=web,k8s:app=x");
	str_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_all_must_hold),
	};

	return cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
