/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_SCENARIO_H
#define KILIM_CLI_SCENARIO_H
/* What the commands that need no agent share: settings as options, and files of scenarios. */
#include "cli/cli.h"
#include "scenario/scenario.h"
#include "scenario/world.h"

/* Rows of a command's options. */
#define SCENARIO_OPTIONS                                                                           \
	{0, "cluster", "NAME", NULL, 0,                                                            \
		"name of the cluster, unless the scenario says it [default]"},                     \
		{0, "enable-policy", "MODE", "default|always|never", 0,                            \
			"as the agent's setting [default]"},                                       \
		{0, "policy-audit-mode", NULL, NULL, CLI_NEGATABLE,                                \
			"what is denied passes, and its verdict is audit"},                        \
		{0, "policy-cidr-match-mode", "LIST", NULL, 0,                                     \
			"what CIDRs of Cilium's policies mean beside addresses outside: "          \
			"nodes,pods or none [none]"},                                              \
		{0, "kubernetes-cidr-match-mode", "LIST", NULL, 0,                                 \
			"the same for Kubernetes' policies [nodes,pods]"},                         \
		{0, "policy-default-local-cluster", NULL, NULL, CLI_NEGATABLE,                     \
			"selectors mean this cluster unless they name one [true]"},                \
	{                                                                                          \
		0, "allow-localhost", "WHEN", "auto|always|policy", 0,                             \
			"whether the node always reaches its endpoints [auto: it does]"            \
	}

enum { SCENARIO_BYTES_MAX = 256 << 20 };

/* The settings that the options give. */
int scenario_options(const struct cli *c, struct scenario_settings *ret, struct err *e) MUST_USE;

/* The scenario of a document of the file at this path. */
int scenario_read(const struct scenario_settings *settings, const char *path,
	const struct yaml_doc *doc, struct scenario *ret, struct err *e) MUST_USE;

/*
 * Call fn for each scenario of the file (- is standard input); e is set instead of w where one is
 * wrong, and then the next one follows. Returns the highest enum cli_exit of all calls. A file that
 * cannot be read or is no YAML is one call with an error.
 */
typedef int (*scenario_fn)(
	const char *file, const struct world *w, const struct err *e, void *data);
int scenario_each(
	const struct scenario_settings *settings, const char *path, scenario_fn fn, void *data);

/* Bad input: print it, and CLI_USAGE. */
int scenario_fail(const struct err *e);

#endif
