/* SPDX-License-Identifier: Apache-2.0 */
/* kilim identity list: the sets of labels that policy tells apart. Owns nothing. */
#include "codec/text.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct text_column columns[] = {
	{"IDENTITY", true}, {"REFERENCES", true}, {"PREFIX", false}, {"LABELS", false}, {0}};

static void add_row(struct text_table *t, const json_t *j)
{
	SCOPED(str_done) struct str labels = {0};

	cli_join(&labels, json_object_get(j, "labels"), ",");
	text_cell(t, "%lld", cli_number(j, "id"));
	text_cell(t, "%lld", cli_number(j, "references"));
	text_cell(t, "%s", cli_text(j, "prefix"));
	text_cell(t, "%s", str_text(&labels));
}

static int run_list(const struct cli *c)
{
	return cli_list(c, "/v1/identity", columns, add_row);
}

const struct cli_command identity_list_command = {
	"identity list", "", "the sets of labels that policy tells apart", 0, 0, NULL, run_list};
