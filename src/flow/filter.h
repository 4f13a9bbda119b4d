/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_FILTER_H
#define KILIM_FLOW_FILTER_H
/*
 * Hubble's FlowFilter (interfaces 1a, "Filter semantics"). A flow passes when the whitelist is
 * empty or one of its filters matches, and no filter of the blacklist does. In a filter all fields
 * must match, in a field one of the values.
 */
#include "codec/json.h"
#include "flow/record.h"

struct flow_filters;

/*
 * {"whitelist": [FlowFilter, ..], "blacklist": [FlowFilter, ..]} with the names of flow.proto; both
 * may be absent, and j NULL. node is this node's name, "cluster/node" or "node", for node_name.
 * Fields about things that flows do not have yet (services, DNS, HTTP, ...) and unknown ones are
 * -EINVAL: "whitelist[0].http_path: ...".
 */
int flow_filters_parse(
	const json_t *j, const char *node, struct flow_filters **ret, struct err *e) MUST_USE;
/* Whether the record passes; NULL lets all pass. */
bool flow_filters_match(const struct flow_filters *filters, const struct flow_record *record);
void flow_filters_free(struct flow_filters *filters);
void flow_filters_freep(struct flow_filters **filters); /* for SCOPED */

#endif
