/* SPDX-License-Identifier: Apache-2.0 */
/* flow/ring.c: numbers, overwriting, exact loss, references. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "flow/ring.h"

static struct flow_ring *ring_of(size_t capacity)
{
	struct flow_ring *ring = NULL;
	struct err e = {0};

	if (flow_ring_new(capacity, &ring, &e) < 0)
		fail_msg("%s", e.text);
	return ring;
}

/* Adds records whose time says their number. */
static void add(struct flow_ring *ring, size_t count)
{
	while (count--) {
		struct flow_record r = {.time_ns = flow_ring_seen(ring) + 1};

		flow_ring_add(ring, &r);
	}
}

static void test_capacity(void **state)
{
	static const struct {
		size_t capacity;
		const char *hint; /* NULL: good */
	} cases[] = {{1, NULL}, {3, NULL}, {7, NULL}, {4095, NULL}, {FLOW_RING_MAX, NULL},
		{0, "take 1 or 3"}, {2, "take 1 or 3"}, {4, "take 3 or 7"},
		{4096, "take 4095 or 8191"}, {5000, "take 4095 or 8191"},
		{(size_t)FLOW_RING_MAX * 2 + 1, "take 1048575 or 1048575"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SCOPED(flow_ring_freep)
		struct flow_ring *ring = NULL;
		struct err e = {0};
		int r = flow_ring_new(cases[i].capacity, &ring, &e);

		assert_int_equal(r, cases[i].hint ? -EINVAL : 0);
		if (cases[i].hint)
			assert_true(str_has_suffix(e.text, cases[i].hint));
		else
			assert_int_equal(flow_ring_capacity(ring), cases[i].capacity);
	}
}

static void test_numbers(void **state)
{
	SCOPED(flow_ring_freep)
	struct flow_ring *ring = ring_of(7);

	(void)state;
	assert_int_equal(flow_ring_seen(ring), 0);
	assert_int_equal(flow_ring_count(ring), 0);
	assert_int_equal(flow_ring_oldest(ring), 1);
	assert_null(flow_ring_get(ring, 0));
	assert_null(flow_ring_get(ring, 1));
	add(ring, 5);
	assert_int_equal(flow_ring_count(ring), 5);
	assert_int_equal(flow_ring_oldest(ring), 1);
	assert_int_equal(flow_ring_get(ring, 5)->number, 5);
	assert_null(flow_ring_get(ring, 6));
	add(ring, 20);
	assert_int_equal(flow_ring_seen(ring), 25);
	assert_int_equal(flow_ring_count(ring), 7);
	assert_int_equal(flow_ring_oldest(ring), 19);
	assert_null(flow_ring_get(ring, 18));
	for (uint64_t n = 19; n <= 25; n++) {
		assert_int_equal(flow_ring_get(ring, n)->number, n);
		assert_int_equal(flow_ring_get(ring, n)->time_ns, n);
	}
}

/* For every lag of a reader, what it reads and what it lost add up to what was written. */
static void test_loss(void **state)
{
	(void)state;
	for (size_t lag = 0; lag <= 30; lag++) {
		SCOPED(flow_ring_freep)
		struct flow_ring *ring = ring_of(7);
		const struct flow_record *r;
		uint64_t position = 1, lost = 0, read = 0, last = 0;

		for (size_t round = 0; round < 5; round++) {
			add(ring, lag);
			while ((r = flow_ring_read(ring, &position, &lost))) {
				assert_int_equal(r->number, position - 1);
				assert_true(r->number > last);
				last = r->number;
				read++;
			}
			assert_int_equal(read + lost, flow_ring_seen(ring));
			assert_int_equal(lost, lag > 7 ? (lag - 7) * (round + 1) : 0);
			assert_int_equal(position, flow_ring_seen(ring) + 1);
		}
	}
}

static void test_readers_are_independent(void **state)
{
	SCOPED(flow_ring_freep)
	struct flow_ring *ring = ring_of(3);
	uint64_t fast = 1, slow = 0, lost_fast = 0, lost_slow = 0;

	(void)state;
	for (int i = 0; i < 10; i++) {
		add(ring, 1);
		assert_non_null(flow_ring_read(ring, &fast, &lost_fast));
		assert_null(flow_ring_read(ring, &fast, &lost_fast));
	}
	assert_int_equal(lost_fast, 0);
	assert_int_equal(flow_ring_read(ring, &slow, &lost_slow)->number, 8);
	assert_int_equal(lost_slow, 7);
}

/* The sanitizers see what is not released, or released twice. */
static void test_references(void **state)
{
	SCOPED(flow_ring_freep)
	struct flow_ring *ring = ring_of(3);
	struct flow_end *end = mem_alloc(sizeof(*end));
	struct flow_rule *rule = mem_alloc(sizeof(*rule));

	(void)state;
	end->references = rule->references = 1;
	for (int i = 0; i < 10; i++) {
		struct flow_record r = {.source_end = flow_end_ref(end),
			.destination_end = flow_end_ref(end),
			.rule = {flow_rule_ref(rule)}};

		flow_ring_add(ring, &r);
	}
	assert_int_equal(end->references, 1 + 2 * 3);
	assert_int_equal(rule->references, 1 + 3);
	flow_end_unref(end);
	flow_rule_unref(rule);
	assert_ptr_equal(flow_ring_get(ring, 10)->source_end, end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_readers_are_independent),
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests_name("flow/ring", tests, NULL, NULL);
}
