/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the programs of endpoints in front of their filters (tcx), when nobody waits: it takes a
 * grace period for each, in which the loop stands still and no other device can be changed. Called
 * by endpoint.c. Must hold: an endpoint is whole without it.
 */
#include <errno.h>

#include "agent/agent.h"
#include "agent/endpoint.h"
#include "base/log.h"
#include "base/time.h"
#include "datapath/datapath.h"
#include "loop/loop.h"

LOG_MODULE("endpoint");

#define QUIET_NS    2000000000u /* so long nothing has changed */
#define PATIENCE_NS 30000000000u /* so long it is put off by changes */
enum { STEP_NS = 50000000 }; /* others have their turn in between */

struct endpoint_front {
	struct endpoints *table;
	struct loop_source *timer;
	uint64_t since_ns; /* when it was first asked for; 0: it was not */
	uint32_t done_id; /* endpoints up to this number have been looked at */
	bool off; /* it cannot be done here */
};

/* One hook of one device. */
static int on_front(void *data)
{
	struct endpoint_front *f = data;
	struct datapath *d = endpoints_agent(f->table)->datapath;
	struct agent_endpoint *ep;
	struct err e = {0};

	while ((ep = endpoint_after(f->table, f->done_id))) {
		int r = datapath_attach_front(d, ep->pair.host_ifindex, &e);

		if (r > 0) {
			loop_timer_in(f->timer, STEP_NS);
			return 0;
		}
		if (r < 0 && r != -ENODEV) {
			log_info("endpoints keep their tc filters: %s", e.text);
			f->off = true;
			return 0;
		}
		f->done_id = ep->id;
	}
	f->since_ns = 0;
	return 0;
}

struct endpoint_front *endpoint_front_new(struct endpoints *t)
{
	struct endpoint_front *f = mem_alloc(sizeof(*f));

	f->table = t;
	f->timer = loop_add_timer(endpoints_agent(t)->loop, on_front, f);
	return f;
}

void endpoint_front_free(struct endpoint_front *f)
{
	loop_source_free(f->timer);
	free(f);
}

void endpoint_front_later(struct endpoint_front *f)
{
	uint64_t now = time_mono_ns();

	if (f->off)
		return;
	f->done_id = 0;
	if (!f->since_ns)
		f->since_ns = now;
	if (now - f->since_ns < PATIENCE_NS)
		loop_timer_in(f->timer, QUIET_NS);
}
