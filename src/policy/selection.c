/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors and prefixes to sets of identities. Called by the compiler. Owns every set, and what it
 * remembers of the identities. Must hold: a selector means exactly what selector_matches() says
 * (the index only finds candidates); a prefix means identities of prefixes, the world for a /0, and
 * endpoints and nodes only where its reach says so.
 */
#include "policy/selection.h"

#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

/* Between the parts of a key; no part of a label holds it. */
#define SEPARATOR "\x1f"

static void requirement_text(struct str *out, const struct requirement *q)
{
	str_printf(out, "%d" SEPARATOR "%s" SEPARATOR "%s" SEPARATOR "%zu", (int)q->op,
		q->key.source, q->key.key, q->values);
	for (size_t i = 0; i < q->values; i++)
		str_printf(out, SEPARATOR "%s", q->value[i]);
	str_add(out, "\x1e");
}

static void prefixes_text(struct str *out, const struct prefix *p, size_t count)
{
	str_printf(out, "%zu" SEPARATOR, count);
	for (size_t i = 0; i < count; i++)
		str_addn(out, &p[i], sizeof(p[i]));
}

/* Equal texts mean equal selections. */
static void want_text(struct str *out, const struct selection_want *w)
{
	str_printf(out, "%d" SEPARATOR "%u" SEPARATOR, (int)w->kind, w->reach);
	if (w->kind == SELECTION_PREFIXES) {
		prefixes_text(out, w->prefix, w->prefixes);
		prefixes_text(out, w->except, w->excepts);
		return;
	}
	for (size_t i = 0; i < w->selector->count; i++)
		requirement_text(out, &w->selector->requirement[i]);
}

static void list_init(
	struct prefix_list *l, struct arena *mem, const struct prefix *p, size_t count)
{
	bool occurs[ADDR_BITS + 1] = {false};

	l->prefix = arena_array(mem, count, sizeof(*p));
	l->count = count;
	if (!count)
		return;
	memcpy(l->prefix, p, count * sizeof(*p));
	qsort(l->prefix, count, sizeof(*p), prefix_order);
	for (size_t i = 0; i < count; i++)
		occurs[p[i].bits] = true;
	for (unsigned bits = 0; bits <= ADDR_BITS; bits++) {
		if (occurs[bits])
			l->length[l->lengths++] = (uint8_t)bits;
	}
}

/* p cut to its first bits. */
static struct prefix cut_to(const struct prefix *p, unsigned bits)
{
	struct prefix q = {.addr = p->addr, .bits = bits};

	for (unsigned i = 0; i < 16; i++) {
		unsigned left = bits > i * 8 ? bits - i * 8 : 0;

		if (left < 8)
			q.addr.byte[i] &= (uint8_t)(0xff00u >> left);
	}
	return q;
}

/* Whether a prefix of the list contains p. */
static bool list_covers(const struct prefix_list *l, const struct prefix *p)
{
	for (size_t i = 0; i < l->lengths && l->length[i] <= p->bits; i++) {
		struct prefix q = cut_to(p, l->length[i]);
		const struct prefix *found =
			bsearch(&q, l->prefix, l->count, sizeof(q), prefix_order);

		/* ::/0 has the bits of no IPv4 prefix, but compares equal when cut */
		if (found && prefix_contains(found, p))
			return true;
	}
	return false;
}

static bool list_means(const struct selection *s, const struct prefix *p)
{
	return list_covers(&s->prefix, p) && !list_covers(&s->except, p);
}

/* The world that is left when all named prefixes are taken away: meant by a /0. */
static bool means_world(const struct selection *s, uint32_t number)
{
	static const struct prefix v4 = {
		.addr = {.byte = {[10] = 0xff, [11] = 0xff}}, .bits = ADDR_V4_PREFIX};
	static const struct prefix v6 = {.bits = 0};

	switch (number) {
	case IDENTITY_WORLD:
		return list_means(s, &v4) || list_means(s, &v6);
	case IDENTITY_WORLD_IPV4:
		return list_means(s, &v4);
	case IDENTITY_WORLD_IPV6:
		return list_means(s, &v6);
	default:
		return false;
	}
}

static bool is_node(const struct labels *l)
{
	return labels_find(l, "reserved", "remote-node") || labels_find(l, "reserved", "host");
}

static bool means_part(const struct selection *s, const struct identity_info *n)
{
	if (!(s->reach & (is_node(&n->labels) ? PREFIX_NODES : PREFIX_PODS)))
		return false;
	return n->is_inside && list_means(s, &n->inside);
}

static bool means(const struct selection *s, const struct identity_info *n)
{
	switch (s->kind) {
	case SELECTION_LABELS:
		return selector_matches(&s->selector, &n->labels);
	case SELECTION_NODES:
		return labels_find(&n->labels, "reserved", "remote-node") &&
		       selector_matches(&s->selector, &n->labels);
	case SELECTION_ALL_NODES:
		return is_node(&n->labels) && selector_matches(&s->selector, &n->labels);
	case SELECTION_PREFIXES:
		if (n->is_prefix)
			return list_means(s, &n->prefix);
		return n->base ? means_part(s, n) : means_world(s, n->number);
	}
	return false;
}

/* --- identities ------------------------------------------------------------------------------ */

static void label_text(struct str *out, const char *key, const char *value)
{
	out->len = 0;
	str_printf(out, "%s%s%s", key, value ? SEPARATOR : "", value ? value : "");
}

static struct ids *posting(struct selections *t, const char *key, const char *value, bool make)
{
	SCOPED(str_done) struct str text = {0};
	struct ids *p;

	label_text(&text, key, value);
	p = hash_get(&t->by_label, str_text(&text), text.len);
	if (!p && make) {
		p = mem_alloc(sizeof(*p));
		(void)hash_put(&t->by_label, str_text(&text), text.len, p);
	}
	return p;
}

static void index_member(struct selections *t, const struct identity_info *n)
{
	for (size_t i = 0; i < n->labels.count; i++) {
		const struct label *l = &n->labels.label[i];

		(void)ids_add(posting(t, l->key, NULL, true), n->number);
		(void)ids_add(posting(t, l->key, l->value, true), n->number);
	}
	if (n->is_prefix)
		(void)ids_add(&t->prefixes, n->number);
	if (n->base)
		(void)ids_add(&t->parts, n->number);
	if (n->ports)
		(void)ids_add(&t->with_ports, n->number);
}

static void forget_index(struct selections *t)
{
	HASH_EACH(&t->by_label, x) {
		ids_done(x->value);
		free(x->value);
	}
	hash_done(&t->by_label);
	t->stale = 0;
}

static size_t member_position(const struct selections *t, uint32_t number)
{
	size_t low = 0, high = t->members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->member[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct member *selections_member(const struct selections *t, uint32_t number)
{
	size_t i = member_position(t, number);

	return i < t->members && t->member[i].number == number ? &t->member[i] : NULL;
}

const struct identity_info *selections_ports(const struct selections *t, uint32_t number)
{
	const struct member *m = selections_member(t, number);

	if (m && m->info->base && !m->info->own_ports)
		m = selections_member(t, m->info->base);
	return m ? m->info : NULL;
}

/* --- making selections ----------------------------------------------------------------------- */

static void offer(const struct selections *t, struct selection *s, const struct ids *candidates)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct member *m = selections_member(t, candidates->id[i]);

		if (m && means(s, m->info))
			(void)ids_add(&s->ids, m->number);
	}
}

static void offer_all(const struct selections *t, struct selection *s)
{
	for (size_t i = 0; i < t->members; i++) {
		if (means(s, t->member[i].info))
			ids_append(&s->ids, t->member[i].number);
	}
}

/* How many candidates the requirement leaves; SIZE_MAX: it does not narrow anything. */
static size_t candidates_of(struct selections *t, const struct requirement *q)
{
	size_t sum = 0;

	if (q->op == SELECTOR_EXISTS) {
		const struct ids *p = posting(t, q->key.key, NULL, false);

		return p ? p->count : 0;
	}
	if (q->op != SELECTOR_IN)
		return SIZE_MAX;
	for (size_t i = 0; i < q->values; i++) {
		const struct ids *p = posting(t, q->key.key, q->value[i], false);

		sum += p ? p->count : 0;
	}
	return sum;
}

/* Look only at those that the most telling requirement leaves. */
static void fill_by_labels(struct selections *t, struct selection *s)
{
	const struct requirement *best = NULL;
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < s->selector.count; i++) {
		size_t n = candidates_of(t, &s->selector.requirement[i]);

		if (n < fewest) {
			fewest = n;
			best = &s->selector.requirement[i];
		}
	}
	if (!best) {
		offer_all(t, s);
		return;
	}
	if (best->op == SELECTOR_EXISTS) {
		const struct ids *p = posting(t, best->key.key, NULL, false);

		if (p)
			offer(t, s, p);
		return;
	}
	for (size_t i = 0; i < best->values; i++) {
		const struct ids *p = posting(t, best->key.key, best->value[i], false);

		if (p)
			offer(t, s, p);
	}
}

static void fill(struct selections *t, struct selection *s)
{
	static uint32_t worlds[] = {IDENTITY_WORLD, IDENTITY_WORLD_IPV4, IDENTITY_WORLD_IPV6};
	const struct ids world = {worlds, ARRAY_SIZE(worlds), 0};

	if (s->kind != SELECTION_PREFIXES) {
		fill_by_labels(t, s);
		return;
	}
	offer(t, s, &world);
	offer(t, s, &t->prefixes);
	if (s->reach)
		offer(t, s, &t->parts);
}

static struct selector selector_copy(struct arena *mem, const struct selector *s)
{
	struct selector copy = {arena_array(mem, s->count, sizeof(*copy.requirement)), s->count};

	for (size_t i = 0; i < s->count; i++) {
		const struct requirement *from = &s->requirement[i];
		struct requirement *to = &copy.requirement[i];

		*to = (struct requirement){.op = from->op, .values = from->values};
		to->key = (struct label){
			arena_strdup(mem, from->key.source), arena_strdup(mem, from->key.key), ""};
		to->value = arena_array(mem, from->values, sizeof(*to->value));
		for (size_t k = 0; k < from->values; k++)
			to->value[k] = arena_strdup(mem, from->value[k]);
	}
	return copy;
}

struct selection *selection_get(struct selections *t, const struct selection_want *w)
{
	SCOPED(str_done) struct str key = {0};
	struct selection *s;

	want_text(&key, w);
	s = hash_get(&t->by_key, str_text(&key), key.len);
	if (s) {
		s->references++;
		return s;
	}
	s = mem_alloc(sizeof(*s));
	s->references = 1;
	s->kind = w->kind;
	s->reach = w->reach;
	s->key = mem_dup(str_text(&key), key.len);
	s->key_len = key.len;
	if (w->kind == SELECTION_PREFIXES) {
		list_init(&s->prefix, &s->mem, w->prefix, w->prefixes);
		list_init(&s->except, &s->mem, w->except, w->excepts);
	} else {
		s->selector = selector_copy(&s->mem, w->selector);
	}
	(void)hash_put(&t->by_key, s->key, s->key_len, s);
	fill(t, s);
	return s;
}

static void selection_free(struct selection *s)
{
	ids_done(&s->ids);
	arena_done(&s->mem);
	free(s->key);
	free(s);
}

void selection_put(struct selections *t, struct selection *s)
{
	if (--s->references)
		return;
	(void)hash_remove(&t->by_key, s->key, s->key_len);
	selection_free(s);
}

/* --- following ------------------------------------------------------------------------------- */

void selections_init(struct selections *t, const struct identities *identities)
{
	*t = (struct selections){.identities = identities};
}

void selections_done(struct selections *t)
{
	HASH_EACH(&t->by_key, x)
		selection_free(x->value);
	hash_done(&t->by_key);
	forget_index(t);
	ids_done(&t->prefixes);
	ids_done(&t->parts);
	ids_done(&t->with_ports);
	free(t->member);
}

static void go(struct selections *t, uint32_t number, selections_fn fn, void *data)
{
	size_t i = member_position(t, number);

	HASH_EACH(&t->by_key, x) {
		struct selection *s = x->value;

		(void)ids_remove(&s->ids, number);
	}
	(void)ids_remove(&t->prefixes, number);
	(void)ids_remove(&t->parts, number);
	(void)ids_remove(&t->with_ports, number);
	t->members--;
	memmove(&t->member[i], &t->member[i + 1], (t->members - i) * sizeof(*t->member));
	t->stale++;
	if (fn)
		fn(number, NULL, data);
}

static void come(struct selections *t, const struct identity_info *n, selections_fn fn, void *data)
{
	size_t i = member_position(t, n->number);

	mem_grow(&t->member, &t->room, t->members + 1, sizeof(*t->member));
	memmove(&t->member[i + 1], &t->member[i], (t->members - i) * sizeof(*t->member));
	t->members++;
	t->member[i] = (struct member){n->number, n->serial, n};
	index_member(t, n);
	HASH_EACH(&t->by_key, x) {
		struct selection *s = x->value;

		s->fresh = means(s, n);
		if (s->fresh)
			(void)ids_add(&s->ids, n->number);
	}
	if (fn)
		fn(n->number, n, data);
}

/* What has gone, what has come, in the order of numbers. */
struct changes {
	struct ids gone;
	const struct identity_info **come;
	size_t comes, room;
};

static void find_changes(struct selections *t, struct changes *c)
{
	const struct identity_info *n;
	size_t cursor = 0, i = 0;

	while ((n = identities_next(t->identities, &cursor))) {
		if (n->number == IDENTITY_UNKNOWN)
			continue; /* nobody's */
		for (; i < t->members && t->member[i].number < n->number; i++)
			ids_append(&c->gone, t->member[i].number);
		if (i < t->members && t->member[i].number == n->number) {
			struct member *m = &t->member[i++];

			m->info = n;
			if (m->serial == n->serial)
				continue;
			ids_append(&c->gone, n->number);
		}
		mem_grow(&c->come, &c->room, c->comes + 1, sizeof(struct identity_info *));
		c->come[c->comes++] = n;
	}
	for (; i < t->members; i++)
		ids_append(&c->gone, t->member[i].number);
}

void selections_refresh(struct selections *t, selections_fn fn, void *data)
{
	struct changes c = {0};

	if (t->refreshed && t->revision == identities_revision(t->identities))
		return;
	t->refreshed = true;
	t->revision = identities_revision(t->identities);
	find_changes(t, &c);
	for (size_t i = 0; i < c.gone.count; i++)
		go(t, c.gone.id[i], fn, data);
	if (t->stale > t->members / 2 + 64) {
		forget_index(t);
		for (size_t i = 0; i < t->members; i++)
			index_member(t, t->member[i].info);
	}
	for (size_t i = 0; i < c.comes; i++)
		come(t, c.come[i], fn, data);
	ids_done(&c.gone);
	free(c.come);
}
