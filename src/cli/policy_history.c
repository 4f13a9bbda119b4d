/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy history, rollback and release. Owns nothing. Must hold: what is done is
 * said, with the files that do not count any more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "codec/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/line_diff.h"
#include "cli/policy.h"

static const struct text_column columns[] = {{"REVISION", true}, {"TIME", false},
	{"POLICIES", true}, {"RULES", true}, {"SLOTS", true}, {"ENTRIES", true}, {"REASON", false},
	{0}};
static const struct text_column policy_columns[] = {
	{"KIND", false}, {"NAME", false}, {"MODE", false}, {"SOURCE", false}, {0}};

static const char *time_shown(const json_t *j, char buf[32])
{
	(void)snprintf(buf, 32, "%.19sZ", cli_text(j, "time"));
	return buf;
}

static void add_row(struct text_table *t, const json_t *j)
{
	char time[32];

	text_cell(t, "%lld", cli_number(j, "revision"));
	text_cell(t, "%s", time_shown(j, time));
	text_cell(t, "%lld", cli_number(j, "policies"));
	text_cell(t, "%lld", cli_number(j, "rules"));
	text_cell(t, "%lld", cli_number(j, "slots"));
	text_cell(t, "%lld", cli_number(j, "rule_entries") + cli_number(j, "peer_entries"));
	text_cell(t, "%s", cli_text(j, "reason"));
}

static void add_policy(struct text_table *t, const json_t *j)
{
	const char *namespace = cli_text(j, "namespace");

	text_cell(t, "%s", cli_text(j, "kind"));
	text_cell(t, "%s%s%s", namespace, *namespace ? "/" : "", cli_text(j, "name"));
	text_cell(t, "%s", cli_text(j, "mode"));
	text_cell(t, "%s:%lld", cli_text(j, "file"), cli_number(j, "line"));
}

static void add_head(struct str *out, const json_t *j)
{
	char time[32];

	str_printf(out,
		"revision %lld, %s%s: %s\n%lld policies, %lld rules in %lld slots; %lld rule "
		"entries, %lld peer entries\n",
		cli_number(j, "revision"), time_shown(j, time),
		json_is_true(json_object_get(j, "in_force")) ? ", in force" : "",
		cli_text(j, "reason"), cli_number(j, "policies"), cli_number(j, "rules"),
		cli_number(j, "slots"), cli_number(j, "rule_entries"),
		cli_number(j, "peer_entries"));
}

static void add_changes(struct str *out, const json_t *j)
{
	const json_t *changes = json_object_get(j, "changes"),
		     *errors = json_object_get(j, "errors");

	if (cli_number(j, "before"))
		str_printf(out, "\nsince revision %lld%s\n", cli_number(j, "before"),
			json_array_size(changes) ? ":" : ": nothing has changed");
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);

		str_printf(out, "%s %s\n", cli_text(c, "source"), cli_text(c, "change"));
		line_diff(out, cli_text(c, "before"), cli_text(c, "after"));
	}
	for (size_t i = 0; i < json_array_size(errors); i++) {
		const char *text = json_string_value(json_array_get(errors, i));

		str_printf(out, "\nmissing: %s\n", text ? text : "");
	}
}

static int print_entry(const struct cli *c, const json_t *j)
{
	SCOPED(text_table_freep) struct text_table *t = NULL;
	SCOPED(str_done) struct str out = {0}, clean = {0};
	const json_t *list = json_object_get(j, "policy");

	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return CLI_OK;
	}
	add_head(&out, j);
	if (json_array_size(list)) {
		t = text_table_new(policy_columns);
		for (size_t i = 0; i < json_array_size(list); i++)
			add_policy(t, json_array_get(list, i));
		str_add(&out, "\n");
		text_table_write(t, c->headers, &out);
	}
	add_changes(&out, j);
	cli_clean(&clean, str_text(&out));
	cli_print(str_text(&clean), clean.len);
	return CLI_OK;
}

int policy_revision(const struct cli *c, const char *text, uint64_t *ret)
{
	if (str_to_u64(text, UINT32_MAX, ret) < 0 || !*ret)
		return cli_misused(
			c, "'%.100s' is no revision: a number, see kilim policy history", text);
	return CLI_OK;
}

static int run_history(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(str_done) struct str path = {0};
	uint64_t revision;
	int r;

	if (!c->arguments)
		return cli_list(c, "/v1/policy/history", columns, add_row);
	r = policy_revision(c, c->argument[0], &revision);
	if (r)
		return r;
	str_printf(&path, "/v1/policy/history/%llu", (unsigned long long)revision);
	r = cli_get(c, str_text(&path), &j);
	return r ? r : print_entry(c, j);
}

/* Say what was done, or give the answer as it is. */
static int done(const struct cli *c, const json_t *j, struct str *text)
{
	SCOPED(str_done) struct str clean = {0};

	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return CLI_OK;
	}
	cli_clean(&clean, str_text(text));
	cli_print(str_text(&clean), clean.len);
	return CLI_OK;
}

static int run_rollback(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *body = json_object(), *j = NULL;
	SCOPED(str_done) struct str text = {0};
	const json_t *held;
	uint64_t revision = 0;
	int r = c->arguments ? policy_revision(c, c->argument[0], &revision) : CLI_OK;

	if (r)
		return r;
	if (revision)
		(void)json_object_set_new(body, "revision", json_integer((json_int_t)revision));
	r = cli_call(c, "POST", "/v1/policy/rollback", body, "rollback", &j);
	if (r)
		return r;
	held = json_object_get(j, "held");
	str_printf(&text, "rolled back to revision %lld, in force as revision %lld\n",
		cli_number(j, "to"), cli_number(j, "revision"));
	for (size_t i = 0; i < json_array_size(held); i++) {
		const char *name = json_string_value(json_array_get(held, i));

		str_printf(&text,
			"held: %s; what it says now comes into force when it changes again or by "
			"'kilim policy release'\n",
			name ? name : "");
	}
	return done(c, j, &text);
}

static int run_release(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *body = json_object(), *j = NULL;
	SCOPED(str_done) struct str text = {0};
	const char *slash;
	int r;

	if (c->arguments) {
		slash = strrchr(c->argument[0], '/');
		(void)json_object_set_new(
			body, "name", json_string(slash ? slash + 1 : c->argument[0]));
	}
	r = cli_call(c, "POST", "/v1/policy/release", body, "release", &j);
	if (r)
		return r;
	str_printf(&text, "released, revision %lld\n", cli_number(j, "revision"));
	return done(c, j, &text);
}

const struct cli_command policy_history_command = {"policy history", "[REVISION]",
	"which policies were in force, or one revision and what it changed", 0, 1, NULL,
	run_history};
const struct cli_command policy_rollback_command = {"policy rollback", "[REVISION]",
	"go back to the policies of a revision [the one before]", 0, 1, NULL, run_rollback};
const struct cli_command policy_release_command = {"policy release", "[FILE]",
	"let files that a rollback holds say again what is in force", 0, 1, NULL, run_release};
