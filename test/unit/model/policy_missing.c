/* SPDX-License-Identifier: Apache-2.0 */
/* What is read and then refused, because the compiler cannot evaluate it yet. */
#include "refusal.h"

static const struct refusal rows[] = {
	{IN("order: 1\n    fromEntities: [host]"), "p.yaml:7:1: CiliumNetworkPolicy/default/p "
						   "ingress[0]: the order of rules: not there "
						   "yet"},
	{CNP("  mode: shadow\n  ingress: []\n"),
		"p.yaml:1:1: CiliumNetworkPolicy/default/p: mode: shadow: not there yet"},
	{IN("fromNodes: [{}]"),
		"p.yaml:7:1: CiliumNetworkPolicy/default/p ingress[0]: nodes as peers"},
	{OUT("toCIDRSet: [{cidrGroupRef: g}]"),
		"p.yaml:7:1: CiliumNetworkPolicy/default/p egress[0]: CIDR groups"},
	{OUT("toServices: [{k8sService: {serviceName: s}}]"),
		"p.yaml:7:1: CiliumNetworkPolicy/default/p egress[0]: services as peers"},
	{IN("toPorts: [{ports: [{port: http}]}]"),
		"p.yaml:7:1: CiliumNetworkPolicy/default/p ingress[0]: named ports"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]\n"),
		"p.yaml:6:1: NetworkPolicy/default/p ingress[0]: CIDRs that mean pods or nodes"},
	{CLUSTER("ingress: []"),
		"p.yaml:1:1: ClusterNetworkPolicy/p: policies of the tiers Admin and Baseline"},
	{CNP("  ingress: [{fromEntities: [all], toPorts: [{ports: [{port: '80'}]}]}]\n"), NULL},
	{IN("fromCIDR: [10.0.0.0/8]"), NULL},
};

static void test_rows(void **state)
{
	static const struct policy_context reaching = {.cluster = "kilim",
		.default_namespace = "default",
		.kubernetes_reach = PREFIX_PODS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reading r = {0};
		int err;

		reading_need(&r, &reaching, rows[i].text);
		err = policy_features_missing(&r.set, 0, &r.e);
		assert_int_equal(err, rows[i].says ? -ENOTSUP : 0);
		if (rows[i].says && strncmp(r.e.text, rows[i].says, strlen(rows[i].says)))
			fail_msg("says: %s", r.e.text);
		assert_int_equal(policy_features_missing(&r.set, 1, &r.e), 0);
		reading_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests_name("policy missing", tests, NULL, NULL);
}
