/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios from text: what is understood, and what is refused with place and reason. */
#include <netinet/in.h>

#include "fixture.h"

static void test_everything(void **state)
{
	struct scenario s = {0};
	struct err e = {0};
	static const char text[] =
		"cluster: east\n"
		"namespaces: [{name: x, labels: {team: blue}}]\n"
		"nodes: [{name: n1, addresses: [172.30.0.11, 'fd30::11'], labels: {zone: a}}]\n"
		"endpoints:\n"
		"  - {name: x/a, labels: {pod: a}, addresses: [10.0.0.1, 'fd00::1'], node: n1,\n"
		"     ports: {Web: 8080/TCP, dns: 53/UDP}}\n"
		"  - {name: b, addresses: [10.0.0.2]}\n"
		"policies: []\n"
		"probes:\n"
		"  - {from: x/a, to: b, port: 80}\n"
		"  - {from: b, to: x/a, port: web, expect: deny, because: default-deny}\n"
		"  - {from: 'world:203.0.113.7', to: x/a, port: '443', protocol: udp, family: "
		"IPv4}\n"
		"  - {from: 'node:n1', to: b, protocol: ICMP, type: 13, code: 1}\n"
		"  - {matrix: {ports: [80/TCP, 53/UDP], expect: [[A, AD], [DA, D]]}}\n";

	(void)state;
	if (fixture_parse(text, NULL, &s, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(s.settings.context.cluster, "east");
	assert_int_equal(s.endpoints, 2);
	assert_string_equal(s.endpoint[0].namespace, "x");
	assert_string_equal(s.endpoint[1].namespace, "default");
	assert_int_equal(s.endpoint[0].node, 0);
	assert_int_equal(s.endpoint[1].node, s.nodes - 1);
	assert_true(addr_is_zero(&s.endpoint[1].addr[FAMILY_V6]));
	assert_int_equal(s.probes, 5);
	assert_int_equal(s.probe[0].families, 1 << FAMILY_V4);
	assert_int_equal(s.probe[0].expect, VERDICT_NONE);
	assert_int_equal(s.probe[1].traffic.port, 8080);
	assert_int_equal(s.probe[1].because, BECAUSE_DEFAULT_DENY);
	assert_int_equal(s.probe[2].from.kind, END_ADDRESS);
	assert_int_equal(s.probe[2].traffic.protocol, IPPROTO_UDP);
	assert_int_equal(s.probe[3].from.kind, END_NODE);
	assert_int_equal(s.probe[3].traffic.port, 13 << 8 | 1);
	assert_int_equal(s.probe[4].matrix->expect[0][1], VERDICT_ALLOW);
	assert_int_equal(s.probe[4].matrix->expect[1][1], VERDICT_DENY);
	assert_int_equal(s.probe[4].matrix->expect[1][3], VERDICT_DENY);
	assert_int_equal(s.matrix.columns, 2);
	scenario_done(&s);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"endpoint: []", "t.yaml:1:1: endpoint: unknown field; did you mean endpoints?"},
		{"endpoints: [{name: a}, {name: a}]",
			"t.yaml:1:31: endpoints[1].name: there is another endpoint of this name"},
		{"endpoints: [{name: a, addresses: [1.2.3.4]}, {name: b, addresses: [1.2.3.4]}]",
			"endpoints[1]: address 1.2.3.4 belongs to another one already"},
		{"endpoints: [{name: a, addresses: [1.2.3.4, 1.2.3.5]}]",
			"one address of each family"},
		{"endpoints: [{name: a, addresses: [1.2.3]}]", "\"1.2.3\" is no address"},
		{"endpoints: [{name: a, labels: {x: 1}}]",
			"endpoints[0].labels.x: expected a string, found an integer; quote it"},
		{"endpoints: [{name: a, labels: {io.kubernetes.pod.namespace: x}}]",
			"only the namespace and the cluster say this"},
		{"endpoints: [{name: a, node: node2}]\nnodes: [{name: node1}]",
			"t.yaml:1:29: endpoints[0].node: there is no node \"node2\"; did you mean "
			"node1?"},
		{"endpoints: [{name: a, ports: {x: 80/GRE}}]", "expected a port such as 80/TCP"},
		{"policies: [nowhere.yaml]",
			"t.yaml:1:12: policies[0]: nowhere.yaml: no such file"},
		{"policies: [{kind: Pod, apiVersion: v1}]", "policies[0]: this is no policy"},
		{"policies:\n - " CNP("x", "{endpointSelector: {}, ingres: []}"),
			"t.yaml:2:108: spec.ingres: unknown field; did you mean ingress?"},
		{"probes: [{from: web, to: host, port: 1}]\nendpoints: [{name: wev}]",
			"probes[0].from: there is no endpoint \"web\"; did you mean wev?"},
		{"probes: [{from: a, to: 'world:10.0.0.1', port: 1}]\n"
		 "endpoints: [{name: a, addresses: [10.0.0.1]}]",
			"10.0.0.1 is not outside: it is a"},
		{"probes: [{from: a, to: host}]\nendpoints: [{name: a}]",
			"probes[0].port: is missing"},
		{"probes: [{from: a, to: host, port: 1, protocol: GRE}]\nendpoints: [{name: a}]",
			"this protocol has no ports"},
		{"probes: [{from: a, to: host, port: 1, type: 8}]\nendpoints: [{name: a}]",
			"probes[0].type: only ICMP and ICMPv6 have types"},
		{"probes: [{from: a, to: a, port: http}]\nendpoints: [{name: a}]",
			"a has no port of this name"},
		{"probes: [{from: a, to: a, port: 1, expect: allo}]\nendpoints: [{name: a}]",
			"\"allo\" is none of allow, deny, audit; did you mean allow?"},
		{"probes: [{from: a, to: b, port: 1}]\nendpoints: [{name: a, addresses: "
		 "[1.1.1.1]}, "
		 "{name: b, addresses: ['fd00::1']}]",
			"there is no such packet"},
		{"probes: [{matrix: {ports: []}}]", "probes[0].matrix.ports: is empty"},
		{"probes: [{matrix: {ports: [80], expect: [[A]]}}]\nendpoints: [{name: a}, {name: "
		 "b}]",
			"1 rows for 2 endpoints"},
		{"probes: [{matrix: {ports: [80, 81], expect: [[AAA]]}}]\nendpoints: [{name: a}]",
			"probes[0].matrix.expect[0][0]: expected A, D or U"},
		{"probes: [{matrix: {ports: [80, 81], expect: {80/TCP: [[A]]}}}]\nendpoints: "
		 "[{name: a}]",
			"the table of 81/TCP is missing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct scenario s = {0};
		struct err e = {0};

		if (fixture_parse(bad[i].text, NULL, &s, &e) >= 0)
			fail_msg("taken: %s", bad[i].text);
		if (!strstr(e.text, bad[i].says))
			fail_msg("%s\nsays: %s", bad[i].text, e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything), cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
