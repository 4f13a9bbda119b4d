/* SPDX-License-Identifier: Apache-2.0 */
/* Files of policies to findings: every mistake, at its place, and none hides another. */
#include "scenario/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char bad[] =
	"apiVersion: cilium.io/v2\n"
	"kind: CiliumNetworkPolicy\n"
	"metadata: {name: Web, labels: {a: 1, b: 2}}\n"
	"spec:\n"
	"  endpointSelector: {matchLabels: {'a b': x, app: [y]}}\n"
	"  ingres: []\n"
	"  Egress: []\n"
	"  ingress:\n"
	"    - fromEndpoint: [{}]\n"
	"      toPorts: [{ports: [{port: \"80000\"}, {port: \"80\", protocol: TPC}]}]\n"
	"    - fromCIDR: [1.2.3, 10.0.0.0/8, 1.2.3.4.5]\n"
	"      fromEntities: [wrld, all, hst]\n"
	"    - {order: x, toPorts: [{ports: []}]}\n"
	"    - fromCIDRSet: [{cidr: x, except: [10.0.0.0/8, y]}, {cidr: 10.0.0.0/8, except: "
	"[11.0.0.0/8]}]\n"
	"---\n"
	"apiVersion: networking.k8s.io/v1\n"
	"kind: NetworkPolicy\n"
	"metadata: {name: np}\n"
	"spec:\n"
	"  podSelector: {}\n"
	"  policyTypes: [In, Ingress, Out]\n"
	"  ingress: [{from: [{podSelectr: {}}], ports: [{port: 0}, {port: 1, endPort: 0}]}]\n"
	"--- # no YAML\n"
	"apiVersion: v1\n"
	"kind: [\n"
	"---\n"
	"apiVersion: policy.networking.k8s.io/v1alpha2\n"
	"kind: ClusterNetworkPolicy\n"
	"metadata: {name: c, namespace: x}\n"
	"spec:\n"
	"  tier: admin\n"
	"  subject: {namespaces: {}, pods: {}}\n"
	"  ingress: [{action: Allow, from: []}, {action: Deny, from: [{}]}]\n"
	"---\n"
	"apiVersion: cilium.io/v2\n"
	"kind: CiliumNetworkPolicie\n"
	"---\n"
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"---\n"
	"apiVersion: cilium.io/v2\n"
	"kind: CiliumNetworkPolicyList\n"
	"items:\n"
	"  - {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {}, spec: 1}\n"
	"  - apiVersion: cilium.io/v2\n"
	"    kind: CiliumNetworkPolicy\n"
	"    metadata: {name: good}\n"
	"    spec: {endpointSelector: {}, ingress: [{fromEndpoints: []}]}\n";

/* Line, column, severity and field of each. */
static const char *const found[] = {"3:18 error metadata.name", "3:35 error metadata.labels.a",
	"3:41 error metadata.labels.b", "5:43 error spec.endpointSelector.matchLabels.a b",
	"5:46 error spec.endpointSelector.matchLabels.app", "6:3 error spec.ingres",
	"7:3 error spec.Egress", "9:7 error spec.ingress[0].fromEndpoint",
	"10:33 error spec.ingress[0].toPorts[0].ports[0].port",
	"10:66 error spec.ingress[0].toPorts[0].ports[1].protocol",
	"11:18 error spec.ingress[1].fromCIDR[0]", "11:37 error spec.ingress[1].fromCIDR[2]",
	"12:7 error spec.ingress[1].fromEntities", "12:22 error spec.ingress[1].fromEntities[0]",
	"12:33 error spec.ingress[1].fromEntities[2]", "13:15 error spec.ingress[2].order",
	"13:29 warning spec.ingress[2].toPorts[0].ports",
	"14:28 error spec.ingress[3].fromCIDRSet[0].cidr",
	"14:52 error spec.ingress[3].fromCIDRSet[0].except[1]",
	"14:85 error spec.ingress[3].fromCIDRSet[1].except[0]", "21:17 error spec.policyTypes[0]",
	"21:30 error spec.policyTypes[2]", "22:22 error spec.ingress[0].from[0].podSelectr",
	"22:55 error spec.ingress[0].ports[0].port", "22:78 error spec.ingress[0].ports[1].endPort",
	"26:1 error ", "29:32 error metadata.namespace", "30:1 error spec.priority",
	"31:9 error spec.tier", "32:3 error spec.subject", "33:22 error spec.ingress[0].action",
	"33:29 error spec.ingress[0].from", "33:62 error spec.ingress[1].from[0]", "35:1 error ",
	"44:59 error items[0].metadata.name", "44:79 error items[0].spec", "48:5 warning spec",
	"48:45 warning items[1].spec.ingress[0].fromEndpoints"};

static void validate(struct validation *v, const char *text)
{
	v->context = (struct policy_context){.cluster = "kilim", .default_namespace = "default"};
	validate_text(v, "bad.yaml", text, strlen(text));
	validate_policies(v, &(struct lint_options){0});
}

static void test_all(void **state)
{
	struct validation v SCOPED(validation_done) = {0};
	SCOPED(str_done) struct str text = {0}, want = {0};

	(void)state;
	validate(&v, bad);
	for (size_t i = 0; i < v.findings.count; i++) {
		const struct finding *f = &v.findings.finding[i];

		assert_string_equal(f->file, "bad.yaml");
		assert_true(*f->message && *f->hint);
		str_printf(&text, "%d:%d %s %s\n", f->line, f->column,
			finding_severity_name(f->severity), f->field);
	}
	for (size_t i = 0; i < ARRAY_SIZE(found); i++)
		str_printf(&want, "%s\n", found[i]);
	if (strcmp(str_text(&text), str_text(&want)) != 0)
		fail_msg("found:\n%s", str_text(&text));
	/* what is right by the letter is there for the analysis */
	assert_int_equal(v.set.count, 1);
	assert_string_equal(v.set.policy[0].name, "good");
}

static void test_written(void **state)
{
	static const char text[] = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
				   "metadata: {name: \"a\\u001b\"}\nspec: {}\n";
	struct validation v SCOPED(validation_done) = {0};
	SCOPED(str_done) struct str out = {0};
	SCOPED(json_unrefp) json_t *j = NULL;

	(void)state;
	validate(&v, text);
	findings_write(&out, &v.findings);
	assert_string_equal(str_text(&out),
		"bad.yaml:3:18: error: metadata.name: \"a?\" is no name: lower-case letters, "
		"digits, "
		"'.', '-', with a letter or digit at both ends; rename it\n"
		"bad.yaml:4:1: error: spec: endpointSelector is missing; {} selects every endpoint "
		"of "
		"the namespace\n"
		"bad.yaml:4:1: error: spec: has none of ingress, ingressDeny, egress and "
		"egressDeny; a "
		"policy needs one of them (it may be empty)\n");
	j = findings_json(&v.findings);
	assert_int_equal(json_array_size(j), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 1), "hint")),
		"{} selects every endpoint of the namespace");
	assert_int_equal(findings_count(&v.findings, FINDING_ERROR), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all), cmocka_unit_test(test_written)};

	return cmocka_run_group_tests_name("scenario validate", tests, NULL, NULL);
}
