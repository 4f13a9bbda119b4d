/* SPDX-License-Identifier: Apache-2.0 */
/* Protocols and ports as text, both ways. */
#include <netinet/in.h>

#include "fixture.h"

static void test_text(void **state)
{
	static const struct {
		const char *text, *back;
		struct traffic traffic;
	} good[] = {{"80/TCP", "80/TCP", {IPPROTO_TCP, 80}}, {"80", "80/TCP", {IPPROTO_TCP, 80}},
		{"53/udp", "53/UDP", {IPPROTO_UDP, 53}}, {"0/SCTP", "0/SCTP", {IPPROTO_SCTP, 0}},
		{"8/ICMP", "8/ICMP", {IPPROTO_ICMP, 8 << 8}},
		{"13:1/ICMP", "13:1/ICMP", {IPPROTO_ICMP, 13 << 8 | 1}},
		{"icmpv6", "128/ICMPv6", {IPPROTO_ICMPV6, 128 << 8}},
		{"GRE", "GRE", {IPPROTO_GRE, 0}}, {"0/99", "0/99", {99, 0}},
		{"65535/TCP", "65535/TCP", {IPPROTO_TCP, 65535}}};
	static const char *const bad[] = {"", "65536", "-1", "80/", "80/TPC", "/TCP", "TCP",
		"256/ICMP", "1/GRE", "80/TCP/", "x/TCP", "0/256", "1:256/ICMP", "1:/ICMP",
		"1:1/TCP"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct str back = {0};
		struct traffic t;

		assert_int_equal(traffic_parse(good[i].text, &t, NULL), 0);
		assert_int_equal(t.protocol, good[i].traffic.protocol);
		assert_int_equal(t.port, good[i].traffic.port);
		traffic_format(&back, &t);
		assert_string_equal(str_text(&back), good[i].back);
		str_done(&back);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct traffic t;

		if (traffic_parse(bad[i], &t, NULL) >= 0)
			fail_msg("\"%s\" is taken", bad[i]);
	}
}

static void test_hint(void **state)
{
	struct err e = {0};
	struct traffic t;

	(void)state;
	assert_true(traffic_parse("80/TPC", &t, &e) < 0);
	assert_string_equal(e.text, "\"TPC\" is no protocol; did you mean TCP?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), cmocka_unit_test(test_hint)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
