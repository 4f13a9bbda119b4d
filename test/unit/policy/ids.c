/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of identity numbers, against a table of booleans. */
#include "fixture.h"

#include "policy/ids.h"

enum { NUMBERS = 12, ROUNDS = 4000 };

static uint32_t random_state = 1;

static uint32_t draw(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 16) % n;
}

/* Sorted, each once, and what the table says; positions are where a number is or would be. */
static void check(const struct ids *s, const bool *table)
{
	size_t count = 0;

	for (uint32_t n = 0; n < NUMBERS; n++) {
		assert_int_equal(ids_position(s, n), count);
		assert_int_equal(ids_has(s, n), table[n]);
		if (!table[n])
			continue;
		assert_true(count < s->count);
		assert_int_equal(s->id[count++], n);
	}
	assert_int_equal(s->count, count);
	assert_int_equal(ids_position(s, NUMBERS), count);
}

static void test_one_by_one(void **state)
{
	struct ids SCOPED(ids_done) s = {0};
	bool table[NUMBERS] = {false};

	(void)state;
	check(&s, table);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t n = draw(NUMBERS);

		if (draw(2)) {
			assert_int_equal(ids_add(&s, n), !table[n]);
			table[n] = true;
		} else {
			assert_int_equal(ids_remove(&s, n), table[n]);
			table[n] = false;
		}
		check(&s, table);
	}
}

static void fill(struct ids *s, bool *table)
{
	for (uint32_t n = 0; n < NUMBERS; n++) {
		table[n] = !draw(3);
		for (uint32_t times = table[n] ? 1 + draw(2) : 0; times; times--)
			ids_append(s, n); /* also twice */
	}
}

static void test_unite(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct ids SCOPED(ids_done) a = {0}, SCOPED(ids_done) b = {0};
		bool in_a[NUMBERS], in_b[NUMBERS];

		fill(&a, in_a);
		fill(&b, in_b);
		check(&a, in_a);
		check(&b, in_b);
		ids_unite(&a, &b);
		check(&b, in_b);
		for (uint32_t n = 0; n < NUMBERS; n++)
			in_a[n] |= in_b[n];
		check(&a, in_a);
	}
}

static void test_nothing(void **state)
{
	struct ids s = {0}, none = {0};

	(void)state;
	ids_unite(&s, &none);
	assert_null(s.id);
	assert_true(ids_add(&s, 7));
	ids_unite(&s, &none);
	assert_int_equal(s.count, 1);
	ids_done(&s);
	assert_null(s.id);
	assert_int_equal(s.count, 0);
	assert_int_equal(s.room, 0);
	assert_false(ids_has(&s, 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_unite),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("policy ids", tests, NULL, NULL);
}
