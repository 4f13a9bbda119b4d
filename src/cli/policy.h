/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_POLICY_H
#define KILIM_CLI_POLICY_H
/* What the commands of kilim policy share. */
#include <stdint.h>

#include "cli/cli.h"
#include "cli/manifest.h"

/* A revision that was given as an argument; prints what is wrong with it and returns CLI_USAGE.
 * policy_history.c */
int policy_revision(const struct cli *c, const char *text, uint64_t *ret);

/* Files of -f as one change. policy_apply.c */
struct policy_files {
	struct manifests manifests;
	char **name; /* under which the agent would keep each */
	size_t count;
};

/* Read what -f names. These print failures and return enum cli_exit. */
int policy_files_read(const struct cli *c, struct policy_files *f) MUST_USE;
/* {"files": [{"name", "text"}]} */
int policy_files_body(const struct cli *c, struct policy_files *f, json_t **ret) MUST_USE;
/* POST a body with the files; a mistake in one is told with its path. */
int policy_files_post(const struct cli *c, const struct policy_files *f, const char *path,
	const json_t *body, json_t **ret) MUST_USE;
void policy_files_done(struct policy_files *f); /* for SCOPED too */

/* Say how a change is confirmed and, on a terminal, wait until it is or is taken back (CLI_FAILED).
 * applied is the agent's answer. policy_confirm.c */
int policy_countdown(const struct cli *c, const json_t *applied);

#endif
