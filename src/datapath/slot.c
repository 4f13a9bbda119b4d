/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots in memory. Pure; called by policy.c and policy_map.c. Must hold: two slots that decide
 * alike compare equal, so that a switch writes only what has changed; a class that a slot names has
 * a reference for each time it does.
 */
#include "datapath/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void hold(struct slots *t, const struct peer_class *p)
{
	for (int d = 0; d < POLICY_DIRECTIONS; d++)
		class_find(&t->classes, p->class[d])->refs++;
}

static void let_go(struct slots *t, const struct peer_class *p)
{
	for (int d = 0; d < POLICY_DIRECTIONS; d++) {
		struct class *c = class_find(&t->classes, p->class[d]);

		if (--c->refs)
			continue;
		if (t->class_gone)
			t->class_gone(c, t->data);
		class_drop(&t->classes, c);
	}
}

bool class_pair_equal(const struct peer_class *a, const struct peer_class *b)
{
	return a->class[POLICY_INGRESS] == b->class[POLICY_INGRESS] &&
	       a->class[POLICY_EGRESS] == b->class[POLICY_EGRESS];
}

static int compare_peers(const void *a, const void *b)
{
	const struct slot_peer *x = a, *y = b;

	return (x->identity > y->identity) - (x->identity < y->identity);
}

/* Where the peer is, or belongs. */
static size_t place_of(const struct slot *s, uint32_t identity)
{
	size_t low = 0, high = s->peers;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->peer[middle].identity < identity)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct slot_peer *slot_peer(const struct slot *s, uint32_t identity)
{
	size_t i = place_of(s, identity);

	return i < s->peers && s->peer[i].identity == identity ? &s->peer[i] : NULL;
}

struct peer_class slot_class(const struct slot *s, uint32_t identity)
{
	const struct slot_peer *p = slot_peer(s, identity);

	return p ? p->class : s->base;
}

/* --- the index --- */

/* A sum over the peers, so that one more or less does not cost going through all. */
static uint64_t peer_digest(const struct slot_peer *p)
{
	return hash_bytes(p, sizeof(*p), 0);
}

static uint64_t slot_digest(const struct slot *s)
{
	uint64_t digest = hash_bytes(&s->base, sizeof(s->base), 0);

	for (size_t i = 0; i < s->peers; i++)
		digest += peer_digest(&s->peer[i]);
	return digest;
}

static bool slot_equal(const struct slot *a, const struct slot *b)
{
	return class_pair_equal(&a->base, &b->base) && a->peers == b->peers &&
	       (!a->peers || !memcmp(a->peer, b->peer, a->peers * sizeof(*a->peer)));
}

static void enter(struct slots *t, struct slot *s)
{
	s->next = hash_get(&t->index, &s->digest, sizeof(s->digest));
	(void)hash_put(&t->index, &s->digest, sizeof(s->digest), s);
}

static void leave(struct slots *t, struct slot *s)
{
	struct slot *first = hash_get(&t->index, &s->digest, sizeof(s->digest));

	if (first == s && !s->next) {
		(void)hash_remove(&t->index, &s->digest, sizeof(s->digest));
	} else if (first == s) {
		(void)hash_put(&t->index, &s->digest, sizeof(s->digest), s->next);
	} else {
		while (first->next != s)
			first = first->next;
		first->next = s->next;
	}
	s->next = NULL;
}

/* Not in the index. */
static void slot_free(struct slots *t, struct slot *s)
{
	let_go(t, &s->base);
	for (size_t i = 0; i < s->peers; i++)
		let_go(t, &s->peer[i].class);
	free(s->peer);
	free(s);
}

void slot_drop(struct slots *t, struct slot *s)
{
	leave(t, s);
	number_give(&t->numbers, s->number);
	t->count--;
	slot_free(t, s);
}

/* The one of this content that is there, or s, which gets a number. */
static struct slot *intern(struct slots *t, struct slot *s)
{
	struct slot *have;

	s->digest = slot_digest(s);
	have = hash_get(&t->index, &s->digest, sizeof(s->digest));
	while (have && !slot_equal(have, s))
		have = have->next;
	if (have) {
		slot_free(t, s);
		return have;
	}
	s->number = number_take(&t->numbers);
	t->count++;
	enter(t, s);
	return s;
}

/* --- from the caller's form --- */

static int take_class(struct slots *t, const struct dp_slot *in, uint32_t index, struct hash *seen,
	struct class **ret, struct err *e)
{
	const struct dp_class *want;
	struct class *c;
	int r;

	if (index >= in->classes)
		return err_set(e, -EINVAL, "class %u of %zu", index, in->classes);
	want = in->class[index];
	c = hash_get(seen, &want, sizeof(struct dp_class *));
	if (!c) {
		r = class_get(&t->classes, want, &c, e);
		if (r)
			return r;
		(void)hash_put(seen, &want, sizeof(struct dp_class *), c);
	}
	*ret = c;
	return 0;
}

/* Classes by number, with a reference on each. */
static int take_pair(struct slots *t, const struct dp_slot *in,
	const uint32_t index[POLICY_DIRECTIONS], struct hash *seen, struct peer_class *ret,
	struct err *e)
{
	struct class *c[POLICY_DIRECTIONS] = {0};
	int r = take_class(t, in, index[0], seen, &c[0], e);

	r = r ? r : take_class(t, in, index[1], seen, &c[1], e);
	if (r) {
		/* a class made just now and not referred to */
		if (c[0] && !c[0]->refs)
			class_drop(&t->classes, c[0]);
		return r;
	}
	*ret = (struct peer_class){.class = {c[0]->number, c[1]->number}};
	hold(t, ret);
	return 0;
}

static int make_peers(struct slots *t, const struct dp_slot *in, struct hash *seen,
	struct change *c, struct err *e)
{
	int r = 0;

	c->peer = mem_array(in->peers + 1, sizeof(*c->peer));
	for (size_t i = 0; !r && i < in->peers; i++) {
		struct slot_peer *p = &c->peer[c->peers];

		p->identity = in->peer[i].identity;
		r = take_pair(t, in, in->peer[i].class, seen, &p->class, e);
		c->peers += !r;
	}
	qsort(c->peer, c->peers, sizeof(*c->peer), compare_peers);
	for (size_t i = 1; !r && i < c->peers; i++) {
		if (c->peer[i].identity == c->peer[i - 1].identity)
			r = err_set(e, -EINVAL, "two classes for peer %u", c->peer[i].identity);
	}
	return r;
}

void change_done(struct slots *t, struct change *c)
{
	for (size_t i = 0; i < c->peers; i++)
		let_go(t, &c->peer[i].class);
	free(c->peer);
	*c = (struct change){0};
}

int change_make(struct slots *t, const struct dp_slot *in, struct hash *seen, struct change *ret,
	struct err *e)
{
	struct change c = {0};
	int r = make_peers(t, in, seen, &c, e);

	if (r) {
		change_done(t, &c);
		(void)err_prefix(e, "policy of identity %u", in->identity);
		return r;
	}
	*ret = c;
	return 0;
}

int slot_get(struct slots *t, const struct dp_slot *in, struct hash *seen, struct slot **ret,
	struct err *e)
{
	struct change c = {0};
	struct slot *s;
	int r = change_make(t, in, seen, &c, e);

	if (r)
		return r;
	s = mem_alloc(sizeof(*s));
	r = take_pair(t, in, in->base, seen, &s->base, e);
	if (r) {
		change_done(t, &c);
		free(s);
		(void)err_prefix(e, "policy of identity %u", in->identity);
		return r;
	}
	for (size_t i = 0; i < c.peers; i++) {
		if (class_pair_equal(&c.peer[i].class, &s->base))
			let_go(t, &c.peer[i].class);
		else
			c.peer[s->peers++] = c.peer[i];
	}
	s->peer = c.peer;
	s->room = in->peers + 1;
	*ret = intern(t, s);
	return 0;
}

/* --- changes in force --- */

static void set_peer(struct slots *t, struct slot *s, const struct slot_peer *p)
{
	size_t i = place_of(s, p->identity), behind;
	bool there = i < s->peers && s->peer[i].identity == p->identity;
	bool wanted = !class_pair_equal(&p->class, &s->base);

	if (wanted)
		hold(t, &p->class);
	if (there) {
		s->digest -= peer_digest(&s->peer[i]);
		let_go(t, &s->peer[i].class);
	}
	if (wanted)
		s->digest += peer_digest(p);
	behind = s->peers - i - there;
	if (wanted && !there) {
		mem_grow(&s->peer, &s->room, s->peers + 1, sizeof(*s->peer));
		memmove(&s->peer[i + 1], &s->peer[i], behind * sizeof(*s->peer));
		s->peers++;
	} else if (there && !wanted) {
		memmove(&s->peer[i], &s->peer[i + 1], behind * sizeof(*s->peer));
		s->peers--;
	}
	if (wanted)
		s->peer[i] = *p;
}

void slot_change(struct slots *t, struct slot *s, const struct change *c)
{
	leave(t, s);
	for (size_t i = 0; i < c->peers; i++)
		set_peer(t, s, &c->peer[i]);
	enter(t, s);
}

struct change change_back(struct slots *t, const struct slot *s, const struct change *c)
{
	struct change back = {.peer = mem_array(c->peers + 1, sizeof(*back.peer))};

	for (; back.peers < c->peers; back.peers++) {
		struct slot_peer *p = &back.peer[back.peers];

		p->identity = c->peer[back.peers].identity;
		p->class = slot_class(s, p->identity);
		hold(t, &p->class);
	}
	return back;
}

struct slot *slot_changed(struct slots *t, const struct slot *s, const struct change *c)
{
	struct slot *to = mem_alloc(sizeof(*to));

	to->base = s->base;
	hold(t, &to->base);
	mem_grow(&to->peer, &to->room, s->peers + c->peers + 1, sizeof(*to->peer));
	for (size_t i = 0; i < s->peers; i++) {
		hold(t, &s->peer[i].class);
		to->peer[to->peers++] = s->peer[i];
	}
	for (size_t i = 0; i < c->peers; i++)
		set_peer(t, to, &c->peer[i]);
	return intern(t, to);
}

/* --- from the maps --- */

struct slot *slot_adopt(struct slots *t, const struct slot_value *v)
{
	struct slot *s = mem_alloc(sizeof(*s));

	s->number = v->slot;
	memcpy(s->base.class, v->class, sizeof(s->base.class));
	s->written = true;
	number_claim(&t->numbers, s->number);
	t->count++;
	return s;
}

void slot_append(struct slot *s, uint32_t identity, const struct peer_class *class)
{
	mem_grow(&s->peer, &s->room, s->peers + 1, sizeof(*s->peer));
	s->peer[s->peers++] = (struct slot_peer){.identity = identity, .class = *class};
}

void slot_settle(struct slots *t, struct slot *s)
{
	if (s->peers)
		qsort(s->peer, s->peers, sizeof(*s->peer), compare_peers);
	hold(t, &s->base);
	for (size_t i = 0; i < s->peers; i++)
		hold(t, &s->peer[i].class);
	s->digest = slot_digest(s);
	enter(t, s);
}

void slots_done(struct slots *t)
{
	t->class_gone = NULL;
	HASH_EACH(&t->index, x) {
		struct slot *next;

		for (struct slot *s = x->value; s; s = next) {
			next = s->next;
			free(s->peer);
			free(s);
		}
	}
	hash_done(&t->index);
	numbers_done(&t->numbers);
	classes_done(&t->classes);
	*t = (struct slots){0};
}
