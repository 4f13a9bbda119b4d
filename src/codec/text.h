/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CODEC_TEXT_H
#define KILIM_CODEC_TEXT_H
/*
 * Tables for people: a header row, then rows in aligned columns. Cells are free of control
 * characters (workload-controlled text must not reach a terminal), widths count UTF-8 code points,
 * and the last column is not padded.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* A column; the array ends with title NULL. */
struct text_column {
	const char *title;
	bool right; /* numbers: aligned at their right */
};

struct text_table;

/* columns must live as long as the table. */
struct text_table *text_table_new(const struct text_column *columns);
void text_table_free(struct text_table *t);
void text_table_freep(struct text_table **t); /* for SCOPED */
/* The next cell, row by row; a row is full when it has as many cells as there are columns. */
void text_cell(struct text_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The rows so far (an incomplete last one gets empty cells), with the header row first when asked
 * for. */
void text_table_write(const struct text_table *t, bool header, struct str *out);
/* Width of a text on a terminal: its code points. */
size_t text_width(const char *s);

#endif
