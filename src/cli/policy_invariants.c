/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim policy invariants: what became of assertions, in scenarios or in the agent. Owns nothing.
 * Must hold: with --scenario no agent and no right is needed; an assertion that is broken makes the
 * exit status 1 whatever its mode, and one that cannot be read 2.
 */
#include <errno.h>
#include <stdio.h>

#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/scenario.h"
#include "scenario/invariants.h"

static const struct cli_option invariants_options[] = {
	{'f', "filename", "FILE", NULL, CLI_REPEAT, "assertions, beside those of the scenario"},
	{0, "scenario", "FILE|-", NULL, CLI_REPEAT, "check this scenario, without the agent"},
	SCENARIO_OPTIONS,
	{0},
};

struct checked {
	const struct cli *cli;
	struct invariants *more; /* of -f */
	json_t *list; /* one object per scenario */
};

static void write_mark(const struct cli *c, bool broken, struct str *out)
{
	const char *word = broken ? "BROKEN" : "ok    ";

	str_printf(out, c->color ? "\033[%sm%s\033[0m  " : "%.0s%s  ", broken ? "31" : "32", word);
}

static void print_one(const struct cli *c, const json_t *j)
{
	const json_t *counter = json_object_get(j, "counterexample");
	SCOPED(str_done) struct str text = {0}, out = {0};
	long long pairs = cli_number(j, "pairs");

	str_printf(&text, "%s %s", cli_text(j, "assertion"), cli_text(j, "name"));
	if (counter)
		str_printf(&text, "%s  [%s:%lld]\n%s",
			str_eq(cli_text(j, "mode"), "warn") ? " (warn)" : "", cli_text(j, "file"),
			cli_number(j, "line"), cli_text(counter, "text"));
	else if (pairs)
		str_printf(&text, "  (%lld pairs of identities)\n", pairs);
	else
		str_add(&text, "  (nobody is in its scope)\n");
	write_mark(c, counter, &out);
	cli_clean(&out, str_text(&text));
	cli_print(str_text(&out), out.len);
}

/* Print a list of assertions; how many are broken. */
static size_t print_all(const struct cli *c, const json_t *list)
{
	size_t broken = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);

		broken += str_eq(cli_text(j, "state"), "broken");
		if (c->format == CLI_TABLE)
			print_one(c, j);
	}
	return broken;
}

static json_t *check(const struct world *w, const struct invariants *l, json_t *out)
{
	const struct invariant_view view = world_view(w);

	for (size_t i = 0; i < l->count; i++) {
		struct invariant_result r;

		invariant_check(&view, &l->invariant[i], &r);
		(void)json_array_append_new(out, invariant_json(&view, &l->invariant[i], &r));
	}
	return out;
}

static int check_one(const char *file, const struct world *w, const struct err *e, void *data)
{
	struct checked *k = data;
	json_t *list;
	size_t broken;

	if (!w) {
		(void)json_array_append_new(
			k->list, json_pack("{s:s, s:s}", "file", file, "error", e->text));
		return scenario_fail(e);
	}
	list = check(w, &w->scenario->invariants, check(w, k->more, json_array()));
	(void)json_array_append_new(
		k->list, json_pack("{s:s, s:i, s:o}", "file", w->scenario->file, "line",
				 w->scenario->line, "invariants", list));
	if (k->cli->format == CLI_TABLE) {
		SCOPED(str_done) struct str line = {0}, clean = {0};

		str_printf(&line, "%s:%d\n", w->scenario->file, w->scenario->line);
		cli_clean(&clean, str_text(&line));
		cli_print(str_text(&clean), clean.len);
	}
	broken = print_all(k->cli, list);
	return broken ? CLI_FAILED : CLI_OK;
}

static int ask_agent(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *j = NULL;
	struct err e = {0};
	int r = cli_get(c, "/v1/policy/invariants", &j);
	size_t broken;

	if (r)
		return r;
	if (c->format != CLI_TABLE)
		cli_print_value(c, j);
	else if (!*cli_text(j, "file"))
		cli_print("the agent has no assertions: set policy-invariants\n", 51);
	broken = print_all(c, json_object_get(j, "invariants"));
	if (!*cli_text(j, "error"))
		return broken ? CLI_FAILED : CLI_OK;
	(void)err_set(&e, -EINVAL, "%s; the assertions of before count", cli_text(j, "error"));
	(void)cli_fail(&e);
	return CLI_USAGE;
}

static int read_files(const struct cli *c, struct invariants *l, bool *ret_scenario)
{
	struct err e = {0};

	for (size_t i = 0; i < c->values; i++) {
		*ret_scenario |= str_eq(c->value[i].option->name, "scenario");
		if (str_eq(c->value[i].option->name, "filename") &&
			invariants_read(l, c->value[i].value, &e) < 0)
			return scenario_fail(&e);
	}
	return CLI_OK;
}

static int run_invariants(const struct cli *c)
{
	struct invariants SCOPED(invariants_done) more = {0};
	SCOPED(json_unrefp) json_t *list = json_array();
	struct checked k = {c, &more, list};
	struct scenario_settings settings;
	bool with_scenario = false;
	struct err e = {0};
	int worst = read_files(c, &more, &with_scenario);

	if (worst)
		return worst;
	if (!with_scenario)
		return cli_value(c, "filename")
			       ? cli_misused(c, "-f needs --scenario; the agent has its own "
						"assertions (policy-invariants)")
			       : ask_agent(c);
	if (scenario_options(c, &settings, &e) < 0)
		return cli_misused(c, "%s", e.text);
	for (size_t i = 0; i < c->values; i++) {
		int r = CLI_OK;

		if (str_eq(c->value[i].option->name, "scenario"))
			r = scenario_each(&settings, c->value[i].value, check_one, &k);
		worst = r > worst ? r : worst;
	}
	if (c->format != CLI_TABLE)
		cli_print_value(c, list);
	return worst;
}

const struct cli_command policy_invariants_command = {"policy invariants", "",
	"whether assertions hold: nobody of these may ever, or always can, reach those", 0, 0,
	invariants_options, run_invariants};
