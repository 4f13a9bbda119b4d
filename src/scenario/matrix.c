/* SPDX-License-Identifier: Apache-2.0 */
/* Truth tables as JSON and for people. Called by the commands. Owns nothing. Must hold: rows are
 * sources and columns destinations, in the order of the scenario. */
#include <string.h>

#include "codec/text.h"
#include "scenario/outcome.h"

enum { NAME_SHOWN = 24 };

static const struct answer *table(const struct scenario *s, const struct scenario_matrix *m,
	const struct answer *a, enum family f, size_t column)
{
	return a + (f * m->columns + column) * s->endpoints * s->endpoints;
}

static bool has_family(const struct scenario *s, enum family f)
{
	for (size_t i = 0; i < s->endpoints; i++) {
		if (!addr_is_zero(&s->endpoint[i].addr[f]))
			return true;
	}
	return false;
}

static json_t *rows_json(size_t n, const struct answer *a)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_array();

		for (size_t k = 0; k < n; k++) {
			char letter[] = {verdict_letter(a[i * n + k].verdict), 0};

			(void)json_array_append_new(row, json_string(letter));
		}
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

json_t *matrix_json(
	const struct scenario *s, const struct scenario_matrix *m, const struct answer *a)
{
	json_t *endpoints = json_array(), *columns = json_array(), *families = json_array();
	json_t *verdicts = json_object();

	for (size_t i = 0; i < s->endpoints; i++)
		(void)json_array_append_new(endpoints, json_string(s->endpoint[i].name));
	for (size_t c = 0; c < m->columns; c++) {
		SCOPED(str_done) struct str text = {0};

		traffic_format(&text, &m->traffic[c]);
		(void)json_array_append_new(columns, json_string(str_text(&text)));
	}
	for (enum family f = 0; f < FAMILIES; f++) {
		json_t *of = json_object();

		for (size_t c = 0; has_family(s, f) && c < m->columns; c++)
			(void)json_object_set_new(of, json_string_value(json_array_get(columns, c)),
				rows_json(s->endpoints, table(s, m, a, f, c)));
		if (has_family(s, f)) {
			(void)json_array_append_new(families, json_string(family_name(f)));
			(void)json_object_set(verdicts, family_name(f), of);
		}
		json_decref(of);
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "endpoints", endpoints, "columns", columns,
		"families", families, "verdicts", verdicts);
}

static void write_letter(struct str *out, char letter, bool color)
{
	const char *code = letter == 'A' ? "32" : letter == 'D' ? "31" : letter == 'U' ? "33" : "2";

	if (color)
		str_printf(out, "\033[%sm%c\033[0m", code, letter);
	else
		str_printf(out, "%c", letter);
}

/* The name, shortened in its middle, and filled up to the width. */
static void write_name(struct str *out, const char *name, size_t width)
{
	SCOPED(str_done) struct str text = {0};
	size_t len = strlen(name);

	if (len > width)
		str_printf(&text, "%.*s~%s", (int)(width / 2), name,
			name + len - (width - width / 2 - 1));
	else
		str_printf(&text, "%-*s", (int)width, name);
	str_add_printable(out, str_text(&text));
}

/* Numbers of the columns, a line for each digit, so that a cell is two characters wide. */
static void write_header(struct str *out, size_t n, size_t indent)
{
	for (size_t unit = n >= 100 ? 100 : n >= 10 ? 10 : 1; unit; unit /= 10) {
		str_printf(out, "%*s", (int)indent, "");
		for (size_t k = 1; k <= n; k++) {
			if (k >= unit)
				str_printf(out, " %zu", k / unit % 10);
			else
				str_add(out, "  ");
		}
		str_add(out, "\n");
	}
}

static void write_table(
	struct str *out, const struct scenario *s, const struct answer *a, size_t width, bool color)
{
	size_t n = s->endpoints;

	write_header(out, n, width + 5);
	for (size_t i = 0; i < n; i++) {
		str_printf(out, "%3zu  ", i + 1);
		write_name(out, s->endpoint[i].name, width);
		for (size_t k = 0; k < n; k++) {
			str_add(out, " ");
			write_letter(out, verdict_letter(a[i * n + k].verdict), color);
		}
		str_add(out, "\n");
	}
}

static bool is_same(const struct scenario *s, const struct answer *a, const struct answer *b)
{
	for (size_t i = 0; i < s->endpoints * s->endpoints; i++) {
		if (a[i].verdict != b[i].verdict)
			return false;
	}
	return true;
}

/* A block for each family, or one for both where they do not differ. */
static void write_column(struct str *out, const struct scenario *s, const struct scenario_matrix *m,
	const struct answer *a, size_t column, size_t width, bool color)
{
	const struct traffic *t = &m->traffic[column];
	const struct answer *of[] = {
		table(s, m, a, FAMILY_V4, column), table(s, m, a, FAMILY_V6, column)};
	bool same = is_same(s, of[FAMILY_V4], of[FAMILY_V6]);

	for (enum family f = 0; f < FAMILIES; f++) {
		if (!has_family(s, f) || !traffic_is_of(t, f) || (same && f == FAMILY_V6))
			continue;
		traffic_format(out, t);
		str_printf(out, "  %s\n", same ? "IPv4, IPv6" : family_name(f));
		write_table(out, s, of[f], width, color);
		str_add(out, "\n");
	}
}

void matrix_write(struct str *out, const struct scenario *s, const struct scenario_matrix *m,
	const struct answer *a, bool color)
{
	size_t width = 4;

	for (size_t i = 0; i < s->endpoints; i++) {
		size_t len = strlen(s->endpoint[i].name);

		width = len > width ? len : width;
	}
	width = width > NAME_SHOWN ? NAME_SHOWN : width;
	for (size_t c = 0; c < m->columns; c++)
		write_column(out, s, m, a, c, width, color);
	str_add(out, "Rows send, columns receive, by number. A allowed, D denied, U denied but in "
		     "audit mode, - no such packet.\n");
}
