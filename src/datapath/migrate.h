/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_MIGRATE_H
#define KILIM_DATAPATH_MIGRATE_H
/*
 * From one set of maps and programs to the next. New things are pinned as NAME-new; the store of
 * the first entry into the program array makes them the ones in force; then the pins are renamed.
 * Flows whose layout changed move while the new programs hand packets of flows that have not been
 * moved to the old programs (pins previous4 ... entry_previous, see bpf/stage/flow.h).
 */
#include "datapath/handle.h"
#include "datapath/layout.h"

/* The layout of a map's entries, from the kernel (own) or from an object. */
struct map_layout {
	struct btf *own; /* to free; NULL when it is an object's */
	const struct btf *btf;
	uint32_t key, value; /* type ids; 0: no BTF */
};

/* Of a map in the kernel. Without BTF the ids are 0. */
void map_layout_load(int fd, struct map_layout *ret);
void map_layout_done(struct map_layout *l); /* for SCOPED too */

struct moved {
	uint64_t copied; /* entries that the new map lacked */
	uint64_t over; /* entries that found no room */
};

/* Copy the entries that the new map lacks, member by member. */
int map_move(const char *name, int from, int to, struct moved *ret, struct err *e) MUST_USE;
/* After a process died in the middle: go on to the new set when it is in force, else forget it;
 * then finish moving flows. */
int migrate_recover(struct datapath *d, struct err *e) MUST_USE;
/* The pins NAME-new take their places. */
int migrate_commit(const struct pins *p, struct err *e) MUST_USE;
/* Move the flows that the previous_ pins hold, and let go of the build before. Nothing to do
 * without such pins. */
int migrate_finish(const struct pins *p, struct err *e) MUST_USE;
/* The map that holds the flows of this one's predecessor; DP_MAPS: none. */
enum dp_map migrate_previous(enum dp_map m);
/* The id of the program in force at this entry; 0: none. */
uint32_t migrate_entry_program(int entry, enum entry which);

#endif
