/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_SYSCTL_H
#define KILIM_AGENT_SYSCTL_H
/* Settings of the node's kernel that kilim changes, and what they were before. */
#include "agent/conf.h"

/* Switch forwarding on. What was off before is noted in STATE-DIR/sysctl.json first. */
int sysctl_forward(const struct conf *c, struct err *e) MUST_USE;
/* Put back what was noted, and forget it. */
void sysctl_restore(const struct conf *c);

#endif
