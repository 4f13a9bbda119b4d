/* SPDX-License-Identifier: Apache-2.0 */
/* --help, made of the table of commands. Called by main.c. Owns nothing. */
#include <string.h>

#include "codec/text.h"
#include "cli/cli.h"

enum { COLUMN = 28 };

/* "  -o, --output FORMAT        text", the text in a line of its own when the left part is long. */
static void write_row(struct str *out, const char *left, const char *text)
{
	size_t width = text_width(left);

	if (width < COLUMN - 1)
		str_printf(out, "  %s%*s%s\n", left, (int)(COLUMN - width), "", text);
	else
		str_printf(out, "  %s\n  %*s%s\n", left, COLUMN, "", text);
}

static void write_options(struct str *out, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		SCOPED(str_done) struct str left = {0}, text = {0};

		if (o->letter)
			str_printf(&left, "-%c, ", o->letter);
		else
			str_add(&left, "    ");
		str_printf(&left, "--%s%s", o->flags & CLI_NEGATABLE ? "[no-]" : "", o->name);
		if (o->value && o->flags & CLI_OPTIONAL)
			str_printf(&left, "[=%s]", o->value);
		else if (o->value)
			str_printf(&left, " %s", o->value);
		str_add(&text, o->help);
		if (o->choices)
			str_printf(&text, " (%s)", o->choices);
		if (o->flags & CLI_REPEAT)
			str_add(&text, " (repeatable)");
		write_row(out, str_text(&left), str_text(&text));
	}
}

static void write_command(struct str *out, const struct cli_command *command)
{
	bool own = command->options && command->options->name;

	str_printf(out, "kilim %s: %s\n\nUsage: kilim %s%s%s%s\n", command->name, command->summary,
		command->name, own ? " [OPTION]..." : "", *command->arguments ? " " : "",
		command->arguments);
	if (own) {
		str_add(out, "\nOptions:\n");
		write_options(out, command->options);
		for (const struct cli_option *o = command->options; o->name; o++) {
			if (!(o->flags & CLI_FILTER))
				continue;
			write_row(out, "    --not",
				"turn the filter behind it around: flows that match are left out");
			break;
		}
	}
}

/* Commands, all or those of a noun. */
static void write_commands(struct str *out, const char *noun)
{
	size_t len = noun ? strlen(noun) : 0;

	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_command *command = cli_commands[i];
		SCOPED(str_done) struct str left = {0};

		if (noun && strncmp(command->name, noun, len))
			continue;
		str_printf(&left, "%s%s%s", command->name, *command->arguments ? " " : "",
			command->arguments);
		write_row(out, str_text(&left), command->summary);
	}
}

void help_write(const struct cli *c, struct str *out)
{
	SCOPED(str_done) struct str page = {0};

	if (c->command) {
		write_command(out, c->command);
		str_addn(&page, c->command->name, strcspn(c->command->name, " "));
	} else if (c->word) {
		str_printf(out, "Usage: kilim %s COMMAND [OPTION]...\n\nCommands:\n", c->word);
		write_commands(out, c->word);
		str_add(&page, c->word);
	} else {
		str_add(out, "kilim: shows and changes what the kilim agent of this node does.\n\n"
			     "Usage: kilim COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
		write_commands(out, NULL);
	}
	str_add(out, "\nOptions of all commands:\n");
	write_options(out, cli_global_options);
	str_printf(out,
		"\nExit status: 0 good, 1 failed, 2 wrong use, 3 the agent cannot be reached.\n"
		"More: man kilim%s%s; kilim COMMAND --help\n",
		page.len ? "-" : "", str_text(&page));
}
