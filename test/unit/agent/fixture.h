/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_TEST_UNIT_AGENT_FIXTURE_H
#define KILIM_TEST_UNIT_AGENT_FIXTURE_H
/* A state directory of its own for each test, and policy sources in it. Included after the headers
 * of cmocka by one test each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/source.h"

#define STATE_DIR "/tmp/kilim-agent-XXXXXX"

static char dir[] = STATE_DIR;

#define POLICY(name, app)                                                                          \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: " name            \
	"\nspec:\n  endpointSelector:\n    matchLabels:\n"                                         \
	"      app: " app                                                                          \
	"\n  ingress:\n  - fromEndpoints:\n    - matchLabels:\n        app: client\n"

static inline int run(const char *format)
{
	char command[128];

	snprintf(command, sizeof(command), format, dir, dir, dir);
	return system(command);
}

static inline int setup(void **state)
{
	(void)state;
	strcpy(dir, STATE_DIR);
	return mkdtemp(dir) ? run("mkdir %s/policy %s/last-good") : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	return run("rm -r %s");
}

static inline void open_sources(struct sources *t)
{
	const struct policy_context ctx = {.cluster = "default", .default_namespace = "default"};

	sources_init(t, &ctx, dir);
}

#endif
