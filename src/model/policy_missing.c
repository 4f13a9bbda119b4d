/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model holds and the compiler cannot evaluate yet. Called by whoever reads manifests that
 * are to be in force. Owns nothing. Must hold: a policy that passes here means to the compiler what
 * it says. Goes away as a whole when the compiler can do it all.
 */
#include <errno.h>

#include "base/str.h"
#include "model/policy.h"

static const char *peer_missing(const struct peer *p)
{
	switch (p->kind) {
	case PEER_NODE:
		return "nodes as peers";
	case PEER_GROUP:
		return "CIDR groups";
	case PEER_SERVICE:
		return "services as peers";
	case PEER_PREFIX:
		return p->reach ? "CIDRs that mean pods or nodes (settings policy-cidr-match-mode "
				  "and kubernetes-cidr-match-mode)"
				: NULL;
	default:
		return NULL;
	}
}

static const char *rule_missing(const struct policy *p, const struct rule *r)
{
	if (p->tier == TIER_NORMAL && r->order != RULE_UNORDERED)
		return "the order of rules";
	for (size_t i = 0; i < r->peers; i++) {
		const char *what = peer_missing(&r->peer[i]);

		if (what)
			return what;
	}
	for (size_t i = 0; i < r->ports; i++) {
		if (r->port[i].name)
			return "named ports";
	}
	return NULL;
}

static int refuse(const struct policy *p, const struct origin *o, const char *path,
	const char *what, struct err *e)
{
	SCOPED(str_done) struct str name = {0};

	policy_format_name(&name, p);
	return err_set(e, -ENOTSUP, "%s:%d:1: %s%s%s: %s: not there yet", o->file, o->line,
		str_text(&name), *path ? " " : "", path, what);
}

int policy_features_missing(const struct policy_set *set, size_t first, struct err *e)
{
	for (size_t i = first; i < set->count; i++) {
		const struct policy *p = &set->policy[i];

		if (p->tier != TIER_NORMAL)
			return refuse(
				p, &p->origin, "", "policies of the tiers Admin and Baseline", e);
		if (p->mode == MODE_SHADOW)
			return refuse(p, &p->origin, "", "mode: shadow", e);
		for (size_t k = 0; k < p->specs; k++) {
			for (size_t n = 0; n < p->spec[k].rules; n++) {
				const struct rule *r = &p->spec[k].rule[n];
				const char *what = rule_missing(p, r);

				if (what)
					return refuse(p, &r->origin, r->path, what, e);
			}
		}
	}
	return 0;
}
