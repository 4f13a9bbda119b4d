/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes and workloads for tests. Called by the tests of datapath and kern. Must hold: the machine's
 * own network and its BPF file system are never touched.
 */
#include "bpf/node.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "kern/netns.h"

enum { PORT = 7000, WAIT_MS = 200 };

static const struct addr gateway4 = {.byte = {[10] = 0xff, 0xff, 10, 200, 0, 254}};
static const struct addr gateway6 = {.byte = {0xfd, 0, 2, 0, [15] = 0xfe}};

int node_enter(struct node *n, struct err *e)
{
	*n = (struct node){.bpf_root = "/tmp/kilim-datapath-XXXXXX"};
	if (geteuid())
		return err_set(e, -EPERM, "needs root");
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, -errno, "namespaces: %s", strerror(errno));
	if (!mkdtemp(n->bpf_root))
		return err_set(e, -errno, "%s: %s", n->bpf_root, strerror(errno));
	return device_open(&n->device, e);
}

void node_leave(struct node *n)
{
	node_close(n);
	device_close(n->device);
	(void)umount2(n->bpf_root, MNT_DETACH);
	(void)rmdir(n->bpf_root);
}

struct datapath_options node_options(const struct node *n)
{
	return (struct datapath_options){
		.bpf_root = n->bpf_root,
		.config =
			{
				.gateway4 = gateway4,
				.gateway6 = gateway6,
				.timeout_tcp = 600000000000,
				.timeout_tcp_syn = 60000000000,
				.timeout_tcp_fin = 10000000000,
				.timeout_any = 60000000000,
				.timeout_frag = 1000000000,
				.sweep_ns = 1000000000,
				.world4 = IDENTITY_WORLD_IPV4,
				.world6 = IDENTITY_WORLD_IPV6,
				.allow_localhost = 1,
				.trace = 1,
			},
		.flow_max = 4096,
		.half_max = 1024,
		.rule_max = 1000,
		.peer_max = 2000,
		.identity_max = 1000,
		.rule_hit_max = 1000,
		.event_ring_bytes = 1 << 16,
	};
}

int node_open(struct node *n, const struct datapath_options *o, struct err *e)
{
	node_close(n);
	return datapath_open(o, &n->dp, &n->adopted, e);
}

void node_close(struct node *n)
{
	datapath_close(n->dp);
	n->dp = NULL;
}

int node_pins(const struct node *n, const char *folder)
{
	char path[128];
	DIR *dir;
	int count = 0;

	snprintf(path, sizeof(path), "%s/kilim/%s", n->bpf_root, folder);
	dir = opendir(path);
	if (!dir)
		return -errno;
	for (struct dirent *x = readdir(dir); x; x = readdir(dir))
		count += x->d_name[0] != '.';
	closedir(dir);
	return count;
}

bool node_has_pin(const struct node *n, const char *folder, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/kilim/%s/%s", n->bpf_root, folder, name);
	return !access(path, F_OK);
}

int namespace_make(int *ret_fd, struct err *e)
{
	SCOPED(fd_closep)
	int own = -1;
	int r = netns_open_own(&own, e);

	if (r)
		return r;
	if (unshare(CLONE_NEWNET) < 0)
		return err_set(e, -errno, "unshare: %s", strerror(errno));
	r = netns_open_own(ret_fd, e);
	netns_leave(own);
	return r;
}

int workload_make(
	struct node *n, struct workload *w, unsigned number, uint32_t identity, struct err *e)
{
	struct endpoint *row = &w->row;
	int r;

	*w = (struct workload){
		.netns = -1, .udp = -1, .pair = {.kind = n->kind, .name = "eth0", .mtu = 1500}};
	snprintf(w->pair.host_name, sizeof(w->pair.host_name), "kt%u", number);
	r = namespace_make(&w->netns, e);
	r = r ? r : device_pair_create(n->device, w->netns, &w->pair, e);
	if (r)
		return r;
	*row = (struct endpoint){.id = number,
		.identity = identity,
		.flags = ENDPOINT_READY,
		.ifindex = w->pair.host_ifindex};
	row->addr4 = (struct addr){.byte = {[10] = 0xff, 0xff, 10, 200, 0, (uint8_t)number}};
	row->addr6 = (struct addr){.byte = {0xfd, 0, 2, 0, [15] = (uint8_t)number}};
	memcpy(row->mac, w->pair.mac, 6);
	memcpy(row->host_mac, w->pair.host_mac, 6);
	w->key = (struct endpoint_key){.id = w->pair.host_ifindex, .kind = ENDPOINT_KIND_DEVICE};
	r = device_configure_inside(n->device, w->netns, w->pair.name, &row->addr4, &row->addr6,
		&gateway4, &gateway6, 1500, e);
	return r ? r
		 : device_configure_outside(n->device, w->pair.host_ifindex, w->pair.mac,
			   &row->addr4, &row->addr6, e);
}

int workload_join(struct node *n, struct workload *w, struct err *e)
{
	int r = datapath_attach(n->dp, w->pair.host_ifindex, e);

	r = r ? r : datapath_endpoint_put(n->dp, &w->key, &w->row, e);
	datapath_bump_epoch(n->dp);
	return r;
}

int workload_socket(const struct workload *w, uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	SCOPED(fd_closep) int own = -1, fd = -1;
	int r = netns_open_own(&own, NULL);

	r = r ? r : netns_enter(w->netns, NULL);
	if (r)
		return r;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		r = -errno;
	netns_leave(own);
	return r ? r : TAKE_FD(fd);
}

int workload_bind(struct workload *w)
{
	w->udp = workload_socket(w, PORT);
	return w->udp < 0 ? w->udp : 0;
}

bool socket_send(int from, const struct workload *to, uint16_t port, int to_fd)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct pollfd p = {.fd = to_fd, .events = POLLIN};
	static uint32_t serial;
	uint32_t got = 0;

	memcpy(&sa.sin_addr, &to->row.addr4.word[3], 4);
	serial++;
	if (sendto(from, &serial, sizeof(serial), 0, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return false;
	while (got != serial) {
		if (poll(&p, 1, WAIT_MS) != 1 ||
			recv(to_fd, &got, sizeof(got), MSG_DONTWAIT) != sizeof(got))
			return false;
	}
	return true;
}

bool workload_send(const struct workload *from, const struct workload *to)
{
	return socket_send(from->udp, to, PORT, to->udp);
}

void workload_done(struct node *n, struct workload *w)
{
	(void)device_remove(n->device, w->pair.host_ifindex, NULL);
	fd_closep(&w->udp);
	fd_closep(&w->netns);
	w->udp = w->netns = -1;
}

int allow_all(struct node *n, const uint32_t *identity, size_t count, uint32_t revision,
	struct dp_policy_stats *ret, struct err *e)
{
	SCOPED(freep)
	struct dp_slot *slot = mem_array(count + 1, sizeof(*slot));
	const struct dp_rule rule = {
		.key = {.prefixlen = RULE_PREFIX_CLASS},
		.decision = {.verdict = POLICY_ALLOW,
			.match = POLICY_MATCH_ALL,
			.shadow = POLICY_ALLOW},
	};
	const struct dp_class all = {&rule, 1}, *class = &all;

	for (size_t i = 0; i < count; i++)
		slot[i] = (struct dp_slot){.identity = identity[i], .class = &class, .classes = 1};
	return datapath_policy_apply(n->dp, slot, count, revision, ret, e);
}
