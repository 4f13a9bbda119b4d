/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_POLICY_STATE_H
#define KILIM_AGENT_POLICY_STATE_H
/* What the files policy*.c share with each other only. */
#include "agent/generation.h"
#include "agent/policy.h"

struct arena;
struct loop_source;

struct policies {
	struct agent *agent;
	struct sources sources;
	struct rule_ids *ids;
	uint64_t ids_saved; /* digest of what is on disk */
	struct engine *engine;
	struct generation *now; /* in force; NULL before the first apply */
	uint32_t *pinned; /* held until the first settling: numbers that the kernel names */
	size_t pinneds;
	bool behind; /* what the engine told the slots in force could not be written */
	struct loop_source *defer;
	bool started;
	struct history history;
	struct journal journal;
	struct loop_source *deadline; /* of what waits for its confirmation */
	uint64_t good, bad;
	uint64_t apply_ns; /* how long the last apply took */
};

/* policy.c: rule ids on disk before the kernel has them; compile and switch, with the sources not
 * settled yet; what the sources have is in force and counts from now on. */
int policy_save_rule_ids(struct policies *p, struct err *e) MUST_USE;
int policy_try(struct policies *p, struct err *e) MUST_USE;
void policy_settle_sources(struct policies *p, const char *reason);
void policy_say_problems(struct policies *p);

/* policy_announce.c: what leads to a switch, in order. */
int policy_follow(struct policies *p, bool *ret_stale, struct err *e) MUST_USE;
/* Slots for these subjects, as far as they have none, under the revision in force. */
int policy_extend_subjects(
	struct policies *p, const uint32_t *subject, size_t subjects, struct err *e) MUST_USE;
/* The sources merged, and what they name known as identities, to the slots in force too. applied:
 * what was in force last instead of what the sources have. */
int policy_generation_make(
	struct policies *p, bool applied, struct generation **ret, struct err *e) MUST_USE;
int policy_generation_compile(
	struct policies *p, bool applied, struct generation *g, struct err *e) MUST_USE;
/* Before the first apply: numbers that the kernel has from a run before keep their meaning until
 * addresses and endpoints go by what this run says. And after it. */
void policy_hold_pinned(struct policies *p);
void policy_release_pinned(struct policies *p);
/* Everything that the next generation names is known before it is used. */
int policy_announce(
	struct policies *p, bool applied, struct generation *next, struct err *e) MUST_USE;
/* Nodes and endpoints go by what the generation says. */
int policy_announce_places(
	struct policies *p, const struct generation *next, struct err *e) MUST_USE;
/* What they moved for was refused: they go by what is in force again. */
int policy_return_places(struct policies *p, struct err *e) MUST_USE;
/* The one store. */
int policy_switch_to(struct policies *p, struct generation *next, struct err *e) MUST_USE;
/* Addresses' prefixes are exactly those of the generation in force. */
int policy_settle_addresses(struct policies *p, struct err *e) MUST_USE;

/* policy_change.c: the time for a confirmation is over. */
int policy_on_deadline(void *data);

#endif
