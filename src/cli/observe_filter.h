/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_CLI_OBSERVE_FILTER_H
#define KILIM_CLI_OBSERVE_FILTER_H
/* From the filter options of kilim observe to Hubble's FlowFilters. */
#include "cli/cli.h"

/*
 * *ret becomes {"whitelist": [...], "blacklist": [...]}, each member only when there are such
 * filters; NULL when there are none at all. Options that leave the side open (--pod, --ip, ...)
 * become one filter per side, and several of them all combinations. -EINVAL names the option.
 */
int observe_filter(const struct cli *c, json_t **ret, struct err *e) MUST_USE;

#endif
