/* SPDX-License-Identifier: Apache-2.0 */
/* flow/decode.c: which flows come of an event, and what each says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "abi/drop.h"
#include "flow/decode.h"
#include "model/protocol.h"

enum {
	SYN = 0x02,
	KNOWN = EVENT_REPLY_KNOWN,
	REPLY = EVENT_REPLY | EVENT_REPLY_KNOWN,
	IN = EVENT_INGRESS,
	JUDGED_IN = EVENT_JUDGED_INGRESS,
	JUDGED_OUT = EVENT_JUDGED_EGRESS,
};

/* A decision: verdict, enforced or not, match. */
struct say {
	uint8_t verdict, flags, match;
};

#define NOT_ENFORCED                                                                               \
	{                                                                                          \
		POLICY_ALLOW, 0, POLICY_MATCH_NONE                                                 \
	}
#define ALLOW(m)                                                                                   \
	{                                                                                          \
		POLICY_ALLOW, POLICY_ENFORCED, POLICY_MATCH_##m                                    \
	}
#define DENY(m)                                                                                    \
	{                                                                                          \
		POLICY_DENY, POLICY_ENFORCED, POLICY_MATCH_##m                                     \
	}
#define DEFAULT                                                                                    \
	{                                                                                          \
		POLICY_DEFAULT_DENY, POLICY_ENFORCED, POLICY_MATCH_NONE                            \
	}

/* What a flow must say. */
struct want {
	uint8_t event_type, verdict, sub_type, drop_reason, direction, match, is_reply,
		trace_reason;
};

#define VERDICT_OK(dir, m)                                                                         \
	{                                                                                          \
		FLOW_EVENT_POLICY_VERDICT, FLOW_FORWARDED, 0, 0, FLOW_##dir, POLICY_MATCH_##m,     \
			FLOW_REPLY_NO, 0                                                           \
	}
#define VERDICT_NO(dir, reason, m)                                                                 \
	{                                                                                          \
		FLOW_EVENT_POLICY_VERDICT, FLOW_DROPPED, reason, reason, FLOW_##dir,               \
			POLICY_MATCH_##m, FLOW_REPLY_UNKNOWN, 0                                    \
	}
#define TRACE(point, dir, reply, why)                                                              \
	{                                                                                          \
		FLOW_EVENT_TRACE, FLOW_FORWARDED, point, 0, dir, 0, reply, FLOW_TRACE_##why        \
	}
#define DROP(reason, dir, reply)                                                                   \
	{                                                                                          \
		FLOW_EVENT_DROP, FLOW_DROPPED, reason, reason, dir, 0, reply, 0                    \
	}

static const struct {
	const char *name;
	uint8_t type, point, reason;
	unsigned flags;
	uint32_t source_endpoint, destination_endpoint;
	struct say ingress, egress;
	size_t count;
	struct want want[3];
} cases[] = {
	{"first packet, both ends here, both enforced", EVENT_TRACE, TRACE_TO_ENDPOINT, 0,
		IN | KNOWN | EVENT_NEW | JUDGED_IN | JUDGED_OUT, 1, 2, ALLOW(L3_L4), ALLOW(ALL), 3,
		{VERDICT_OK(EGRESS, ALL), VERDICT_OK(INGRESS, L3_L4),
			TRACE(TRACE_TO_ENDPOINT, FLOW_INGRESS, FLOW_REPLY_NO, NEW)}},
	{"only ingress enforced", EVENT_TRACE, TRACE_TO_ENDPOINT, 0,
		IN | KNOWN | EVENT_NEW | JUDGED_IN | JUDGED_OUT, 1, 2, ALLOW(L3_ONLY), NOT_ENFORCED,
		2,
		{VERDICT_OK(INGRESS, L3_ONLY),
			TRACE(TRACE_TO_ENDPOINT, FLOW_INGRESS, FLOW_REPLY_NO, NEW)}},
	{"judged by nobody", EVENT_TRACE, TRACE_TO_ENDPOINT, 0, IN | KNOWN | EVENT_NEW, 1, 2,
		ALLOW(ALL), ALLOW(ALL), 1,
		{TRACE(TRACE_TO_ENDPOINT, FLOW_INGRESS, FLOW_REPLY_NO, NEW)}},
	{"nothing enforced", EVENT_TRACE, TRACE_TO_STACK, 0, KNOWN | EVENT_NEW | JUDGED_OUT, 1, 0,
		NOT_ENFORCED, NOT_ENFORCED, 1,
		{TRACE(TRACE_TO_STACK, FLOW_EGRESS, FLOW_REPLY_NO, NEW)}},
	{"established, out", EVENT_TRACE, TRACE_TO_STACK, 0, KNOWN, 1, 0, NOT_ENFORCED,
		NOT_ENFORCED, 1, {TRACE(TRACE_TO_STACK, FLOW_EGRESS, FLOW_REPLY_NO, ESTABLISHED)}},
	{"reply on its way in belongs to a flow out", EVENT_TRACE, TRACE_TO_ENDPOINT, 0, IN | REPLY,
		0, 1, NOT_ENFORCED, NOT_ENFORCED, 1,
		{TRACE(TRACE_TO_ENDPOINT, FLOW_EGRESS, FLOW_REPLY_YES, REPLY)}},
	{"reply on its way out belongs to a flow in", EVENT_TRACE, TRACE_TO_STACK, 0, REPLY, 1, 0,
		NOT_ENFORCED, NOT_ENFORCED, 1,
		{TRACE(TRACE_TO_STACK, FLOW_INGRESS, FLOW_REPLY_YES, REPLY)}},
	{"related", EVENT_TRACE, TRACE_TO_ENDPOINT, 0, IN | REPLY | EVENT_RELATED, 0, 1,
		NOT_ENFORCED, NOT_ENFORCED, 1,
		{TRACE(TRACE_TO_ENDPOINT, FLOW_EGRESS, FLOW_REPLY_YES, RELATED)}},
	{"reply not known", EVENT_TRACE, TRACE_FROM_HOST, 0, IN, 0, 1, NOT_ENFORCED, NOT_ENFORCED,
		1, {TRACE(TRACE_FROM_HOST, 0, FLOW_REPLY_UNKNOWN, UNKNOWN)}},
	{"reply bit without known bit means nothing", EVENT_TRACE, TRACE_FROM_HOST, 0,
		IN | EVENT_REPLY, 0, 1, NOT_ENFORCED, NOT_ENFORCED, 1,
		{TRACE(TRACE_FROM_HOST, 0, FLOW_REPLY_UNKNOWN, UNKNOWN)}},
	{"no endpoint of this node: no direction", EVENT_TRACE, TRACE_TO_STACK, 0, KNOWN, 0, 0,
		NOT_ENFORCED, NOT_ENFORCED, 1,
		{TRACE(TRACE_TO_STACK, 0, FLOW_REPLY_NO, ESTABLISHED)}},
	{"default deny at ingress", EVENT_DROP, 0, DROP_POLICY_DENIED,
		IN | KNOWN | JUDGED_IN | JUDGED_OUT, 1, 2, DEFAULT, NOT_ENFORCED, 2,
		{VERDICT_NO(INGRESS, 133, NONE), DROP(133, FLOW_INGRESS, FLOW_REPLY_UNKNOWN)}},
	{"allowed out, denied in", EVENT_DROP, 0, DROP_POLICY_DENY,
		IN | KNOWN | JUDGED_IN | JUDGED_OUT, 1, 2, DENY(L3_ONLY), ALLOW(L4_ONLY), 3,
		{VERDICT_OK(EGRESS, L4_ONLY), VERDICT_NO(INGRESS, 181, L3_ONLY),
			DROP(181, FLOW_INGRESS, FLOW_REPLY_UNKNOWN)}},
	{"denied out: ingress was not judged", EVENT_DROP, 0, DROP_POLICY_DENIED,
		KNOWN | JUDGED_OUT, 1, 2, DEFAULT, DEFAULT, 2,
		{VERDICT_NO(EGRESS, 133, NONE), DROP(133, FLOW_EGRESS, FLOW_REPLY_UNKNOWN)}},
	{"reply of a flow that is denied now", EVENT_DROP, 0, DROP_POLICY_DENIED,
		REPLY | EVENT_AGAIN, 2, 1, NOT_ENFORCED, NOT_ENFORCED, 1,
		{DROP(133, FLOW_EGRESS, FLOW_REPLY_YES)}},
	{"spoofed source", EVENT_DROP, 0, DROP_INVALID_SOURCE_IP, 0, 1, 0, NOT_ENFORCED,
		NOT_ENFORCED, 1, {DROP(132, FLOW_EGRESS, FLOW_REPLY_UNKNOWN)}},
	{"drop of nobody's packet", EVENT_DROP, 0, DROP_UNSUPPORTED_L3, IN, 0, 0, NOT_ENFORCED,
		NOT_ENFORCED, 1, {DROP(139, 0, FLOW_REPLY_UNKNOWN)}},
	{"no event", EVENT_NONE, 0, 0, JUDGED_IN, 1, 2, ALLOW(ALL), ALLOW(ALL), 0, {{0}}},
	{"event of the future", EVENT_TYPES, 0, 0, JUDGED_IN, 1, 2, ALLOW(ALL), ALLOW(ALL), 0,
		{{0}}},
};

static struct event event_of(uint8_t protocol)
{
	struct event ev = {.time_ns = 1000, .protocol = protocol, .family = 4};

	ev.source_port = htons(4711);
	ev.destination_port = htons(80);
	ev.tcp_flags = SYN;
	ev.length = 74;
	ev.ifindex = 7;
	memset(ev.smac, 0xaa, 6);
	memset(ev.dmac, 0xbb, 6);
	ev.source.byte[15] = 1;
	ev.destination.byte[15] = 2;
	return ev;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct event ev = event_of(IPPROTO_TCP);
		struct flow_record r[FLOW_RECORDS_MAX];
		const struct say *say[] = {&cases[i].ingress, &cases[i].egress};

		print_message("# %s\n", cases[i].name);
		ev.type = cases[i].type;
		ev.point = cases[i].point;
		ev.reason = cases[i].reason;
		ev.flags = (uint8_t)cases[i].flags;
		ev.source_endpoint = cases[i].source_endpoint;
		ev.destination_endpoint = cases[i].destination_endpoint;
		for (size_t d = 0; d < POLICY_DIRECTIONS; d++)
			ev.decision[d] = (struct event_decision){.rule = 1 + (uint32_t)d,
				.verdict = say[d]->verdict,
				.flags = say[d]->flags,
				.match = say[d]->match};
		assert_int_equal(flow_decode(&ev, 5, r), cases[i].count);
		for (size_t k = 0; k < cases[i].count; k++) {
			const struct want *want = &cases[i].want[k];
			struct want got = {r[k].event_type, r[k].verdict, r[k].sub_type,
				r[k].drop_reason, r[k].direction, r[k].match, r[k].is_reply,
				r[k].trace_reason};

			assert_memory_equal(&got, want, sizeof(got));
			assert_int_equal(r[k].time_ns, 1005);
			assert_int_equal(r[k].source_port, 4711);
			assert_int_equal(r[k].tcp_flags, SYN);
			assert_null(r[k].source_end);
		}
	}
}

/* Audit lets pass what is denied; shadow verdicts are told where they differ, policy or not. */
static void test_audit_and_shadow(void **state)
{
	struct event ev = event_of(IPPROTO_UDP);
	struct flow_record r[FLOW_RECORDS_MAX];

	(void)state;
	ev.type = EVENT_TRACE;
	ev.flags = EVENT_JUDGED_INGRESS | EVENT_NEW | EVENT_REPLY_KNOWN;
	ev.decision[POLICY_INGRESS] = (struct event_decision){
		.rule = 4, .verdict = POLICY_DENY, .flags = POLICY_ENFORCED | POLICY_AUDIT};
	assert_int_equal(flow_decode(&ev, 0, r), 2);
	assert_int_equal(r[0].event_type, FLOW_EVENT_POLICY_VERDICT);
	assert_int_equal(r[0].verdict, FLOW_AUDIT);
	assert_int_equal(r[0].drop_reason, 0);
	assert_int_equal(r[0].rule_verdict[POLICY_INGRESS], POLICY_DENY);
	assert_int_equal(r[1].verdict, FLOW_FORWARDED);
	assert_false(r[0].is_shadow);
	ev.decision[POLICY_INGRESS] = (struct event_decision){.verdict = POLICY_ALLOW,
		.flags = POLICY_SHADOW,
		.shadow = POLICY_DEFAULT_DENY,
		.shadow_rule = 8};
	assert_int_equal(flow_decode(&ev, 0, r), 2);
	assert_int_equal(r[0].verdict, FLOW_FORWARDED);
	assert_true(r[0].is_shadow);
	assert_int_equal(r[0].shadow_verdict, POLICY_DEFAULT_DENY);
	ev.decision[POLICY_INGRESS].flags = 0;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
}

static void test_packets(void **state)
{
	struct event ev = event_of(IPPROTO_UDP);
	struct flow_record r[FLOW_RECORDS_MAX];

	(void)state;
	ev.type = EVENT_TRACE;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	assert_int_equal(r->destination_port, 80);
	assert_int_equal(r->tcp_flags, 0);
	assert_int_equal(r->length, 74);
	assert_int_equal(r->ifindex, 7);
	assert_int_equal(r->smac[0], 0xaa);
	assert_int_equal(r->destination.byte[15], 2);
	ev.protocol = IPPROTO_ICMP;
	ev.source_port = htons(8 << 8 | 1);
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	assert_int_equal(r->icmp_type, 8);
	assert_int_equal(r->icmp_code, 1);
	assert_int_equal(r->source_port, 0);
	assert_int_equal(r->destination_port, 0);
	ev.protocol = 47;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	assert_int_equal(r->protocol, 47);
	assert_int_equal(r->source_port, 0);
	ev.family = 0;
	ev.protocol = IPPROTO_TCP;
	assert_int_equal(flow_decode(&ev, 0, r), 1);
	assert_int_equal(r->family, 0);
	assert_int_equal(r->protocol, 0);
	assert_false(protocol_has_ports(r->protocol));
}

/* The offset may be negative: a wall clock before the boot of a machine with a wrong clock. */
static void test_time(void **state)
{
	struct event ev = event_of(IPPROTO_UDP);
	struct flow_record r[FLOW_RECORDS_MAX];

	(void)state;
	ev.type = EVENT_TRACE;
	ev.time_ns = 5000;
	assert_int_equal(flow_decode(&ev, (uint64_t)-1000, r), 1);
	assert_int_equal(r->time_ns, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_audit_and_shadow),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests_name("flow/decode", tests, NULL, NULL);
}
