/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instruction budget: what the verifier walks through in each program, and how long the program
 * is, may not grow by more than a tenth over budget.tsv without somebody saying why. Needs root.
 * Must hold: every program of every object has a line; figures are those of one kernel release, as
 * verifiers differ.
 *
 * budget [--update] BUDGET.TSV OBJECT...
 */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi/config.h"
#include "base/fd.h"
#include "base/str.h"
#include "bpf/tap.h"
#include "bpf/world.h"

enum { LINES_MAX = 256, NAME_ROOM = 64, GROWTH_PERCENT = 10, FILE_MAX = 1 << 20 };

struct line {
	char object[NAME_ROOM], program[NAME_ROOM], kernel[NAME_ROOM];
	unsigned long instructions, bytes;
};

static struct line budget[LINES_MAX];
static size_t lines;
static char kernel[NAME_ROOM]; /* this one: 6.18 */

static struct line *line_find(const char *object, const char *program)
{
	for (size_t i = 0; i < lines; i++) {
		struct line *l = &budget[i];

		if (str_eq(l->object, object) && str_eq(l->program, program) &&
			str_eq(l->kernel, kernel))
			return l;
	}
	return NULL;
}

static void kernel_name(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	uname(&u);
	sscanf(u.release, "%u.%u", &major, &minor);
	snprintf(kernel, sizeof(kernel), "%u.%u", major, minor);
}

static void budget_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char text[512];

	while (f && lines < LINES_MAX && fgets(text, sizeof(text), f)) {
		struct line *l = &budget[lines];

		if (text[0] != '#' && sscanf(text, "%63s %63s %63s %lu %lu", l->object, l->program,
					      l->kernel, &l->instructions, &l->bytes) == 5)
			lines++;
	}
	if (f)
		fclose(f);
}

static void check_one(const struct line *is, bool update)
{
	struct line *want = line_find(is->object, is->program);

	if (update) {
		if (!want && lines < LINES_MAX)
			want = &budget[lines++];
		*want = *is;
	}
	if (!want) {
		for (size_t i = 0; i < lines; i++) {
			if (str_eq(budget[i].kernel, kernel)) {
				tap_ok(false, "%s %s: %lu instructions, and no line in the budget",
					is->object, is->program, is->instructions);
				return;
			}
		}
		tap_skip("no figures for this kernel", "%s %s: %lu instructions on %s", is->object,
			is->program, is->instructions, kernel);
		return;
	}
	tap_note("after a look at why: run this with --update");
	tap_ok(is->instructions * 100 <= want->instructions * (100 + GROWTH_PERCENT) &&
			is->bytes * 100 <= want->bytes * (100 + GROWTH_PERCENT),
		"%s %s: %lu instructions of %lu, %lu bytes of %lu", is->object, is->program,
		is->instructions, want->instructions, is->bytes, want->bytes);
}

/* The configuration decides what the verifier prunes: take one with everything on. */
static void config_set(struct bpf_object *o)
{
	struct plane_options options = world_options();
	struct bpf_map *m;

	bpf_object__for_each_map(m, o)
	{
		size_t size = 0;

		if (str_has_suffix(bpf_map__name(m), ".rodata") &&
			bpf_map__initial_value(m, &size) && size == sizeof(options.config))
			bpf_map__set_initial_value(m, &options.config, size);
	}
}

static void check_object(const char *path, bool update)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	struct bpf_program *p;
	struct line l = {0};
	char name[4096];

	snprintf(name, sizeof(name), "%s", path);
	snprintf(l.object, sizeof(l.object), "%.*s", (int)strcspn(basename(name), "."),
		basename(name));
	snprintf(l.kernel, sizeof(l.kernel), "%s", kernel);
	if (o)
		config_set(o);
	if (!o || bpf_object__load(o)) {
		tap_ok(false, "%s: cannot be loaded", l.object);
		bpf_object__close(o);
		return;
	}
	bpf_object__for_each_program(p, o)
	{
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &size))
			continue;
		snprintf(l.program, sizeof(l.program), "%s", bpf_program__name(p));
		l.instructions = info.verified_insns;
		l.bytes = info.xlated_prog_len;
		check_one(&l, update);
	}
	bpf_object__close(o);
}

static int budget_write(const char *path)
{
	SCOPED(str_done)
	struct str s = {0};

	str_add(&s, "# What the verifier walks through and the length of the program, by kernel "
		    "release. Growth over "
		    "10 % needs a reason in the\n# commit that raises a figure: build, then run "
		    "verify-budget --update "
		    "test/verify/budget.tsv BUILD/bpf/*.bpf.o as root.\n# "
		    "object\tprogram\tkernel\tinstructions\tbytes\n");
	for (size_t i = 0; i < lines; i++)
		str_printf(&s, "%s\t%s\t%s\t%lu\t%lu\n", budget[i].object, budget[i].program,
			budget[i].kernel, budget[i].instructions, budget[i].bytes);
	return fd_write_file(path, s.text, s.len, 0644, NULL);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && str_eq(argv[1], "--update");
	int first = update ? 2 : 1;

	if (argc < first + 2) {
		fprintf(stderr, "usage: %s [--update] BUDGET.TSV OBJECT...\n", argv[0]);
		return 2;
	}
	if (geteuid() != 0)
		return tap_skip_all("needs root");
	libbpf_set_print(quiet);
	kernel_name();
	budget_read(argv[first]);
	for (int i = first + 1; i < argc; i++)
		check_object(argv[i], update);
	if (update && budget_write(argv[first]) < 0)
		return 1;
	return tap_done();
}
