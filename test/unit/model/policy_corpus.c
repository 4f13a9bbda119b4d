/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files: those of test/corpus/policies, and a directory of real manifests that KILIM_CORPUS
 * names (or ../shared/corpus/policies beside the checkout). test/corpus/expected.tsv says of each
 * what it holds, or which part is refused and why; no file is without a row, no row without a file.
 */
#include <dirent.h>
#include <stdio.h>

#include "base/fd.h"
#include "fixture.h"

enum { ROWS_MAX = 256, PATH_BYTES = 4096 };

/* "DIRECTORY <tab> FILE <tab> EXPECTED" */
struct row {
	char *directory, *file, *expected;
	bool seen;
};

struct table {
	char *text;
	struct row row[ROWS_MAX];
	size_t rows;
};

static const char *root(void)
{
	const char *r = getenv("KILIM_ROOT");

	return r ? r : ".";
}

static void table_read(struct table *t)
{
	char path[PATH_BYTES], *line, *rest;
	struct err e = {0};
	size_t len;

	snprintf(path, sizeof(path), "%s/test/corpus/expected.tsv", root());
	if (fd_read_file(path, 1 << 20, &t->text, &len, &e) < 0)
		fail_msg("%s", e.text);
	for (rest = t->text; (line = strsep(&rest, "\n"));) {
		struct row *row = &t->row[t->rows];

		if (!*line || *line == '#')
			continue;
		assert_true(++t->rows < ROWS_MAX);
		row->directory = strsep(&line, "\t");
		row->file = strsep(&line, "\t");
		row->expected = line;
		assert_non_null(line);
	}
}

static struct row *table_find(struct table *t, const char *directory, const char *file)
{
	for (size_t i = 0; i < t->rows; i++) {
		if (str_eq(t->row[i].directory, directory) && str_eq(t->row[i].file, file))
			return &t->row[i];
	}
	return NULL;
}

/* What the file is: how many of what, or the refusal. */
static void describe_file(struct str *out, const char *path, const char *file)
{
	static const struct policy_context context = {.cluster = "default",
		.default_namespace = "default",
		.local_cluster = true,
		.kubernetes_reach = PREFIX_PODS | PREFIX_NODES};
	struct reading r = {0};
	size_t len, rules = 0;
	char *text = NULL;
	int err;

	assert_int_equal(fd_read_file(path, 1 << 20, &text, &len, &r.e), 0);
	err = yaml_parse(file, text, len, &r.docs, &r.e);
	for (size_t i = 0; !err && i < r.docs.count; i++) {
		if (policy_is_kind(r.docs.doc[i].root))
			err = policy_parse(&r.set, &context, file, &r.docs.doc[i], &r.e);
	}
	for (size_t i = 0; i < r.set.count; i++) {
		for (size_t k = 0; k < r.set.policy[i].specs; k++)
			rules += r.set.policy[i].spec[k].rules;
	}
	if (err < 0)
		str_add(out, r.e.text);
	else
		str_printf(out, "%zu policies, %zu rules, %zu objects", r.set.count, rules,
			r.set.namespaces + r.set.nodes + r.set.groups + r.set.services);
	free(text);
	reading_done(&r);
}

static size_t check_directory(struct table *t, const char *name, const char *path)
{
	DIR *d = opendir(path);
	size_t faults = 0, files = 0;

	if (!d)
		return 0;
	for (struct dirent *n = readdir(d); n; n = readdir(d)) {
		struct row *row = table_find(t, name, n->d_name);
		char file[PATH_BYTES];
		struct str text = {0};

		if (!strstr(n->d_name, ".yaml") && !strstr(n->d_name, ".json"))
			continue;
		files++;
		snprintf(file, sizeof(file), "%s/%s", path, n->d_name);
		describe_file(&text, file, n->d_name);
		if (row)
			row->seen = true;
		if (!row || !str_has_prefix(str_text(&text), row->expected)) {
			faults++;
			print_message("# %s\t%s\t%s\n", name, n->d_name, str_text(&text));
		}
		str_done(&text);
	}
	closedir(d);
	for (size_t i = 0; i < t->rows; i++) {
		if (str_eq(t->row[i].directory, name) && !t->row[i].seen) {
			faults++;
			print_message("# %s is not there\n", t->row[i].file);
		}
	}
	if (faults)
		fail_msg("%zu files of %s are not as expected", faults, path);
	return files;
}

static void test_own(void **state)
{
	struct table t = {0};
	char path[PATH_BYTES];

	(void)state;
	table_read(&t);
	snprintf(path, sizeof(path), "%s/test/corpus/policies", root());
	assert_true(check_directory(&t, "own", path) >= 40);
	free(t.text);
}

static void test_real(void **state)
{
	const char *directory = getenv("KILIM_CORPUS");
	struct table t = {0};
	char path[PATH_BYTES];
	size_t files;

	(void)state;
	table_read(&t);
	snprintf(path, sizeof(path), "%s/../shared/corpus/policies", root());
	files = check_directory(&t, "real", directory ? directory : path);
	free(t.text);
	if (files)
		return;
	print_message("# KILIM_CORPUS names no directory of manifests\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests_name("policy corpus", tests, NULL, NULL);
}
