/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy diff: what a change would come to. Owns the texts of files. Must hold: nothing is
 * changed, neither here nor by the agent. */
#include <stdio.h>
#include <string.h>

#include "codec/json.h"
#include "codec/text.h"
#include "cli/commands.h"
#include "cli/policy.h"

static const struct cli_option diff_options[] = {
	{'f', "filename", "FILE|DIR|-", NULL, CLI_REPEAT,
		"what would change if these were applied"},
	{0, "shadow", NULL, NULL, 0, "as with apply --shadow"},
	{0},
};

static char mark_of(const json_t *j)
{
	const char *change = cli_text(j, "change");

	return str_eq(change, "added") ? '+' : str_eq(change, "removed") ? '-' : '~';
}

static void add_policies(struct str *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *namespace = cli_text(j, "namespace");

		str_printf(out, "%c %s/%s%s%s%s  %s:%lld\n", mark_of(j), cli_text(j, "kind"),
			namespace, *namespace ? "/" : "", cli_text(j, "name"),
			str_eq(cli_text(j, "mode"), "shadow") ? " (shadow)" : "",
			cli_text(j, "file"), cli_number(j, "line"));
	}
}

static void add_rules(struct str *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);

		str_printf(out, "%c %s %s %s %s  %s:%lld\n", mark_of(j), cli_text(j, "policy"),
			cli_text(j, "path"), cli_text(j, "verdict"), cli_text(j, "direction"),
			cli_text(j, "file"), cli_number(j, "line"));
	}
}

static void add_counts(struct str *out, const json_t *entries, const char *key, const char *name)
{
	const json_t *j = json_object_get(entries, key);

	str_printf(out, "%s: %lld, were %lld; %lld to write\n", name, cli_number(j, "after"),
		cli_number(j, "before"), cli_number(j, "written"));
}

static void add_end(struct str *out, const json_t *j)
{
	const char *name = cli_text(j, "name");

	str_printf(
		out, "%s%s%s%s", cli_text(j, "address"), *name ? " (" : "", name, *name ? ")" : "");
}

static void add_flow(struct str *out, const json_t *j)
{
	const json_t *before = json_object_get(j, "before"), *after = json_object_get(j, "after");
	long long count = cli_number(j, "count");
	bool icmp = str_has_prefix(cli_text(j, "protocol"), "ICMP");

	add_end(out, json_object_get(j, "source"));
	str_add(out, " -> ");
	add_end(out, json_object_get(j, "destination"));
	if (icmp)
		str_printf(
			out, " %s type %lld", cli_text(j, "protocol"), cli_number(j, "port") >> 8);
	else
		str_printf(out, " %lld/%s", cli_number(j, "port"), cli_text(j, "protocol"));
	if (count > 1)
		str_printf(out, ", %lld times", count);
	str_printf(out, "\n    %-6s %s: %s\n    %-6s %s: %s\n", cli_text(before, "verdict"),
		cli_text(before, "direction"), cli_text(before, "rule"), cli_text(after, "verdict"),
		cli_text(after, "direction"), cli_text(after, "rule"));
}

static void add_flows(struct str *out, const json_t *j)
{
	const json_t *list = json_object_get(j, "flows");
	long long changed = cli_number(j, "changed");

	str_printf(out, "\nof %lld flows that were seen %lld would get another verdict\n",
		cli_number(j, "seen"), changed);
	for (size_t i = 0; i < json_array_size(list); i++)
		add_flow(out, json_array_get(list, i));
	if (changed > (long long)json_array_size(list))
		str_printf(out, "and %lld more\n", changed - (long long)json_array_size(list));
}

static int print_diff(const struct cli *c, const json_t *j)
{
	const json_t *policies = json_object_get(j, "policies"),
		     *rules = json_object_get(j, "rules"), *entries = json_object_get(j, "entries");
	const char *refused = cli_text(j, "refused");
	SCOPED(str_done) struct str out = {0}, clean = {0};

	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return CLI_OK;
	}
	if (cli_number(j, "to"))
		str_printf(&out, "from revision %lld to %lld: ", cli_number(j, "from"),
			cli_number(j, "to"));
	str_printf(&out, "%zu policies and %zu rules differ\n", json_array_size(policies),
		json_array_size(rules));
	add_policies(&out, policies);
	str_add(&out, json_array_size(rules) ? "\n" : "");
	add_rules(&out, rules);
	str_add(&out, "\n");
	add_counts(&out, entries, "slots", "slots");
	add_counts(&out, entries, "rule_entries", "rule entries");
	add_counts(&out, entries, "peer_entries", "peer entries");
	add_flows(&out, json_object_get(j, "flows"));
	if (*refused)
		str_printf(&out, "\nit would be refused: %s\n", refused);
	cli_clean(&clean, str_text(&out));
	cli_print(str_text(&clean), clean.len);
	return CLI_OK;
}

static int ask(const struct cli *c, struct policy_files *f, json_t **ret)
{
	SCOPED(json_unrefp) json_t *body = NULL;
	static const char *const keys[] = {"from", "to"};
	int r;

	if (cli_value(c, "filename")) {
		r = policy_files_read(c, f);
		r = r ? r : policy_files_body(c, f, &body);
		return r ? r : policy_files_post(c, f, "/v1/policy/diff", body, ret);
	}
	body = json_object();
	for (unsigned i = 0; i < c->arguments; i++) {
		uint64_t revision;

		r = policy_revision(c, c->argument[i], &revision);
		if (r)
			return r;
		(void)json_object_set_new(body, keys[i], json_integer((json_int_t)revision));
	}
	return cli_call(c, "POST", "/v1/policy/diff", body, "diff", ret);
}

static int run_diff(const struct cli *c)
{
	SCOPED(policy_files_done) struct policy_files f = {0};
	SCOPED(json_unrefp) json_t *j = NULL;
	int r;

	if (!cli_value(c, "filename") == !c->arguments)
		return cli_misused(c, "give files with -f, or one or two revisions");
	r = ask(c, &f, &j);
	return r ? r : print_diff(c, j);
}

const struct cli_command policy_diff_command = {"policy diff", "[REVISION [REVISION]]",
	"what files would change, or what changed since or between revisions", 0, 2, diff_options,
	run_diff};
