/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences of texts, line by line. Called by kilim policy history and diff. Owns nothing. Must
 * hold: what is kept in common is as long as can be, unless the texts are so long that it would
 * take too much; then all of what differs is told as replaced.
 */
#include "cli/line_diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 3, CELLS_MAX = 4000000 };

struct lines {
	char *text; /* with NULs for newlines */
	char **line;
	size_t count, capacity;
};

static void lines_done(struct lines *l)
{
	free(l->text);
	free(l->line);
}

static void split(struct lines *l, const char *text)
{
	char *rest;

	*l = (struct lines){.text = mem_strdup(text)};
	rest = l->text;
	while (rest && *rest) {
		mem_grow(&l->line, &l->capacity, l->count + 1, sizeof(*l->line));
		l->line[l->count++] = strsep(&rest, "\n");
	}
}

struct diff {
	struct str *out;
	struct lines a, b;
	char *mark; /* per line of the output: '-', '+' or ' ' */
	size_t marks;
};

static void add(struct diff *d, char mark)
{
	d->mark[d->marks++] = mark;
}

/* The middle, where first and last lines differ: by the longest common subsequence. */
static void compare(struct diff *d, char **a, size_t n, char **b, size_t m)
{
	SCOPED(freep) uint32_t *longest = NULL;
	size_t i = 0, j = 0;

	if (n && m && n <= CELLS_MAX / m) {
		longest = mem_array((n + 1) * (m + 1), sizeof(*longest));
		for (i = n; i-- > 0;) {
			for (j = m; j-- > 0;) {
				uint32_t down = longest[(i + 1) * (m + 1) + j],
					 right = longest[i * (m + 1) + j + 1];

				longest[i * (m + 1) + j] =
					str_eq(a[i], b[j]) ? longest[(i + 1) * (m + 1) + j + 1] + 1
					: down > right     ? down
							   : right;
			}
		}
	}
	i = j = 0;
	while (longest && i < n && j < m) {
		if (str_eq(a[i], b[j])) {
			add(d, ' ');
			i++;
			j++;
		} else if (longest[(i + 1) * (m + 1) + j] >= longest[i * (m + 1) + j + 1]) {
			add(d, '-');
			i++;
		} else {
			add(d, '+');
			j++;
		}
	}
	for (; i < n; i++)
		add(d, '-');
	for (; j < m; j++)
		add(d, '+');
}

/* Whether a line that both have is near one that differs. */
static bool is_near(const struct diff *d, size_t at)
{
	size_t first = at > CONTEXT ? at - CONTEXT : 0,
	       last = at + CONTEXT < d->marks ? at + CONTEXT : d->marks - 1;

	for (size_t i = first; i <= last; i++) {
		if (d->mark[i] != ' ')
			return true;
	}
	return false;
}

static void write_marks(struct diff *d)
{
	size_t i = 0, j = 0;
	bool shown = false;

	for (size_t k = 0; k < d->marks; k++) {
		char mark = d->mark[k];
		const char *line = mark == '-' ? d->a.line[i] : d->b.line[j];
		bool near = is_near(d, k);

		if (near && !shown)
			str_printf(d->out, "@@ %zu @@\n", j + 1);
		shown = near;
		if (near)
			str_printf(d->out, "%c%s\n", mark, line);
		i += mark != '+';
		j += mark != '-';
	}
}

void line_diff(struct str *out, const char *before, const char *after)
{
	struct diff d = {.out = out};
	size_t head = 0, tail = 0;

	split(&d.a, before);
	split(&d.b, after);
	d.mark = mem_array(d.a.count + d.b.count + 1, 1);
	while (head < d.a.count && head < d.b.count && str_eq(d.a.line[head], d.b.line[head]))
		head++;
	while (tail < d.a.count - head && tail < d.b.count - head &&
		str_eq(d.a.line[d.a.count - 1 - tail], d.b.line[d.b.count - 1 - tail]))
		tail++;
	for (size_t i = 0; i < head; i++)
		add(&d, ' ');
	compare(&d, d.a.line + head, d.a.count - head - tail, d.b.line + head,
		d.b.count - head - tail);
	for (size_t i = 0; i < tail; i++)
		add(&d, ' ');
	write_marks(&d);
	free(d.mark);
	lines_done(&d.a);
	lines_done(&d.b);
}
