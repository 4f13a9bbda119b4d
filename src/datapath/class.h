/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_CLASS_H
#define KILIM_DATAPATH_CLASS_H
/*
 * Classes in memory: tables of ports, one per content and numbered node-wide. Pure. A class lives
 * as long as slots refer to it; who lets go of the last reference removes its entries first.
 */
#include <stdbool.h>

#include "base/hash.h"
#include "datapath/datapath.h"
#include "datapath/number.h"

struct class
{
	struct class *next; /* of the same digest */
	uint64_t digest;
	uint32_t number, refs;
	bool written; /* its entries are in the map */
	unsigned counted; /* stamp of the plan that has counted it */
	struct dp_rule *rule; /* sorted by key; class and pad are 0 in it */
	size_t rules, room;
};

struct classes {
	struct hash index; /* digest to struct class */
	struct class **by_number;
	size_t room, count;
	struct numbers numbers;
};

/* The class of this content; made without entries in the map and without references when there is
 * none. -EINVAL: two decisions for one key, or a bad prefix. */
int class_get(
	struct classes *t, const struct dp_class *in, struct class **ret, struct err *e) MUST_USE;
/* NULL: no class has the number. */
struct class *class_find(const struct classes *t, uint32_t number);
/* Forget and free it; nothing of it is in the map any more. */
void class_drop(struct classes *t, struct class *c);
/* For filling from the map: a class of this number; then its rules; then it counts under its
 * content. */
struct class *class_adopt(struct classes *t, uint32_t number);
void class_append(struct class *c, const struct rule_key *key, const struct decision *decision);
void class_settle(struct classes *t, struct class *c);
void classes_done(struct classes *t);

#endif
