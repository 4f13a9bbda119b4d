/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the event ring from the loop. Called by the agent. Must hold: one wake-up takes a bounded number of records, so that a flood of events
 * starves nothing else; the ring keeps what is left, and counts what it had to drop.
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
	struct loop_source *source;
	datapath_event_fn fn;
	void *data;
	unsigned taken;
};

static int on_record(void *ctx, void *record, size_t size)
{
	struct events *ev = ctx;

	if (size >= sizeof(struct event))
		ev->fn(record, ev->data);
	/* the ring has let go of this record: stopping here loses nothing, and its fd stays readable */
	return ++ev->taken < RECORDS_PER_TURN ? 0 : -EAGAIN;
}

static int on_readable(int fd, uint32_t epoll_events, void *data)
{
	struct events *ev = data;
	int r;

	(void)fd;
	(void)epoll_events;
	ev->taken = 0;
	r = ring_buffer__consume(ev->ring);
	return r < 0 && r != -EAGAIN ? r : 0;
}

int datapath_events_start(struct datapath *d, struct loop *l, datapath_event_fn fn, void *data, struct err *e)
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
	ring_buffer__free(d->events->ring);
	free(d->events);
	d->events = NULL;
}
