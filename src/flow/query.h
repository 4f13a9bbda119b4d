/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_FLOW_QUERY_H
#define KILIM_FLOW_QUERY_H
/*
 * GetFlows on a ring: where a request begins to read and where it ends (interfaces 1a, "Semantics
 * of the calls"). The agent calls flow_query_next() until it says that there is nothing now, and
 * again when flows were added.
 */
#include "flow/filter.h"
#include "flow/ring.h"

/* What the client asked for; times are 0 when not given. */
struct flow_request {
	uint64_t number; /* at most so many flows; 0: no limit */
	uint64_t since_ns; /* wall clock; beats number as the place to start */
	uint64_t until_ns;
	bool first; /* number counts from the oldest flow, not from the newest */
	bool follow; /* go on with new flows */
};

struct flow_query {
	struct flow_request request;
	const struct flow_filters *filters; /* the caller's; NULL lets all pass */
	uint64_t position; /* next record to read */
	uint64_t end; /* without follow: the newest record when the query began */
	uint64_t sent;
	uint64_t lost; /* flows that went by unread; the caller reports and clears it */
};

enum flow_query_state { FLOW_QUERY_END, FLOW_QUERY_FLOW, FLOW_QUERY_WAIT };

/* -EINVAL for first together with follow. filters must live as long as the query. */
int flow_query_start(struct flow_query *q, const struct flow_request *request,
	const struct flow_filters *filters, const struct flow_ring *ring, struct err *e) MUST_USE;
/*
 * FLOW: *ret is the next flow, valid until the ring changes. WAIT: nothing now, but more may come.
 * END: that was all. q->lost may have grown in all cases.
 */
enum flow_query_state flow_query_next(
	struct flow_query *q, const struct flow_ring *ring, const struct flow_record **ret);

#endif
