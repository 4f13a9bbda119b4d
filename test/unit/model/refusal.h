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

/* When all mistakes are wanted, the same one is the first of them. */
static inline void check_all(const struct reading *r)
{
	SCOPED(policy_set_done) struct policy_set set = {0};
	SCOPED(findings_done) struct findings all = {0};
	SCOPED(str_done) struct str text = {0};
	const struct finding *f = NULL;

	for (size_t i = 0; i < r->docs.count; i++)
		policy_parse_all(&set, &plain_context, "p.yaml", &r->docs.doc[i], &all);
	for (size_t i = all.count; i-- > 0;)
		f = all.finding[i].severity == FINDING_ERROR ? &all.finding[i] : f;
	assert_non_null(f);
	assert_true(*f->hint != 0);
	str_printf(&text, "%s:%d:%d: %s%s%s", f->file, f->line, f->column, f->field,
		*f->field ? ": " : "", f->message);
	if (strncmp(r->e.text, str_text(&text), text.len) != 0)
		fail_msg("the first of all is %s; else %s", str_text(&text), r->e.text);
}

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
	check_all(&r);
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
