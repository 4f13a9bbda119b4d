/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpfrun: run times of the data path by BPF_PROG_TEST_RUN, beside an empty program and beside one
 * look-up in the same flow table. Loads the data path as the agent does, below --bpf-root and in
 * the network namespace that it is started in, which has devices --a and --b for two endpoints;
 * fills the maps, goes through the flows, prints one JSON object with a list per row, one value per
 * round. Called by test/perf/bench.
 *
 * Known flows: a driver program writes the next frame over the test packet and jumps on, so that
 * one test run of a million packets goes through all the flows; what driver and jump cost is
 * measured with an empty program behind them and subtracted. First packets: one test run each,
 * cold, as the empty program beside it; the event ring is read in between.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/map.h"
#include "datapath/datapath.h"
#include "peer.skel.h"
#include "test/perf/peer.h"

enum {
	KNOWN_RUNS = 1000000,
	FIRST_RUNS = 3000,
	FILL_BATCH = 8192, /* well below the room for half-open flows */
	IDENTITY_A = 1001,
	IDENTITY_B = 1002,
	PORT_FIRST = 7000, /* destination ports */
	SOURCE_PORTS = 32768,
	RULES_MAX = 1000,
};

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa}, mac_b[6] = {2, 0, 0, 0, 0, 0xb};
static const uint8_t host_a[6] = {2, 0, 0, 0, 1, 0xa}, host_b[6] = {2, 0, 0, 0, 1, 0xb};

struct bench {
	struct datapath *dp;
	struct peer_bpf *peer;
	struct ring_buffer *ring;
	const char *bpf_root;
	unsigned ifindex[2];
	int egress; /* the program that devices hold */
	int empty, driver, lookup;
	unsigned rounds;
	uint32_t revision;
};

static struct addr address(uint8_t last)
{
	struct addr a = {.byte = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = last}};

	return a;
}

/* The frame of flow i from a to b, or back. */
static void frame_build(struct frame *f, uint32_t i, bool back)
{
	struct ethhdr eth = {.h_proto = htons(ETH_P_IP)};
	struct iphdr ip = {.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons(FRAME_BYTES - ETH_HLEN)};
	struct udphdr udp = {.len = htons(FRAME_BYTES - ETH_HLEN - sizeof(ip))};
	uint16_t sport = htons(1024 + i % SOURCE_PORTS),
		 dport = htons(PORT_FIRST + i / SOURCE_PORTS);
	uint32_t a = address(1).word[3], b = address(2).word[3], sum = 0;
	uint16_t word[10];

	memcpy(eth.h_source, back ? mac_b : mac_a, 6);
	memcpy(eth.h_dest, back ? host_b : host_a, 6);
	ip.saddr = back ? b : a;
	ip.daddr = back ? a : b;
	memcpy(word, &ip, sizeof(ip));
	for (int n = 0; n < 10; n++)
		sum += word[n];
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = (uint16_t) ~(sum + (sum >> 16));
	udp.source = back ? dport : sport;
	udp.dest = back ? sport : dport;
	memcpy(f->head, &eth, sizeof(eth));
	memcpy(f->head + sizeof(eth), &ip, sizeof(ip));
	memcpy(f->head + sizeof(eth) + sizeof(ip), &udp, sizeof(udp));
}

/* Nanoseconds per run. */
static double run_packet(int prog, unsigned ifindex, const uint8_t packet[FRAME_BYTES],
	uint32_t repeat, uint32_t *ret_verdict)
{
	uint8_t out[FRAME_BYTES * 2];
	struct __sk_buff ctx = {.ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = FRAME_BYTES,
		.data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		.ctx_size_in = sizeof(ctx), .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(prog, &o))
		err(1, "test run");
	if (ret_verdict)
		*ret_verdict = o.retval;
	return o.duration;
}

static double run(
	int prog, unsigned ifindex, const struct frame *f, uint32_t repeat, uint32_t *ret_verdict)
{
	uint8_t packet[FRAME_BYTES] = {0};

	memcpy(packet, f->head, FRAME_HEAD);
	return run_packet(prog, ifindex, packet, repeat, ret_verdict);
}

static void target_set(struct bench *b, int prog)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(b->peer->maps.target), &zero, &prog, BPF_ANY))
		err(1, "target");
}

/* Load frames of flows first..first + count - 1 in a random order: neighbours in the table are not
 * neighbours in time. */
static void frames_load(struct bench *b, uint32_t first, uint32_t count, bool back)
{
	uint32_t *order = calloc(count, sizeof(*order)), *key = calloc(count, sizeof(*key)),
		 n = count;
	struct frame *frame = calloc(count, sizeof(*frame));
	LIBBPF_OPTS(bpf_map_batch_opts, o);

	if (!order || !key || !frame)
		err(1, "frames");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t j = (uint32_t)random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
		key[i] = i;
	}
	for (uint32_t i = 0; i < count; i++)
		frame_build(&frame[i], first + order[i], back);
	if (bpf_map_update_batch(bpf_map__fd(b->peer->maps.frames), key, frame, &n, &o))
		err(1, "frames");
	b->peer->bss->next = 0;
	b->peer->bss->count = count;
	free(order);
	free(key);
	free(frame);
}

/* Each of the flows once, by the driver. */
static double drive(struct bench *b, int prog, unsigned end, uint32_t repeat)
{
	struct frame first;

	frame_build(&first, 0, false);
	target_set(b, prog);
	return run(b->driver, b->ifindex[end], &first, repeat, NULL);
}

static void flows_answer(struct bench *b, uint32_t count)
{
	uint64_t answered, half;

	for (uint32_t i = 0; i < count; i += FILL_BATCH) {
		uint32_t n = count - i < FILL_BATCH ? count - i : FILL_BATCH;

		for (int back = 0; back < 2; back++) {
			frames_load(b, i, n, back);
			drive(b, b->egress, (unsigned)back, n);
			ring_buffer__consume(b->ring);
		}
	}
	datapath_flow_count(b->dp, &answered, &half);
	if (answered < count - count / 100)
		errx(1, "%llu of %u flows are in the flow table", (unsigned long long)answered,
			count);
}

/* Peers 2000 .. of a class each in slot b: each has one port; a, of the class behind them, has all.
 */
static void policy_write(struct bench *b, unsigned rules)
{
	static struct dp_peer peers[RULES_MAX];
	static struct dp_rule rule[RULES_MAX + 3];
	static struct dp_class class[RULES_MAX + 2];
	static const struct dp_class *classes[RULES_MAX + 2];
	struct dp_slot slot[2] = {{.identity = IDENTITY_A, .class = classes, .classes = rules + 2},
		{.identity = IDENTITY_B,
			.class = classes,
			.classes = rules + 2,
			.base = {[POLICY_INGRESS] = 1},
			.peer = peers,
			.peers = rules}};
	struct dp_policy_stats stats;
	struct err e = {0};

	rule[0] = (struct dp_rule){{.prefixlen = RULE_PREFIX_CLASS},
		{.verdict = POLICY_ALLOW, .shadow = POLICY_ALLOW}};
	rule[1] = (struct dp_rule){{.prefixlen = RULE_PREFIX_CLASS}, {.flags = POLICY_ENFORCED}};
	for (unsigned i = 0; i < rules; i++) {
		peers[i] = (struct dp_peer){i + 1 < rules ? 2000 + i : IDENTITY_A,
			{[POLICY_INGRESS] = i + 2, [POLICY_EGRESS] = 0}};
		rule[i + 2] = (struct dp_rule){
			{.prefixlen = RULE_PREFIX_PROTOCOL, .protocol = IPPROTO_UDP},
			{.verdict = POLICY_ALLOW,
				.shadow = POLICY_ALLOW,
				.flags = POLICY_ENFORCED,
				.match = POLICY_MATCH_L3_PROTO,
				.rule = i + 1}};
	}
	for (unsigned i = 0; i < rules + 2; i++) {
		class[i] = (struct dp_class){&rule[i], 1};
		classes[i] = &class[i];
	}
	/* a's class, the last one, has TCP too */
	rule[rules + 2] = rule[rules + 1];
	rule[rules + 2].key.protocol = IPPROTO_TCP;
	class[rules + 1].rules = 2;
	if (datapath_policy_apply(b->dp, slot, 2, ++b->revision, &stats, &e))
		errx(1, "%s", e.text);
}

static void endpoint_write(struct bench *b, int end)
{
	struct endpoint_key key = {.id = b->ifindex[end], .kind = ENDPOINT_KIND_DEVICE};
	struct endpoint row = {.addr4 = address((uint8_t)(end + 1)),
		.id = (uint32_t)end + 1,
		.identity = end ? IDENTITY_B : IDENTITY_A,
		.flags = ENDPOINT_READY,
		.ifindex = b->ifindex[end]};
	struct err e = {0};

	memcpy(row.mac, end ? mac_b : mac_a, 6);
	memcpy(row.host_mac, end ? host_b : host_a, 6);
	if (datapath_endpoint_put(b->dp, &key, &row, &e))
		errx(1, "%s", e.text);
}

static int on_event(void *ctx, void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return 0;
}

static int pin_get(const struct bench *b, const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/kilim/%s", b->bpf_root, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static int add_bytes(const char *name, uint64_t entries_max, uint64_t bytes, void *data)
{
	(void)name;
	(void)entries_max;
	*(uint64_t *)data += bytes;
	return 0;
}

static void map_memory(struct bench *b, const char *name)
{
	uint64_t bytes = 0;

	if (datapath_map_each(b->dp, add_bytes, &bytes))
		errx(1, "maps cannot be listed");
	printf("\"%s\": [%llu]", name, (unsigned long long)bytes);
}

static void setup(struct bench *b)
{
	struct datapath_options o = {.bpf_root = b->bpf_root,
		.event_ring_bytes = EVENT_RING_BYTES,
		.config = {.gateway4 = address(254),
			.timeout_tcp = 3600000000000,
			.timeout_tcp_syn = 600000000000,
			.timeout_tcp_fin = 10000000000,
			.timeout_any = 600000000000,
			.timeout_frag = 10000000000,
			.sweep_ns = 60000000000,
			.world4 = IDENTITY_WORLD_IPV4,
			.world6 = IDENTITY_WORLD_IPV6,
			.allow_localhost = 1,
			.trace = 1}};
	struct err e = {0};
	bool adopted;

	if (datapath_open(&o, &b->dp, &adopted, &e))
		errx(1, "%s", e.text);
	for (int end = 0; end < 2; end++)
		endpoint_write(b, end);
	policy_write(b, 1);
	b->egress = pin_get(b, "prog/dispatch_egress");
	b->ring = ring_buffer__new(pin_get(b, "map/events"), on_event, NULL, NULL);
	b->peer = peer_bpf__open();
	if (!b->ring || !b->peer ||
		bpf_map__reuse_fd(b->peer->maps.table, pin_get(b, "map/flow4")) ||
		peer_bpf__load(b->peer))
		err(1, "peer programs");
	b->empty = bpf_program__fd(b->peer->progs.empty);
	b->driver = bpf_program__fd(b->peer->progs.driver);
	b->lookup = bpf_program__fd(b->peer->progs.lookup);
}

/* "name": [value, ...] */
static void print_list(const char *name, const double *v, unsigned n, const char *end)
{
	printf("\"%s\": [", name);
	for (unsigned i = 0; i < n; i++)
		printf("%s%.2f", i ? ", " : "", v[i]);
	printf("]%s", end);
}

static void known(struct bench *b, const char *name, uint32_t count)
{
	double ours[64], empty[64], lookup[64];
	char row[64];
	struct frame f;

	frame_build(&f, 0, false);
	flows_answer(b, count);
	frames_load(b, 0, count, false);
	for (unsigned i = 0; i < b->rounds; i++) {
		double alone = run(b->empty, b->ifindex[0], &f, KNOWN_RUNS, NULL);
		double driven = drive(b, b->empty, 0, KNOWN_RUNS) - alone;

		ours[i] = drive(b, b->egress, 0, KNOWN_RUNS) - driven;
		lookup[i] = drive(b, b->lookup, 0, KNOWN_RUNS) - driven;
		empty[i] = alone;
	}
	print_list(name, ours, b->rounds, ",\n");
	snprintf(row, sizeof(row), "%s_empty", name);
	print_list(row, empty, b->rounds, ",\n");
	snprintf(row, sizeof(row), "%s_lookup", name);
	print_list(row, lookup, b->rounds, ",\n");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The packets of a TCP connection with one request and one answer; the one who answers closes. */
static const struct {
	const char *name;
	bool back;
	uint8_t flags;
} connection[] = {
	{"syn", false, 0x02},
	{"syn_ack", true, 0x12},
	{"ack", false, 0x10},
	{"request", false, 0x18},
	{"request_ack", true, 0x10},
	{"answer", true, 0x18},
	{"answer_ack", false, 0x10},
	{"fin", true, 0x11},
	{"fin_ack", false, 0x10},
	{"fin_back", false, 0x11},
	{"last_ack", true, 0x10},
};

enum { CONNECTION = sizeof(connection) / sizeof(connection[0]) };

static void segment_build(uint8_t packet[FRAME_BYTES], uint32_t i, unsigned step)
{
	struct frame f;

	frame_build(&f, i, connection[step].back);
	memset(packet, 0, FRAME_BYTES);
	memcpy(packet, f.head, FRAME_HEAD);
	packet[ETH_HLEN + 9] = IPPROTO_TCP; /* the checksum is nobody's concern here */
	packet[FRAME_HEAD - 4] = 0;
	packet[FRAME_HEAD - 3] = 0;
	packet[ETH_HLEN + 20 + 12] = 5 << 4;
	packet[ETH_HLEN + 20 + 13] = connection[step].flags;
}

/* Medians of one round of connections, packet by packet, and of the empty program. */
static void connection_round(
	struct bench *b, uint32_t *flow, double ret[CONNECTION], double *ret_empty)
{
	static double ours[CONNECTION][FIRST_RUNS], empty[FIRST_RUNS];
	uint8_t packet[FRAME_BYTES];
	uint32_t verdict;

	for (unsigned i = 0; i < FIRST_RUNS; i++, (*flow)++) {
		for (unsigned step = 0; step < CONNECTION; step++) {
			unsigned from = b->ifindex[connection[step].back];

			segment_build(packet, *flow, step);
			ours[step][i] = run_packet(b->egress, from, packet, 1, &verdict);
			if (verdict != 7) /* TC_ACT_REDIRECT */
				errx(1, "%s: verdict %u", connection[step].name, verdict);
		}
		empty[i] = run_packet(b->empty, b->ifindex[0], packet, 1, NULL);
		if (i % 64 == 0)
			ring_buffer__consume(b->ring);
	}
	for (unsigned step = 0; step < CONNECTION; step++) {
		qsort(ours[step], FIRST_RUNS, sizeof(**ours), compare);
		ret[step] = ours[step][FIRST_RUNS / 2];
	}
	qsort(empty, FIRST_RUNS, sizeof(*empty), compare);
	*ret_empty = CONNECTION * empty[FIRST_RUNS / 2];
}

/* bpf_connection: all its packets; bpf_connection_NAME: one of them. */
static void connections(struct bench *b)
{
	double step[64][CONNECTION], all[64] = {0}, empty[64], one[64];
	uint32_t flow = 600000;
	char row[64];

	policy_write(b, 1);
	for (unsigned i = 0; i < b->rounds; i++) {
		connection_round(b, &flow, step[i], &empty[i]);
		for (unsigned n = 0; n < CONNECTION; n++)
			all[i] += step[i][n];
	}
	for (unsigned n = 0; n < CONNECTION; n++) {
		for (unsigned i = 0; i < b->rounds; i++)
			one[i] = step[i][n];
		snprintf(row, sizeof(row), "bpf_connection_%s", connection[n].name);
		print_list(row, one, b->rounds, ",\n");
	}
	print_list("bpf_connection", all, b->rounds, ",\n");
	print_list("bpf_connection_empty", empty, b->rounds, ",\n");
}

/* Medians of one round: flows that were never seen, and the empty program, in turns. */
static void first_round(struct bench *b, uint32_t *flow, double *ret_ours, double *ret_empty)
{
	static double ours[FIRST_RUNS], empty[FIRST_RUNS];
	uint32_t verdict;
	struct frame f;

	for (unsigned i = 0; i < FIRST_RUNS; i++) {
		frame_build(&f, (*flow)++, false);
		ours[i] = run(b->egress, b->ifindex[0], &f, 1, &verdict);
		if (verdict != 7) /* TC_ACT_REDIRECT */
			errx(1, "first packet: verdict %u", verdict);
		empty[i] = run(b->empty, b->ifindex[0], &f, 1, NULL);
		if (i % 64 == 0)
			ring_buffer__consume(b->ring);
	}
	qsort(ours, FIRST_RUNS, sizeof(*ours), compare);
	qsort(empty, FIRST_RUNS, sizeof(*empty), compare);
	*ret_ours = ours[FIRST_RUNS / 2];
	*ret_empty = empty[FIRST_RUNS / 2];
}

static void first(struct bench *b)
{
	double one[64], one_empty[64], many[64], many_empty[64];
	uint32_t flow = 200000; /* behind all that are known */

	for (unsigned i = 0; i < b->rounds; i++) {
		policy_write(b, 1);
		first_round(b, &flow, &one[i], &one_empty[i]);
		policy_write(b, RULES_MAX);
		first_round(b, &flow, &many[i], &many_empty[i]);
	}
	print_list("bpf_first_1", one, b->rounds, ",\n");
	print_list("bpf_first_1_empty", one_empty, b->rounds, ",\n");
	print_list("bpf_first_1000", many, b->rounds, ",\n");
	print_list("bpf_first_1000_empty", many_empty, b->rounds, ",\n");
}

static void pin_core(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "core %d", core);
}

static void parse(int argc, char **argv, struct bench *b)
{
	static const struct option longs[] = {{"bpf-root", 1, 0, 'r'}, {"a", 1, 0, 'a'},
		{"b", 1, 0, 'b'}, {"rounds", 1, 0, 'n'}, {"core", 1, 0, 'c'}, {0, 0, 0, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			b->bpf_root = optarg;
		else if (c == 'a' || c == 'b')
			b->ifindex[c - 'a'] = if_nametoindex(optarg);
		else if (c == 'n')
			b->rounds = (unsigned)atoi(optarg);
		else if (c == 'c')
			pin_core(atoi(optarg));
	}
	if (!b->bpf_root || !b->ifindex[0] || !b->ifindex[1] || !b->rounds || b->rounds > 64)
		errx(2, "usage: bpfrun --bpf-root DIR --a DEVICE --b DEVICE [--rounds 1..64] "
			"[--core N]");
}

int main(int argc, char **argv)
{
	struct bench b = {.rounds = 9};

	parse(argc, argv, &b);
	srandom(1);
	setup(&b);
	printf("{\n");
	map_memory(&b, "map_memory_idle");
	printf(",\n");
	known(&b, "bpf_known_10", 10);
	known(&b, "bpf_known_10k", 10000);
	known(&b, "bpf_known_100k", 100000);
	first(&b);
	connections(&b);
	map_memory(&b, "map_memory_100k");
	printf("\n}\n");
	return 0;
}
