/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the tables of cases on a data path and checks each packet's outcome. Called by packets.c.
 * Must hold: what is not spelled out in a case follows from its verdict: a dropped packet leaves as
 * it came, a redirected one with new MACs and one hop less, every packet is counted once, and a
 * drop has its event.
 */
#include "bpf/table.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bpf/flow.h"
#include "bpf/shot.h"
#include "bpf/tap.h"

enum { ETHERNET = 14, TTL4 = 22, SUM4 = 24, LIMIT6 = 21 };

/* One case as it is run once. */
struct trial {
	struct plane *plane;
	const struct packet_case *c;
	int family;
	bool with_option;
	bool ok;
	unsigned number; /* of the shot */
};

/* What is looked at before a packet, to see what it changes. */
struct before {
	struct packet_count counted[2]; /* of the reason, by direction */
	uint64_t answered;
	int table;
	struct flow flow;
};

static bool seen_reason[DROP_MAX];

bool table_has_seen(uint8_t reason)
{
	return seen_reason[reason];
}

static void expect(struct trial *t, bool ok, const char *what, long want, long got)
{
	if (ok)
		return;
	t->ok = false;
	tap_note("packet %u: %s: %ld wanted, %ld seen", t->number + 1, what, want, got);
}

static void expect_equal(struct trial *t, const char *what, long want, long got)
{
	expect(t, want == got, what, want, got);
}

static const char *bytes_text(const uint8_t *bytes, size_t len)
{
	static char text[2 * PLANE_ROOM + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[2 * len] = 0;
	return text;
}

static void expect_bytes(
	struct trial *t, const uint8_t *want, size_t want_len, const uint8_t *got, size_t got_len)
{
	if (want_len == got_len && !memcmp(want, got, want_len))
		return;
	t->ok = false;
	tap_note("packet %u: wanted %s", t->number + 1, bytes_text(want, want_len));
	tap_note("packet %u: got    %s", t->number + 1, bytes_text(got, got_len));
}

/* The destination's MACs, one hop less, a checksum made anew. */
static void rewrite(uint8_t *bytes, enum who to, int family)
{
	uint16_t sum;

	who_mac(to, bytes);
	who_host_mac(to, bytes + 6);
	if (family == 6) {
		bytes[LIMIT6]--;
		return;
	}
	bytes[TTL4]--;
	memset(bytes + SUM4, 0, 2);
	sum = packet_checksum(bytes + ETHERNET, (bytes[ETHERNET] & 15) * 4u, 0);
	memcpy(bytes + SUM4, &sum, 2);
}

static bool is_peer(const struct shot *s)
{
	return !s->stack && !shot_is_ingress(s) && who_is_endpoint(s->to);
}

static void check_verdict(struct trial *t, const struct shot *s, const uint8_t *in, size_t in_len,
	const struct plane_packet *out)
{
	uint8_t want[PLANE_ROOM];
	size_t len = in_len;
	int action = s->drop ? PLANE_DROP : s->answer || is_peer(s) ? PLANE_REDIRECT : PLANE_PASS;

	memcpy(want, in, in_len);
	if (s->answer)
		len = s->answer(want);
	else if (action == PLANE_REDIRECT)
		rewrite(want, s->to, t->family);
	expect_equal(t, "action", action, out->action);
	expect_bytes(t, want, len, out->bytes, out->len);
	if (action == PLANE_REDIRECT && out->redirect)
		expect_equal(t, "redirected to", who_ifindex(s->answer ? s->from : s->to),
			out->redirect);
}

/* What world.c writes into every decision beside the rule: nothing where no rule decides. */
static void check_decision(struct trial *t, const struct event_decision *d)
{
	expect_equal(t, "event: verdict", POLICY_ALLOW, d->verdict);
	expect_equal(t, "event: decision's flags", d->rule ? POLICY_ENFORCED : 0, d->flags);
	expect_equal(t, "event: match", d->rule ? POLICY_MATCH_ALL : POLICY_MATCH_NONE, d->match);
}

static void check_event_fields(struct trial *t, const struct shot *s, const struct event *ev,
	const uint8_t *in, size_t in_len)
{
	expect_equal(t, "event: type", s->drop ? EVENT_DROP : EVENT_TRACE, ev->type);
	expect_equal(t, "event: reason", s->drop, ev->reason);
	expect_equal(t, "event: length", (long)in_len, ev->length);
	expect_equal(t, "event: ifindex", who_ifindex(shot_device(s)), ev->ifindex);
	expect(t, !s->drop == !ev->file_line, "event: line", 0, (long)ev->file_line);
	expect(t, ev->time_ns != 0, "event: time", 1, 0);
	if (in_len >= ETHERNET)
		expect(t, !memcmp(ev->dmac, in, 6) && !memcmp(ev->smac, in + 6, 6), "event: MACs",
			1, 0);
	expect_equal(t, "event: flags", s->event_flags, ev->flags & s->event_flags);
	expect_equal(t, "event: no such flags", 0, ev->flags & s->event_flags_not);
	if (!s->drop && s->event_flags & EVENT_JUDGED_INGRESS)
		check_decision(t, &ev->decision[POLICY_INGRESS]);
	if (!s->drop && s->event_flags & EVENT_JUDGED_EGRESS)
		check_decision(t, &ev->decision[POLICY_EGRESS]);
	if (s->rule)
		expect(t, ev->decision[0].rule == s->rule || ev->decision[1].rule == s->rule,
			"event: rule", (long)s->rule,
			(long)(ev->decision[0].rule ? ev->decision[0].rule : ev->decision[1].rule));
	expect_equal(t, "event: decision flags", s->decision_flags,
		(ev->decision[0].flags | ev->decision[1].flags) & s->decision_flags);
	if (s->shadow_rule)
		expect(t,
			ev->decision[0].shadow_rule == s->shadow_rule ||
				ev->decision[1].shadow_rule == s->shadow_rule,
			"event: shadow rule", (long)s->shadow_rule, 0);
	if (s->source_identity)
		expect_equal(t, "event: source identity", (long)s->source_identity,
			(long)ev->source_identity);
}

static void check_event(struct trial *t, const struct shot *s, const uint8_t *in, size_t in_len)
{
	bool wanted =
		s->event == EVENT_WANTED || (s->drop && !s->quiet) || s->rule || s->event_flags;
	bool unwanted = s->event == EVENT_UNWANTED || (s->drop && s->quiet) || s->answer;
	struct event ev, another;

	if (!plane_event(t->plane, &ev)) {
		expect(t, !wanted, "event", 1, 0);
		return;
	}
	expect(t, !unwanted, "event", 0, 1);
	check_event_fields(t, s, &ev, in, in_len);
	expect(t, !plane_event(t->plane, &another), "events", 1, 2);
}

static void check_hits(struct trial *t, const struct shot *s)
{
	struct rule_hit rule = {0}, shadow = {0};

	if (!s->hits)
		return;
	plane_lookup(t->plane, "rule_hit", &s->rule, &rule);
	plane_lookup(t->plane, "rule_hit", &s->shadow_rule, &shadow);
	expect_equal(t, "decisions of the rule", (long)s->hits, (long)rule.decisions);
	if (s->shadow_rule)
		expect_equal(
			t, "differences of the shadow rule", (long)s->hits, (long)shadow.shadow);
}

static void check_flow_counts(
	struct trial *t, const struct shot *s, const struct before *b, const struct flow *f)
{
	uint64_t was = b->table ? b->flow.way[0].packets + b->flow.way[1].packets : 0;
	uint64_t is = f->way[0].packets + f->way[1].packets;

	if (s->drop && s->drop != DROP_TTL_EXCEEDED)
		expect(t, is == was, "packets of the flow", (long)was, (long)is);
	else
		expect(t, is == was + 1 || is == 1, "packets of the flow", (long)was + 1, (long)is);
}

static enum world_timeout timeout_wanted(uint8_t protocol, uint8_t state)
{
	if (protocol != IPPROTO_TCP)
		return TIMEOUT_ANY;
	return state == FLOW_STATE_NEW      ? TIMEOUT_SYN
	       : state == FLOW_STATE_CLOSED ? TIMEOUT_FIN
					    : TIMEOUT_TCP;
}

static void check_flow(struct trial *t, const struct shot *s, const struct before *b)
{
	struct tuple tuple;
	struct flow f;
	int table;

	if (s->raw)
		return;
	shot_tuple(s, t->family, &tuple);
	table = flow_find_tuple(t->plane, &tuple, &f);
	if (s->flow == NO_FLOW)
		expect_equal(t, "flow", 0, table);
	else if (s->flow != FLOW_UNCHECKED)
		expect_equal(t, "flow", s->flow,
			table ? (table | f.state | (f.flags & FLOW_DENIED ? IS_DENIED : 0))
			      : NO_FLOW);
	if (!table || s->p.offset || (s->p.fragmented && !s->p.more))
		return;
	check_flow_counts(t, s, b, &f);
	if (!s->drop && !s->about && s->flow != FLOW_UNCHECKED)
		expect_equal(t, "timeout", timeout_wanted(tuple.protocol, f.state),
			(long)(f.expires >> WORLD_TIMEOUT_SHIFT));
}

static void look_before(struct trial *t, const struct shot *s, struct before *ret)
{
	struct tuple tuple;

	memset(ret, 0, sizeof(*ret));
	for (uint32_t d = 0; d < POLICY_DIRECTIONS; d++)
		ret->counted[d] = plane_packets(t->plane, s->drop, d);
	ret->answered = plane_counter(t->plane, COUNTER_ARP_ANSWERED) +
			plane_counter(t->plane, COUNTER_ND_ANSWERED);
	if (s->raw)
		return;
	shot_tuple(s, t->family, &tuple);
	ret->table = flow_find_tuple(t->plane, &tuple, &ret->flow);
}

static void check_counters(
	struct trial *t, const struct shot *s, const struct before *b, size_t len)
{
	uint64_t packets = 0, bytes = 0, answered;

	for (uint32_t d = 0; d < POLICY_DIRECTIONS; d++) {
		struct packet_count now = plane_packets(t->plane, s->drop, d);

		packets += now.packets - b->counted[d].packets;
		bytes += now.bytes - b->counted[d].bytes;
	}
	answered = plane_counter(t->plane, COUNTER_ARP_ANSWERED) +
		   plane_counter(t->plane, COUNTER_ND_ANSWERED) - b->answered;
	expect_equal(t, "packets counted", s->answer ? 0 : 1, (long)packets);
	expect_equal(t, "bytes counted", s->answer ? 0 : (long)len, (long)bytes);
	expect_equal(t, "answers counted", s->answer ? 1 : 0, (long)answered);
}

/* 0, or -ENOTSUP when this data path cannot be shown such a packet. */
static int shot_run(struct trial *t, const struct shot *s)
{
	struct plane_packet packet = {
		.hook = shot_is_ingress(s) ? PLANE_INGRESS : PLANE_EGRESS,
		.ifindex = who_ifindex(shot_device(s)),
		.ingress_ifindex = shot_ingress_ifindex(s),
		.vlan = s->vlan,
	};
	uint8_t in[PLANE_ROOM];
	struct before b;
	size_t len;
	int r;

	if (s->before)
		s->before(t->plane);
	len = shot_build(s, t->family, t->with_option, in);
	memcpy(packet.bytes, in, len);
	packet.len = len;
	look_before(t, s, &b);
	r = plane_run(t->plane, &packet);
	if (r == -ENOTSUP)
		return r;
	expect_equal(t, "run", 0, r);
	check_verdict(t, s, in, len, &packet);
	check_event(t, s, in, len);
	check_hits(t, s);
	check_counters(t, s, &b, len);
	check_flow(t, s, &b);
	if (s->drop)
		seen_reason[s->drop] = true;
	return 0;
}

static int case_run(struct trial *t)
{
	plane_clear(t->plane);
	world_write(t->plane, t->c->rules);
	t->ok = true;
	for (t->number = 0; t->number < SHOTS_MAX; t->number++) {
		const struct shot *s = &t->c->shot[t->number];

		if (!s->from && !s->raw)
			break;
		if (shot_run(t, s) < 0)
			return -ENOTSUP;
	}
	assert(t->number);
	return 0;
}

/* Both paths leave the same flows, but for bytes. */
static void compare_paths(struct trial *t, struct flow_rows *fast, struct flow_rows *slow)
{
	expect_equal(t, "flows by the other path", (long)fast->count, (long)slow->count);
	for (size_t i = 0; i < fast->count && i < slow->count; i++) {
		for (int w = 0; w < 2; w++)
			fast->row[i].flow.way[w].bytes = slow->row[i].flow.way[w].bytes;
		if (!memcmp(&fast->row[i], &slow->row[i], sizeof(fast->row[i])))
			continue;
		t->ok = false;
		tap_note("known path: %s", flow_text(&fast->row[i].flow));
		tap_note("slow path:  %s", flow_text(&slow->row[i].flow));
	}
}

static void case_check(struct plane *p, const struct packet_case *c, int family)
{
	struct trial t = {.plane = p, .c = c, .family = family};
	struct flow_rows fast = {0}, slow = {0};

	if (case_run(&t) < 0) {
		tap_skip("BPF_PROG_TEST_RUN cannot show it", "v%d %s", family, c->name);
		return;
	}
	flow_rows_read(p, &fast);
	tap_ok(t.ok, "v%d %s", family, c->name);
	if (c->both_paths) {
		t.with_option = true;
		case_run(&t);
		flow_rows_read(p, &slow);
		compare_paths(&t, &fast, &slow);
		tap_ok(t.ok, "v%d %s, with options", family, c->name);
	}
	flow_rows_done(&fast);
	flow_rows_done(&slow);
}

void table_run(struct plane *p, const struct packet_case *cases)
{
	for (const struct packet_case *c = cases; c->name; c++) {
		if (c->family != ONLY_IPV6)
			case_check(p, c, 4);
		if (c->family != ONLY_IPV4)
			case_check(p, c, 6);
	}
}

void change_bump(struct plane *p)
{
	world_bump(p);
}

static void expire(struct flow *f)
{
	f->expires = 1;
}

void change_expire(struct plane *p)
{
	flow_change(p, expire);
}
