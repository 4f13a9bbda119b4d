/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters at the tc hooks of a device. Called by datapath. Must hold: only the filter with our
 * handle and priority is touched, and clsact only goes when no filter is left in it.
 */
#include "kern/tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kern/handle.h"

enum { FILTER_HANDLE = 0x6b, FILTER_PRIORITY = 0x6b69 };

static uint32_t parent(enum tc_hook hook)
{
	return TC_H_MAKE(TC_H_CLSACT, hook == TC_HOOK_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

static struct tcmsg place(uint32_t ifindex, enum tc_hook hook)
{
	return (struct tcmsg){.tcm_ifindex = (int)ifindex,
		.tcm_handle = FILTER_HANDLE,
		.tcm_parent = parent(hook),
		.tcm_info = TC_H_MAKE((uint32_t)FILTER_PRIORITY << 16, htons(ETH_P_ALL))};
}

static struct tcmsg clsact(uint32_t ifindex)
{
	return (struct tcmsg){.tcm_ifindex = (int)ifindex,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
		.tcm_parent = TC_H_CLSACT};
}

static void on_filter(struct nlmsghdr *h, void *data)
{
	struct tc_filter *f = data;
	struct tcmsg *t = nlmsg_data(h);
	struct nlattr *attr[TCA_MAX + 1], *bpf[TCA_BPF_MAX + 1];

	if (h->nlmsg_type != RTM_NEWTFILTER ||
		nlmsg_parse(h, sizeof(*t), attr, TCA_MAX, NULL) < 0 || !attr[TCA_KIND] ||
		strcmp(nla_get_string(attr[TCA_KIND]), "bpf") || !attr[TCA_OPTIONS])
		return;
	if (t->tcm_parent == parent(TC_HOOK_EGRESS))
		f += TC_HOOK_EGRESS;
	if (nla_parse_nested(bpf, TCA_BPF_MAX, attr[TCA_OPTIONS], NULL) < 0)
		return;
	if (bpf[TCA_BPF_ID])
		f->program = nla_get_u32(bpf[TCA_BPF_ID]);
	if (bpf[TCA_BPF_NAME])
		nla_strlcpy(f->name, bpf[TCA_BPF_NAME], sizeof(f->name));
}

int tc_get(struct device *d, uint32_t ifindex, struct tc_filter ret[TC_HOOKS], struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};

	memset(ret, 0, TC_HOOKS * sizeof(*ret));
	for (unsigned i = 0; i < TC_HOOKS; i++) {
		struct tcmsg t = place(ifindex, i);

		nla_put_string(netlink_add(&b, "get tc filter", RTM_GETTFILTER, 0, &t, sizeof(t)),
			TCA_KIND, "bpf");
		netlink_forgive(&b, ENOENT);
		netlink_forgive(&b, EINVAL); /* no clsact: the parent is not known */
	}
	return netlink_send(d->link, &b, on_filter, ret, e);
}

int tc_attach(struct device *d, uint32_t ifindex, const int program[TC_HOOKS],
	const char *const name[TC_HOOKS], struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct tcmsg t = clsact(ifindex);

	nla_put_string(netlink_add(&b, "clsact qdisc", RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &t,
			       sizeof(t)),
		TCA_KIND, "clsact");
	netlink_forgive(&b, EEXIST);
	for (unsigned i = 0; i < TC_HOOKS; i++) {
		struct tcmsg f = place(ifindex, i);
		struct nl_msg *m =
			netlink_add(&b, "tc filter", RTM_NEWTFILTER, NLM_F_CREATE, &f, sizeof(f));
		struct nlattr *options;

		nla_put_string(m, TCA_KIND, "bpf");
		options = nla_nest_start(m, TCA_OPTIONS);
		nla_put_u32(m, TCA_BPF_FD, (uint32_t)program[i]);
		nla_put_string(m, TCA_BPF_NAME, name[i]);
		nla_put_u32(m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
		nla_nest_end(m, options);
	}
	return netlink_send(d->link, &b, NULL, NULL, e);
}

static void on_any_filter(struct nlmsghdr *h, void *data)
{
	if (h->nlmsg_type == RTM_NEWTFILTER)
		++*(unsigned *)data;
}

static int remove_clsact(struct device *d, uint32_t ifindex, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	struct tcmsg t = clsact(ifindex);
	unsigned others = 0;

	for (unsigned i = 0; i < TC_HOOKS; i++) {
		struct tcmsg all = {.tcm_ifindex = (int)ifindex, .tcm_parent = parent(i)};
		int r = netlink_dump(
			d->link, RTM_GETTFILTER, &all, sizeof(all), on_any_filter, &others, e);

		if (r)
			return r == -EAGAIN ? 0 : r;
	}
	if (others)
		return 0;
	nla_put_string(netlink_add(&b, "remove clsact", RTM_DELQDISC, 0, &t, sizeof(t)), TCA_KIND,
		"clsact");
	netlink_forgive(&b, ENOENT);
	netlink_forgive(&b, EINVAL);
	return netlink_send(d->link, &b, NULL, NULL, e);
}

int tc_detach(struct device *d, uint32_t ifindex, struct err *e)
{
	SCOPED(netlink_batch_done) struct netlink_batch b = {0};
	int r;

	for (unsigned i = 0; i < TC_HOOKS; i++) {
		struct tcmsg t = place(ifindex, i);

		nla_put_string(
			netlink_add(&b, "remove tc filter", RTM_DELTFILTER, 0, &t, sizeof(t)),
			TCA_KIND, "bpf");
		netlink_forgive(&b, ENOENT);
		netlink_forgive(&b, EINVAL);
	}
	r = netlink_send(d->link, &b, NULL, NULL, e);
	return r ?: remove_clsact(d, ifindex, e);
}
