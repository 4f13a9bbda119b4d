/* SPDX-License-Identifier: Apache-2.0 */
/* The text that Prometheus reads: order of lines, labels, escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "export/prometheus.h"

static void test_samples(void **state)
{
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	prometheus_begin(&out, "kilim_x_total", "counter", "things");
	prometheus_count(&out, "kilim_x_total", UINT64_MAX, "reason", "Policy denied", "direction",
		"INGRESS", NULL);
	prometheus_count(&out, "kilim_x_total", 0, NULL);
	prometheus_value(&out, "kilim_y", 0.5, "a", "b", NULL);
	assert_string_equal(str_text(&out),
		"# HELP kilim_x_total things\n# TYPE kilim_x_total counter\n"
		"kilim_x_total{reason=\"Policy denied\",direction=\"INGRESS\"} "
		"18446744073709551615\n"
		"kilim_x_total 0\nkilim_y{a=\"b\"} 0.5\n");
}

static void test_escapes(void **state)
{
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	prometheus_begin(&out, "m", "gauge", "a\nb \"c\" \\");
	prometheus_count(&out, "m", 1, "l", "a\"b\\c\nd", NULL);
	assert_string_equal(str_text(&out),
		"# HELP m a\\nb \"c\" \\\\\n# TYPE m gauge\nm{l=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void test_single(void **state)
{
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	prometheus_single(&out, "m", "gauge", "h", 7);
	assert_string_equal(str_text(&out), "# HELP m h\n# TYPE m gauge\nm 7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_single),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
