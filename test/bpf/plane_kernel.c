/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object in the kernel as a data path under test: loaded unpinned, run by BPF_PROG_TEST_RUN.
 * The process moves into a network namespace of its own first, where the devices are made that
 * packets come from. Must hold: nothing of it outlives the process.
 */
#include "bpf/plane.h"

#include <errno.h>
#include <linux/if_link.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi/flow.h"
#include "abi/map.h"
#include "base/mem.h"
#include "bpf/plane_ops.h"
#include "kilim.skel.h"

enum { SMALL_MAX = 4096, RING_MAX = 1 << 18, CPUS_MAX = 256, KEY_ROOM = 64, VALUE_ROOM = 256 };

struct kernel {
	struct plane plane;
	struct kilim_bpf *skel;
	struct ring_buffer *ring;
	struct event *event; /* read from the ring and not taken yet */
	size_t events, events_taken, events_room;
	int cpus;
};

static struct kernel *kernel_of(struct plane *p)
{
	return (struct kernel *)p;
}

static int map_fd(struct plane *p, const char *map)
{
	return bpf_object__find_map_fd_by_name(kernel_of(p)->skel->obj, map);
}

static int update(struct plane *p, const char *map, const void *key, const void *value)
{
	return bpf_map_update_elem(map_fd(p, map), key, value, BPF_ANY);
}

static int delete (struct plane *p, const char *map, const void *key)
{
	return bpf_map_delete_elem(map_fd(p, map), key);
}

static int lookup(struct plane *p, const char *map, const void *key, void *ret_value)
{
	return bpf_map_lookup_elem(map_fd(p, map), key, ret_value);
}

static int each(struct plane *p, const char *map, plane_fn fn, void *data)
{
	uint8_t key[KEY_ROOM], next[KEY_ROOM], value[VALUE_ROOM] __attribute__((aligned(8)));
	int fd = map_fd(p, map);
	bool more = !bpf_map_get_next_key(fd, NULL, key);

	while (more) {
		int r;

		more = !bpf_map_get_next_key(fd, key, next);
		if (!bpf_map_lookup_elem(fd, key, value)) {
			r = fn(key, value, data);
			if (r)
				return r;
		}
		memcpy(key, next, sizeof(key));
	}
	return 0;
}

static int run(struct plane *p, struct plane_packet *packet)
{
	struct kilim_bpf *s = kernel_of(p)->skel;
	struct __sk_buff ctx = {
		.ifindex = packet->ifindex,
		.ingress_ifindex = packet->ingress_ifindex,
	};
	uint8_t out[PLANE_ROOM];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet->bytes,
		.data_size_in = (uint32_t)packet->len, .data_out = out,
		.data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	int r;

	if (packet->vlan || packet->slow)
		return -ENOTSUP;
	r = bpf_prog_test_run_opts(
		bpf_program__fd(packet->hook == PLANE_EGRESS ? s->progs.endpoint_egress
							     : s->progs.endpoint_ingress),
		&o);
	if (r == -EINVAL) /* newer kernels take no frame that ends inside its IP header */
		return -ENOTSUP;
	if (r < 0)
		return r;
	packet->len = o.data_size_out;
	memcpy(packet->bytes, out, packet->len);
	packet->action = (int)o.retval;
	packet->redirect = 0;
	return 0;
}

static int ring_record(void *data, void *record, size_t size)
{
	struct kernel *k = data;

	if (size != sizeof(struct event))
		abort();
	mem_grow(&k->event, &k->events_room, k->events + 1, sizeof(*k->event));
	memcpy(&k->event[k->events++], record, size);
	return 0;
}

static bool event(struct plane *p, struct event *ret)
{
	struct kernel *k = kernel_of(p);

	if (k->events_taken == k->events) {
		k->events = 0;
		k->events_taken = 0;
		ring_buffer__consume(k->ring);
	}
	if (k->events_taken == k->events)
		return false;
	*ret = k->event[k->events_taken++];
	return true;
}

static struct packet_count packets(struct plane *p, uint32_t key)
{
	struct packet_count cpu[CPUS_MAX], sum = {0};
	struct kernel *k = kernel_of(p);

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.packet_count), &key, cpu))
		abort();
	for (int i = 0; i < k->cpus; i++) {
		sum.packets += cpu[i].packets;
		sum.bytes += cpu[i].bytes;
	}
	return sum;
}

static uint64_t counter(struct plane *p, enum counter which)
{
	struct kernel *k = kernel_of(p);
	uint64_t cpu[CPUS_MAX], sum = 0;
	uint32_t key = which;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.counter), &key, cpu))
		abort();
	for (int i = 0; i < k->cpus; i++)
		sum += cpu[i];
	return sum;
}

static void zero(struct plane *p)
{
	struct kilim_bpf *s = kernel_of(p)->skel;
	struct packet_count none[CPUS_MAX] = {0};

	for (uint32_t i = 0; i < PACKET_COUNTS; i++)
		bpf_map_update_elem(bpf_map__fd(s->maps.packet_count), &i, none, BPF_ANY);
	for (uint32_t i = 0; i < COUNTER_COUNT; i++)
		bpf_map_update_elem(bpf_map__fd(s->maps.counter), &i, none, BPF_ANY);
}

static void kernel_close(struct plane *p)
{
	struct kernel *k = kernel_of(p);

	ring_buffer__free(k->ring);
	kilim_bpf__destroy(k->skel);
	free(k->event);
	free(k);
}

static const struct plane_ops kernel_ops = {
	.name = "kernel",
	.close = kernel_close,
	.update = update,
	.delete = delete,
	.lookup = lookup,
	.each = each,
	.run = run,
	.event = event,
	.packets = packets,
	.counter = counter,
	.zero = zero,
};

/* A veth pair; its first end has the number. */
static int device_make(struct nl_sock *nl, uint32_t ifindex, struct err *e)
{
	struct rtnl_link *link = rtnl_link_veth_alloc();
	struct rtnl_link *peer = rtnl_link_veth_get_peer(link); /* a reference of our own */
	char name[32];
	int r;

	snprintf(name, sizeof(name), "test%u", ifindex);
	rtnl_link_set_name(link, name);
	rtnl_link_set_ifindex(link, (int)ifindex);
	snprintf(name, sizeof(name), "peer%u", ifindex);
	rtnl_link_set_name(peer, name);
	rtnl_link_set_ifindex(peer, (int)ifindex + 1000);
	r = rtnl_link_add(nl, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(peer);
	rtnl_link_veth_release(link);
	return r < 0 ? err_set(e, -EIO, "veth with ifindex %u: %s", ifindex, nl_geterror(r)) : 0;
}

static int devices_make(const struct plane_options *o, struct err *e)
{
	struct nl_sock *nl;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return err_set(e, -errno, "a network namespace: %s", strerror(errno));
	nl = nl_socket_alloc();
	if (!nl || nl_connect(nl, NETLINK_ROUTE) < 0) {
		nl_socket_free(nl);
		return err_set(e, -EIO, "no netlink socket");
	}
	r = 0;
	for (size_t i = 0; i < o->ifindexes && !r; i++)
		r = device_make(nl, o->ifindex[i], e);
	nl_socket_free(nl);
	return r;
}

/* Maps no larger than tests need: walking them is what takes the time. */
static void sizes_set(struct kilim_bpf *s, const struct plane_options *o)
{
	uint32_t flows = o->flow_max ? o->flow_max : SMALL_MAX;

	bpf_map__set_max_entries(s->maps.flow4, flows);
	bpf_map__set_max_entries(s->maps.flow6, flows);
	bpf_map__set_max_entries(s->maps.half4, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.half6, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.frag, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.slot, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.peer, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.rule, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.identity, SMALL_MAX);
	bpf_map__set_max_entries(s->maps.rule_hit, PLANE_RULES);
	bpf_map__set_max_entries(
		s->maps.events, o->event_ring_bytes ? o->event_ring_bytes : RING_MAX);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int plane_open_kernel(const struct plane_options *o, struct plane **ret, struct err *e)
{
	struct kernel *k;
	int r;

	if (geteuid() != 0)
		return err_set(e, -EPERM, "needs root");
	r = devices_make(o, e);
	if (r < 0)
		return r;
	libbpf_set_print(quiet);
	k = mem_alloc(sizeof(*k));
	k->plane.ops = &kernel_ops;
	k->cpus = libbpf_num_possible_cpus();
	k->skel = kilim_bpf__open();
	if (!k->skel || k->cpus > CPUS_MAX) {
		kernel_close(&k->plane);
		return err_set(e, -EINVAL, "the object cannot be opened");
	}
	k->skel->rodata->config = o->config;
	sizes_set(k->skel, o);
	r = kilim_bpf__load(k->skel);
	if (!r)
		k->ring = ring_buffer__new(bpf_map__fd(k->skel->maps.events), ring_record, k, NULL);
	if (r || !k->ring) {
		kernel_close(&k->plane);
		return err_set(e, -EINVAL, "the object does not load: %s", strerror(-r));
	}
	*ret = &k->plane;
	return 0;
}
