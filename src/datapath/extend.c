/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What identities that come and go need of the revision in force. Called by the agent. Must hold:
 * no address and no endpoint has an identity while its entries are written or removed here, so that
 * programs that read meanwhile judge as before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/policy.h"

/* A slot that learns of peers, for one of the identities that have it. */
struct member {
	struct row *row;
	struct slot *slot; /* that it has */
	struct slot *to; /* that it gets, with a reference; NULL: the same, changed in place */
	struct change change;
	struct change back; /* of the first member of a slot that has changed in place */
};

struct extension {
	struct plan plan; /* with the fresh slots as wishes */
	struct member *member;
	size_t members, room;
	size_t fresh, gone; /* entries that slots get, and lose, in place */
};

static void extension_done(struct extension *x)
{
	struct policy_table *t = x->plan.table;

	for (size_t i = 0; i < x->members; i++) {
		change_done(&t->slots, &x->member[i].change);
		change_done(&t->slots, &x->member[i].back);
		if (x->member[i].to)
			slot_unref(t, x->member[i].to);
	}
	free(x->member);
	plan_done(&x->plan);
}

static int change_order(const struct change *a, const struct change *b)
{
	if (a->peers != b->peers)
		return a->peers < b->peers ? -1 : 1;
	return a->peers ? memcmp(a->peer, b->peer, a->peers * sizeof(*a->peer)) : 0;
}

static int member_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->slot != y->slot)
		return x->slot->number < y->slot->number ? -1 : 1;
	return change_order(&x->change, &y->change);
}

static int add_member(
	struct extension *x, struct row *row, const struct dp_slot *more, struct err *e)
{
	struct member *m;
	int r;

	mem_grow(&x->member, &x->room, x->members + 1, sizeof(*x->member));
	m = &x->member[x->members];
	r = change_make(&x->plan.table->slots, more, &x->plan.seen, &m->change, e);
	if (r)
		return r;
	m->row = row;
	m->slot = row->slot;
	x->members++;
	return 0;
}

/* All whose content stands in the table of those that learn something. */
static int add_sharers(struct extension *x, const struct hash *content, struct err *e)
{
	int r = 0;

	HASH_EACH(&x->plan.table->row, entry) {
		struct row *row = entry->value;
		const struct dp_slot *more =
			row->slot && row->content
				? hash_get(content, &row->content, sizeof(row->content))
				: NULL;

		if (!r && more)
			r = add_member(x, row, more, e);
	}
	return r;
}

static int make_members(
	struct extension *x, const struct dp_slot *more, size_t mores, struct err *e)
{
	struct hash SCOPED(hash_done) content = {0};
	int r = 0;

	for (size_t i = 0; !r && i < mores; i++) {
		struct row *row =
			hash_get(&x->plan.table->row, &more[i].identity, sizeof(uint32_t));

		if (!row || !row->slot)
			continue;
		if (row->content)
			(void)hash_put(
				&content, &row->content, sizeof(row->content), (void *)&more[i]);
		else
			r = add_member(x, row, &more[i], e);
	}
	if (!r && content.count)
		r = add_sharers(x, &content, e);
	if (x->members)
		qsort(x->member, x->members, sizeof(*x->member), member_order);
	return r;
}

static void change_in_place(struct extension *x, struct member *m)
{
	struct slot *s = m->slot;
	size_t fresh = 0;

	m->back = change_back(&x->plan.table->slots, s, &m->change);
	for (size_t i = 0; i < m->change.peers; i++) {
		bool was = !class_pair_equal(&m->back.peer[i].class, &s->base);
		bool is = !class_pair_equal(&m->change.peer[i].class, &s->base);

		fresh += is && !was;
		x->gone += was && !is;
	}
	x->fresh += fresh;
	plan_count_change(&x->plan, m->row->identity, &m->change, fresh);
	slot_change(&x->plan.table->slots, s, &m->change);
}

/*
 * Members [from, to) have the same slot. When all that have it learn the same, it is changed in
 * place; else each gets another one.
 */
static void plan_group(struct extension *x, size_t from, size_t to)
{
	struct member *m = x->member;

	if (to - from == m[from].slot->refs && !change_order(&m[from].change, &m[to - 1].change)) {
		change_in_place(x, &m[from]);
		return;
	}
	for (size_t i = from; i < to; i++) {
		bool same = i > from && !change_order(&m[i].change, &m[i - 1].change);

		m[i].to = same ? m[i - 1].to
			       : slot_changed(&x->plan.table->slots, m[i].slot, &m[i].change);
		m[i].to->refs++;
		plan_count(&x->plan, m[i].row->identity, m[i].to);
	}
}

static void plan_groups(struct extension *x)
{
	size_t from = 0;

	for (size_t i = 1; i <= x->members; i++) {
		if (i < x->members && x->member[i].slot == x->member[from].slot)
			continue;
		plan_group(x, from, i);
		from = i;
	}
}

static int plan_fresh(
	struct extension *x, const struct dp_slot *fresh, size_t freshes, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < freshes; i++)
		r = plan_wish(&x->plan, &fresh[i], e);
	return r;
}

/* The entries of slots that change in place: those that are wanted, or (removes) those that are
 * not. back: as it was before. */
static int write_changes(struct extension *x, bool back, bool removes, struct err *e)
{
	struct policy_table *t = x->plan.table;
	SCOPED(writer_done) struct writer w = peer_writer(t);
	int r = 0;

	w.total = NULL;
	w.removes = removes;
	for (size_t i = 0; i < x->members; i++) {
		const struct member *m = &x->member[i];
		const struct change *to = back ? &m->back : &m->change;
		const struct change *from = back ? &m->change : &m->back;

		for (size_t k = 0; !r && k < m->back.peers; k++) {
			struct peer_key key = {
				.slot = m->slot->number, .identity = to->peer[k].identity};
			bool base = class_pair_equal(&to->peer[k].class, &m->slot->base);

			if (base == removes &&
				!class_pair_equal(&to->peer[k].class, &from->peer[k].class))
				r = writer_add(&w, &key, &to->peer[k].class, e);
		}
	}
	r = r ? r : writer_flush(&w, e);
	t->written += w.written;
	return r;
}

static int write_row(
	struct writer *w, struct row *row, const struct slot *s, unsigned generation, struct err *e)
{
	struct slot_key key = {.identity = row->identity, .generation = generation};

	row->value[generation] = slot_row_value(s);
	return writer_add(w, &key, &row->value[generation], e);
}

/* Of identities that get another slot, and of those that had none, or had it when they stood for
 * something else. */
static int write_rows(struct extension *x, unsigned generation, struct err *e)
{
	SCOPED(writer_done) struct writer w = row_writer(x->plan.table);
	int r = 0;

	for (size_t i = 0; !r && i < x->members; i++) {
		const struct member *m = &x->member[i];

		if (m->to && m->to != m->slot)
			r = write_row(&w, m->row, m->to, generation, e);
	}
	for (size_t i = 0; !r && i < x->plan.wishes; i++) {
		const struct wish *wish = &x->plan.wish[i];

		r = write_row(&w, wish->row, wish->slot, generation, e);
		/* the other one saves the next switch a write; what is there may still be read */
		if (!r && !wish->row->value[!generation].slot)
			r = write_row(&w, wish->row, wish->slot, !generation, e);
	}
	r = r ? r : writer_flush(&w, e);
	x->plan.table->written += w.written;
	return r;
}

static void unwrite_rows(struct extension *x, unsigned generation)
{
	SCOPED(writer_done) struct writer put = row_writer(x->plan.table);
	SCOPED(writer_done) struct writer gone = row_writer(x->plan.table);
	int r = 0;

	gone.removes = true;
	for (size_t i = 0; !r && i < x->members; i++) {
		if (x->member[i].to)
			r = write_row(&put, x->member[i].row, x->member[i].slot, generation, NULL);
	}
	for (size_t i = 0; !r && i < x->plan.wishes; i++) {
		struct row *row = x->plan.wish[i].row;

		if (row->slot) {
			r = write_row(&put, row, row->slot, generation, NULL);
			continue;
		}
		r = write_row(&gone, row, NULL, generation, NULL);
		r = r ? r : write_row(&gone, row, NULL, !generation, NULL);
	}
	r = r ? r : writer_flush(&put, NULL);
	(void)(r ? r : writer_flush(&gone, NULL));
}

/* Nothing of it has happened. */
static void forget_changes(struct extension *x)
{
	for (size_t i = 0; i < x->members; i++) {
		if (x->member[i].back.peers)
			slot_change(&x->plan.table->slots, x->member[i].slot, &x->member[i].back);
	}
}

static void take(struct extension *x)
{
	struct policy_table *t = x->plan.table;

	for (size_t i = 0; i < x->members; i++) {
		struct member *m = &x->member[i];

		if (!m->to)
			continue;
		m->row->slot = TAKE(m->to);
		slot_unref(t, m->slot);
	}
	t->peers += x->fresh;
	t->peers -= x->gone;
	for (size_t i = 0; i < x->plan.wishes; i++) {
		struct wish *wish = &x->plan.wish[i];
		struct slot *was = wish->row->slot;

		wish->row->slot = TAKE(wish->slot);
		wish->row->content = wish->content;
		if (was)
			slot_unref(t, was);
		else
			t->subjects++;
	}
	policy_keep_referred(t);
	policy_collect_soon(t);
}

static int extend(struct extension *x, unsigned generation, struct err *e)
{
	int r = plan_write(&x->plan, e);

	if (r)
		return r;
	r = write_changes(x, false, false, e);
	r = r ? r : write_rows(x, generation, e);
	r = r ? r : write_changes(x, false, true, e);
	if (!r)
		return 0;
	unwrite_rows(x, generation);
	(void)write_changes(x, true, false, NULL);
	(void)write_changes(x, true, true, NULL);
	plan_unwrite(&x->plan);
	return r;
}

int datapath_policy_extend(struct datapath *d, const struct dp_slot *more, size_t mores,
	const struct dp_slot *fresh, size_t freshes, struct err *e)
{
	struct policy_table *t = d->policy;
	SCOPED(extension_done) struct extension x = {.plan = {.table = t}};
	uint32_t revision, epoch;
	int r;

	if (d->load)
		return err_set(e, -EAGAIN,
			"policy: the build before is in force until a whole policy is written");
	datapath_state(d, &revision, &epoch);
	t->written = 0;
	plan_begin(&x.plan, t, freshes);
	r = make_members(&x, more, mores, e);
	if (r)
		return r;
	plan_groups(&x);
	r = plan_fresh(&x, fresh, freshes, e);
	r = r ? r : plan_check(&x.plan, freshes, e);
	r = r ? r : extend(&x, revision & 1, e);
	if (r)
		forget_changes(&x);
	else
		take(&x);
	return r;
}

static int forget_peer(
	struct policy_table *t, struct slot *s, uint32_t identity, struct writer *w, struct err *e)
{
	struct peer_key key = {.slot = s->number, .identity = identity};
	struct slot_peer p = {.identity = identity, .class = s->base};
	struct change c = {&p, 1};

	if (!slot_peer(s, identity))
		return 0;
	slot_change(&t->slots, s, &c);
	return writer_add(w, &key, NULL, e);
}

static int forget_peers(
	struct policy_table *t, const uint32_t *identity, size_t count, struct err *e)
{
	SCOPED(writer_done) struct writer w = peer_writer(t);
	int r = 0;

	w.removes = true;
	HASH_EACH(&t->row, x) {
		struct row *row = x->value;

		for (size_t i = 0; !r && row->slot && i < count; i++)
			r = forget_peer(t, row->slot, identity[i], &w, e);
	}
	return r ? r : writer_flush(&w, e);
}

static int forget_row(struct policy_table *t, struct row *row, struct writer *w, struct err *e)
{
	int r = 0;

	for (unsigned generation = 0; !r && generation < 2; generation++) {
		if (row->value[generation].slot)
			r = write_row(w, row, NULL, generation, e);
	}
	if (!r && row->slot) {
		slot_unref(t, TAKE(row->slot));
		t->subjects--;
	}
	return r;
}

int datapath_policy_forget(
	struct datapath *d, const uint32_t *identity, size_t count, struct err *e)
{
	struct policy_table *t = d->policy;
	SCOPED(writer_done) struct writer w = row_writer(t);
	int r = forget_peers(t, identity, count, e);

	w.removes = true;
	for (size_t i = 0; !r && i < count; i++) {
		struct row *row = hash_get(&t->row, &identity[i], sizeof(identity[i]));

		if (row)
			r = forget_row(t, row, &w, e);
	}
	r = r ? r : writer_flush(&w, e);
	rows_sweep(t);
	policy_collect_soon(t);
	return r;
}
