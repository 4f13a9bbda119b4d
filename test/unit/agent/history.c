/* SPDX-License-Identifier: Apache-2.0 */
/* The history of policy sources: what it keeps, what it lets go, what it says of damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/history.h"
#include "base/fd.h"
#include "fixture.h"

static void set_file(struct sources *t, const char *name, const char *app)
{
	SCOPED(str_done) struct str text = {0}, origin = {0};
	struct err e = {0};

	str_printf(&origin, "/m/%s", name);
	str_printf(&text,
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: %c}\n"
		"spec:\n  endpointSelector: {matchLabels: {app: %s}}\n  ingress: [{}]\n",
		*name, app);
	if (sources_update(t, SOURCE_FILE, name, str_text(&origin), str_text(&text), text.len, &e))
		fail_msg("%s", e.text);
}

static void add(struct history *h, struct sources *t, uint32_t revision, uint32_t keep)
{
	const struct history_counts counts = {.policies = 1, .rules = 2, .slots = 3};
	struct err e = {0};

	sources_settle(t);
	if (history_add(h, t, revision, NULL, &counts, keep, &e))
		fail_msg("%s", e.text);
}

static size_t files_in(const char *below)
{
	char path[128];
	const struct dirent *x;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, below);
	d = opendir(path);
	assert_non_null(d);
	while ((x = readdir(d))) {
		struct stat st;

		if (fstatat(dirfd(d), x->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode))
			continue;
		assert_int_equal(st.st_mode & 0777, 0600);
		n++;
	}
	closedir(d);
	return n;
}

static void test_kept(void **state)
{
	struct err e = {0};

	(void)state;
	for (int life = 0; life < 2; life++) {
		SCOPED(sources_done) struct sources t = {0};
		SCOPED(history_done) struct history h = {0};
		SCOPED(freep) char *text = NULL;
		const struct history_entry *x;
		size_t len;

		open_sources(&t);
		history_open(&h, dir, 32);
		if (!life) {
			set_file(&t, "a.yaml", "one");
			add(&h, &t, 3, 0);
			set_file(&t, "a.yaml", "two");
			set_file(&t, "b.yaml", "two");
			add(&h, &t, 7, 0);
			sources_remove(&t, SOURCE_FILE, "b.yaml");
			add(&h, &t, 8, 0);
		}
		assert_null(h.problem);
		assert_int_equal(h.count, 3);
		assert_null(history_at(&h, 2));
		assert_int_equal(history_at(&h, 6)->revision, 3);
		x = history_at(&h, 7);
		assert_string_equal(x->reason, "file a.yaml changed, file b.yaml added");
		assert_int_equal(x->counts.slots, 3);
		assert_int_equal(history_before(&h, x)->revision, 3);
		assert_null(history_before(&h, history_at(&h, 3)));
		assert_string_equal(history_newest(&h)->reason, "file b.yaml removed");
		assert_null(history_source_find(history_newest(&h), SOURCE_FILE, "b.yaml"));
		x = history_at(&h, 3);
		assert_int_equal(
			history_text(&h, history_source_find(x, SOURCE_FILE, "a.yaml")->digest,
				&text, &len, &e),
			0);
		assert_non_null(strstr(text, "app: one"));
		if (!life)
			assert_true(history_entry_is(history_newest(&h), &t));
		set_file(&t, "c.yaml", "x");
		t.source[t.count - 1]->applied = source_content_ref(t.source[t.count - 1]->content);
		assert_false(history_entry_is(history_newest(&h), &t));
	}
}

static void test_pruned(void **state)
{
	SCOPED(sources_done) struct sources t = {0};
	SCOPED(history_done) struct history h = {0};
	char app[8];

	(void)state;
	open_sources(&t);
	history_open(&h, dir, 3);
	set_file(&t, "b.yaml", "always");
	for (uint32_t i = 1; i <= 9; i++) {
		snprintf(app, sizeof(app), "v%u", i);
		set_file(&t, "a.yaml", app);
		add(&h, &t, i, 2);
	}
	/* the last three and the one that is wanted */
	assert_int_equal(h.count, 4);
	assert_int_equal(h.entry[0]->revision, 2);
	assert_int_equal(h.entry[1]->revision, 7);
	assert_int_equal(files_in("history"), 4);
	assert_int_equal(files_in("history/text"), 5);
}

static void write_over(const char *below, const char *name, const char *text)
{
	char path[256];
	struct err e = {0};

	snprintf(path, sizeof(path), "%s/%s/%s", dir, below, name);
	assert_int_equal(fd_write_file(path, text, strlen(text), 0600, &e), 0);
}

static void test_damage(void **state)
{
	SCOPED(sources_done) struct sources t = {0};
	SCOPED(history_done) struct history h = {0}, again = {0};
	SCOPED(freep) char *text = NULL;
	struct err e = {0};
	char digest[DIGEST_TEXT];
	size_t len;

	(void)state;
	open_sources(&t);
	history_open(&h, dir, 32);
	for (uint32_t i = 1; i <= 3; i++) {
		set_file(&t, "a.yaml", i == 1 ? "one" : i == 2 ? "two" : "three");
		add(&h, &t, i, 0);
	}
	write_over("history", "2.json", "{\"revision\": 2, \"ti");
	strcpy(digest, h.entry[0]->source[0].digest);
	write_over("history/text", digest, "torn");
	write_over("history", "junk.json",
		"{\"revision\": 5, \"time\": \"2026-01-01T00:00:00Z\", "
		"\"sources\": [{\"kind\": \"file\", \"name\": "
		"\"../x\", \"text\": \"00-1\"}]}");
	history_open(&again, dir, 32);
	assert_int_equal(again.count, 2);
	assert_non_null(again.problem);
	assert_int_equal(history_text(&again, digest, &text, &len, &e), -EILSEQ);
	assert_non_null(strstr(e.text, "damaged"));
	/* the next time that the text is in force it is whole again */
	assert_int_equal(history_text_put(&again, t.source[0]->content, &e), 0);
	set_file(&t, "a.yaml", "one");
	add(&again, &t, 4, 0);
	assert_int_equal(history_text(&again, digest, &text, &len, &e), 0);
	assert_null(again.problem);
}

static void test_changes(void **state)
{
	struct history_source many[7] = {0};
	const struct history_entry none = {0}, x = {.source = many, .sources = 7};
	SCOPED(str_done) struct str text = {0};
	char name[7][8];

	(void)state;
	for (int i = 0; i < 7; i++) {
		snprintf(name[i], sizeof(name[i]), "%d.yaml", i);
		many[i] = (struct history_source){.kind = SOURCE_API, .name = name[i]};
	}
	history_changes(&text, &none, &x);
	assert_string_equal(str_text(&text),
		"api 0.yaml added, api 1.yaml added, api 2.yaml added, api 3.yaml added and 3 "
		"more");
	text.len = 0;
	history_changes(&text, &x, &x);
	assert_string_equal(str_text(&text), "no change");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pruned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
