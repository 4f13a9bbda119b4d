/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy maps: slot, peer, rule and the switch between revisions. Owns the copy in memory of
 * what they hold. Called by the agent. Must hold: what a program may be reading never changes, but
 * for peers that no address has yet (extend.c); rows of the generation in force never change, but
 * for slots that decide alike; numbers of slots and classes are used again only after their entries
 * are gone.
 */
#include "datapath/policy.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/grace.h"
#include "datapath/load.h"
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

void policy_settle(struct policy_table *t)
{
	if (!t->settled)
		grace_wait();
	t->settled = true;
	t->unread = t->olds;
}

void policy_collect_unread(struct policy_table *t)
{
	SCOPED(writer_done) struct writer w = peer_writer(t);
	int r = 0;

	if (!t->unread)
		return;
	w.removes = true;
	for (size_t i = 0; !r && i < t->unread; i++)
		r = slot_write(&w, t->old[i], NULL);
	(void)(r ? r : writer_flush(&w, NULL));
	for (size_t i = 0; i < t->unread; i++)
		slot_drop(&t->slots, t->old[i]);
	t->olds -= t->unread;
	memmove(t->old, t->old + t->unread, t->olds * sizeof(struct slot *));
	t->unread = 0;
}

void policy_collect_soon(struct policy_table *t)
{
	if (t->timer && t->olds)
		loop_timer_in(t->timer, COLLECT_DELAY_NS);
}

void datapath_policy_collect(struct datapath *d)
{
	struct policy_table *t = d->policy;

	if (!t->olds)
		return;
	policy_settle(t);
	policy_collect_unread(t);
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
	policy_collect_soon(d->policy);
}

void slot_unref(struct policy_table *t, struct slot *s)
{
	if (--s->refs || s->replaced)
		return;
	if (!s->written) {
		slot_drop(&t->slots, s);
		return;
	}
	s->replaced = true;
	t->settled = false;
	mem_grow(&t->old, &t->old_room, t->olds + 1, sizeof(struct slot *));
	t->old[t->olds++] = s;
}

void policy_keep_referred(struct policy_table *t)
{
	size_t kept = 0, unread = 0;

	for (size_t i = 0; i < t->olds; i++) {
		struct slot *s = t->old[i];

		if (s->refs) {
			s->replaced = false;
			continue;
		}
		unread += i < t->unread;
		t->old[kept++] = s;
	}
	t->olds = kept;
	t->unread = unread;
}

struct slot_value slot_row_value(const struct slot *s)
{
	struct slot_value v = {0};

	if (!s)
		return v;
	v.slot = s->number;
	memcpy(v.class, s->base.class, sizeof(v.class));
	return v;
}

static const struct slot *slot_wanted(const struct row *row, bool next)
{
	if (!next)
		return row->slot;
	return row->wish ? row->wish->slot : NULL;
}

/* Of what is there: rows that shall go, or (rewrite) lead elsewhere. */
static bool row_differs(const struct row *row, unsigned generation, bool next)
{
	struct slot_value v = slot_row_value(slot_wanted(row, next));

	return memcmp(&v, &row->value[generation], sizeof(v)) != 0;
}

/* A program may still be reading the rows of a generation that is not in force, from before the
 * last switch. For it, rows that are new make no difference, but others do. */
static int remove_rows(struct policy_table *t, unsigned generation, bool next, struct err *e)
{
	SCOPED(writer_done) struct writer w = row_writer(t);
	int r = 0;

	w.removes = true;
	HASH_EACH(&t->row, x) {
		struct row *row = x->value;
		struct slot_key key = {.identity = row->identity, .generation = generation};

		if (!row->value[generation].slot || !row_differs(row, generation, next))
			continue;
		policy_settle(t);
		if (slot_wanted(row, next))
			continue;
		r = writer_add(&w, &key, NULL, e);
		row->value[generation] = (struct slot_value){0};
		if (r)
			return r;
	}
	return writer_flush(&w, e);
}

/* The rows that are not as they should be: for a wish's slot (next), or the one in force. */
static int write_rows(struct policy_table *t, unsigned generation, bool next, struct err *e)
{
	SCOPED(writer_done) struct writer w = row_writer(t);
	int r = remove_rows(t, generation, next, e);

	if (r)
		return r;
	HASH_EACH(&t->row, x) {
		struct row *row = x->value;
		struct slot_key key = {.identity = row->identity, .generation = generation};

		if (!row_differs(row, generation, next))
			continue;
		row->value[generation] = slot_row_value(slot_wanted(row, next));
		r = writer_add(&w, &key, &row->value[generation], e);
		if (r)
			return r;
	}
	r = writer_flush(&w, e);
	t->written += w.written;
	return r;
}

/* The table in memory becomes what the plan says. */
static void take_plan(struct policy_table *t, struct plan *p)
{
	t->changed = 0;
	t->subjects = p->wishes;
	HASH_EACH(&t->row, x) {
		struct row *row = x->value;
		struct slot *was = row->slot;

		row->slot = row->wish ? TAKE(row->wish->slot) : NULL;
		row->content = row->wish ? row->wish->content : NULL;
		t->changed += row->slot && row->slot != was;
		if (was)
			slot_unref(t, was);
	}
	t->kept = p->wishes - t->changed;
	policy_keep_referred(t);
}

/*
 * The new revision has the parity of the one in force, whose rows must not be touched: step over to
 * the other generation with the same content first.
 */
static int change_parity(struct datapath *d, uint32_t revision, struct err *e)
{
	struct policy_table *t = d->policy;
	int r = write_rows(t, (revision - 1) & 1, false, e);

	if (r)
		return r;
	put_current(d, revision - 1, (uint32_t)current(d) + 1);
	t->settled = false;
	return 0;
}

static int switch_to(struct datapath *d, struct plan *p, uint32_t revision, struct err *e)
{
	struct policy_table *t = d->policy;
	int r = plan_write(p, e);

	if (r)
		return r;
	if ((revision & 1) == (current(d) >> 32 & 1))
		r = change_parity(d, revision, e);
	r = r ? r : write_rows(t, revision & 1, true, e);
	if (r) {
		plan_unwrite(p);
		return r;
	}
	put_current(d, revision, (uint32_t)current(d) + 1);
	t->settled = false;
	take_plan(t, p);
	return 0;
}

/*
 * The programs of the build before are in force over maps of their own, and read the same
 * state.current: both generations are written here, so that this build's find the whole policy
 * whatever the revision is at which they take over.
 */
static int take_over(struct datapath *d, struct plan *p, uint32_t revision, struct err *e)
{
	struct policy_table *t = d->policy;
	int r = plan_write(p, e);

	if (r)
		return r;
	for (unsigned generation = 0; !r && generation < 2; generation++)
		r = write_rows(t, generation, true, e);
	if (r) {
		plan_unwrite(p);
		return r;
	}
	take_plan(t, p);
	r = load_commit(d, e);
	if (r)
		return r;
	put_current(d, revision, (uint32_t)current(d) + 1);
	t->settled = false;
	return 0;
}

static int plan_make(struct plan *p, struct policy_table *t, const struct dp_slot *slot,
	size_t slots, struct err *e)
{
	int r = 0;

	plan_begin(p, t, slots);
	for (size_t i = 0; !r && i < slots; i++)
		r = plan_wish(p, &slot[i], e);
	return r ? r : plan_check(p, slots, e);
}

int datapath_policy_apply(struct datapath *d, const struct dp_slot *slot, size_t slots,
	uint32_t revision, struct dp_policy_stats *ret, struct err *e)
{
	struct policy_table *t = d->policy;
	SCOPED(plan_done) struct plan p = {.table = t};
	int r;

	if (revision <= current(d) >> 32)
		return err_set(e, -EINVAL, "policy revision %u is not after %u", revision,
			(uint32_t)(current(d) >> 32));
	t->written = 0;
	r = plan_make(&p, t, slot, slots, e);
	if (!r)
		r = d->load ? take_over(d, &p, revision, e) : switch_to(d, &p, revision, e);
	if (r)
		return r;
	/* what the revision before had replaced: in a burst of revisions the timer has no turn */
	policy_collect_unread(t);
	policy_collect_soon(t);
	if (ret)
		datapath_policy_stats(d, ret);
	return 0;
}

int datapath_policy_check(
	struct datapath *d, const struct dp_slot *slot, size_t slots, struct err *e)
{
	SCOPED(plan_done) struct plan p = {.table = d->policy};

	return plan_make(&p, d->policy, slot, slots, e);
}

void datapath_policy_stats(struct datapath *d, struct dp_policy_stats *ret)
{
	const struct policy_table *t = d->policy;

	*ret = (struct dp_policy_stats){.slots = t->subjects,
		.slots_written = t->changed,
		.slots_kept = t->kept,
		.contents = t->slots.count,
		.classes = t->slots.classes.count,
		.peer_entries = t->peers,
		.rule_entries = t->rules,
		.peer_max = t->peer_map.max_entries,
		.rule_max = t->rule_map.max_entries,
		.rule_hit_max = d->map_max[DP_MAP_rule_hit],
		.written = t->written};
	datapath_state(d, &ret->revision, &ret->epoch);
}

void policy_close(struct datapath *d)
{
	struct policy_table *t = d->policy;

	if (!t)
		return;
	loop_source_free(t->timer);
	HASH_EACH(&t->row, x)
		free(x->value);
	hash_done(&t->row);
	slots_done(&t->slots);
	free(t->old);
	free(t);
	d->policy = NULL;
}
