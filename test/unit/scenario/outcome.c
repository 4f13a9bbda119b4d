/* SPDX-License-Identifier: Apache-2.0 */
/* Pass and fail of probes and tables, coverage, and the documents that say so. */
#include "fixture.h"

static const char text[] =
	"endpoints:\n"
	"  - {name: a, labels: {app: a}, addresses: [10.0.0.1, 'fd00::1']}\n"
	"  - {name: b, labels: {app: b}, addresses: [10.0.0.2, 'fd00::2']}\n"
	"policies:\n"
	"  - " CNP("in",
		"{endpointSelector: {matchLabels: {app: b}}, ingress: [{fromEndpoints: "
		"[{matchLabels: "
		"{app: a}}], toPorts: [{ports: [{port: '80'}]}]}, {fromCIDR: ['203.0.113.0/24']},"
		" {icmps: [{fields: [{family: IPv4, type: 8}]}]}]}") "\n"
								     "probes:\n"
								     "  - {from: a, to: b, port: "
								     "80, expect: allow}\n"
								     "  - {from: a, to: b, port: "
								     "81, expect: allow}\n"
								     "  - {from: a, to: b, port: "
								     "81, expect: deny, because: "
								     "deny-rule}\n"
								     "  - {from: a, to: b, port: "
								     "81, expect: deny, because: "
								     "default-deny}\n"
								     "  - {from: a, to: b, port: "
								     "81}\n"
								     "  - {matrix: {ports: "
								     "[80/TCP, 8/ICMP], expect: "
								     "[[AA, AA], [AD, AA]]}}\n"
								     "  - {matrix: {ports: "
								     "[81/TCP], expect: [[A, D], "
								     "[A, A]]}}\n";

static void test_outcome(void **state)
{
	static const bool ok[] = {true, false, false, true, true, false, true};
	struct scenario s = {0};
	struct world w = {0};
	struct outcome o = {0};
	json_t *j, *never;

	(void)state;
	fixture_world(text, NULL, &s, &w);
	outcome_make(&w, &o);
	for (size_t i = 0; i < ARRAY_SIZE(ok); i++)
		assert_int_equal(o.probe[i].is_ok, ok[i]);
	assert_int_equal(o.passed, 4);
	assert_int_equal(o.failed, 3);
	/* b to a by ICMP is allowed, and there is no such packet in IPv6 */
	assert_int_equal(o.probe[5].failures, 1);
	j = outcome_json(&o);
	assert_int_equal(json_array_size(json_object_get(j, "probes")), 7);
	never = json_object_get(json_object_get(j, "coverage"), "never");
	assert_int_equal(json_array_size(never), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(never, 0), "rule")),
		"CiliumNetworkPolicy/default/in ingress[1]");
	json_decref(j);
	outcome_done(&o);
	world_done(&w);
	scenario_done(&s);
}

/* No control character of a name reaches a terminal. */
static void test_clean(void **state)
{
	static const char dirty[] =
		"endpoints: [{name: \"a\\e[31m\"}]\n"
		"probes: [{from: \"a\\e[31m\", to: host, port: 1, expect: deny}]\n";
	const struct report_options options = {0};
	struct scenario s = {0};
	struct world w = {0};
	struct outcome o = {0};
	struct str out = {0};
	size_t number = 0;

	(void)state;
	fixture_world(dirty, NULL, &s, &w);
	outcome_make(&w, &o);
	outcome_write(&out, &o, &options);
	outcome_write_tap(&out, &o, &number);
	matrix_write(&out, &s, &s.matrix, o.answer, false);
	assert_null(strchr(str_text(&out), '\033'));
	assert_non_null(strstr(str_text(&out), "a?[31m"));
	assert_int_equal(number, 1);
	str_done(&out);
	outcome_done(&o);
	world_done(&w);
	scenario_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcome), cmocka_unit_test(test_clean)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
