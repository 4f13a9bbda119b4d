/* SPDX-License-Identifier: Apache-2.0 */
/* kilim, the command line of the agent: reads the command, runs it, says how it went in its exit
 * status. */
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"

static int print_help(const struct cli *c)
{
	SCOPED(str_done) struct str out = {0};

	help_write(c, &out);
	cli_print(str_text(&out), out.len);
	return cli_flush();
}

int main(int argc, char **argv)
{
	SCOPED(cli_done) struct cli c = {0};
	struct err e = {0};
	int r, flushed;

	/* a closed pipe is noticed when it is written to, and ends kilim quietly */
	(void)signal(SIGPIPE, SIG_IGN);
	if (cli_parse(argc, argv, &c, &e) < 0)
		return cli_misused(&c, "%s", e.text);
	if (c.version) {
		printf("kilim %s\n", KILIM_VERSION);
		return cli_flush();
	}
	if (c.help)
		return print_help(&c);
	if (!c.command && c.word)
		return cli_misused(&c, "kilim %s needs a command", c.word);
	if (!c.command) {
		(void)print_help(&c);
		return CLI_USAGE;
	}
	r = c.command->run(&c);
	flushed = cli_flush();
	return r ? r : flushed;
}
