/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_SCENARIO_EXPLAIN_H
#define KILIM_SCENARIO_EXPLAIN_H
/*
 * Why the data path decided as it did: the rule, or the policies that deny by default and the rule
 * that came nearest. Pure: from the model, the two ends and the decision, so that it serves a
 * scenario and a running agent alike.
 */
#include "codec/json.h"
#include "policy/compile.h"
#include "scenario/scenario.h"

struct explain_end {
	const char *name; /* as people know it */
	const struct labels *labels; /* of its identity */
	struct addr addr; /* v4-mapped; all zero when it has none */
	bool is_endpoint, is_node;
	bool is_own_node; /* the node of the endpoint at the other end */
	const struct named_traffic *port; /* of an endpoint: its names */
	size_t ports;
};

/* A rule that allows something, but not this. */
struct explain_near {
	const struct policy *policy; /* NULL: there is no rule that could have */
	const struct rule *rule;
	const char *field; /* peer, CIDR, port, protocol: what failed first */
	const char *text; /* in the arena */
};

/* One direction. */
struct explain_side {
	enum policy_direction direction;
	bool is_judged;
	bool is_enforced; /* some policy has to do with it, also when none decides */
	bool is_spared; /* denied by default, but for the endpoint's own node */
	enum because because;
	const struct rule_info *rule; /* that decided; NULL: none */
	struct explain_near near; /* of a default deny */
};

struct explanation {
	struct arena mem;
	enum scenario_verdict verdict;
	enum because because;
	enum policy_direction direction; /* the one that decided */
	uint8_t reason; /* enum drop_reason */
	struct explain_end from, to;
	struct traffic traffic;
	enum family family;
	struct explain_side side[POLICY_DIRECTIONS];
};

/* The rule of the set that came nearest to allowing traffic between the two in a direction. */
void explain_nearest(struct arena *mem, const struct policy_set *set,
	enum policy_direction direction, const struct explain_end *self,
	const struct explain_end *peer, const struct traffic *t, struct explain_near *ret);
/* Fill in what the decisions of both sides leave open: near, is_spared. The rest is the caller's.
 */
void explain(struct explanation *x, const struct policy_set *set);
void explanation_done(struct explanation *x); /* for SCOPED too */

/* CiliumNetworkPolicy/x/web ingress[0]; of a default deny what causes it. */
void explain_format_rule(struct str *out, const struct rule_info *r);
/* Lines, each with this in front; the verdict itself is not among them. */
void explanation_write(struct str *out, const struct explanation *x, const char *indent);
/* With the lines under "text". */
json_t *explanation_json(const struct explanation *x);

#endif
