/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_COVER_H
#define KILIM_POLICY_COVER_H
/*
 * What certainly holds between parts of rules, whatever endpoints there are or will be: true is a
 * proof, false may only mean that none was found.
 */
#include "model/policy.h"

/* Whatever inner matches, outer matches, too. */
bool selector_covers(const struct selector *outer, const struct selector *inner);
/* Two requirements that no set of labels meets both; NULL when there are none. With weak also those
 * that only labels of one key from two sources could meet. */
const struct requirement *selector_conflict(
	const struct selector *s, bool weak, const struct requirement **ret_other);
/* No set of labels meets both. */
bool selectors_disjoint(const struct selector *a, const struct selector *b);
/* Whoever is a peer of inner is one of outer. */
bool rule_peers_cover(const struct rule *outer, const struct rule *inner);
bool rule_ports_cover(const struct rule *outer, const struct rule *inner);
bool rule_is_nobody(const struct rule *r);
/* The excepts leave nothing of the prefix. */
bool peer_excepts_all(const struct peer *p, const struct prefix *prefix);

#endif
