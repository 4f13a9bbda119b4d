/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing the data path. Called by the agent. Must hold: one process at a time works on
 * the pins of a BPF root; closing takes nothing out of force.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "census.skel.h"
#include "datapath/clock.h"
#include "datapath/handle.h"
#include "datapath/load.h"
#include "datapath/migrate.h"
#include "kern/device.h"

static struct datapath *datapath_new(void)
{
	struct datapath *d = mem_alloc(sizeof(*d));

	memset(d->map, 0xff, sizeof(d->map));
	d->lock = d->entry = d->dispatch[0] = d->dispatch[1] = -1;
	return d;
}

void datapath_close(struct datapath *d)
{
	if (!d)
		return;
	events_close(d);
	policy_close(d);
	load_free(d->load);
	census_bpf__destroy(d->census);
	clock_close(d->clock);
	if (d->current)
		(void)munmap(d->current, (size_t)sysconf(_SC_PAGESIZE));
	for (int i = 0; i < DP_MAPS; i++)
		fd_closep(&d->map[i]);
	fd_closep(&d->dispatch[0]);
	fd_closep(&d->dispatch[1]);
	fd_closep(&d->entry);
	device_close(d->device);
	fd_closep(&d->lock);
	free(d);
}

static void datapath_closep(struct datapath **d)
{
	datapath_close(*d);
}

int datapath_open(
	const struct datapath_options *o, struct datapath **ret, bool *ret_adopted, struct err *e)
{
	SCOPED(datapath_closep) struct datapath *d = datapath_new();
	bool adopted = false;
	int r = pins_open(o->bpf_root, &d->pins, e);

	r = r ? r : pins_lock(&d->pins, &d->lock, e);
	r = r ? r : device_open(&d->device, e);
	r = r ? r : clock_open(&d->clock, &d->hz, e);
	r = r ? r : dispatch_open(d, e);
	r = r ? r : migrate_recover(d, e);
	r = r ? r : load_programs(d, o, &adopted, e);
	r = r ? r : policy_open(d, e);
	if (r)
		return r;
	*ret_adopted = adopted;
	*ret = TAKE(d);
	return 0;
}
