/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_RESOLVE_H
#define KILIM_POLICY_RESOLVE_H
/*
 * Which identities a selector, a prefix or a rule's peers mean: bit sets over the identities of a
 * moment. Each distinct selector requirement and each distinct list of peers is worked out once.
 */
#include "base/arena.h"
#include "base/hash.h"
#include "model/identity.h"
#include "model/policy.h"

struct resolver {
	struct arena mem;
	const struct identity_info *
		*identity; /* sorted by number; the bit of an identity is its index */
	size_t count, words;
	size_t *by_prefix; /* indexes of prefix identities, sorted by prefix */
	size_t prefixes;
	struct hash postings; /* label text to struct posting */
	struct hash requirements; /* text to bits */
	struct hash columns; /* text to struct column */
};

/* The identities that a list of peers means. */
struct column {
	bool any; /* all, also those that are not known yet */
	uint64_t *bits; /* NULL when any; otherwise resolver.words words */
	bool empty; /* not one identity */
	size_t index; /* of this column in the order of first use */
};

void resolver_init(struct resolver *r, const struct identities *t);
void resolver_done(struct resolver *r);
/* Index of the identity with this number, or -ENOENT. */
ssize_t resolver_index(const struct resolver *r, uint32_t number);
/* The identities that the selector matches; lives until resolver_done(). */
const uint64_t *resolver_selector(struct resolver *r, const struct selector *s);
/* The identities that the peers of a rule mean; the same peers give the same column. */
const struct column *resolver_peers(struct resolver *r, const struct peer *peer, size_t peers);

static inline bool bit_test(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static inline void bit_set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << i % 64;
}

#endif
