/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_WORLD_H
#define KILIM_SCENARIO_WORLD_H
/* A scenario as an agent would see it: identities, and the compiled policy. The only place here
 * that calls src/policy. */
#include "policy/compile.h"
#include "policy/invariant.h"
#include "scenario/scenario.h"

struct world {
	struct scenario *scenario;
	struct identities *identities;
	struct prefix *prefix; /* that the policies name */
	uint32_t *prefix_identity;
	uint32_t *prefix_part; /* what they go by in policies; NULL: their identities */
	size_t prefixes;
	struct rule_ids *ids;
	const struct compiled_set *compiled;
	struct compiled_set *own; /* compiled, unless it is borrowed */
};

/* Gives the scenario's endpoints and nodes their identities and compiles its policies; the scenario
 * must outlive the world. */
int world_make(struct scenario *s, struct world *ret, struct err *e) MUST_USE;
void world_done(struct world *w); /* for SCOPED too */
/* A world of what is compiled already, in which endpoints and nodes have their identities. Owns
 * nothing: no world_done(). */
void world_borrow(struct world *w, struct scenario *s, struct identities *t,
	const struct compiled_set *compiled);
/* The world as assertions see it. */
struct invariant_view world_view(const struct world *w);
/* What a rule id stands for; NULL for 0 and for what is not there. */
const struct rule_info *world_rule(const struct world *w, uint32_t id);

#endif
