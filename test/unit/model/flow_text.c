/* SPDX-License-Identifier: Apache-2.0 */
/* model/flow_text.c: the lines of `hubble observe` for each kind of flow and format; nothing that a
 * terminal would obey. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/flow_text.h"

#define TIME  "\"time\":\"2023-11-04T02:13:20.123456789Z\""
#define STAMP "Nov  4 02:13:20.123"
#define TCP(source, destination)                                                                   \
	"\"IP\":{\"source\":\"10.0.0.5\",\"destination\":\"10.0.0.7\",\"ipVersion\":\"IPv4\"},"    \
	"\"l4\":{\"TCP\":{\"source_port\":" #source ",\"destination_port\":" #destination "}}"
#define WEB           "{\"ID\":1,\"identity\":300,\"namespace\":\"default\",\"pod_name\":\"web-1\"}"
#define DB            "{\"ID\":2,\"identity\":301,\"namespace\":\"shop\",\"pod_name\":\"db-1\"}"
#define FLOW(members) "{\"flow\":{" TIME ",\"node_name\":\"n1\"," members "},\"node_name\":\"n1\"}"

static const struct {
	const char *json, *want;
} compact[] = {
	{FLOW(TCP(40000, 80) ",\"source\":" WEB ",\"destination\":" DB
			     ",\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":4},"
			     "\"is_reply\":false,\"Summary\":\"TCP Flags: SYN\""),
		STAMP ": default/web-1:40000 (ID:300) -> shop/db-1:80 (ID:301) to-endpoint "
		      "FORWARDED (TCP Flags: SYN)\n"},
	/* a reply is shown the way its flow was opened */
	{FLOW(TCP(
		 80, 40000) ",\"source\":" DB ",\"destination\":" WEB
			    ",\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":4,\"sub_type\":3},"
			    "\"is_reply\":true,\"Summary\":\"TCP Flags: SYN, ACK\""),
		STAMP ": default/web-1:40000 (ID:300) <- shop/db-1:80 (ID:301) to-stack "
		      "FORWARDED (TCP Flags: SYN, ACK)\n"},
	{FLOW(TCP(40000,
		 80) ",\"source\":" WEB ",\"destination\":" DB
		     ",\"verdict\":\"DROPPED\",\"event_type\":{\"type\":1,\"sub_type\":133},"
		     "\"drop_reason_desc\":\"POLICY_DENIED\",\"Summary\":\"TCP Flags: SYN\""),
		STAMP ": default/web-1:40000 (ID:300) <> shop/db-1:80 (ID:301) Policy denied "
		      "DROPPED (TCP Flags: SYN)\n"},
	{FLOW(TCP(
		 40000, 80) ",\"source\":" WEB ",\"destination\":" DB
			    ",\"verdict\":\"DROPPED\",\"event_type\":{\"type\":5,\"sub_type\":133},"
			    "\"traffic_direction\":\"EGRESS\",\"Summary\":\"TCP Flags: SYN\""),
		STAMP ": default/web-1:40000 (ID:300) <> shop/db-1:80 (ID:301) "
		      "policy-verdict:none EGRESS DENIED (TCP Flags: SYN)\n"},
	{FLOW(TCP(40000, 80) ",\"source\":" WEB ",\"destination\":" DB
			     ",\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":5},\"is_reply\":"
			     "false,\"policy_match_type\":2,\"traffic_direction\":\"INGRESS\","
			     "\"Summary\":\"TCP Flags: SYN\""),
		STAMP ": default/web-1:40000 (ID:300) -> shop/db-1:80 (ID:301) "
		      "policy-verdict:L3-L4 INGRESS ALLOWED (TCP Flags: SYN)\n"},
	{FLOW(TCP(40000, 80) ",\"verdict\":\"AUDIT\",\"event_type\":{\"type\":5},"
			     "\"policy_match_type\":9"),
		STAMP ": 10.0.0.5:40000 (unknown) <> 10.0.0.7:80 (unknown) policy-verdict:9 "
		      "TRAFFIC_DIRECTION_UNKNOWN AUDITED ()\n"},
	/* identities with names, addresses of IPv6 with ports and without */
	{FLOW("\"IP\":{\"source\":\"fd00::1\",\"destination\":\"fd00::2\"},\"l4\":{\"UDP\":{"
	      "\"source_port\":53,\"destination_port\":5353}},\"source\":{\"identity\":1},"
	      "\"destination\":{\"identity\":2},\"verdict\":\"FORWARDED\",\"event_type\":{"
	      "\"type\":4,\"sub_type\":7},\"Summary\":\"UDP\""),
		STAMP
		": [fd00::1]:53 (host) <> [fd00::2]:5353 (world) from-host FORWARDED (UDP)\n"},
	{FLOW("\"IP\":{\"source\":\"fd00::1\",\"destination\":\"fd00::2\"},\"l4\":{\"ICMPv6\":{"
	      "\"type\":128}},\"source\":{\"identity\":6},\"destination\":{\"identity\":16777217},"
	      "\"verdict\":\"FORWARDED\",\"event_type\":{\"type\":4,\"sub_type\":2},\"Summary\":"
	      "\"ICMPv6 EchoRequest\""),
		STAMP ": fd00::1 (remote-node) <> fd00::2 (ID:16777217) to-host FORWARDED "
		      "(ICMPv6 EchoRequest)\n"},
	/* names of services and of DNS, endpoints without a namespace */
	{FLOW(TCP(1, 2) ",\"source\":{\"pod_name\":\"unit\"},\"destination_names\":[\"a.io\","
			"\"b.io\"],\"event_type\":{\"type\":4,\"sub_type\":99}"),
		STAMP ": unit:1 (unknown) <> a.io,b.io:2 (unknown) 99 VERDICT_UNKNOWN ()\n"},
	{FLOW(TCP(1, 2) ",\"destination_service\":{\"name\":\"s\",\"namespace\":\"n\"},"
			"\"event_type\":{\"type\":1,\"sub_type\":250},\"verdict\":\"DROPPED\""),
		STAMP ": 10.0.0.5:1 (unknown) <> n/s:2 (unknown) 250 DROPPED ()\n"},
	{FLOW(TCP(1, 2) ",\"event_type\":{\"type\":1,\"sub_type\":189},\"drop_reason_desc\":"
			"\"AUTH_REQUIRED\",\"verdict\":\"DROPPED\""),
		STAMP ": 10.0.0.5:1 (unknown) <> 10.0.0.7:2 (unknown) AUTH_REQUIRED DROPPED ()\n"},
	/* no IP: the Ethernet addresses */
	{FLOW("\"ethernet\":{\"source\":\"02:00:00:00:00:01\",\"destination\":"
	      "\"ff:ff:ff:ff:ff:ff\"},\"event_type\":{\"type\":1,\"sub_type\":166},\"verdict\":"
	      "\"DROPPED\",\"Summary\":\"Ethernet\""),
		STAMP ": 02:00:00:00:00:01 (unknown) <> ff:ff:ff:ff:ff:ff (unknown) Unsupported L2 "
		      "protocol DROPPED (Ethernet)\n"},
	{"{\"flow\":{\"event_type\":{\"type\":200},\"verdict\":\"X\"}}",
		"N/A:  (unknown) <>  (unknown) UNKNOWN X ()\n"},
	/* text of workloads does not reach the terminal as it is */
	{FLOW(TCP(
		 1, 2) ",\"source\":{\"pod_name\":\"a\\u001b[31m\\nb\",\"namespace\":\"\\u009bn\"},"
		       "\"destination_names\":[\"x\\ry\"],\"event_type\":{\"type\":4},\"verdict\":"
		       "\"\\u0007\",\"Summary\":\"s\\u001b\""),
		STAMP ": ?n/a?[31m?b:1 (unknown) <> x?y:2 (unknown) to-endpoint ? (s?)\n"},
	/* wrong types are as good as absent */
	{"{\"flow\":{\"time\":5,\"IP\":[],\"source\":\"x\",\"l4\":{\"TCP\":5},\"event_type\":{"
	 "\"type\":\"4\"},\"verdict\":1,\"Summary\":{}}}",
		"N/A:  (unknown) <>  (unknown) UNKNOWN VERDICT_UNKNOWN ()\n"},
	{"{\"lost_events\":{\"source\":\"HUBBLE_RING_BUFFER\",\"num_events_lost\":\"12\"}}",
		"EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12\n"},
	{"{\"node_status\":{}}", ""},
	{"[]", ""},
};

static void add(struct flow_text *t, const char *json, struct str *out)
{
	SCOPED(json_unrefp)
	json_t *j = NULL;
	struct err e = {0};

	if (json_parse_text(json, strlen(json), 65536, &j, &e) < 0)
		fail_msg("%s: %s", json, e.text);
	flow_text_add(t, j, out);
}

static void check(const struct flow_text_options *options, const char *json, const char *want)
{
	SCOPED(flow_text_freep)
	struct flow_text *t = flow_text_new(options);
	SCOPED(str_done)
	struct str out = {0};

	add(t, json, &out);
	flow_text_end(t, &out);
	assert_string_equal(str_text(&out), want);
}

static void test_compact(void **state)
{
	const struct flow_text_options options = {.format = FLOW_TEXT_COMPACT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(compact); i++)
		check(&options, compact[i].json, compact[i].want);
}

#define DROP                                                                                       \
	FLOW(TCP(40000,                                                                            \
		80) ",\"source\":" WEB ",\"destination\":" DB                                      \
		    ",\"verdict\":\"DROPPED\",\"event_type\":{\"type\":1,\"sub_type\":133},"       \
		    "\"Summary\":\"TCP Flags: SYN\"")

static void test_options(void **state)
{
	struct flow_text_options options = {.node_name = true, .numeric = true};

	(void)state;
	check(&options, DROP,
		STAMP " [n1]: 10.0.0.5:40000 (ID:300) <> 10.0.0.7:80 (ID:301) Policy denied "
		      "DROPPED (TCP Flags: SYN)\n");
	options = (struct flow_text_options){.color = true};
	check(&options, DROP,
		STAMP ": \033[36mdefault/web-1\033[0m:\033[33m40000\033[0m "
		      "\033[35m(ID:300)\033[0m <> \033[36mshop/db-1\033[0m:\033[33m80\033[0m "
		      "\033[35m(ID:301)\033[0m Policy denied \033[31mDROPPED\033[0m "
		      "(TCP Flags: SYN)\n");
}

static void test_reasons(void **state)
{
	static const struct {
		const char *verdict, *want;
	} cases[] = {{"DEFAULT_DENY", " because T?\n"}, {"DENY", " because denied by T?\n"},
		{"ALLOW", " because allowed by T?\n"}};
	struct flow_text_options options = {.reasons = true};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		SCOPED(str_done)
		struct str json = {0}, want = {0};

		str_printf(&json,
			"{\"flow\":{" TIME "},\"kilim\":{\"rules\":[{\"direction\":\"EGRESS\","
			"\"verdict\":\"%s\",\"text\":\"T\\n\"}]}}",
			cases[i].verdict);
		str_printf(&want, STAMP ":  (unknown) <>  (unknown) UNKNOWN VERDICT_UNKNOWN ()%s",
			cases[i].want);
		options.reasons = true;
		check(&options, str_text(&json), str_text(&want));
		options.reasons = false;
		check(&options, str_text(&json),
			STAMP ":  (unknown) <>  (unknown) UNKNOWN VERDICT_UNKNOWN ()\n");
	}
}

static void test_dict(void **state)
{
	const struct flow_text_options options = {.format = FLOW_TEXT_DICT, .node_name = true};
	SCOPED(flow_text_freep)
	struct flow_text *t = flow_text_new(&options);
	SCOPED(str_done)
	struct str out = {0};

	(void)state;
	add(t, DROP, &out);
	add(t, "{\"lost_events\":{\"source\":\"S\",\"num_events_lost\":\"3\"}}", &out);
	flow_text_end(t, &out);
	assert_string_equal(str_text(&out), "  TIMESTAMP: " STAMP "\n"
					    "       NODE: n1\n"
					    "     SOURCE: default/web-1:40000\n"
					    "DESTINATION: shop/db-1:80\n"
					    "       TYPE: Policy denied\n"
					    "    VERDICT: DROPPED\n"
					    "    SUMMARY: TCP Flags: SYN\n"
					    "------------\n"
					    "  TIMESTAMP: \n"
					    "       NODE: \n"
					    "     SOURCE: S\n"
					    "DESTINATION: \n"
					    "       TYPE: EVENTS LOST\n"
					    "    VERDICT: \n"
					    "    SUMMARY: CPU(0) - 3\n");
}

static void test_tab(void **state)
{
	const struct flow_text_options options = {.format = FLOW_TEXT_TAB, .color = true};
	SCOPED(flow_text_freep)
	struct flow_text *t = flow_text_new(&options);
	SCOPED(flow_text_freep)
	struct flow_text *empty = flow_text_new(&options);
	SCOPED(str_done)
	struct str out = {0}, none = {0};

	(void)state;
	add(t, DROP, &out);
	assert_int_equal(out.len, 0);
	add(t, compact[0].json, &out);
	flow_text_end(t, &out);
	assert_string_equal(str_text(&out), "TIMESTAMP             SOURCE                "
					    "DESTINATION    TYPE            VERDICT     "
					    "SUMMARY\n"
					    "Nov  4 02:13:20.123   default/web-1:40000   "
					    "shop/db-1:80   Policy denied   DROPPED     "
					    "TCP Flags: SYN\n"
					    "Nov  4 02:13:20.123   default/web-1:40000   "
					    "shop/db-1:80   to-endpoint     FORWARDED   "
					    "TCP Flags: SYN\n");
	flow_text_end(empty, &none);
	assert_int_equal(none.len, 0);
}

/* JSON goes through unchanged in value, and without anything that a terminal would obey. */
static void test_json(void **state)
{
	const struct flow_text_options options = {.format = FLOW_TEXT_JSON};

	(void)state;
	check(&options, "{ \"flow\": {\"a\": \"x\\u001b\\u007f\\u009b\\u00e4\\n\"} }",
		"{\"flow\":{\"a\":\"x\\u001B\\u007F\\u009Bä\\n\"}}\n");
	check(&options, "{\"node_status\":{}}", "{\"node_status\":{}}\n");
}

static void test_formats(void **state)
{
	enum flow_text_format f = FLOW_TEXT_TAB;

	(void)state;
	assert_int_equal(flow_text_format_parse("compact", &f), 0);
	assert_int_equal(f, FLOW_TEXT_COMPACT);
	assert_int_equal(flow_text_format_parse("jsonpb", &f), 0);
	assert_int_equal(f, FLOW_TEXT_JSON);
	assert_int_equal(flow_text_format_parse("xml", &f), -EINVAL);
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_dict),
		cmocka_unit_test(test_tab),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests_name("model/flow_text", tests, setup, NULL);
}
