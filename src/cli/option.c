/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line. Called by main.c. Owns the lists of values and arguments; the texts are argv's.
 * Must hold: everything is checked against the table of the command, options may stand before and
 * behind its words, and "--" ends them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/cli.h"
#include "model/selector_text.h"

const struct cli_option cli_global_options[] = {
	{0, "run-dir", "DIR", NULL, 0,
		"directory of the agent's socket (KILIM_RUN_DIR) [/run/kilim]"},
	{'o', "output", "FORMAT", "table|json|yaml", 0, "how to print [table]"},
	{0, "color", "WHEN", "auto|always|never", 0, "colours on standard output [auto]"},
	{0, "no-headers", NULL, NULL, 0, "tables without their header row"},
	{'h', "help", NULL, NULL, 0, "this text"},
	{0, "version", NULL, NULL, 0, "the version"},
	{0},
};

/* --not is no option of its own: it belongs to the filter behind it. */
static const struct cli_option not_option = {0, "not", NULL, NULL, 0, NULL};

struct parser {
	struct cli *c;
	int argc, at;
	char **argv;
	bool is_not, options_ended;
	struct err *e;
};

static const struct cli_option *find_in(
	const struct cli_option *options, const char *name, size_t len, char letter)
{
	for (; options && options->name; options++) {
		if (letter ? options->letter == letter
			   : strlen(options->name) == len && !strncmp(options->name, name, len))
			return options;
	}
	return NULL;
}

/* By name, or by letter when that is not 0. The command's own come first. */
static const struct cli_option *find_option(
	const struct cli *c, const char *name, size_t len, char letter)
{
	const struct cli_option *own = c->command ? c->command->options : NULL;
	const struct cli_option *o = find_in(own, name, len, letter);

	return o ? o : find_in(cli_global_options, name, len, letter);
}

/* "--no-x" of a negatable x. */
static const struct cli_option *find_negated(const struct cli *c, const char *name, size_t len)
{
	const struct cli_option *o;

	if (len < 4 || strncmp(name, "no-", 3))
		return NULL;
	o = find_option(c, name + 3, len - 3, 0);
	return o && o->flags & CLI_NEGATABLE ? o : NULL;
}

static int is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *p = choices; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (!strncmp(p, value, len) && (!p[len] || p[len] == '|'))
			return 1;
	}
	return 0;
}

static int take(struct parser *p, const struct cli_option *o, const char *value)
{
	struct cli *c = p->c;

	if (p->is_not && !(o->flags & CLI_FILTER))
		return err_set(p->e, -EINVAL,
			"--not must stand directly before a filter, and --%s is none", o->name);
	if (o->choices && !is_choice(o->choices, value))
		return err_set(
			p->e, -EINVAL, "--%s: '%s' is none of %s", o->name, value, o->choices);
	for (size_t i = 0; i < c->values; i++) {
		if (c->value[i].option == o && !(o->flags & CLI_REPEAT) && o->value &&
			strcmp(c->value[i].value, value))
			return err_set(p->e, -EINVAL, "--%s is given twice, as '%s' and '%s'",
				o->name, c->value[i].value, value);
	}
	mem_grow(&c->value, &c->values_capacity, c->values + 1, sizeof(*c->value));
	c->value[c->values++] = (struct cli_value){o, value, p->is_not};
	p->is_not = false;
	return 0;
}

/* Take an option; glued is the value written in the same word, or NULL. */
static int take_with_value(struct parser *p, const struct cli_option *o, const char *glued)
{
	if (!o->value) {
		if (glued && !is_choice("true|false", glued))
			return err_set(p->e, -EINVAL,
				"--%s is a flag: it is true or false, not '%s'", o->name, glued);
		return take(p, o, glued ? glued : "true");
	}
	if (!glued && o->flags & CLI_OPTIONAL)
		return take(p, o, "");
	if (!glued && p->at + 1 < p->argc)
		glued = p->argv[++p->at];
	if (!glued)
		return err_set(p->e, -EINVAL, "--%s needs a value: %s", o->name, o->value);
	return take(p, o, glued);
}

static int unknown_option(struct parser *p, const char *name, size_t len)
{
	SCOPED(str_done) struct str word = {0}, hint = {0};
	const struct cli_option *own = p->c->command ? p->c->command->options : NULL;
	struct nearest n = {0};

	str_addn(&word, name, len);
	n.wanted = str_text(&word);
	for (const struct cli_option *o = own; o && o->name; o++)
		nearest_offer(&n, o->name);
	for (const struct cli_option *o = cli_global_options; o->name; o++)
		nearest_offer(&n, o->name);
	nearest_write(&n, "--", &hint);
	return err_set(
		p->e, -EINVAL, "unknown option '--%.100s'%s", str_text(&word), str_text(&hint));
}

static int parse_long(struct parser *p, const char *name)
{
	size_t len = strcspn(name, "=");
	const char *glued = name[len] ? name + len + 1 : NULL;
	const struct cli_option *o = find_option(p->c, name, len, 0);

	if (o)
		return take_with_value(p, o, glued);
	o = find_negated(p->c, name, len);
	if (o && glued)
		return err_set(p->e, -EINVAL, "--no-%s takes no value", o->name);
	if (o)
		return take(p, o, "false");
	if (str_eq(name, not_option.name) && p->c->command &&
		find_in(p->c->command->options, "not", 3, 0) == NULL) {
		for (o = p->c->command->options; o && o->name; o++) {
			if (!(o->flags & CLI_FILTER))
				continue;
			if (p->is_not)
				return err_set(p->e, -EINVAL, "--not is given twice in a row");
			p->is_not = true;
			return 0;
		}
	}
	return unknown_option(p, name, len);
}

/* -f, -fo json, -ojson */
static int parse_short(struct parser *p, const char *letters)
{
	int r = 0;

	for (; *letters && r >= 0; letters++) {
		const struct cli_option *o = find_option(p->c, NULL, 0, *letters);

		if (!o)
			return err_set(p->e, -EINVAL, "unknown option '-%c'", *letters);
		if (o->value && letters[1])
			return take_with_value(p, o, letters + 1 + (letters[1] == '='));
		r = take_with_value(p, o, NULL);
	}
	return r;
}

/* Whether some command begins with this noun. */
static bool is_noun(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; cli_commands[i]; i++) {
		if (!strncmp(cli_commands[i]->name, word, len) && cli_commands[i]->name[len] == ' ')
			return true;
	}
	return false;
}

static const struct cli_command *find_command(const char *noun, const char *verb)
{
	SCOPED(str_done) struct str name = {0};

	str_printf(&name, "%s%s%s", noun, verb ? " " : "", verb ? verb : "");
	for (size_t i = 0; cli_commands[i]; i++) {
		if (str_eq(cli_commands[i]->name, str_text(&name)))
			return cli_commands[i];
	}
	return NULL;
}

static int unknown_command(struct parser *p, const char *noun, const char *word)
{
	SCOPED(str_done) struct str hint = {0};
	struct nearest n = {.wanted = word};
	size_t len = noun ? strlen(noun) : 0;
	char heads[64][32];

	for (size_t i = 0; cli_commands[i] && i < ARRAY_SIZE(heads); i++) {
		const char *name = cli_commands[i]->name;

		if (noun && (strncmp(name, noun, len) || name[len] != ' '))
			continue;
		name += noun ? len + 1 : 0;
		(void)snprintf(heads[i], sizeof(heads[i]), "%.*s", (int)strcspn(name, " "), name);
		nearest_offer(&n, heads[i]);
	}
	nearest_write(&n, "", &hint);
	return err_set(p->e, -EINVAL, "unknown command '%s%s%.100s'%s", noun ? noun : "",
		noun ? " " : "", word, str_text(&hint));
}

/* A word that is no option: part of the command's name, or an argument. */
static int parse_word(struct parser *p, const char *word)
{
	struct cli *c = p->c;

	if (c->command && c->word && !strchr(c->command->name, ' ') && is_noun(c->word) &&
		!c->arguments && find_command(c->word, word)) {
		c->command = find_command(c->word, word);
		return 0;
	}
	if (c->command) {
		mem_grow(&c->argument, &c->arguments_capacity, c->arguments + 1,
			sizeof(*c->argument));
		c->argument[c->arguments++] = word;
		return 0;
	}
	c->command = find_command(c->word ? c->word : word, c->word ? word : NULL);
	if (!c->command && (c->word || !is_noun(word)))
		return unknown_command(p, c->word, word);
	if (!c->word)
		c->word = word;
	return 0;
}

static int parse_argument(struct parser *p, const char *word)
{
	if (p->options_ended || *word != '-' || !word[1])
		return parse_word(p, word);
	if (str_eq(word, "--")) {
		p->options_ended = true;
		return 0;
	}
	return word[1] == '-' ? parse_long(p, word + 2) : parse_short(p, word + 1);
}

/* Whether the command, and not just every command, has the option. */
static bool is_own(const struct cli *c, const char *name)
{
	return c->command && find_in(c->command->options, name, strlen(name), 0);
}

/* What the global options mean. */
static void settle(struct cli *c)
{
	const char *color = cli_value(c, "color"), *format = cli_value(c, "output");
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM"),
		   *env = getenv("KILIM_RUN_DIR");

	c->help = cli_flag(c, "help", false);
	c->version = cli_flag(c, "version", false);
	c->headers = !cli_flag(c, "no-headers", false);
	c->run_dir = cli_value(c, "run-dir");
	if (!c->run_dir)
		c->run_dir = env && *env ? env : "/run/kilim";
	if (!is_own(c, "output"))
		c->format = str_eq(format, "json")   ? CLI_JSON
			    : str_eq(format, "yaml") ? CLI_YAML
						     : CLI_TABLE;
	if (str_eq(color, "always"))
		c->color = true;
	else if (!str_eq(color, "never"))
		c->color =
			isatty(STDOUT_FILENO) && !(no_color && *no_color) && !str_eq(term, "dumb");
}

int cli_parse(int argc, char **argv, struct cli *c, struct err *e)
{
	struct parser p = {.c = c, .argc = argc, .argv = argv, .e = e};

	for (p.at = 1; p.at < argc; p.at++) {
		int r = parse_argument(&p, argv[p.at]);

		if (r < 0)
			return r;
	}
	if (p.is_not)
		return err_set(e, -EINVAL, "--not stands before nothing");
	settle(c);
	if (c->help || c->version || !c->command)
		return 0;
	if (c->arguments < c->command->arguments_min)
		return err_set(e, -EINVAL, "kilim %s needs an argument: %s", c->command->name,
			c->command->arguments);
	if (c->arguments > c->command->arguments_max)
		return err_set(e, -EINVAL, "kilim %s: unexpected argument '%.200s'",
			c->command->name, c->argument[c->command->arguments_max]);
	return 0;
}

void cli_done(struct cli *c)
{
	free(c->value);
	free(c->argument);
	*c = (struct cli){0};
}

const char *cli_value(const struct cli *c, const char *name)
{
	for (size_t i = c->values; i-- > 0;) {
		if (str_eq(c->value[i].option->name, name))
			return c->value[i].value;
	}
	return NULL;
}

bool cli_flag(const struct cli *c, const char *name, bool otherwise)
{
	const char *value = cli_value(c, name);

	return value ? str_eq(value, "true") : otherwise;
}

int cli_check_selector(const char *option, const char *text, struct err *e)
{
	SCOPED(arena_done) struct arena mem = {0};
	struct selector selector;
	int r = selector_parse(&mem, text, &selector, e);

	if (r < 0)
		(void)err_prefix(e, "--%s", option);
	return r;
}
