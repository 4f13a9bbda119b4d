/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_LOAD_H
#define KILIM_DATAPATH_LOAD_H
#include "datapath/handle.h"

/*
 * Load this build's programs over the maps that are pinned (moved where their layout differs), put
 * them in force and open d->map[]. adopted: programs were in force before.
 */
int load_programs(struct datapath *d, const struct datapath_options *o, bool *ret_adopted,
	struct err *e) MUST_USE;

#endif
