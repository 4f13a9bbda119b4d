/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_MANIFEST_H
#define KILIM_CLI_MANIFEST_H
/* Files with policies, as -f names them, and the names of the policies in a text. */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum { MANIFEST_BYTES_MAX = 7 << 20 }; /* a request's limit is 8 MiB, and JSON quotes newlines */

struct manifest {
	char *path; /* as given; "-" is standard input */
	char *text;
	size_t len;
};

struct manifests {
	struct manifest *file;
	size_t count, capacity;
};

/* Read a file, standard input (-), or every *.yaml, *.yml and *.json of a directory in order of
 * their names. */
int manifests_read(struct manifests *m, const char *path, struct err *e) MUST_USE;
void manifests_done(struct manifests *m); /* for SCOPED too */

struct policy_id {
	char *kind, *namespace, *name; /* namespace is "" for clusterwide kinds */
};

struct policy_ids {
	struct policy_id *id;
	size_t count, capacity;
};

/* The policies that a text defines; other objects are passed over. */
int policy_ids_parse(struct policy_ids *ids, const struct manifest *m, struct err *e) MUST_USE;
bool policy_ids_have(
	const struct policy_ids *ids, const char *kind, const char *namespace, const char *name);
void policy_ids_done(struct policy_ids *ids); /* for SCOPED too */

#endif
