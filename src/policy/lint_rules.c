/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that other rules leave nothing to decide. Called by lint.c and by its test. Owns nothing.
 * Must hold: taking away any one of the rules that are found changes no verdict, for any endpoints
 * (doc/policy-language.md says what goes before what).
 */
#include "policy/lint.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "policy/cover.h"
#include "policy/object.h"

struct pairs {
	const struct policy_set *set;
	struct hash shadows; /* names of policies in shadow mode */
	struct lint_pair *pair;
	size_t count, room;
};

/* Some rule of the policy has an order in this direction: then what comes later in it may not
 * count. */
static bool is_ordered(const struct policy *p, enum policy_direction d)
{
	for (size_t i = 0; i < p->specs; i++) {
		for (size_t k = 0; k < p->spec[i].rules; k++) {
			const struct rule *r = &p->spec[i].rule[k];

			if (r->direction == d && r->order != RULE_UNORDERED)
				return true;
		}
	}
	return false;
}

/* The other rule counts wherever the rule does: in force, and in the shadow. */
static bool counts_beside(
	const struct pairs *t, const struct lint_rule *r, const struct lint_rule *by)
{
	SCOPED(str_done) struct str name = {0};

	if (r->policy->mode != by->policy->mode)
		return false;
	if (r->policy == by->policy || by->policy->mode == MODE_SHADOW)
		return true;
	policy_format_name(&name, by->policy);
	return !hash_get_str(&t->shadows, str_text(&name));
}

/* By the order of a tier other than the normal one. */
static bool comes_before(const struct lint_rule *a, const struct lint_rule *b)
{
	int r = policy_order(a->policy, b->policy);

	return r ? r < 0 : a->rule->order < b->rule->order;
}

/* Some rule in front of it passes on to the next tier. */
static bool may_be_passed(const struct pairs *t, const struct lint_rule *r)
{
	for (size_t i = 0; i < t->set->count; i++) {
		const struct policy *p = &t->set->policy[i];

		for (size_t k = 0; p->tier == r->policy->tier && k < p->spec[0].rules; k++) {
			const struct lint_rule one = {p, &p->spec[0], &p->spec[0].rule[k]};

			if (one.rule->action == ACTION_PASS &&
				one.rule->direction == r->rule->direction && comes_before(&one, r))
				return true;
		}
	}
	return false;
}

/* --- what another rule that covers this one makes of it -------------------------------------- */

/* In the normal tier, which only adds up but for orders inside a policy. */
static bool useless_in_normal(
	const struct lint_rule *r, const struct lint_rule *by, enum lint_useless *ret)
{
	enum policy_direction d = r->rule->direction;
	bool same = r->policy == by->policy, allows = r->rule->action == ACTION_ALLOW;
	bool ordered = is_ordered(r->policy, d), by_ordered = is_ordered(by->policy, d);
	bool opposite = r->rule->action != by->rule->action;
	bool first = same && by->rule->order < r->rule->order;

	*ret = opposite ? LINT_OVERRULED : first ? LINT_UNREACHABLE : LINT_DUPLICATE;
	if (first)
		return true;
	if (same && by->rule->order != r->rule->order)
		return false;
	if (by->rule->action == ACTION_DENY)
		return same || !by_ordered;
	return allows && (same || (!ordered && !by_ordered));
}

static bool useless_across(const struct pairs *t, const struct lint_rule *r,
	const struct lint_rule *by, enum lint_useless *ret)
{
	*ret = LINT_OVERRULED;
	if (r->rule->action == by->rule->action || r->rule->action == ACTION_PASS ||
		by->rule->action == ACTION_PASS)
		return false;
	return by->policy->tier == TIER_NORMAL || !may_be_passed(t, by);
}

static bool is_useless(const struct pairs *t, const struct lint_rule *r, const struct lint_rule *by,
	enum lint_useless *ret)
{
	if (by->policy->tier > r->policy->tier)
		return false;
	if (by->policy->tier < r->policy->tier)
		return useless_across(t, r, by, ret);
	if (r->policy->tier == TIER_NORMAL)
		return useless_in_normal(r, by, ret);
	*ret = r->rule->action == by->rule->action ? LINT_UNREACHABLE : LINT_OVERRULED;
	return comes_before(by, r);
}

/* Subjects are known to be covered. */
static bool covers(const struct lint_rule *outer, const struct lint_rule *inner)
{
	return rule_ports_cover(outer->rule, inner->rule) &&
	       rule_peers_cover(outer->rule, inner->rule);
}

/* Both say the same, so that each is useless beside the other: the later one is told. */
static bool is_mutual(const struct lint_rule *a, const struct lint_rule *b)
{
	return selector_covers(&b->spec->subject, &a->spec->subject) && covers(b, a);
}

/*
 * Whether it is worth telling. Policies of several people allow the same without harm; the same
 * rule twice, and one inside another of the same policy, are hardly meant.
 */
static bool is_told(const struct lint_rule *r, const struct lint_rule *by, enum lint_useless why)
{
	bool mutual;

	if (why != LINT_DUPLICATE)
		return true;
	mutual = is_mutual(by, r);
	if (r->policy != by->policy && !mutual)
		return false;
	return !mutual || by->policy < r->policy || (by->policy == r->policy && by->rule < r->rule);
}

/* --- all pairs ------------------------------------------------------------------------------- */

static void look_at(struct pairs *t, const struct lint_rule *r, const struct lint_rule *by,
	struct lint_pair *best, bool *found)
{
	enum lint_useless why;

	if (r->rule == by->rule || r->rule->direction != by->rule->direction ||
		rule_is_nobody(by->rule) || !is_useless(t, r, by, &why) || !covers(by, r) ||
		!is_told(r, by, why) || (*found && best->why <= why))
		return;
	*best = (struct lint_pair){*r, *by, why};
	*found = true;
}

static void look_for(
	struct pairs *t, const struct lint_rule *r, const struct lint_rule *spec, size_t specs)
{
	struct lint_pair best;
	bool found = false;

	for (size_t i = 0; i < specs; i++) {
		for (size_t k = 0; k < spec[i].spec->rules; k++) {
			const struct lint_rule by = {
				spec[i].policy, spec[i].spec, &spec[i].spec->rule[k]};

			look_at(t, r, &by, &best, &found);
		}
	}
	if (!found)
		return;
	mem_grow(&t->pair, &t->room, t->count + 1, sizeof(*t->pair));
	t->pair[t->count++] = best;
}

/* The specs whose subjects cover this one's, and which count beside it; rule is NULL in them. */
static size_t around(const struct pairs *t, const struct lint_rule *of, struct lint_rule *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < t->set->count; i++) {
		const struct policy *p = &t->set->policy[i];

		for (size_t k = 0; k < p->specs; k++) {
			const struct lint_rule one = {p, &p->spec[k], NULL};

			if (selector_covers(&one.spec->subject, &of->spec->subject) &&
				counts_beside(t, of, &one))
				ret[count++] = one;
		}
	}
	return count;
}

size_t lint_useless_rules(const struct policy_set *set, struct lint_pair **ret)
{
	struct pairs t = {.set = set};
	SCOPED(freep) struct lint_rule *beside = NULL;
	size_t specs = 0;

	for (size_t i = 0; i < set->count; i++) {
		SCOPED(str_done) struct str name = {0};

		specs += set->policy[i].specs;
		policy_format_name(&name, &set->policy[i]);
		if (set->policy[i].mode == MODE_SHADOW)
			(void)hash_put_str(&t.shadows, str_text(&name), &t);
	}
	beside = mem_array(specs, sizeof(*beside));
	for (size_t i = 0; i < set->count; i++) {
		const struct policy *p = &set->policy[i];

		for (size_t k = 0; k < p->specs; k++) {
			struct lint_rule one = {p, &p->spec[k], NULL};
			size_t count = around(&t, &one, beside);

			for (size_t n = 0; n < p->spec[k].rules; n++) {
				one.rule = &p->spec[k].rule[n];
				if (!rule_is_nobody(one.rule))
					look_for(&t, &one, beside, count);
			}
		}
	}
	hash_done(&t.shadows);
	*ret = t.pair;
	return t.count;
}
