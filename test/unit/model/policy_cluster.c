/* SPDX-License-Identifier: Apache-2.0 */
/* What ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy become. */
#include "describe.h"
#include "refusal.h"

#define NS_LABEL   "k8s:io.cilium.k8s.namespace.labels."
#define NS_KEY     "k8s:io.kubernetes.pod.namespace"
#define EGRESS(to) CLUSTER("egress:\n  - {action: Accept, to: [" to "]}")

static const struct described rows[] = {
	{CLUSTER("ingress: []"), ""},
	{CLUSTER("ingress:\n"
		 "  - {action: Accept, from: [{namespaces: {}}]}\n"
		 "  - {action: Deny, from: [{namespaces: {matchLabels: {a: b}}}]}\n"
		 "  - {action: Pass, name: rest, from: [{pods: {namespaceSelector: {matchLabels: "
		 "{a: "
		 "b}}, podSelector: {matchLabels: {c: d}}}}, {namespaces: {matchExpressions: "
		 "[{key: "
		 "e, operator: NotIn, values: [f]}]}}]}"),
		"in allow order=0 endpoint{" NS_KEY "}; "
		"in deny order=1 endpoint{" NS_LABEL "a=b," NS_KEY "}; "
		"in pass order=2 endpoint{" NS_LABEL "a=b,k8s:c=d," NS_KEY "}|endpoint{" NS_LABEL
		"e notin (f)," NS_KEY "}"},
	{EGRESS("{networks: [10.0.0.0/8, 'fd00::/8']}"),
		"out allow order=0 cidr{10.0.0.0/8,fd00::/8}"},
	{EGRESS("{nodes: {matchLabels: {a: b}}}"), "out allow order=0 node{node:a=b +own}"},
	{EGRESS("{nodes: {}}, {namespaces: {}}"),
		"out allow order=0 node{* +own}|endpoint{" NS_KEY "}"},
	/* ports, newer and older */
	{PORTS("protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: "
	       "{range: "
	       "{start: 1, end: 9}}}}, {sctp: {}}, {destinationNamedPort: web}]"),
		"in deny order=0 endpoint{" NS_KEY "} ports=6:80|17:1-9|132:0-65535|0:web"},
	{PORTS("ports: [{portNumber: {protocol: UDP, port: 53}}, {portNumber: {port: 80}}, "
	       "{portRange: {protocol: SCTP, start: 5, end: 5}}, {namedPort: web}]"),
		"in deny order=0 endpoint{" NS_KEY "} ports=17:53|6:80|132:5|0:web"},
	{PORTS("ports: null, protocols: null"), "in deny order=0 endpoint{" NS_KEY "}"},
	/* both directions count their own rules */
	{CLUSTER("egress:\n  - {action: Pass, to: [{namespaces: {}}]}\n"
		 "  ingress:\n  - {action: Pass, from: [{namespaces: {}}]}\n"
		 "  - {action: Deny, from: [{namespaces: {}}]}"),
		"in pass order=0 endpoint{" NS_KEY "}; in deny order=1 endpoint{" NS_KEY "}; "
		"out pass order=0 endpoint{" NS_KEY "}"},
};

static void test_rows(void **state)
{
	check_described(&plain_context, *state);
}

static void test_place(void **state)
{
	static const struct {
		const char *text, *kind, *subject;
		enum policy_tier tier;
		int32_t priority;
	} places[] = {
		{CLUSTER("ingress: []"), "ClusterNetworkPolicy", NS_KEY, TIER_ADMIN, 7},
		{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
		 "metadata: {name: p}\n"
		 "spec: {tier: Baseline, priority: 1000, subject: {pods: {namespaceSelector: {}, "
		 "podSelector: {matchLabels: {a: b}}}}}\n",
			"ClusterNetworkPolicy", "k8s:a=b," NS_KEY, TIER_BASELINE, 1000},
		{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
		 "metadata: {name: p}\nspec: {priority: 0, subject: {namespaces: {matchLabels: {a: "
		 "b}}}}\n",
			"AdminNetworkPolicy", NS_LABEL "a=b," NS_KEY, TIER_ADMIN, 0},
		{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
		 "metadata: {name: default}\nspec: {subject: {namespaces: {}}}\n",
			"BaselineAdminNetworkPolicy", NS_KEY, TIER_BASELINE, 1001},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct reading r = {0};
		struct str subject = {0};
		const struct policy *p;

		reading_need(&r, &plain_context, places[i].text);
		p = &r.set.policy[0];
		selector_format(&subject, &p->spec[0].subject);
		assert_string_equal(p->kind, places[i].kind);
		assert_string_equal(p->namespace, "");
		assert_string_equal(str_text(&subject), places[i].subject);
		assert_int_equal(p->tier, places[i].tier);
		assert_int_equal(p->priority, places[i].priority);
		assert_false(p->spec[0].default_deny[POLICY_INGRESS]);
		assert_false(p->spec[0].default_deny[POLICY_EGRESS]);
		assert_false(p->spec[0].spares_own_node);
		str_done(&subject);
		reading_done(&r);
	}
}

static void test_actions(void **state)
{
	static const struct described old[] = {
		{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
		 "metadata: {name: p}\nspec:\n  priority: 1\n  subject: {namespaces: {}}\n"
		 "  ingress:\n  - {action: Allow, from: [{namespaces: {}}]}\n"
		 "  - {action: Pass, from: [{namespaces: {}}], ports: [{namedPort: x}]}\n"
		 "  egress:\n  - {action: Deny, to: [{networks: [10.0.0.0/8]}]}\n",
			"in allow order=0 endpoint{" NS_KEY "}; in pass order=1 endpoint{" NS_KEY
			"} ports=0:x; out deny order=0 cidr{10.0.0.0/8}"},
		{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
		 "metadata: {name: default}\nspec:\n  subject: {namespaces: {}}\n"
		 "  ingress:\n  - {action: Allow, from: [{namespaces: {}}]}\n"
		 "  - {action: Deny, from: [{namespaces: {}}]}\n",
			"in allow order=0 endpoint{" NS_KEY "}; in deny order=1 endpoint{" NS_KEY
			"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		check_described(&plain_context, &old[i]);
}

/* A rule's path has its name; addresses reach what the setting for Kubernetes' kinds says. */
static void test_path(void **state)
{
	static const struct policy_context reaching = {
		.cluster = "kilim", .default_namespace = "x", .kubernetes_reach = PREFIX_PODS};
	struct reading r = {0};
	const struct rule *rule;

	(void)state;
	reading_need(&r, &reaching,
		CLUSTER("egress:\n  - {action: Deny, to: [{networks: [10.0.0.0/8]}]}\n"
			"  - {action: Deny, name: the rest, to: [{networks: ['::/0']}]}"));
	rule = r.set.policy[0].spec[0].rule;
	assert_string_equal(rule[0].path, "egress[0]");
	assert_string_equal(rule[1].path, "egress[1] (the rest)");
	assert_int_equal(rule[1].origin.line, 10);
	assert_int_equal(rule[0].peer[0].reach, PREFIX_PODS);
	reading_done(&r);
}

int main(void)
{
	struct CMUnitTest tests[3 + ARRAY_SIZE(rows)] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_path),
	};
	size_t count = 3;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[count++] =
			(struct CMUnitTest){"rules", test_rows, NULL, NULL, (void *)&rows[i]};
	return cmocka_run_group_tests_name("policy cluster", tests, NULL, NULL);
}
