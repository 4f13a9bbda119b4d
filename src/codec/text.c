/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aligned tables for the command line. Called by cli. Owns the cells, filtered as they come in.
 * Must hold: no control character gets out but the newlines between rows, and no line ends in
 * blanks.
 */
#include "codec/text.h"

#include <stdlib.h>

enum { GAP = 3 }; /* blanks between two columns, as kubectl and cilium print them */

struct text_table {
	const struct text_column *column;
	size_t columns;
	char **cell;
	size_t cells, capacity;
};

struct text_table *text_table_new(const struct text_column *columns)
{
	struct text_table *t = mem_alloc(sizeof(*t));

	t->column = columns;
	while (columns[t->columns].title)
		t->columns++;
	return t;
}

void text_table_free(struct text_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->cells; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}

void text_table_freep(struct text_table **t)
{
	text_table_free(*t);
}

void text_cell(struct text_table *t, const char *fmt, ...)
{
	SCOPED(str_done)
	struct str raw = {0};
	struct str clean = {0};
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&raw, fmt, ap);
	va_end(ap);
	str_add_printable(&clean, str_text(&raw));
	mem_grow(&t->cell, &t->capacity, t->cells + 1, sizeof(*t->cell));
	t->cell[t->cells++] = str_take(&clean);
}

size_t text_width(const char *s)
{
	size_t width = 0;

	for (; *s; s++)
		width += ((unsigned char)*s & 0xc0) != 0x80;
	return width;
}

/* The widest cell of the column. */
static size_t column_width(const struct text_table *t, size_t column, bool header)
{
	size_t widest = header ? text_width(t->column[column].title) : 0;

	for (size_t i = column; i < t->cells; i += t->columns) {
		size_t width = text_width(t->cell[i]);

		if (width > widest)
			widest = width;
	}
	return widest;
}

static void write_blanks(struct str *out, size_t count)
{
	while (count--)
		str_addn(out, " ", 1);
}

/* One cell, behind *pending blanks that are only written when something follows. */
static void write_cell(struct str *out, const char *text, size_t width, bool right, size_t *pending)
{
	size_t pad = width - text_width(text);

	if (*text) {
		write_blanks(out, *pending + (right ? pad : 0));
		str_add(out, text);
		*pending = (right ? 0 : pad) + GAP;
	} else {
		*pending += width + GAP;
	}
}

void text_table_write(const struct text_table *t, bool header, struct str *out)
{
	SCOPED(freep)
	size_t *width = mem_array(t->columns, sizeof(*width));
	size_t rows = t->columns ? (t->cells + t->columns - 1) / t->columns : 0;

	for (size_t c = 0; c < t->columns; c++)
		width[c] = column_width(t, c, header);
	for (size_t row = header ? 0 : 1; row <= rows; row++) {
		size_t pending = 0;

		for (size_t c = 0; c < t->columns; c++) {
			size_t i = (row - 1) * t->columns + c;
			const char *text = !row           ? t->column[c].title
					   : i < t->cells ? t->cell[i]
							  : "";

			write_cell(out, text, width[c], t->column[c].right, &pending);
		}
		str_add(out, "\n");
	}
}
