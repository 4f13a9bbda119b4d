/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/datapath on a node of its own: opening and adopting, endpoints, identities, events, counters,
 * attaching and leaving nothing behind. Needs root; what policies and moves do is in revision.c and
 * migrate.c.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/drop.h"
#include "abi/event.h"
#include "abi/map.h"
#include "base/fd.h"
#include "bpf/node.h"
#include "bpf/tap.h"
#include "kern/tc.h"
#include "kern/tcx.h"
#include "loop/loop.h"

static struct node node;
static struct loop *loop;
static struct err e;

static bool ok(int r, const char *what)
{
	if (r)
		tap_note("%d: %s", r, e.text);
	return tap_ok(!r, "%s", what);
}

static int mode_of(const char *folder)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/kilim/%s", node.bpf_root, folder);
	return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static void test_open(void)
{
	struct datapath_options o = node_options(&node);
	struct datapath *second = NULL;
	bool adopted;
	uint32_t revision, epoch;

	if (!ok(node_open(&node, &o, &e), "open on a directory without pins"))
		return;
	tap_ok(!node.adopted, "nothing was adopted");
	datapath_state(node.dp, &revision, &epoch);
	tap_ok(revision == 0, "no policy revision yet");
	tap_ok(mode_of("") == 0700 && mode_of("map") == 0700 && mode_of("prog") == 0700,
		"the folders are root's alone");
	tap_ok(node_has_pin(&node, "map", "flow4") && node_has_pin(&node, "map", "entry") &&
			node_has_pin(&node, "prog", "dispatch_egress") &&
			node_has_pin(&node, "prog", "endpoint_ingress"),
		"maps and programs are pinned");
	tap_ok(!node_has_pin(&node, "map", "previous4") && !node_has_pin(&node, "map", "flow4-new"),
		"nothing of a move is left");
	tap_ok(datapath_open(&o, &second, &adopted, &e) == -EBUSY, "a second agent is kept out");
	tap_ok(datapath_uninstall(node.bpf_root, &e) == -EBUSY,
		"uninstall waits for the agent's end");
	o.bpf_root = "/nonexistent/root";
	tap_ok(datapath_open(&o, &second, &adopted, &e) == -ENOENT &&
			strstr(e.text, "/nonexistent/root"),
		"a missing BPF root is named");
	o.bpf_root = "/proc/self/status";
	tap_ok(datapath_open(&o, &second, &adopted, &e) == -ENOTDIR, "a file is no BPF root");
}

static uint32_t map_id(const char *name)
{
	char path[160];
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	SCOPED(fd_closep)
	int fd = -1;

	snprintf(path, sizeof(path), "%s/kilim/map/%s", node.bpf_root, name);
	fd = bpf_obj_get(path);
	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) ? info.id : 0;
}

static void test_adopt(void)
{
	struct datapath_options o = node_options(&node);
	const struct identity_key key = {
		.prefixlen = 32 + 104, .addr = {.byte = {[10] = 0xff, 0xff, 9}}};
	const struct identity_value value = {.identity = 4711};
	uint32_t before[] = {map_id("flow4"), map_id("identity"), map_id("state"),
		map_id("collector"), map_id("events")};
	uint32_t revision, epoch, now;

	ok(datapath_identity_put(node.dp, &key, &value, &e), "an identity is written");
	datapath_bump_epoch(node.dp);
	datapath_state(node.dp, &revision, &epoch);
	if (!ok(node_open(&node, &o, &e), "open again"))
		return;
	tap_ok(node.adopted, "the data path was adopted");
	tap_ok(before[0] && before[0] == map_id("flow4") && before[1] == map_id("identity") &&
			before[2] == map_id("state") && before[3] == map_id("collector") &&
			before[4] == map_id("events"),
		"the same maps go on");
	datapath_state(node.dp, &revision, &now);
	tap_ok(now == epoch, "and the same epoch");
	ok(datapath_identity_remove(node.dp, &key, &e), "the identity is still there");
	ok(datapath_identity_remove(node.dp, &key, &e), "removing it again is fine");
}

static int count_rows(const struct endpoint_key *k, const struct endpoint *row, void *data)
{
	(void)k;
	*(uint32_t *)data += row->id;
	return 0;
}

static void test_endpoint(void)
{
	struct endpoint_key key = {.id = 77}, other = {.id = 78};
	struct endpoint row = {.addr4 = {.byte = {[10] = 0xff, 0xff, 10, 1, 0, 1}},
				.id = 7,
				.identity = 300,
				.ifindex = 77},
			next = row;
	uint32_t ids = 0;

	ok(datapath_endpoint_put(node.dp, &key, &row, &e), "an endpoint is written");
	next.id = 8;
	tap_ok(datapath_endpoint_put(node.dp, &other, &next, &e) == -EADDRINUSE,
		"another one cannot have its address");
	next.addr4.byte[15] = 2;
	ok(datapath_endpoint_put(node.dp, &other, &next, &e), "but one of its own");
	row.addr4.byte[15] = 3;
	ok(datapath_endpoint_put(node.dp, &key, &row, &e), "an endpoint changes its address");
	next.addr4.byte[15] = 1;
	ok(datapath_endpoint_put(node.dp, &other, &next, &e), "the address that it left is free");
	tap_ok(!datapath_endpoint_each(node.dp, count_rows, &ids) && ids == 15, "both are listed");
	ok(datapath_endpoint_remove(node.dp, &key, &e), "an endpoint is removed");
	ok(datapath_endpoint_remove(node.dp, &key, &e), "removing it again is fine");
	ok(datapath_endpoint_remove(node.dp, &other, &e), "the other, too");
	ids = 0;
	tap_ok(!datapath_endpoint_each(node.dp, count_rows, &ids) && !ids, "none is left");
}

struct seen {
	struct loop *loop;
	unsigned events;
	uint8_t reason;
};

static void on_event(const struct event *ev, void *data)
{
	struct seen *s = data;

	s->events++;
	if (ev->type == EVENT_DROP)
		s->reason = ev->reason;
}

static int stop(void *data)
{
	loop_exit(((struct seen *)data)->loop, 0);
	return 0;
}

/* Read what the ring has. */
static void drain(struct seen *s)
{
	struct loop_source *timer;

	*s = (struct seen){.loop = loop};
	timer = loop_add_timer(s->loop, stop, s);
	loop_timer_in(timer, 50000000);
	if (!datapath_events_start(node.dp, s->loop, on_event, s, &e))
		(void)loop_run(s->loop);
	loop_source_free(timer);
}

static int count_flows(const struct dp_flow *f, void *data)
{
	uint32_t *n = data;

	*n += f->family == 4 && f->protocol == 17 && f->addr[0].byte[12] == 10 &&
	      f->port[0] == 7000 && f->expires_in_ns > 50000000000 &&
	      f->expires_in_ns <= 60100000000;
	return 0;
}

static int map_bytes(const char *name, uint64_t max, uint64_t bytes, void *data)
{
	if (!strcmp(name, "half4"))
		*(bool *)data = max == 1025 && bytes > 1024 * sizeof(struct flow);
	return 0;
}

static void test_traffic(struct workload *a, struct workload *b)
{
	static struct packet_count packets[PACKET_COUNTS];
	uint64_t counter[COUNTER_COUNT], answered, half;
	const uint32_t identity[] = {300};
	struct dp_policy_stats stats;
	uint32_t flows = 0;
	bool memory = false;
	struct seen seen;

	tap_ok(!workload_send(a, b), "without a policy nothing passes");
	drain(&seen);
	tap_ok(seen.events && seen.reason == DROP_EP_NOT_READY, "and the event says why (%u)",
		seen.reason);
	ok(allow_all(&node, identity, 1, 1, &stats, &e), "a policy that allows it");
	tap_ok(workload_send(a, b) && workload_send(a, b), "packets pass");
	datapath_flow_count(node.dp, &answered, &half);
	tap_ok(!answered && half == 1, "one half-open flow");
	tap_ok(workload_send(b, a) && workload_send(a, b), "the answer passes");
	datapath_flow_count(node.dp, &answered, &half);
	tap_ok(answered == 1 && !half, "the flow is answered (%llu, %llu)",
		(unsigned long long)answered, (unsigned long long)half);
	tap_ok(!datapath_flow_each(node.dp, count_flows, &flows) && flows == 1,
		"and is listed with its remaining time");
	tap_ok(!datapath_packet_counts(node.dp, packets, &e) &&
			packets[POLICY_EGRESS].packets >= 4 &&
			packets[DROP_EP_NOT_READY * POLICY_DIRECTIONS + POLICY_EGRESS].packets +
					packets[DROP_EP_NOT_READY * POLICY_DIRECTIONS +
						POLICY_INGRESS]
						.packets >=
				1,
		"packets are counted by outcome");
	tap_ok(!datapath_counters(node.dp, counter, &e) && counter[COUNTER_FLOW_CREATED] == 1 &&
			counter[COUNTER_FLOW_ANSWERED] == 1 && counter[COUNTER_EVENT_DROP] >= 1,
		"so are flows and events");
	tap_ok(!datapath_map_each(node.dp, map_bytes, &memory) && memory, "maps tell their memory");
}

static void test_attach(struct workload *a)
{
	struct tc_filter before[TC_HOOKS], after[TC_HOOKS];

	ok(tc_get(node.device, a->pair.host_ifindex, before, &e), "the device has filters");
	tap_ok(before[0].program && before[1].program && before[0].program != before[1].program,
		"one in each direction");
	ok(datapath_attach(node.dp, a->pair.host_ifindex, &e), "attach again");
	ok(tc_get(node.device, a->pair.host_ifindex, after, &e), "look again");
	tap_ok(!memcmp(before, after, sizeof(before)), "nothing has changed");
	tap_ok(datapath_attach(node.dp, 999999, &e) == -ENODEV,
		"a device that is not there is named: %s", e.text);
}

/* How many programs are at the device's tcx hooks, and the first one's id. */
static int fronts(const struct workload *w, uint32_t *ret_first)
{
	uint32_t id[TCX_MAX];
	int n = 0;

	for (int hook = TC_HOOKS - 1; hook >= 0; hook--) {
		n += tcx_get(w->pair.host_ifindex, (enum tc_hook)hook, id, &e);
		*ret_first = id[0];
	}
	return n;
}

static uint64_t packets_sent(void)
{
	static struct packet_count packets[PACKET_COUNTS];
	uint64_t n = 0;

	if (datapath_packet_counts(node.dp, packets, &e))
		return 0;
	for (int i = 0; i < PACKET_COUNTS; i++)
		n += packets[i].packets;
	return n;
}

static void test_front(struct workload *a, struct workload *b)
{
	struct tc_filter before[TC_HOOKS], after[TC_HOOKS];
	int r = datapath_attach_front(node.dp, a->pair.host_ifindex, &e);
	uint32_t first = 0;
	uint64_t sent;

	if (r == -EOPNOTSUPP) {
		tap_skip(e.text, "programs in front of the filters");
		return;
	}
	tap_ok(r == 1 && workload_send(a, b) && workload_send(b, a),
		"a program in front of one filter");
	tap_ok(datapath_attach_front(node.dp, a->pair.host_ifindex, &e) == 1 &&
			!datapath_attach_front(node.dp, a->pair.host_ifindex, &e) &&
			fronts(a, &first) == 2,
		"then of the other, and that is all");
	sent = packets_sent();
	tap_ok(workload_send(a, b) && packets_sent() == sent + 1, "a packet is judged once");
	ok(tc_get(node.device, a->pair.host_ifindex, before, &e), "the filters");
	ok(datapath_attach(node.dp, a->pair.host_ifindex, &e), "attach again");
	ok(tc_get(node.device, a->pair.host_ifindex, after, &e), "look again");
	tap_ok(!memcmp(before, after, sizeof(before)) && before[0].program == first,
		"are still there");
	tap_ok(datapath_attach_front(node.dp, 999999, &e) == -ENODEV,
		"a device that is not there is named: %s", e.text);
}

/* As when the BPF file system was unmounted: what devices have has nowhere to jump to, and drops.
 */
static void test_lost(struct workload *a, struct workload *b)
{
	struct datapath_options o = node_options(&node);
	const uint32_t identity[] = {300};
	uint32_t before = 0, after = 0;
	struct dp_policy_stats stats;
	int had = fronts(a, &before);

	node_close(&node);
	(void)umount2(node.bpf_root, MNT_DETACH);
	ok(node_open(&node, &o, &e), "a new data path is made where pins were lost");
	ok(workload_join(&node, a, &e) ?: workload_join(&node, b, &e), "workloads join");
	ok(allow_all(&node, identity, 1, 1, &stats, &e), "with a policy that allows it");
	tap_ok(!node.adopted && fronts(a, &after) == had && (!had || after != before),
		"the old programs have given way");
	tap_ok(workload_send(a, b), "packets pass");
}

static void test_restart(struct workload *a, struct workload *b)
{
	struct datapath_options o = node_options(&node);
	uint64_t answered, half;

	node_close(&node);
	tap_ok(workload_send(a, b), "without an agent flows go on");
	ok(node_open(&node, &o, &e), "a new agent adopts");
	tap_ok(workload_send(a, b) && workload_send(b, a), "with it they go on");
	datapath_flow_count(node.dp, &answered, &half);
	tap_ok(answered == 1, "the flow is the same");
	ok(datapath_endpoint_remove(node.dp, &b->key, &e), "an endpoint leaves");
	datapath_flow_count(node.dp, &answered, &half);
	tap_ok(!answered && !half, "its flows leave with it");
	tap_ok(!workload_send(a, b), "nothing reaches it");
}

static void test_uninstall(struct workload *a)
{
	struct tc_filter at[TC_HOOKS];
	uint32_t first;

	node_close(&node);
	ok(datapath_uninstall(node.bpf_root, &e), "uninstall");
	tap_ok(node_pins(&node, "map") == -ENOENT, "no pins are left");
	tap_ok(!tc_get(node.device, a->pair.host_ifindex, at, &e) && !at[0].program &&
			!at[1].program,
		"no filters are left");
	tap_ok(!fronts(a, &first), "nor programs in front of them");
	tap_ok(!rmdir(node.bpf_root) && !mkdir(node.bpf_root, 0700),
		"the file system that was mounted is gone");
	ok(datapath_uninstall(node.bpf_root, &e), "uninstall again");
}

int main(void)
{
	struct workload a, b;

	if (node_enter(&node, &e))
		return tap_skip_all(e.text);
	test_open();
	if (!node.dp) {
		node_leave(&node);
		return tap_done();
	}
	loop = loop_new();
	test_adopt();
	test_endpoint();
	if (ok(workload_make(&node, &a, 1, 300, &e), "first workload") &&
		ok(workload_make(&node, &b, 2, 300, &e), "second workload") &&
		ok(workload_join(&node, &a, &e), "the first joins") &&
		ok(workload_join(&node, &b, &e), "the second joins") && !workload_bind(&a) &&
		!workload_bind(&b)) {
		test_traffic(&a, &b);
		test_attach(&a);
		test_front(&a, &b);
		test_lost(&a, &b);
		test_restart(&a, &b);
		test_uninstall(&a);
		workload_done(&node, &a);
		workload_done(&node, &b);
	}
	node_leave(&node);
	loop_free(loop);
	return tap_done();
}
