/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams to clients. Called by flows.c and, for their bytes, by the API server. Must hold: a slow
 * client costs a bounded buffer and loses events, exactly counted; it never holds up the others.
 */
#include "agent/flow_stream.h"

#include <stdlib.h>
#include <string.h>

#include "api/server.h"
#include "base/time.h"

enum { FILL_BYTES = 32 << 10, MONITOR_BYTES_MAX = 1 << 20 };

struct flow_stream {
	struct flow_stream *next, *previous;
	struct flow_streams *owner;
	struct api_stream *stream;
	bool is_monitor;
	/* flows */
	struct flow_query query;
	struct flow_filters *filters;
	/* raw events */
	struct str pending;
	uint64_t lost;
};

void flow_streams_init(struct flow_streams *t, struct flow_ring *ring, const struct flow_node *node)
{
	*t = (struct flow_streams){.ring = ring, .node = node};
}

static struct flow_stream *stream_add(struct flow_streams *t, bool is_monitor)
{
	struct flow_stream *s = mem_alloc(sizeof(*s));

	s->owner = t;
	s->is_monitor = is_monitor;
	s->next = t->head;
	if (s->next)
		s->next->previous = s;
	t->head = s;
	t->monitors += is_monitor;
	return s;
}

static void on_done(void *data)
{
	struct flow_stream *s = data;

	*(s->previous ? &s->previous->next : &s->owner->head) = s->next;
	if (s->next)
		s->next->previous = s->previous;
	s->owner->monitors -= s->is_monitor;
	flow_filters_free(s->filters);
	str_done(&s->pending);
	free(s);
}

static int fill_flows(struct str *out, void *data)
{
	struct flow_stream *s = data;
	enum flow_query_state state = FLOW_QUERY_FLOW;

	while (out->len < FILL_BYTES && state == FLOW_QUERY_FLOW) {
		const struct flow_record *record;

		state = flow_query_next(&s->query, s->owner->ring, &record);
		if (s->query.lost) {
			flow_json_write_lost(out, s->query.lost, time_wall_ns(), s->owner->node);
			str_add(out, "\n");
			s->query.lost = 0;
		}
		if (state == FLOW_QUERY_FLOW) {
			flow_json_write(out, record, s->owner->node);
			str_add(out, "\n");
		}
	}
	return state == FLOW_QUERY_FLOW ? 1 : state == FLOW_QUERY_WAIT ? 0 : -1;
}

int flow_stream_new(struct flow_streams *t, const struct flow_request *rq,
	struct flow_filters *filters, struct api_stream **ret, struct err *e)
{
	struct flow_stream *s = stream_add(t, false);
	int r;

	s->filters = filters;
	r = flow_query_start(&s->query, rq, filters, t->ring, e);
	if (r) {
		on_done(s);
		return r;
	}
	*ret = s->stream = api_stream_new(fill_flows, on_done, s);
	return 0;
}

static int fill_events(struct str *out, void *data)
{
	struct flow_stream *s = data;

	str_addn(out, str_text(&s->pending), s->pending.len);
	s->pending.len = 0;
	if (s->lost)
		str_printf(out, "{\"lost\":%llu}\n", (unsigned long long)s->lost);
	s->lost = 0;
	return 0;
}

struct api_stream *flow_monitor_new(struct flow_streams *t)
{
	struct flow_stream *s = stream_add(t, true);

	return s->stream = api_stream_new(fill_events, on_done, s);
}

bool flow_streams_event(struct flow_streams *t, const struct event *ev)
{
	SCOPED(str_done)
	struct str line = {0};

	if (!t->monitors)
		return false;
	event_json_write(&line, ev, time_wall_ns() - time_mono_ns() + ev->time_ns);
	str_add(&line, "\n");
	for (struct flow_stream *s = t->head; s; s = s->next) {
		if (!s->is_monitor)
			continue;
		if (s->pending.len + line.len > MONITOR_BYTES_MAX)
			s->lost++;
		else
			str_addn(&s->pending, line.text, line.len);
	}
	return true;
}

void flow_streams_wake(struct flow_streams *t)
{
	/* a stream may end, and so leave the list, only at the server's next turn */
	for (struct flow_stream *s = t->head; s; s = s->next)
		api_stream_wake(s->stream);
}
