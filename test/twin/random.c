/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel and twin are equal: random packets over random map states go through both, and verdict,
 * packet out, events, counters and flow tables must not differ. Needs root. Must hold: a failure
 * names the seed that repeats it; such seeds are kept in seeds.txt and run first.
 *
 * random [--seeds FILE] [--packets N] [--seed N [--verbose]]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/flow.h"
#include "base/mem.h"
#include "base/str.h"
#include "bpf/flow.h"
#include "bpf/plane.h"
#include "bpf/tap.h"
#include "bpf/world.h"
#include "twin/generate.h"

enum { BATCH = 64, PACKETS = 100000, KERNEL = 0, TWIN = 1, EVENTS_MAX = 4 };

static struct plane *plane[2];
static bool verbose;

/* Of all packets, what became of them: a generator whose packets are all dropped tests nothing. */
static struct {
	unsigned long packets, passed, redirected, dropped, refused;
	unsigned long reason[DROP_MAX], counter[COUNTER_COUNT];
} seen;

/* --- changes between packets, the same on both sides --- */

struct row_change {
	struct generator *g;
	uint32_t one_in;
	uint32_t kind;
	uint32_t value;
};

/* From a number, so that both sides get the same. */
static void row_apply(struct flow *f, uint32_t kind, uint32_t value)
{
	static const uint8_t reason[] = {DROP_POLICY_DENIED, DROP_POLICY_DENY, DROP_EP_NOT_READY,
		DROP_INVALID_IDENTITY, DROP_NONE};

	switch (kind) {
	case 0:
		f->expires = value & 1;
		break;
	case 1:
		f->epoch = WORLD_EPOCH + value % 3;
		break;
	case 2:
		f->way[value & 1].from = who_ifindex((enum who)(value >> 1 & 3));
		break;
	case 3:
		f->state = (uint8_t)(value % FLOW_STATE_COUNT);
		break;
	case 4:
		f->flags ^= FLOW_DENIED;
		f->reason = reason[value % sizeof(reason)];
		f->direction = value >> 4 & 1;
		break;
	case 5:
		f->flags ^= (uint8_t)(1u << value % 5);
		break;
	case 6:
		f->way[value & 1].action = (uint8_t)(value >> 1 & 3);
		break;
	default:
		f->way[value & 1].to = who_ifindex((enum who)(value >> 1 & 7));
	}
}

static const char *table_of(uint8_t half)
{
	return (const char *const[]){"flow4", "flow6", "half4", "half6"}[half];
}

/* Some entries become stale, denied, somebody else's. */
static void change_rows(struct generator *g, uint32_t one_in)
{
	struct flow_rows rows = {0};

	flow_rows_read(plane[TWIN], &rows);
	for (size_t i = 0; i < rows.count; i++) {
		uint32_t kind = generate_below(g, 8), value = generate_below(g, 1 << 16);

		if (!generate_once_in(g, one_in))
			continue;
		for (int side = 0; side < 2; side++) {
			struct flow f;

			if (plane_lookup(
				    plane[side], table_of(rows.row[i].half), rows.row[i].key, &f))
				continue;
			row_apply(&f, kind, value);
			plane_update(plane[side], table_of(rows.row[i].half), rows.row[i].key, &f);
		}
	}
	flow_rows_done(&rows);
}

static void change_world(struct generator *g)
{
	enum who who = (enum who)(A + generate_below(g, TENANT2));
	static const uint8_t kind[] = {0, 0, 0, 0, 2, 2, 3, 4, 5, 6, 6, 6, 6, 7};
	uint32_t what = kind[generate_below(g, sizeof(kind))], flags = generate_below(g, 2);
	struct world_rule rules[WORLD_RULES];

	if (what == 2)
		generate_rules(g, rules);
	for (int side = 0; side < 2; side++) {
		struct plane *p = plane[side];

		switch (what) {
		case 0:
			world_bump(p);
			break;
		case 2:
			world_policy(p, rules);
			break;
		case 3:
			world_endpoint(p, who, flags);
			break;
		case 4:
			world_endpoint_remove(p, who);
			break;
		case 5:
			world_local_remove(p, who);
			break;
		case 6:
			world_local(p, who);
			world_endpoint(p, who, ENDPOINT_READY);
			break;
		default:
			if (flags)
				change_expire(p);
		}
	}
}

/* --- comparison --- */

static void note_packet(const struct plane_packet *p)
{
	SCOPED(str_done)
	struct str hex = {0};

	for (size_t i = 0; i < p->len; i++)
		str_printf(&hex, "%02x", p->bytes[i]);
	tap_note("hook %d ifindex %u ingress %u action %d: %s", p->hook, p->ifindex,
		p->ingress_ifindex, p->action, str_text(&hex));
}

static size_t events_take(struct plane *p, struct event *ret)
{
	size_t count = 0;

	while (count < EVENTS_MAX && plane_event(p, &ret[count])) {
		ret[count].time_ns = 0;
		ret[count].cpu = 0;
		count++;
	}
	return count;
}

static bool same_events(void)
{
	struct event ev[2][EVENTS_MAX] = {0};
	size_t count[2] = {
		events_take(plane[KERNEL], ev[KERNEL]), events_take(plane[TWIN], ev[TWIN])};

	if (count[KERNEL] == count[TWIN] &&
		!memcmp(ev[KERNEL], ev[TWIN], count[TWIN] * sizeof(struct event)))
		return true;
	tap_note("%zu events by the kernel, %zu by the twin", count[KERNEL], count[TWIN]);
	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < count[side]; i++)
			tap_note("%s: type %u reason %u flags %02x line %08x state %u rules %u %u",
				plane_name(plane[side]), ev[side][i].type, ev[side][i].reason,
				ev[side][i].flags, ev[side][i].file_line, ev[side][i].state,
				ev[side][i].decision[0].rule, ev[side][i].decision[1].rule);
	}
	return false;
}

/* One packet on both sides; false when they differ. */
static bool packet_run(struct generator *g)
{
	struct plane_packet packet[2], in;

	generate_packet(g, &in);
	packet[KERNEL] = in;
	packet[TWIN] = in;
	if (plane_run(plane[KERNEL], &packet[KERNEL]) < 0) {
		seen.refused++;
		return true;
	}
	plane_run(plane[TWIN], &packet[TWIN]);
	seen.packets++;
	seen.passed += packet[TWIN].action == PLANE_PASS;
	seen.redirected += packet[TWIN].action == PLANE_REDIRECT;
	seen.dropped += packet[TWIN].action == PLANE_DROP;
	if (packet[KERNEL].action == packet[TWIN].action &&
		packet[KERNEL].len == packet[TWIN].len &&
		!memcmp(packet[KERNEL].bytes, packet[TWIN].bytes, packet[TWIN].len))
		return same_events();
	note_packet(&in);
	note_packet(&packet[KERNEL]);
	note_packet(&packet[TWIN]);
	return false;
}

static bool same_flows(void)
{
	struct flow_rows rows[2] = {0};
	bool same;

	flow_rows_read(plane[KERNEL], &rows[KERNEL]);
	flow_rows_read(plane[TWIN], &rows[TWIN]);
	same = rows[KERNEL].count == rows[TWIN].count;
	if (!same)
		tap_note("%zu flows in the kernel, %zu in the twin", rows[KERNEL].count,
			rows[TWIN].count);
	for (size_t i = 0; same && i < rows[TWIN].count; i++) {
		if (!memcmp(&rows[KERNEL].row[i], &rows[TWIN].row[i], sizeof(struct flow_row)))
			continue;
		same = false;
		tap_note("kernel: %s", flow_text(&rows[KERNEL].row[i].flow));
		tap_note("twin:   %s", flow_text(&rows[TWIN].row[i].flow));
	}
	flow_rows_done(&rows[KERNEL]);
	flow_rows_done(&rows[TWIN]);
	return same;
}

static int frag_check(const void *key, const void *value, void *data)
{
	const struct frag *mine = value;
	size_t *count = data;
	struct frag other;

	(*count)++;
	if (plane_lookup(plane[TWIN], "frag", key, &other))
		return -1;
	other.expires = mine->expires;
	return memcmp(mine, &other, sizeof(other)) ? -1 : 0;
}

static int frag_count(const void *key, const void *value, void *data)
{
	(void)key;
	(void)value;
	++*(size_t *)data;
	return 0;
}

static bool same_fragments(void)
{
	size_t kernel = 0, twin = 0;

	if (plane_each(plane[KERNEL], "frag", frag_check, &kernel) < 0) {
		tap_note("fragments differ");
		return false;
	}
	plane_each(plane[TWIN], "frag", frag_count, &twin);
	if (kernel != twin)
		tap_note("%zu fragments in the kernel, %zu in the twin", kernel, twin);
	return kernel == twin;
}

static bool same_counters(void)
{
	for (uint32_t reason = 0; reason < DROP_MAX; reason++) {
		for (uint32_t d = 0; d < POLICY_DIRECTIONS; d++) {
			struct packet_count k = plane_packets(plane[KERNEL], reason, d);
			struct packet_count t = plane_packets(plane[TWIN], reason, d);

			seen.reason[reason] += t.packets;
			if (k.packets == t.packets && k.bytes == t.bytes)
				continue;
			tap_note("reason %u direction %u: %llu packets in the kernel, %llu in the "
				 "twin",
				reason, d, (unsigned long long)k.packets,
				(unsigned long long)t.packets);
			return false;
		}
	}
	for (uint32_t id = 0; id < PLANE_RULES; id++) {
		struct rule_hit hit[2] = {0};

		for (int side = 0; side < 2; side++)
			plane_lookup(plane[side], "rule_hit", &id, &hit[side]);
		if (!memcmp(&hit[KERNEL], &hit[TWIN], sizeof(hit[TWIN])))
			continue;
		tap_note("hits of rule %u differ", id);
		return false;
	}
	for (enum counter c = 0; c < COUNTER_COUNT; c++) {
		seen.counter[c] += plane_counter(plane[TWIN], c);
		if (plane_counter(plane[KERNEL], c) != plane_counter(plane[TWIN], c)) {
			tap_note("counter %u differs", c);
			return false;
		}
	}
	return true;
}

/* One map state and its packets; false when the two differ. */
static bool batch_run(uint64_t seed)
{
	struct world_rule rules[WORLD_RULES];
	struct generator g;

	generate_init(&g, seed);
	generate_rules(&g, rules);
	for (int side = 0; side < 2; side++) {
		plane_clear(plane[side]);
		world_write(plane[side], rules);
	}
	for (int i = 0; i < BATCH; i++) {
		bool same;

		if (generate_once_in(&g, 14))
			change_world(&g);
		if (generate_once_in(&g, 20))
			change_rows(&g, 1 + generate_below(&g, 4));
		same = packet_run(&g);
		if (!same || (verbose && !same_flows())) {
			tap_note("seed %llu, packet %d", (unsigned long long)seed, i);
			return false;
		}
	}
	if (same_flows() && same_fragments() && same_counters())
		return true;
	tap_note("seed %llu, after all packets", (unsigned long long)seed);
	return false;
}

/* --- */

struct options {
	const char *seeds;
	uint64_t seed;
	unsigned long packets;
	bool one;
};

static int options_parse(int argc, char **argv, struct options *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct options){.packets = PACKETS,
		.seed = ((uint64_t)now.tv_sec << 20) + (uint64_t)now.tv_nsec / 1000};
	for (int i = 1; i < argc; i++) {
		if (str_eq(argv[i], "--verbose")) {
			verbose = true;
		} else if (i + 1 < argc && str_eq(argv[i], "--seeds")) {
			ret->seeds = argv[++i];
		} else if (i + 1 < argc && str_eq(argv[i], "--packets")) {
			ret->packets = strtoul(argv[++i], NULL, 10);
		} else if (i + 1 < argc && str_eq(argv[i], "--seed")) {
			ret->seed = strtoull(argv[++i], NULL, 10);
			ret->one = true;
		} else {
			return -EINVAL;
		}
	}
	return 0;
}

static void seeds_run(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned long long seed;
	char line[200];

	if (!f) {
		tap_ok(false, "%s: %s", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llu", &seed) == 1)
			tap_ok(batch_run(seed), "seed %llu", seed);
	}
	fclose(f);
}

/* What the packets met, for whoever changes the generator. */
static void seen_print(void)
{
	printf("# %lu packets: %lu passed, %lu redirected, %lu dropped; %lu that the kernel does "
	       "not take\n",
		seen.packets, seen.passed, seen.redirected, seen.dropped, seen.refused);
	printf("# %lu flows made, %lu answered, %lu judged again, %lu ARP and %lu ND answers\n",
		seen.counter[COUNTER_FLOW_CREATED], seen.counter[COUNTER_FLOW_ANSWERED],
		seen.counter[COUNTER_FLOW_JUDGED_AGAIN], seen.counter[COUNTER_ARP_ANSWERED],
		seen.counter[COUNTER_ND_ANSWERED]);
	printf("# dropped, by reason:");
	for (unsigned r = 1; r < DROP_MAX; r++) {
		if (seen.reason[r])
			printf(" %u:%lu", r, seen.reason[r]);
	}
	printf("\n");
}

static void random_run(const struct options *o)
{
	unsigned long batches = o->one ? 1 : (o->packets + BATCH - 1) / BATCH, done;

	for (done = 0; done < batches; done++) {
		if (!batch_run(o->seed + done))
			break;
	}
	tap_ok(done == batches, "%lu map states of %d packets from seed %llu", done, BATCH,
		(unsigned long long)o->seed);
	seen_print();
	tap_ok(o->one || (seen.passed > seen.packets / 20 && seen.redirected > seen.packets / 20),
		"enough of them were forwarded");
}

int main(int argc, char **argv)
{
	struct plane_options o = world_options();
	struct err e = {0};
	struct options options;
	int r;

	if (options_parse(argc, argv, &options) < 0) {
		fprintf(stderr, "usage: %s [--seeds FILE] [--packets N] [--seed N [--verbose]]\n",
			argv[0]);
		return 2;
	}
	r = plane_open_kernel(&o, &plane[KERNEL], &e);
	if (r == -EPERM)
		return tap_skip_all(e.text);
	if (r < 0 || plane_open_twin(&o, &plane[TWIN], &e) < 0) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	if (options.seeds)
		seeds_run(options.seeds);
	random_run(&options);
	plane_close(plane[KERNEL]);
	plane_close(plane[TWIN]);
	return tap_done();
}
