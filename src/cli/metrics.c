/* SPDX-License-Identifier: Apache-2.0 */
/* kilim metrics: the agent's Prometheus metrics, readable. Owns the table that it makes of the
 * text. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "codec/text.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct text_column columns[] = {
	{"METRIC", false}, {"LABELS", false}, {"VALUE", true}, {0}};

static void add_row(struct text_table *t, const json_t *j)
{
	const json_t *labels = json_object_get(j, "labels");
	SCOPED(str_done) struct str text = {0};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)labels, key, value) str_printf(
		&text, "%s%s=\"%s\"", text.len ? " " : "", key, json_string_value(value));
	text_cell(t, "%s", cli_text(j, "name"));
	text_cell(t, "%s", str_text(&text));
	text_cell(t, "%s", cli_text(j, "value"));
}

/* name="value" pairs; returns what is behind the closing brace, or NULL when it is malformed. */
static const char *parse_labels(const char *p, json_t *labels)
{
	while (*p && *p != '}') {
		SCOPED(str_done) struct str key = {0}, value = {0};
		size_t len = strcspn(p, "=");

		if (p[len] != '=' || p[len + 1] != '"')
			return NULL;
		str_addn(&key, p, len);
		for (p += len + 2; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			str_addn(&value, *p == 'n' && p[-1] == '\\' ? "\n" : p, 1);
		}
		if (*p++ != '"')
			return NULL;
		p += *p == ',';
		(void)json_object_set_new(labels, str_text(&key), json_string(str_text(&value)));
	}
	return *p == '}' ? p + 1 : NULL;
}

static bool name_fits(const char *name, const char *pattern)
{
	if (!pattern)
		return true;
	if (strpbrk(pattern, "*?["))
		return !fnmatch(pattern, name, 0);
	return strstr(name, pattern);
}

/* A sample line; comments and what cannot be read add nothing. */
static void add_sample(json_t *list, const char *line, const char *pattern)
{
	SCOPED(str_done) struct str name = {0}, value = {0};
	SCOPED(json_unrefp) json_t *labels = json_object();
	size_t len = strcspn(line, "{ ");

	if (*line == '#' || !len)
		return;
	str_addn(&name, line, len);
	line += len;
	if (*line == '{')
		line = parse_labels(line + 1, labels);
	if (!line || !name_fits(str_text(&name), pattern))
		return;
	line += strspn(line, " ");
	str_addn(&value, line, strcspn(line, " "));
	(void)json_array_append_new(list, json_pack("{s:s, s:O, s:s}", "name", str_text(&name),
						  "labels", labels, "value", str_text(&value)));
}

static int run_list(const struct cli *c)
{
	SCOPED(freep) char *text = NULL;
	SCOPED(json_unrefp) json_t *list = json_array();
	const char *pattern = c->arguments ? c->argument[0] : NULL;
	char *rest;
	int r = cli_get_text(c, "/metrics", &text);

	if (r)
		return r;
	rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		add_sample(list, line, pattern);
	cli_print_list(c, list, columns, add_row);
	return CLI_OK;
}

const struct cli_command metrics_command = {
	"metrics", "[PATTERN]", "the agent's metrics whose names match", 0, 1, NULL, run_list};
const struct cli_command metrics_list_command = {
	"metrics list", "[PATTERN]", "the same", 0, 1, NULL, run_list};
