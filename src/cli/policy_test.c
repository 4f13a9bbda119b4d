/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy test: asks the data path what scenarios ask. Owns nothing. Must hold: no agent and
 * no right is needed; the exit status is 2 as soon as one scenario could not be run. */
#include <errno.h>

#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/scenario.h"
#include "scenario/outcome.h"

static const struct cli_option test_options[] = {
	{'o', "output", "FORMAT", "text|json|tap", 0, "how to print [text]"},
	{'q', "quiet", NULL, NULL, 0, "only the probes that fail"},
	SCENARIO_OPTIONS,
	{0},
};

enum test_format { TEST_TEXT, TEST_JSON, TEST_TAP };

struct test {
	enum test_format format;
	struct report_options options;
	size_t number, passed, failed, scenarios; /* so far */
};

static void print_json(json_t *j)
{
	SCOPED(freep) char *text = json_text(j);
	SCOPED(str_done) struct str out = {0};

	cli_add_json(&out, text);
	str_add(&out, "\n");
	cli_print(str_text(&out), out.len);
	json_decref(j);
}

static int broken(struct test *t, const char *file, const struct err *e)
{
	if (t->format == TEST_JSON)
		print_json(json_pack("{s:s, s:s}", "file", file, "error", e->text));
	if (t->format == TEST_TAP) {
		SCOPED(str_done) struct str text = {0};

		str_printf(&text, "not ok %zu - ", ++t->number);
		str_add_printable(&text, e->text);
		str_add(&text, "\n");
		cli_print(str_text(&text), text.len);
	}
	return scenario_fail(e);
}

static int test_one(const char *file, const struct world *w, const struct err *e, void *data)
{
	struct outcome SCOPED(outcome_done) o = {0};
	SCOPED(str_done) struct str text = {0};
	struct test *t = data;

	if (!w)
		return broken(t, file, e);
	outcome_make(w, &o);
	t->scenarios++;
	t->passed += o.passed;
	t->failed += o.failed;
	if (t->format == TEST_JSON)
		print_json(outcome_json(&o));
	else if (t->format == TEST_TAP)
		outcome_write_tap(&text, &o, &t->number);
	else
		outcome_write(&text, &o, &t->options);
	cli_print(str_text(&text), text.len);
	return o.failed ? CLI_FAILED : CLI_OK;
}

static int run_test(const struct cli *c)
{
	const char *format = cli_value(c, "output");
	struct test t = {
		.format = str_eq(format, "json")  ? TEST_JSON
			  : str_eq(format, "tap") ? TEST_TAP
						  : TEST_TEXT,
		.options = {c->color, cli_flag(c, "quiet", false)},
	};
	struct scenario_settings settings;
	SCOPED(str_done) struct str last = {0};
	struct err e = {0};
	int worst = CLI_OK;

	if (scenario_options(c, &settings, &e) < 0)
		return cli_misused(c, "%s", e.text);
	for (size_t i = 0; i < c->arguments; i++) {
		int r = scenario_each(&settings, c->argument[i], test_one, &t);

		worst = r > worst ? r : worst;
	}
	if (t.format == TEST_TAP)
		str_printf(&last, "1..%zu\n", t.number);
	else if (t.format == TEST_TEXT && t.scenarios > 1)
		str_printf(&last, "%zu scenarios, %zu probes: %zu passed, %zu failed\n",
			t.scenarios, t.passed + t.failed, t.passed, t.failed);
	cli_print(str_text(&last), last.len);
	return worst;
}

const struct cli_command policy_test_command = {"policy test", "FILE...",
	"run scenario files: who may talk to whom, without root and without an agent", 1, 10000,
	test_options, run_test};
