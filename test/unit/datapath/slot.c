/* SPDX-License-Identifier: Apache-2.0 */
/* Policy slots in memory: their canonical form, and the arithmetic of a switch. */
#include "datapath/slot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct dp_rule rule(
	uint32_t prefixlen, uint16_t class, uint8_t protocol, uint16_t port, uint32_t id)
{
	struct dp_rule r = {0};

	r.key = (struct rule_key){
		.prefixlen = prefixlen, .class = class, .protocol = protocol, .port = htons(port)};
	r.decision.rule = id;
	return r;
}

static struct slot *make(const struct dp_slot *in)
{
	struct err e = {0};
	struct slot *s = NULL;

	assert_int_equal(slot_make(in, &s, &e), 0);
	return s;
}

/* Order, and bits that the kernel does not look at, make no difference. */
static void canonical(void **state)
{
	struct peer_key_class p1[] = {{5, {{1, 0}}}, {3, {{2, 2}}}}, p2[] = {p1[1], p1[0]};
	struct dp_rule r1[] = {
		rule(80, 1, 6, 80, 1), rule(56, 1, 0, 0, 2), rule(72, 2, 6, 0x1200, 3)};
	struct dp_rule r2[] = {
		rule(72, 2, 6, 0x1234, 3), rule(80, 1, 6, 80, 1), rule(56, 1, 17, 53, 2)};
	struct dp_slot a = {300, p1, 2, r1, 3}, b = {301, p2, 2, r2, 3};
	struct slot *x = make(&a), *y;

	(void)state;
	r2[0].key.pad = 7;
	r2[1].decision.pad = 9;
	y = make(&b);
	assert_true(slot_equal(x, y));
	assert_int_equal(slot_peer(x, 5)->class.class[0], 1);
	assert_null(slot_peer(x, 4));
	slot_free(y);
	r2[2].decision.verdict = POLICY_DENY;
	y = make(&b);
	assert_false(slot_equal(x, y));
	slot_free(y);
	r2[2].decision.verdict = 0;
	p2[0].class.class[1] = 9;
	y = make(&b);
	assert_false(slot_equal(x, y));
	slot_free(y);
	slot_free(x);
}

static void empty(void **state)
{
	struct dp_slot none = {.identity = 1};
	struct slot *a = make(&none), *b = make(&none);

	(void)state;
	assert_true(slot_equal(a, b));
	assert_null(slot_peer(a, 1));
	slot_free(a);
	slot_free(b);
}

static void refused(void **state)
{
	struct peer_key_class peer[] = {{5, {{1, 0}}}, {5, {{2, 2}}}};
	struct dp_rule same[] = {rule(64, 1, 6, 80, 1), rule(64, 1, 6, 81, 2)},
		       shorter = rule(55, 0, 0, 0, 1), longer = rule(81, 0, 0, 0, 1);
	struct dp_slot in[] = {{1, peer, 2, NULL, 0}, {1, NULL, 0, same, 2},
		{1, NULL, 0, &shorter, 1}, {1, NULL, 0, &longer, 1}};
	struct slot *s = NULL;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(slot_make(&in[i], &s, &e), -EINVAL);
	assert_null(s);
}

static void arithmetic(void **state)
{
	struct slot big = {.identity = 4711, .rules = 60000}, small = {.identity = 12, .rules = 9},
		    kept = {.identity = 13, .number = 3, .rules = 70000},
		    middle = {.identity = 14, .rules = 11295}, tiny = {.identity = 15, .rules = 1};
	struct slot *all[] = {&tiny, &small, &kept, &big, &middle};
	struct demand d = {"rule", "policy-map-max", 71304, 12000, 65536};
	struct err e = {0};

	(void)state;
	assert_int_equal(demand_check(&d, all, 5, &e), -E2BIG);
	assert_string_equal(e.text, "policy needs 71,304 rule entries beside 12,000 in force, "
				    "65,536 are configured (policy-map-max): not activated; the "
				    "largest contributors are identity 4711: 60,000, identity 14: "
				    "11,295, identity 12: 9");
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
		cmocka_unit_test(canonical),
		cmocka_unit_test(empty),
		cmocka_unit_test(refused),
		cmocka_unit_test(arithmetic),
	};

	return cmocka_run_group_tests_name("datapath/slot", tests, NULL, NULL);
}
