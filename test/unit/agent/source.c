/* SPDX-License-Identifier: Apache-2.0 */
/* Policy sources: broken texts change nothing, last good ones outlive a restart, stored manifests
 * change as a whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/source.h"
#include "agent/source_edit.h"
#include "base/fd.h"
#include "fixture.h"

static const struct policy_name name_a = {"CiliumNetworkPolicy", "default", "a", MODE_ENFORCE},
				name_b = {"CiliumNetworkPolicy", "default", "b", MODE_ENFORCE};

static int update(struct sources *t, const char *name, const char *text, struct err *e)
{
	char origin[64];

	snprintf(origin, sizeof(origin), "/m/%s", name);
	return sources_update(t, SOURCE_FILE, name, origin, text, strlen(text), e);
}

static void test_broken_keeps_good(void **state)
{
	SCOPED(sources_done)
	struct sources t = {0};
	struct err e = {0};
	const struct source *s;

	(void)state;
	open_sources(&t);
	assert_int_equal(update(&t, "a.yaml", POLICY("a", "web"), &e), 0);
	assert_int_not_equal(update(&t, "a.yaml", "apiVersion: cilium.io/v2\nkind: [", &e), 0);
	assert_non_null(strstr(e.text, "/m/a.yaml:"));
	s = sources_find(&t, SOURCE_FILE, "a.yaml");
	assert_non_null(s->error);
	assert_int_equal(s->content->set.count, 1);
	assert_int_equal(update(&t, "a.yaml", POLICY("b", "web"), &e), 0);
	assert_null(s->error);
	assert_null(sources_policy(&t, &name_a, NULL));
	assert_non_null(sources_policy(&t, &name_b, NULL));
}

/* The file is broken when the agent starts again: what it had is still in force. */
static void test_last_good(void **state)
{
	struct err e = {0};

	(void)state;
	for (int life = 0; life < 2; life++) {
		SCOPED(sources_done)
		struct sources t = {0};

		open_sources(&t);
		if (!life) {
			assert_int_equal(update(&t, "a.yaml", POLICY("a", "web"), &e), 0);
			sources_settle(&t);
		}
		assert_int_not_equal(update(&t, "a.yaml", "kind: x", &e), 0);
		assert_non_null(sources_policy(&t, &name_a, NULL));
		if (life)
			sources_remove(&t, SOURCE_FILE, "a.yaml");
	}
	{
		SCOPED(sources_done)
		struct sources t = {0};

		open_sources(&t);
		assert_int_not_equal(update(&t, "a.yaml", "kind: x", &e), 0);
		assert_null(sources_find(&t, SOURCE_FILE, "a.yaml")->content);
	}
}

/* A change that was never in force: the next run goes back to what was. */
static void test_recall(void **state)
{
	struct err e = {0};

	(void)state;
	for (int life = 0; life < 2; life++) {
		SCOPED(sources_done) struct sources t = {0};
		const struct source *s;

		open_sources(&t);
		if (!life) {
			assert_int_equal(update(&t, "a.yaml", POLICY("a", "web"), &e), 0);
			sources_settle(&t);
		}
		assert_int_equal(update(&t, "a.yaml", POLICY("b", "web"), &e), 0);
		assert_int_equal(update(&t, "new.yaml", POLICY("c", "web"), &e), 0);
		sources_recall(&t);
		s = sources_find(&t, SOURCE_FILE, "a.yaml");
		assert_string_equal(s->applied->set.policy[0].name, "a");
		assert_string_equal(s->content->set.policy[0].name, "b");
		assert_null(sources_find(&t, SOURCE_FILE, "new.yaml")->applied);
	}
}

static void test_other_objects(void **state)
{
	SCOPED(sources_done)
	struct sources t = {0};
	struct err e = {0};

	(void)state;
	open_sources(&t);
	assert_int_equal(
		update(&t, "a.yaml",
			"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n---\n" POLICY(
				"a", "web"),
			&e),
		0);
	assert_int_equal(t.source[0]->content->set.count, 1);
	assert_int_equal(
		update(&t, "b.yaml",
			"apiVersion: cilium.io/v2\nkind: CiliumEnvoyConfig\nmetadata:\n  name: x\n",
			&e),
		-EINVAL);
	assert_non_null(strstr(e.text, "/m/b.yaml:1:1: kind: CiliumEnvoyConfig"));
	assert_int_equal(update(&t, "c.yaml", "a: b\n", &e), -EINVAL);
	assert_int_equal(
		update(&t, "d.yaml", POLICY("a", "web") "---\n" POLICY("a", "db"), &e), -EEXIST);
	assert_int_equal(update(&t, "e.yaml", "", &e), 0);
}

static struct source_content *parse(struct sources *t, const char *text)
{
	struct source_content *c = NULL;
	struct err e = {0};

	if (source_parse(&t->context, "api:x", text, strlen(text), &c, &e))
		fail_msg("%s", e.text);
	return c;
}

static size_t stored_len(const char *name)
{
	SCOPED(freep)
	char *text = NULL;
	char path[128];
	size_t len;

	snprintf(path, sizeof(path), "%s/policy/%s", dir, name);
	return fd_read_file(path, 1 << 20, &text, &len, NULL) < 0 ? 0 : len;
}

static void test_change(void **state)
{
	SCOPED(sources_done)
	struct sources t = {0};
	SCOPED(source_change_done)
	struct source_change ch = {.sources = &t};
	struct err e = {0};

	(void)state;
	open_sources(&t);
	source_change_put(&ch, "two.yaml", parse(&t, POLICY("a", "web") "---\n" POLICY("b", "db")));
	assert_int_equal(source_change_store(&ch, &e), 0);
	assert_true(stored_len("two.yaml") > 0);

	source_change_done(&ch);
	ch.sources = &t;
	assert_int_equal(source_change_take(&ch, "two.yaml", &name_a, &e), 0);
	assert_null(sources_policy(&t, &name_a, NULL));
	assert_non_null(sources_policy(&t, &name_b, NULL));
	source_change_undo(&ch);
	assert_non_null(sources_policy(&t, &name_a, NULL));

	assert_int_equal(source_change_take(&ch, "two.yaml", &name_a, &e), 0);
	assert_int_equal(source_change_take(&ch, "two.yaml", &name_b, &e), 0);
	assert_null(sources_find(&t, SOURCE_API, "two.yaml"));
	assert_int_equal(source_change_store(&ch, &e), 0);
	assert_int_equal(stored_len("two.yaml"), 0);
}

static void test_stored_outlive(void **state)
{
	struct err e = {0};

	(void)state;
	for (int life = 0; life < 2; life++) {
		SCOPED(sources_done)
		struct sources t = {0};
		const struct source *s = NULL;

		open_sources(&t);
		if (!life) {
			assert_int_equal(sources_store(&t, "x.yaml", POLICY("a", "web"),
						 strlen(POLICY("a", "web")), &e),
				0);
			continue;
		}
		sources_load_stored(&t);
		assert_non_null(sources_policy(&t, &name_a, &s));
		assert_string_equal(s->origin, "api:x.yaml");
	}
}

static void test_object(void **state)
{
	static const struct policy_name none = {"CiliumNetworkPolicy", "x", "a", MODE_ENFORCE};
	SCOPED(sources_done)
	struct sources t = {0};
	SCOPED(source_content_unrefp)
	struct source_content *c = NULL;
	SCOPED(json_unrefp)
	json_t *j = NULL;

	(void)state;
	open_sources(&t);
	c = parse(&t, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{\"apiVersion\":"
		      "\"cilium.io/v2\",\"kind\":\"CiliumNetworkPolicy\","
		      "\"metadata\":{\"name\":\"a\"},\"spec\":{\"endpointSelector\":{},\"ingress\":"
		      "[{}]}}]}");
	j = source_object(c, &name_a);
	assert_non_null(json_object_get(j, "spec"));
	assert_null(source_object(c, &none));
}

/* A stored manifest's name puts its policies in shadow mode, a file's does not. */
static void test_shadow(void **state)
{
	static const struct policy_name shadow = {
		"CiliumNetworkPolicy", "default", "a", MODE_SHADOW};
	SCOPED(sources_done)
	struct sources t = {0};
	SCOPED(source_change_done)
	struct source_change ch = {.sources = &t};
	struct source_content *c = NULL;
	const struct source *s = NULL;
	struct err e = {0};

	(void)state;
	open_sources(&t);
	assert_int_equal(source_parse(&t.context, "api:x.shadow.yaml", POLICY("a", "web"),
				 strlen(POLICY("a", "web")), &c, &e),
		0);
	source_change_put(&ch, "x.shadow.yaml", c);
	assert_null(sources_policy(&t, &name_a, NULL));
	assert_non_null(sources_policy(&t, &shadow, NULL));
	source_change_put(&ch, "x.yaml", parse(&t, POLICY("a", "db")));
	assert_non_null(sources_policy(&t, &name_a, &s));
	assert_string_equal(s->name, "x.yaml");
	assert_int_equal(update(&t, "y.shadow.yaml", POLICY("b", "web"), &e), 0);
	assert_non_null(sources_policy(&t, &name_b, NULL));
	assert_int_equal(source_change_take(&ch, "x.shadow.yaml", &shadow, &e), 0);
	assert_null(sources_policy(&t, &shadow, NULL));
	assert_non_null(sources_policy(&t, &name_a, NULL));
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", ".x", "-x", "a/b", "..", "a b", "x.tmp12", "a\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(source_name_is_valid(bad[i]));
	assert_true(source_name_is_valid("a-b_c.yaml"));
}

/* Objects that policies refer to are part of a source, each name once. */
static void test_referred(void **state)
{
	static const char group[] = "apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\n"
				    "metadata: {name: g}\nspec: {externalCIDRs: []}\n";
	static const char namespace[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n";
	SCOPED(sources_done)
	struct sources t = {0};
	SCOPED(str_done) struct str text = {0};
	const struct source *s;
	struct err e = {0};

	(void)state;
	open_sources(&t);
	str_printf(&text, "%s---\n%s---\n%s", POLICY("a", "web"), group, namespace);
	assert_int_equal(update(&t, "a.yaml", str_text(&text), &e), 0);
	s = sources_find(&t, SOURCE_FILE, "a.yaml");
	assert_int_equal(s->content->set.count, 1);
	assert_int_equal(s->content->set.groups, 1);
	assert_int_equal(s->content->set.namespaces, 1);
	str_printf(&text, "---\n%s", namespace);
	assert_int_equal(update(&t, "a.yaml", str_text(&text), &e), -EEXIST);
	assert_non_null(strstr(e.text, "Namespace n is in this file already, at line 19"));
	text.len = 0;
	str_printf(&text, "%s---\n%s", group, group);
	assert_int_equal(update(&t, "b.yaml", str_text(&text), &e), -EEXIST);
	assert_non_null(strstr(e.text, "/m/b.yaml:6: metadata.name: CiliumCIDRGroup g is in"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_broken_keeps_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_recall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stored_outlive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_object, setup, teardown),
		cmocka_unit_test_setup_teardown(test_referred, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shadow, setup, teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
