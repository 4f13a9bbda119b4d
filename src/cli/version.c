/* SPDX-License-Identifier: Apache-2.0 */
/* kilim version: of this program and, when it runs, of the agent. Owns nothing. */
#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_option version_options[] = {
	{0, "client", NULL, NULL, 0, "only of this program"},
	{0},
};

static int run_version(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *status = NULL, *j = json_pack("{s:s}", "client", KILIM_VERSION);
	SCOPED(str_done) struct str text = {0}, clean = {0};
	struct err e = {0};
	int http = 0;

	/* an agent that does not run is no failure: the question was for a version */
	if (!cli_flag(c, "client", false) &&
		cli_try(c, "GET", "/v1/status", NULL, "version", &http, &status, &e) >= 0)
		(void)json_object_set_new(j, "agent", json_string(cli_text(status, "version")));
	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return CLI_OK;
	}
	str_printf(&text, "kilim %s\n", KILIM_VERSION);
	if (status)
		str_printf(&text, "kilimd %s\n", cli_text(status, "version"));
	else if (!cli_flag(c, "client", false))
		str_printf(&text, "kilimd: %s\n", e.text);
	cli_clean(&clean, str_text(&text));
	cli_print(str_text(&clean), clean.len);
	return CLI_OK;
}

const struct cli_command version_command = {
	"version", "", "the version of kilim and of the agent", 0, 0, version_options, run_version};
