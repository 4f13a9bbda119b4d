/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy matrix: the truth table of a scenario. Owns nothing. Must hold: no agent and no
 * right is needed. */
#include <errno.h>
#include <stdlib.h>

#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/scenario.h"
#include "scenario/outcome.h"

static const struct cli_option matrix_options[] = {
	{'f', "filename", "FILE|-", NULL, CLI_REPEAT, "the scenario"},
	{'o', "output", "FORMAT", "table|json", 0, "how to print [table]"},
	SCENARIO_OPTIONS,
	{0},
};

struct shown {
	const struct cli *cli;
	bool json;
	size_t count; /* tables so far */
};

static void print(const struct shown *t, const struct scenario *s, const struct answer *a)
{
	SCOPED(str_done) struct str out = {0};

	if (t->json) {
		SCOPED(json_unrefp) json_t *j = matrix_json(s, &s->matrix, a);
		SCOPED(freep) char *text = json_text(j);

		cli_add_json(&out, text);
		str_add(&out, "\n");
		cli_print(str_text(&out), out.len);
		return;
	}
	if (t->count)
		str_add(&out, "\n");
	matrix_write(&out, s, &s->matrix, a, t->cli->color);
	cli_print(str_text(&out), out.len);
}

static int matrix_one(const char *file, const struct world *w, const struct err *e, void *data)
{
	const struct scenario *s = w ? w->scenario : NULL;
	size_t most = s ? FAMILIES * s->matrix.columns * s->endpoints * s->endpoints : 0;
	SCOPED(freep) struct question *question = mem_array(most, sizeof(*question));
	SCOPED(freep) struct answer *answer = mem_array(most, sizeof(*answer));
	struct shown *t = data;

	(void)file;
	if (!w)
		return scenario_fail(e);
	judge(w, question, matrix_questions(s, &s->matrix, question), answer);
	print(t, s, answer);
	t->count++;
	return CLI_OK;
}

static int run_matrix(const struct cli *c)
{
	struct shown t = {.cli = c, .json = str_eq(cli_value(c, "output"), "json")};
	struct scenario_settings settings;
	struct err e = {0};
	int worst = CLI_OK;

	if (!cli_value(c, "filename"))
		return cli_misused(c, "-f is missing: which scenario?");
	if (scenario_options(c, &settings, &e) < 0)
		return cli_misused(c, "%s", e.text);
	for (size_t i = 0; i < c->values; i++) {
		int r = CLI_OK;

		if (str_eq(c->value[i].option->name, "filename"))
			r = scenario_each(&settings, c->value[i].value, matrix_one, &t);
		worst = r > worst ? r : worst;
	}
	return worst;
}

const struct cli_command policy_matrix_command = {"policy matrix", "",
	"the whole truth table of a scenario", 0, 0, matrix_options, run_matrix};
