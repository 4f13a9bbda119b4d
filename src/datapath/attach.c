/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatchers at devices: attaching them, and removing every trace. Called by the agent and by
 * kilim uninstall. Must hold: attaching again changes nothing; what is not ours stays; a device
 * whose dispatcher is a tcx program has it as a filter behind that, too, so that it is never
 * without; the tcx program decides about every packet, so that none is judged twice.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "datapath/handle.h"
#include "kern/device.h"
#include "kern/tc.h"
#include "kern/tcx.h"

/* Also how uninstall knows a filter whose pins are gone. */
static const char *const filter_name[TC_HOOKS] = {
	"kilim:dispatch_egress", "kilim:dispatch_ingress"};

/* For each program at the hook that is a dispatcher, but not (except) this one. */
static int each_front(uint32_t ifindex, enum tc_hook hook, uint32_t except,
	int (*fn)(uint32_t ifindex, enum tc_hook hook, int program, void *data, struct err *e),
	void *data, struct err *e)
{
	uint32_t id[TCX_MAX];
	int count = tcx_get(ifindex, hook, id, e), r = count < 0 ? count : 0;

	for (int i = 0; !r && i < count; i++) {
		SCOPED(fd_closep) int fd = id[i] == except ? -1 : bpf_prog_get_fd_by_id(id[i]);

		if (fd >= 0 && dispatch_is(fd, hook))
			r = fn(ifindex, hook, fd, data, e);
	}
	return r;
}

static int front_replace(
	uint32_t ifindex, enum tc_hook hook, int program, void *data, struct err *e)
{
	struct datapath *d = data;
	int r = tcx_replace(ifindex, hook, d->dispatch[hook], program, e);

	return r == -EEXIST ? tcx_detach(ifindex, hook, program, e) : r;
}

static int front_remove(uint32_t ifindex, enum tc_hook hook, int program, void *data, struct err *e)
{
	(void)data;
	return tcx_detach(ifindex, hook, program, e);
}

int datapath_attach(struct datapath *d, uint32_t ifindex, struct err *e)
{
	struct tc_filter at[TC_HOOKS];
	int r = tc_get(d->device, ifindex, at, e);

	if (!r && (at[0].program != d->dispatch_id[0] || at[1].program != d->dispatch_id[1]))
		r = tc_attach(d->device, ifindex, d->dispatch, filter_name, e);
	/* one of a data path whose pins are lost would serve in front of them */
	for (int i = 0; !r && i < TC_HOOKS; i++)
		r = each_front(ifindex, i, d->dispatch_id[i], front_replace, d, e);
	if (r)
		(void)err_prefix(e, "attach to device %u", ifindex);
	return r;
}

static bool has_front(const struct datapath *d, uint32_t ifindex, enum tc_hook hook)
{
	uint32_t id[TCX_MAX];
	int count = tcx_get(ifindex, hook, id, NULL);

	for (int i = 0; i < count; i++) {
		if (id[i] == d->dispatch_id[hook])
			return true;
	}
	return false;
}

int datapath_attach_front(struct datapath *d, uint32_t ifindex, struct err *e)
{
	for (int i = 0; i < TC_HOOKS; i++) {
		if (!has_front(d, ifindex, i))
			return tcx_attach(ifindex, i, d->dispatch[i], e) ?: 1;
	}
	return 0;
}

static int detach_all(struct device *dev, struct err *e)
{
	SCOPED(freep) uint32_t *ifindex = NULL;
	size_t count = 0;
	int r = device_all(dev, &ifindex, &count, e);

	for (size_t i = 0; !r && i < count; i++) {
		struct tc_filter at[TC_HOOKS];

		r = tc_get(dev, ifindex[i], at, e);
		if (!r && (str_has_prefix(at[0].name, "kilim:") ||
				  str_has_prefix(at[1].name, "kilim:")))
			r = tc_detach(dev, ifindex[i], e);
		for (int hook = 0; !r && hook < TC_HOOKS; hook++)
			r = each_front(ifindex[i], hook, 0, front_remove, NULL, e);
		if (r == -ENODEV) /* it went away meanwhile */
			r = 0;
	}
	return r;
}

int datapath_uninstall(const char *bpf_root, struct err *e)
{
	SCOPED(fd_closep) int lock = -1;
	struct device *dev = NULL;
	struct pins pins;
	bool pinned = !pins_find(bpf_root, &pins);
	int r = pinned ? pins_lock(&pins, &lock, e) : 0;

	r = r ? r : device_open(&dev, e);
	if (r)
		return r;
	r = detach_all(dev, e);
	device_close(dev);
	if (!r && pinned)
		r = pins_remove(&pins, e);
	fd_closep(&lock);
	lock = -1;
	if (!r)
		pins_unmount(bpf_root);
	return r;
}
