/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_LOAD_H
#define KILIM_DATAPATH_LOAD_H
#include "datapath/handle.h"

/*
 * Load this build's programs over the maps that are pinned (moved where their layout differs), open
 * d->map[] and put the programs in force. When the policy maps cannot be taken over, that waits in
 * d->load for load_commit(), and the old programs go on. adopted: programs were in force before.
 */
int load_programs(struct datapath *d, const struct datapath_options *o, bool *ret_adopted,
	struct err *e) MUST_USE;
/* The whole policy is in the maps: put what waits in d->load in force. */
int load_commit(struct datapath *d, struct err *e) MUST_USE;
void load_free(struct load *l);

#endif
