/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_MODEL_REFUSAL_H
#define KILIM_TEST_MODEL_REFUSAL_H
/* Documents that are refused, and how the refusal must begin: place, field, reason. */
#include "fixture.h"

/* Rules of CNP() stand at line 6, those of CLUSTER() at line 8, counted from 1. */
#define HEAD(kind) "apiVersion: cilium.io/v2\nkind: " kind "\nmetadata: {name: p}\n"
#define CNP(spec)  HEAD("CiliumNetworkPolicy") "spec:\n  endpointSelector: {}\n" spec
#define IN(rule)   CNP("  ingress:\n  - " rule "\n")
#define OUT(rule)  CNP("  egress:\n  - " rule "\n")
#define NP(spec)                                                                                   \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n"      \
	"  podSelector: {}\n" spec
#define CLUSTER(rules)                                                                             \
	"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"              \
	"metadata: {name: p}\nspec:\n  tier: Admin\n  priority: 7\n  subject: {namespaces: {}}\n"  \
	"  " rules "\n"
#define PORTS(ports) CLUSTER("ingress:\n  - {action: Deny, from: [{namespaces: {}}], " ports "}")

struct refusal {
	const char *text, *says;
};

static inline void test_refusal(void **state)
{
	const struct refusal *row = *state;
	struct reading r = {0};

	assert_int_equal(reading_parse(&r, &plain_context, row->text), -EINVAL);
	assert_int_equal(r.set.count, 0);
	assert_int_equal(r.set.namespaces, 0);
	assert_int_equal(r.set.nodes, 0);
	assert_int_equal(r.set.groups, 0);
	assert_int_equal(r.set.services, 0);
	if (strncmp(r.e.text, row->says, strlen(row->says)))
		fail_msg("says: %s", r.e.text);
	reading_done(&r);
}

static inline int run_refusals(const char *name, const struct refusal *rows, size_t count)
{
	struct CMUnitTest *tests = mem_array(count, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < count; i++)
		tests[i] = (struct CMUnitTest){
			rows[i].says, test_refusal, NULL, NULL, (void *)&rows[i]};
	failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
	free(tests);
	return failed;
}

#endif
