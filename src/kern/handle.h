/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_KERN_HANDLE_H
#define KILIM_KERN_HANDLE_H
/* What the files of kern share about the handle on the node's network namespace. Not for others. */
#include "kern/device.h"
#include "kern/netlink.h"

struct address_watch;

struct device {
	struct netlink *link; /* requests in the node's own namespace */
	int own; /* that namespace, to come back to */
	struct address_watch *watch;
};

/* A request socket inside the namespace. */
int device_enter(struct device *d, int netns, struct netlink **ret, struct err *e) MUST_USE;
/* Two requests: no link-local address, then up (with the MTU unless 0). */
void device_add_quiet_up(struct netlink_batch *b, uint32_t ifindex, uint32_t mtu);
/* End device_watch_addresses(). */
void device_unwatch(struct device *d);

#endif
