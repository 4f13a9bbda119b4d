/* SPDX-License-Identifier: Apache-2.0 */
/* The table of identities: numbers, references, reuse, prefixes, save and load. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/identity.h"

static uint32_t get(struct identities *t, const char *value)
{
	struct label l = {"k8s", "app", value};
	const struct identity_info *info = NULL;
	struct err e;

	if (identity_get(t, &(struct labels){&l, 1}, &info, &e) < 0)
		fail_msg("%s", e.text);
	return info->number;
}

static const struct identity_info *get_prefix(struct identities *t, const char *text)
{
	const struct identity_info *info = NULL;
	struct prefix p;

	assert_int_equal(prefix_parse(text, false, &p), 0);
	assert_int_equal(identity_get_prefix(t, &p, &info, NULL), 0);
	return info;
}

static size_t count(const struct identities *t)
{
	const struct identity_info *i;
	size_t n = 0;

	for (i = identity_after(t, 0); i; i = identity_after(t, i->number))
		n++;
	return n;
}

static void test_reserved(void **state)
{
	struct identities *t = identities_new("c", true);

	(void)state;
	assert_string_equal(identities_cluster(t), "c");
	assert_true(identities_dual_stack(t));
	assert_int_equal(count(t), 10);
	assert_non_null(labels_find(&identity_find(t, IDENTITY_HOST)->labels, "reserved", "host"));
	assert_non_null(labels_find(
		&identity_find(t, IDENTITY_KUBE_APISERVER)->labels, "reserved", "remote-node"));
	assert_null(identity_find(t, 11));
	identity_put(t, IDENTITY_HOST);
	assert_int_equal(count(t), 10);
	assert_null(identity_after(t, UINT32_MAX));
	identities_free(t);
}

static void test_references(void **state)
{
	struct identities *t = identities_new("c", true);
	uint64_t before = identities_revision(t);
	uint32_t a = get(t, "a"), b = get(t, "b");

	(void)state;
	assert_int_equal(a, IDENTITY_CLUSTER_MIN);
	assert_int_equal(b, IDENTITY_CLUSTER_MIN + 1);
	assert_int_equal(get(t, "a"), a);
	assert_int_equal(identity_find(t, a)->references, 2);
	assert_true(identities_revision(t) == before + 2);
	identity_put(t, a);
	assert_int_equal(count(t), 12);
	identity_put(t, a);
	assert_int_equal(count(t), 11);
	assert_true(identities_revision(t) == before + 3);
	identity_put(t, a); /* one too many is no harm */
	assert_int_equal(get(t, "c"), b + 1);
	assert_int_equal(get(t, "a"), a); /* its old number */
	identities_free(t);
}

static void test_bad_labels(void **state)
{
	struct identities *t = identities_new("c", true);
	struct label twice[] = {{"k8s", "a", "1"}, {"k8s", "a", "2"}},
		     trick = {"k8s", "a", "1;k8s:b=2"};
	const struct identity_info *info;
	struct err e;

	(void)state;
	assert_int_equal(identity_get(t, &(struct labels){twice, 2}, &info, &e), -EEXIST);
	assert_int_equal(identity_get(t, &(struct labels){&trick, 1}, &info, &e), -EINVAL);
	assert_int_equal(identity_get(t, &(struct labels){0}, &info, &e), -EINVAL);
	identities_free(t);
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *text, *key;
	} rows[] = {{"10.0.0.0/8", "10.0.0.0/8"}, {"fd00::/8", "fd00--0/8"},
		{"::1/128", "0--1/128"}, {"2001:db8::1:0/112", "2001-db8--1-0/112"},
		{"1.2.3.4/32", "1.2.3.4/32"}};
	struct identities *t = identities_new("c", true), *single = identities_new("c", false);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct identity_info *info = get_prefix(t, rows[i].text);
		bool v4 = !strchr(rows[i].text, ':');

		assert_int_equal(info->number, IDENTITY_LOCAL_MIN + i);
		assert_true(info->is_prefix);
		assert_int_equal(info->labels.count, 2);
		assert_non_null(labels_find(&info->labels, "cidr", rows[i].key));
		assert_non_null(
			labels_find(&info->labels, "reserved", v4 ? "world-ipv4" : "world-ipv6"));
		assert_non_null(labels_find(
			&get_prefix(single, rows[i].text)->labels, "reserved", "world"));
	}
	assert_int_equal(get_prefix(t, "0.0.0.0/0")->number, IDENTITY_WORLD_IPV4);
	assert_int_equal(get_prefix(t, "::/0")->number, IDENTITY_WORLD_IPV6);
	assert_int_equal(get_prefix(single, "0.0.0.0/0")->number, IDENTITY_WORLD);
	identities_free(t);
	identities_free(single);
}

/* The range is used up, and numbers come back as late as possible. */
static void test_exhaustion(void **state)
{
	const size_t size = IDENTITY_CLUSTER_MAX - IDENTITY_CLUSTER_MIN + 1;
	struct identities *t = identities_new("c", true);
	const struct identity_info *info;
	struct label l = {"k8s", "app", "last"};
	struct err e;
	char value[16];

	(void)state;
	for (size_t i = 0; i < size; i++) {
		snprintf(value, sizeof(value), "%zu", i);
		assert_int_equal(get(t, value), IDENTITY_CLUSTER_MIN + i);
	}
	assert_int_equal(identity_get(t, &(struct labels){&l, 1}, &info, &e), -ENOSPC);
	assert_non_null(strstr(e.text, "all 65280 numbers in 256..65535 are in use"));
	identity_put(t, 300);
	identity_put(t, 299);
	assert_int_equal(identity_get(t, &(struct labels){&l, 1}, &info, &e), 0);
	assert_in_range(info->number, 299, 300);
	identities_free(t);
}

/* Unused entries are remembered, but not without end. */
static void test_churn(void **state)
{
	struct identities *t = identities_new("c", true);
	char text[32];
	json_t *saved;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.0/24", i >> 8 & 255, i & 255);
		identity_put(t, get_prefix(t, text)->number);
	}
	assert_int_equal(count(t), 10);
	saved = identities_save(t);
	assert_true(json_array_size(json_object_get(saved, "identities")) < 6000);
	json_decref(saved);
	identities_free(t);
}

static void test_save(void **state)
{
	struct identities *t = identities_new("c", true), *u = identities_new("c", true);
	uint32_t a = get(t, "a"), b = get(t, "b"), p = get_prefix(t, "10.0.0.0/8")->number;
	struct err e;
	json_t *saved;

	(void)state;
	saved = identities_save(t);
	if (identities_load(u, saved, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(count(u), 10); /* all unused */
	assert_int_equal(get(u, "b"), b);
	assert_int_equal(get(u, "c"), b + 1);
	assert_int_equal(get(u, "a"), a);
	assert_int_equal(get_prefix(u, "11.0.0.0/8")->number, p + 1);
	assert_int_equal(get_prefix(u, "10.0.0.0/8")->number, p);
	assert_int_equal(identities_load(u, saved, &e), -EINVAL);
	json_decref(saved);
	identities_free(t);
	identities_free(u);
}

static void test_load_refuses(void **state)
{
	static const char *const bad[] = {"{}", "{\"identities\": 7}", "{\"identities\": [7]}",
		"{\"identities\": [{\"id\": 300}]}",
		"{\"identities\": [{\"id\": 300, \"labels\": []}]}",
		"{\"identities\": [{\"id\": 1, \"labels\": [\"k8s:a=b\"]}]}",
		"{\"identities\": [{\"id\": 70000, \"labels\": [\"k8s:a=b\"]}]}",
		"{\"identities\": [{\"id\": \"300\", \"labels\": [\"k8s:a=b\"]}]}",
		"{\"identities\": [{\"id\": 300, \"labels\": [\"bad:a=b\"]}]}",
		"{\"identities\": [{\"id\": 300, \"labels\": [\"k8s:a=b\", \"k8s:a=c\"]}]}",
		"{\"identities\": [{\"id\": 300, \"labels\": [7]}]}",
		"{\"identities\": [{\"id\": 300, \"labels\": [\"k8s:a\"]}, {\"id\": 300, "
		"\"labels\": "
		"[\"k8s:b\"]}]}",
		"{\"identities\": [{\"id\": 300, \"labels\": [\"k8s:a\"]}, {\"id\": 301, "
		"\"labels\": "
		"[\"k8s:a\"]}]}",
		"{\"identities\": [{\"id\": 16777217, \"labels\": [\"cidr:x\", "
		"\"reserved:world-ipv4\"], "
		"\"prefix\": \"x\"}]}",
		"{\"identities\": [], \"next\": 5}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct identities *t = identities_new("c", true);
		json_t *j = json_loads(bad[i], 0, NULL);
		struct err e = {0};

		assert_non_null(j);
		if (identities_load(t, j, &e) >= 0 || !*e.text)
			fail_msg("%s", bad[i]);
		json_decref(j);
		identities_free(t);
	}
}

/* Parts of a run before are what they were, as soon as somebody holds them. */
static void test_loaded_parts(void **state)
{
	struct identities *t = identities_new("c", true), *u = identities_new("c", true);
	const struct named_port web = {"my-web", 6, 80};
	struct label zone = {"node", "zone", "a"};
	const struct identity_info *info;
	struct prefix four, six;
	uint32_t base = get(t, "a"), number[4];
	struct err e = {0};
	json_t *saved;

	(void)state;
	assert_int_equal(prefix_parse("10.0.0.0/24", false, &four), 0);
	assert_int_equal(prefix_parse("fd00::/64", false, &six), 0);
	const struct identity_part part[4] = {{.inside = &four}, {.inside = &six},
		{.own_ports = true, .port = &web, .ports = 1}, {.labels = {&zone, 1}}};

	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			identity_get_part(t, i < 3 ? base : IDENTITY_HOST, &part[i], &info, NULL),
			0);
		number[i] = info->number;
	}
	saved = identities_save(t);
	if (identities_load(u, saved, &e) < 0)
		fail_msg("%s", e.text);
	json_decref(saved);
	assert_false(identity_hold(u, 4711));
	for (int i = 0; i < 4; i++) {
		assert_true(identity_hold(u, number[i]));
		info = identity_find(u, number[i]);
		assert_int_equal(info->references, 1);
		assert_int_equal(info->base, i < 3 ? base : IDENTITY_HOST);
		assert_int_equal(info->is_inside, i < 2);
		assert_int_equal(info->own_ports, i == 2);
	}
	assert_int_equal(prefix_compare(&identity_find(u, number[0])->inside, &four), 0);
	assert_int_equal(prefix_compare(&identity_find(u, number[1])->inside, &six), 0);
	/* asked for again, it has the same number */
	assert_int_equal(get(u, "a"), base);
	assert_int_equal(identity_get_part(u, base, &part[1], &info, NULL), 0);
	assert_int_equal(info->number, number[1]);
	identities_free(t);
	identities_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_bad_labels),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_exhaustion),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_save),
		cmocka_unit_test(test_load_refuses),
		cmocka_unit_test(test_loaded_parts),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
