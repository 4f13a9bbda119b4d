/* SPDX-License-Identifier: Apache-2.0 */
/* Address pools: special addresses, order, exhaustion, and a long random run against a plain list.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipam/pool.h"

static struct pool *make(const char *prefix, const char *gateway)
{
	struct addr g;
	struct prefix p;
	struct pool *pool = NULL;
	struct err e;

	assert_int_equal(prefix_parse(prefix, false, &p), 0);
	if (gateway)
		assert_int_equal(addr_parse(gateway, &g), 0);
	if (pool_new(&p, gateway ? &g : NULL, &pool, &e) < 0)
		fail_msg("%s", e.text);
	return pool;
}

static void check_next(struct pool *p, const char *want)
{
	char text[ADDR_TEXT];
	struct addr a;

	assert_int_equal(pool_alloc(p, &a, NULL), 0);
	assert_string_equal(addr_format(&a, text), want);
	assert_true(pool_is_used(p, &a));
}

static void release(struct pool *p, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	assert_true(pool_release(p, &a));
	assert_false(pool_is_used(p, &a));
	assert_false(pool_release(p, &a));
}

static int take(struct pool *p, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return pool_take(p, &a, NULL);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *prefix, *gateway;
		size_t total;
	} rows[] = {{"10.0.0.0/24", "10.0.0.1", 253}, {"10.0.0.0/24", NULL, 254},
		{"10.0.0.0/30", "10.0.0.1", 1}, {"10.0.0.0/31", NULL, 2}, {"10.0.0.1/32", NULL, 1},
		{"10.0.0.0/8", "10.0.0.1", (1 << 24) - 3}, {"10.0.0.0/24", "10.0.0.0", 254},
		{"fd00::/64", "fd00::1", 65534}, {"fd00::/112", "fd00::1", 65534},
		{"fd00::/120", "fd00::1", 254}, {"fd00::/127", NULL, 2}, {"fd00::1/128", NULL, 1},
		{"fd00::/64", "fd00::1:0:0:1", 65535}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pool *p = make(rows[i].prefix, rows[i].gateway);

		assert_int_equal(pool_total(p), rows[i].total);
		assert_int_equal(pool_used(p), 0);
		pool_free(p);
	}
}

static void test_refused(void **state)
{
	struct prefix p;
	struct addr a;
	struct pool *pool = NULL;
	struct err e;

	(void)state;
	assert_int_equal(prefix_parse("10.0.0.1/32", false, &p), 0);
	assert_int_equal(addr_parse("10.0.0.1", &a), 0);
	assert_int_equal(pool_new(&p, &a, &pool, &e), -EINVAL);
	assert_non_null(strstr(e.text, "pool 10.0.0.1/32: no address is left"));
	assert_int_equal(addr_parse("10.0.0.2", &a), 0);
	assert_int_equal(pool_new(&p, &a, &pool, &e), -EINVAL);
	assert_non_null(strstr(e.text, "the gateway 10.0.0.2 is not in it"));
	pool_free(NULL);
}

static void test_order(void **state)
{
	struct pool *p = make("10.0.0.0/29", "10.0.0.1");

	(void)state;
	check_next(p, "10.0.0.2");
	check_next(p, "10.0.0.3");
	release(p, "10.0.0.2");
	check_next(p, "10.0.0.4"); /* not the one that just came back */
	check_next(p, "10.0.0.5");
	release(p, "10.0.0.4");
	check_next(p, "10.0.0.6");
	check_next(p, "10.0.0.2"); /* the one that came back first */
	check_next(p, "10.0.0.4");
	pool_free(p);
}

static void test_take(void **state)
{
	struct pool *p = make("10.0.0.0/29", "10.0.0.1");

	(void)state;
	assert_int_equal(take(p, "10.0.0.3"), 0);
	assert_int_equal(take(p, "10.0.0.3"), -EEXIST);
	assert_int_equal(take(p, "10.0.0.0"), -EINVAL);
	assert_int_equal(take(p, "10.0.0.1"), -EINVAL);
	assert_int_equal(take(p, "10.0.0.7"), -EINVAL);
	assert_int_equal(take(p, "10.0.0.8"), -ERANGE);
	assert_int_equal(take(p, "fd00::3"), -ERANGE);
	check_next(p, "10.0.0.2");
	check_next(p, "10.0.0.4");
	/* taken by name while it rests */
	release(p, "10.0.0.3");
	assert_int_equal(take(p, "10.0.0.3"), 0);
	check_next(p, "10.0.0.5");
	check_next(p, "10.0.0.6");
	assert_int_equal(pool_used(p), pool_total(p));
	release(p, "10.0.0.3");
	check_next(p, "10.0.0.3");
	pool_free(p);
}

static void test_v6(void **state)
{
	struct pool *p = make("fd00:1::/64", "fd00:1::1");
	struct addr a;

	(void)state;
	check_next(p, "fd00:1::2");
	assert_int_equal(take(p, "fd00:1::ffff"), 0);
	assert_int_equal(take(p, "fd00:1::1:0"), -ERANGE);
	assert_int_equal(take(p, "fd00:1:0:0:8000::1"), -ERANGE);
	assert_int_equal(take(p, "fd00:2::5"), -ERANGE);
	assert_int_equal(addr_parse("fd00:1:0:0:8000::1", &a), 0);
	assert_true(pool_has(p, &a));
	assert_false(pool_release(p, &a));
	pool_free(p);
}

static void test_exhausted(void **state)
{
	struct pool *p = make("10.0.0.0/24", "10.0.0.1");
	struct addr a, before;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 253; i++)
		assert_int_equal(pool_alloc(p, &a, &e), 0);
	before = a;
	assert_int_equal(pool_alloc(p, &a, &e), -ENOSPC);
	assert_true(addr_eq(&a, &before));
	assert_non_null(strstr(e.text, "pool 10.0.0.0/24: all 253 addresses are in use: "));
	release(p, "10.0.0.77");
	check_next(p, "10.0.0.77");
	pool_free(p);
}

/* Random allocation and release: never the same address twice, and an address rests as long as
 * others are free. */
static void test_random(void **state)
{
	static uint64_t released_at[256];
	static bool used[256];
	struct pool *p = make("10.0.0.0/24", "10.0.0.1");
	uint64_t step, seed = 88172645463325252u;
	size_t count = 0;
	struct addr a;

	(void)state;
	for (step = 1; step < 200000; step++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		if (seed >> 20 & 1 && count < 253) {
			assert_int_equal(pool_alloc(p, &a, NULL), 0);
			assert_false(used[a.byte[15]]);
			for (unsigned i = 2; i < 255; i++) /* none rests longer than this one */
				assert_true(used[i] || released_at[i] == 0 ||
					    released_at[i] >= released_at[a.byte[15]]);
			used[a.byte[15]] = true;
			count++;
		} else {
			a = pool_prefix(p)->addr;
			a.byte[15] = (uint8_t)(seed >> 30);
			assert_int_equal(pool_release(p, &a), used[a.byte[15]]);
			if (used[a.byte[15]]) {
				used[a.byte[15]] = false;
				released_at[a.byte[15]] = step;
				count--;
			}
		}
		assert_int_equal(pool_used(p), count);
	}
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_exhausted),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
