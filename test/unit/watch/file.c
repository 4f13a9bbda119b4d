/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/file.c on a real directory: what is reported, once, in which order; links, volumes of
 * Kubernetes, a directory that goes and comes back, files that cannot be read, more events than the
 * kernel's queue holds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "loop/loop.h"
#include "watch/file.h"

struct world;

/* What happens, and what must have been reported some time after (and nothing else). */
struct step {
	void (*act)(struct world *w);
	const char *want;
};

struct world {
	char dir[64], path[96]; /* path: of the watched directory, inside dir */
	struct loop *loop;
	struct watch_dir *watch;
	struct loop_source *tick;
	struct str log; /* "+name=text -name !name", a '|' behind each report; "*synced" */
	bool is_quiet; /* do not log texts */
	const struct step *step;
	unsigned ticks, good; /* since the step; in a row with the right log */
};

enum { TICK_NS = 20000000, TICKS_MAX = 500, TICKS_GOOD = 3 };

static void on_changed(const struct watch_file *file, size_t count, void *data)
{
	struct world *w = data;

	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(!i || strcmp(file[i - 1].name, file[i].name) < 0);
		if (file[i].change == WATCH_FAILED) {
			assert_non_null(strstr(file[i].error, w->path));
			str_printf(&w->log, "!%s ", file[i].name);
		} else if (file[i].change == WATCH_REMOVED) {
			str_printf(&w->log, "-%s ", file[i].name);
		} else if (!file[i].text) {
			str_printf(&w->log, "+%s ", file[i].name);
		} else {
			assert_int_equal(strlen(file[i].text), file[i].len);
			str_printf(
				&w->log, "+%s=%s ", file[i].name, w->is_quiet ? "" : file[i].text);
		}
	}
	str_add(&w->log, "|");
}

static void on_synced(void *data)
{
	struct world *w = data;

	str_add(&w->log, "*synced ");
}

/* Go on to the next step when the log has been right for a while. */
static int on_tick(void *data)
{
	struct world *w = data;

	loop_timer_in(w->tick, TICK_NS);
	w->good = strcmp(str_text(&w->log), w->step->want) ? 0 : w->good + 1;
	if (w->good < TICKS_GOOD && ++w->ticks < TICKS_MAX)
		return 0;
	assert_string_equal(str_text(&w->log), w->step->want);
	str_done(&w->log);
	w->ticks = w->good = 0;
	w->step++;
	if (w->step->act)
		w->step->act(w);
	else
		loop_exit(w->loop, 0);
	return 0;
}

static void open_watch(struct world *w)
{
	static const struct watch_dir_fns fns = {on_changed, on_synced};
	struct err e = {0};

	if (watch_dir_open(w->loop, w->path, &fns, w, &w->watch, &e) < 0)
		fail_msg("%s", e.text);
}

static void run(struct world *w, const struct step *steps)
{
	w->step = steps;
	steps->act(w);
	loop_timer_in(w->tick, TICK_NS);
	assert_int_equal(loop_run(w->loop), 0);
}

static int setup(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));

	strcpy(w->dir, "/tmp/kilim-watch-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/manifests", w->dir);
	assert_int_equal(mkdir(w->path, 0700), 0);
	w->loop = loop_new();
	w->tick = loop_add_timer(w->loop, on_tick, w);
	*state = w;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct world *w = *state;

	watch_dir_close(w->watch);
	loop_source_free(w->tick);
	loop_free(w->loop);
	str_done(&w->log);
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

/* Paths in the watched directory; two at a time. */
static const char *at(struct world *w, const char *name)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", w->path, name);
	return path[turn];
}

static void put(struct world *w, const char *name, const char *text)
{
	int fd = open(at(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void move(struct world *w, const char *from, const char *to)
{
	assert_int_equal(rename(at(w, from), at(w, to)), 0);
}

static void link_to(struct world *w, const char *target, const char *name)
{
	assert_int_equal(symlink(target, at(w, name)), 0);
}

static void take_away(struct world *w, const char *name)
{
	assert_int_equal(remove(at(w, name)), 0);
}

/* The names that count, sorted, and nothing of the others. */
static void start_full(struct world *w)
{
	put(w, "c.json", "3");
	put(w, "a.yaml", "1");
	put(w, "b.yml", "2");
	put(w, ".hidden.yaml", "x");
	put(w, "notes.txt", "x");
	put(w, "a.yaml.tmp12", "x");
	put(w, "a.yaml~", "x");
	open_watch(w);
}

static void write_again(struct world *w)
{
	put(w, "a.yaml", "new");
	put(w, "other.txt", "x");
}

static void rename_over(struct world *w)
{
	put(w, ".tmp", "renamed");
	move(w, ".tmp", "b.yml");
}

static void rename_in_and_out(struct world *w)
{
	move(w, "notes.txt", "d.yaml");
	move(w, "c.json", "c.off");
}

static void remove_two(struct world *w)
{
	take_away(w, "a.yaml");
	take_away(w, "d.yaml");
}

/* A burst is one report, and of several writes only the last. */
static void burst(struct world *w)
{
	for (char c = 'p'; c <= 's'; c++) {
		char name[] = "x.yaml", text[] = "x1";

		name[0] = text[0] = c;
		put(w, name, "first");
		put(w, name, text);
	}
	put(w, "gone.yaml", "x");
	take_away(w, "gone.yaml");
}

static void reread(struct world *w)
{
	w->is_quiet = true;
	watch_dir_reread(w->watch);
}

static void test_changes(void **state)
{
	static const struct step steps[] = {
		{start_full, "+a.yaml=1 +b.yml=2 +c.json=3 |*synced "},
		{write_again, "+a.yaml=new |"},
		{rename_over, "+b.yml=renamed |"},
		{rename_in_and_out, "-c.json +d.yaml=x |"},
		{remove_two, "-a.yaml -d.yaml |"},
		{burst, "+p.yaml=p1 +q.yaml=q1 +r.yaml=r1 +s.yaml=s1 |"},
		{reread, "+b.yml= +p.yaml= +q.yaml= +r.yaml= +s.yaml= |"},
		{NULL, NULL},
	};

	run(*state, steps);
}

/* A file is read when its writer closes it. */
static int writer = -1;

static void write_half(struct world *w)
{
	open_watch(w);
	writer = open(at(w, "a.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(writer, "half", 4), 4);
}

static void begin_another(struct world *w)
{
	close(writer);
	writer = open(at(w, "b.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(writer, "one", 3), 3);
}

static void end_another(struct world *w)
{
	(void)w;
	assert_int_equal(write(writer, "two", 3), 3);
	close(writer);
}

static void hard_link(struct world *w)
{
	assert_int_equal(link(at(w, "b.yaml"), at(w, "c.yaml")), 0);
}

static void test_writers(void **state)
{
	static const struct step steps[] = {
		{write_half, "+a.yaml=half |*synced "}, /* it was there when the watch began */
		{begin_another, "+a.yaml=half |"},
		{end_another, "+b.yaml=onetwo |"},
		{hard_link, "+c.yaml=onetwo |"},
		{NULL, NULL},
	};

	run(*state, steps);
}

/* A volume of Kubernetes: files are links through ..data, which is replaced as a whole. */
static void make_version(struct world *w, const char *version, const char *text)
{
	char path[300];

	assert_int_equal(mkdir(at(w, version), 0700), 0);
	snprintf(path, sizeof(path), "%s/a.yaml", version);
	put(w, path, text);
	link_to(w, version, "..data_tmp");
	move(w, "..data_tmp", "..data");
}

static void mount_volume(struct world *w)
{
	make_version(w, "..1", "one");
	link_to(w, "..data/a.yaml", "a.yaml");
	open_watch(w);
}

static void update_volume(struct world *w)
{
	make_version(w, "..2", "two");
	take_away(w, "..1/a.yaml");
	take_away(w, "..1");
}

static void extend_volume(struct world *w)
{
	make_version(w, "..3", "three");
	put(w, "..3/b.yaml", "b");
	link_to(w, "..data/b.yaml", "b.yaml");
}

static void shrink_volume(struct world *w)
{
	make_version(w, "..4", "four");
	take_away(w, "b.yaml");
}

static void test_volume(void **state)
{
	static const struct step steps[] = {
		{mount_volume, "+a.yaml=one |*synced "},
		{update_volume, "+a.yaml=two |"},
		{extend_volume, "+a.yaml=three +b.yaml=b |"},
		{shrink_volume, "+a.yaml=four -b.yaml |"},
		{NULL, NULL},
	};

	run(*state, steps);
}

/* What cannot be read is reported once, and again when it can be, or is gone. */
static void start_bad(struct world *w)
{
	link_to(w, "nowhere", "dangling.yaml");
	assert_int_equal(mkfifo(at(w, "fifo.yaml"), 0600), 0);
	assert_int_equal(mkdir(at(w, "dir.yaml"), 0700), 0);
	link_to(w, "dir.yaml", "linkdir.yaml");
	link_to(w, "/dev/zero", "zero.yaml");
	put(w, "big.yaml", "");
	assert_int_equal(truncate(at(w, "big.yaml"), WATCH_FILE_MAX + 1), 0);
	put(w, "good.yaml", "g");
	open_watch(w);
}

static void look_again(struct world *w)
{
	link_to(w, "x", "..data"); /* makes it look at all files */
}

static void repair(struct world *w)
{
	put(w, "nowhere", "here");
	put(w, "big.yaml", "small");
	take_away(w, "fifo.yaml");
	take_away(w, "linkdir.yaml");
	take_away(w, "..data");
}

static void test_unreadable(void **state)
{
	static const struct step steps[] = {
		{start_bad, "!big.yaml !dangling.yaml !dir.yaml !fifo.yaml +good.yaml=g "
			    "!linkdir.yaml !zero.yaml |*synced "},
		{look_again, ""},
		{repair, "+big.yaml=small +dangling.yaml=here -fifo.yaml -linkdir.yaml |"},
		{NULL, NULL},
	};

	run(*state, steps);
}

static void test_limit(void **state)
{
	struct world *w = *state;
	static const struct step steps[] = {{open_watch, "+max.yaml= |*synced "}, {NULL, NULL}};
	char *text = mem_alloc(WATCH_FILE_MAX + 1);

	memset(text, 'x', WATCH_FILE_MAX);
	put(w, "max.yaml", text);
	free(text);
	w->is_quiet = true;
	run(w, steps);
}

static void dir_missing(struct world *w)
{
	assert_int_equal(rmdir(w->path), 0);
	open_watch(w);
}

static void dir_made(struct world *w)
{
	assert_int_equal(mkdir(w->path, 0700), 0);
}

static void two_files(struct world *w)
{
	put(w, "a.yaml", "1");
	put(w, "b.yaml", "1");
}

/* Moved away with all that is in it: nothing is reported as removed. */
static void dir_moved(struct world *w)
{
	char away[128];

	snprintf(away, sizeof(away), "%s/away", w->dir);
	assert_int_equal(rename(w->path, away), 0);
}

static void dir_replaced(struct world *w)
{
	char next[128];

	snprintf(next, sizeof(next), "%s/next", w->dir);
	assert_int_equal(mkdir(next, 0700), 0);
	assert_int_equal(rename(next, w->path), 0);
	put(w, "b.yaml", "2");
}

static void dir_removed(struct world *w)
{
	take_away(w, "b.yaml");
	assert_int_equal(rmdir(w->path), 0);
}

static void test_directory(void **state)
{
	static const struct step steps[] = {
		{dir_missing, "! |*synced "},
		{dir_made, "+ |"},
		{two_files, "+a.yaml=1 +b.yaml=1 |"},
		{dir_moved, "! |"},
		{dir_replaced, "+ -a.yaml +b.yaml=2 |"},
		{dir_removed, "! -b.yaml |"},
		{NULL, NULL},
	};
	struct world *w = *state;

	run(w, steps);
}

/* The path is a link that is turned to another directory: no event says so, the timer finds out. */
static void start_linked(struct world *w)
{
	char one[128], two[128];

	snprintf(one, sizeof(one), "%s/one", w->dir);
	snprintf(two, sizeof(two), "%s/two", w->dir);
	assert_int_equal(rename(w->path, one), 0);
	assert_int_equal(mkdir(two, 0700), 0);
	assert_int_equal(symlink("one", w->path), 0);
	put(w, "a.yaml", "1");
	put(w, "../two/b.yaml", "2");
	open_watch(w);
}

static void turn_link(struct world *w)
{
	char next[128];

	snprintf(next, sizeof(next), "%s/next", w->dir);
	assert_int_equal(symlink("two", next), 0);
	assert_int_equal(rename(next, w->path), 0);
}

static void test_linked_directory(void **state)
{
	static const struct step steps[] = {
		{start_linked, "+a.yaml=1 |*synced "},
		{turn_link, "-a.yaml +b.yaml=2 |"},
		{NULL, NULL},
	};

	run(*state, steps);
}

/* More events than the queue takes (16,384 by default): the last state is reported all the same. */
static void flood(struct world *w)
{
	char name[32];

	for (int i = 0; i < 12000; i++) {
		snprintf(name, sizeof(name), "f%d.yaml", i);
		put(w, name, "x");
	}
	for (int i = 0; i < 12000; i++) {
		snprintf(name, sizeof(name), "f%d.yaml", i);
		take_away(w, name);
	}
	put(w, "b.yaml", "last");
}

static void start_one(struct world *w)
{
	put(w, "a.yaml", "1");
	open_watch(w);
}

static void test_overflow(void **state)
{
	static const struct step steps[] = {
		{start_one, "+a.yaml=1 |*synced "},
		{flood, "+a.yaml=1 +b.yaml=last |"},
		{NULL, NULL},
	};

	run(*state, steps);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(watch_is_manifest("a.yaml"));
	assert_true(watch_is_manifest("a.b.yml"));
	assert_true(watch_is_manifest("a.json"));
	assert_false(watch_is_manifest(".yaml"));
	assert_false(watch_is_manifest(".a.yaml.swp"));
	assert_false(watch_is_manifest("yaml"));
	assert_false(watch_is_manifest("a.yaml.tmp"));
	assert_false(watch_is_manifest("a.YAML~"));
	assert_false(watch_is_manifest(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linked_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("watch/file", tests, NULL, NULL);
}
