/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim policy apply: gives manifests to the agent, one file after the other, or all as one change
 * that waits for its confirmation. Owns the texts. Must hold: applying a file never removes a
 * policy that is not in it, whatever the file is called; of a file with a mistake nothing is
 * applied.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/manifest.h"
#include "cli/policy.h"

enum { STORED_NAME_MAX = 200, STORED_NAMES_TRIED = 1000 };

static const struct cli_option apply_options[] = {
	{'f', "filename", "FILE|DIR|-", NULL, CLI_REPEAT,
		"manifest; a directory's *.yaml, *.yml and *.json; - is standard input"},
	{0, "dry-run", NULL, NULL, 0, "check only, change nothing"},
	{0, "shadow", NULL, NULL, 0,
		"put the policies in shadow mode: they decide nothing, what they would change is "
		"reported"},
	{0, "confirm", "DURATION", NULL, 0,
		"take all of it back unless 'kilim policy confirm' comes within this time"},
	{0},
};

/* The name under which the agent keeps the text: the file's, of letters that the agent takes. */
static void stored_name(struct str *out, const struct manifest *m, unsigned number, bool is_shadow)
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
	/* the agent takes this for the mode */
	str_add(out, is_shadow ? ".shadow" : "");
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

static void print_policies(
	const struct cli *c, const struct manifest *m, const json_t *j, const char *name)
{
	const json_t *list = json_object_get(j, "policies");
	SCOPED(str_done) struct str text = {0}, clean = {0}, origin = {0};
	bool dry_run = cli_flag(c, "dry-run", false);

	str_printf(&origin, "api:%s", name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);
		const char *namespace = cli_text(p, "namespace"), *file = cli_text(p, "file");

		if (*file && !str_eq(file, str_text(&origin)))
			continue;
		str_printf(&text, "%s: %s/%s%s%s %s", m->path, cli_text(p, "kind"), namespace,
			*namespace ? "/" : "", cli_text(p, "name"),
			dry_run ? "would be applied" : "applied");
		if (str_eq(cli_text(p, "mode"), "shadow"))
			str_add(&text, " in shadow mode");
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

/* A name for the file's text that loses nothing that is stored, nor another file of the same call.
 */
static void choose_name(const struct cli *c, const struct manifest *m, const struct policy_ids *ids,
	const json_t *stored, const struct policy_files *taken, struct str *out)
{
	for (unsigned n = 1; n <= STORED_NAMES_TRIED; n++) {
		bool free = true;

		out->len = 0;
		stored_name(out, m, n, cli_flag(c, "shadow", false));
		for (size_t i = 0; taken && i < taken->count; i++)
			free &= !str_eq(taken->name[i], str_text(out));
		if (free && name_is_free(stored, str_text(out), ids))
			break;
	}
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
	choose_name(c, m, &ids, stored, NULL, &name);
	r = put(c, m, str_text(&name), &j);
	if (r)
		return r;
	if (c->format == CLI_TABLE)
		print_policies(c, m, j, str_text(&name));
	else
		cli_print_value(c, j);
	return cli_flush();
}

int policy_files_read(const struct cli *c, struct policy_files *f)
{
	struct err e = {0};

	if (!cli_value(c, "filename"))
		return cli_misused(c, "-f is missing: which file?");
	for (size_t i = 0; i < c->values; i++) {
		if (str_eq(c->value[i].option->name, "filename") &&
			manifests_read(&f->manifests, c->value[i].value, &e) < 0)
			return cli_fail(&e);
	}
	return CLI_OK;
}

int policy_files_body(const struct cli *c, struct policy_files *f, json_t **ret)
{
	SCOPED(json_unrefp) json_t *stored = NULL, *list = json_array();
	int r = cli_get(c, "/v1/policy", &stored);

	f->name = mem_array(f->manifests.count, sizeof(char *));
	for (size_t i = 0; !r && i < f->manifests.count; i++) {
		const struct manifest *m = &f->manifests.file[i];
		SCOPED(policy_ids_done) struct policy_ids ids = {0};
		SCOPED(str_done) struct str name = {0};
		json_t *file;
		struct err e = {0};

		if (policy_ids_parse(&ids, m, &e) < 0)
			return cli_fail(&e);
		choose_name(c, m, &ids, stored, f, &name);
		file = json_pack("{s:s, s:s%}", "name", str_text(&name), "text", m->text, m->len);
		if (!file) {
			(void)err_set(&e, -EINVAL, "the text is not UTF-8");
			return refused(m, str_text(&name), &e);
		}
		(void)json_array_append_new(list, file);
		f->name[f->count++] = str_take(&name);
	}
	if (!r)
		*ret = json_pack("{s:O}", "files", list);
	return r;
}

int policy_files_post(const struct cli *c, const struct policy_files *f, const char *path,
	const json_t *body, json_t **ret)
{
	struct err e = {0};
	int status = 0, r = cli_try(c, "POST", path, body, c->command->name, &status, ret, &e);

	if (r >= 0)
		return CLI_OK;
	for (size_t i = 0; status && i < f->count; i++) {
		SCOPED(str_done) struct str origin = {0};

		str_printf(&origin, "api:%s:", f->name[i]);
		if (str_has_prefix(e.text, str_text(&origin)))
			return refused(&f->manifests.file[i], f->name[i], &e);
	}
	(void)cli_fail(&e);
	return status ? CLI_FAILED : CLI_UNREACHABLE;
}

void policy_files_done(struct policy_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->name[i]);
	free(f->name);
	manifests_done(&f->manifests);
}

/* All files as one change, which is taken back unless it is confirmed. */
static int apply_unconfirmed(const struct cli *c, struct policy_files *f)
{
	SCOPED(json_unrefp) json_t *body = NULL, *j = NULL;
	bool dry_run = cli_flag(c, "dry-run", false);
	int r = policy_files_body(c, f, &body);

	if (r)
		return r;
	(void)json_object_set_new(body, "confirm", json_string(cli_value(c, "confirm")));
	(void)json_object_set_new(body, "dry_run", json_boolean(dry_run));
	r = policy_files_post(c, f, "/v1/policy", body, &j);
	if (r)
		return r;
	if (c->format != CLI_TABLE) {
		cli_print_value(c, j);
		return cli_flush();
	}
	for (size_t i = 0; i < f->count; i++)
		print_policies(c, &f->manifests.file[i], j, f->name[i]);
	r = cli_flush();
	return r || dry_run ? r : policy_countdown(c, j);
}

static int run_apply(const struct cli *c)
{
	SCOPED(policy_files_done) struct policy_files f = {0};
	const char *confirm = cli_value(c, "confirm");
	uint64_t ns;
	int worst;

	if (confirm && (str_to_duration(confirm, &ns) < 0 || !ns))
		return cli_misused(c, "--confirm: '%s' is no duration such as 60s or 5m", confirm);
	worst = policy_files_read(c, &f);
	if (worst)
		return worst;
	if (confirm)
		return apply_unconfirmed(c, &f);
	for (size_t i = 0; i < f.manifests.count && worst != CLI_UNREACHABLE; i++) {
		int r = apply_file(c, &f.manifests.file[i]);

		worst = r ? r : worst;
	}
	return worst;
}

const struct cli_command policy_apply_command = {
	"policy apply", "", "put policies of files in force", 0, 0, apply_options, run_apply};
