/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILIM_KERN_DEVICE_H
#define KILIM_KERN_DEVICE_H
/* Network namespaces, device pairs, addresses and routes by netlink (libnl, raw attributes where it
 * lacks one). */
#include <stdbool.h>
#include <stdint.h>

#include "abi/addr.h"
#include "base/err.h"
#include "base/mem.h"

enum { DEVICE_NAME = 16 }; /* IFNAMSIZ */

enum device_kind { DEVICE_VETH, DEVICE_NETKIT };

struct device_pair {
	enum device_kind kind;
	char host_name[DEVICE_NAME], name[DEVICE_NAME]; /* node's side; the workload's (eth0) */
	uint32_t mtu;
	/* out */
	uint32_t host_ifindex, ifindex;
	uint8_t host_mac[6], mac[6];
};

/* A handle on the node's own network namespace (the one the process is in). */
struct device;
int device_open(struct device **ret, struct err *e) MUST_USE;
void device_close(struct device *d);

/*
 * Create the pair with the workload's end inside the namespace (fd) and up. The node's end is down,
 * so that nothing passes before programs are attached to it. -EEXIST: the name is taken inside;
 * -EBUSY: host_name is taken on the node; -EOPNOTSUPP: no such kind.
 */
int device_pair_create(struct device *d, int netns, struct device_pair *p, struct err *e) MUST_USE;
/*
 * Inside the namespace: addresses (/32, /128, no DAD), lo up, route to the gateways (link scope)
 * and default routes through them. An all-zero address or gateway is left out.
 */
int device_configure_inside(struct device *d, int netns, const char *name, const struct addr *addr4,
	const struct addr *addr6, const struct addr *gateway4, const struct addr *gateway6,
	uint32_t mtu, struct err *e) MUST_USE;
/* On the node: bring the device up; host routes (/32, /128) to the addresses by it and permanent
 * neighbours with the workload's MAC. */
int device_configure_outside(struct device *d, uint32_t host_ifindex, const uint8_t mac[6],
	const struct addr *addr4, const struct addr *addr6, struct err *e) MUST_USE;
/* Whether the namespace has this interface with these addresses and default routes (CNI CHECK);
 * -ENOENT / -ENODATA say what is missing. */
int device_check_inside(struct device *d, int netns, const char *name, const struct addr *addr4,
	const struct addr *addr6, struct err *e) MUST_USE;
int device_remove(struct device *d, uint32_t ifindex,
	struct err *e) MUST_USE; /* missing is fine; the peer goes with it */
/* Several at once, in about the time that one takes. */
int device_remove_all(
	struct device *d, const uint32_t *ifindex, size_t count, struct err *e) MUST_USE;
/* The ifindex of a name on the node; 0: none. */
uint32_t device_index(struct device *d, const char *name);
/* A device named host_name is there and has this MAC: for adoption after a restart. */
bool device_exists(struct device *d, uint32_t ifindex, const char *host_name);
/* The ifindex of every device of the node: free() the array. */
int device_all(struct device *d, uint32_t **ret, size_t *ret_count, struct err *e) MUST_USE;
/* Open a namespace by path (/var/run/netns/x, /proc/PID/ns/net); -ENOENT and -EINVAL (not a network
 * namespace) are told apart. */
int netns_open(const char *path, int *ret_fd, struct err *e) MUST_USE;
/* SO_NETNS_COOKIE-like identity of a namespace: its inode number. */
int netns_inode(int fd, uint64_t *ret) MUST_USE;
/*
 * An unreachable route for a whole pool, so that stray addresses are answered and never leave by
 * the default route. bits counts from the start of the 128, as everywhere.
 */
int device_pool_route(struct device *d, const struct addr *addr, unsigned bits, bool remove,
	struct err *e) MUST_USE;
enum device_gateway {
	DEVICE_GATEWAY_NONE, /* not there */
	DEVICE_GATEWAY_PASSIVE, /* answers, but is no source of what the node sends by itself */
	DEVICE_GATEWAY_SOURCE, /* the node has no other address of the family (IPv6 finds out
				  itself: as PASSIVE) */
};
/* A pool's gateway as an address of the node, on lo; an address that is as it should be is left
 * alone. */
int device_gateway_address(
	struct device *d, const struct addr *addr, enum device_gateway how, struct err *e) MUST_USE;
/* Sysctls of the node's namespace that forwarding needs (ip_forward, ipv6 forwarding). */
int device_forwarding(bool v4, bool v6, struct err *e) MUST_USE;
/* All addresses of the node (v4-mapped), for identity host: free() the array. */
int device_addresses(
	struct device *d, struct addr **ret, size_t *ret_count, struct err *e) MUST_USE;
struct loop;
/* Call fn when addresses of the node change (coalesced). */
int device_watch_addresses(
	struct device *d, struct loop *l, void (*fn)(void *), void *data, struct err *e) MUST_USE;

#endif
