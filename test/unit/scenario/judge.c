/* SPDX-License-Identifier: Apache-2.0 */
/* The data path's answers: ends of every kind, on one node and on two, in every mode. */
#include "abi/drop.h"
#include "fixture.h"

#define CLUSTER                                                                                    \
	"nodes: [{name: n1, addresses: [172.30.0.11, 'fd30::11']}, "                               \
	"{name: n2, addresses: [172.30.0.12, 'fd30::12']}]\n"                                      \
	"endpoints:\n"                                                                             \
	"  - {name: a, labels: {app: a}, addresses: [10.0.0.1, 'fd00::1'], node: n1}\n"            \
	"  - {name: b, labels: {app: b}, addresses: [10.0.0.2, 'fd00::2'], node: n1}\n"            \
	"  - {name: c, labels: {app: c}, addresses: [10.0.1.3, 'fd00::1:3'], node: n2}\n"

struct expected {
	const char *from, *to, *traffic;
	enum scenario_verdict verdict;
	enum because because;
};

/* Each for every family that there is. */
static void check(const char *text, const struct scenario_settings *settings,
	const struct expected *want, size_t count)
{
	struct scenario s = {0};
	struct world w = {0};

	fixture_world(text, settings, &s, &w);
	for (size_t i = 0; i < count; i++) {
		struct question q = {0};
		struct answer a;
		struct err e = {0};
		unsigned families;

		if (scenario_end_parse(&s, want[i].from, &q.from, &e) < 0 ||
			scenario_end_parse(&s, want[i].to, &q.to, &e) < 0 ||
			traffic_parse(want[i].traffic, &q.traffic, &e) < 0)
			fail_msg("%s", e.text);
		families = scenario_families(&s, &q.from, &q.to, &q.traffic);
		assert_int_not_equal(families, 0);
		for (q.family = 0; q.family < FAMILIES; q.family++) {
			if (!(families & 1u << q.family))
				continue;
			judge(&w, &q, 1, &a);
			if (a.verdict != want[i].verdict || a.because != want[i].because)
				fail_msg("%s -> %s %s %s: %s because of %s (%s), expected %s",
					want[i].from, want[i].to, want[i].traffic,
					family_name(q.family), scenario_verdict_name(a.verdict),
					because_name(a.because), drop_reason_text(a.reason),
					scenario_verdict_name(want[i].verdict));
		}
	}
	world_done(&w);
	scenario_done(&s);
}

#define CHECK(text, settings, want) check(text, settings, want, ARRAY_SIZE(want))

static void test_no_policy(void **state)
{
	static const struct expected want[] = {
		{"a", "b", "80/TCP", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"a", "c", "80/UDP", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"a", "a", "80/SCTP", VERDICT_ALLOW, BECAUSE_SELF},
		{"a", "host", "22", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"host", "a", "22", VERDICT_ALLOW, BECAUSE_OWN_NODE},
		{"node:n1", "a", "22", VERDICT_ALLOW, BECAUSE_OWN_NODE},
		{"node:n2", "a", "22", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"remote-node", "a", "GRE", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"world:203.0.113.7", "a", "8/ICMP", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"world:2001:db8::7", "a", "128/ICMPv6", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"a", "world:203.0.113.7", "13/ICMP", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"host", "node:n2", "22", VERDICT_ALLOW, BECAUSE_NO_ENDPOINT},
		{"a", "world:203.0.113.7", "IGMP", VERDICT_DENY, BECAUSE_DROPPED},
	};

	(void)state;
	CHECK(CLUSTER, NULL, want);
}

static const char policy[] = CLUSTER
	"policies:\n"
	"  - " CNP("in",
		"{endpointSelector: {matchLabels: {app: b}}, ingress: [{fromEndpoints: "
		"[{matchLabels: {app: a}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]},"
		"{fromCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.128/25]}]}],"
		" ingressDeny: [{fromCIDR: [203.0.113.9/32]}]}") "\n"
								 "  - " CNP("out",
									 "{endpointSelector: "
									 "{matchLabels: {app: c}}, "
									 "egress: [{toEntities: "
									 "[remote-node]}]}") "\n";

static void test_policy(void **state)
{
	static const struct expected want[] = {
		{"a", "b", "80", VERDICT_ALLOW, BECAUSE_ALLOW_RULE},
		{"a", "b", "81", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"c", "b", "80", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"c", "a", "80", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"b", "c", "80", VERDICT_ALLOW, BECAUSE_NO_POLICY},
		{"host", "b", "1", VERDICT_ALLOW, BECAUSE_OWN_NODE},
		{"node:n2", "b", "1", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"world:203.0.113.7", "b", "1/UDP", VERDICT_ALLOW, BECAUSE_ALLOW_RULE},
		{"world:203.0.113.9", "b", "1/UDP", VERDICT_DENY, BECAUSE_DENY_RULE},
		{"world:203.0.113.200", "b", "1", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"c", "node:n1", "1", VERDICT_ALLOW, BECAUSE_ALLOW_RULE},
		{"c", "remote-node", "1", VERDICT_ALLOW, BECAUSE_ALLOW_RULE},
		{"c", "host", "1", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"c", "node:n2", "1", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"c", "c", "1", VERDICT_ALLOW, BECAUSE_SELF},
	};

	(void)state;
	CHECK(policy, NULL, want);
}

static void test_settings(void **state)
{
	static const struct expected audit[] = {{"a", "b", "80", VERDICT_ALLOW, BECAUSE_ALLOW_RULE},
		{"a", "b", "81", VERDICT_AUDIT, BECAUSE_DEFAULT_DENY},
		{"world:203.0.113.9", "b", "1", VERDICT_AUDIT, BECAUSE_DENY_RULE},
		{"a", "world:203.0.113.7", "IGMP", VERDICT_DENY, BECAUSE_DROPPED}};
	static const struct expected always[] = {
		{"b", "c", "80", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"host", "a", "80", VERDICT_ALLOW, BECAUSE_OWN_NODE}};
	static const struct expected never[] = {{"c", "b", "80", VERDICT_ALLOW, BECAUSE_NO_POLICY}};
	static const struct expected localhost[] = {
		{"host", "b", "80", VERDICT_DENY, BECAUSE_DEFAULT_DENY},
		{"host", "a", "80", VERDICT_ALLOW, BECAUSE_NO_POLICY}};
	struct scenario_settings s = scenario_settings_default();

	(void)state;
	s.audit = true;
	CHECK(policy, &s, audit);
	s = scenario_settings_default();
	s.enforce = POLICY_ENFORCE_ALWAYS;
	CHECK(policy, &s, always);
	s.enforce = POLICY_ENFORCE_NEVER;
	CHECK(policy, &s, never);
	s = scenario_settings_default();
	s.localhost = false;
	CHECK(policy, &s, localhost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_policy),
		cmocka_unit_test(test_policy), cmocka_unit_test(test_settings)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
