/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateways' addresses on the node's lo. Called by the agent through kern/device.h. Must hold:
 * the kernel chooses such an address as a source only when the node has no other, so that what a
 * node sends to its endpoints, and above all what it answers them, comes from the address they
 * asked.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kern/handle.h"

enum { LO_IFINDEX = 1 };

/* An address as netlink has it, and how it is there now. */
struct gateway {
	uint8_t family, scope;
	const void *bytes;
	int len;
	bool found;
	uint8_t found_scope;
};

static struct gateway gateway_of(const struct addr *a, enum device_gateway how)
{
	struct gateway g = {.family = AF_INET6, .bytes = a, .len = sizeof(*a)};
	static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(a, v4_mapped, sizeof(v4_mapped)))
		return g;
	/* IPv4 never chooses an address of link scope from another device */
	g.scope = how == DEVICE_GATEWAY_SOURCE ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	g.family = AF_INET;
	g.bytes = &a->word[3];
	g.len = 4;
	return g;
}

static void on_address(struct nlmsghdr *h, void *data)
{
	struct gateway *g = data;
	struct nlattr *attr[IFA_MAX + 1], *a;
	struct ifaddrmsg *ifa = nlmsg_data(h);

	if (h->nlmsg_type != RTM_NEWADDR || nlmsg_parse(h, sizeof(*ifa), attr, IFA_MAX, NULL) < 0 ||
		ifa->ifa_index != LO_IFINDEX || ifa->ifa_family != g->family)
		return;
	a = attr[IFA_LOCAL] ? attr[IFA_LOCAL] : attr[IFA_ADDRESS];
	if (!a || nla_len(a) != g->len || memcmp(nla_data(a), g->bytes, (size_t)g->len))
		return;
	g->found = true;
	g->found_scope = ifa->ifa_scope;
}

static int find(struct device *d, struct gateway *g, struct err *e)
{
	struct ifaddrmsg ifa = {.ifa_family = g->family};
	int r;

	do {
		g->found = false;
		r = netlink_dump(d->link, RTM_GETADDR, &ifa, sizeof(ifa), on_address, g, e);
	} while (r == -EAGAIN);
	return r;
}

static struct nl_msg *add_request(
	struct netlink_batch *b, const struct gateway *g, int type, uint8_t scope)
{
	struct ifaddrmsg ifa = {.ifa_family = g->family,
		.ifa_prefixlen = (uint8_t)(g->len * 8),
		.ifa_scope = scope,
		.ifa_index = LO_IFINDEX};
	struct nl_msg *m = netlink_add(b, "address of the gateway", type,
		type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0, &ifa, sizeof(ifa));

	nla_put(m, IFA_LOCAL, g->len, g->bytes);
	nla_put(m, IFA_ADDRESS, g->len, g->bytes);
	return m;
}

static void add_new(struct netlink_batch *b, const struct gateway *g)
{
	/* IPv6 chooses a deprecated address last of all */
	const struct ifa_cacheinfo life = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};
	struct nl_msg *m = add_request(b, g, RTM_NEWADDR, g->scope);

	if (g->family == AF_INET6) {
		nla_put_u32(m, IFA_FLAGS, IFA_F_NODAD);
		nla_put(m, IFA_CACHEINFO, sizeof(life), &life);
	}
	netlink_forgive(b, EEXIST);
}

int device_gateway_address(
	struct device *d, const struct addr *addr, enum device_gateway how, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct gateway g = gateway_of(addr, how);
	bool wanted = how != DEVICE_GATEWAY_NONE, right;
	int r = find(d, &g, e);

	if (r)
		return r;
	right = g.found && (g.family == AF_INET6 || g.found_scope == g.scope);
	if (wanted ? right : !g.found)
		return 0;
	if (g.found) {
		add_request(&b, &g, RTM_DELADDR, g.found_scope);
		netlink_forgive(&b, EADDRNOTAVAIL);
	}
	if (wanted)
		add_new(&b, &g);
	return netlink_send(d->link, &b, NULL, NULL, e);
}
