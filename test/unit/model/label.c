/* SPDX-License-Identifier: Apache-2.0 */
/* Labels: parsing, canonical sets, and what of a workload's labels may count. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/label.h"
#include "model/selector.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text, *source, *key, *value;
	} rows[] = {{"k8s:app=web", "k8s", "app", "web"}, {"app=web", "k8s", "app", "web"},
		{"app", "k8s", "app", ""}, {"app=", "k8s", "app", ""},
		{"any:app", "any", "app", ""}, {"reserved:host", "reserved", "host", ""},
		{"$host", "reserved", "host", ""}, {"cidr:10.0.0.0/8", "cidr", "10.0.0.0/8", ""},
		{"a=b=c", "k8s", "a", "b=c"}, {"a=b:c", "k8s", "a", "b:c"},
		{"k8s:a:b=c", "k8s", "a:b", "c"}, {"container:x.y/z=1", "container", "x.y/z", "1"}};
	static const char *const bad[] = {"", "=", "=x", "k8s:", "k8s:=x", ":app=web",
		"foo:app=web", "K8s:app", "k8s:a;b=c", "k8s:a=b;k8s:c=d", "k8s:a\n=b", "k8s:a=\x01",
		"k8s:a=\x7f", "$"};
	struct arena mem = {0};
	struct label l;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (label_parse(&mem, rows[i].text, "k8s", &l, &e) < 0)
			fail_msg("%s", e.text);
		assert_string_equal(l.source, rows[i].source);
		assert_string_equal(l.key, rows[i].key);
		assert_string_equal(l.value, rows[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (label_parse(&mem, bad[i], "k8s", &l, &e) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
	arena_done(&mem);
}

static void test_set(void **state)
{
	struct label one[] = {
		{"k8s", "b", "1"}, {"cidr", "x", ""}, {"k8s", "a", "2"}, {"k8s", "b", "1"}};
	struct label two[] = {{"k8s", "a", "2"}, {"k8s", "b", "1"}, {"cidr", "x", ""}};
	struct label twice[] = {{"k8s", "a", "1"}, {"any", "a", "2"}, {"k8s", "a", "2"}};
	struct labels a = {one, 4}, b = {two, 3}, c = {twice, 3}, copy;
	struct str text = {0};
	struct arena mem = {0};
	struct err e;

	(void)state;
	assert_int_equal(labels_normalize(&a, &e), 0);
	assert_int_equal(labels_normalize(&b, &e), 0);
	assert_int_equal(a.count, 3);
	assert_true(labels_eq(&a, &b));
	labels_text(&text, &a);
	assert_string_equal(str_text(&text), "cidr:x=;k8s:a=2;k8s:b=1;");
	str_done(&text);
	copy = labels_copy(&mem, &a);
	assert_true(labels_eq(&a, &copy));
	assert_int_equal(labels_normalize(&c, &e), -EEXIST);
	assert_non_null(strstr(e.text, "k8s:a is there twice"));
	assert_string_equal(labels_find(&a, "k8s", "b")->value, "1");
	assert_string_equal(labels_find(&a, "any", "x")->source, "cidr");
	assert_null(labels_find(&a, "reserved", "b"));
	arena_done(&mem);
}

static void test_relevance(void **state)
{
	static const struct {
		struct label label;
		bool relevant;
	} rows[] = {{{"k8s", "app", ""}, true}, {{"k8s", "app.kubernetes.io/name", ""}, true},
		{{"k8s", "io.kubernetes.pod.namespace", ""}, true},
		{{"k8s", "io.kubernetes.pod.name", ""}, false},
		{{"k8s", "kubernetes.io/x", ""}, false},
		{{"k8s", "io.cilium.k8s.policy.cluster", ""}, true},
		{{"k8s", "failure-domain.beta.kubernetes.io/zone", ""}, false},
		{{"k8s", "pod-template-hash", ""}, false},
		{{"k8s", "controller-revision-hash", ""}, false},
		{{"k8s", "statefulset.kubernetes.io/pod-name", ""}, false},
		{{"k8s", "batch.kubernetes.io/controller-uid", ""}, false},
		{{"k8s", "batch.kubernetes.io/job-name", ""}, true},
		{{"k8s", "annotation.x", ""}, false}, {{"k8s", "etcd_node", ""}, false},
		{{"k8s", "topology.kubernetes.io/zone", ""}, false},
		{{"k8s", "k8s.io/x", ""}, false}, {{"reserved", "kubernetes.io", ""}, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (label_is_identity_relevant(&rows[i].label) != rows[i].relevant)
			fail_msg("%s", rows[i].label.key);
	}
}

/* Whatever labels a workload brings, in any spelling, what says where it belongs stays. */
static void test_authority(void **state)
{
	static const char *const sources[] = {"k8s", "any", "reserved", "cidr", "cidrgroup", "fqdn",
		"node", "cni", "gen", "container", "unspec"};
	static const char *const keys[] = {"io.kubernetes.pod.namespace",
		"io.cilium.k8s.namespace.labels.env",
		"io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name",
		"io.cilium.k8s.policy.cluster", "io.cilium.k8s.policy.serviceaccount",
		"k8s.io.kubernetes.pod.namespace", "k8s:io.kubernetes.pod.namespace",
		"any.io.cilium.k8s.namespace.labels.env", "any:io.kubernetes.pod.namespace", "host",
		"env", "kubernetes.io/metadata.name", "namespace", "IO.KUBERNETES.POD.NAMESPACE"};
	struct label env = {"k8s", "env", "test"};
	const struct workload_place place = {.namespace = "ns",
		.cluster = "c",
		.service_account = "sa",
		.namespace_labels = {&env, 1}};
	/* selectors as policies get them: the keys that matter always have source k8s */
	static const char *const wanted[][2] = {{"io.kubernetes.pod.namespace", "ns"},
		{"io.cilium.k8s.namespace.labels.env", "test"},
		{"io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", "ns"},
		{"io.cilium.k8s.policy.cluster", "c"},
		{"io.cilium.k8s.policy.serviceaccount", "sa"}};
	static const enum selector_op ops[] = {
		SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_DOES_NOT_EXIST};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sources) * ARRAY_SIZE(keys); i++) {
		struct label bring[] = {{"k8s", "app", "web"},
			{sources[i % ARRAY_SIZE(sources)], keys[i / ARRAY_SIZE(sources)], "evil"}};
		struct labels given = {bring, 2}, plain = {bring, 1}, with, without;
		struct arena mem = {0};

		assert_int_equal(labels_of_workload(&mem, &given, &place, &with, NULL), 0);
		assert_int_equal(labels_of_workload(&mem, &plain, &place, &without, NULL), 0);
		for (size_t k = 0; k < ARRAY_SIZE(wanted) * ARRAY_SIZE(ops) * 2; k++) {
			const char *value = k & 1 ? "evil" : wanted[k / 2 % ARRAY_SIZE(wanted)][1];
			struct requirement q = {
				.key = {"k8s", wanted[k / 2 % ARRAY_SIZE(wanted)][0], ""},
				.op = ops[k / 2 / ARRAY_SIZE(wanted)],
				.value = &value,
				.values = 1};
			struct selector s = {&q, 1};

			if (selector_matches(&s, &with) != selector_matches(&s, &without))
				fail_msg("%s:%s changes %s", bring[1].source, bring[1].key,
					q.key.key);
		}
		assert_null(labels_find(&with, "reserved", "host"));
		assert_null(labels_find(&with, "any", "io.cilium.k8s.policy.evil"));
		assert_string_equal(labels_find(&with, "k8s", "app")->value, "web");
		arena_done(&mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_relevance),
		cmocka_unit_test(test_authority),
	};

	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
