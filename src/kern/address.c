/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading addresses and routes: the node's own addresses and their changes, and the check of a
 * workload's namespace. Called by the agent through kern/device.h. Must hold: the watcher's
 * callback runs from the loop only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "kern/handle.h"
#include "loop/loop.h"

struct address_watch {
	struct netlink *link;
	struct loop_source *source, *defer;
	void (*fn)(void *);
	void *data;
};

/* As abi/addr.h wants it. */
static bool to_addr(int family, const struct nlattr *attr, struct addr *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (family == AF_INET && nla_len(attr) == 4) {
		ret->word[2] = htonl(0xffff);
		memcpy(&ret->word[3], nla_data(attr), 4);
		return true;
	}
	if (family == AF_INET6 && nla_len(attr) == 16) {
		memcpy(ret, nla_data(attr), 16);
		return true;
	}
	return false;
}

static bool message_address(struct nlmsghdr *h, struct addr *ret)
{
	struct nlattr *attr[IFA_MAX + 1];
	struct ifaddrmsg *ifa = nlmsg_data(h);
	struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWADDR || nlmsg_parse(h, sizeof(*ifa), attr, IFA_MAX, NULL) < 0)
		return false;
	a = attr[IFA_LOCAL] ? attr[IFA_LOCAL] : attr[IFA_ADDRESS];
	return a && to_addr(ifa->ifa_family, a, ret);
}

struct addresses {
	struct addr *addr;
	size_t count, capacity;
};

static bool is_loopback(const struct addr *a)
{
	static const struct addr one = {.byte = {[15] = 1}};

	if (!a->word[0] && !a->word[1] && a->word[2] == htonl(0xffff))
		return a->byte[12] == 127;
	return !memcmp(a, &one, sizeof(one));
}

static void on_address(struct nlmsghdr *h, void *data)
{
	struct addresses *all = data;
	struct addr a;

	if (!message_address(h, &a) || is_loopback(&a))
		return;
	mem_grow(&all->addr, &all->capacity, all->count + 1, sizeof(a));
	all->addr[all->count++] = a;
}

int device_addresses(struct device *d, struct addr **ret, size_t *ret_count, struct err *e)
{
	struct addresses all = {0};
	struct ifaddrmsg ifa = {0};
	int r;

	do {
		all.count = 0;
		r = netlink_dump(d->link, RTM_GETADDR, &ifa, sizeof(ifa), on_address, &all, e);
	} while (r == -EAGAIN);
	if (r) {
		free(all.addr);
		return r;
	}
	*ret = all.addr;
	*ret_count = all.count;
	return 0;
}

/* What the check of a namespace found. */
struct check {
	uint32_t ifindex;
	const struct addr *addr4, *addr6; /* NULL: not wanted */
	bool address4, address6, route4, route6;
	bool up;
};

static void on_check_link(struct nlmsghdr *h, void *data)
{
	struct check *c = data;
	struct ifinfomsg *ifi = nlmsg_data(h);

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	c->ifindex = (uint32_t)ifi->ifi_index;
	c->up = ifi->ifi_flags & 1; /* IFF_UP */
}

static void on_check_address(struct nlmsghdr *h, void *data)
{
	struct check *c = data;
	struct addr a;

	if (!message_address(h, &a) || ((struct ifaddrmsg *)nlmsg_data(h))->ifa_index != c->ifindex)
		return;
	if (c->addr4 && !memcmp(&a, c->addr4, sizeof(a)))
		c->address4 = true;
	if (c->addr6 && !memcmp(&a, c->addr6, sizeof(a)))
		c->address6 = true;
}

static void on_check_route(struct nlmsghdr *h, void *data)
{
	struct check *c = data;
	struct nlattr *attr[RTA_MAX + 1];
	struct rtmsg *rt = nlmsg_data(h);

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(h, sizeof(*rt), attr, RTA_MAX, NULL) < 0 ||
		rt->rtm_dst_len || rt->rtm_type != RTN_UNICAST || !attr[RTA_OIF] ||
		nla_get_u32(attr[RTA_OIF]) != c->ifindex)
		return;
	if (rt->rtm_family == AF_INET)
		c->route4 = true;
	if (rt->rtm_family == AF_INET6)
		c->route6 = true;
}

static int dump_retry(struct netlink *n, int type, const void *header, size_t len, netlink_fn fn,
	struct check *c, struct err *e)
{
	int r;

	do
		r = netlink_dump(n, type, header, len, fn, c, e);
	while (r == -EAGAIN);
	return r;
}

static int check_read(struct netlink *n, const char *name, struct check *c, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct ifinfomsg ifi = {0};
	struct ifaddrmsg ifa = {0};
	struct rtmsg rt = {0};
	int r;

	nla_put_string(netlink_add(&b, name, RTM_GETLINK, 0, &ifi, sizeof(ifi)), IFLA_IFNAME, name);
	r = netlink_send(n, &b, on_check_link, c, e);
	if (r)
		return r == -ENODEV ? err_set(e, -ENOENT, "no device %s in the namespace", name)
				    : r;
	r = dump_retry(n, RTM_GETADDR, &ifa, sizeof(ifa), on_check_address, c, e);
	return r ?: dump_retry(n, RTM_GETROUTE, &rt, sizeof(rt), on_check_route, c, e);
}

static const struct addr *wanted(const struct addr *a)
{
	return a && (a->word[0] | a->word[1] | a->word[2] | a->word[3]) ? a : NULL;
}

int device_check_inside(struct device *d, int netns, const char *name, const struct addr *addr4,
	const struct addr *addr6, struct err *e)
{
	SCOPED(netlink_closep) struct netlink *n = NULL;
	struct check c = {.addr4 = wanted(addr4), .addr6 = wanted(addr6)};
	int r = device_enter(d, netns, &n, e);

	r = r ?: check_read(n, name, &c, e);
	if (r)
		return r;
	if (!c.up)
		return err_set(e, -ENODATA, "device %s is down", name);
	if ((c.addr4 && !c.address4) || (c.addr6 && !c.address6))
		return err_set(e, -ENODATA, "device %s lacks its IPv%d address", name,
			c.addr4 && !c.address4 ? 4 : 6);
	if ((c.addr4 && !c.route4) || (c.addr6 && !c.route6))
		return err_set(e, -ENODATA, "no IPv%d default route by %s",
			c.addr4 && !c.route4 ? 4 : 6, name);
	return 0;
}

static int on_change(void *data)
{
	struct address_watch *w = data;

	w->fn(w->data);
	return 0;
}

/* What the messages say does not matter: the callback reads everything anew. Lost ones (ENOBUFS)
 * are a change, too. */
static int on_message(int fd, uint32_t events, void *data)
{
	struct address_watch *w = data;
	char junk[8192];
	ssize_t n;

	(void)events;
	do
		n = recv(fd, junk, sizeof(junk), MSG_DONTWAIT);
	while (n >= 0 || errno == EINTR || errno == ENOBUFS);
	loop_defer(w->defer);
	return 0;
}

int device_watch_addresses(
	struct device *d, struct loop *l, void (*fn)(void *), void *data, struct err *e)
{
	SCOPED(netlink_closep) struct netlink *n = NULL;
	int r = netlink_open(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, &n, e);

	if (r)
		return r;
	device_unwatch(d);
	d->watch = mem_alloc(sizeof(*d->watch));
	d->watch->fn = fn;
	d->watch->data = data;
	d->watch->link = TAKE(n);
	d->watch->defer = loop_add_defer(l, on_change, d->watch);
	d->watch->source =
		loop_add_fd(l, netlink_fd(d->watch->link), EPOLLIN, on_message, d->watch);
	return 0;
}

void device_unwatch(struct device *d)
{
	if (!d->watch)
		return;
	loop_source_free(d->watch->source);
	loop_source_free(d->watch->defer);
	netlink_close(d->watch->link);
	free(d->watch);
	d->watch = NULL;
}
