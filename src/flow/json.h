/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_JSON_H
#define KILIM_FLOW_JSON_H
/*
 * Flow records as Hubble's GetFlowsResponse in proto3 JSON: original field names, enums by name,
 * 64-bit numbers as strings, defaults left out. Beside "flow" stands "kilim": {"rules":
 * [{"direction", "verdict", "text"}]} for verdicts that a rule made, and "shadow": {"verdict",
 * "text"} where a policy in shadow mode would decide otherwise.
 */
#include "base/str.h"
#include "flow/record.h"

/* What is the same in all responses of a node. */
struct flow_node {
	const char *name; /* "cluster/node", or "node" in the cluster default */
	const char *version; /* of the emitter; NULL leaves it out */
};

/* One line without its newline; the record must be enriched. */
void flow_json_write(
	struct str *out, const struct flow_record *record, const struct flow_node *node);
/* The response that tells a reader how many flows went by unread. */
void flow_json_write_lost(
	struct str *out, uint64_t lost, uint64_t wall_ns, const struct flow_node *node);

#endif
