/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_DATAPATH_SLOT_H
#define KILIM_DATAPATH_SLOT_H
/*
 * Policy slots in memory, as they are or shall be in the kernel: one per content, which identities
 * share by reference. Pure. Classes go by number here.
 */
#include "datapath/class.h"

struct slot_peer {
	uint32_t identity;
	struct peer_class class;
};

struct slot {
	struct slot *next; /* of the same digest */
	uint64_t digest;
	uint32_t number, refs; /* refs: of identities in force and of plans */
	bool written; /* its peers are in the map */
	bool replaced; /* waits for its removal */
	unsigned counted; /* stamp of the plan that has counted it */
	struct peer_class base;
	struct slot_peer *peer; /* sorted by identity; none is in the base classes */
	size_t peers, room;
};

struct slots {
	struct classes classes;
	struct hash index; /* digest to struct slot */
	struct numbers numbers;
	size_t count;
	/* called before a class is forgotten that no slot refers to any more; NULL: not called */
	void (*class_gone)(struct class *c, void *data);
	void *data;
};

/*
 * The slot of this content; made without entries in the maps and without references when there is
 * none. seen: of this plan, dp_class pointer to class; of no use after a failure. -EINVAL: an index
 * or a rule is bad, or a peer is named twice.
 */
int slot_get(struct slots *t, const struct dp_slot *in, struct hash *seen, struct slot **ret,
	struct err *e) MUST_USE;
/* Forget and free it; nothing of it is in the map peer any more. */
void slot_drop(struct slots *t, struct slot *s);
/* The classes that a peer has in the slot. */
struct peer_class slot_class(const struct slot *s, uint32_t identity);
bool class_pair_equal(const struct peer_class *a, const struct peer_class *b);
/* NULL: the peer is in the base classes. */
const struct slot_peer *slot_peer(const struct slot *s, uint32_t identity);

/* Peers of an extension, sorted by identity. They hold a reference on each class. */
struct change {
	struct slot_peer *peer;
	size_t peers;
};

int change_make(struct slots *t, const struct dp_slot *in, struct hash *seen, struct change *ret,
	struct err *e) MUST_USE;
/* What makes the slot again what it is now, once it has changed so. */
struct change change_back(struct slots *t, const struct slot *s, const struct change *c);
void change_done(struct slots *t, struct change *c);
/* The slot has these peers in these classes from now on. */
void slot_change(struct slots *t, struct slot *s, const struct change *c);
/* The slot of s's content changed so. As slot_get(). */
struct slot *slot_changed(struct slots *t, const struct slot *s, const struct change *c);

/* For filling from the maps: a slot of this number; then its peers; then it counts under its
 * content, and refers to its classes. */
struct slot *slot_adopt(struct slots *t, const struct slot_value *v);
void slot_append(struct slot *s, uint32_t identity, const struct peer_class *class);
void slot_settle(struct slots *t, struct slot *s);
void slots_done(struct slots *t);

#endif
