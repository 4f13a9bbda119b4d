/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_AGENT_FLOW_STREAM_H
#define KILIM_AGENT_FLOW_STREAM_H
/* Clients of GET /v1/flow, which read the history ring at their own pace, and of GET /v1/monitor,
 * which get raw events as they come. */
#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "flow/json.h"
#include "flow/query.h"

struct api_stream;
struct flow_stream;

struct flow_streams {
	struct flow_ring *ring;
	const struct flow_node *node;
	struct flow_stream *head;
	unsigned monitors;
};

void flow_streams_init(
	struct flow_streams *t, struct flow_ring *ring, const struct flow_node *node);
/* A stream of flows; filters are taken over, also on failure. */
int flow_stream_new(struct flow_streams *t, const struct flow_request *rq,
	struct flow_filters *filters, struct api_stream **ret, struct err *e) MUST_USE;
struct api_stream *flow_monitor_new(struct flow_streams *t);
/* Hand a raw event to the monitors; whether there are any. */
bool flow_streams_event(struct flow_streams *t, const struct event *ev);
/* There is something new for the streams that wait. */
void flow_streams_wake(struct flow_streams *t);
/* One raw event as a line of JSON. */
void event_json_write(struct str *out, const struct event *ev, uint64_t wall_ns);

#endif
