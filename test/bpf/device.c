/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/kern on a node of its own: device pairs of both kinds, what is set up on both ends of them,
 * the check of a namespace, hooks, and the node's own addresses. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "bpf/node.h"
#include "bpf/tap.h"
#include "bpf/traffic.h"
#include "kern/netns.h"
#include "kern/tc.h"
#include "loop/loop.h"

static struct node node;
static struct err e;

static const struct addr addr4 = {.byte = {[10] = 0xff, 0xff, 10, 200, 0, 9}},
			 other4 = {.byte = {[10] = 0xff, 0xff, 10, 200, 0, 8}};
static const struct addr addr6 = {.byte = {0xfd, 0, 2, 0, [15] = 9}},
			 pool6 = {.byte = {0xfd, 0, 2}};
static const struct addr pool4 = {.byte = {[10] = 0xff, 0xff, 10, 200}};
static const struct addr none;

static bool ok(int r, const char *what)
{
	if (r)
		tap_note("%d: %s", r, e.text);
	return tap_ok(!r, "%s", what);
}

/* What a file of /proc says in the namespace (-1: the node's own). */
static char *read_in(int netns, const char *path)
{
	SCOPED(fd_closep) int own = -1;
	char *text = NULL;

	if (netns_open_own(&own, NULL) || (netns >= 0 && netns_enter(netns, NULL)))
		return mem_strdup("");
	(void)fd_read_file(path, 1 << 20, &text, NULL, NULL);
	netns_leave(own);
	return text ? text : mem_strdup("");
}

static bool has(int netns, const char *path, const char *what)
{
	SCOPED(freep) char *text = read_in(netns, path);

	return strstr(text, what) != NULL;
}

static void test_names(void)
{
	static const char *const bad[] = {"", "a/b", "..", "has space", "seventeen-letters", "a:b"};
	struct device_pair p = {.host_name = "kt1"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(p.name, 0, sizeof(p.name));
		memcpy(p.name, bad[i], strnlen(bad[i], sizeof(p.name)));
		tap_ok(device_pair_create(node.device, 0, &p, &e) == -EINVAL,
			"no device is named '%s'", bad[i]);
	}
}

static void test_namespace(void)
{
	SCOPED(fd_closep) int fd = -1;
	uint64_t inode = 0;

	tap_ok(netns_open("/nonexistent/ns", &fd, &e) == -ENOENT, "a missing namespace");
	tap_ok(netns_open("/proc/self/ns/mnt", &fd, &e) == -EINVAL, "a namespace of another kind");
	tap_ok(netns_open("/proc/self/status", &fd, &e) == -EINVAL, "a file that is none");
	tap_ok(netns_open("/tmp", &fd, &e) == -EINVAL, "a directory");
	ok(netns_open("/proc/self/ns/net", &fd, &e), "a network namespace");
	tap_ok(!netns_inode(fd, &inode) && inode, "has a number");
}

static void test_pair(int netns)
{
	struct device_pair p = {.host_name = "kt1", .name = "eth0", .mtu = 1400}, again = p,
			   taken = {.host_name = "kt2", .name = "eth0"};

	if (!ok(device_pair_create(node.device, netns, &p, &e), "make a pair"))
		return;
	tap_ok(p.host_ifindex && p.ifindex && (p.mac[0] & 3) == 2 && (p.host_mac[0] & 3) == 2 &&
			memcmp(p.mac, p.host_mac, 6),
		"with addresses of its own");
	tap_ok(device_index(node.device, "kt1") == p.host_ifindex &&
			device_exists(node.device, p.host_ifindex, "kt1") &&
			!device_exists(node.device, p.host_ifindex, "kt2") &&
			!device_index(node.device, "eth0"),
		"it is found by name and number");
	tap_ok(has(netns, "/proc/net/dev", "eth0:") && !has(-1, "/proc/net/dev", "eth0:"),
		"its end is inside");
	tap_ok(device_pair_create(node.device, netns, &again, &e) == -EBUSY,
		"a name that the node has: %s", e.text);
	tap_ok(device_pair_create(node.device, netns, &taken, &e) == -EEXIST,
		"a name that the namespace has: %s", e.text);
	tap_ok(!device_index(node.device, "kt2"), "nothing of it is left");
	tap_ok(device_check_inside(node.device, netns, "eth0", &addr4, &addr6, &e) == -ENODATA,
		"the check misses addresses: %s", e.text);
	tap_ok(device_check_inside(node.device, netns, "eth7", &addr4, &addr6, &e) == -ENOENT,
		"or the device: %s", e.text);
	ok(device_configure_inside(
		   node.device, netns, "eth0", &addr4, &addr6, &other4, &pool6, 1300, &e),
		"set up inside");
	ok(device_configure_inside(
		   node.device, netns, "eth0", &addr4, &addr6, &other4, &pool6, 1300, &e),
		"again");
	ok(device_check_inside(node.device, netns, "eth0", &addr4, &addr6, &e),
		"the check finds all");
	ok(device_check_inside(node.device, netns, "eth0", &addr4, &none, &e),
		"also of one family");
	tap_ok(device_check_inside(node.device, netns, "eth0", &other4, &none, &e) == -ENODATA,
		"another address is not there: %s", e.text);
	tap_ok(has(netns, "/proc/net/if_inet6", "fd00020000000000000000000000000") &&
			!has(netns, "/proc/net/if_inet6", "fe80"),
		"IPv6 makes no address of its own");
	tap_ok(!has(-1, "/proc/net/if_inet6", "fe80"), "on neither end");
	ok(device_configure_outside(node.device, p.host_ifindex, p.mac, &addr4, &addr6, &e),
		"set up on the node");
	ok(device_configure_outside(node.device, p.host_ifindex, p.mac, &addr4, &addr6, &e),
		"again");
	tap_ok(has(-1, "/proc/net/route", "kt1\t0900C80A") &&
			has(-1, "/proc/net/arp", "10.200.0.9"),
		"route and neighbour are there");
	ok(device_remove(node.device, p.host_ifindex, &e), "remove it");
	ok(device_remove(node.device, p.host_ifindex, &e), "again");
	tap_ok(!has(netns, "/proc/net/dev", "eth0:"), "the other end is gone, too");
}

/* Namespaces of some runtimes begin like this. */
static void test_ipv6_off(int netns)
{
	struct device_pair p = {.host_name = "kt3", .name = "eth0"};
	SCOPED(fd_closep) int own = -1;

	if (netns_open_own(&own, NULL) || netns_enter(netns, NULL))
		return;
	(void)fd_write_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", NULL);
	netns_leave(own);
	ok(device_pair_create(node.device, netns, &p, &e), "a pair where IPv6 is off");
	ok(device_configure_inside(
		   node.device, netns, "eth0", &addr4, &addr6, &other4, &pool6, 0, &e),
		"set up inside");
	ok(device_check_inside(node.device, netns, "eth0", &addr4, &addr6, &e),
		"IPv6 is on there now");
	ok(device_remove(node.device, p.host_ifindex, &e), "remove it");
}

static void netkit_traffic(struct workload *a, struct workload *b)
{
	struct datapath_options o = node_options(&node);
	struct traffic t;

	ok(traffic_policy(&node, 1, &e), "only one may open");
	traffic_begin(&t, a, b);
	for (int i = 0; i < 20; i++)
		traffic_exchange(&t);
	tap_ok(t.exchanges == 20 && !t.lost, "20 exchanges (%u lost)", t.lost);
	tap_ok(!traffic_leaks(&t), "the other may not");
	node_close(&node);
	traffic_exchange(&t);
	ok(node_open(&node, &o, &e), "open again");
	ok(datapath_attach(node.dp, a->pair.host_ifindex, &e), "attach again");
	traffic_exchange(&t);
	tap_ok(!t.lost, "flows go on");
	traffic_end(&t);
}

static void test_netkit(void)
{
	struct datapath_options o = node_options(&node);
	struct tc_filter at[TC_HOOKS];
	struct workload a, b;
	int r;

	node.kind = DEVICE_NETKIT;
	r = workload_make(&node, &a, 1, 300, &e);
	if (r == -EOPNOTSUPP) {
		tap_skip("the kernel has none", "netkit");
		return;
	}
	if (!ok(r, "netkit pair") || !ok(workload_make(&node, &b, 2, 301, &e), "another") ||
		!ok(node_open(&node, &o, &e), "open"))
		return;
	tap_ok((a.pair.mac[0] || a.pair.mac[5]) && (a.pair.host_mac[0] || a.pair.host_mac[5]) &&
			memcmp(a.pair.mac, a.pair.host_mac, 6),
		"with addresses of its own");
	if (ok(workload_join(&node, &a, &e), "one joins") &&
		ok(workload_join(&node, &b, &e), "the other joins") && !workload_bind(&b))
		netkit_traffic(&a, &b);
	node_close(&node);
	ok(datapath_uninstall(node.bpf_root, &e), "uninstall");
	tap_ok(!tc_get(node.device, a.pair.host_ifindex, at, &e) && !at[0].program &&
			!at[1].program,
		"no filters are left");
	workload_done(&node, &a);
	workload_done(&node, &b);
}

static void test_pool(void)
{
	ok(device_pool_route(node.device, &pool4, 96 + 16, false, &e), "route of a pool");
	ok(device_pool_route(node.device, &pool4, 96 + 16, false, &e), "again");
	ok(device_pool_route(node.device, &pool6, 64, false, &e), "of the other family");
	tap_ok(has(-1, "/proc/net/route", "0000C80A") &&
			has(-1, "/proc/net/ipv6_route", "fd000200000000000000000000000000 40"),
		"are there");
	ok(device_pool_route(node.device, &pool4, 96 + 16, true, &e), "remove one");
	ok(device_pool_route(node.device, &pool4, 96 + 16, true, &e), "again");
	ok(device_pool_route(node.device, &pool6, 64, true, &e), "and the other");
	tap_ok(!has(-1, "/proc/net/route", "0000C80A"), "they are gone");
	tap_ok(device_pool_route(node.device, &pool4, 16, false, &e) == -EINVAL,
		"a length that is none of IPv4");
	ok(device_forwarding(true, true, &e), "forwarding on");
	tap_ok(has(-1, "/proc/sys/net/ipv4/ip_forward", "1") &&
			has(-1, "/proc/sys/net/ipv6/conf/all/forwarding", "1"),
		"is on");
}

static bool node_has_address(const struct addr *a)
{
	SCOPED(freep) struct addr *all = NULL;
	size_t count = 0;
	bool found = false;

	if (device_addresses(node.device, &all, &count, &e))
		return false;
	for (size_t i = 0; i < count; i++)
		found = found || !memcmp(&all[i], a, sizeof(*a));
	return found;
}

static void on_change(void *data)
{
	loop_exit(data, 1);
}

static int on_timeout(void *data)
{
	loop_exit(data, 2);
	return 0;
}

/* The node's own lo serves as a device that gets an address. */
static void test_addresses(void)
{
	static const struct addr loopback = {.byte = {[10] = 0xff, 0xff, 127, 0, 0, 1}};
	struct loop *l = loop_new();
	struct loop_source *timer = loop_add_timer(l, on_timeout, l);
	SCOPED(fd_closep) int own = -1;
	struct device *d = NULL;

	tap_ok(!node_has_address(&addr4), "the node does not have an address");
	ok(device_open(&d, &e), "a handle");
	ok(device_watch_addresses(d, l, on_change, l, &e), "that watches");
	ok(netns_open_own(&own, &e), "own namespace");
	ok(device_configure_inside(d, own, "lo", &addr4, &addr6, &none, &none, 0, &e),
		"it gets one");
	loop_timer_in(timer, 2000000000);
	tap_ok(loop_run(l) == 1, "the change is told");
	tap_ok(node_has_address(&addr4) && node_has_address(&addr6), "it has it now");
	tap_ok(!node_has_address(&loopback), "loopback ones do not count");
	loop_source_free(timer);
	device_close(d);
	loop_free(l);
}

int main(void)
{
	SCOPED(fd_closep) int netns = -1;

	if (node_enter(&node, &e))
		return tap_skip_all(e.text);
	if (namespace_make(&netns, &e))
		return tap_skip_all(e.text);
	test_names();
	test_namespace();
	test_pair(netns);
	test_ipv6_off(netns);
	test_netkit();
	test_pool();
	test_addresses();
	node_leave(&node);
	return tap_done();
}
