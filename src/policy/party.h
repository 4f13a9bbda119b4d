/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_PARTY_H
#define KILIM_POLICY_PARTY_H
/* Who is meant by a party of an assertion, among the identities that there are. */
#include "model/identity.h"
#include "model/invariant.h"

enum { PARTY_V4 = 1 << 0, PARTY_V6 = 1 << 1 };

/* The prefixes that addresses outside have identities by, the worlds among them. */
struct outside {
	struct prefix *prefix; /* sorted by family, then as prefix_compare() */
	bool *is_empty; /* longer ones have all of its addresses */
	size_t count, room;
};

/* The identities must be of two worlds (dual_stack). */
void outside_init(struct outside *o, const struct identities *t);
void outside_done(struct outside *o);

/* A party of a scope, and what its prefix comes to among the identities. */
struct parties {
	const struct outside *outside;
	const struct invariant_party *party;
	unsigned around; /* length of the longest prefix that the party's own is inside; it has the
			    addresses that no prefix inside has */
	bool has_around;
};

void parties_init(struct parties *p, const struct outside *o, const struct invariant_party *party);
/* Whether some of what has the identity is in the party. */
bool parties_meet(const struct parties *p, const struct identity_info *info);
/* Whether all that has the identity and is in the scope's party is in this party, too. */
bool parties_hold(const struct parties *scope, const struct invariant_party *party,
	const struct identity_info *info);
/* Whether endpoints have it: labels, none of them reserved. */
bool identity_is_endpoint(const struct identity_info *info);
/* The families of the addresses that have the identity: PARTY_V4, PARTY_V6. */
unsigned identity_families(const struct identity_info *info);

#endif
