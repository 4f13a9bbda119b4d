/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leads from one revision of policy to the next. Called by policy.c. Must hold, in this order:
 * identities and rule ids are on disk before the kernel has them; the slots in force know a number
 * before an address or an endpoint goes by it; the revision switches in one store.
 */
#include "agent/policy_state.h"

#include <stdlib.h>

#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/invariant.h"
#include "datapath/datapath.h"

/*
 * The slots in force learn what has come and gone among the identities, before any address or
 * endpoint has it. The old revision's verdicts stay the same: an identity of a prefix means what
 * the prefix around it does.
 */
int policy_follow(struct policies *p, bool *ret_stale, struct err *e)
{
	struct agent *a = p->agent;
	SCOPED(arena_done)
	struct arena mem = {0};
	struct compiled_changes changes;
	struct dp_slot *slot;
	uint32_t *gone;
	size_t slots, gones;
	int r = 0;

	engine_follow(p->engine, p->now ? p->now->compiled : NULL, &changes);
	*ret_stale = changes.stale;
	slot = generation_changes(&changes, &mem, &slots);
	gones = generation_gone(&changes, &mem, &gone);
	free(changes.change);
	if (slots)
		r = datapath_policy_extend(a->datapath, slot, slots, NULL, 0, e);
	if (!r && gones)
		r = datapath_policy_forget(a->datapath, gone, gones, e);
	p->behind |= r != 0;
	return r;
}

static void want_nodes(struct agent *a, const struct generation *g)
{
	for (size_t i = 0; i < g->nodes; i++) {
		const struct node_place *n = &g->node[i];

		addresses_set(a->addresses,
			n->identity == IDENTITY_HOST ? ADDRESS_HOST : ADDRESS_NODE, &n->address,
			n->identity, n->part);
	}
}

/* Addresses of nodes, and endpoints, go by what the next generation tells apart, which the slots in
 * force know. */
int policy_announce_places(struct policies *p, const struct generation *next, struct err *e)
{
	struct agent *a = p->agent;
	int written = 0, r = 0;

	want_nodes(a, next);
	for (size_t i = 0; r >= 0 && i < next->nodes; i++) {
		r = addresses_sync_one(a->addresses, &next->node[i].address, e);
		written += r > 0;
	}
	r = r < 0 ? r : endpoints_move(a->endpoints, e);
	if (r > 0 || written)
		datapath_bump_epoch(a->datapath);
	return r < 0 ? r : 0;
}

/* Slots for these subjects, as far as they have none, under the revision in force. */
int policy_extend_subjects(
	struct policies *p, const uint32_t *subject, size_t subjects, struct err *e)
{
	SCOPED(arena_done)
	struct arena mem = {0};
	struct dp_slot *slot = arena_array(&mem, subjects + 1, sizeof(*slot));
	size_t slots = 0;
	int r;

	for (size_t i = 0; i < subjects; i++) {
		const struct compiled_slot *s;

		if (generation_knows(p->now, p->agent->identities, subject[i]))
			continue;
		s = engine_add_subject(p->engine, p->now->compiled, subject[i]);
		if (s)
			slot[slots++] = generation_slot_for(s, &mem);
	}
	if (!slots)
		return 0;
	r = policy_save_rule_ids(p, e);
	r = r ?: datapath_policy_extend(p->agent->datapath, NULL, 0, slot, slots, e);
	p->behind |= r != 0;
	return r;
}

/* Slots for what endpoints go by next. */
static int announce_subjects(struct policies *p, struct err *e)
{
	SCOPED(freep)
	uint32_t *subject = NULL;
	size_t subjects = endpoints_parts(p->agent->endpoints, &subject);

	return policy_extend_subjects(p, subject, subjects, e);
}

/* What was in force goes on: endpoints and nodes go by what it says, as far as they had moved. */
int policy_return_places(struct policies *p, struct err *e)
{
	struct endpoints *t = p->agent->endpoints;
	bool stale;
	int r;

	endpoints_stay(t);
	if (!p->now)
		return 0;
	r = endpoints_place(t, &p->now->set, &p->now->reach, e) ?: policy_follow(p, &stale, e);
	r = r ?: announce_subjects(p, e) ?: policy_announce_places(p, p->now, e);
	if (r)
		endpoints_stay(t);
	return r;
}

/* New prefixes: their addresses get their identities, which the slots in force know. */
static int announce_prefixes(struct policies *p, const struct generation *next, struct err *e)
{
	struct agent *a = p->agent;
	int r = 0;

	for (size_t i = 0; !r && i < next->prefixes; i++) {
		addresses_set(a->addresses, ADDRESS_PREFIX, &next->prefix[i],
			next->prefix_identity[i], next->prefix_identity[i]);
		r = addresses_sync_one(a->addresses, &next->prefix[i], e);
		r = r > 0 ? 0 : r;
	}
	return r;
}

/* The addresses' prefixes are exactly those of the generation in force. */
int policy_settle_addresses(struct policies *p, struct err *e)
{
	struct agent *a = p->agent;
	int r;

	if (!p->now)
		return 0;
	addresses_clear_layer(a->addresses, ADDRESS_PREFIX);
	addresses_clear_layer(a->addresses, ADDRESS_NODE);
	for (size_t i = 0; i < p->now->prefixes; i++)
		addresses_set(a->addresses, ADDRESS_PREFIX, &p->now->prefix[i],
			p->now->prefix_identity[i], p->now->prefix_identity[i]);
	want_nodes(a, p->now);
	r = addresses_sync(a->addresses, e);
	if (r > 0)
		datapath_bump_epoch(a->datapath);
	return r < 0 ? r : 0;
}

int policy_switch_to(struct policies *p, struct generation *next, struct err *e)
{
	struct agent *a = p->agent;
	SCOPED(arena_done)
	struct arena mem = {0};
	struct dp_slot *slot = generation_slots(next, p->behind ? NULL : p->now, &mem);
	const struct history_entry *newest = history_newest(&p->history);
	struct dp_policy_stats stats;
	uint32_t revision, epoch;
	int r;

	datapath_state(a->datapath, &revision, &epoch);
	/* numbers of the history are not used again when the kernel's count has begun anew */
	if (newest && newest->revision > revision)
		revision = newest->revision;
	next->revision = revision + 1;
	r = datapath_policy_apply(
		a->datapath, slot, next->compiled->slots, next->revision, &stats, e);
	if (!r)
		p->behind = false;
	return r;
}

/* The sources merged, and what they name known as identities, to the slots in force too. */
int policy_generation_make(struct policies *p, bool applied, struct generation **ret, struct err *e)
{
	struct agent *a = p->agent;
	struct generation *g = generation_new(&p->sources, applied);
	bool stale;
	int r = generation_take_prefixes(g, a->identities, e);

	r = r ?: generation_take_nodes(g, p->now, a, e) ?: endpoints_place(a->endpoints, &g->set, &g->reach, e);
	r = r ?: agent_save_identities(a, e) ?: policy_follow(p, &stale, e);
	if (!r && p->behind && p->now)
		engine_distrust(p->engine, p->now->compiled);
	if (r) {
		endpoints_stay(a->endpoints);
		generation_free(g, p->engine, a->identities);
		return r;
	}
	*ret = g;
	return 0;
}

void policy_hold_pinned(struct policies *p)
{
	struct agent *a = p->agent;
	SCOPED(freep)
	uint32_t *address = NULL, *row = NULL;
	size_t addresses = addresses_numbers(a->addresses, &address);
	size_t rows = endpoints_row_parts(a->endpoints, &row);

	policy_release_pinned(p);
	p->pinned = mem_array(addresses + rows, sizeof(*p->pinned));
	for (size_t i = 0; i < addresses + rows; i++) {
		uint32_t number = i < addresses ? address[i] : row[i - addresses];

		if (number && identity_hold(a->identities, number))
			p->pinned[p->pinneds++] = number;
	}
}

void policy_release_pinned(struct policies *p)
{
	for (size_t i = 0; i < p->pinneds; i++)
		identity_put(p->agent->identities, p->pinned[i]);
	free(p->pinned);
	p->pinned = NULL;
	p->pinneds = 0;
}

/* Slots for what pinned rows go by, too, until they move. */
static size_t add_pinned_subjects(struct policies *p, uint32_t **subject, size_t subjects)
{
	SCOPED(freep)
	uint32_t *row = NULL;
	size_t rows = endpoints_row_parts(p->agent->endpoints, &row);

	*subject = mem_resize(*subject, (subjects + rows + 1) * sizeof(**subject));
	for (size_t i = 0; i < rows; i++) {
		const struct identity_info *n = identity_find(p->agent->identities, row[i]);

		if (n && n->references)
			(*subject)[subjects++] = row[i];
	}
	return subjects;
}

/* Who is there is no question of policy: only what the sources say can break an invariant. */
int policy_generation_compile(struct policies *p, bool applied, struct generation *g, struct err *e)
{
	SCOPED(freep)
	uint32_t *subject = NULL;
	size_t subjects = endpoints_parts(p->agent->endpoints, &subject);

	int r;

	if (!p->now)
		subjects = add_pinned_subjects(p, &subject, subjects);
	r = engine_compile(p->engine, p->now ? p->now->compiled : NULL, &g->set, subject, subjects,
		&g->compiled, e);

	if (!r && !applied && !generation_same_sources(g, p->now))
		r = guard_check(p->agent->guard, g->compiled, e);
	return r;
}

/* What leads to the switch: everything that is named is known before it is used. At the start there
 * are no slots that could learn; what is pinned stays as it is until the switch. */
int policy_announce(struct policies *p, bool applied, struct generation *next, struct err *e)
{
	int r = p->now ? announce_subjects(p, e) : 0;

	r = r ?: policy_generation_compile(p, applied, next, e) ?: policy_save_rule_ids(p, e);
	if (p->now)
		r = r ?: policy_announce_places(p, next, e) ?: announce_prefixes(p, next, e);
	return r;
}
