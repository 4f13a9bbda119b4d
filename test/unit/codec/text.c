/* SPDX-License-Identifier: Apache-2.0 */
/* codec/text.c: alignment by code points, no blanks at line ends, nothing that a terminal would
 * obey. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "codec/text.h"

static const struct text_column columns[] = {
	{"NAME", false}, {"COUNT", true}, {"TEXT", false}, {0}};

static void test_table(void **state)
{
	SCOPED(text_table_freep)
	struct text_table *t = text_table_new(columns);
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	text_cell(t, "%s", "öäü");
	text_cell(t, "%d", 5);
	text_cell(t, "first");
	text_cell(t, "longer-name");
	text_cell(t, "%d", 1000000);
	text_cell(t, "%s", "");
	text_cell(t, "x");
	text_table_write(t, true, &out);
	assert_string_equal(str_text(&out), "NAME            COUNT   TEXT\n"
					    "öäü                 5   first\n"
					    "longer-name   1000000\n"
					    "x\n");
}

static void test_no_header(void **state)
{
	SCOPED(text_table_freep)
	struct text_table *t = text_table_new(columns);
	SCOPED(str_done)
	struct str out = {0}, empty = {0};

	(void)state;
	text_table_write(t, false, &empty);
	assert_string_equal(str_text(&empty), "");
	text_cell(t, "a");
	text_cell(t, "1");
	text_cell(t, "b");
	text_table_write(t, false, &out);
	assert_string_equal(str_text(&out), "a   1   b\n");
}

static void test_controls(void **state)
{
	SCOPED(text_table_freep)
	struct text_table *t = text_table_new(columns);
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	text_cell(t, "a\033[31m\n\x7f\xc2\x9b");
	text_cell(t, "1");
	text_cell(t, "b\tc\r");
	text_cell(t, "\xe2\x80\xae\xe2\x81\xa6\xd8\x9c");
	text_cell(t, "2");
	text_cell(t, "\xe2\x80\xa7\xe2\x82\xac");
	text_table_write(t, false, &out);
	assert_string_equal(
		str_text(&out), "a?[31m???   1   b?c?\n???         2   \xe2\x80\xa7\xe2\x82\xac\n");
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("ä€🐝"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_no_header),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests_name("codec/text", tests, NULL, NULL);
}
