/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of rules: who gets which, for how long it is kept, and what a file of them may say.
 */
#include "fixture.h"

#include "policy/internal.h"

enum { KEPT = 64, MOST = 1 << 20 };

static void commit(struct rule_ids *t, int times)
{
	for (; times; times--)
		rule_ids_commit(t);
}

static void test_numbers(void **state)
{
	struct rule_ids *t = rule_ids_new();

	(void)state;
	assert_int_equal(rule_ids_max(t), 0);
	assert_int_equal(rule_ids_get(t, "a"), 1);
	assert_int_equal(rule_ids_get(t, "b"), 2);
	assert_int_equal(rule_ids_get(t, "c"), 3);
	assert_int_equal(rule_ids_get(t, "b"), 2);
	assert_int_equal(rule_ids_max(t), 3);
	rule_ids_free(t);
	rule_ids_free(NULL);
}

/* A number is free again after KEPT compilations without its rule, the lowest is given first. */
static void test_forgotten(void **state)
{
	struct rule_ids *t = rule_ids_new();

	(void)state;
	for (const char *name = "abcd"; *name; name++)
		(void)rule_ids_get(t, name);
	commit(t, 1 + KEPT);
	assert_int_equal(rule_ids_get(t, "d"), 4);
	rule_ids_keep(t, 2);
	rule_ids_commit(t); /* "abcd" and "cd" are forgotten */
	assert_int_equal(rule_ids_max(t), 4);
	assert_int_equal(rule_ids_get(t, "e"), 1);
	assert_int_equal(rule_ids_get(t, "bcd"), 2);
	assert_int_equal(rule_ids_get(t, "abcd"), 3);
	assert_int_equal(rule_ids_get(t, "cd"), 5);
	rule_ids_free(t);
}

/* Forgetting the highest ones makes the table shorter; what follows starts at its end. */
static void test_shorter(void **state)
{
	struct rule_ids *t = rule_ids_new();

	(void)state;
	for (const char *name = "abcd"; *name; name++)
		(void)rule_ids_get(t, name);
	for (int i = 0; i < KEPT + 2; i++) {
		rule_ids_keep(t, 0);
		rule_ids_keep(t, 1);
		rule_ids_keep(t, 5);
		rule_ids_commit(t);
	}
	assert_int_equal(rule_ids_max(t), 1);
	rule_ids_keep(t, 2);
	assert_int_equal(rule_ids_get(t, "x"), 2);
	assert_int_equal(rule_ids_get(t, "y"), 3);
	commit(t, KEPT + 2);
	assert_int_equal(rule_ids_max(t), 0);
	assert_int_equal(rule_ids_get(t, "z"), 1);
	rule_ids_free(t);
}

/* A rule that is compiled each time keeps its number for ever. */
static void test_kept(void **state)
{
	struct rule_ids *t = rule_ids_new();

	(void)state;
	(void)rule_ids_get(t, "a");
	(void)rule_ids_get(t, "b");
	for (int i = 0; i < 3 * KEPT; i++) {
		assert_int_equal(rule_ids_get(t, "b"), 2);
		rule_ids_commit(t);
	}
	assert_int_equal(rule_ids_max(t), 2);
	assert_int_equal(rule_ids_get(t, "new"), 1);
	rule_ids_free(t);
}

/* Keeping is using in the compilation to come, and so is asking again. */
static void test_use(void **state)
{
	struct rule_ids *t = rule_ids_new();

	(void)state;
	for (int again = 0; again < 2; again++) {
		(void)rule_ids_get(t, "a");
		commit(t, KEPT);
		if (again)
			(void)rule_ids_get(t, "a");
		else
			rule_ids_keep(t, 1);
		commit(t, KEPT + 1);
		assert_int_equal(rule_ids_max(t), 1);
		rule_ids_commit(t);
		assert_int_equal(rule_ids_max(t), 0);
	}
	rule_ids_free(t);
}

static struct rule_ids *loaded(const char *text, int want, const char *message)
{
	struct rule_ids *t = rule_ids_new();
	json_t *j = json_loads(text, 0, NULL);
	struct err e = {0};

	assert_non_null(j);
	assert_int_equal(rule_ids_load(t, j, &e), want);
	assert_string_equal(e.text, message);
	json_decref(j);
	return t;
}

static void test_load(void **state)
{
	struct rule_ids *t = loaded("{\"rules\": {\"a\": 1, \"d\": 4, \"c\": 3}}", 0, "");
	json_t *saved, *want = json_pack("{s:{s:i, s:i, s:i}}", "rules", "a", 1, "d", 4, "c", 3);

	(void)state;
	saved = rule_ids_save(t);
	assert_true(json_equal(saved, want));
	json_decref(saved);
	json_decref(want);
	assert_int_equal(rule_ids_max(t), 4);
	assert_int_equal(rule_ids_get(t, "d"), 4);
	assert_int_equal(rule_ids_get(t, "b"), 2);
	assert_int_equal(rule_ids_get(t, "e"), 5);
	rule_ids_free(t);
	t = loaded("{\"rules\": {\"a\": 1048576}}", 0, "");
	assert_int_equal(rule_ids_max(t), MOST);
	rule_ids_free(t);
}

/* What was loaded counts as used by the compilation to come. */
static void test_load_is_use(void **state)
{
	struct rule_ids *t = loaded("{\"rules\": {\"a\": 2}}", 0, "");

	(void)state;
	commit(t, KEPT + 1);
	assert_int_equal(rule_ids_max(t), 2);
	rule_ids_commit(t);
	assert_int_equal(rule_ids_max(t), 0);
	rule_ids_free(t);
}

static void test_load_bad(void **state)
{
	(void)state;
	rule_ids_free(loaded("{}", -EINVAL, "rules: expected a mapping of names to numbers"));
	rule_ids_free(loaded(
		"{\"rules\": []}", -EINVAL, "rules: expected a mapping of names to numbers"));
	rule_ids_free(loaded("{\"rules\": {\"a\": 0}}", -EINVAL, "rules: a: 0 is no rule number"));
	rule_ids_free(loaded(
		"{\"rules\": {\"a\": 1048577}}", -EINVAL, "rules: a: 1048577 is no rule number"));
	rule_ids_free(
		loaded("{\"rules\": {\"a\": \"1\"}}", -EINVAL, "rules: a: 0 is no rule number"));
	rule_ids_free(loaded(
		"{\"rules\": {\"a\": 2, \"b\": 2}}", -EINVAL, "rules: b: number 2 is there twice"));
}

/* Into a table that is in use. */
static void test_load_onto(void **state)
{
	struct rule_ids *t = rule_ids_new();
	json_t *same = json_pack("{s:{s:i}}", "rules", "a", 7);
	json_t *other = json_pack("{s:{s:i}}", "rules", "b", 1);
	json_t *next = json_pack("{s:{s:i}}", "rules", "b", 2);
	struct err e;

	(void)state;
	(void)rule_ids_get(t, "a");
	assert_int_equal(rule_ids_load(t, same, &e), -EINVAL);
	assert_string_equal(e.text, "rules: a: number 7 is there twice");
	assert_int_equal(rule_ids_load(t, other, &e), -EINVAL);
	assert_int_equal(rule_ids_max(t), 1);
	assert_int_equal(rule_ids_load(t, next, &e), 0);
	assert_int_equal(rule_ids_get(t, "b"), 2);
	json_decref(same);
	json_decref(other);
	json_decref(next);
	rule_ids_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_shorter),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_use),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_load_is_use),
		cmocka_unit_test(test_load_bad),
		cmocka_unit_test(test_load_onto),
	};

	return cmocka_run_group_tests_name("policy rule_ids", tests, NULL, NULL);
}
