/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the event ring from the loop. Called by the agent. Must hold: one wake-up takes a bounded
 * number of records, so that a flood of events starves nothing else; the ring keeps what is left,
 * and counts what it had to drop. The data path does not wake the reader for every record
 * (EVENT_WAKE_NS), so the ring is looked at once more that much after each wake-up.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "abi/event.h"
#include "datapath/handle.h"
#include "loop/loop.h"

enum { RECORDS_PER_TURN = 512 };

struct events {
	struct ring_buffer *ring;
	struct loop_source *source, *timer;
	datapath_event_fn fn;
	void *data;
	unsigned taken;
};

static int on_record(void *ctx, void *record, size_t size)
{
	struct events *ev = ctx;

	if (size >= sizeof(struct event))
		ev->fn(record, ev->data);
	/* the ring has let go of this record: stopping here loses nothing, and its fd stays
	 * readable */
	return ++ev->taken < RECORDS_PER_TURN ? 0 : -EAGAIN;
}

static int consume(struct events *ev)
{
	int r;

	ev->taken = 0;
	r = ring_buffer__consume(ev->ring);
	return r < 0 && r != -EAGAIN ? r : 0;
}

static int on_readable(int fd, uint32_t epoll_events, void *data)
{
	struct events *ev = data;

	(void)fd;
	(void)epoll_events;
	loop_timer_in(ev->timer, EVENT_WAKE_NS);
	return consume(ev);
}

/* What came while nobody was woken. The descriptor tells nothing here: ask again for what is left.
 */
static int on_timer(void *data)
{
	struct events *ev = data;
	int r = consume(ev);

	if (ev->taken >= RECORDS_PER_TURN)
		loop_timer_in(ev->timer, 0);
	return r;
}

int datapath_events_start(
	struct datapath *d, struct loop *l, datapath_event_fn fn, void *data, struct err *e)
{
	struct events *ev = mem_alloc(sizeof(*ev));

	events_close(d);
	ev->fn = fn;
	ev->data = data;
	ev->ring = ring_buffer__new(d->map[DP_MAP_events], on_record, ev, NULL);
	if (!ev->ring) {
		int r = -errno;

		free(ev);
		return err_set(e, r, "event ring: %s", strerror(-r));
	}
	ev->timer = loop_add_timer(l, on_timer, ev);
	ev->source = loop_add_fd(l, ring_buffer__epoll_fd(ev->ring), EPOLLIN, on_readable, ev);
	d->events = ev;
	policy_collect_from(d, l);
	return 0;
}

void events_close(struct datapath *d)
{
	if (!d->events)
		return;
	loop_source_free(d->events->source);
	loop_source_free(d->events->timer);
	ring_buffer__free(d->events->ring);
	free(d->events);
	d->events = NULL;
}
