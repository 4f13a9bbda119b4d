/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of policy on disk: a process that is killed before or after any of its writes leaves what
 * was before the change or what is after it, and the next one goes on from there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/journal.h"
#include "base/fd.h"
#include "fixture.h"

enum { KILLED = 77, SECOND = 1000000000 };

/* --- the knife ------------------------------------------------------------------------------- */

static int steps_left = -1;

static void step(void)
{
	if (steps_left >= 0 && steps_left-- == 0)
		_exit(KILLED);
}

/* All that is replaced or removed goes through these; they stand in for the library's. */
int rename(const char *from, const char *to)
{
	int r;

	step();
	r = renameat(AT_FDCWD, from, AT_FDCWD, to);
	step();
	return r;
}

int unlink(const char *path)
{
	int r;

	step();
	r = unlinkat(AT_FDCWD, path, 0);
	step();
	return r;
}

/* --- a node's policy ------------------------------------------------------------------------- */

struct node {
	struct sources sources;
	struct history history;
	struct journal journal;
	const char *file; /* what f.yaml says, NULL: it is not there */
};

static void node_done(struct node *n)
{
	journal_done(&n->journal);
	history_done(&n->history);
	sources_done(&n->sources);
}

/* An agent's start. */
static void node_open(struct node *n, const char *file)
{
	struct err e = {0};

	*n = (struct node){.file = file};
	open_sources(&n->sources);
	history_open(&n->history, dir, 32);
	journal_open(&n->journal, &n->history, &n->sources, dir);
	sources_load_stored(&n->sources);
	if (file)
		assert_int_equal(sources_update(&n->sources, SOURCE_FILE, "f.yaml", "/m/f.yaml",
					 file, strlen(file), &e),
			0);
}

static void put(struct source_change *ch, const char *name, const char *text)
{
	struct source_content *c = NULL;
	struct err e = {0};

	if (text && source_parse(&ch->sources->context, name, text, strlen(text), &c, &e))
		fail_msg("%s", e.text);
	source_change_put(ch, name, c);
}

/* In force, on disk, and in the history. */
static int settle(
	struct node *n, struct source_change *ch, uint32_t revision, const struct confirm *confirm)
{
	static const struct confirm none;
	static const struct history_counts counts;
	struct err e = {0};
	int r = journal_commit(&n->journal, &n->sources, ch, confirm ? confirm : &none, &e);

	if (r)
		return r;
	sources_settle(&n->sources);
	return history_add(&n->history, &n->sources, revision, NULL, &counts, 0, &e);
}

/* Revision 1: a1 and f1. Revision 2: a2, b2 and f2. */
static void make_past(void)
{
	SCOPED(node_done) struct node n = {0};
	SCOPED(source_change_done) struct source_change ch = {.sources = &n.sources};
	struct err e = {0};

	node_open(&n, POLICY("f", "first"));
	put(&ch, "a.yaml", POLICY("a", "first"));
	assert_int_equal(settle(&n, &ch, 1, NULL), 0);
	source_change_done(&ch);
	ch.sources = &n.sources;
	put(&ch, "a.yaml", POLICY("a", "second"));
	put(&ch, "b.yaml", POLICY("b", "second"));
	assert_int_equal(sources_update(&n.sources, SOURCE_FILE, "f.yaml", "/m/f.yaml",
				 POLICY("f", "second"), strlen(POLICY("f", "second")), &e),
		0);
	assert_int_equal(settle(&n, &ch, 2, NULL), 0);
}

/* What the next agent finds: "api:a.yaml first, ..." and what waits. */
static char *found(const char *file)
{
	SCOPED(node_done) struct node n = {0};
	struct str out = {0};

	node_open(&n, file);
	for (size_t i = 0; i < n.sources.count; i++) {
		const struct source *s = n.sources.source[i];

		str_printf(&out, "%s %s%s; ", s->origin,
			!s->content                          ? "nothing"
			: strstr(s->content->text, "first")  ? "first"
			: strstr(s->content->text, "second") ? "second"
							     : "third",
			s->held ? " held" : "");
	}
	if (n.journal.confirm.base)
		str_printf(&out, "confirm %u", n.journal.confirm.base);
	assert_null(n.journal.problem);
	assert_null(n.journal.redo);
	return str_take(&out);
}

/* --- a change that is cut short -------------------------------------------------------------- */

static int roll_back(struct node *n)
{
	SCOPED(source_change_done) struct source_change ch = {.sources = &n->sources};
	struct err e = {0};
	int r = journal_to_entry(&ch, &n->history, history_at(&n->history, 1), "/m", &e);

	return r ? r : settle(n, &ch, 3, NULL);
}

static int apply_unconfirmed(struct node *n)
{
	const struct confirm confirm = {2, UINT64_C(2000000000) * SECOND, SECOND};
	SCOPED(source_change_done) struct source_change ch = {.sources = &n->sources};

	put(&ch, "a.yaml", POLICY("a", "third"));
	put(&ch, "b.yaml", NULL);
	return settle(n, &ch, 3, &confirm);
}

static int apply_one(struct node *n)
{
	SCOPED(source_change_done) struct source_change ch = {.sources = &n->sources};

	put(&ch, "a.yaml", POLICY("a", "third"));
	return settle(n, &ch, 3, NULL);
}

/* The change in a process that dies at a step. Whether it came to its end. */
static bool run_until(int steps, int (*change)(struct node *n))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		SCOPED(node_done) struct node n = {0};

		node_open(&n, POLICY("f", "second"));
		steps_left = steps;
		_exit(change(&n) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
	return WEXITSTATUS(status) == 0;
}

static void check_kills(int (*change)(struct node *n), const char *after, int least)
{
	const char *before = "/m/f.yaml second; api:a.yaml second; api:b.yaml second; ";
	bool was_after = false;
	int kills = 0;

	for (bool ended = false; !ended; kills++) {
		SCOPED(freep) char *now = NULL;

		if (kills)
			assert_int_equal(setup(NULL), 0);
		make_past();
		ended = run_until(kills, change);
		now = found(POLICY("f", "second"));
		if (strcmp(now, was_after ? after : before) != 0) {
			assert_string_equal(now, after);
			was_after = true; /* once it is after, a later kill is so, too */
		}
		if (!ended)
			assert_int_equal(teardown(NULL), 0);
	}
	assert_true(was_after);
	assert_true(kills > least);
}

static void test_rollback_killed(void **state)
{
	(void)state;
	check_kills(roll_back, "/m/f.yaml first held; api:a.yaml first; ", 8);
}

static void test_confirm_killed(void **state)
{
	(void)state;
	check_kills(apply_unconfirmed, "/m/f.yaml second; api:a.yaml third; confirm 2", 8);
}

static void test_one_killed(void **state)
{
	(void)state;
	check_kills(apply_one, "/m/f.yaml second; api:a.yaml third; api:b.yaml second; ", 3);
}

/* --- holds ----------------------------------------------------------------------------------- */

static void expect(const char *file, const char *wanted)
{
	SCOPED(freep) char *now = found(file);

	assert_string_equal(now, wanted);
}

static void test_hold_ends(void **state)
{
	(void)state;
	make_past();
	assert_true(run_until(-1, roll_back));
	expect(POLICY("f", "second"), "/m/f.yaml first held; api:a.yaml first; ");
	expect(POLICY("f", "third"), "/m/f.yaml third; api:a.yaml first; ");
	/* what the hold gave it is what it says: nothing to hold */
	expect(POLICY("f", "first"), "/m/f.yaml first; api:a.yaml first; ");
}

static void test_hold_broken(void **state)
{
	SCOPED(node_done) struct node n = {0};
	const struct source *s;
	struct err e = {0};

	(void)state;
	make_past();
	assert_true(run_until(-1, roll_back));
	node_open(&n, POLICY("f", "second"));
	assert_int_not_equal(
		sources_update(&n.sources, SOURCE_FILE, "f.yaml", "/m/f.yaml", "kind: x", 7, &e),
		0);
	s = sources_find(&n.sources, SOURCE_FILE, "f.yaml");
	assert_non_null(s->error);
	assert_int_equal(s->held, 1);
	assert_non_null(strstr(s->content->text, "first"));
}

/* A revision that had no such file: it is held out. */
static void test_hold_out(void **state)
{
	SCOPED(node_done) struct node n = {0};
	SCOPED(source_change_done) struct source_change ch = {.sources = &n.sources};
	struct err e = {0};

	(void)state;
	node_open(&n, NULL);
	put(&ch, "a.yaml", POLICY("a", "first"));
	assert_int_equal(settle(&n, &ch, 1, NULL), 0);
	source_change_done(&ch);
	ch.sources = &n.sources;
	assert_int_equal(sources_update(&n.sources, SOURCE_FILE, "f.yaml", "/m/f.yaml",
				 POLICY("f", "second"), strlen(POLICY("f", "second")), &e),
		0);
	assert_int_equal(settle(&n, &ch, 2, NULL), 0);
	assert_int_equal(journal_to_entry(&ch, &n.history, history_at(&n.history, 1), "/m", &e), 0);
	assert_int_equal(settle(&n, &ch, 3, NULL), 0);
	expect(POLICY("f", "second"), "/m/f.yaml nothing held; api:a.yaml first; ");
	expect(POLICY("f", "third"), "/m/f.yaml third; api:a.yaml first; ");
}

static void test_undo(void **state)
{
	SCOPED(node_done) struct node n = {0};
	SCOPED(source_change_done) struct source_change ch = {.sources = &n.sources};
	const struct source *s;
	struct err e = {0};

	(void)state;
	make_past();
	node_open(&n, POLICY("f", "second"));
	assert_int_equal(journal_to_entry(&ch, &n.history, history_at(&n.history, 1), "/m", &e), 0);
	s = sources_find(&n.sources, SOURCE_FILE, "f.yaml");
	assert_int_equal(s->held, 1);
	assert_null(sources_find(&n.sources, SOURCE_API, "b.yaml"));
	source_change_undo(&ch);
	assert_int_equal(s->held, 0);
	assert_non_null(strstr(s->content->text, "second"));
	assert_non_null(sources_find(&n.sources, SOURCE_API, "b.yaml"));
}

static void test_damage(void **state)
{
	SCOPED(node_done) struct node n = {0};
	SCOPED(freep) char *text = NULL;
	char path[160];
	struct err e = {0};
	size_t len;

	(void)state;
	make_past();
	assert_true(run_until(-1, roll_back));
	snprintf(path, sizeof(path), "%s/policy-change.json", dir);
	assert_int_equal(fd_read_file(path, 1 << 20, &text, &len, &e), 0);
	assert_int_equal(fd_write_file(path, text, len / 2, 0600, &e), 0);
	node_open(&n, POLICY("f", "second"));
	assert_non_null(n.journal.problem);
	/* the file speaks for itself again, and the damage is mended by the next change */
	assert_int_equal(sources_find(&n.sources, SOURCE_FILE, "f.yaml")->held, 0);
	assert_int_equal(journal_settle(&n.journal, &n.sources, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_time_left(void **state)
{
	const struct confirm c = {1, 100, 60};

	(void)state;
	assert_int_equal(confirm_left_ns(&c, 50), 50);
	assert_int_equal(confirm_left_ns(&c, 100), 0);
	assert_int_equal(confirm_left_ns(&c, 500), 0);
	assert_int_equal(confirm_left_ns(&c, 0), 60); /* the clock was put back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rollback_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_confirm_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hold_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test(test_time_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
