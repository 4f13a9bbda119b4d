/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_INVARIANT_H
#define KILIM_POLICY_INVARIANT_H
/*
 * Whether a compiled set keeps an assertion, for all identities and ports, with a counterexample
 * when it does not. Pure. What is compared are contents and classes, not pairs of identities.
 */
#include "model/invariant.h"
#include "policy/compile.h"

/* What is looked at. Identities without a slot are judged by the other end alone. */
struct invariant_view {
	const struct compiled_set *compiled;
	const struct identities *identities;
	bool localhost; /* allow-localhost: the node always reaches its endpoints */
};

struct invariant_result {
	bool broken;
	uint64_t pairs; /* of identities, that are in its scope and of which one has a slot */
	/* When it is broken: traffic that shows it. */
	uint32_t from, to; /* identities */
	uint8_t protocol;
	uint16_t port; /* ICMP: type << 8 | code */
	bool judged[POLICY_DIRECTIONS];
	struct decision decision[POLICY_DIRECTIONS];
};

/* The same input gives the same counterexample. */
void invariant_check(
	const struct invariant_view *v, const struct invariant *i, struct invariant_result *ret);

#endif
