/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_CNI_CONF_H
#define KILIM_AGENT_CNI_CONF_H
/* The network configuration that tells container runtimes to call kilim-cni. */
#include "agent/conf.h"

/* Write it at conf->cni_conf, in one step; nothing when that is empty. */
int cni_conf_write(const struct conf *c, struct err *e) MUST_USE;

#endif
