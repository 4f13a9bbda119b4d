/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_MANIFESTS_H
#define KILIM_AGENT_MANIFESTS_H
/* The manifest directory as a source of policies. */
#include "base/err.h"
#include "base/mem.h"

struct agent;
struct manifests;

/* Watch the directory; synced is called once, when what was there at the start is in the table of
 * sources. */
int manifests_open(struct agent *a, void (*synced)(struct agent *a), struct manifests **ret,
	struct err *e) MUST_USE;
void manifests_close(struct manifests *m);

#endif
