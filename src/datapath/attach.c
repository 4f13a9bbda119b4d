/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispatchers at devices: attaching them, and removing every trace. Called by the agent and by
 * kilim uninstall. Must hold: attaching again changes nothing; what is not ours stays.
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

/* Also how uninstall knows a filter whose pins are gone. */
static const char *const filter_name[TC_HOOKS] = {
	"kilim:dispatch_egress", "kilim:dispatch_ingress"};
int datapath_attach(struct datapath *d, uint32_t ifindex, struct err *e)
{
	struct tc_filter at[TC_HOOKS];
	int r = tc_get(d->device, ifindex, at, e);

	if (!r && at[0].program == d->dispatch_id[0] && at[1].program == d->dispatch_id[1])
		return 0;
	r = r ? r : tc_attach(d->device, ifindex, d->dispatch, filter_name, e);
	if (r)
		(void)err_prefix(e, "attach to device %u", ifindex);
	return r;
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
