/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, routes, neighbours and forwarding of endpoints' devices. Called by the agent through
 * kern/device.h. Must hold: everything here may be repeated: what is there already is no failure.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "kern/handle.h"
#include "kern/netns.h"

enum { LOOPBACK = 1 }; /* ifindex of lo in every namespace */

/* An abi address as rtnetlink wants it. */
struct wire {
	int family;
	const void *bytes;
	int len; /* bytes */
};

static bool is_none(const struct addr *a)
{
	return !a || !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

static bool is_v4(const struct addr *a)
{
	return !a->word[0] && !a->word[1] && a->word[2] == htonl(0xffff);
}

static struct wire wire(const struct addr *a)
{
	return is_v4(a) ? (struct wire){AF_INET, &a->word[3], 4} : (struct wire){AF_INET6, a, 16};
}

static void add_address(struct netlink_batch *b, uint32_t ifindex, const struct addr *a)
{
	struct wire w = wire(a);
	struct ifaddrmsg ifa = {.ifa_family = (uint8_t)w.family,
		.ifa_prefixlen = (uint8_t)(w.len * 8),
		.ifa_index = ifindex};
	struct nl_msg *m = netlink_add(
		b, "address inside", RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &ifa, sizeof(ifa));

	nla_put(m, IFA_LOCAL, w.len, w.bytes);
	nla_put(m, IFA_ADDRESS, w.len, w.bytes);
	if (w.family == AF_INET6)
		nla_put_u32(m, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	else
		netlink_forgive(b, EEXIST);
}

/* A route to the prefix (to everything when a is NULL) by the device and, unless NULL, the gateway.
 */
static struct nl_msg *add_route(struct netlink_batch *b, const char *what, int type,
	struct rtmsg rt, const struct addr *a, unsigned bits)
{
	struct wire w = a ? wire(a) : (struct wire){rt.rtm_family, NULL, 0};
	struct nl_msg *m;

	rt.rtm_family = (uint8_t)w.family;
	rt.rtm_dst_len = (uint8_t)bits;
	rt.rtm_table = RT_TABLE_MAIN;
	rt.rtm_protocol = RTPROT_STATIC;
	m = netlink_add(b, what, type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0, &rt,
		sizeof(rt));
	if (a)
		nla_put(m, RTA_DST, w.len, w.bytes);
	return m;
}

static void add_default(struct netlink_batch *b, uint32_t ifindex, const struct addr *gateway,
	const struct addr *source)
{
	struct wire w = wire(gateway), from = wire(source);
	struct rtmsg link = {.rtm_scope = RT_SCOPE_LINK, .rtm_type = RTN_UNICAST};
	struct rtmsg all = {.rtm_family = (uint8_t)w.family,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST};
	struct nl_msg *m = add_route(
		b, "route to the gateway inside", RTM_NEWROUTE, link, gateway, (unsigned)w.len * 8);

	nla_put_u32(m, RTA_OIF, ifindex);
	m = add_route(b, "default route inside", RTM_NEWROUTE, all, NULL, 0);
	nla_put(m, RTA_GATEWAY, w.len, w.bytes);
	nla_put_u32(m, RTA_OIF, ifindex);
	if (from.family == AF_INET)
		nla_put(m, RTA_PREFSRC, from.len, from.bytes);
}

static void on_index(struct nlmsghdr *h, void *data)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		*(uint32_t *)data = (uint32_t)((struct ifinfomsg *)nlmsg_data(h))->ifi_index;
}

static int index_inside(struct netlink *n, const char *name, uint32_t *ret, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct ifinfomsg ifi = {0};

	nla_put_string(netlink_add(&b, name, RTM_GETLINK, 0, &ifi, sizeof(ifi)), IFLA_IFNAME, name);
	return netlink_send(n, &b, on_index, ret, e);
}

/* Some runtimes switch IPv6 off in the namespaces that they make. */
static void allow_ipv6(struct device *d, int netns, const char *name)
{
	static const char *const conf[] = {"lo", "all", "default"};
	char path[96];

	if (netns_enter(netns, NULL))
		return;
	for (unsigned i = 0; i <= ARRAY_SIZE(conf); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
			i < ARRAY_SIZE(conf) ? conf[i] : name);
		(void)fd_write_text(path, "0", NULL);
	}
	netns_leave(d->own);
}

struct inside {
	const struct addr *addr4, *addr6, *gateway4, *gateway6;
	uint32_t ifindex, mtu;
};

static int configure(struct netlink *n, const struct inside *in, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct ifinfomsg lo = {.ifi_index = LOOPBACK, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	netlink_add(&b, "bring lo up", RTM_SETLINK, 0, &lo, sizeof(lo));
	device_add_quiet_up(&b, in->ifindex, in->mtu);
	if (!is_none(in->addr4))
		add_address(&b, in->ifindex, in->addr4);
	if (!is_none(in->addr6))
		add_address(&b, in->ifindex, in->addr6);
	if (!is_none(in->addr4) && !is_none(in->gateway4))
		add_default(&b, in->ifindex, in->gateway4, in->addr4);
	if (!is_none(in->addr6) && !is_none(in->gateway6))
		add_default(&b, in->ifindex, in->gateway6, in->addr6);
	return netlink_send(n, &b, NULL, NULL, e);
}

int device_configure_inside(struct device *d, int netns, const char *name, const struct addr *addr4,
	const struct addr *addr6, const struct addr *gateway4, const struct addr *gateway6,
	uint32_t mtu, struct err *e)
{
	SCOPED(netlink_closep) struct netlink *n = NULL;
	struct inside in = {addr4, addr6, gateway4, gateway6, 0, mtu};
	int r = device_enter(d, netns, &n, e);

	r = r ?: index_inside(n, name, &in.ifindex, e);
	if (r)
		return r;
	r = configure(n, &in, e);
	if ((r == -EACCES || r == -EOPNOTSUPP) && !is_none(addr6)) {
		allow_ipv6(d, netns, name);
		r = configure(n, &in, e);
	}
	return r;
}

static void add_outside(
	struct netlink_batch *b, uint32_t ifindex, const uint8_t mac[6], const struct addr *a)
{
	struct wire w = wire(a);
	struct rtmsg rt = {.rtm_scope = w.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST};
	struct ndmsg nd = {.ndm_family = (uint8_t)w.family,
		.ndm_ifindex = (int)ifindex,
		.ndm_state = NUD_PERMANENT};
	struct nl_msg *m =
		add_route(b, "route to the endpoint", RTM_NEWROUTE, rt, a, (unsigned)w.len * 8);

	nla_put_u32(m, RTA_OIF, ifindex);
	m = netlink_add(b, "neighbour entry of the endpoint", RTM_NEWNEIGH,
		NLM_F_CREATE | NLM_F_REPLACE, &nd, sizeof(nd));
	nla_put(m, NDA_DST, w.len, w.bytes);
	nla_put(m, NDA_LLADDR, 6, mac);
}

int device_configure_outside(struct device *d, uint32_t host_ifindex, const uint8_t mac[6],
	const struct addr *addr4, const struct addr *addr6, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};

	device_add_quiet_up(&b, host_ifindex, 0);
	if (!is_none(addr4))
		add_outside(&b, host_ifindex, mac, addr4);
	if (!is_none(addr6))
		add_outside(&b, host_ifindex, mac, addr6);
	return netlink_send(d->link, &b, NULL, NULL, e);
}

int device_pool_route(
	struct device *d, const struct addr *addr, unsigned bits, bool remove, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct rtmsg rt = {.rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNREACHABLE};

	if (bits > ADDR_BITS || (is_v4(addr) && bits < ADDR_V4_PREFIX))
		return err_set(e, -EINVAL, "pool route: /%u is no prefix of this address", bits);
	add_route(&b, "unreachable route of the pool", remove ? RTM_DELROUTE : RTM_NEWROUTE, rt,
		addr, is_v4(addr) ? bits - ADDR_V4_PREFIX : bits);
	if (remove)
		netlink_forgive(&b, ESRCH);
	return netlink_send(d->link, &b, NULL, NULL, e);
}

static int set_sysctl(const char *path, struct err *e)
{
	SCOPED(freep) char *text = NULL;

	if (!fd_read_file(path, 64, &text, NULL, NULL) && text[0] == '1')
		return 0;
	return fd_write_text(path, "1", e);
}

int device_forwarding(bool v4, bool v6, struct err *e)
{
	int r = v4 ? set_sysctl("/proc/sys/net/ipv4/ip_forward", e) : 0;

	return r ?: v6 ? set_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", e) : 0;
}
