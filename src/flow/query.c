/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests for flows. Called by the agent for its API. Pure: times come from the request and the
 * records. Must hold: a query without follow ends at what was the newest record when it began, so
 * that it ends under any load.
 */
#include "flow/query.h"

#include <errno.h>

/* Back from the newest: to the number-th matching flow, or to the first one that is not older than
 * since. */
static uint64_t rewind_position(const struct flow_query *q, const struct flow_ring *ring)
{
	uint64_t oldest = flow_ring_oldest(ring), position = flow_ring_seen(ring) + 1, found = 0;

	while (position > oldest) {
		const struct flow_record *record = flow_ring_get(ring, position - 1);

		if (q->request.since_ns && record->time_ns < q->request.since_ns)
			break;
		position--;
		found += flow_filters_match(q->filters, record);
		if (!q->request.since_ns && found == q->request.number)
			break;
	}
	return position;
}

int flow_query_start(struct flow_query *q, const struct flow_request *request,
	const struct flow_filters *filters, const struct flow_ring *ring, struct err *e)
{
	bool is_whole = !request->number && !request->since_ns;

	if (request->first && request->follow)
		return err_set(e, -EINVAL, "first and follow exclude each other");
	*q = (struct flow_query){.request = *request, .filters = filters};
	q->end = flow_ring_seen(ring);
	if (is_whole && request->follow)
		q->position = q->end + 1;
	else if (is_whole || (request->first && !request->since_ns))
		q->position = flow_ring_oldest(ring);
	else
		q->position = rewind_position(q, ring);
	return 0;
}

/* How many flows are sent at most; with follow, number only says how far back to begin. */
static bool is_full(const struct flow_query *q)
{
	return !q->request.follow && q->request.number && q->sent >= q->request.number;
}

enum flow_query_state flow_query_next(
	struct flow_query *q, const struct flow_ring *ring, const struct flow_record **ret)
{
	const struct flow_record *record;

	while (!is_full(q) && (q->request.follow || q->position <= q->end)) {
		record = flow_ring_read(ring, &q->position, &q->lost);
		if (!record)
			return FLOW_QUERY_WAIT;
		if (!q->request.follow && record->number > q->end) {
			/* the ring went past the end of this query: only its own part is lost */
			q->lost -= record->number - 1 - q->end;
			break;
		}
		if (q->request.until_ns && record->time_ns > q->request.until_ns) {
			q->position--;
			q->end = 0;
			q->request.follow = false;
			break;
		}
		if (!flow_filters_match(q->filters, record))
			continue;
		q->sent++;
		*ret = record;
		return FLOW_QUERY_FLOW;
	}
	return FLOW_QUERY_END;
}
