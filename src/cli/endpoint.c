/* SPDX-License-Identifier: Apache-2.0 */
/* kilim endpoint list, get and delete: the workloads of this node. Owns nothing. */
#include "api/client.h"
#include "codec/json.h"
#include "codec/text.h"
#include "cli/cli.h"
#include "cli/commands.h"

static const struct cli_option list_options[] = {
	{'l', "label", "SELECTOR", NULL, CLI_REPEAT,
		"only endpoints with these labels, such as app=web"},
	{0},
};

static const struct text_column columns[] = {{"ID", true}, {"NAME", false}, {"STATE", false},
	{"INGRESS", false}, {"EGRESS", false}, {"IDENTITY", true}, {"IPV4", false}, {"IPV6", false},
	{"LABELS", false}, {0}};

static const char *enforced(const json_t *policy, const char *direction)
{
	return json_is_true(json_object_get(policy, direction)) ? "enforced" : "open";
}

static void add_row(struct text_table *t, const json_t *j)
{
	const json_t *addresses = json_object_get(j, "addresses"),
		     *policy = json_object_get(j, "policy");
	const char *namespace = cli_text(j, "namespace");
	SCOPED(str_done) struct str labels = {0};

	cli_join(&labels, json_object_get(j, "labels"), ",");
	text_cell(t, "%lld", cli_number(j, "id"));
	text_cell(t, "%s%s%s", namespace, *namespace ? "/" : "", cli_text(j, "name"));
	text_cell(t, "%s", cli_text(j, "state"));
	text_cell(t, "%s", enforced(policy, "ingress"));
	text_cell(t, "%s", enforced(policy, "egress"));
	text_cell(t, "%lld", cli_number(j, "identity"));
	text_cell(t, "%s", cli_text(addresses, "ipv4"));
	text_cell(t, "%s", cli_text(addresses, "ipv6"));
	text_cell(t, "%s", str_text(&labels));
}

static int run_list(const struct cli *c)
{
	SCOPED(str_done) struct str path = {0};
	struct err e = {0};

	str_add(&path, "/v1/endpoint");
	for (size_t i = 0; i < c->values; i++) {
		SCOPED(freep) char *text = NULL;

		if (!str_eq(c->value[i].option->name, "label"))
			continue;
		if (cli_check_selector("label", c->value[i].value, &e) < 0)
			return cli_misused(c, "%s", e.text);
		text = api_encode(c->value[i].value);
		str_printf(&path, "%clabel=%s", path.len == 12 ? '?' : '&', text);
	}
	return cli_list(c, str_text(&path), columns, add_row);
}

static char *endpoint_path(const char *id)
{
	SCOPED(freep) char *text = api_encode(id);
	struct str path = {0};

	str_printf(&path, "/v1/endpoint/%s", text);
	return str_take(&path);
}

static int run_get(const struct cli *c)
{
	SCOPED(freep) char *path = endpoint_path(c->argument[0]);
	SCOPED(json_unrefp) json_t *j = NULL;
	struct cli as = *c;
	int r;

	if (!*c->argument[0])
		return cli_misused(c, "the name of the endpoint is empty");
	r = cli_get(c, path, &j);
	if (r)
		return r;
	/* there is no table of one thing */
	as.format = c->format == CLI_TABLE ? CLI_YAML : c->format;
	cli_print_value(&as, j);
	return CLI_OK;
}

static int run_delete(const struct cli *c)
{
	int worst = CLI_OK;

	for (size_t i = 0; i < c->arguments; i++) {
		SCOPED(freep) char *path = endpoint_path(c->argument[i]);
		SCOPED(str_done) struct str line = {0};
		int r;

		if (!*c->argument[i])
			return cli_misused(c, "the name of an endpoint is empty");
		r = cli_call(c, "DELETE", path, NULL, c->argument[i], NULL);
		if (r)
			worst = r;
		if (r == CLI_UNREACHABLE)
			break;
		if (r)
			continue;
		str_add(&line, "endpoint ");
		str_add_printable(&line, c->argument[i]);
		str_add(&line, " deleted\n");
		cli_print(str_text(&line), line.len);
	}
	return worst;
}

const struct cli_command endpoint_list_command = {
	"endpoint list", "", "the workloads of this node", 0, 0, list_options, run_list};
const struct cli_command endpoint_get_command = {"endpoint get", "ENDPOINT",
	"one workload, with everything known of it", 1, 1, NULL, run_get};
const struct cli_command endpoint_delete_command = {
	"endpoint delete", "ENDPOINT...", "disconnect workloads", 1, 1000, NULL, run_delete};
