/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_FLOWS_H
#define KILIM_AGENT_FLOWS_H
/* From the event ring to clients: events become flow records in the history ring, and streams of
 * flows and raw events are fed. */
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "flow/query.h"

struct agent;
struct api_stream;
struct flows;

int flows_new(struct agent *a, struct flows **ret, struct err *e) MUST_USE;
void flows_free(struct flows *f);
/* Begin to read events. */
int flows_start(struct flows *f, struct err *e) MUST_USE;
/* An endpoint or identity is new or gone: records made from now on look it up again. */
void flows_names_changed(struct flows *f);
/* Node's name as flows have it: "cluster/node", or "node" in the cluster default. */
const char *flows_node_name(const struct flows *f);
/* A stream of flows; filters are taken over. */
int flows_stream(struct flows *f, const struct flow_request *rq, struct flow_filters *filters,
	struct api_stream **ret, struct err *e) MUST_USE;
/* A stream of raw events. A client that is too slow misses some and is told how many. */
struct api_stream *flows_monitor(struct flows *f);
/* The history of flows, to read. */
struct flow_ring *flows_ring(const struct flows *f);
/* Flows ever recorded, in the history now, and its room. */
void flows_counts(const struct flows *f, uint64_t *ret_seen, uint64_t *ret_now, uint64_t *ret_max);
/* The record of this uuid, or NULL when the history has it no more. Valid until the next event. */
struct flow_record;
const struct flow_record *flows_find(const struct flows *f, const char *uuid);
/* Adds a rule as people read it: "CiliumNetworkPolicy/default/x ingress[0] at FILE:12", "default
 * deny by A, B". */
struct rule_info;
struct str;
void rule_format(struct str *out, const struct rule_info *r);

#endif
