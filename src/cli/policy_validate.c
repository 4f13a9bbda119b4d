/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kilim policy validate: every mistake in files of policies, and what looks like one. Owns the
 * texts. Must hold: no agent and no right is needed; exit status 2 means that something would be
 * refused or could not be read, 1 that there are warnings and --strict was given.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/json.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/manifest.h"
#include "cli/scenario.h"
#include "scenario/validate.h"

static const struct cli_option validate_options[] = {
	{'o', "output", "FORMAT", "text|json", 0, "how to print [text]"},
	{0, "strict", NULL, NULL, 0, "warnings make the exit status 1"},
	{0, "cluster-range", "PREFIX", NULL, CLI_REPEAT,
		"addresses of pods and nodes [10.200.0.0/24, fd00:200::/120]"},
	{0, "scenario", "FILE", NULL, 0, "who there is: its endpoints and nodes"},
	SCENARIO_OPTIONS,
	{0},
};

/* What is known beside the files. */
struct known {
	struct prefix *range;
	size_t ranges, room;
	struct scenario scenario;
	struct world world;
	bool has_scenario;
};

static void known_done(struct known *k)
{
	free(k->range);
	world_done(&k->world);
	scenario_done(&k->scenario);
}

static void add_range(struct known *k, const struct prefix *p)
{
	mem_grow(&k->range, &k->room, k->ranges + 1, sizeof(*k->range));
	k->range[k->ranges++] = *p;
}

static int read_ranges(const struct cli *c, struct known *k, struct err *e)
{
	static const char *const usual[] = {"10.200.0.0/24", "fd00:200::/120"};
	struct prefix p;

	for (size_t i = 0; i < c->values; i++) {
		if (!str_eq(c->value[i].option->name, "cluster-range"))
			continue;
		if (prefix_parse(c->value[i].value, true, &p) < 0)
			return err_set(e, -EINVAL,
				"--cluster-range: \"%.60s\" is no CIDR; write 10.0.0.0/8",
				c->value[i].value);
		add_range(k, &p);
	}
	for (size_t i = 0; !cli_value(c, "cluster-range") && i < ARRAY_SIZE(usual); i++) {
		if (!prefix_parse(usual[i], false, &p))
			add_range(k, &p);
	}
	return 0;
}

static void add_address(struct known *k, const struct addr *a)
{
	if (!addr_is_zero(a))
		add_range(k, &(struct prefix){*a, ADDR_BITS});
}

/* The scenario's document, the first of its file. */
static int read_scenario(
	const char *path, const struct scenario_settings *settings, struct known *k, struct err *e)
{
	SCOPED(manifests_done) struct manifests file = {0};
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	int r = manifests_read(&file, path, e);

	if (!r && file.count != 1)
		return err_set(e, -EINVAL, "%s: one file is expected", path);
	r = r < 0 ? r : yaml_parse(path, file.file[0].text, file.file[0].len, &docs, e);
	if (!r && !docs.count)
		return err_set(e, -EINVAL, "%s: no scenario in it", path);
	r = r < 0 ? r : scenario_read(settings, path, &docs.doc[0], &k->scenario, e);
	r = r < 0 ? r : world_make(&k->scenario, &k->world, e);
	if (r < 0)
		return r;
	k->has_scenario = true;
	for (size_t i = 0; i < k->scenario.endpoints; i++) {
		for (enum family f = 0; f < FAMILIES; f++)
			add_address(k, &k->scenario.endpoint[i].addr[f]);
	}
	for (size_t i = 0; i < k->scenario.nodes; i++) {
		for (size_t n = 0; n < k->scenario.node[i].addrs; n++)
			add_address(k, &k->scenario.node[i].addr[n]);
	}
	return 0;
}

/* Nodes may stand among the policies. */
static void add_nodes(struct known *k, const struct policy_set *set)
{
	for (size_t i = 0; i < set->nodes; i++) {
		for (size_t n = 0; n < set->node[i].addrs; n++)
			add_address(k, &set->node[i].addr[n]);
	}
}

static void read_file(struct validation *v, const char *path)
{
	SCOPED(manifests_done) struct manifests files = {0};
	struct err e = {0};

	if (manifests_read(&files, path, &e) < 0)
		findings_add(&v->findings, FINDING_ERROR, path, 1, 1, "", e.text);
	for (size_t i = 0; i < files.count; i++)
		validate_text(v, files.file[i].path, files.file[i].text, files.file[i].len);
}

static void add_count(struct str *out, size_t n, const char *what)
{
	str_printf(out, "%s%zu %s%s", out->len ? ", " : "", n, what, n == 1 ? "" : "s");
}

static void print(const struct cli *c, const struct validation *v, const size_t *count)
{
	SCOPED(str_done) struct str out = {0}, sum = {0};

	if (str_eq(cli_value(c, "output"), "json")) {
		SCOPED(json_unrefp) json_t *j = findings_json(&v->findings);
		SCOPED(freep) char *text = json_dumps(j, JSON_INDENT(2));

		cli_add_json(&out, text);
		str_add(&out, "\n");
		cli_print(str_text(&out), out.len);
		return;
	}
	findings_write(&out, &v->findings);
	for (size_t s = FINDING_ERROR + 1; s-- > 0;) {
		if (count[s])
			add_count(&sum, count[s], finding_severity_name((enum finding_severity)s));
	}
	str_printf(&out, "%zu file%s: %s\n", v->files, v->files == 1 ? "" : "s",
		sum.len ? str_text(&sum) : "nothing to say");
	cli_print(str_text(&out), out.len);
}

static int run_validate(const struct cli *c)
{
	struct known k SCOPED(known_done) = {0};
	struct validation v SCOPED(validation_done) = {0};
	struct scenario_settings settings;
	size_t count[FINDING_ERROR + 1];
	struct err e = {0};

	if (scenario_options(c, &settings, &e) < 0 || read_ranges(c, &k, &e) < 0)
		return cli_misused(c, "%s", e.text);
	if (cli_value(c, "scenario") &&
		read_scenario(cli_value(c, "scenario"), &settings, &k, &e) < 0)
		return scenario_fail(&e);
	v.context = k.has_scenario ? k.scenario.settings.context : settings.context;
	for (size_t i = 0; i < c->arguments; i++)
		read_file(&v, c->argument[i]);
	add_nodes(&k, &v.set);
	validate_policies(&v, &(struct lint_options){k.range, k.ranges,
				      k.has_scenario ? k.world.identities : NULL});
	for (size_t s = 0; s < ARRAY_SIZE(count); s++)
		count[s] = findings_count(&v.findings, (enum finding_severity)s);
	print(c, &v, count);
	if (count[FINDING_ERROR])
		return CLI_USAGE;
	return count[FINDING_WARNING] && cli_flag(c, "strict", false) ? CLI_FAILED : CLI_OK;
}

const struct cli_command policy_validate_command = {"policy validate", "FILE|DIR|-...",
	"every mistake in files of policies, and rules that do nothing", 1, 10000, validate_options,
	run_validate};
