/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a namespaced policy can be for, and whom it can mean by a selector that names no namespace:
 * all operators, all reserved labels, all spellings of keys that say where a workload belongs,
 * against workloads that carry whatever labels they like (lessons A).
 */
#include "refusal.h"

static const char *const operators[] = {"Exists", "DoesNotExist", "In", "NotIn"};

static const char *const keys[] = {"reserved:host", "reserved:world", "reserved:world-ipv4",
	"reserved:world-ipv6", "reserved:unmanaged", "reserved:health", "reserved:init",
	"reserved:remote-node", "reserved:kube-apiserver", "reserved:ingress", "reserved:other",
	"reserved.init", "$init", "init", "any:init", "any.init", "k8s:init", "node:init",
	"cidr:init", "app", "k8s:app", "container:app", "io.kubernetes.pod.namespace",
	"k8s:io.kubernetes.pod.namespace", "any:io.kubernetes.pod.namespace",
	"k8s.io.kubernetes.pod.namespace", "any.io.kubernetes.pod.namespace",
	"container:io.kubernetes.pod.namespace", "reserved:io.kubernetes.pod.namespace",
	"cni:io.kubernetes.pod.namespace", "io.cilium.k8s.namespace.labels.team",
	"k8s:io.cilium.k8s.namespace.labels.team", "container:io.cilium.k8s.namespace.labels.team",
	"k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name",
	"io.cilium.k8s.policy.cluster", "io.cilium.k8s.policy.serviceaccount"};

static const char *const values[] = {"default", "other", "x", ""};

/* Labels that a workload would like to have. */
static const char *const claims[] = {"k8s:io.kubernetes.pod.namespace=default",
	"container:io.kubernetes.pod.namespace=default", "cni:io.kubernetes.pod.namespace=default",
	"any:io.kubernetes.pod.namespace=default", "reserved:init", "reserved:host",
	"k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default",
	"k8s:io.cilium.k8s.namespace.labels.team=x", "k8s:app=default", "k8s:init=x",
	"reserved:io.kubernetes.pod.namespace=default", "node:init", "k8s:plain=x"};

static struct labels workload(struct arena *mem, const char *namespace, const char *claim)
{
	struct label label;
	struct labels given = {&label, 1}, l = {0};
	const struct workload_place place = {.namespace = namespace, .cluster = "kilim"};

	assert_int_equal(label_parse(mem, claim, "k8s", &label, NULL), 0);
	assert_int_equal(labels_of_workload(mem, &given, &place, &l, NULL), 0);
	return l;
}

static char *expression(struct arena *mem, const char *key, const char *op, const char *value)
{
	bool has_values = str_eq(op, "In") || str_eq(op, "NotIn");

	return arena_printf(mem, "{matchExpressions: [{key: '%s', operator: %s%s%s%s}]}", key, op,
		has_values ? ", values: ['" : "", has_values ? value : "", has_values ? "']" : "");
}

/* No subject of the policy is in another namespace, whatever it claims. */
static void check_subject(const struct selector *s, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		struct arena mem = {0};
		struct labels other = workload(&mem, "other", claims[i]);

		if (selector_matches(s, &other))
			fail_msg(
				"%s selects another namespace's workload with %s", text, claims[i]);
		arena_done(&mem);
	}
}

static void test_subjects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys) * ARRAY_SIZE(operators) * ARRAY_SIZE(values); i++) {
		struct arena mem = {0};
		struct reading r = {0};
		char *e = expression(&mem, keys[i / 16], operators[i / 4 % 4], values[i % 4]);
		char *text = arena_printf(&mem,
			HEAD("CiliumNetworkPolicy") "spec: {endpointSelector: %s, ingress: []}\n",
			e);

		reading_need(&r, &plain_context, text);
		check_subject(&r.set.policy[0].spec[0].subject, text);
		reading_done(&r);
		arena_done(&mem);
	}
}

/* The subject of a NetworkPolicy, which knows no sources. */
static void test_network_subjects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys) * ARRAY_SIZE(operators) * ARRAY_SIZE(values); i++) {
		struct arena mem = {0};
		struct reading r = {0};
		const char *key = keys[i / 16];
		char *e = expression(&mem, key, operators[i / 4 % 4], values[i % 4]);
		char *text = arena_printf(&mem,
			"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
			"metadata: {name: p}\nspec: {podSelector: %s, ingress: [{from: "
			"[{podSelector: %s}]}]}\n",
			e, e);

		if (strpbrk(key, ":$")) {
			assert_int_equal(reading_parse(&r, &plain_context, text), -EINVAL);
		} else {
			reading_need(&r, &plain_context, text);
			check_subject(&r.set.policy[0].spec[0].subject, text);
			check_subject(&r.set.policy[0].spec[0].rule[0].peer[0].selector[0], text);
		}
		reading_done(&r);
		arena_done(&mem);
	}
}

/* A peer of another namespace needs a key that says so: its namespace, its labels, or reserved. */
static void test_peers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys) * ARRAY_SIZE(operators) * ARRAY_SIZE(values); i++) {
		struct arena mem = {0};
		struct reading r = {0};
		const char *key = keys[i / 16];
		char *e = expression(&mem, key, operators[i / 4 % 4], values[i % 4]);
		char *text = arena_printf(&mem, IN("fromEndpoints: [%s]"), e);
		bool names = *key == '$' || str_has_prefix(key, "reserved");

		names |= strstr(key, "pod.namespace") || strstr(key, "namespace.labels");
		if (str_has_prefix(key, "container:") || str_has_prefix(key, "cni:"))
			names = false;
		reading_need(&r, &plain_context, text);
		if (!names)
			check_subject(&r.set.policy[0].spec[0].rule[0].peer[0].selector[0], text);
		reading_done(&r);
		arena_done(&mem);
	}
}

/* Selectors of nodes are on source node, so no label of a workload answers one. */
static void test_nodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct arena mem = {0};
		struct reading r = {0};
		char *text = arena_printf(&mem,
			IN("fromNodes: [{matchExpressions: [{key: '%s', operator: Exists}]}]"),
			keys[i]);
		const struct peer *p;

		reading_need(&r, &plain_context, text);
		p = &r.set.policy[0].spec[0].rule[0].peer[0];
		assert_int_equal(p->kind, PEER_NODE);
		assert_int_equal(p->selector[0].count, 1);
		if (!strpbrk(keys[i], ":$") && !str_has_prefix(keys[i], "reserved.") &&
			!str_has_prefix(keys[i], "any.") && !str_has_prefix(keys[i], "k8s."))
			assert_string_equal(p->selector[0].requirement[0].key.source, "node");
		reading_done(&r);
		arena_done(&mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_network_subjects),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_nodes),
	};

	return cmocka_run_group_tests_name("policy scope", tests, NULL, NULL);
}
