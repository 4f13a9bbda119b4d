/* SPDX-License-Identifier: Apache-2.0 */
/* kilim map list: the tables of the data path in the kernel, and what they cost. Owns nothing. */
#include "codec/text.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct text_column columns[] = {
	{"MAP", false}, {"ENTRIES MAX", true}, {"MEMORY", true}, {0}};

static void add_row(struct text_table *t, const json_t *j)
{
	SCOPED(str_done) struct str bytes = {0};

	cli_format_bytes(&bytes, (double)cli_number(j, "bytes"));
	text_cell(t, "%s", cli_text(j, "name"));
	text_cell(t, "%lld", cli_number(j, "entries_max"));
	text_cell(t, "%s", str_text(&bytes));
}

static int run_list(const struct cli *c)
{
	return cli_list(c, "/v1/map", columns, add_row);
}

const struct cli_command map_list_command = {
	"map list", "", "the tables of the data path and their memory", 0, 0, NULL, run_list};
