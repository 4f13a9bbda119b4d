/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_POOLS_H
#define KILIM_AGENT_POOLS_H
/* The node's address pools, their gateways and routes, and the note of which ones this instance has
 * set up. */
#include "agent/agent.h"
#include "agent/conf.h"

/* Open the pools of the settings and their routes; what an earlier run had set up for other ranges
 * goes. */
int pools_open(struct agent *a, struct err *e) MUST_USE;
/* Remove routes and gateways of the pools that the note (or, without one, the settings) names. */
int pools_remove(const struct conf *c, struct device *d, struct err *e) MUST_USE;

#endif
