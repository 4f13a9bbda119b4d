/* SPDX-License-Identifier: Apache-2.0 */
/* model/selector_text.c: what people may type as a label selector, by its canonical form, and what
 * is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "model/selector_text.h"

static const struct {
	const char *text, *want;
} good[] = {
	{"", ""},
	{"  ", ""},
	{"app", "any:app"},
	{"k8s:app", "k8s:app"},
	{"reserved:host", "reserved:host"},
	{"$host", "reserved:host"},
	{"!app", "!any:app"},
	{" ! app ", "!any:app"},
	{"app=web", "any:app=web"},
	{"app==web", "any:app=web"},
	{"app = web , tier != back", "any:app=web,any:tier notin (back)"},
	{"app=", "any:app="},
	{"app in (a,b)", "any:app in (a,b)"},
	{"app in(a)", "any:app=a"},
	{"app notin ( a , b )", "any:app notin (a,b)"},
	{"in in (in)", "any:in=in"},
	{"app in (a,b),!x,k8s:y=z", "any:app in (a,b),!any:x,k8s:y=z"},
	{"k8s:io.kubernetes.pod.namespace=default", "k8s:io.kubernetes.pod.namespace=default"},
	{"cidr:10.0.0.0/8", "cidr:10.0.0.0/8"},
	{"example.com/part-of=a_b.c", "any:example.com/part-of=a_b.c"},
};

static const struct {
	const char *text, *want; /* part of the error */
} bad[] = {
	{",", "a label key is missing at \",\""},
	{"a,", "nothing follows the comma"},
	{"a,,b", "a label key is missing"},
	{"=x", "a label key is missing"},
	{"!", "a label key is missing"},
	{"a b", "expected =, ==, !=, in or notin at \"b\""},
	{"a in", "expected =, ==, !=, in or notin"},
	{"a inside (b)", "expected =, ==, !=, in or notin"},
	{"a in b", "\"(\" is missing"},
	{"a in (b", "\")\" is missing at its end"},
	{"a in (b c)", "\")\" is missing"},
	{"a=b c", "expected a comma"},
	{"a=b=c", "expected a comma"},
	{"a>5", "< and > are not supported"},
	{"a < 5", "< and > are not supported"},
	{"nosource:a=b", "is no label source"},
	{"!a=b", "expected a comma"},
	{"(a)", "a label key is missing"},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		SCOPED(arena_done)
		struct arena mem = {0};
		SCOPED(str_done)
		struct str out = {0};
		struct selector s = {0};
		struct err e = {0};

		if (selector_parse(&mem, good[i].text, &s, &e) < 0)
			fail_msg("%s: %s", good[i].text, e.text);
		selector_format(&out, &s);
		assert_string_equal(str_text(&out), good[i].want);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		SCOPED(arena_done)
		struct arena mem = {0};
		struct selector s = {.count = 77};
		struct err e = {0};

		assert_int_equal(selector_parse(&mem, bad[i].text, &s, &e), -EINVAL);
		assert_int_equal(s.count, 77);
		if (!strstr(e.text, bad[i].want))
			fail_msg("%s: \"%s\", want \"%s\"", bad[i].text, e.text, bad[i].want);
	}
}

static void test_bounds(void **state)
{
	SCOPED(arena_done)
	struct arena mem = {0};
	SCOPED(str_done)
	struct str many = {0}, values = {0};
	struct selector s = {0};
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 101; i++)
		str_add(&many, i ? ",a" : "a");
	assert_int_equal(selector_parse(&mem, str_text(&many), &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "too many requirements"));
	str_add(&values, "a in (x");
	for (int i = 0; i < 1000; i++)
		str_add(&values, ",x");
	str_add(&values, ")");
	assert_int_equal(selector_parse(&mem, str_text(&values), &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "too many values"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("model/selector_text", tests, NULL, NULL);
}
