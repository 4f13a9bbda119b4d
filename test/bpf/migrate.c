/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A build with other maps takes over: entries move to the new layout, packets go on meanwhile, and
 * death in the middle loses nothing. Replies pass here by their flow only, so a flow that is lost
 * is a datagram that is lost. Needs root.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/time.h"
#include "bpf/node.h"
#include "bpf/tap.h"
#include "bpf/traffic.h"

/* an emulated machine takes seconds for one */
enum { KILLS = 60, KILLS_EMULATED = 8, NEW_PORT = 50000 };

static struct node node;
static struct err e;

static bool ok(int r, const char *what)
{
	if (r)
		tap_note("%d: %s", r, e.text);
	return tap_ok(!r, "%s", what);
}

/* What an older build may have had: other sizes, another order, a member that is gone, and not all
 * that there are now. */
struct old_flow {
	uint32_t epoch;
	uint16_t state;
	uint16_t gone;
	uint64_t expires;
	uint64_t identity[2];
};

/* BTF of struct flow_key4 and struct old_flow. */
static struct btf *old_layout(int *ret_key, int *ret_value)
{
	struct btf *b = btf__new_empty();
	int u8 = btf__add_int(b, "unsigned char", 1, 0),
	    u16 = btf__add_int(b, "unsigned short", 2, 0);
	int u32 = btf__add_int(b, "unsigned int", 4, 0),
	    u64 = btf__add_int(b, "unsigned long long", 8, 0);
	int addr = btf__add_array(b, u32, u32, 2), port = btf__add_array(b, u32, u16, 2),
	    wide = btf__add_array(b, u32, u64, 2);

	*ret_key = btf__add_struct(b, "flow_key4", 16);
	btf__add_field(b, "addr", addr, 0, 0);
	btf__add_field(b, "port", port, 64, 0);
	btf__add_field(b, "protocol", u8, 96, 0);
	btf__add_field(b, "side", u8, 104, 0);
	btf__add_field(b, "domain", u16, 112, 0);
	*ret_value = btf__add_struct(b, "flow", sizeof(struct old_flow));
	btf__add_field(b, "epoch", u32, 0, 0);
	btf__add_field(b, "state", u16, 32, 0);
	btf__add_field(b, "gone", u16, 48, 0);
	btf__add_field(b, "expires", u64, 64, 0);
	btf__add_field(b, "identity", wide, 128, 0);
	return btf__load_into_kernel(b) ? NULL : b;
}

static int pin_path(const char *name, char path[160])
{
	return snprintf(path, 160, "%s/kilim/map/%s", node.bpf_root, name);
}

/* Put a flow4 of the old layout with count entries in the place of the pinned one. */
static int make_old_flows(uint32_t count)
{
	struct old_flow f = {.epoch = 5,
		.state = FLOW_STATE_ESTABLISHED,
		.gone = 9,
		.expires = UINT64_MAX / 2,
		.identity = {300, 301}};
	int key = 0, value = 0, r;
	struct btf *b = old_layout(&key, &value);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC,
		.btf_fd = (uint32_t)btf__fd(b), .btf_key_type_id = (uint32_t)key,
		.btf_value_type_id = (uint32_t)value);
	SCOPED(fd_closep)
	int fd = bpf_map_create(
		BPF_MAP_TYPE_HASH, "flow4", sizeof(struct flow_key4), sizeof(f), 8192, &opts);
	char path[160];

	if (!b || fd < 0)
		return -errno;
	for (uint32_t i = 0; i < count; i++) {
		struct flow_key4 k = {.addr = {i, i + 1}, .protocol = 17};

		if (bpf_map_update_elem(fd, &k, &f, 0) < 0)
			return -errno;
	}
	btf__free(b);
	pin_path("flow4", path);
	r = unlink(path);
	return r ? -errno : bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

struct seen {
	uint32_t right, wrong;
};

static int check_flow(const struct dp_flow *f, void *data)
{
	const struct flow *v = &f->flow;
	struct seen *s = data;
	bool right = v->epoch == 5 && v->state == FLOW_STATE_ESTABLISHED &&
		     v->expires == UINT64_MAX / 2 && v->identity[0] == 300 &&
		     v->identity[1] == 301 && !v->flags && !v->way[0].packets && !v->rule[0];

	s->right += right;
	s->wrong += !right;
	return 0;
}

static void test_layout(void)
{
	struct datapath_options o = node_options(&node);
	struct seen seen = {0};

	node_close(&node);
	ok(make_old_flows(3000), "flows of another layout");
	if (!ok(node_open(&node, &o, &e), "open over them"))
		return;
	if (datapath_flow_each(node.dp, check_flow, &seen) || seen.right != 3000 || seen.wrong)
		tap_note("%u right, %u wrong", seen.right, seen.wrong);
	tap_ok(seen.right == 3000 && !seen.wrong, "they have moved, member by member");
	tap_ok(!node_has_pin(&node, "map", "previous4") &&
			!node_has_pin(&node, "map", "entry_previous") &&
			!node_has_pin(&node, "map", "flow4-new"),
		"nothing of the move is left");
	node_close(&node);
	ok(make_old_flows(5000), "more of them");
	tap_ok(node_open(&node, &o, &e) == -E2BIG && strstr(e.text, "map flow4 holds 5000 entries"),
		"than there is room for: %s", e.text);
	o.flow_max = 6000;
	seen = (struct seen){0};
	ok(node_open(&node, &o, &e), "open with room for them");
	tap_ok(!datapath_flow_each(node.dp, check_flow, &seen) && seen.right == 5000,
		"they have moved");
}

static void test_no_btf(void)
{
	struct datapath_options o = node_options(&node);
	SCOPED(fd_closep) int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "local", 20, 24, 100, NULL);
	char path[160], aside[176];

	node_close(&node);
	pin_path("local", path);
	snprintf(aside, sizeof(aside), "%s_aside", path);
	tap_ok(fd >= 0 && !rename(path, aside) && !bpf_obj_pin(fd, path),
		"a map that nothing is known about");
	o.flow_max = 6000;
	tap_ok(node_open(&node, &o, &e) == -ENOTSUP && strstr(e.text, "map local"),
		"is refused: %s", e.text);
	tap_ok(!rename(aside, path), "the right one comes back");
	ok(node_open(&node, &o, &e), "and is adopted");
}

/*
 * Open in a child, with maps of other sizes each time, and kill it after so many nanoseconds (0:
 * let it end). Returns how long it lived; 0: it was not killed but ended.
 */
static uint64_t open_in_child(struct traffic *t, uint32_t flow_max, uint64_t kill_ns)
{
	struct datapath_options o = node_options(&node);
	uint64_t start = time_mono_ns();
	int status = 0;
	pid_t child;

	o.flow_max = flow_max;
	o.half_max = flow_max / 4;
	child = fork();
	if (child == 0)
		_exit(node_open(&node, &o, &e) ? 1 : 0);
	while (waitpid(child, &status, WNOHANG) == 0) {
		traffic_exchange(t);
		if (kill_ns && time_mono_ns() - start >= kill_ns)
			kill(child, SIGKILL);
		usleep(400); /* the tables must hold them all */
	}
	if (!kill_ns && status)
		t->lost += 1000;
	return kill_ns && !WIFSIGNALED(status) ? 0 : time_mono_ns() - start;
}

static void test_live(struct workload *a, struct workload *b)
{
	struct traffic t;
	struct datapath_options o = node_options(&node);
	uint64_t answered, half, after, longest = 0;
	unsigned killed = 0, kills = getenv("KILIM_VM") ? KILLS_EMULATED : KILLS;
	bool left = false;

	traffic_begin(&t, a, b);
	ok(traffic_policy(&node, 1, &e), "only one may open");
	traffic_settle(&t);
	for (int i = 0; i < 200; i++)
		traffic_exchange(&t);
	tap_ok(t.exchanges == 200 && !t.lost, "200 exchanges (%u lost)", t.lost);
	tap_ok(!traffic_leaks(&t), "the other may not");
	datapath_flow_count(node.dp, &answered, &half);
	tap_ok(answered >= 201, "%llu flows", (unsigned long long)answered);
	node_close(&node);
	for (uint32_t i = 0; i < 6 && i < kills / 2; i++) {
		uint64_t took = open_in_child(&t, 20000 + i * 1000, 0);

		longest = took > longest ? took : longest;
	}
	tap_ok(!t.lost, "other builds take over under load: %u exchanges, %u lost", t.exchanges,
		t.lost);
	/* the first third of the time passes before anything changes */
	for (uint64_t i = 0; i < kills; i++)
		killed += open_in_child(&t, i & 1 ? 40000 : 38000,
				  longest / 3 + longest * i / (kills * 3 / 2)) > 0;
	tap_ok(!t.lost, "%u of %u more are killed: %u exchanges, %u lost", killed, kills,
		t.exchanges, t.lost);
	tap_ok(killed >= kills / 8, "enough of them before they were through (%llu ms)",
		(unsigned long long)longest / 1000000);
	o.flow_max = 50000;
	ok(node_open(&node, &o, &e), "the last one opens");
	datapath_flow_count(node.dp, &after, &half);
	tap_ok(after >= answered + t.exchanges - 200, "and has all flows: %llu",
		(unsigned long long)after);
	left = node_has_pin(&node, "map", "previous4") || node_has_pin(&node, "map", "flow4-new") ||
	       node_has_pin(&node, "prog", "endpoint_egress-new");
	tap_ok(!left && node_has_pin(&node, "map", "flow4"), "nothing of the moves is left");
	tap_ok(!traffic_leaks(&t), "the other still may not open");
	traffic_end(&t);
}

/* A peer map as another build may have had it, in the place of the pinned one. */
static int make_old_peers(void)
{
	SCOPED(fd_closep)
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "peer", sizeof(struct peer_key), 4, 100, NULL);
	char path[160];

	pin_path("peer", path);
	return fd < 0 || unlink(path) < 0 || bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

/*
 * Policy maps that cannot be taken over: the programs in force go on with theirs until a whole
 * policy is written, and whoever dies in between changes nothing.
 */
static void test_rewrite(struct workload *a, struct workload *b)
{
	struct datapath_options o = node_options(&node);
	struct dp_policy_stats st;
	struct traffic t;
	uint32_t revision, epoch;

	o.flow_max = 50000;
	traffic_begin(&t, a, b);
	t.port = NEW_PORT; /* of no flow so far, so that policy is asked */
	for (int round = 0; round < 2; round++) {
		node_close(&node);
		ok(round ? 0 : make_old_peers(), "policy maps of another layout");
		if (!ok(node_open(&node, &o, &e), "open over them"))
			return;
		for (int i = 0; i < 20; i++)
			traffic_exchange(&t);
		tap_ok(!t.lost && !traffic_leaks(&t), "the old policy holds (%u lost)", t.lost);
	}
	tap_ok(node_has_pin(&node, "prog", "endpoint_egress-new"),
		"by the old programs, also after a process that went without a policy");
	datapath_policy_stats(node.dp, &st);
	datapath_state(node.dp, &revision, &epoch);
	tap_ok(st.slots == 0 && revision == 1, "the new maps are empty");
	tap_ok(datapath_policy_extend(node.dp, NULL, 0, NULL, 0, &e) == -EAGAIN,
		"nothing can be added to what is not there");
	ok(traffic_policy(&node, 2, &e), "a policy is written");
	for (int i = 0; i < 20; i++)
		traffic_exchange(&t);
	datapath_policy_stats(node.dp, &st);
	tap_ok(!t.lost && !traffic_leaks(&t), "it holds (%u lost)", t.lost);
	tap_ok(st.slots == 2 && st.revision == 2 &&
			!node_has_pin(&node, "prog", "endpoint_egress-new") &&
			!node_has_pin(&node, "map", "peer-new"),
		"and this build is in force");
	node_close(&node);
	ok(node_open(&node, &o, &e), "the next process");
	datapath_policy_stats(node.dp, &st);
	tap_ok(st.slots == 2 && st.rule_entries == 2, "adopts it");
	traffic_end(&t);
}

int main(void)
{
	struct datapath_options o;
	struct workload a, b;

	if (node_enter(&node, &e))
		return tap_skip_all(e.text);
	o = node_options(&node);
	if (ok(node_open(&node, &o, &e), "open")) {
		test_layout();
		test_no_btf();
		node_close(&node);
		(void)datapath_uninstall(node.bpf_root, &e);
		o.flow_max = 20000;
		if (ok(node_open(&node, &o, &e), "open afresh") &&
			ok(workload_make(&node, &a, 1, 300, &e), "first workload") &&
			ok(workload_make(&node, &b, 2, 301, &e), "second workload") &&
			ok(workload_join(&node, &a, &e), "the first joins") &&
			ok(workload_join(&node, &b, &e), "the second joins") &&
			!workload_bind(&b)) {
			test_live(&a, &b);
			test_rewrite(&a, &b);
			workload_done(&node, &a);
			workload_done(&node, &b);
		}
	}
	node_leave(&node);
	return tap_done();
}
