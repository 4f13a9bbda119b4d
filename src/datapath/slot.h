/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_SLOT_H
#define KILIM_DATAPATH_SLOT_H
/* The content of one policy slot in memory, as it is or shall be in the kernel, and the arithmetic
 * of a switch. Pure. */
#include <stdbool.h>

#include "datapath/datapath.h"

struct slot {
	uint32_t identity, number; /* number 0: none yet */
	struct peer_key_class *peer; /* sorted by identity */
	size_t peers, peer_room;
	struct dp_rule *rule; /* sorted by key; slot 0 in the keys */
	size_t rules, rule_room;
};

/* A copy of the content in canonical form: sorted, bits behind a key's prefix cleared. -EINVAL: two
 * entries with one key, or a bad prefix. */
int slot_make(const struct dp_slot *in, struct slot **ret, struct err *e) MUST_USE;
void slot_free(struct slot *s);
void slot_freep(struct slot **s);
/* Same content; identity and number do not matter. */
bool slot_equal(const struct slot *a, const struct slot *b);
/* For filling from a map: append, then sort once. */
void slot_append_peer(struct slot *s, uint32_t identity, struct peer_class class);
void slot_append_rule(struct slot *s, const struct rule_key *key, const struct decision *decision);
void slot_sort(struct slot *s);
/* NULL: not a peer of the slot. */
const struct peer_key_class *slot_peer(const struct slot *s, uint32_t identity);

/* What a switch puts beside what is in the kernel. */
struct demand {
	const char *what, *key; /* "rule", "policy-map-max" */
	size_t wanted; /* entries to be written */
	size_t there; /* entries in the kernel, those that wait for their removal included */
	size_t max;
};

/* 0, or -E2BIG with the arithmetic; contributors are the slots to be written (those with number 0).
 */
int demand_check(const struct demand *d, struct slot *const *slot, size_t slots, struct err *e);

#endif
