/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors and prefixes to sets of identities. Called by the compiler; owns its indexes and every
 * set that it gives out. Must hold: a selector means exactly what selector_matches() says, a prefix
 * only identities of prefixes (and the world for a /0), never those of endpoints or of the host.
 */
#include "policy/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The identities that have a label. */
struct posting {
	uint32_t *index;
	size_t count, capacity;
};

/* Between the parts of a key; no part of a label holds it. */
#define SEPARATOR "\x1f"

static void post(
	struct resolver *r, const char *source, const char *key, const char *value, size_t index)
{
	SCOPED(str_done) struct str text = {0};
	struct posting *p;

	str_printf(&text, "%s" SEPARATOR "%s%s%s", source, key, value ? SEPARATOR : "",
		value ? value : "");
	p = hash_get(&r->postings, text.text, text.len);
	if (!p) {
		p = arena_alloc(&r->mem, sizeof(*p));
		(void)hash_put(&r->postings, text.text, text.len, p);
	}
	if (p->count && p->index[p->count - 1] == index)
		return; /* the same key from two sources */
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? p->capacity * 2 : 2;
		uint32_t *bigger = arena_array(&r->mem, capacity, sizeof(*bigger));

		if (p->count)
			memcpy(bigger, p->index, p->count * sizeof(*bigger));
		p->index = bigger;
		p->capacity = capacity;
	}
	p->index[p->count++] = (uint32_t)index;
}

static void post_labels(struct resolver *r, size_t index)
{
	const struct labels *l = &r->identity[index]->labels;

	for (size_t i = 0; i < l->count; i++) {
		const struct label *at = &l->label[i];

		post(r, at->source, at->key, NULL, index);
		post(r, at->source, at->key, at->value, index);
		post(r, "any", at->key, NULL, index);
		post(r, "any", at->key, at->value, index);
	}
}

static int prefix_order(const void *pa, const void *pb, void *data)
{
	const struct resolver *r = data;
	const size_t *a = pa, *b = pb;

	return prefix_compare(&r->identity[*a]->prefix, &r->identity[*b]->prefix);
}

void resolver_init(struct resolver *r, const struct identities *t)
{
	const struct identity_info *n;
	size_t count = 0;

	*r = (struct resolver){0};
	for (n = identity_after(t, 0); n; n = identity_after(t, n->number))
		count++;
	r->words = (count + 63) / 64;
	r->identity = arena_array(&r->mem, count, sizeof(*r->identity));
	r->by_prefix = arena_array(&r->mem, count, sizeof(*r->by_prefix));
	for (n = identity_after(t, 0); n; n = identity_after(t, n->number)) {
		size_t i = r->count++;

		r->identity[i] = n;
		post_labels(r, i);
		if (n->is_prefix)
			r->by_prefix[r->prefixes++] = i;
	}
	if (r->prefixes)
		qsort_r(r->by_prefix, r->prefixes, sizeof(*r->by_prefix), prefix_order, r);
}

void resolver_done(struct resolver *r)
{
	hash_done(&r->postings);
	hash_done(&r->requirements);
	hash_done(&r->columns);
	arena_done(&r->mem);
}

ssize_t resolver_index(const struct resolver *r, uint32_t number)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->identity[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->count && r->identity[low]->number == number ? (ssize_t)low : -ENOENT;
}

static void invert(const struct resolver *r, uint64_t *bits)
{
	for (size_t i = 0; i < r->words; i++)
		bits[i] = ~bits[i];
	if (r->count % 64)
		bits[r->words - 1] &= ((uint64_t)1 << r->count % 64) - 1;
}

static void add_postings(
	const struct resolver *r, const struct requirement *q, const char *value, uint64_t *bits)
{
	SCOPED(str_done) struct str text = {0};
	const struct posting *p;

	str_printf(&text, "%s" SEPARATOR "%s%s%s", q->key.source, q->key.key,
		value ? SEPARATOR : "", value ? value : "");
	p = hash_get(&r->postings, text.text, text.len);
	for (size_t i = 0; p && i < p->count; i++)
		bit_set(bits, p->index[i]);
}

static void requirement_text(struct str *out, const struct requirement *q)
{
	str_printf(out, "%d" SEPARATOR "%s" SEPARATOR "%s" SEPARATOR "%zu", (int)q->op,
		q->key.source, q->key.key, q->values);
	for (size_t i = 0; i < q->values; i++)
		str_printf(out, SEPARATOR "%s", q->value[i]);
	str_add(out, "\x1e");
}

static const uint64_t *resolve_requirement(struct resolver *r, const struct requirement *q)
{
	bool by_value = q->op == SELECTOR_IN || q->op == SELECTOR_NOT_IN;
	SCOPED(str_done) struct str text = {0};
	uint64_t *bits;

	requirement_text(&text, q);
	bits = hash_get(&r->requirements, text.text, text.len);
	if (bits)
		return bits;
	bits = arena_array(&r->mem, r->words, sizeof(*bits));
	for (size_t i = 0; by_value && i < q->values; i++)
		add_postings(r, q, q->value[i], bits);
	if (!by_value)
		add_postings(r, q, NULL, bits);
	if (q->op == SELECTOR_NOT_IN || q->op == SELECTOR_DOES_NOT_EXIST)
		invert(r, bits);
	(void)hash_put(&r->requirements, text.text, text.len, bits);
	return bits;
}

const uint64_t *resolver_selector(struct resolver *r, const struct selector *s)
{
	const uint64_t *first = s->count ? resolve_requirement(r, &s->requirement[0]) : NULL;
	uint64_t *bits;

	if (s->count == 1)
		return first;
	bits = arena_array(&r->mem, r->words, sizeof(*bits));
	if (first)
		memcpy(bits, first, r->words * sizeof(*bits));
	else
		invert(r, bits);
	for (size_t i = 1; i < s->count; i++) {
		const uint64_t *one = resolve_requirement(r, &s->requirement[i]);

		for (size_t k = 0; k < r->words; k++)
			bits[k] &= one[k];
	}
	return bits;
}

/* The first prefix identity in order that is not before p. */
static size_t prefix_position(const struct resolver *r, const struct prefix *p)
{
	size_t low = 0, high = r->prefixes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&r->identity[r->by_prefix[middle]]->prefix, p) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Set or clear the identities of the prefixes inside p. In the order of prefixes they follow each
 * other, apart from ones of the other family.
 */
static void mark_inside(const struct resolver *r, const struct prefix *p, uint64_t *bits, bool on)
{
	for (size_t i = prefix_position(r, p); i < r->prefixes; i++) {
		size_t index = r->by_prefix[i];
		const struct prefix *q = &r->identity[index]->prefix;

		if (prefix_contains(p, q)) {
			if (on)
				bit_set(bits, index);
			else
				bits[index / 64] &= ~((uint64_t)1 << index % 64);
		} else if (prefix_is_v4(p) || !prefix_is_v4(q)) {
			break;
		}
	}
}

/* A /0 is the world of its family, too: the addresses that no longer prefix covers. */
static void mark_world(const struct resolver *r, const struct prefix *p, uint64_t *bits)
{
	bool v4 = prefix_is_v4(p);
	const uint32_t numbers[] = {IDENTITY_WORLD, v4 ? IDENTITY_WORLD_IPV4 : IDENTITY_WORLD_IPV6};

	if (p->bits != (v4 ? ADDR_V4_PREFIX : 0))
		return;
	for (size_t i = 0; i < 2; i++) {
		ssize_t index = resolver_index(r, numbers[i]);

		if (index >= 0)
			bit_set(bits, (size_t)index);
	}
}

/* Except: a world stays only when no except is a /0 itself. */
static bool excepts_world(const struct peer *p, const struct prefix *of)
{
	for (size_t i = 0; i < p->excepts; i++) {
		if (prefix_contains(&p->except[i], of))
			return true;
	}
	return false;
}

static void add_prefixes(const struct resolver *r, const struct peer *p, uint64_t *bits)
{
	SCOPED(freep) uint64_t *of_peer = mem_array(r->words, sizeof(*of_peer));

	for (size_t i = 0; i < p->prefixes; i++) {
		mark_inside(r, &p->prefix[i], of_peer, true);
		if (!excepts_world(p, &p->prefix[i]))
			mark_world(r, &p->prefix[i], of_peer);
	}
	for (size_t i = 0; i < p->excepts; i++)
		mark_inside(r, &p->except[i], of_peer, false);
	for (size_t i = 0; i < r->words; i++)
		bits[i] |= of_peer[i];
}

static void prefixes_text(struct str *out, const struct prefix *p, size_t count)
{
	str_printf(out, "%zu" SEPARATOR, count);
	for (size_t i = 0; i < count; i++)
		str_addn(out, &p[i], sizeof(p[i]));
}

/* Equal texts mean equal peers. */
static void peers_text(struct str *out, const struct peer *peer, size_t peers)
{
	for (size_t i = 0; i < peers; i++) {
		const struct peer *p = &peer[i];

		str_printf(out, "%d" SEPARATOR "%zu" SEPARATOR, (int)p->kind, p->selectors);
		for (size_t k = 0; k < p->selectors; k++) {
			str_printf(out, "%zu" SEPARATOR, p->selector[k].count);
			for (size_t n = 0; n < p->selector[k].count; n++)
				requirement_text(out, &p->selector[k].requirement[n]);
		}
		prefixes_text(out, p->prefix, p->prefixes);
		prefixes_text(out, p->except, p->excepts);
	}
}

/* Whether the peer means everything there is, known or not. */
static bool is_any(const struct peer *p)
{
	if (p->kind == PEER_ANY)
		return true;
	for (size_t i = 0; p->kind == PEER_SELECTOR && i < p->selectors; i++) {
		if (!p->selector[i].count)
			return true;
	}
	return false;
}

static void resolve_peers(
	struct resolver *r, const struct peer *peer, size_t peers, struct column *c)
{
	for (size_t i = 0; i < peers; i++)
		c->any |= is_any(&peer[i]);
	if (c->any)
		return;
	c->bits = arena_array(&r->mem, r->words, sizeof(*c->bits));
	for (size_t i = 0; i < peers; i++) {
		const struct peer *p = &peer[i];

		if (p->kind == PEER_PREFIX)
			add_prefixes(r, p, c->bits);
		for (size_t k = 0; p->kind == PEER_SELECTOR && k < p->selectors; k++) {
			const uint64_t *one = resolver_selector(r, &p->selector[k]);

			for (size_t n = 0; n < r->words; n++)
				c->bits[n] |= one[n];
		}
	}
	c->empty = true;
	for (size_t i = 0; i < r->words; i++)
		c->empty &= !c->bits[i];
}

const struct column *resolver_peers(struct resolver *r, const struct peer *peer, size_t peers)
{
	SCOPED(str_done) struct str text = {0};
	struct column *c;

	peers_text(&text, peer, peers);
	c = hash_get(&r->columns, str_text(&text), text.len);
	if (c)
		return c;
	c = arena_alloc(&r->mem, sizeof(*c));
	c->index = r->columns.count;
	resolve_peers(r, peer, peers, c);
	(void)hash_put(&r->columns, str_text(&text), text.len, c);
	return c;
}
