/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_GENERATION_H
#define KILIM_AGENT_GENERATION_H
/* One generation of compiled policy: the merged sources, the prefixes it names (each a counted
 * identity), and what was compiled of them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/source.h"
#include "base/hash.h"
#include "policy/compile.h"

struct addresses;
struct dp_slot;

struct generation {
	struct policy_set set; /* the policies themselves belong to content[] */
	struct source_content **content;
	size_t contents;
	struct prefix *prefix; /* sorted */
	uint32_t *prefix_identity;
	size_t prefixes;
	struct compiled_set compiled;
	struct hash identity; /* number to label text: the identities that the slots know */
	uint32_t revision;
};

/*
 * Merge the sources; a policy that two of them have counts once, and the later source's conflict
 * says so. With applied it is what was in force last that is merged, instead of what the sources
 * have now.
 */
struct generation *generation_new(struct sources *t, bool applied);
/* Gives back the prefix identities; NULL is fine. */
void generation_free(struct generation *g, struct identities *t);
/* Take an identity for each prefix that the policies name. */
int generation_take_prefixes(struct generation *g, struct identities *t, struct err *e) MUST_USE;
/* After compiling: remember which subjects the slots are for. */
void generation_note_identities(struct generation *g, const struct identities *t);
/* Whether there is a slot for this identity, made for the labels that it has now. */
bool generation_knows(const struct generation *g, const struct identities *t, uint32_t identity);
const struct compiled_slot *generation_slot(const struct generation *g, uint32_t identity);
/* The slots in the data path's form, in mem. */
struct dp_slot *generation_slots(const struct generation *g, struct arena *mem);
/*
 * The peers that the slots of now must learn before next's new prefixes get their identities: each
 * with the classes of what covers it now. Returns how many slots have any.
 */
size_t generation_peers_for(const struct generation *next, const struct generation *now,
	const struct addresses *t, struct arena *mem, struct dp_slot **ret);
const struct rule_info *generation_rule(const struct generation *g, uint32_t id);

#endif
