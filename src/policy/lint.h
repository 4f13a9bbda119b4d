/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_POLICY_LINT_H
#define KILIM_POLICY_LINT_H
/*
 * What looks wrong in policies that are right by the letter: rules that decide nothing, selectors
 * that nobody meets, and the like. Pure, and without regard to who there is, unless that is given.
 */
#include "model/identity.h"
#include "model/policy.h"

struct lint_options {
	const struct prefix *range; /* addresses of pods and nodes */
	size_t ranges;
	const struct identities *identities; /* who there is; NULL: not known */
};

/* Add what is found; nothing of the set is kept. */
void lint(const struct policy_set *set, const struct lint_options *o, struct findings *ret);

/* A rule of the set. */
struct lint_rule {
	const struct policy *policy;
	const struct policy_spec *spec;
	const struct rule *rule;
};

enum lint_useless {
	LINT_OVERRULED, /* the other one decides the opposite, and goes before it */
	LINT_UNREACHABLE, /* the other one comes first and fits all of it */
	LINT_DUPLICATE, /* the other one says all of it */
};

/* A rule without which every verdict would be the same, because of another one. */
struct lint_pair {
	struct lint_rule rule, by;
	enum lint_useless why;
};

/* All of them, each once, certain whatever endpoints there are; free() *ret. */
size_t lint_useless_rules(const struct policy_set *set, struct lint_pair **ret);

#endif
