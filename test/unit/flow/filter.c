/* SPDX-License-Identifier: Apache-2.0 */
/* flow/filter.c: a truth table over a set of flows for every field, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "abi/drop.h"
#include "flow/filter.h"
#include "model/addr.h"

/* The flows that every filter is tried on; a string of their letters says which must pass. */
enum {
	A, /* default/web-1 -> shop/db-1, TCP SYN, new, trace to-endpoint, ingress */
	B, /* its reply, SYN ACK, to-endpoint, egress of nothing: direction EGRESS */
	C, /* drop, policy denied, v6, UDP 53 */
	D, /* policy verdict, denied by a deny rule, reply unknown */
	E, /* policy verdict, allowed, ICMP echo from the host */
	F, /* trace from-host of something that is no IP, nothing known */
	FLOWS,
};

struct world {
	struct arena mem;
	struct flow_end web, db, host, world6, nobody;
	struct flow_record flow[FLOWS];
};

static void make_end(struct world *w, struct flow_end *end, uint32_t id, uint32_t identity,
	const char *namespace, const char *pod, const char *const *labels)
{
	struct err e = {0};

	end->references = 1;
	end->id = id;
	end->identity = identity;
	end->namespace = arena_strdup(&w->mem, namespace);
	end->pod = arena_strdup(&w->mem, pod);
	end->cluster = arena_strdup(&w->mem, id ? "east-1" : "");
	end->set.label = arena_array(&w->mem, 8, sizeof(*end->set.label));
	for (; labels && *labels; labels++)
		assert_int_equal(
			label_parse(&w->mem, *labels, "k8s", &end->set.label[end->set.count++], &e),
			0);
	assert_int_equal(labels_normalize(&end->set, &e), 0);
}

static struct flow_record make_flow(
	struct flow_end *source, struct flow_end *destination, const char *from, const char *to)
{
	struct flow_record r = {.source_end = source,
		.destination_end = destination,
		.is_reply = FLOW_REPLY_UNKNOWN};

	if (from) {
		assert_int_equal(addr_parse(from, &r.source), 0);
		assert_int_equal(addr_parse(to, &r.destination), 0);
		r.family = addr_is_v4(&r.source) ? 4 : 6;
	}
	return r;
}

static void make_flows(struct world *w)
{
	struct flow_record *f = w->flow;

	f[A] = make_flow(&w->web, &w->db, "10.0.1.5", "10.0.2.7");
	f[A].protocol = IPPROTO_TCP;
	f[A].source_port = 40000;
	f[A].destination_port = 5432;
	f[A].tcp_flags = 0x02;
	f[A].verdict = FLOW_FORWARDED;
	f[A].event_type = FLOW_EVENT_TRACE;
	f[A].direction = FLOW_INGRESS;
	f[A].is_reply = FLOW_REPLY_NO;
	f[A].ifindex = 7;
	memset(f[A].uuid, 0x11, 16);
	f[B] = f[A];
	f[B].source_end = &w->db;
	f[B].destination_end = &w->web;
	f[B].source = f[A].destination;
	f[B].destination = f[A].source;
	f[B].source_port = 5432;
	f[B].destination_port = 40000;
	f[B].tcp_flags = 0x12;
	f[B].is_reply = FLOW_REPLY_YES;
	f[B].direction = FLOW_EGRESS;
	f[B].ifindex = 8;
	memset(f[B].uuid, 0x22, 16);
	f[C] = make_flow(&w->web, &w->world6, "fd00::5", "2001:db8::1");
	f[C].protocol = IPPROTO_UDP;
	f[C].source_port = 5353;
	f[C].destination_port = 53;
	f[C].verdict = FLOW_DROPPED;
	f[C].event_type = FLOW_EVENT_DROP;
	f[C].sub_type = f[C].drop_reason = DROP_POLICY_DENIED;
	f[C].direction = FLOW_EGRESS;
	f[D] = make_flow(&w->host, &w->db, "10.0.0.1", "10.0.2.7");
	f[D].protocol = IPPROTO_SCTP;
	f[D].destination_port = 80;
	f[D].verdict = FLOW_DROPPED;
	f[D].event_type = FLOW_EVENT_POLICY_VERDICT;
	f[D].sub_type = f[D].drop_reason = DROP_POLICY_DENY;
	f[D].direction = FLOW_INGRESS;
	f[E] = make_flow(&w->host, &w->web, "10.0.0.1", "10.0.1.5");
	f[E].protocol = IPPROTO_ICMP;
	f[E].icmp_type = 8;
	f[E].verdict = FLOW_FORWARDED;
	f[E].event_type = FLOW_EVENT_POLICY_VERDICT;
	f[E].direction = FLOW_INGRESS;
	f[E].is_reply = FLOW_REPLY_NO;
	f[E].is_shadow = true;
	f[F] = make_flow(&w->nobody, &w->nobody, NULL, NULL);
	f[F].verdict = FLOW_FORWARDED;
	f[F].event_type = FLOW_EVENT_TRACE;
	f[F].sub_type = TRACE_FROM_HOST;
}

static int setup(void **state)
{
	static const char *const web[] = {"k8s:app=web", "k8s:tier=front", NULL};
	static const char *const db[] = {"k8s:app=db", "container:app=other", NULL};
	static const char *const host[] = {"reserved:host", NULL};
	static const char *const world6[] = {"cidr:2001:db8::/32", "reserved:world-ipv6", NULL};
	struct world *w = mem_alloc(sizeof(*w));

	make_end(w, &w->web, 12, 300, "default", "web-1", web);
	make_end(w, &w->db, 13, 301, "shop", "db-1", db);
	make_end(w, &w->host, 0, 1, "", "", host);
	make_end(w, &w->world6, 0, 10, "", "", world6);
	make_end(w, &w->nobody, 0, 0, "", "", NULL);
	make_flows(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	arena_done(&w->mem);
	free(w);
	return 0;
}

/* One filter of a whitelist, and the flows that pass. */
static const struct {
	const char *filter, *want;
} fields[] = {
	{"{}", "ABCDEF"},
	{"{\"source_pod\":[]}", "ABCDEF"},
	{"{\"source_pod\":null}", "ABCDEF"},
	/* addresses */
	{"{\"source_ip\":[\"10.0.1.5\"]}", "A"},
	{"{\"destination_ip\":[\"10.0.1.5\"]}", "BE"},
	{"{\"source_ip\":[\"10.0.0.0/16\"]}", "ABDE"},
	{"{\"source_ip\":[\"10.0.0.0/15\", \"fd00::/8\"]}", "ABCDE"},
	{"{\"source_ip\":[\"0.0.0.0/0\"]}", "ABDE"},
	{"{\"source_ip\":[\"::/0\"]}", "C"},
	{"{\"destination_ip\":[\"2001:0db8:0::1\"]}", "C"},
	{"{\"source_ip\":[\"10.0.1.55\"]}", ""},
	/* pods */
	{"{\"source_pod\":[\"web-1\"]}", "AC"},
	{"{\"source_pod\":[\"web\"]}", "AC"},
	{"{\"source_pod\":[\"default/web\"]}", "AC"},
	{"{\"source_pod\":[\"shop/\"]}", "B"},
	{"{\"source_pod\":[\"shop/db-12\"]}", ""},
	{"{\"source_pod\":[\"db-1\"]}", ""},
	{"{\"source_pod\":[\"/db\"]}", "B"},
	{"{\"source_pod\":[\"/db\", \"web\"]}", "ABC"},
	{"{\"destination_pod\":[\"default/\"]}", "BE"},
	{"{\"source_pod\":[\"sho/\"]}", ""},
	/* labels */
	{"{\"source_label\":[\"app=web\"]}", "AC"},
	{"{\"source_label\":[\"k8s:app=web\"]}", "AC"},
	{"{\"source_label\":[\"container:app=web\"]}", ""},
	{"{\"source_label\":[\"app=other\"]}", "B"},
	{"{\"source_label\":[\"k8s:app=other\"]}", ""},
	{"{\"source_label\":[\"reserved:host\"]}", "DE"},
	{"{\"source_label\":[\"app\"]}", "ABC"},
	{"{\"source_label\":[\"!app\"]}", "DEF"},
	{"{\"source_label\":[\"app!=web\"]}", "BDEF"},
	{"{\"source_label\":[\"app in (web, db)\"]}", "ABC"},
	{"{\"source_label\":[\"app notin (web),app\"]}", "B"},
	{"{\"source_label\":[\"app==web,tier==front\"]}", "AC"},
	{"{\"source_label\":[\"app=web,tier=back\"]}", ""},
	{"{\"source_label\":[\"tier=back\", \"app=db\"]}", "B"},
	{"{\"destination_label\":[\"reserved:world-ipv6\"]}", "C"},
	{"{\"source_label\":[\"\"]}", "ABCDEF"},
	/* identities, ports, protocols */
	{"{\"source_identity\":[1]}", "DE"},
	{"{\"destination_identity\":[300, 10]}", "BCE"},
	{"{\"source_identity\":[0]}", "F"},
	{"{\"destination_port\":[\"5432\"]}", "A"},
	{"{\"source_port\":[\"5432\", \"5353\"]}", "BC"},
	{"{\"destination_port\":[\"80\"]}", "D"},
	{"{\"destination_port\":[\"0\"]}", ""},
	{"{\"source_port\":[\"0\"]}", "D"},
	{"{\"protocol\":[\"tcp\"]}", "AB"},
	{"{\"protocol\":[\"TCP\", \"sctp\"]}", "ABD"},
	{"{\"protocol\":[\"icmp\"]}", "E"},
	{"{\"protocol\":[\"icmpv4\"]}", "E"},
	{"{\"protocol\":[\"icmpv6\"]}", ""},
	{"{\"protocol\":[\"udp\"]}", "C"},
	{"{\"protocol\":[\"vrrp\", \"igmp\"]}", ""},
	/* verdicts */
	{"{\"verdict\":[\"DROPPED\"]}", "CD"},
	{"{\"verdict\":[\"FORWARDED\", \"AUDIT\"]}", "ABEF"},
	{"{\"verdict\":[2]}", "CD"},
	{"{\"drop_reason_desc\":[\"POLICY_DENIED\"]}", "C"},
	{"{\"drop_reason_desc\":[\"POLICY_DENY\"]}", "D"},
	{"{\"drop_reason_desc\":[\"AUTH_REQUIRED\"]}", ""},
	{"{\"drop_reason_desc\":[133, 181]}", "CD"},
	{"{\"traffic_direction\":[\"INGRESS\"]}", "ADE"},
	{"{\"traffic_direction\":[\"EGRESS\"]}", "BC"},
	{"{\"traffic_direction\":[\"TRAFFIC_DIRECTION_UNKNOWN\"]}", "F"},
	{"{\"ip_version\":[\"IPv4\"]}", "ABDE"},
	{"{\"ip_version\":[\"IPv6\"]}", "C"},
	{"{\"ip_version\":[\"IP_NOT_USED\"]}", "F"},
	/* event types */
	{"{\"event_type\":[{\"type\":1}]}", "C"},
	{"{\"event_type\":[{\"type\":4}]}", "ABF"},
	{"{\"event_type\":[{\"type\":5}]}", "DE"},
	{"{\"event_type\":[{}]}", "ABCDEF"},
	{"{\"event_type\":[{\"type\":4,\"sub_type\":7}]}", "ABF"},
	{"{\"event_type\":[{\"type\":4,\"match_sub_type\":true,\"sub_type\":7}]}", "F"},
	{"{\"event_type\":[{\"type\":4,\"match_sub_type\":true}]}", "AB"},
	{"{\"event_type\":[{\"type\":5,\"match_sub_type\":true,\"sub_type\":181},{\"type\":1}]}",
		"CD"},
	{"{\"event_type\":[{\"match_sub_type\":true,\"sub_type\":133}]}", "C"},
	{"{\"event_type\":[{\"type\":129}]}", ""},
	/* flags */
	{"{\"tcp_flags\":[{\"SYN\":true}]}", "AB"},
	{"{\"tcp_flags\":[{\"SYN\":true,\"ACK\":true}]}", "B"},
	{"{\"tcp_flags\":[{\"RST\":true},{\"ACK\":true}]}", "B"},
	{"{\"tcp_flags\":[{\"SYN\":true,\"ACK\":false}]}", "AB"},
	{"{\"tcp_flags\":[{\"FIN\":true}]}", ""},
	{"{\"tcp_flags\":[{}]}", "AB"},
	/* replies: unknown ones are no replies when dropped, else neither */
	{"{\"reply\":[false]}", "ACDE"},
	{"{\"reply\":[true]}", "B"},
	{"{\"reply\":[true, false]}", "ABCDE"},
	{"{\"shadow\":[true]}", "E"},
	{"{\"shadow\":[false]}", "ABCDF"},
	/* the rest */
	{"{\"interface\":[{\"index\":7}]}", "A"},
	{"{\"uuid\":[\"22222222-2222-2222-2222-222222222222\"]}", "B"},
	{"{\"uuid\":[\"22222222\"]}", ""},
	{"{\"source_cluster_name\":[\"east-1\"]}", "ABC"},
	{"{\"source_cluster_name\":[\"east*\"]}", "ABC"},
	{"{\"source_cluster_name\":[\"*\"]}", "ABC"},
	{"{\"destination_cluster_name\":[\"*-1\"]}", "ABDE"},
	{"{\"source_cluster_name\":[\"west\"]}", ""},
	/* this node is east/node-1.example */
	{"{\"node_name\":[\"node-1.example\"]}", "ABCDEF"},
	{"{\"node_name\":[\"node-1\"]}", ""},
	{"{\"node_name\":[\"node*\"]}", "ABCDEF"},
	{"{\"node_name\":[\"*e\"]}", "ABCDEF"},
	{"{\"node_name\":[\"n*-*.*e\"]}", "ABCDEF"},
	{"{\"node_name\":[\"n*x\"]}", ""},
	{"{\"node_name\":[\"east/\"]}", "ABCDEF"},
	{"{\"node_name\":[\"e*/node*\"]}", "ABCDEF"},
	{"{\"node_name\":[\"west/node-1.example\"]}", ""},
	{"{\"node_name\":[\"west/\", \"EAST/Node-1.example\"]}", "ABCDEF"},
	{"{\"node_name\":[\"/node-1.example\"]}", "ABCDEF"},
	/* fields together: all must match */
	{"{\"source_pod\":[\"web\"],\"protocol\":[\"tcp\"]}", "A"},
	{"{\"source_pod\":[\"web\"],\"verdict\":[\"DROPPED\"],\"destination_port\":[\"53\"]}", "C"},
	{"{\"source_pod\":[\"web\"],\"protocol\":[\"sctp\"]}", ""},
};

/* Whole requests. */
static const struct {
	const char *filters, *want;
} lists[] = {
	{"{}", "ABCDEF"},
	{"{\"whitelist\":[],\"blacklist\":[]}", "ABCDEF"},
	{"{\"whitelist\":null}", "ABCDEF"},
	{"{\"whitelist\":[{\"protocol\":[\"udp\"]},{\"protocol\":[\"icmp\"]}]}", "CE"},
	{"{\"blacklist\":[{\"protocol\":[\"udp\"]}]}", "ABDEF"},
	{"{\"blacklist\":[{\"protocol\":[\"udp\"]},{\"protocol\":[\"tcp\"]}]}", "DEF"},
	{"{\"whitelist\":[{\"source_pod\":[\"/"
	 "\\u0077\"]}],\"blacklist\":[{\"verdict\":[\"DROPPED\"]}]}",
		"A"},
	{"{\"whitelist\":[{\"source_pod\":[\"default/\"]},{\"destination_pod\":[\"default/\"]}]}",
		"ABCE"},
	{"{\"blacklist\":[{}]}", ""},
};

static const struct {
	const char *filters, *want; /* beginning of the error */
} refused[] = {
	{"[]", "filter: expected"},
	{"{\"whitelst\":[]}", "filter: whitelst is neither whitelist nor blacklist"},
	{"{\"whitelist\":{}}", "whitelist: expected a list of filters, found a mapping"},
	{"{\"whitelist\":[[]]}", "whitelist[0].expected a filter, found a list"},
	{"{\"whitelist\":[{},{\"pod\":[\"x\"]}]}",
		"whitelist[1].pod: a flow filter has no such field"},
	{"{\"blacklist\":[{\"http_path\":[\"/x\"]}]}",
		"blacklist[0].http_path: filtering by this is not supported yet"},
	{"{\"whitelist\":[{\"experimental\":{\"cel_expression\":[\"x\"]}}]}",
		"whitelist[0].experimental: filtering by this is not supported yet"},
	{"{\"whitelist\":[{\"source_pod\":\"x\"}]}",
		"whitelist[0].source_pod: expected a list, found a string"},
	{"{\"whitelist\":[{\"source_pod\":[\"a\", 5]}]}",
		"whitelist[0].source_pod[1]: expected a string, found an integer"},
	{"{\"whitelist\":[{\"source_pod\":[\"\"]}]}",
		"whitelist[0].source_pod[0]: \"\" names nothing"},
	{"{\"whitelist\":[{\"source_pod\":[\"/\"]}]}",
		"whitelist[0].source_pod[0]: \"/\" names nothing"},
	{"{\"whitelist\":[{\"source_ip\":[\"10.0.0\"]}]}",
		"whitelist[0].source_ip[0]: \"10.0.0\" is no address and no prefix"},
	{"{\"whitelist\":[{\"source_ip\":[\"10.0.0.0/33\"]}]}", "whitelist[0].source_ip[0]: "},
	{"{\"whitelist\":[{\"source_port\":[\"http\"]}]}",
		"whitelist[0].source_port[0]: \"http\" is no port number"},
	{"{\"whitelist\":[{\"source_port\":[\"65536\"]}]}", "whitelist[0].source_port[0]: "},
	{"{\"whitelist\":[{\"source_port\":[80]}]}",
		"whitelist[0].source_port[0]: expected a string, found an integer"},
	{"{\"whitelist\":[{\"protocol\":[\"dns\"]}]}",
		"whitelist[0].protocol[0]: dns: filtering by this is not supported yet"},
	{"{\"whitelist\":[{\"protocol\":[\"gre\"]}]}",
		"whitelist[0].protocol[0]: \"gre\" is none of"},
	{"{\"whitelist\":[{\"verdict\":[\"dropped\"]}]}",
		"whitelist[0].verdict[0]: \"dropped\" is no known value"},
	{"{\"whitelist\":[{\"verdict\":[true]}]}",
		"whitelist[0].verdict[0]: expected a name, found a boolean"},
	{"{\"whitelist\":[{\"verdict\":[-1]}]}", "whitelist[0].verdict[0]: expected a number"},
	{"{\"whitelist\":[{\"source_identity\":[\"1\"]}]}",
		"whitelist[0].source_identity[0]: expected a number"},
	{"{\"whitelist\":[{\"source_identity\":[4294967296]}]}",
		"whitelist[0].source_identity[0]: expected a number up to 4294967295"},
	{"{\"whitelist\":[{\"reply\":[\"true\"]}]}",
		"whitelist[0].reply[0]: expected true or false, found a string"},
	{"{\"whitelist\":[{\"event_type\":[1]}]}",
		"whitelist[0].event_type[0]: expected {\"type\""},
	{"{\"whitelist\":[{\"event_type\":[{\"typ\":1}]}]}",
		"whitelist[0].event_type[0]: typ: an event type has no such field"},
	{"{\"whitelist\":[{\"event_type\":[{\"type\":256}]}]}",
		"whitelist[0].event_type[0]: type: 256 is not in 0..255"},
	{"{\"whitelist\":[{\"tcp_flags\":[{\"NS\":true}]}]}",
		"whitelist[0].tcp_flags[0]: NS: no such flag is recorded"},
	{"{\"whitelist\":[{\"tcp_flags\":[{\"SYN\":1}]}]}",
		"whitelist[0].tcp_flags[0]: SYN: expected true or false"},
	{"{\"whitelist\":[{\"interface\":[{\"name\":\"eth0\"}]}]}",
		"whitelist[0].interface[0]: name: filtering by this is not supported yet"},
	{"{\"whitelist\":[{\"interface\":[{\"x\":1}]}]}", "whitelist[0].interface[0]: expected"},
	{"{\"whitelist\":[{\"node_name\":[\"a/b/c\"]}]}",
		"whitelist[0].node_name[0]: \"a/b/c\" is no [cluster/]node"},
	{"{\"whitelist\":[{\"node_name\":[\"a b\"]}]}",
		"whitelist[0].node_name[0]: \"a b\": ' ' cannot be part of a name"},
	{"{\"whitelist\":[{\"source_label\":[\"app=web,\"]}]}",
		"whitelist[0].source_label[0]: label selector \"app=web,\": nothing follows"},
	{"{\"whitelist\":[{\"source_label\":[\"app in web\"]}]}",
		"whitelist[0].source_label[0]: label selector \"app in web\": \"(\" is missing"},
	{"{\"whitelist\":[{\"source_label\":[\"n > 5\"]}]}",
		"whitelist[0].source_label[0]: label selector \"n > 5\": < and > are not "
		"supported"},
};

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct err e = {0};

	if (json_parse_text(text, strlen(text), 65536, &j, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return j;
}

static void check(struct world *w, const char *text, const char *want)
{
	SCOPED(json_unrefp)
	json_t *j = parse(text);
	SCOPED(flow_filters_freep)
	struct flow_filters *filters = NULL;
	char got[FLOWS + 1] = "";
	struct err e = {0};
	size_t count = 0;

	if (flow_filters_parse(j, "east/node-1.example", &filters, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	for (int i = 0; i < FLOWS; i++) {
		if (flow_filters_match(filters, &w->flow[i]))
			got[count++] = (char)('A' + i);
	}
	if (strcmp(got, want))
		fail_msg("%s passes \"%s\", want \"%s\"", text, got, want);
}

/* Each filter in the whitelist passes what it says; in the blacklist, exactly the others. */
static void test_fields(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		SCOPED(str_done)
		struct str white = {0}, black = {0};
		char others[FLOWS + 1] = "";
		size_t count = 0;

		str_printf(&white, "{\"whitelist\":[%s]}", fields[i].filter);
		str_printf(&black, "{\"blacklist\":[%s]}", fields[i].filter);
		for (int k = 0; k < FLOWS; k++) {
			if (!strchr(fields[i].want, 'A' + k))
				others[count++] = (char)('A' + k);
		}
		check(*state, str_text(&white), fields[i].want);
		check(*state, str_text(&black), others);
	}
}

static void test_lists(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		check(w, lists[i].filters, lists[i].want);
	assert_true(flow_filters_match(NULL, &w->flow[A]));
}

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		SCOPED(json_unrefp)
		json_t *j = parse(refused[i].filters);
		struct flow_filters *filters = NULL;
		struct err e = {0};

		assert_int_equal(flow_filters_parse(j, "n", &filters, &e), -EINVAL);
		assert_null(filters);
		if (!str_has_prefix(e.text, refused[i].want))
			fail_msg("%s: \"%s\", want \"%s\"", refused[i].filters, e.text,
				refused[i].want);
	}
}

/* All fields of things that flows do not have yet. */
static void test_not_yet(void **state)
{
	static const char *const names[] = {"source_fqdn", "destination_fqdn", "source_service",
		"destination_service", "source_workload", "destination_workload",
		"source_ip_xlated", "http_status_code", "http_method", "http_path", "http_url",
		"http_header", "dns_query", "trace_id", "ip_trace_id", "encrypted", "node_labels",
		"experimental"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		SCOPED(json_unrefp)
		json_t *j = json_pack("{s:[{s:[s]}]}", "whitelist", names[i], "x");
		struct flow_filters *filters = NULL;
		struct err e = {0};

		assert_int_equal(flow_filters_parse(j, "n", &filters, &e), -EINVAL);
		assert_non_null(strstr(e.text, names[i]));
		assert_non_null(strstr(e.text, "not supported yet"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_yet),
	};

	return cmocka_run_group_tests_name("flow/filter", tests, setup, teardown);
}
