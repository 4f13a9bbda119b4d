/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which claim decides on each port of a protocol: doc/policy-language.md, "A verdict". Called by
 * cut.c. Owns its scratch memory. Must hold: tiers are asked in their order; a pass closes its
 * ports to the rest of its tier only; in the normal tier, deny comes before allow, then the
 * narrowest range, then a claim that names peers, then the first.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

enum { WIDTH_ALL = RESOLVE_PORTS + 1 };

/* A claim on the ports first..last of the protocol at hand. */
struct span {
	const struct claim *claim;
	uint32_t first, last;
	uint32_t width; /* of the claim: WIDTH_ALL is all protocols */
	size_t seq;
};

struct spans {
	struct span *span;
	size_t count, room;
};

/* The places where something may change: edge[i]..edge[i + 1] - 1 is one piece. */
struct pieces {
	uint32_t *edge;
	size_t edges;
	size_t *next; /* the next piece from here on that is open, path-compressed */
	bool *decided;
};

static void add_span(struct spans *s, const struct span *span)
{
	mem_grow(&s->span, &s->room, s->count + 1, sizeof(*s->span));
	s->span[s->count++] = *span;
}

static void spans_of(struct spans *s, const struct cut_want *w, uint8_t protocol)
{
	for (size_t i = 0; i < w->claims; i++) {
		const struct claim *c = &w->claim[i];

		if (!c->ports)
			add_span(s, &(struct span){c, 0, RESOLVE_PORTS - 1, WIDTH_ALL, i});
		for (size_t k = 0; protocol != RESOLVE_OTHER && k < c->ports; k++) {
			const struct port_range *r = &c->port[k];

			if (port_range_is_of(r, protocol))
				add_span(s, &(struct span){c, r->first, r->last,
						    (uint32_t)r->last - r->first + 1, i});
		}
	}
}

static int number_order(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

static void pieces_init(struct pieces *p, const struct spans *s)
{
	size_t count = 0, kept = 1;

	p->edge = mem_array(2 * s->count + 2, sizeof(*p->edge));
	p->edge[count++] = 0;
	p->edge[count++] = RESOLVE_PORTS;
	for (size_t i = 0; i < s->count; i++) {
		p->edge[count++] = s->span[i].first;
		p->edge[count++] = s->span[i].last + 1;
	}
	qsort(p->edge, count, sizeof(*p->edge), number_order);
	for (size_t i = 1; i < count; i++) {
		if (p->edge[i] != p->edge[kept - 1])
			p->edge[kept++] = p->edge[i];
	}
	p->edges = kept;
	p->next = mem_array(kept, sizeof(*p->next));
	p->decided = mem_array(kept, sizeof(*p->decided));
}

static void pieces_done(struct pieces *p)
{
	free(p->edge);
	free(p->next);
	free(p->decided);
}

static size_t piece_of(const struct pieces *p, uint32_t port)
{
	const uint32_t *at = bsearch(&port, p->edge, p->edges, sizeof(*p->edge), number_order);

	return (size_t)(at - p->edge);
}

static size_t next_open(struct pieces *p, size_t i)
{
	while (p->next[i] != i) {
		p->next[i] = p->next[p->next[i]];
		i = p->next[i];
	}
	return i;
}

/* Open the pieces that are not decided. The last edge is the end and always open. */
static void pieces_open(struct pieces *p)
{
	for (size_t i = p->edges; i-- > 0;)
		p->next[i] = i + 1 < p->edges && p->decided[i] ? i + 1 : i;
}

static void pieces_open_all(struct pieces *p)
{
	memset(p->decided, 0, p->edges * sizeof(*p->decided));
	pieces_open(p);
}

static int normal_order(const struct span *a, const struct span *b)
{
	bool deny_a = a->claim->action == ACTION_DENY, deny_b = b->claim->action == ACTION_DENY;

	if (deny_a != deny_b)
		return deny_a ? -1 : 1;
	if (a->width != b->width)
		return a->width < b->width ? -1 : 1;
	if (a->claim->specific != b->claim->specific)
		return a->claim->specific ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* Best first. */
static int span_order(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;

	if (a->claim->tier != b->claim->tier)
		return a->claim->tier < b->claim->tier ? -1 : 1;
	if (a->claim->tier == TIER_NORMAL)
		return normal_order(a, b);
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* Inside one policy that has an order. */
static int fold_order(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;

	if (a->claim->group != b->claim->group)
		return a->claim->group < b->claim->group ? -1 : 1;
	if (a->claim->order != b->claim->order)
		return a->claim->order < b->claim->order ? -1 : 1;
	return normal_order(a, b);
}

/* What a span wins of the pieces that are open; wins of neighbours are put together. */
static void take_open(struct pieces *p, const struct span *s, struct spans *out)
{
	size_t end = piece_of(p, s->last + 1);
	struct span *last = NULL;

	for (size_t i = next_open(p, piece_of(p, s->first)); i < end; i = next_open(p, i)) {
		p->next[i] = i + 1;
		if (last && last->last + 1 == p->edge[i]) {
			last->last = p->edge[i + 1] - 1;
			continue;
		}
		add_span(out, s);
		last = &out->span[out->count - 1];
		last->first = p->edge[i];
		last->last = p->edge[i + 1] - 1;
	}
}

/* Policies that have an order decide among themselves first: what is left of them is what wins
 * there. */
static void fold(struct spans *s, struct pieces *p)
{
	struct spans out = {0};
	uint32_t group = 0;
	size_t plain = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (!s->span[i].claim->group)
			plain++;
	}
	if (plain == s->count)
		return;
	qsort(s->span, s->count, sizeof(*s->span), fold_order);
	for (size_t i = 0; i < s->count; i++) {
		const struct span *one = &s->span[i];

		if (!one->claim->group) {
			add_span(&out, one);
			continue;
		}
		if (one->claim->group != group)
			pieces_open_all(p);
		group = one->claim->group;
		take_open(p, one, &out);
	}
	free(s->span);
	*s = out;
}

static uint8_t match_of(const struct span *s)
{
	bool specific = s->claim->specific;

	if (s->width == WIDTH_ALL)
		return specific ? POLICY_MATCH_L3_ONLY : POLICY_MATCH_ALL;
	if (s->width == RESOLVE_PORTS)
		return specific ? POLICY_MATCH_L3_PROTO : POLICY_MATCH_PROTO_ONLY;
	return specific ? POLICY_MATCH_L3_L4 : POLICY_MATCH_L4_ONLY;
}

static struct outcome outcome_of(const struct span *s)
{
	return (struct outcome){.rule = s->claim->id,
		.verdict = s->claim->action == ACTION_DENY ? POLICY_DENY : POLICY_ALLOW,
		.match = match_of(s),
		.enforced = 1};
}

/* The span takes the open pieces that it covers: they are decided, or passed to the next tier. */
static void claim_pieces(struct pieces *p, const struct span *s, struct outcome *out)
{
	size_t end = piece_of(p, s->last + 1);

	for (size_t i = next_open(p, piece_of(p, s->first)); i < end; i = next_open(p, i)) {
		p->next[i] = i + 1;
		if (s->claim->action == ACTION_PASS)
			continue;
		p->decided[i] = true;
		out[i] = outcome_of(s);
	}
}

static void rest_is(struct pieces *p, const struct outcome *o, struct outcome *out)
{
	for (size_t i = 0; i + 1 < p->edges; i++) {
		if (p->decided[i])
			continue;
		p->decided[i] = true;
		out[i] = *o;
	}
}

/* What one view decides on each piece. */
static void decide(struct pieces *p, const struct spans *s, const struct fallback *f,
	enum view view, struct outcome *out)
{
	size_t at = 0;

	pieces_open_all(p);
	for (enum policy_tier tier = 0; tier < TIERS; tier++) {
		if (tier == TIER_BASELINE && f->denies)
			rest_is(p, &f->denial, out);
		pieces_open(p);
		for (; at < s->count && s->span[at].claim->tier == tier; at++) {
			if (s->span[at].claim->in[view])
				claim_pieces(p, &s->span[at], out);
		}
	}
	rest_is(p, &f->rest, out);
}

static struct decision decision_of(
	const struct outcome *enforced, const struct outcome *shadow, bool audit)
{
	bool differ = (shadow->verdict == POLICY_ALLOW) != (enforced->verdict == POLICY_ALLOW);
	struct decision d = {.verdict = enforced->verdict,
		.match = enforced->match,
		.rule = enforced->rule,
		.shadow = differ ? shadow->verdict : enforced->verdict,
		.shadow_rule = differ ? shadow->rule : 0};

	if (enforced->enforced)
		d.flags |= POLICY_ENFORCED;
	if (audit && enforced->verdict != POLICY_ALLOW)
		d.flags |= POLICY_AUDIT;
	return d;
}

static struct interval *merge(
	const struct pieces *p, struct outcome *const *out, bool audit, size_t *ret_count)
{
	struct interval *interval = mem_array(p->edges, sizeof(*interval));
	size_t count = 0;

	for (size_t i = 0; i + 1 < p->edges; i++) {
		struct decision d =
			decision_of(&out[VIEW_ENFORCED][i], &out[VIEW_SHADOW][i], audit);

		if (count && !memcmp(&interval[count - 1].decision, &d, sizeof(d))) {
			interval[count - 1].last = p->edge[i + 1] - 1;
			continue;
		}
		interval[count++] = (struct interval){p->edge[i], p->edge[i + 1] - 1, d};
	}
	*ret_count = count;
	return interval;
}

/* Claims of policies that one view does not have must not take part in folding for it. */
static struct outcome *resolve_view(
	const struct cut_want *w, struct pieces *p, const struct spans *all, enum view view)
{
	struct outcome *out = mem_array(p->edges, sizeof(*out));
	struct spans s = {0};

	for (size_t i = 0; i < all->count; i++) {
		if (all->span[i].claim->in[view])
			add_span(&s, &all->span[i]);
	}
	fold(&s, p);
	if (s.count)
		qsort(s.span, s.count, sizeof(*s.span), span_order);
	decide(p, &s, &w->fallback[view], view, out);
	free(s.span);
	return out;
}

struct interval *resolve_protocol(const struct cut_want *w, uint8_t protocol, size_t *ret_count)
{
	struct outcome *out[VIEWS];
	struct interval *interval;
	struct spans all = {0};
	struct pieces p;

	spans_of(&all, w, protocol);
	pieces_init(&p, &all);
	out[VIEW_ENFORCED] = resolve_view(w, &p, &all, VIEW_ENFORCED);
	out[VIEW_SHADOW] = w->shadow ? resolve_view(w, &p, &all, VIEW_SHADOW) : out[VIEW_ENFORCED];
	interval = merge(&p, out, w->audit, ret_count);
	if (w->shadow)
		free(out[VIEW_SHADOW]);
	free(out[VIEW_ENFORCED]);
	pieces_done(&p);
	free(all.span);
	return interval;
}
