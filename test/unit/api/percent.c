/* SPDX-License-Identifier: Apache-2.0 */
/* api/percent.c: what is encoded decodes to the same bytes; broken escapes and NUL are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/percent.h"

static void test_encode(void **state)
{
	static const struct {
		const char *plain, *encoded;
	} cases[] = {
		{"", ""},
		{"aZ09-._~", "aZ09-._~"},
		{"default/web", "default%2Fweb"},
		{"a b+c&d=e?f#g%h", "a%20b%2Bc%26d%3De%3Ff%23g%25h"},
		{"\xc3\xb6\x01", "%C3%B6%01"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SCOPED(freep)
		char *text = api_encode(cases[i].plain);

		assert_string_equal(text, cases[i].encoded);
	}
}

static void test_round_trip(void **state)
{
	char all[256];
	SCOPED(freep)
	char *text = NULL;

	(void)state;
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = 0;
	text = api_encode(all);
	assert_int_equal(percent_decode(text), 0);
	assert_string_equal(text, all);
}

static void test_decode(void **state)
{
	static const struct {
		const char *text, *plain; /* NULL: refused */
	} cases[] = {
		{"%41%6a%6A", "Ajj"},
		{"a+b", "a+b"},
		{"%", NULL},
		{"%4", NULL},
		{"%4g", NULL},
		{"x%00y", NULL},
		{"%%41", NULL},
		{"%2F%2f", "//"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[32];

		strcpy(text, cases[i].text);
		assert_int_equal(percent_decode(text), cases[i].plain ? 0 : -EINVAL);
		if (cases[i].plain)
			assert_string_equal(text, cases[i].plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_decode),
	};

	return cmocka_run_group_tests_name("percent", tests, NULL, NULL);
}
