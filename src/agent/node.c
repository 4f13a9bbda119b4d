/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's own addresses have identity host, the gateways too. Called by wire.c at start and when
 * addresses change. Must hold: the world layer is there before any endpoint is, so that every
 * address has an identity.
 */
#include <stdlib.h>

#include "abi/identity.h"
#include "agent/address.h"
#include "agent/agent.h"
#include "agent/conf.h"
#include "agent/policy.h"
#include "datapath/datapath.h"
#include "kern/device.h"
#include "model/identity.h"

static void set_world(struct agent *a)
{
	struct prefix all6 = {.bits = 0}, all4 = {.bits = ADDR_V4_PREFIX};

	all4.addr.byte[10] = all4.addr.byte[11] = 0xff;
	/* also where one family is off: 0.0.0.0/0 must never mean the other one */
	addresses_set(a->addresses, ADDRESS_WORLD, &all6, IDENTITY_WORLD_IPV6, IDENTITY_WORLD_IPV6);
	addresses_set(a->addresses, ADDRESS_WORLD, &all4, IDENTITY_WORLD_IPV4, IDENTITY_WORLD_IPV4);
}

static void set_host(struct agent *a, const struct addr *addr)
{
	struct prefix p = address_host(addr);

	/* what it goes by in policies is theirs to say, and stays until they do */
	if (!addr_is_zero(addr))
		addresses_set(a->addresses, ADDRESS_HOST, &p, IDENTITY_HOST,
			addresses_part(a->addresses, &p, IDENTITY_HOST));
}

/* One entry each, at once: the whole map is only made equal when the policies are known. */
static int sync_hosts(struct agent *a, const struct addr *addr, size_t count, struct err *e)
{
	int written = 0;

	for (size_t i = 0; i < count; i++) {
		struct prefix p = address_host(&addr[i]);
		int r = addresses_sync_one(a->addresses, &p, e);

		if (r < 0)
			return r;
		written += r;
	}
	return written;
}

/* Addresses that the kernel may choose as a source of IPv4: not link-local, and not our gateway. */
static bool has_own_ipv4(const struct agent *a, const struct addr *addr, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool link_local = addr[i].byte[12] == 169 && addr[i].byte[13] == 254;

		if (addr_is_v4(&addr[i]) && !link_local && !addr_eq(&addr[i], &a->gateway4))
			return true;
	}
	return false;
}

static int sync_gateways(struct agent *a, const struct addr *addr, size_t count, struct err *e)
{
	enum device_gateway how4 =
		has_own_ipv4(a, addr, count) ? DEVICE_GATEWAY_PASSIVE : DEVICE_GATEWAY_SOURCE;
	int r = 0;

	if (!addr_is_zero(&a->gateway4))
		r = device_gateway_address(a->device, &a->gateway4, how4, e);
	if (!r && !addr_is_zero(&a->gateway6))
		r = device_gateway_address(a->device, &a->gateway6, DEVICE_GATEWAY_PASSIVE, e);
	return r;
}

int agent_sync_node_addresses(struct agent *a, struct err *e)
{
	SCOPED(freep)
	struct addr *addr = NULL;
	const struct addr gateway[] = {a->gateway4, a->gateway6};
	size_t count = 0;
	int r = device_addresses(a->device, &addr, &count, e), r2;

	r = r ?: sync_gateways(a, addr, count, e);
	if (r)
		return r;
	set_world(a);
	addresses_clear_layer(a->addresses, ADDRESS_HOST);
	for (size_t i = 0; i < count; i++)
		set_host(a, &addr[i]);
	set_host(a, &a->gateway4);
	set_host(a, &a->gateway6);
	if (a->ready) {
		r = addresses_sync(a->addresses, e);
	} else {
		r = sync_hosts(a, addr, count, e);
		r2 = r < 0 ? r : sync_hosts(a, gateway, ARRAY_SIZE(gateway), e);
		r = r2 < 0 ? r2 : r + r2;
	}
	if (r > 0) {
		datapath_bump_epoch(a->datapath);
		policies_changed(a->policies);
	}
	return r < 0 ? r : 0;
}
