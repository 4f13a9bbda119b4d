/* SPDX-License-Identifier: Apache-2.0 */
/* Address pools: nothing twice, nothing reserved, everything back, and a named error at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "ipam/pool.h"

static struct pool *make(const char *text)
{
	struct prefix prefix;
	struct pool *p = NULL;
	struct err e;

	assert_int_equal(prefix_parse(text, false, &prefix), 0);
	assert_int_equal(pool_new(&prefix, &p, &e), 0);
	return p;
}

static struct addr at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void expect(struct pool *p, const char *text)
{
	char buf[ADDR_TEXT];
	struct addr a;
	struct err e;

	assert_int_equal(pool_alloc(p, &a, &e), 0);
	assert_string_equal(addr_format(&a, buf), text);
}

static void test_order(void **state)
{
	struct pool *p = make("10.0.0.0/29");
	struct addr a = at("10.0.0.3"), g = pool_gateway(p);
	char buf[ADDR_TEXT];
	struct err e;

	(void)state;
	assert_string_equal(addr_format(&g, buf), "10.0.0.1");
	assert_int_equal(pool_total(p), 5);
	expect(p, "10.0.0.2");
	expect(p, "10.0.0.3");
	expect(p, "10.0.0.4");
	pool_release(p, &a);
	assert_false(pool_in_use(p, &a));
	expect(p, "10.0.0.5"); /* not the one that was just given back */
	expect(p, "10.0.0.6");
	expect(p, "10.0.0.3"); /* all round */
	assert_int_equal(pool_used(p), 5);
	assert_int_equal(pool_alloc(p, &a, &e), -ENOSPC);
	assert_non_null(strstr(e.text, "10.0.0.0/29"));
	assert_non_null(strstr(e.text, "all 5 addresses"));
	pool_free(p);
}

static void test_take(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {{"10.0.0.0", -EEXIST}, {"10.0.0.1", -EEXIST}, {"10.0.0.255", -EEXIST},
		{"10.0.1.0", -ERANGE}, {"9.255.255.255", -ERANGE}, {"fd00::5", -ERANGE},
		{"10.0.0.7", 0}, {"10.0.0.7", -EEXIST}, {"10.0.0.254", 0}};
	struct pool *p = make("10.0.0.0/24");
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr a = at(cases[i].text);

		assert_int_equal(pool_take(p, &a, &e), cases[i].code);
	}
	assert_int_equal(pool_used(p), 2);
	pool_free(p);
}

static void test_release_of_strangers(void **state)
{
	struct pool *p = make("10.0.0.0/24");
	struct addr a = at("10.0.0.9"), stranger = at("192.0.2.1"), gateway = at("10.0.0.1");
	struct err e;

	(void)state;
	assert_int_equal(pool_take(p, &a, &e), 0);
	pool_release(p, &stranger);
	pool_release(p, &gateway);
	pool_release(p, &a);
	pool_release(p, &a);
	assert_int_equal(pool_used(p), 0);
	pool_free(p);
}

static void test_large(void **state)
{
	struct pool *p = make("fd00:10::/64");
	struct addr far = at("fd00:10::1:0:0"), near = at("fd00:10::ffff"), a;
	struct err e;

	(void)state;
	assert_int_equal(pool_total(p), 65534);
	expect(p, "fd00:10::2");
	assert_int_equal(pool_take(p, &far, &e), -ERANGE);
	assert_int_equal(pool_take(p, &near, &e), 0);
	for (size_t i = 0; i < 65532; i++)
		assert_int_equal(pool_alloc(p, &a, &e), 0);
	assert_int_equal(pool_alloc(p, &a, &e), -ENOSPC);
	pool_free(p);
	p = make("10.0.0.0/8");
	assert_int_equal(pool_total(p), 65534);
	pool_free(p);
}

static void test_too_small(void **state)
{
	static const char *const bad[] = {"10.0.0.4/31", "10.0.0.4/32", "fd00::/127"};
	struct prefix prefix;
	struct pool *p;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(prefix_parse(bad[i], false, &prefix), 0);
		assert_int_equal(pool_new(&prefix, &p, &e), -EINVAL);
	}
	p = make("10.0.0.4/30");
	assert_int_equal(pool_total(p), 1);
	expect(p, "10.0.0.6");
	pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_release_of_strangers),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
