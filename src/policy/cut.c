/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The (protocol, port) space of one class of peers, cut into the entries of the kernel's
 * longest-prefix table. Called by the compiler for each class and direction. Owns nothing but what
 * is in struct cut. Must hold: for every protocol and port the longest entry gives the decision of
 * the best claim that covers it: a deny before any allow, then the narrowest range, then one that
 * names peers, then the first. An entry that says what the next shorter one says is left out.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

enum { PORTS = 65536, WIDTH_ALL = PORTS + 1 };

/* A claim on an interval of ports of the protocol at hand. */
struct span {
	const struct claim *claim;
	uint32_t first, last, width; /* width WIDTH_ALL: all protocols */
	size_t order;
};

/* Ports first..last with one decision. */
struct interval {
	uint32_t first, last;
	struct decision decision;
};

static bool decision_eq(const struct decision *a, const struct decision *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static struct decision decide(const struct claim *c, uint32_t width)
{
	struct decision d = {.flags = POLICY_ENFORCED, .rule = c->id};

	d.verdict = c->deny ? POLICY_DENY : POLICY_ALLOW;
	d.shadow = d.verdict;
	if (width == WIDTH_ALL)
		d.match = c->specific ? POLICY_MATCH_L3_ONLY : POLICY_MATCH_ALL;
	else if (width == PORTS)
		d.match = c->specific ? POLICY_MATCH_L3_PROTO : POLICY_MATCH_PROTO_ONLY;
	else
		d.match = c->specific ? POLICY_MATCH_L3_L4 : POLICY_MATCH_L4_ONLY;
	return d;
}

static int span_order(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;

	if (a->claim->deny != b->claim->deny)
		return a->claim->deny ? -1 : 1;
	if (a->width != b->width)
		return a->width < b->width ? -1 : 1;
	if (a->claim->specific != b->claim->specific)
		return a->claim->specific ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int number_order(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

static bool covers(const struct port_range *r, uint8_t protocol)
{
	return r->protocol == protocol ||
	       (!r->protocol && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
					protocol == IPPROTO_SCTP));
}

/* All claims on the protocol, best first. */
static struct span *spans_of(
	const struct claim *claim, size_t claims, uint8_t protocol, size_t *ret_count)
{
	struct span *span = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < claims; i++) {
		const struct claim *c = &claim[i];

		mem_grow(&span, &capacity, count + c->ports + 1, sizeof(*span));
		if (!c->ports)
			span[count++] = (struct span){c, 0, PORTS - 1, WIDTH_ALL, i};
		for (size_t k = 0; k < c->ports; k++) {
			const struct port_range *r = &c->port[k];

			if (covers(r, protocol))
				span[count++] = (struct span){
					c, r->first, r->last, (uint32_t)r->last - r->first + 1, i};
		}
	}
	if (count)
		qsort(span, count, sizeof(*span), span_order);
	*ret_count = count;
	return span;
}

/* Where intervals begin, sorted, each once; the last one is PORTS. */
static uint32_t *edges_of(const struct span *span, size_t spans, size_t *ret_count)
{
	uint32_t *edge = mem_array(2 * spans + 2, sizeof(*edge));
	size_t count = 0, kept = 1;

	edge[count++] = 0;
	edge[count++] = PORTS;
	for (size_t i = 0; i < spans; i++) {
		edge[count++] = span[i].first;
		edge[count++] = span[i].last + 1;
	}
	qsort(edge, count, sizeof(*edge), number_order);
	for (size_t i = 1; i < count; i++) {
		if (edge[i] != edge[kept - 1])
			edge[kept++] = edge[i];
	}
	*ret_count = kept;
	return edge;
}

static size_t edge_index(const uint32_t *edge, size_t edges, uint32_t value)
{
	const uint32_t *at = bsearch(&value, edge, edges, sizeof(*edge), number_order);

	return (size_t)(at - edge);
}

/* The next interval from i on that has no decision yet. */
static size_t next_open(size_t *next, size_t i)
{
	while (next[i] != i) {
		next[i] = next[next[i]];
		i = next[i];
	}
	return i;
}

/*
 * The decisions on a protocol's ports, from port 0 to the last, neighbours differing. The best
 * spans take their intervals first, and each interval is taken once.
 */
static struct interval *intervals_of(
	const struct span *span, size_t spans, const struct decision *fallback, size_t *ret_count)
{
	size_t edges, count = 0;
	SCOPED(freep) uint32_t *edge = edges_of(span, spans, &edges);
	SCOPED(freep) size_t *next = mem_array(edges, sizeof(*next));
	struct interval *interval = mem_array(edges, sizeof(*interval));

	for (size_t i = 0; i < edges; i++) {
		next[i] = i;
		interval[i].decision = *fallback;
	}
	for (size_t i = 0; i < spans; i++) {
		size_t end = edge_index(edge, edges, span[i].last + 1);
		size_t at = next_open(next, edge_index(edge, edges, span[i].first));

		for (; at < end; at = next_open(next, at)) {
			interval[at].decision = decide(span[i].claim, span[i].width);
			next[at] = at + 1;
		}
	}
	for (size_t i = 0; i + 1 < edges; i++) {
		if (count && decision_eq(&interval[count - 1].decision, &interval[i].decision)) {
			interval[count - 1].last = edge[i + 1] - 1;
			continue;
		}
		interval[count].decision = interval[i].decision;
		interval[count].first = edge[i];
		interval[count++].last = edge[i + 1] - 1;
	}
	*ret_count = count;
	return interval;
}

/* Ports of the largest prefix that begins at first and ends at or before last. */
static uint32_t prefix_size(uint32_t first, uint32_t last)
{
	uint32_t size = first ? first & -first : PORTS;

	while (size > last - first + 1)
		size /= 2;
	return size;
}

static size_t prefixes_of(const struct interval *n)
{
	size_t count = 0;

	for (uint32_t at = n->first; at <= n->last; at += prefix_size(at, n->last))
		count++;
	return count;
}

static void add(struct cut *c, uint32_t prefixlen, uint8_t protocol, uint16_t port,
	const struct decision *d)
{
	mem_grow(&c->entry, &c->capacity, c->count + 1, sizeof(*c->entry));
	c->entry[c->count++] = (struct cut_entry){
		.prefixlen = prefixlen, .protocol = protocol, .port = port, .decision = *d};
}

static int interval_order(const void *pa, const void *pb)
{
	const struct interval *a = pa, *b = pb;

	return memcmp(&a->decision, &b->decision, sizeof(a->decision));
}

/* The decision for the whole protocol that leaves the fewest entries to write for single ports. */
static struct decision rest_of(
	const struct interval *interval, size_t count, const struct decision *base)
{
	SCOPED(freep) struct interval *sorted = mem_dup(interval, count * sizeof(*interval));
	struct decision best = *base;
	size_t best_saving = 0, base_saving = 0;

	for (size_t i = 0; i < count; i++) {
		if (decision_eq(&interval[i].decision, base))
			base_saving += prefixes_of(&interval[i]);
	}
	qsort(sorted, count, sizeof(*sorted), interval_order);
	for (size_t i = 0, k; i < count; i = k) {
		size_t saving = 0;

		for (k = i; k < count && !interval_order(&sorted[i], &sorted[k]); k++)
			saving += prefixes_of(&sorted[k]);
		if (saving > best_saving) {
			best_saving = saving;
			best = sorted[i].decision;
		}
	}
	/* the base costs no entry of its own */
	return base_saving + 1 >= best_saving && base_saving ? *base : best;
}

static void cut_protocol(struct cut *c, const struct claim *claim, size_t claims, uint8_t protocol,
	const struct decision *fallback)
{
	const struct decision base = c->entry[0].decision;
	size_t spans, count;
	SCOPED(freep) struct span *span = spans_of(claim, claims, protocol, &spans);
	SCOPED(freep) struct interval *interval = intervals_of(span, spans, fallback, &count);
	struct decision rest = rest_of(interval, count, &base);

	if (!decision_eq(&rest, &base))
		add(c, RULE_PREFIX_PROTOCOL, protocol, 0, &rest);
	for (size_t i = 0; i < count; i++) {
		const struct interval *n = &interval[i];
		uint32_t size;

		if (decision_eq(&n->decision, &rest))
			continue;
		for (uint32_t at = n->first; at <= n->last; at += size) {
			size = prefix_size(at, n->last);
			add(c, RULE_PREFIX_PORT - (uint32_t)__builtin_ctz(size), protocol,
				(uint16_t)at, &n->decision);
		}
	}
}

void cut_claims(
	struct cut *c, const struct claim *claim, size_t claims, const struct decision *fallback)
{
	bool named[256] = {false};
	size_t spans;
	/* a protocol that no rule can name: what remains are the claims on all protocols */
	SCOPED(freep) struct span *span = NULL;
	struct decision base = *fallback;

	for (size_t i = 0; i < claims; i++) {
		for (size_t k = 0; k < claim[i].ports; k++) {
			uint8_t protocol = claim[i].port[k].protocol;

			named[protocol ? protocol : IPPROTO_TCP] = true;
			if (!protocol)
				named[IPPROTO_UDP] = named[IPPROTO_SCTP] = true;
		}
	}
	span = spans_of(claim, claims, 0xff, &spans);
	if (spans)
		base = decide(span[0].claim, WIDTH_ALL);
	c->count = 0;
	add(c, RULE_PREFIX_CLASS, 0, 0, &base);
	for (unsigned protocol = 0; protocol < ARRAY_SIZE(named); protocol++) {
		if (named[protocol])
			cut_protocol(c, claim, claims, (uint8_t)protocol, fallback);
	}
}

void cut_done(struct cut *c)
{
	free(c->entry);
	*c = (struct cut){0};
}
