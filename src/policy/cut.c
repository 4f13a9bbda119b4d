/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is decided for one class of peers, as the entries of the kernel's longest-prefix table.
 * Called by the compiler for each class. Owns nothing but what is in struct cut. Must hold: for
 * every protocol and port the longest entry gives what resolve_protocol() says; an entry that says
 * what the next shorter one says is left out.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/internal.h"

static bool decision_eq(const struct decision *a, const struct decision *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* Ports of the largest prefix that begins at first and ends at or before last. */
static uint32_t prefix_size(uint32_t first, uint32_t last)
{
	uint32_t size = first ? first & -first : RESOLVE_PORTS;

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
	c->entry[c->count++] = (struct class_entry){
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

static void cut_protocol(struct cut *c, const struct cut_want *w, uint8_t protocol)
{
	const struct decision base = c->entry[0].decision;
	size_t count;
	SCOPED(freep) struct interval *interval = resolve_protocol(w, protocol, &count);
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

void cut_claims(struct cut *c, const struct cut_want *w)
{
	bool named[256] = {false};
	size_t count;
	SCOPED(freep) struct interval *other = resolve_protocol(w, RESOLVE_OTHER, &count);

	for (size_t i = 0; i < w->claims; i++) {
		for (size_t k = 0; k < w->claim[i].ports; k++) {
			uint8_t protocol = w->claim[i].port[k].protocol;

			named[protocol ? protocol : IPPROTO_TCP] = true;
			if (!protocol)
				named[IPPROTO_UDP] = named[IPPROTO_SCTP] = true;
		}
	}
	c->count = 0;
	add(c, RULE_PREFIX_CLASS, 0, 0, &other[0].decision);
	for (unsigned protocol = 0; protocol < ARRAY_SIZE(named); protocol++) {
		if (named[protocol])
			cut_protocol(c, w, (uint8_t)protocol);
	}
}

void cut_done(struct cut *c)
{
	free(c->entry);
	*c = (struct cut){0};
}
