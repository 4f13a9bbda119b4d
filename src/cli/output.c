/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kilim prints. Called by all commands. Owns nothing but the buffer of standard output. Must
 * hold: no control character of somebody else's text reaches a terminal, and a reader that has
 * closed the pipe ends kilim without a word.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/json.h"
#include "codec/text.h"
#include "cli/cli.h"

int cli_fail(const struct err *e)
{
	SCOPED(freep) char *text = mem_strdup(e->text);
	char *rest = text;

	(void)cli_flush();
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		SCOPED(str_done) struct str clean = {0};

		str_add_printable(&clean, line);
		fprintf(stderr, "%s%s\n", line == text ? "kilim: " : "       ", str_text(&clean));
	}
	return CLI_FAILED;
}

int cli_misused(const struct cli *c, const char *fmt, ...)
{
	struct err e = {0};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	(void)cli_fail(&e);
	fprintf(stderr, "Try 'kilim%s%s --help'.\n", c->command || c->word ? " " : "",
		c->command ? c->command->name
		: c->word  ? c->word
			   : "");
	return CLI_USAGE;
}

/* Standard output does not take more. */
static int output_failed(int code)
{
	if (code == EPIPE)
		_exit(CLI_OK);
	fprintf(stderr, "kilim: cannot write the output: %s\n", strerror(code));
	return CLI_FAILED;
}

void cli_print(const char *text, size_t len)
{
	if (fwrite(text, 1, len, stdout) < len)
		exit(output_failed(errno));
}

int cli_flush(void)
{
	if (fflush(stdout) != 0)
		return output_failed(errno);
	return CLI_OK;
}

/* Whether p is at a control character that JSON leaves as it is (DEL, C1 in UTF-8): its bytes, or
 * 0. */
static size_t control_len(const char *p)
{
	unsigned char c = (unsigned char)p[0], d = c ? (unsigned char)p[1] : 0;

	if (c == 0x7f)
		return 1;
	return c == 0xc2 && d >= 0x80 && d < 0xa0 ? 2 : 0;
}

/* In JSON they only stand in strings, where an escape means the same. */
void cli_add_json(struct str *out, const char *text)
{
	while (*text) {
		size_t n = control_len(text);

		if (n)
			str_printf(out, "\\u%04x", (unsigned char)text[n - 1]);
		else
			str_addn(out, text, n = 1);
		text += n;
	}
}

void cli_print_value(const struct cli *c, const json_t *j)
{
	SCOPED(str_done) struct str out = {0};
	SCOPED(freep) char *text = NULL;

	if (c->format == CLI_YAML) {
		json_write_yaml(&out, j);
	} else {
		text = json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY);
		cli_add_json(&out, text ? text : "null");
		str_add(&out, "\n");
	}
	cli_print(str_text(&out), out.len);
}

void cli_clean(struct str *out, const char *text)
{
	SCOPED(freep) char *copy = mem_strdup(text);
	char *rest = copy;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		str_add_printable(out, line);
		if (rest)
			str_add(out, "\n");
	}
}

const char *cli_text(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? text : "";
}

long long cli_number(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

void cli_format_bytes(struct str *out, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (bytes >= 1024 && i < ARRAY_SIZE(units) - 1) {
		bytes /= 1024;
		i++;
	}
	str_printf(out, i && bytes < 10 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
}

void cli_format_seconds(struct str *out, long long seconds)
{
	if (seconds >= 86400)
		str_printf(out, "%lldd", seconds / 86400);
	if (seconds >= 3600)
		str_printf(out, "%lldh", seconds / 3600 % 24);
	if (seconds >= 60)
		str_printf(out, "%lldm", seconds / 60 % 60);
	str_printf(out, "%llds", seconds % 60);
}

void cli_join(struct str *out, const json_t *list, const char *separator)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		str_printf(out, "%s%s", i ? separator : "", text ? text : "");
	}
}

void cli_print_list(const struct cli *c, const json_t *list, const struct text_column *columns,
	void (*row)(struct text_table *t, const json_t *j))
{
	SCOPED(text_table_freep) struct text_table *t = NULL;
	SCOPED(str_done) struct str out = {0};

	if (c->format != CLI_TABLE) {
		cli_print_value(c, list);
		return;
	}
	t = text_table_new(columns);
	for (size_t i = 0; i < json_array_size(list); i++)
		row(t, json_array_get(list, i));
	text_table_write(t, c->headers, &out);
	cli_print(str_text(&out), out.len);
}
