/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_POLICY_H
#define KILIM_DATAPATH_POLICY_H
/*
 * The policy maps and their copy in memory, shared by policy.c (switches), extend.c (new
 * identities), plan.c (what fits, what is written) and policy_map.c (entries). Not for others.
 */
#include <stdbool.h>

#include "datapath/demand.h"
#include "datapath/handle.h"
#include "datapath/slot.h"
#include "datapath/table.h"

/* A subject identity: what it has, and what the map says. Freed when it has nothing of both. */
struct row {
	uint32_t identity;
	struct slot *slot; /* in force, with a reference; NULL: none */
	const void *content; /* what the caller said it stands for; NULL: not known */
	struct slot_value value[2]; /* by generation, as in the map; slot 0: no entry */
	struct wish *wish; /* of the plan that is being made */
};

struct policy_table {
	struct table slot_map, peer_map, rule_map;
	struct slots slots;
	struct hash row; /* identity to struct row */
	struct slot **old; /* without references; their entries are still in the maps */
	size_t olds, old_room;
	size_t unread; /* of old, from the first on: no program can be reading them any more */
	bool settled; /* no program is left that began before the last of old came there */
	size_t peers, rules; /* entries in the maps */
	size_t subjects; /* rows with a slot */
	size_t changed, kept; /* slots of the last switch */
	size_t written; /* entries of the last change */
	unsigned stamp;
	struct loop_source *timer;
};

/* --- policy.c --- */
/* Wait, unless that is done already, for the programs that may read what is old. */
void policy_settle(struct policy_table *t);
/* Remove what nobody can be reading. */
void policy_collect_unread(struct policy_table *t);
/* A reference less; the last one puts what is in the maps on the list of old slots. */
void slot_unref(struct policy_table *t, struct slot *s);
/* What was taken back into force is not old any more. */
void policy_keep_referred(struct policy_table *t);
/* Soon somebody removes what is old. */
void policy_collect_soon(struct policy_table *t);

/* What the rows of identities with the slot hold; NULL: nothing. */
struct slot_value slot_row_value(const struct slot *s);

/* --- plan.c: what a change needs --- */
struct wish {
	struct row *row;
	struct slot *slot; /* with a reference until the plan is done or taken */
	const void *content;
};

struct plan {
	struct policy_table *table;
	struct wish *wish; /* slots that identities shall have */
	size_t wishes;
	struct hash seen, content; /* of the caller's: class and content, to what they are here */
	struct slot **slot; /* to be written */
	size_t slots, slot_room;
	struct class **class; /* to be written */
	size_t classes, class_room;
	struct contribution *by_rules, *by_peers;
	size_t contributors, contributor_room, peer_room;
	size_t rules, peers; /* entries to be written */
	unsigned stamp;
};

/* For at most so many wishes. */
void plan_begin(struct plan *p, struct policy_table *t, size_t wishes);
/* Gives back what was not taken (wish.slot). */
void plan_done(struct plan *p);
/* An identity shall have this slot. */
int plan_wish(struct plan *p, const struct dp_slot *in, struct err *e) MUST_USE;
/* Count what is not in the maps: of a slot, of a change to one that is. */
void plan_count(struct plan *p, uint32_t identity, struct slot *s);
void plan_count_change(struct plan *p, uint32_t identity, const struct change *c, size_t new_peers);
/* Whether there is room for rows more slots' rows; what is old goes when that helps. */
int plan_check(struct plan *p, size_t rows, struct err *e) MUST_USE;
/* Write what was counted; on failure nothing of it is left. */
int plan_write(struct plan *p, struct err *e) MUST_USE;
/* Remove what plan_write() wrote: nothing leads to it. */
void plan_unwrite(struct plan *p);
/* The row of the identity, made when there is none. */
struct row *row_get(struct policy_table *t, uint32_t identity);
/* Forget rows that have nothing. */
void rows_sweep(struct policy_table *t);

/* --- policy_map.c: entries --- */
/* Entries on their way into one map, in batches. */
struct writer {
	const struct table *map;
	const char *name;
	size_t *total; /* entries in the map, or NULL */
	char *key, *value;
	size_t count, written;
	bool removes; /* rather than writes */
};

void writer_done(struct writer *w); /* for SCOPED; writes nothing */
int writer_add(struct writer *w, const void *key, const void *value, struct err *e) MUST_USE;
int writer_flush(struct writer *w, struct err *e) MUST_USE;
struct writer peer_writer(struct policy_table *t);
struct writer rule_writer(struct policy_table *t);
struct writer row_writer(struct policy_table *t);
int slot_write(struct writer *w, const struct slot *s, struct err *e) MUST_USE;
int class_write(struct writer *w, const struct class *c, struct err *e) MUST_USE;
/* How many entries there really are, after a failure. */
void policy_recount(struct policy_table *t);

#endif
