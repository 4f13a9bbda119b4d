/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and prefixes: text both ways, containment, order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/addr.h"

static struct prefix prefix(const char *s)
{
	struct prefix p;

	if (prefix_parse(s, true, &p) < 0)
		fail_msg("%s", s);
	return p;
}

static struct addr addr(const char *s)
{
	struct addr a;

	if (addr_parse(s, &a) < 0)
		fail_msg("%s", s);
	return a;
}

static void test_addr_text(void **state)
{
	static const char *const good[] = {"10.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1",
		"fd00::1", "2001:db8:1:2:3:4:5:6", "::fffe:0:1"};
	static const char *const bad[] = {"", "10.0.0", "10.0.0.1.2", "10.0.0.256", "010.0.0.1",
		"10.0.0.1/8", " 10.0.0.1", "10.0.0.1 ", "0x0a.0.0.1", "fd00::1%eth0", "fd00:::1",
		"1:2:3:4:5:6:7:8:9", "::ffff:10.0.0.1", "::ffff:a00:1", "host", "-1"};
	struct addr a, kept = addr("1.2.3.4");
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		a = addr(good[i]);
		assert_string_equal(addr_format(&a, text), good[i]);
		assert_int_equal(addr_is_v4(&a), !strchr(good[i], ':'));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		a = kept;
		if (addr_parse(bad[i], &a) != -EINVAL || !addr_eq(&a, &kept))
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(addr_parse(NULL, &a), -EINVAL);
	a = addr("::");
	assert_true(addr_is_zero(&a));
	a = addr("0.0.0.0");
	assert_false(addr_is_zero(&a));
}

static void test_addr_add(void **state)
{
	static const struct {
		const char *from;
		unsigned n;
		const char *to;
	} rows[] = {{"10.0.0.0", 0, "10.0.0.0"}, {"10.0.0.255", 1, "10.0.1.0"},
		{"10.0.255.255", 65537, "10.2.0.0"}, {"fd00::ffff:ffff:ffff", 1, "fd00::1:0:0:0"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, "::"},
		{"fd00::", 0xffffffff, "fd00::ffff:ffff"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct addr a = addr_add(addr(rows[i].from), rows[i].n);
		char text[ADDR_TEXT];

		assert_string_equal(addr_format(&a, text), rows[i].to);
	}
}

static void test_prefix_text(void **state)
{
	static const struct {
		const char *from, *to; /* to NULL: refused without host bits, cleared with */
		unsigned bits;
	} rows[] = {{"10.0.0.0/8", "10.0.0.0/8", 104}, {"0.0.0.0/0", "0.0.0.0/0", 96},
		{"10.1.2.3", "10.1.2.3/32", 128}, {"10.1.2.3/32", "10.1.2.3/32", 128},
		{"::/0", "::/0", 0}, {"fd00::/64", "fd00::/64", 64},
		{"fd00::1", "fd00::1/128", 128}, {"10.0.0.1/8", NULL, 104},
		{"fd00::1/64", NULL, 64}, {"255.255.255.255/1", NULL, 97},
		{"2001:db8::ff01/121", NULL, 121}};
	static const char *const bad[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/x",
		"10.0.0.0/8/8", "10.0.0.0/+8", "10.0.0.0/-8", "10.0.0.0/ 8", "10.0.0.0/08",
		"fd00::/129", "fd00::/99999999999999999999", "::ffff:0:0/96",
		"1111111111111111111111111111111111111111111111111111/8"};
	struct prefix p;
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(prefix_parse(rows[i].from, false, &p), rows[i].to ? 0 : -EINVAL);
		p = prefix(rows[i].from);
		assert_int_equal(p.bits, rows[i].bits);
		if (rows[i].to)
			assert_string_equal(prefix_format(&p, text), rows[i].to);
	}
	p = prefix("10.9.8.7/12");
	assert_string_equal(prefix_format(&p, text), "10.0.0.0/12");
	p = prefix("fd00:1:2:3::/33");
	assert_string_equal(prefix_format(&p, text), "fd00:1::/33");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (prefix_parse(bad[i], true, &p) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
}

static void test_prefix_contains(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool contains;
	} rows[] = {{"10.0.0.0/8", "10.1.0.0/16", true}, {"10.0.0.0/8", "10.0.0.0/8", true},
		{"10.1.0.0/16", "10.0.0.0/8", false}, {"10.0.0.0/8", "11.0.0.0/8", false},
		{"0.0.0.0/0", "10.0.0.1", true}, {"::/0", "fd00::/8", true},
		{"::/0", "10.0.0.0/8", false}, {"::/0", "0.0.0.0/0", false},
		{"0.0.0.0/0", "::/0", false}, {"::/1", "192.0.2.1", false},
		{"::/80", "192.0.2.1", false}, {"fd00::/9", "fd7f::/16", true},
		{"fd00::/9", "fd80::/16", false}, {"10.0.0.0/31", "10.0.0.1", true},
		{"10.0.0.0/32", "10.0.0.1", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix outer = prefix(rows[i].outer), inner = prefix(rows[i].inner);

		if (prefix_contains(&outer, &inner) != rows[i].contains)
			fail_msg("%s in %s", rows[i].inner, rows[i].outer);
		if (inner.bits == ADDR_BITS)
			assert_int_equal(prefix_has(&outer, &inner.addr), rows[i].contains);
	}
}

static void test_prefix_order(void **state)
{
	static const char *const sorted[] = {"::/0", "::/1", "0.0.0.0/0", "10.0.0.0/8",
		"10.0.0.0/16", "10.0.0.0/32", "10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32",
		"fd00::/8"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
			struct prefix a = prefix(sorted[i]), b = prefix(sorted[k]);
			int c = prefix_compare(&a, &b);

			assert_int_equal(c < 0, i < k);
			assert_int_equal(c == 0, i == k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_text),
		cmocka_unit_test(test_addr_add),
		cmocka_unit_test(test_prefix_text),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_prefix_order),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
