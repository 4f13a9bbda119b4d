/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an endpoint is in the kernel: a device pair, the programs on it, a row, and the identities
 * of its addresses. Called by endpoint.c and endpoint_restore.c. Must hold: the row is written
 * before the device passes packets, with ENDPOINT_READY only when the slots in force know the
 * identity.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/endpoint.h"
#include "base/fd.h"
#include "datapath/datapath.h"

static struct endpoint_key row_key(const struct agent_endpoint *ep)
{
	return (struct endpoint_key){.id = ep->pair.host_ifindex, .kind = ENDPOINT_KIND_DEVICE};
}

/* An identity for each address of the endpoint, or none. */
static int write_identities(
	struct agent *a, const struct agent_endpoint *ep, bool present, struct err *e)
{
	const struct addr *addr[] = {&ep->addr4, &ep->addr6};

	for (size_t i = 0; i < ARRAY_SIZE(addr); i++) {
		struct prefix p = address_host(addr[i]);
		int r;

		if (addr_is_zero(addr[i]))
			continue;
		if (present)
			addresses_set(
				a->addresses, ADDRESS_ENDPOINT, &p, ep->identity, ep->part[i]);
		else
			addresses_clear(a->addresses, ADDRESS_ENDPOINT, &p);
		r = addresses_sync_one(a->addresses, &p, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int endpoint_write_row(struct agent *a, struct agent_endpoint *ep, struct err *e)
{
	struct endpoint_key key = row_key(ep);
	struct endpoint row = {
		.addr4 = ep->addr4,
		.addr6 = ep->addr6,
		.id = ep->id,
		.identity = ep->identity,
		.flags = ep->state == ENDPOINT_STATE_READY ? ENDPOINT_READY : 0,
		.ifindex = ep->pair.host_ifindex,
	};
	int r = 0;

	for (int i = 0; i < 2; i++)
		row.peer[i] = ep->part[i] == ep->identity ? 0 : ep->part[i];
	memcpy(row.mac, ep->pair.mac, sizeof(row.mac));
	memcpy(row.host_mac, ep->pair.host_mac, sizeof(row.host_mac));
	if (ep->state == ENDPOINT_STATE_READY)
		r = write_identities(a, ep, true, e);
	r = r ?: datapath_endpoint_put(a->datapath, &key, &row, e);
	if (!r)
		memcpy(ep->row_part, ep->part, sizeof(ep->part));
	return r;
}

static int configure(struct agent *a, struct agent_endpoint *ep, int netns, struct err *e)
{
	static const struct addr none;
	bool v4 = !addr_is_zero(&ep->addr4), v6 = !addr_is_zero(&ep->addr6);
	int r = datapath_attach(a->datapath, ep->pair.host_ifindex, e);

	r = r ?: endpoint_write_row(a, ep, e);
	r = r
		    ?: device_configure_outside(a->device, ep->pair.host_ifindex, ep->pair.mac,
			       &ep->addr4, &ep->addr6, e);
	return r
		       ?: device_configure_inside(a->device, netns, ep->ifname, &ep->addr4,
				  &ep->addr6, v4 ? &a->gateway4 : &none, v6 ? &a->gateway6 : &none,
				  ep->mtu, e);
}

int endpoint_make_device(struct agent *a, struct agent_endpoint *ep, struct err *e)
{
	SCOPED(fd_closep)
	int netns = -1;
	uint32_t stale = device_index(a->device, ep->pair.host_name);
	struct err ignored = {0};
	int r = netns_open(ep->netns, &netns, e);

	/* the number is ours, so a device of that name is what a crash left */
	if (!r && stale)
		r = device_remove(a->device, stale, e);
	ep->pair.kind = a->conf->mode == CONF_MODE_NETKIT ? DEVICE_NETKIT : DEVICE_VETH;
	r = r ?: device_pair_create(a->device, netns, &ep->pair, e);
	if (r)
		return r;
	r = configure(a, ep, netns, e);
	if (r) {
		(void)endpoint_unplug(a, ep, &ignored);
		(void)device_remove(a->device, ep->pair.host_ifindex, &ignored);
		ep->pair.host_ifindex = 0;
	}
	return r;
}

int endpoint_unplug(struct agent *a, const struct agent_endpoint *ep, struct err *e)
{
	struct endpoint_key key = row_key(ep);
	int r = write_identities(a, ep, false, e), r2 = 0;

	if (ep->pair.host_ifindex)
		r2 = datapath_endpoint_remove(a->datapath, &key, r ? NULL : e);
	datapath_bump_epoch(a->datapath);
	return r ? r : r2 == -ENOENT ? 0 : r2;
}
