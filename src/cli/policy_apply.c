/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim policy apply: gives manifests to the agent, one file after the other. Owns the texts. Must
 * hold: applying a file never removes a policy that is not in it, whatever the file is called; of a
 * file with a mistake nothing is applied.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/client.h"
#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/manifest.h"

enum { STORED_NAME_MAX = 200, STORED_NAMES_TRIED = 1000 };

static const struct cli_option apply_options[] = {
	{'f', "filename", "FILE|DIR|-", NULL, CLI_REPEAT,
		"manifest; a directory's *.yaml, *.yml and *.json; - is standard input"},
	{0, "dry-run", NULL, NULL, 0, "check only, change nothing"},
	{0},
};

/* The name under which the agent keeps the text: the file's, of letters that the agent takes. */
static void stored_name(struct str *out, const struct manifest *m, unsigned number)
{
	const char *slash = strrchr(m->path, '/');
	const char *name = str_eq(m->path, "-") ? "stdin.yaml" : slash ? slash + 1 : m->path;
	const char *dot = strrchr(name, '.');
	size_t stem = dot ? (size_t)(dot - name) : strlen(name);

	stem = stem < STORED_NAME_MAX ? stem : STORED_NAME_MAX;
	if (!stem || !isalnum((unsigned char)*name))
		str_add(out, "m");
	for (size_t i = 0; i < stem; i++) {
		char c = isalnum((unsigned char)name[i]) || name[i] == '_' ? name[i] : '-';

		str_addn(out, &c, 1);
	}
	if (number > 1)
		str_printf(out, "-%u", number);
	str_add(out, dot && (str_eq(dot, ".json") || str_eq(dot, ".yml")) ? dot : ".yaml");
}

/* Whether all that the agent keeps under this name is in the new text. */
static bool name_is_free(const json_t *stored, const char *name, const struct policy_ids *ids)
{
	SCOPED(str_done) struct str origin = {0};

	str_printf(&origin, "api:%s", name);
	for (size_t i = 0; i < json_array_size(stored); i++) {
		const json_t *j = json_array_get(stored, i);

		if (str_eq(cli_text(j, "file"), str_text(&origin)) &&
			!policy_ids_have(ids, cli_text(j, "kind"), cli_text(j, "namespace"),
				cli_text(j, "name")))
			return false;
	}
	return true;
}

/* The agent calls the text "api:NAME"; people know it by its path. */
static int refused(const struct manifest *m, const char *name, const struct err *e)
{
	SCOPED(str_done) struct str origin = {0};
	const char *path = str_eq(m->path, "-") ? "standard input" : m->path;
	struct err shown = {0};

	str_printf(&origin, "api:%s:", name);
	if (str_has_prefix(e->text, str_text(&origin)))
		(void)err_set(&shown, e->code, "%s:%s", path, e->text + origin.len);
	else
		(void)err_set(&shown, e->code, "%s: %s", path, e->text);
	return cli_fail(&shown);
}

static void print_applied(const struct cli *c, const struct manifest *m, const json_t *j)
{
	const json_t *list = json_object_get(j, "policies");
	SCOPED(str_done) struct str text = {0}, clean = {0};
	bool dry_run = cli_flag(c, "dry-run", false);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		const char *namespace = cli_text(p, "namespace");

		str_printf(&text, "%s: %s/%s%s%s %s", m->path, cli_text(p, "kind"), namespace,
			*namespace ? "/" : "", cli_text(p, "name"),
			dry_run ? "would be applied" : "applied");
		if (!dry_run)
			str_printf(&text, ", revision %lld, %lld endpoints",
				cli_number(j, "revision"), cli_number(p, "endpoints"));
		str_add(&text, "\n");
	}
	cli_clean(&clean, str_text(&text));
	cli_print(str_text(&clean), clean.len);
}

static int put(const struct cli *c, const struct manifest *m, const char *name, json_t **ret)
{
	SCOPED(json_unrefp) json_t *body = json_pack("{s:s%}", "text", m->text, m->len);
	SCOPED(str_done) struct str path = {0};
	SCOPED(freep) char *encoded = api_encode(name);
	struct err e = {0};
	int status = 0, r;

	if (!body) {
		(void)err_set(&e, -EINVAL, "the text is not UTF-8");
		return refused(m, name, &e);
	}
	str_printf(&path, "/v1/policy/%s%s", encoded,
		cli_flag(c, "dry-run", false) ? "?dry_run=1" : "");
	r = cli_try(c, "PUT", str_text(&path), body, m->path, &status, ret, &e);
	if (r >= 0)
		return CLI_OK;
	if (status)
		return refused(m, name, &e);
	(void)cli_fail(&e);
	return CLI_UNREACHABLE;
}

static int apply_file(const struct cli *c, const struct manifest *m)
{
	SCOPED(json_unrefp) json_t *stored = NULL, *j = NULL;
	SCOPED(policy_ids_done) struct policy_ids ids = {0};
	SCOPED(str_done) struct str name = {0};
	struct err e = {0};
	int r;

	if (policy_ids_parse(&ids, m, &e) < 0)
		return cli_fail(&e);
	r = cli_get(c, "/v1/policy", &stored);
	if (r)
		return r;
	for (unsigned n = 1; n <= STORED_NAMES_TRIED; n++) {
		name.len = 0;
		stored_name(&name, m, n);
		if (name_is_free(stored, str_text(&name), &ids))
			break;
	}
	r = put(c, m, str_text(&name), &j);
	if (r)
		return r;
	if (c->format == CLI_TABLE)
		print_applied(c, m, j);
	else
		cli_print_value(c, j);
	return cli_flush();
}

static int run_apply(const struct cli *c)
{
	SCOPED(manifests_done) struct manifests files = {0};
	struct err e = {0};
	int worst = CLI_OK;

	if (!cli_value(c, "filename"))
		return cli_misused(c, "-f is missing: which file?");
	for (size_t i = 0; i < c->values; i++) {
		if (str_eq(c->value[i].option->name, "filename") &&
			manifests_read(&files, c->value[i].value, &e) < 0)
			return cli_fail(&e);
	}
	for (size_t i = 0; i < files.count && worst != CLI_UNREACHABLE; i++) {
		int r = apply_file(c, &files.file[i]);

		worst = r ? r : worst;
	}
	return worst;
}

const struct cli_command policy_apply_command = {
	"policy apply", "", "put policies of files in force", 0, 0, apply_options, run_apply};
