/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy maps: slot, peer, rule and the switch between revisions. Owns the copy in memory of
 * what they hold. Called by the agent. Must hold: a slot that a program may be reading never
 * changes but for added peers; rows of the generation in force never change; numbers of slots are
 * used again only after their entries are gone.
 */
#include "datapath/policy.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/grace.h"
#include "loop/loop.h"

enum { COLLECT_DELAY_NS = 100 * 1000000 };

static uint64_t current(const struct datapath *d)
{
	return __atomic_load_n(d->current, __ATOMIC_SEQ_CST);
}

/* The one store. Everything that it refers to is in the maps. */
static void put_current(struct datapath *d, uint32_t revision, uint32_t epoch)
{
	__atomic_store_n(d->current, (uint64_t)revision << 32 | epoch, __ATOMIC_SEQ_CST);
}

void datapath_state(struct datapath *d, uint32_t *ret_revision, uint32_t *ret_epoch)
{
	uint64_t now = current(d);

	*ret_revision = (uint32_t)(now >> 32);
	*ret_epoch = (uint32_t)now;
}

void datapath_bump_epoch(struct datapath *d)
{
	uint64_t now = current(d);

	put_current(d, (uint32_t)(now >> 32), (uint32_t)now + 1);
}

/* Every program that began before the last switch has ended. */
static void settle(struct policy_table *t)
{
	if (!t->settled)
		grace_wait();
	t->settled = true;
	t->unread = t->olds;
}

/* Remove what nobody can be reading. */
static void collect_unread(struct policy_table *t)
{
	for (size_t i = 0; i < t->unread; i++) {
		slot_unwrite(t, t->old[i]);
		slot_free(t->old[i]);
	}
	t->olds -= t->unread;
	if (t->olds)
		memmove(t->old, t->old + t->unread, t->olds * sizeof(struct slot *));
	t->unread = 0;
}

void datapath_policy_collect(struct datapath *d)
{
	struct policy_table *t = d->policy;

	if (!t->olds)
		return;
	settle(t);
	collect_unread(t);
}

static int on_timer(void *data)
{
	datapath_policy_collect(data);
	return 0;
}

void policy_collect_from(struct datapath *d, struct loop *l)
{
	loop_source_free(d->policy->timer);
	d->policy->timer = loop_add_timer(l, on_timer, d);
	if (d->policy->olds)
		loop_timer_in(d->policy->timer, COLLECT_DELAY_NS);
}

/* What a revision shall be: slots with a number are in the kernel already and belong to the table,
 * others to the plan. */
struct plan {
	struct slot **slot;
	size_t slots;
	struct hash wanted; /* identity to slot */
	size_t rules, peers, written;
};

static void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->slots; i++) {
		if (!p->slot[i]->number)
			slot_free(p->slot[i]);
	}
	free(p->slot);
	hash_done(&p->wanted);
}

static int plan_make(struct plan *p, const struct policy_table *t, const struct dp_slot *slot,
	size_t slots, struct err *e)
{
	p->slot = mem_array(slots + 1, sizeof(struct slot *));
	for (size_t i = 0; i < slots; i++) {
		struct slot *have = hash_get(&t->slot, &slot[i].identity, sizeof(slot[i].identity)),
			    *want = NULL;
		int r = slot_make(&slot[i], &want, e);

		if (r)
			return r;
		if (have && slot_equal(have, want)) {
			slot_free(want);
			want = have;
		} else {
			p->rules += want->rules;
			p->peers += want->peers;
			p->written++;
		}
		p->slot[p->slots++] = want;
		if (hash_put(&p->wanted, &slot[i].identity, sizeof(slot[i].identity), want))
			return err_set(
				e, -EINVAL, "policy: two slots for identity %u", slot[i].identity);
	}
	return 0;
}

static int check_room(const struct policy_table *t, const struct plan *p, struct err *e)
{
	const struct demand demand[] = {
		{"rule", "bpf-policy-map-max", p->rules, t->rules, t->rule_map.max_entries},
		{"peer", "policy-peer-max", p->peers, t->peers, t->peer_map.max_entries},
		/* both generations have a row for each identity */
		{"slot", "the build's limit", p->slots, t->slot.count, t->slot_map.max_entries},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(demand); i++)
		r = demand_check(&demand[i], p->slot, p->slots, e);
	return r;
}

/* Take back the entries of slots that have not come into force: nobody reads them. */
static void unwrite_slots(struct policy_table *t, struct plan *p)
{
	for (size_t i = 0; i < p->slots; i++) {
		if (p->slot[i]->number &&
			p->slot[i] != hash_get(&t->slot, &p->slot[i]->identity, sizeof(uint32_t)))
			slot_unwrite(t, p->slot[i]);
	}
}

/* Numbers and entries for the new slots. */
static int write_slots(struct policy_table *t, struct plan *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->slots; i++) {
		if (!p->slot[i]->number)
			r = slot_write(t, p->slot[i], e);
	}
	if (r)
		unwrite_slots(t, p);
	return r;
}

/*
 * Make the rows of a generation that is not in force lead to these slots. A program may still be
 * reading them from before the last switch; for those, rows that are new make no difference, but
 * others do.
 */
static int write_rows(
	struct policy_table *t, unsigned generation, const struct hash *wanted, struct err *e)
{
	struct hash *row = &t->row[generation];
	int r = 0;

	HASH_EACH(row, x) {
		const struct slot *s = hash_get(wanted, x->key, x->len);

		if (s && s->number == (uintptr_t)x->value)
			continue;
		settle(t);
		if (!s)
			r = row_remove(t, generation, x, e);
		if (r)
			return r;
	}
	HASH_EACH(wanted, x) {
		const struct slot *s = x->value;

		if ((uintptr_t)hash_get(row, x->key, x->len) != s->number)
			r = row_put(t, generation, s, e);
		if (r)
			return r;
	}
	return 0;
}

static void replace(struct policy_table *t, struct slot *was)
{
	if (!was)
		return;
	mem_grow(&t->old, &t->old_room, t->olds + 1, sizeof(struct slot *));
	t->old[t->olds++] = was;
}

/* The table in memory becomes what the plan says. */
static void take_plan(struct policy_table *t, struct plan *p)
{
	HASH_EACH(&t->slot, x) {
		if (!hash_get(&p->wanted, x->key, x->len))
			replace(t, hash_remove(&t->slot, x->key, x->len));
	}
	for (size_t i = 0; i < p->slots; i++) {
		struct slot *was =
			hash_put(&t->slot, &p->slot[i]->identity, sizeof(uint32_t), p->slot[i]);

		if (was != p->slot[i])
			replace(t, was);
	}
}

/*
 * The new revision has the parity of the one in force, whose rows must not be touched: step over to
 * the other generation with the same content first.
 */
static int change_parity(struct datapath *d, uint32_t revision, struct err *e)
{
	struct policy_table *t = d->policy;
	int r = write_rows(t, (revision - 1) & 1, &t->slot, e);

	if (r)
		return r;
	put_current(d, revision - 1, (uint32_t)current(d) + 1);
	t->settled = false;
	return 0;
}

static int switch_to(struct datapath *d, struct plan *p, uint32_t revision, struct err *e)
{
	struct policy_table *t = d->policy;
	int r = write_slots(t, p, e);

	if (r)
		return r;
	if ((revision & 1) == (current(d) >> 32 & 1))
		r = change_parity(d, revision, e);
	r = r ? r : write_rows(t, revision & 1, &p->wanted, e);
	if (r) {
		unwrite_slots(t, p);
		return r;
	}
	put_current(d, revision, (uint32_t)current(d) + 1);
	t->settled = false;
	take_plan(t, p);
	return 0;
}

int datapath_policy_apply(struct datapath *d, const struct dp_slot *slot, size_t slots,
	uint32_t revision, struct dp_policy_stats *ret, struct err *e)
{
	struct policy_table *t = d->policy;
	SCOPED(plan_done) struct plan p = {0};
	int r;

	if (revision <= current(d) >> 32)
		return err_set(e, -EINVAL, "policy revision %u is not after %u", revision,
			(uint32_t)(current(d) >> 32));
	r = plan_make(&p, t, slot, slots, e);
	if (r)
		return r;
	r = check_room(t, &p, e);
	if (r == -E2BIG && t->olds) {
		datapath_policy_collect(d);
		r = check_room(t, &p, e);
	}
	r = r ? r : switch_to(d, &p, revision, e);
	if (r)
		return r;
	t->written = p.written;
	t->kept = p.slots - p.written;
	/* what the revision before had replaced: in a burst of revisions the timer has no turn */
	collect_unread(t);
	if (t->timer && t->olds)
		loop_timer_in(t->timer, COLLECT_DELAY_NS);
	if (ret)
		datapath_policy_stats(d, ret);
	return 0;
}

int datapath_policy_add_peers(
	struct datapath *d, const struct dp_slot *slot, size_t slots, struct err *e)
{
	struct policy_table *t = d->policy;
	size_t wanted = 0;
	int r = 0;

	for (size_t i = 0; i < slots; i++) {
		const struct slot *s = hash_get(&t->slot, &slot[i].identity, sizeof(uint32_t));

		for (size_t k = 0; s && k < slot[i].peers; k++)
			wanted += !slot_peer(s, slot[i].peer[k].identity);
	}
	if (t->peers + wanted > t->peer_map.max_entries && t->olds)
		datapath_policy_collect(d);
	if (t->peers + wanted > t->peer_map.max_entries)
		return err_set(e, -E2BIG,
			"policy needs %zu peer entries beside %zu in force, %u are configured "
			"(policy-peer-max)",
			wanted, t->peers, t->peer_map.max_entries);
	for (size_t i = 0; !r && i < slots; i++) {
		struct slot *s = hash_get(&t->slot, &slot[i].identity, sizeof(uint32_t));

		r = s ? slot_add_peers(t, s, slot[i].peer, slot[i].peers, e) : 0;
	}
	return r;
}

void datapath_policy_stats(struct datapath *d, struct dp_policy_stats *ret)
{
	const struct policy_table *t = d->policy;

	*ret = (struct dp_policy_stats){.slots = t->slot.count,
		.slots_written = t->written,
		.slots_kept = t->kept,
		.peer_entries = t->peers,
		.rule_entries = t->rules,
		.peer_max = t->peer_map.max_entries,
		.rule_max = t->rule_map.max_entries};
	datapath_state(d, &ret->revision, &ret->epoch);
}

void policy_close(struct datapath *d)
{
	struct policy_table *t = d->policy;

	if (!t)
		return;
	loop_source_free(t->timer);
	HASH_EACH(&t->slot, x)
		slot_free(x->value);
	for (size_t i = 0; i < t->olds; i++)
		slot_free(t->old[i]);
	hash_done(&t->slot);
	hash_done(&t->row[0]);
	hash_done(&t->row[1]);
	free(t->old);
	free(t->used);
	free(t);
	d->policy = NULL;
}
