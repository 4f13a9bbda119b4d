/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device pairs of endpoints: making, finding and removing them. Owns the handle with its netlink
 * socket; called by the agent. Must hold: the calling thread is in the node's own namespace again
 * whenever a function returns; IPv6 makes no link-local address on either end, so that a new pair
 * is silent.
 */
#include "kern/device.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "kern/handle.h"
#include "kern/netns.h"

/* linux/if_link.h of 6.7 and later */
enum { NETKIT_PEER_INFO = 1, NETKIT_POLICY = 3, NETKIT_PEER_POLICY = 4, NETKIT_MODE = 5 };
/* The programs are at the tc hooks of the node's side, as with veth (doc/decisions): netkit's own
 * hooks stay empty and pass. */
enum { NETKIT_MODE_L2 = 0, NETKIT_PASS = 0 };
/* The device group of devices that are about to be removed; ours by being unlikely. */
enum { DOOMED_GROUP = 0x6b696c6d };

int device_open(struct device **ret, struct err *e)
{
	SCOPED(netlink_closep) struct netlink *n = NULL;
	SCOPED(fd_closep) int own = -1;
	int r = netlink_open(0, &n, e);

	r = r ?: netns_open_own(&own, e);
	if (r)
		return r;
	*ret = mem_alloc(sizeof(**ret));
	(*ret)->link = TAKE(n);
	(*ret)->own = TAKE_FD(own);
	return 0;
}

void device_close(struct device *d)
{
	if (!d)
		return;
	device_unwatch(d);
	netlink_close(d->link);
	close(d->own);
	free(d);
}

int device_enter(struct device *d, int netns, struct netlink **ret, struct err *e)
{
	int r = netns_enter(netns, e);

	if (r)
		return r;
	r = netlink_open(0, ret, e);
	netns_leave(d->own);
	return r;
}

static int check_name(const char *name, struct err *e)
{
	size_t len = strnlen(name, DEVICE_NAME);

	if (!len || len >= DEVICE_NAME || strpbrk(name, "/: \t\n\v\f\r") || !strcmp(name, ".") ||
		!strcmp(name, ".."))
		return err_set(
			e, -EINVAL, "'%.*s' is no name for a network device", DEVICE_NAME, name);
	return 0;
}

/* Locally administered, unicast. */
static void make_mac(uint8_t mac[6])
{
	if (getrandom(mac, 6, 0) != 6)
		abort();
	mac[0] = (uint8_t)((mac[0] & ~1u) | 2u);
}

/* What a link message says. */
struct link_answer {
	uint32_t ifindex, peer;
	uint8_t mac[6];
	char name[DEVICE_NAME];
};

static void copy_text(char to[DEVICE_NAME], const struct nlattr *attr)
{
	nla_strlcpy(to, attr, DEVICE_NAME);
}

static void on_link(struct nlmsghdr *h, void *data)
{
	struct link_answer *a = data;
	struct nlattr *attr[IFLA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(h, sizeof(struct ifinfomsg), attr, IFLA_MAX, NULL) < 0)
		return;
	a->ifindex = (uint32_t)((struct ifinfomsg *)nlmsg_data(h))->ifi_index;
	if (attr[IFLA_LINK] && nla_len(attr[IFLA_LINK]) >= 4)
		a->peer = nla_get_u32(attr[IFLA_LINK]);
	if (attr[IFLA_ADDRESS] && nla_len(attr[IFLA_ADDRESS]) == 6)
		memcpy(a->mac, nla_data(attr[IFLA_ADDRESS]), 6);
	if (attr[IFLA_IFNAME])
		copy_text(a->name, attr[IFLA_IFNAME]);
}

/* By ifindex, or by name when it is 0. -ENODEV. */
static int link_get(struct netlink *n, uint32_t ifindex, const char *name, struct link_answer *ret,
	struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct ifinfomsg ifi = {.ifi_index = (int)ifindex};
	struct nl_msg *m = netlink_add(&b, "get device", RTM_GETLINK, 0, &ifi, sizeof(ifi));
	int r;

	if (!ifindex)
		nla_put_string(m, IFLA_IFNAME, name);
	memset(ret, 0, sizeof(*ret));
	r = netlink_send(n, &b, on_link, ret, e);
	return r ? r : ret->ifindex ? 0 : err_set(e, -ENODEV, "no such device");
}

static void put_peer(
	struct nl_msg *m, int attr, const struct device_pair *p, int netns, const uint8_t *mac)
{
	struct nlattr *nest = nla_nest_start(m, attr);
	struct ifinfomsg ifi = {0};

	nlmsg_append(m, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	nla_put_string(m, IFLA_IFNAME, p->name);
	nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns);
	if (p->mtu)
		nla_put_u32(m, IFLA_MTU, p->mtu);
	if (mac)
		nla_put(m, IFLA_ADDRESS, 6, mac);
	nla_nest_end(m, nest);
}

static void put_netkit(struct nl_msg *m, const struct device_pair *p, int netns)
{
	nla_put_u32(m, NETKIT_MODE, NETKIT_MODE_L2);
	nla_put_u32(m, NETKIT_POLICY, NETKIT_PASS);
	nla_put_u32(m, NETKIT_PEER_POLICY, NETKIT_PASS);
	put_peer(m, NETKIT_PEER_INFO, p, netns, NULL);
}

/* netkit makes its addresses itself. */
static void make_pair_message(struct netlink_batch *b, const struct device_pair *p, int netns)
{
	struct ifinfomsg ifi = {0};
	struct nl_msg *m = netlink_add(
		b, "make device pair", RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	struct nlattr *info, *data;

	nla_put_string(m, IFLA_IFNAME, p->host_name);
	if (p->mtu)
		nla_put_u32(m, IFLA_MTU, p->mtu);
	if (p->kind == DEVICE_VETH)
		nla_put(m, IFLA_ADDRESS, 6, p->host_mac);
	info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, p->kind == DEVICE_VETH ? "veth" : "netkit");
	data = nla_nest_start(m, IFLA_INFO_DATA);
	if (p->kind == DEVICE_VETH)
		put_peer(m, VETH_INFO_PEER, p, netns, p->mac);
	else
		put_netkit(m, p, netns);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
}

void device_add_quiet_up(struct netlink_batch *b, uint32_t ifindex, uint32_t mtu)
{
	struct ifinfomsg ifi = {.ifi_index = (int)ifindex};
	struct nl_msg *m = netlink_add(b, "set up device", RTM_SETLINK, 0, &ifi, sizeof(ifi));
	struct nlattr *spec = nla_nest_start(m, IFLA_AF_SPEC), *inet6 = nla_nest_start(m, AF_INET6);

	/* without IPv6 in the kernel there is nothing to keep quiet */
	netlink_forgive(b, EAFNOSUPPORT);
	nla_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	nla_nest_end(m, inet6);
	nla_nest_end(m, spec);
	ifi.ifi_flags = ifi.ifi_change = IFF_UP;
	m = netlink_add(b, "bring device up", RTM_SETLINK, 0, &ifi, sizeof(ifi));
	if (mtu)
		nla_put_u32(m, IFLA_MTU, mtu);
}

static int set_up_inside(struct device *d, int netns, struct device_pair *p, struct err *e)
{
	SCOPED(netlink_closep) struct netlink *n = NULL;
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct link_answer a;
	int r = device_enter(d, netns, &n, e);

	r = r ?: link_get(n, 0, p->name, &a, e);
	if (r)
		return r;
	p->ifindex = a.ifindex;
	memcpy(p->mac, a.mac, 6);
	device_add_quiet_up(&b, a.ifindex, 0);
	return netlink_send(n, &b, NULL, NULL, e);
}

/* The node's end stays down: until somebody has put programs on it, nothing may come through. */
static int set_up_pair(struct device *d, int netns, struct device_pair *p, struct err *e)
{
	struct link_answer a;
	int r = link_get(d->link, 0, p->host_name, &a, e);

	if (r)
		return r;
	p->host_ifindex = a.ifindex;
	memcpy(p->host_mac, a.mac, 6);
	return set_up_inside(d, netns, p, e);
}

int device_pair_create(struct device *d, int netns, struct device_pair *p, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	int r = check_name(p->host_name, e);

	r = r ?: check_name(p->name, e);
	if (r)
		return r;
	make_mac(p->host_mac);
	make_mac(p->mac);
	make_pair_message(&b, p, netns);
	r = netlink_send(d->link, &b, NULL, NULL, e);
	if (r == -EEXIST && device_index(d, p->host_name))
		return err_set(e, -EBUSY, "device name %s is taken on the node", p->host_name);
	if (r == -EEXIST)
		return err_set(e, r, "device name %s is taken in the namespace", p->name);
	if (r) {
		(void)err_prefix(e, "%s", p->kind == DEVICE_VETH ? "veth" : "netkit");
		return r;
	}
	r = set_up_pair(d, netns, p, e);
	if (r)
		(void)device_remove(d, device_index(d, p->host_name), NULL);
	return r;
}

int device_remove(struct device *d, uint32_t ifindex, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct ifinfomsg ifi = {.ifi_index = (int)ifindex};

	if (!ifindex)
		return 0;
	netlink_add(&b, "remove device", RTM_DELLINK, 0, &ifi, sizeof(ifi));
	netlink_forgive(&b, ENODEV);
	return netlink_send(d->link, &b, NULL, NULL, e);
}

static int mark_doomed(struct device *d, const uint32_t *ifindex, size_t count, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};

	for (size_t i = 0; i < count; i++) {
		struct ifinfomsg ifi = {.ifi_index = (int)ifindex[i]};
		struct nl_msg *m =
			netlink_add(&b, "mark device", RTM_SETLINK, 0, &ifi, sizeof(ifi));

		netlink_forgive(&b, ENODEV);
		nla_put_u32(m, IFLA_GROUP, DOOMED_GROUP);
	}
	return netlink_send(d->link, &b, NULL, NULL, e);
}

/* The devices are put into a group of their own, and the group is removed: the kernel then waits
 * once for all of them. */
int device_remove_all(struct device *d, const uint32_t *ifindex, size_t count, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct ifinfomsg any = {0};
	int r = 0;

	for (size_t done = 0, n; !r && done < count; done += n) {
		n = count - done < NETLINK_BATCH ? count - done : NETLINK_BATCH;
		r = mark_doomed(d, ifindex + done, n, e);
	}
	if (r || !count)
		return r;
	nla_put_u32(netlink_add(&b, "remove devices", RTM_DELLINK, 0, &any, sizeof(any)),
		IFLA_GROUP, DOOMED_GROUP);
	netlink_forgive(&b, ENODEV);
	return netlink_send(d->link, &b, NULL, NULL, e);
}

uint32_t device_index(struct device *d, const char *name)
{
	struct link_answer a;

	return !check_name(name, NULL) && !link_get(d->link, 0, name, &a, NULL) ? a.ifindex : 0;
}

bool device_exists(struct device *d, uint32_t ifindex, const char *host_name)
{
	struct link_answer a;

	return ifindex && !link_get(d->link, ifindex, NULL, &a, NULL) && !strcmp(a.name, host_name);
}

struct all_links {
	uint32_t *ifindex;
	size_t count, capacity;
};

static void on_any_link(struct nlmsghdr *h, void *data)
{
	struct all_links *all = data;
	struct link_answer a = {0};

	on_link(h, &a);
	if (!a.ifindex)
		return;
	mem_grow(&all->ifindex, &all->capacity, all->count + 1, sizeof(*all->ifindex));
	all->ifindex[all->count++] = a.ifindex;
}

int device_all(struct device *d, uint32_t **ret, size_t *ret_count, struct err *e)
{
	struct all_links all = {0};
	struct ifinfomsg ifi = {0};
	int r;

	do {
		all.count = 0;
		r = netlink_dump(d->link, RTM_GETLINK, &ifi, sizeof(ifi), on_any_link, &all, e);
	} while (r == -EAGAIN);
	if (r) {
		free(all.ifindex);
		return r;
	}
	*ret = all.ifindex;
	*ret_count = all.count;
	return 0;
}
