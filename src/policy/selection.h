/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_SELECTION_H
#define KILIM_POLICY_SELECTION_H
/*
 * Which identities a selector or a list of prefixes means. Each distinct one is worked out once,
 * and follows the identities as they come and go.
 */
#include "base/arena.h"
#include "base/hash.h"
#include "model/identity.h"
#include "model/policy.h"
#include "policy/ids.h"

enum selection_kind {
	SELECTION_LABELS, /* identities that the selector matches */
	SELECTION_NODES, /* of these, other nodes */
	SELECTION_ALL_NODES, /* and the endpoint's own */
	SELECTION_PREFIXES, /* addresses inside prefix[] and not in except[] */
};

/* What a selection is for; prefixes may be in any order. */
struct selection_want {
	enum selection_kind kind;
	unsigned reach; /* enum prefix_reach */
	const struct selector *selector;
	const struct prefix *prefix, *except;
	size_t prefixes, excepts;
};

/* Prefixes sorted, with the lengths that occur, so that looking up is a few binary searches. */
struct prefix_list {
	struct prefix *prefix;
	size_t count;
	uint8_t length[ADDR_BITS + 1]; /* those that occur */
	size_t lengths;
};

struct selection {
	struct ids ids; /* what it means now */
	bool fresh; /* means an identity that is being added */
	unsigned references;
	char *key; /* in selections.by_key */
	size_t key_len;
	enum selection_kind kind;
	unsigned reach;
	struct arena mem;
	struct selector selector;
	struct prefix_list prefix, except;
};

/* An identity as it was when it was added. */
struct member {
	uint32_t number;
	uint64_t serial;
	const struct identity_info *info;
};

struct selections {
	const struct identities *identities;
	uint64_t revision; /* of identities, at the last refresh */
	bool refreshed;
	struct member *member; /* sorted by number */
	size_t members, room;
	/*
	 * key, and key with value, of any source, to struct ids: candidates, to be looked at.
	 * Numbers that have gone stay in it until there are many of them.
	 */
	struct hash by_label;
	size_t stale;
	struct ids prefixes, parts, with_ports;
	struct hash by_key; /* text to struct selection */
};

void selections_init(struct selections *t, const struct identities *identities);
void selections_done(struct selections *t);
/* The selection of this meaning; takes a reference. */
struct selection *selection_get(struct selections *t, const struct selection_want *w);
void selection_put(struct selections *t, struct selection *s);
/* The identity as of the last refresh, or NULL. */
const struct member *selections_member(const struct selections *t, uint32_t number);
/* The named ports of an identity's workloads (a part has those of its base). */
const struct identity_info *selections_ports(const struct selections *t, uint32_t number);

/*
 * Follow the identities. fn is called for each one that has gone (all of them first, info is NULL)
 * and for each one that has come; during the call selection.fresh tells which selections mean it.
 * One that stands for something else, or whose ports have changed, goes and comes.
 */
typedef void (*selections_fn)(uint32_t number, const struct identity_info *info, void *data);
void selections_refresh(struct selections *t, selections_fn fn, void *data);

#endif
