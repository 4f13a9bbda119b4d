/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of a switch. */
#include "datapath/demand.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void arithmetic(void **state)
{
	const struct contribution all[] = {{15, 1}, {12, 9}, {13, 0}, {4711, 60000}, {14, 11295}};
	struct demand d = {"rule", "policy-map-max", 71304, 12000, 65536};
	struct err e = {0};

	(void)state;
	assert_int_equal(demand_check(&d, all, 5, &e), -E2BIG);
	assert_string_equal(e.text, "policy needs 71,304 rule entries beside 12,000 in force, "
				    "65,536 are configured (policy-map-max): not activated; the "
				    "largest contributors are identity 4711: 60,000, identity 14: "
				    "11,295, identity 12: 9");
	assert_int_equal(demand_check(&d, NULL, 0, &e), -E2BIG);
	assert_string_equal(e.text, "policy needs 71,304 rule entries beside 12,000 in force, "
				    "65,536 are configured (policy-map-max): not activated");
	d.wanted = 65536;
	assert_int_equal(demand_check(&d, all, 5, &e), -E2BIG);
	d.there = 0;
	assert_int_equal(demand_check(&d, all, 5, &e), 0);
	d.wanted = 53536;
	d.there = 12000;
	assert_int_equal(demand_check(&d, all, 5, &e), 0);
	d.there++;
	assert_int_equal(demand_check(&d, all, 5, &e), -E2BIG);
	d.wanted = (size_t)-1;
	assert_int_equal(demand_check(&d, all, 5, NULL), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
	};

	return cmocka_run_group_tests_name("datapath/demand", tests, NULL, NULL);
}
