/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_POLICY_H
#define KILIM_DATAPATH_POLICY_H
/* The policy maps and their copy in memory, for policy.c; the reading and writing of entries is in
 * policy_map.c. Not for others. */
#include "base/hash.h"
#include "datapath/handle.h"
#include "datapath/slot.h"
#include "datapath/table.h"

struct policy_table {
	struct table slot_map, peer_map, rule_map;
	struct hash slot; /* identity to struct slot: the revision in force */
	struct hash row[2]; /* by generation: identity to slot number, as the map slot has it */
	struct slot **old; /* replaced; their entries are still in the maps */
	size_t olds, old_room;
	size_t unread; /* of old, from the first on: no program can be reading them any more */
	bool settled; /* no program is left that began before the last switch */
	char *used; /* by slot number */
	size_t used_room;
	size_t peers, rules; /* entries in the maps */
	size_t written, kept; /* slots of the last switch */
	struct loop_source *timer;
};

/* Give the slot a number and write its entries; on failure nothing is left of it and it has no
 * number. */
int slot_write(struct policy_table *t, struct slot *s, struct err *e) MUST_USE;
/* Remove its entries and give its number back. */
void slot_unwrite(struct policy_table *t, struct slot *s);
/* Write those peers that the slot has not. */
int slot_add_peers(struct policy_table *t, struct slot *s, const struct peer_key_class *peer,
	size_t peers, struct err *e) MUST_USE;
int row_put(
	struct policy_table *t, unsigned generation, const struct slot *s, struct err *e) MUST_USE;
int row_remove(struct policy_table *t, unsigned generation, const struct hash_entry *x,
	struct err *e) MUST_USE;

#endif
