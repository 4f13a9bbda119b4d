/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_GENERATION_H
#define KILIM_AGENT_GENERATION_H
/* One generation of compiled policy: the merged sources, the prefixes it names (each a counted
 * identity), and what was compiled of them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/endpoint.h"
#include "agent/source.h"
#include "base/hash.h"
#include "policy/compile.h"

struct dp_slot;
struct agent;

/* An address of a node: what it is, and what it goes by in policies. */
struct node_place {
	struct prefix address;
	uint32_t identity, part;
};

struct generation {
	struct policy_set set; /* the policies and objects themselves belong to content[] */
	struct source_content **content;
	size_t contents;
	struct prefix *prefix; /* sorted */
	uint32_t *prefix_identity;
	size_t prefixes;
	struct reach own_reach; /* prefixes of its policies that reach endpoints and nodes */
	struct reach reach; /* and those of the generation before, so that both can be told */
	struct node_place *node; /* of other nodes, and of this one */
	size_t nodes, node_room;
	uint32_t *held; /* identities that node[] has references on */
	size_t helds, held_room;
	struct compiled_set *compiled;
	uint32_t revision;
};

/*
 * Merge the sources; a policy that two of them have counts once, and the later source's conflict
 * says so. With applied it is what was in force last that is merged, instead of what the sources
 * have now.
 */
struct generation *generation_new(struct sources *t, bool applied);
/* Whether both are made of the very same texts. other may be NULL: then not. */
bool generation_same_sources(const struct generation *g, const struct generation *other);
/* Gives back the prefix identities; NULL is fine. */
void generation_free(struct generation *g, struct engine *engine, struct identities *t);
/* Take an identity for each prefix that the policies name. */
int generation_take_prefixes(struct generation *g, struct identities *t, struct err *e) MUST_USE;
/* What nodes' addresses go by in these policies (place.c); before is the generation in force, or
 * NULL. */
int generation_take_nodes(struct generation *g, const struct generation *before, struct agent *a,
	struct err *e) MUST_USE;
/* Whether there is a slot for this identity, made for what it stands for now. */
bool generation_knows(const struct generation *g, const struct identities *t, uint32_t identity);
/* The slots in the data path's form, in mem; of those that now has in force only the token. */
struct dp_slot *generation_slots(
	const struct generation *g, const struct generation *now, struct arena *mem);
/* One slot. */
struct dp_slot generation_slot_for(const struct compiled_slot *s, struct arena *mem);
/* What slots must learn of identities that have come or changed; and the numbers of those that have
 * gone. */
struct dp_slot *generation_changes(
	const struct compiled_changes *c, struct arena *mem, size_t *ret_count);
size_t generation_gone(const struct compiled_changes *c, struct arena *mem, uint32_t **ret);
const struct rule_info *generation_rule(const struct generation *g, uint32_t id);

#endif
