/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios for the commands that need no agent. Called by policy test, policy matrix and policy
 * explain. Owns the texts. Must hold: paths of policies start at the scenario's file, wherever
 * kilim was started.
 */
#include "cli/scenario.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"

/* nodes,pods in any order; none or nothing for neither. */
static int parse_reach(const char *option, const char *text, unsigned *ret, struct err *e)
{
	SCOPED(freep) char *copy = mem_strdup(text);
	char *rest = copy;
	unsigned reach = 0;

	for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
		if (str_eq(word, "nodes"))
			reach |= PREFIX_NODES;
		else if (str_eq(word, "pods"))
			reach |= PREFIX_PODS;
		else if (*word && !str_eq(word, "none"))
			return err_set(e, -EINVAL, "--%s: '%.40s' is none of nodes, pods, none",
				option, word);
	}
	*ret = reach;
	return 0;
}

static int reach_option(const struct cli *c, const char *name, unsigned *ret, struct err *e)
{
	const char *text = cli_value(c, name);

	return text ? parse_reach(name, text, ret, e) : 0;
}

int scenario_options(const struct cli *c, struct scenario_settings *ret, struct err *e)
{
	struct scenario_settings s = scenario_settings_default();
	const char *cluster = cli_value(c, "cluster"), *enforce = cli_value(c, "enable-policy");
	int r = reach_option(c, "policy-cidr-match-mode", &s.context.cilium_reach, e);

	r = r < 0 ? r
		  : reach_option(c, "kubernetes-cidr-match-mode", &s.context.kubernetes_reach, e);
	if (r < 0)
		return r;
	if (cluster && *cluster)
		s.context.cluster = cluster;
	if (enforce)
		s.enforce = str_eq(enforce, "always")  ? POLICY_ENFORCE_ALWAYS
			    : str_eq(enforce, "never") ? POLICY_ENFORCE_NEVER
						       : POLICY_ENFORCE_DEFAULT;
	s.audit = cli_flag(c, "policy-audit-mode", s.audit);
	s.context.local_cluster =
		cli_flag(c, "policy-default-local-cluster", s.context.local_cluster);
	s.localhost = !str_eq(cli_value(c, "allow-localhost"), "policy");
	*ret = s;
	return 0;
}

int scenario_read(const struct scenario_settings *settings, const char *path,
	const struct yaml_doc *doc, struct scenario *ret, struct err *e)
{
	const char *slash = strrchr(path, '/');
	SCOPED(str_done) struct str directory = {0};

	str_addn(&directory, path, slash ? (size_t)(slash - path) : 0);
	if (slash == path)
		str_add(&directory, "/");
	return scenario_parse(settings, path, str_text(&directory), doc, ret, e);
}

static int run_one(const struct scenario_settings *settings, const char *path,
	const struct yaml_doc *doc, scenario_fn fn, void *data)
{
	struct scenario SCOPED(scenario_done) s = {0};
	struct world SCOPED(world_done) w = {0};
	struct err e = {0};

	if (scenario_read(settings, path, doc, &s, &e) < 0 || world_make(&s, &w, &e) < 0)
		return fn(path, NULL, &e, data);
	return fn(path, &w, NULL, data);
}

int scenario_each(
	const struct scenario_settings *settings, const char *path, scenario_fn fn, void *data)
{
	const char *file = str_eq(path, "-") ? "/dev/stdin" : path;
	SCOPED(yaml_docs_done) struct yaml_docs docs = {0};
	SCOPED(freep) char *text = NULL;
	struct err e = {0};
	int worst = CLI_OK;
	size_t len;

	if (fd_read_file(file, SCENARIO_BYTES_MAX, &text, &len, &e) < 0 ||
		yaml_parse(path, text, len, &docs, &e) < 0)
		return fn(path, NULL, &e, data);
	if (!docs.count) {
		(void)err_set(&e, -EINVAL, "%s: no scenario in it", path);
		return fn(path, NULL, &e, data);
	}
	for (size_t i = 0; i < docs.count; i++) {
		int r = run_one(settings, path, &docs.doc[i], fn, data);

		worst = r > worst ? r : worst;
	}
	return worst;
}

int scenario_fail(const struct err *e)
{
	(void)cli_fail(e);
	return CLI_USAGE;
}
