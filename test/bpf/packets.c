/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet in, packet out: the tables of cases_*.c, every protocol number, and what happens when a
 * table or the ring is full, over the object in the kernel or (--twin) over the twin. Must hold:
 * every drop reason that a packet can provoke has been provoked when the tables have run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bpf/flow.h"
#include "bpf/plane.h"
#include "bpf/table.h"
#include "bpf/tap.h"
#include "bpf/world.h"

enum { PROTOCOLS = 256, RULE_PORT = 80, RULE_ID = 5 };

/* What a protocol number leads to without rules, and when only TCP port 80 is allowed. */
static uint8_t protocol_wanted(int family, unsigned protocol, bool ruled)
{
	switch (protocol) {
	case 2: /* IGMP */
		return DROP_MULTICAST_HANDLED;
	case 1:
		if (family == 6)
			return DROP_UNKNOWN_L4;
		break;
	case 58:
		if (family == 4)
			return DROP_UNKNOWN_L4;
		break;
	case 0: /* extension headers: what the builder puts behind them is one more, and then
		   nothing */
	case 43:
	case 44:
	case 51:
	case 60:
		if (family == 6)
			return DROP_INVALID_EXTENSION;
		break;
	case 6:
		return 0;
	}
	return ruled ? DROP_POLICY_DENIED : 0;
}

static bool protocol_run(struct plane *p, int family, unsigned protocol, uint8_t wanted)
{
	struct shot s = {.from = A,
		.to = B,
		.p = {.protocol = (uint8_t)protocol,
			.destination_port = RULE_PORT,
			.tcp_flags = TCP_SYN,
			.l4_len = 4}};
	struct plane_packet packet = {
		.hook = PLANE_EGRESS, .ifindex = who_ifindex(A), .ingress_ifindex = who_ifindex(A)};
	struct packet_count before, after;
	struct event ev;

	if (protocol == 1 || protocol == 58)
		s.p.icmp_type = family == 4 ? 8 : 128;
	before = plane_packets(
		p, wanted, wanted == DROP_POLICY_DENIED ? POLICY_INGRESS : POLICY_EGRESS);
	packet.len = shot_build(&s, family, false, packet.bytes);
	if (plane_run(p, &packet) < 0)
		return false;
	after = plane_packets(
		p, wanted, wanted == DROP_POLICY_DENIED ? POLICY_INGRESS : POLICY_EGRESS);
	while (plane_event(p, &ev))
		;
	if (after.packets == before.packets + 1 &&
		packet.action == (wanted ? PLANE_DROP : PLANE_REDIRECT))
		return true;
	tap_note("protocol %u: action %d, reason %u wanted", protocol, packet.action, wanted);
	return false;
}

/* Every protocol number, with no rule and with a rule for one port: nothing slips past the policy.
 */
static void protocols_run(struct plane *p, int family, bool ruled)
{
	static const struct world_rule rules[WORLD_RULES] = {
		ALLOW(B, INGRESS, NOBODY, 6, RULE_PORT, RULE_ID)};
	bool ok = true;

	plane_clear(p);
	world_write(p, ruled ? rules : NULL);
	for (unsigned i = 0; i < PROTOCOLS; i++)
		ok &= protocol_run(p, family, i, protocol_wanted(family, i, ruled));
	tap_ok(ok, "v%d protocols 0 to 255, %s", family, ruled ? "one port allowed" : "no rule");
}

/* Each reason but those that no packet can bring about here. */
static void reasons_check(void)
{
	static const struct {
		uint8_t reason;
		const char *name;
	} reason[] = {
#define X(name, number, hubble, text) {number, #name},
		DROP_REASONS(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(reason); i++) {
		uint8_t r = reason[i].reason;

		if (r == DROP_MISSED_TAIL_CALL || r == DROP_WRITE_ERROR || r == DROP_FLOW_INSERT)
			continue; /* a helper would have to fail */
		tap_ok(table_has_seen(r), "a packet was dropped for %s", reason[i].name);
	}
}

static int open_plane(bool twin, const struct plane_options *o, struct plane **ret, struct err *e)
{
	return twin ? plane_open_twin(o, ret, e) : plane_open_kernel(o, ret, e);
}

static const struct packet_case full_table[] = {
	{"a full flow table keeps an answered flow half open, and it works", .both_paths = true,
		.shot = {{.from = A, .to = B, UDP(1, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 1), .flow = ESTABLISHED},
			{.from = A, .to = B, UDP(2, 53), .flow = HALF_NEW},
			{.from = B, .to = A, UDP(53, 2), .flow = HALF_ESTABLISHED},
			{.from = A, .to = B, UDP(2, 53), .flow = HALF_ESTABLISHED},
			{.from = B, .to = A, UDP(53, 2), .flow = HALF_ESTABLISHED}}},
	{.name = NULL},
};

/* Drops whose events nobody reads: what was written and what was lost adds up to what was seen. */
static void ring_check(struct plane *p)
{
	enum { PACKETS = 200 };
	struct shot s = {.from = COLD, .to = B, UDP(1, 2)};
	struct event ev;
	uint64_t written, lost, taken = 0;

	plane_clear(p);
	world_write(p, NULL);
	for (int i = 0; i < PACKETS; i++) {
		struct plane_packet packet = {.hook = PLANE_EGRESS, .ifindex = who_ifindex(COLD)};

		packet.len = shot_build(&s, 4, false, packet.bytes);
		plane_run(p, &packet);
	}
	written = plane_counter(p, COUNTER_EVENT_DROP);
	lost = plane_counter(p, COUNTER_EVENT_LOST_DROP);
	while (plane_event(p, &ev))
		taken++;
	tap_note("%llu written, %llu lost, %llu read", (unsigned long long)written,
		(unsigned long long)lost, (unsigned long long)taken);
	tap_ok(written + lost == PACKETS && lost && taken == written,
		"a full ring: every event is written or counted as lost");
}

static int full_run(bool twin, struct err *e)
{
	struct plane_options o = world_options();
	SCOPED(plane_closep)
	struct plane *p = NULL;
	int r;

	o.flow_max = 1;
	o.event_ring_bytes = 4096;
	r = open_plane(twin, &o, &p, e);
	if (r < 0)
		return r;
	table_run(p, full_table);
	tap_ok(plane_counter(p, COUNTER_FLOW_TABLE_FULL) > 0, "a full flow table is counted");
	ring_check(p);
	return 0;
}

static void tables_run(struct plane *p)
{
	table_run(p, cases_parse);
	table_run(p, cases_fragment);
	table_run(p, cases_icmp);
	table_run(p, cases_tcp);
	table_run(p, cases_policy);
	table_run(p, cases_sender);
	table_run(p, cases_again);
	table_run(p, cases_gateway);
	for (int ruled = 0; ruled < 2; ruled++) {
		protocols_run(p, 4, ruled);
		protocols_run(p, 6, ruled);
	}
}

int main(int argc, char **argv)
{
	bool twin = argc > 1 && !strcmp(argv[1], "--twin");
	struct plane_options o = world_options();
	struct plane *p = NULL;
	struct err e = {0};
	int r = open_plane(twin, &o, &p, &e);

	if (r == -EPERM)
		return tap_skip_all(e.text);
	if (r < 0) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	tables_run(p);
	reasons_check();
	plane_close(p);
	if (full_run(twin, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		return 1;
	}
	return tap_done();
}
