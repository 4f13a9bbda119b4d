/* SPDX-License-Identifier: Apache-2.0 */
/* flow/json.c: the JSON that Hubble's clients know, to the letter; escaping; summaries. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>

#include "abi/drop.h"
#include "codec/json.h"
#include "flow/json.h"
#include "flow/summary.h"
#include "model/addr.h"

static char *web_labels[] = {"k8s:app=web", "k8s:io.kubernetes.pod.namespace=default"};
static char *world_labels[] = {"reserved:world-ipv6"};

static struct flow_end web = {.references = 9,
	.id = 12,
	.identity = 300,
	.namespace = "default",
	.pod = "web-1",
	.cluster = "default",
	.label = web_labels,
	.labels = 2};
static struct flow_end world = {.references = 9,
	.identity = 10,
	.namespace = "",
	.pod = "",
	.cluster = "",
	.label = world_labels,
	.labels = 1};
static struct flow_end nobody = {.references = 9, .namespace = "", .pod = "", .cluster = ""};

static struct flow_rule rule = {.references = 9,
	.id = 5,
	.kind = "CiliumNetworkPolicy",
	.namespace = "default",
	.name = "x",
	.text = "CiliumNetworkPolicy/default/x egress[0] at f:3",
	.revision = 4294967296};

static const struct flow_node node = {"node-1", "0.1.0"};

static struct flow_record base(void)
{
	struct flow_record r = {.time_ns = 1700000000123456789u,
		.source_end = &web,
		.destination_end = &world,
		.family = 6,
		.protocol = IPPROTO_TCP,
		.source_port = 40000,
		.destination_port = 443,
		.tcp_flags = 0x02,
		.smac = {2, 0, 0, 0, 0, 1},
		.dmac = {2, 0, 0, 0, 0, 0xff},
		.ifindex = 7,
		.is_reply = FLOW_REPLY_UNKNOWN};

	assert_int_equal(addr_parse("fd00::5", &r.source), 0);
	assert_int_equal(addr_parse("2001:db8::1", &r.destination), 0);
	for (int i = 0; i < 16; i++)
		r.uuid[i] = (uint8_t)(i * 17);
	return r;
}

static void check(const struct flow_record *r, const struct flow_node *n, const char *want)
{
	SCOPED(str_done)
	struct str out = {0};
	SCOPED(json_unrefp)
	json_t *got = NULL, *expected = NULL;
	SCOPED(freep)
	char *got_text = NULL, *want_text = NULL;
	struct err e = {0};

	flow_json_write(&out, r, n);
	if (json_parse_text(str_text(&out), out.len, 65536, &got, &e) < 0)
		fail_msg("%s: %s", str_text(&out), e.text);
	if (json_parse_text(want, strlen(want), 65536, &expected, &e) < 0)
		fail_msg("%s: %s", want, e.text);
	got_text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
	want_text = json_dumps(expected, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(got_text, want_text);
}

#define ENDS                                                                                       \
	"\"source\":{\"ID\":12,\"identity\":300,\"namespace\":\"default\",\"labels\":["            \
	"\"k8s:app=web\",\"k8s:io.kubernetes.pod.namespace=default\"],\"pod_name\":\"web-1\","     \
	"\"cluster_name\":\"default\"},"                                                           \
	"\"destination\":{\"identity\":10,\"labels\":[\"reserved:world-ipv6\"]},"
#define PACKET                                                                                     \
	"\"time\":\"2023-11-14T22:13:20.123456789Z\","                                             \
	"\"uuid\":\"00112233-4455-6677-8899-aabbccddeeff\","                                       \
	"\"ethernet\":{\"source\":\"02:00:00:00:00:01\",\"destination\":\"02:00:00:00:00:ff\"},"   \
	"\"IP\":{\"source\":\"fd00::5\",\"destination\":\"2001:db8::1\",\"ipVersion\":\"IPv6\"},"  \
	"\"l4\":{\"TCP\":{\"source_port\":40000,\"destination_port\":443,"                         \
	"\"flags\":{\"SYN\":true}}}," ENDS "\"Type\":\"L3_L4\",\"node_name\":\"node-1\","          \
	"\"interface\":{\"index\":7},\"emitter\":{\"name\":\"kilim\",\"version\":\"0.1.0\"},"      \
	"\"Summary\":\"TCP Flags: SYN\""
#define TAIL ",\"node_name\":\"node-1\",\"time\":\"2023-11-14T22:13:20.123456789Z\"}"

static void test_trace(void **state)
{
	struct flow_record r = base();

	(void)state;
	r.verdict = FLOW_FORWARDED;
	r.event_type = FLOW_EVENT_TRACE;
	r.sub_type = TRACE_TO_STACK;
	r.direction = FLOW_EGRESS;
	r.is_reply = FLOW_REPLY_NO;
	r.trace_reason = FLOW_TRACE_NEW;
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":4,"
		"\"sub_type\":3},\"traffic_direction\":\"EGRESS\",\"trace_observation_point\":"
		"\"TO_STACK\",\"trace_reason\":\"NEW\",\"is_reply\":false}" TAIL);
	/* zeros are left out, but the zero trace point has a name of its own */
	r.sub_type = TRACE_TO_ENDPOINT;
	r.is_reply = FLOW_REPLY_YES;
	r.trace_reason = FLOW_TRACE_REPLY;
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":4},"
		"\"traffic_direction\":\"EGRESS\",\"trace_observation_point\":\"TO_ENDPOINT\","
		"\"trace_reason\":\"REPLY\",\"is_reply\":true,\"reply\":true}" TAIL);
}

static void test_drop(void **state)
{
	struct flow_record r = base();

	(void)state;
	r.verdict = FLOW_DROPPED;
	r.event_type = FLOW_EVENT_DROP;
	r.sub_type = r.drop_reason = DROP_POLICY_DENIED;
	r.direction = FLOW_EGRESS;
	r.file_line = (uint32_t)STAGE_POLICY << 16 | 77;
	rule.text = "default deny by CiliumNetworkPolicy/default/x";
	r.rule[POLICY_EGRESS] = &rule;
	r.rule_verdict[POLICY_EGRESS] = POLICY_DEFAULT_DENY;
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"DROPPED\",\"drop_reason\":133,"
		"\"drop_reason_desc\":\"POLICY_DENIED\",\"event_type\":{\"type\":1,"
		"\"sub_type\":133},\"traffic_direction\":\"EGRESS\",\"file\":{\"name\":"
		"\"policy.bpf.c\",\"line\":77}},\"kilim\":{\"rules\":[{\"direction\":\"EGRESS\","
		"\"verdict\":\"DEFAULT_DENY\",\"text\":\"default deny by "
		"CiliumNetworkPolicy/default/x\"}]}" TAIL);
}

static void test_policy_verdict(void **state)
{
	struct flow_record r = base();

	(void)state;
	r.verdict = FLOW_FORWARDED;
	r.event_type = FLOW_EVENT_POLICY_VERDICT;
	r.direction = FLOW_EGRESS;
	r.match = POLICY_MATCH_L3_L4;
	r.is_reply = FLOW_REPLY_NO;
	rule.text = "R";
	r.rule[POLICY_EGRESS] = &rule;
	r.rule_verdict[POLICY_EGRESS] = POLICY_ALLOW;
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":5},"
		"\"traffic_direction\":\"EGRESS\",\"policy_match_type\":2,\"is_reply\":false,"
		"\"egress_allowed_by\":[{\"name\":\"x\",\"namespace\":\"default\",\"revision\":"
		"\"4294967296\",\"kind\":\"CiliumNetworkPolicy\"}]},\"kilim\":{\"rules\":[{"
		"\"direction\":\"EGRESS\",\"verdict\":\"ALLOW\",\"text\":\"R\"}]}" TAIL);
	r.verdict = FLOW_DROPPED;
	r.sub_type = r.drop_reason = DROP_POLICY_DENY;
	r.direction = FLOW_INGRESS;
	r.match = POLICY_MATCH_NONE;
	r.is_reply = FLOW_REPLY_UNKNOWN;
	r.rule[POLICY_EGRESS] = NULL;
	r.rule[POLICY_INGRESS] = &rule;
	r.rule_verdict[POLICY_INGRESS] = POLICY_DENY;
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"DROPPED\",\"drop_reason\":181,"
		"\"drop_reason_desc\":\"POLICY_DENY\",\"event_type\":{\"type\":5,\"sub_type\":181},"
		"\"traffic_direction\":\"INGRESS\",\"ingress_denied_by\":[{\"name\":\"x\","
		"\"namespace\":\"default\",\"revision\":\"4294967296\",\"kind\":"
		"\"CiliumNetworkPolicy\"}]},\"kilim\":{\"rules\":[{\"direction\":\"INGRESS\","
		"\"verdict\":\"DENY\",\"text\":\"R\"}]}" TAIL);
}

/* A verdict of audit mode, and what a policy in shadow mode would decide, with and without a rule.
 */
static void test_audit_and_shadow(void **state)
{
	struct flow_record r = base();

	(void)state;
	r.verdict = FLOW_AUDIT;
	r.event_type = FLOW_EVENT_POLICY_VERDICT;
	r.direction = FLOW_INGRESS;
	r.is_reply = FLOW_REPLY_UNKNOWN;
	r.is_shadow = true;
	r.shadow_verdict = POLICY_DENY;
	rule.text = "R";
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"AUDIT\",\"event_type\":{\"type\":5},"
		"\"traffic_direction\":\"INGRESS\"},\"kilim\":{\"shadow\":{\"verdict\":"
		"\"DENY\"}}" TAIL);
	r.rule[POLICY_INGRESS] = r.shadow_rule = &rule;
	r.rule_verdict[POLICY_INGRESS] = POLICY_DEFAULT_DENY;
	check(&r, &node,
		"{\"flow\":{" PACKET ",\"verdict\":\"AUDIT\",\"event_type\":{\"type\":5},"
		"\"traffic_direction\":\"INGRESS\"},\"kilim\":{\"rules\":[{\"direction\":"
		"\"INGRESS\",\"verdict\":\"DEFAULT_DENY\",\"text\":\"R\"}],\"shadow\":{"
		"\"verdict\":\"DENY\",\"text\":\"R\"}}" TAIL);
}

/* A frame that was not understood: nothing is said that is not known. */
static void test_nothing_known(void **state)
{
	struct flow_record r = {.time_ns = 1700000000000000000u,
		.source_end = &nobody,
		.destination_end = &nobody,
		.verdict = FLOW_DROPPED,
		.event_type = FLOW_EVENT_DROP,
		.sub_type = 250,
		.drop_reason = 250,
		.is_reply = FLOW_REPLY_UNKNOWN,
		.file_line = 99u << 16 | 1};
	static const struct flow_node plain = {"c/n", NULL};

	(void)state;
	check(&r, &plain,
		"{\"flow\":{\"time\":\"2023-11-14T22:13:20.000000000Z\",\"uuid\":"
		"\"00000000-0000-0000-0000-000000000000\",\"verdict\":\"DROPPED\",\"drop_reason\":"
		"250,\"drop_reason_desc\":250,\"source\":{},\"destination\":{},\"Type\":\"L3_L4\","
		"\"node_name\":\"c/n\",\"event_type\":{\"type\":1,\"sub_type\":250},\"Summary\":"
		"\"Ethernet\"},\"node_name\":\"c/n\",\"time\":\"2023-11-14T22:13:20.000000000Z\"}");
}

static void test_l4(void **state)
{
	static const struct {
		uint8_t family, protocol, type, code;
		const char *l4; /* NULL: none */
	} cases[] = {
		{4, IPPROTO_UDP, 0, 0,
			"{\"UDP\":{\"source_port\":40000,\"destination_port\":443}}"},
		{4, IPPROTO_SCTP, 0, 0,
			"{\"SCTP\":{\"source_port\":40000,\"destination_port\":443}}"},
		{4, IPPROTO_ICMP, 3, 1, "{\"ICMPv4\":{\"type\":3,\"code\":1}}"},
		{4, IPPROTO_ICMP, 0, 0, "{\"ICMPv4\":{}}"},
		{6, IPPROTO_ICMPV6, 128, 0, "{\"ICMPv6\":{\"type\":128}}"},
		{4, 47, 0, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct flow_record r = base();
		SCOPED(str_done)
		struct str out = {0};
		SCOPED(json_unrefp)
		json_t *j = NULL;
		SCOPED(freep)
		char *l4 = NULL;

		r.family = cases[i].family;
		r.protocol = cases[i].protocol;
		r.icmp_type = cases[i].type;
		r.icmp_code = cases[i].code;
		flow_json_write(&out, &r, &node);
		assert_int_equal(json_parse_text(str_text(&out), out.len, 65536, &j, NULL), 0);
		l4 = json_text(json_object_get(json_object_get(j, "flow"), "l4"));
		assert_string_equal(l4, cases[i].l4 ? cases[i].l4 : "null");
	}
}

/* Whatever names there are, a line is one JSON value, and one line. */
static void test_escapes(void **state)
{
	static char name[] = "a\"b\\c\n\t\x01\x7f\xc3\xa4/";
	struct flow_end odd = {
		.references = 1, .id = 1, .namespace = name, .pod = name, .cluster = name};
	struct flow_record r = base();
	SCOPED(str_done)
	struct str out = {0};
	SCOPED(json_unrefp)
	json_t *j = NULL;
	struct err e = {0};
	const char *pod;

	(void)state;
	r.source_end = &odd;
	flow_json_write(&out, &r, &node);
	assert_null(strchr(str_text(&out), '\n'));
	assert_null(strchr(str_text(&out), 0x7f));
	if (json_parse_text(str_text(&out), out.len, 65536, &j, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(json_get_string(json_object_get(json_object_get(j, "flow"), "source"),
				 "pod_name", &pod, &e),
		0);
	assert_string_equal(pod, name);
}

static void test_lost(void **state)
{
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	flow_json_write_lost(&out, 18446744073709551615u, 1700000000000000000u, &node);
	assert_string_equal(str_text(&out),
		"{\"lost_events\":{\"source\":\"HUBBLE_RING_BUFFER\",\"num_events_lost\":"
		"\"18446744073709551615\"},\"node_name\":\"node-1\","
		"\"time\":\"2023-11-14T22:13:20.000000000Z\"}");
}

/* Lines go one behind the other into the buffer of a stream. */
static void test_stream(void **state)
{
	struct flow_record r = base();
	SCOPED(str_done)
	struct str one = {0}, two = {0};

	(void)state;
	flow_json_write(&one, &r, &node);
	flow_json_write(&two, &r, &node);
	str_add(&two, "\n");
	flow_json_write(&two, &r, &node);
	assert_int_equal(two.len, 2 * one.len + 1);
	assert_string_equal(str_text(&two) + one.len + 1, str_text(&one));
}

static void test_summaries(void **state)
{
	static const struct {
		uint8_t family, protocol, a, b; /* TCP flags, or type and code */
		const char *want;
	} cases[] = {
		{4, IPPROTO_TCP, 0x12, 0, "TCP Flags: SYN, ACK"},
		{4, IPPROTO_TCP, 0x11, 0, "TCP Flags: ACK, FIN"},
		{4, IPPROTO_TCP, 0xff, 0, "TCP Flags: SYN, ACK, RST, FIN, PSH, URG, ECE, CWR"},
		{4, IPPROTO_TCP, 0, 0, "TCP Flags: "},
		{4, IPPROTO_UDP, 0, 0, "UDP"},
		{6, IPPROTO_SCTP, 0, 0, "SCTP"},
		{4, IPPROTO_ICMP, 8, 0, "ICMPv4 EchoRequest"},
		{4, IPPROTO_ICMP, 8, 5, "ICMPv4 EchoRequest(Code: 5)"},
		{4, IPPROTO_ICMP, 3, 3, "ICMPv4 DestinationUnreachable(Port)"},
		{4, IPPROTO_ICMP, 3, 99, "ICMPv4 DestinationUnreachable(Code: 99)"},
		{4, IPPROTO_ICMP, 11, 0, "ICMPv4 TimeExceeded(TTLExceeded)"},
		{4, IPPROTO_ICMP, 200, 3, "ICMPv4 200(3)"},
		{6, IPPROTO_ICMPV6, 129, 0, "ICMPv6 EchoReply"},
		{6, IPPROTO_ICMPV6, 135, 0, "ICMPv6 NeighborSolicitation"},
		{6, IPPROTO_ICMPV6, 1, 4, "ICMPv6 DestinationUnreachable(PortUnreachable)"},
		{4, 47, 0, 0, "IPv4"},
		{6, 50, 0, 0, "IPv6"},
		{0, 0, 0, 0, "Ethernet"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct flow_record r = {.family = cases[i].family,
			.protocol = cases[i].protocol,
			.tcp_flags = cases[i].a,
			.icmp_type = cases[i].a,
			.icmp_code = cases[i].b};
		SCOPED(str_done)
		struct str out = {0};

		flow_summary(&out, &r);
		assert_string_equal(str_text(&out), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_policy_verdict),
		cmocka_unit_test(test_audit_and_shadow),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_l4),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_summaries),
	};

	return cmocka_run_group_tests_name("flow/json", tests, NULL, NULL);
}
