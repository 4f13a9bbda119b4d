/* SPDX-License-Identifier: Apache-2.0 */
/* kilim policy list, get, delete and promote. Owns nothing. Must hold: a short name that fits
 * several policies changes none of them. */
#include <errno.h>
#include <string.h>

#include "api/client.h"
#include "codec/json.h"
#include "codec/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/manifest.h"

static const struct cli_option mode_options[] = {
	{0, "shadow", NULL, NULL, 0, "the one in shadow mode, also when there is an enforced one"},
	{0},
};
static const struct cli_option delete_options[] = {
	{0, "shadow", NULL, NULL, 0, "those in shadow mode, also when there are enforced ones"},
	{'f', "filename", "FILE|DIR|-", NULL, CLI_REPEAT,
		"delete the policies that are in this file"},
	{0},
};

static const struct text_column columns[] = {{"KIND", false}, {"NAME", false}, {"STATE", false},
	{"RULES", true}, {"REALIZED", true}, {"HITS", true}, {"DIFFERENCES", true},
	{"SOURCE", false}, {0}};
static const struct text_column rule_columns[] = {{"RULE", true}, {"POLICY", false},
	{"PATH", false}, {"DIRECTION", false}, {"VERDICT", false}, {"HITS", true},
	{"SOURCE", false}, {0}};
static const struct cli_option list_options[] = {
	{0, "rules", NULL, NULL, 0, "the rules of the policies, and what each has decided"},
	{0},
};

static void add_row(struct text_table *t, const json_t *j)
{
	const char *namespace = cli_text(j, "namespace");

	text_cell(t, "%s", cli_text(j, "kind"));
	text_cell(t, "%s%s%s", namespace, *namespace ? "/" : "", cli_text(j, "name"));
	text_cell(t, "%s", cli_text(j, "state"));
	text_cell(t, "%lld", cli_number(j, "rules"));
	text_cell(t, "%lld/%lld", cli_number(j, "realized"), cli_number(j, "endpoints"));
	text_cell(t, "%lld", cli_number(j, "hits"));
	if (json_object_get(j, "shadow_differences"))
		text_cell(t, "%lld", cli_number(j, "shadow_differences"));
	else
		text_cell(t, "-");
	text_cell(t, "%s:%lld", cli_text(j, "file"), cli_number(j, "line"));
}

static void add_name(struct str *out, const json_t *j);

static void add_rules(struct text_table *t, const json_t *j)
{
	const json_t *rules = json_object_get(j, "rule");
	SCOPED(str_done) struct str name = {0};

	add_name(&name, j);
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *r = json_array_get(rules, i);

		text_cell(t, "%lld", cli_number(r, "id"));
		text_cell(t, "%s%s", str_text(&name),
			str_eq(cli_text(j, "mode"), "shadow") ? " (shadow)" : "");
		text_cell(t, "%s", cli_text(r, "path"));
		text_cell(t, "%s", cli_text(r, "direction"));
		text_cell(t, "%s", cli_text(r, "verdict"));
		text_cell(t, "%lld", cli_number(r, "hits"));
		text_cell(t, "%s:%lld", cli_text(j, "file"), cli_number(r, "line"));
	}
}

static int run_list(const struct cli *c)
{
	if (cli_flag(c, "rules", false))
		return cli_list(c, "/v1/policy?rules=1", rule_columns, add_rules);
	return cli_list(c, "/v1/policy", columns, add_row);
}

/* Whether NAME, NAMESPACE/NAME, KIND/NAME or KIND/NAMESPACE/NAME means this policy. */
static bool name_fits(const json_t *j, const char *wanted)
{
	const char *kind = cli_text(j, "kind"), *namespace = cli_text(j, "namespace"),
		   *name = cli_text(j, "name");
	const char *const parts[][3] = {{"", "", name}, {namespace, "/", name}, {kind, "/", name}};
	SCOPED(str_done) struct str full = {0};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		SCOPED(str_done) struct str text = {0};

		str_printf(&text, "%s%s%s", parts[i][0], parts[i][1], parts[i][2]);
		if (str_eq(str_text(&text), wanted))
			return true;
	}
	str_printf(&full, "%s/%s/%s", kind, *namespace ? namespace : "-", name);
	return str_eq(str_text(&full), wanted);
}

static void add_name(struct str *out, const json_t *j)
{
	const char *namespace = cli_text(j, "namespace");

	str_printf(out, "%s/%s%s%s", cli_text(j, "kind"), namespace, *namespace ? "/" : "",
		cli_text(j, "name"));
}

static int unknown_policy(const json_t *list, const char *wanted)
{
	struct nearest n = {.wanted = wanted};
	SCOPED(str_done) struct str hint = {0};
	struct err e = {0};

	for (size_t i = 0; i < json_array_size(list); i++)
		nearest_offer(&n, cli_text(json_array_get(list, i), "name"));
	nearest_write(&n, "", &hint);
	(void)err_set(&e, -ENOENT, "there is no policy '%.200s'%s", wanted, str_text(&hint));
	return cli_fail(&e);
}

static bool is_shadow(const json_t *j)
{
	return str_eq(cli_text(j, "mode"), "shadow");
}

/* Whether both are one policy but for the mode. */
static bool is_namesake(const json_t *a, const json_t *b)
{
	return str_eq(cli_text(a, "kind"), cli_text(b, "kind")) &&
	       str_eq(cli_text(a, "namespace"), cli_text(b, "namespace")) &&
	       str_eq(cli_text(a, "name"), cli_text(b, "name"));
}

/* The one policy of the list that the name means; of an enforced one and the one in shadow mode
 * that would replace it the enforced one, unless shadow is wanted. Prints why there is none. */
static int find_policy(const json_t *list, const char *wanted, bool shadow, const json_t **ret)
{
	SCOPED(str_done) struct str names = {0};
	const json_t *found = NULL;
	size_t count = 0;
	struct err e = {0};

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);

		if (!name_fits(j, wanted) || (shadow && !is_shadow(j)))
			continue;
		if (found && is_namesake(found, j)) {
			found = is_shadow(found) ? j : found;
			continue;
		}
		str_add(&names, count++ ? ", " : "");
		add_name(&names, j);
		found = j;
	}
	if (!count && shadow) {
		(void)err_set(&e, -ENOENT, "there is no policy '%.200s' in shadow mode", wanted);
		return cli_fail(&e);
	}
	if (!count)
		return unknown_policy(list, wanted);
	if (count > 1) {
		(void)err_set(&e, -EINVAL,
			"'%.200s' means %zu policies: %s; give one of these names", wanted, count,
			str_text(&names));
		return cli_fail(&e);
	}
	*ret = found;
	return CLI_OK;
}

static char *policy_path(
	const char *kind, const char *namespace, const char *name, const char *rest)
{
	SCOPED(freep)
	char *k = api_encode(kind), *ns = api_encode(*namespace ? namespace : "-"),
	     *n = api_encode(name);
	struct str path = {0};

	str_printf(&path, "/v1/policy/%s/%s/%s%s", k, ns, n, rest);
	return str_take(&path);
}

/* What the path of the policy ends with, so that the mode is the one meant. */
static const char *mode_query(const json_t *j)
{
	return is_shadow(j) ? "?mode=shadow" : "";
}

static int run_get(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *list = NULL, *j = NULL;
	SCOPED(freep) char *path = NULL;
	const json_t *found = NULL;
	struct cli as = *c;
	int r = cli_get(c, "/v1/policy", &list);

	if (!r)
		r = find_policy(list, c->argument[0], cli_flag(c, "shadow", false), &found);
	if (r)
		return r;
	path = policy_path(cli_text(found, "kind"), cli_text(found, "namespace"),
		cli_text(found, "name"), mode_query(found));
	r = cli_get(c, path, &j);
	if (r)
		return r;
	as.format = c->format == CLI_TABLE ? CLI_YAML : c->format;
	cli_print_value(&as, j);
	return CLI_OK;
}

static int delete_one(const struct cli *c, const char *kind, const char *namespace,
	const char *name, const char *query)
{
	SCOPED(freep) char *path = policy_path(kind, namespace, name, query);
	SCOPED(json_unrefp) json_t *j = NULL;
	SCOPED(str_done) struct str text = {0}, clean = {0};
	int r = cli_call(c, "DELETE", path, NULL, name, &j);

	if (r)
		return r;
	str_printf(&text, "%s/%s%s%s deleted, revision %lld", kind, namespace,
		*namespace ? "/" : "", name, cli_number(j, "revision"));
	str_add_printable(&clean, str_text(&text));
	str_add(&clean, "\n");
	cli_print(str_text(&clean), clean.len);
	return CLI_OK;
}

static int delete_file(const struct cli *c, const char *path)
{
	SCOPED(manifests_done) struct manifests files = {0};
	SCOPED(policy_ids_done) struct policy_ids ids = {0};
	struct err e = {0};
	int worst = CLI_OK;

	if (manifests_read(&files, path, &e) < 0)
		return cli_fail(&e);
	for (size_t i = 0; i < files.count; i++) {
		if (policy_ids_parse(&ids, &files.file[i], &e) < 0)
			return cli_fail(&e);
	}
	if (!ids.count) {
		(void)err_set(&e, -ENOENT, "%s: no policy in it", path);
		return cli_fail(&e);
	}
	for (size_t i = 0; i < ids.count && worst != CLI_UNREACHABLE; i++) {
		int r = delete_one(c, ids.id[i].kind, ids.id[i].namespace, ids.id[i].name,
			cli_flag(c, "shadow", false) ? "?mode=shadow" : "");

		worst = r ? r : worst;
	}
	return worst;
}

static int delete_named(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *list = NULL;
	int r = cli_get(c, "/v1/policy", &list), worst = r;

	for (size_t i = 0; i < c->arguments && worst != CLI_UNREACHABLE && list; i++) {
		const json_t *found = NULL;

		r = find_policy(list, c->argument[i], cli_flag(c, "shadow", false), &found);
		if (!r)
			r = delete_one(c, cli_text(found, "kind"), cli_text(found, "namespace"),
				cli_text(found, "name"), mode_query(found));
		worst = r ? r : worst;
	}
	return worst;
}

static int run_delete(const struct cli *c)
{
	int worst = CLI_OK;

	if (!c->arguments && !cli_value(c, "filename"))
		return cli_misused(c, "name the policy, or a file with -f");
	for (size_t i = 0; i < c->values && worst != CLI_UNREACHABLE; i++) {
		int r = CLI_OK;

		if (str_eq(c->value[i].option->name, "filename"))
			r = delete_file(c, c->value[i].value);
		worst = r ? r : worst;
	}
	if (c->arguments && worst != CLI_UNREACHABLE) {
		int r = delete_named(c);

		worst = r ? r : worst;
	}
	return worst;
}

static int run_promote(const struct cli *c)
{
	SCOPED(json_unrefp) json_t *list = NULL, *j = NULL;
	SCOPED(str_done) struct str text = {0}, clean = {0};
	SCOPED(freep) char *path = NULL;
	const json_t *found = NULL;
	int r = cli_get(c, "/v1/policy", &list);

	r = r ? r : find_policy(list, c->argument[0], true, &found);
	if (r)
		return r;
	path = policy_path(cli_text(found, "kind"), cli_text(found, "namespace"),
		cli_text(found, "name"), "/promote");
	r = cli_call(c, "POST", path, NULL, c->argument[0], &j);
	if (r)
		return r;
	add_name(&text, found);
	str_printf(&text, " is enforced, revision %lld", cli_number(j, "revision"));
	str_add_printable(&clean, str_text(&text));
	str_add(&clean, "\n");
	cli_print(str_text(&clean), clean.len);
	return CLI_OK;
}

const struct cli_command policy_list_command = {
	"policy list", "", "the policies of this node", 0, 0, list_options, run_list};
const struct cli_command policy_get_command = {"policy get", "POLICY",
	"one policy: NAME, NAMESPACE/NAME or KIND/NAMESPACE/NAME", 1, 1, mode_options, run_get};
const struct cli_command policy_delete_command = {"policy delete", "[POLICY]...",
	"remove policies that were applied", 0, 1000, delete_options, run_delete};
const struct cli_command policy_promote_command = {"policy promote", "POLICY",
	"enforce a policy that is in shadow mode, in place of its namesake", 1, 1, NULL,
	run_promote};
