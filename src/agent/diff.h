/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_DIFF_H
#define KILIM_AGENT_DIFF_H
/*
 * What another set of policies would change: policies and rules, what the kernel would have to
 * hold, and the flows that would get another verdict. Both sets are compiled beside the one in
 * force, by an engine of their own; nothing is written.
 */
#include "agent/generation.h"
#include "codec/json.h"

struct agent;

/* Two sets of policies, compiled over the same identities. */
struct diff {
	struct agent *agent;
	struct rule_ids *ids;
	struct engine *engine;
	struct generation *from, *to;
};

/* Compile both; from and to are tables of sources, of which the contents count. */
int diff_open(struct diff *d, struct agent *a, struct sources *from, struct sources *to,
	struct err *e) MUST_USE;
void diff_done(struct diff *d); /* for SCOPED too */
/* [{"change": "added" | "removed" | "changed", "kind", ...}] of policies, and of their rules. */
json_t *diff_policies(const struct diff *d);
json_t *diff_rules(const struct diff *d);
/* {"slots": {"before", "after", "written"}, "rule_entries", "peer_entries"} */
json_t *diff_entries(const struct diff *d);
/* diff_flow.c: {"seen", "changed", "flows": [...]}, from the flow table and the flow history. */
json_t *diff_flows(const struct diff *d);

#endif
