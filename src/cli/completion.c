/* SPDX-License-Identifier: Apache-2.0 */
/* kilim completion: scripts that make a shell complete kilim's words, from the table of commands.
 * Owns nothing. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

/* The words that follow this noun (NULL: the first words), each once. */
static void add_words(struct str *out, const char *noun)
{
	size_t len = noun ? strlen(noun) : 0;
	char before[32] = "";

	for (size_t i = 0; cli_commands[i]; i++) {
		const char *name = cli_commands[i]->name;
		char word[32];

		if (noun && (strncmp(name, noun, len) || name[len] != ' '))
			continue;
		name += noun ? len + 1 : 0;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name);
		if (str_eq(word, before)) /* commands of a noun stand together */
			continue;
		str_printf(out, "%s%s", *before ? " " : "", word);
		strcpy(before, word);
	}
}

static void add_flags(struct str *out, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		str_printf(out, " --%s", o->name);
		if (o->flags & CLI_NEGATABLE)
			str_printf(out, " --no-%s", o->name);
	}
	for (const struct cli_option *o = options; o && o->name; o++) {
		if (o->flags & CLI_FILTER) {
			str_add(out, " --not");
			break;
		}
	}
}

/* Cases "command:--flag" with what the flag takes. */
static void add_choices(struct str *out, const char *command, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		const char *files =
			o->value && (strstr(o->value, "FILE") || strstr(o->value, "DIR") ||
					    strstr(o->value, "PATH"))
				? "files"
				: NULL;

		if (!o->choices && !files)
			continue;
		str_printf(out, "\t'%s':--%s", command, o->name);
		if (o->letter)
			str_printf(out, "|'%s':-%c", command, o->letter);
		str_add(out, ") echo '");
		for (const char *p = o->choices ? o->choices : files; *p; p++)
			str_addn(out, *p == '|' ? " " : p, 1);
		str_add(out, "'; return ;;\n");
	}
}

/* Functions that both shells use: the words, the flags and the values of a command. */
static void add_functions(struct str *out)
{
	static const char *nouns[] = {"endpoint", "identity", "policy", "flow", "metrics", "map"};

	str_add(out, "_kilim_words() {\n\tcase $1 in\n");
	for (size_t i = 0; i < ARRAY_SIZE(nouns); i++) {
		str_printf(out, "\t%s) echo '", nouns[i]);
		add_words(out, nouns[i]);
		str_add(out, "' ;;\n");
	}
	str_add(out, "\tcompletion) echo 'bash zsh' ;;\n\t'') echo '");
	add_words(out, NULL);
	str_add(out, "' ;;\n\tesac\n}\n\n_kilim_flags() {\n\tcase $1 in\n");
	for (size_t i = 0; cli_commands[i]; i++) {
		if (!cli_commands[i]->options)
			continue;
		str_printf(out, "\t'%s') echo '", cli_commands[i]->name);
		add_flags(out, cli_commands[i]->options);
		str_add(out, "' ;;\n");
	}
	str_add(out, "\tesac\n\techo '");
	add_flags(out, cli_global_options);
	str_add(out, "'\n}\n\n_kilim_values() {\n\tcase $1:$2 in\n");
	for (size_t i = 0; cli_commands[i]; i++)
		add_choices(out, cli_commands[i]->name, cli_commands[i]->options);
	str_add(out, "\tesac\n\tcase $2 in\n");
	str_add(out,
		"\t--output|-o) echo 'table json yaml' ;;\n\t--color) echo 'auto always never' ;;\n"
		"\t--run-dir) echo files ;;\n\tesac\n}\n\n");
}

static const char bash_tail[] =
	"_kilim() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' word "
	"values i\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tcase $word in\n"
	"\t\t--run-dir|--output|-o|--color) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*)\n"
	"\t\t\tif [[ -z $command ]]; then command=$word\n"
	"\t\t\telif [[ \" $(_kilim_words \"$command\") \" == *\" $word \"* ]]; then "
	"command=\"$command $word\"\n"
	"\t\t\tfi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tvalues=$(_kilim_values \"$command\" \"$prev\")\n"
	"\tif [[ $values == files ]]; then mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); "
	"compopt -o filenames 2>/dev/null\n"
	"\telif [[ -n $values ]]; then mapfile -t COMPREPLY < <(compgen -W \"$values\" -- "
	"\"$cur\")\n"
	"\telif [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W \"$(_kilim_flags "
	"\"$command\")\" -- \"$cur\")\n"
	"\telse mapfile -t COMPREPLY < <(compgen -W \"$(_kilim_words \"$command\")\" -- \"$cur\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _kilim kilim\n";

static const char zsh_tail[] =
	"_kilim() {\n"
	"\tlocal cur=${words[CURRENT]} prev=${words[CURRENT-1]} command='' word values i\n"
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\tword=${words[i]}\n"
	"\t\tcase $word in\n"
	"\t\t--run-dir|--output|-o|--color) ((i++)) ;;\n"
	"\t\t-*) ;;\n"
	"\t\t*)\n"
	"\t\t\tif [[ -z $command ]]; then command=$word\n"
	"\t\t\telif [[ \" $(_kilim_words \"$command\") \" == *\" $word \"* ]]; then "
	"command=\"$command $word\"\n"
	"\t\t\tfi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tvalues=$(_kilim_values \"$command\" \"$prev\")\n"
	"\tif [[ $values == files ]]; then _files\n"
	"\telif [[ -n $values ]]; then compadd -- ${=values}\n"
	"\telif [[ $cur == -* ]]; then compadd -- ${=$(_kilim_flags \"$command\")}\n"
	"\telse compadd -- ${=$(_kilim_words \"$command\")}\n"
	"\tfi\n"
	"}\n"
	"compdef _kilim kilim\n";

static int run_completion(const struct cli *c)
{
	SCOPED(str_done) struct str out = {0};
	bool zsh = str_eq(c->argument[0], "zsh");

	if (!zsh && !str_eq(c->argument[0], "bash"))
		return cli_misused(
			c, "there is completion for bash and zsh, not for '%s'", c->argument[0]);
	str_add(&out, zsh ? "#compdef kilim\n" : "# bash completion of kilim\n");
	add_functions(&out);
	str_add(&out, zsh ? zsh_tail : bash_tail);
	cli_print(str_text(&out), out.len);
	return CLI_OK;
}

const struct cli_command completion_command = {"completion", "bash|zsh",
	"a script for the shell's completion", 1, 1, NULL, run_completion};
