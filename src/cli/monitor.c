/* SPDX-License-Identifier: Apache-2.0 */
/* kilim monitor: the raw events of the data path as they come. Owns nothing. Must hold: each event
 * is printed before the next is waited for. */
#include <errno.h>
#include <string.h>

#include "api/client.h"
#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"

static void add_value(struct str *out, const char *key, const json_t *value);

/* Members as key=value; those of members as outer.inner=value. */
static void add_members(struct str *out, const char *prefix, const json_t *j)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)j, key, value)
	{
		SCOPED(str_done) struct str name = {0};

		if (!*prefix && (str_eq(key, "time") || str_eq(key, "type")))
			continue;
		str_printf(&name, "%s%s%s", prefix, *prefix ? "." : "", key);
		add_value(out, str_text(&name), value);
	}
}

static void add_value(struct str *out, const char *key, const json_t *value)
{
	SCOPED(freep) char *text = NULL;
	const char *string = json_string_value(value);

	if (json_is_object(value)) {
		add_members(out, key, value);
		return;
	}
	/* a text with blanks keeps the quotes that JSON gives it */
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	str_printf(
		out, " %s=%s", key, string && *string && !strpbrk(string, " =\"") ? string : text);
}

static int on_line(const char *line, size_t len, void *data)
{
	const struct cli *c = data;
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(str_done) struct str text = {0}, clean = {0};
	SCOPED(freep) char *compact = NULL;

	if (json_parse_text(line, len, API_LINE_MAX, &j, NULL) < 0)
		return 0;
	if (c->format == CLI_YAML) {
		str_add(&text, "---\n");
		json_write_yaml(&text, j);
		cli_print(str_text(&text), text.len);
		return cli_flush();
	}
	if (c->format == CLI_JSON) {
		compact = json_text(j);
		cli_add_json(&clean, compact);
	} else {
		str_printf(&text, "%s %s", cli_text(j, "time"), cli_text(j, "type"));
		add_members(&text, "", j);
		str_add_printable(&clean, str_text(&text));
	}
	str_add(&clean, "\n");
	cli_print(str_text(&clean), clean.len);
	return cli_flush();
}

static int run_monitor(const struct cli *c)
{
	return cli_stream(c, "/v1/monitor", on_line, (void *)c);
}

const struct cli_command monitor_command = {
	"monitor", "", "raw events of the data path, as they come", 0, 0, NULL, run_monitor};
