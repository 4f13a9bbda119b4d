/* SPDX-License-Identifier: Apache-2.0 */
/* What explanations say: the deciding rule, or what denies by default and which rule came nearest.
 */
#include "fixture.h"

#define CNP_HEAD "  - {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: "

/* Line numbers below are of this text. */
static const char text[] =
	"nodes: [{name: n1}, {name: n2}]\n"
	"endpoints:\n"
	"  - {name: k, labels: {app: k}, addresses: [10.0.0.9], node: n1}\n"
	"  - {name: e, labels: {app: e}, addresses: [10.0.0.8], node: n1}\n"
	"  - {name: a, labels: {app: a, tier: front}, addresses: [10.0.0.1], node: n1}\n"
	"  - {name: b, labels: {app: b}, addresses: [10.0.0.2], node: n1}\n"
	"  - {name: d, labels: {app: d}, addresses: [10.0.0.4], node: n1}\n"
	"policies:\n" CNP_HEAD "in}, spec: {endpointSelector: {matchLabels: {app: b}}, ingress: [\n"
	"      {fromEndpoints: [{matchLabels: {app: a, tier: back}}],\n"
	"       toPorts: [{ports: [{port: '80', protocol: TCP}, {port: '8000', endPort: "
	"8010}]}]},\n"
	"      {fromCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.128/25]}]}]}}\n" CNP_HEAD
	"out}, spec: {endpointSelector: {matchLabels: {app: d}}, egress: [\n"
	"      {toCIDR: [10.0.0.0/8]},\n"
	"      {toPorts: [{ports: [{port: '53', protocol: UDP}]}]}]}}\n" CNP_HEAD
	"none}, spec: {endpointSelector: {matchLabels: {app: a}}, egress: [{}],\n"
	"      egressDeny: [{toEntities: [remote-node]}]}}\n" CNP_HEAD
	"free}, spec: {endpointSelector: {matchLabels: {app: e}},\n"
	"      enableDefaultDeny: {egress: false}, egressDeny: [{toEntities: [remote-node]}]}}\n"
	"  - apiVersion: networking.k8s.io/v1\n"
	"    kind: NetworkPolicy\n"
	"    metadata: {name: closed}\n"
	"    spec: {podSelector: {matchLabels: {app: k}}, policyTypes: [Egress]}\n";

struct expected {
	const char *from, *to, *traffic, *says;
};

static void test_text(void **state)
{
	static const struct expected want[] = {
		{"b", "a", "80", "egress   allowed: no policy restricts egress of b\n"},
		{"world:203.0.113.7", "b", "80",
			"ingress  allowed by CiliumNetworkPolicy/default/in ingress[1] "
			"(t.yaml:12), "
			"tier normal\n"},
		{"world:203.0.113.200", "b", "80",
			"ingress  denied by default, because of CiliumNetworkPolicy/default/in "
			"(t.yaml:9)\n"
			"           nearest: CiliumNetworkPolicy/default/in ingress[1] (t.yaml:12) "
			"203.0.113.200 is in 203.0.113.0/24, but also in its except "
			"203.0.113.128/25 [CIDR]\n"},
		{"a", "b", "8005/SCTP",
			"denied by default, because of CiliumNetworkPolicy/default/none"},
		{"e", "b", "8005", "ingress[0] (t.yaml:10) wants app=a, e has k8s:app=e [peer]\n"},
		{"d", "b", "54/UDP",
			"CiliumNetworkPolicy/default/out egress[1] (t.yaml:15) allows 53/UDP, not "
			"54/UDP [port]\n"},
		{"d", "world:192.0.2.1", "53/TCP",
			"egress[1] (t.yaml:15) allows 53/UDP, not 53/TCP [protocol]\n"},
		{"a", "node:n2", "1",
			"egress   denied by CiliumNetworkPolicy/default/none egressDeny[0] "
			"(t.yaml:17)"},
		{"e", "a", "80",
			"egress   allowed: no rule for egress of e fits, and none is needed\n"},
		{"k", "host", "80",
			"egress   allowed: a NetworkPolicy does not stop traffic of k to its own "
			"node\n"},
		{"k", "node:n2", "80",
			"denied by default, because of NetworkPolicy/default/closed (t.yaml:20)\n"
			"           no policy that selects it has a rule that allows egress\n"},
		{"a", "b", "80", "denied by default, because of CiliumNetworkPolicy/default/none"},
		{"a", "a", "80", "an endpoint always reaches itself\n"},
		{"host", "b", "80", "ingress  allowed: the node of b always reaches it\n"},
		{"host", "node:n2", "80", "neither end is an endpoint: no policy applies\n"},
		{"b", "world:192.0.2.1", "IGMP",
			"dropped for another reason than policy: Multicast handled\n"},
	};
	struct scenario s = {0};
	struct world w = {0};

	(void)state;
	fixture_world(text, NULL, &s, &w);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct question q = {.family = FAMILY_V4};
		struct explanation x = {0};
		struct str out = {0};
		struct answer a;

		assert_int_equal(scenario_end_parse(&s, want[i].from, &q.from, NULL), 0);
		assert_int_equal(scenario_end_parse(&s, want[i].to, &q.to, NULL), 0);
		assert_int_equal(traffic_parse(want[i].traffic, &q.traffic, NULL), 0);
		judge(&w, &q, 1, &a);
		answer_explain(&w, &q, &a, &x);
		explanation_write(&out, &x, "  ");
		if (!strstr(str_text(&out), want[i].says))
			fail_msg("%s -> %s %s:\n%sdoes not say\n%s", want[i].from, want[i].to,
				want[i].traffic, str_text(&out), want[i].says);
		str_done(&out);
		explanation_done(&x);
	}
	world_done(&w);
	scenario_done(&s);
}

/* The one field that failed, for every kind of peer. */
static void test_nearest(void **state)
{
	struct label app_a[] = {{"k8s", "app", "a"}}, host[] = {{"reserved", "host", ""}};
	struct labels self_labels = {app_a, 1}, host_labels = {host, 1};
	struct explain_end self = {.name = "self", .labels = &self_labels, .is_endpoint = true};
	struct explain_end peer = {
		.name = "the node", .labels = &host_labels, .is_node = true, .is_own_node = true};
	struct requirement zone = {.key = {"any", "zone", ""}, .op = SELECTOR_EXISTS};
	struct selector of_zone = {&zone, 1}, all = {0};
	struct peer node = {.kind = PEER_NODE, .selector = &of_zone, .selectors = 1};
	struct peer nobody = {.kind = PEER_NONE},
		    service = {.kind = PEER_SERVICE, .namespace = "", .name = "db"};
	struct prefix ten;
	struct peer cidr = {.kind = PEER_PREFIX, .prefix = &ten, .prefixes = 1};
	struct rule rule = {.direction = POLICY_EGRESS,
		.action = ACTION_ALLOW,
		.order = RULE_UNORDERED,
		.peer = &node,
		.peers = 1,
		.path = (char *)"egress[0]"};
	struct policy_spec spec = {.subject = all, .rule = &rule, .rules = 1};
	struct policy p = {.kind = "CiliumNetworkPolicy",
		.namespace = "",
		.name = "p",
		.tier = TIER_NORMAL,
		.spec = &spec,
		.specs = 1};
	struct policy_set set = {.policy = &p, .count = 1};
	struct traffic t = {6, 80};
	struct arena mem = {0};
	struct explain_near near;

	(void)state;
	assert_int_equal(prefix_parse("10.0.0.0/8", false, &ten), 0);
	assert_int_equal(addr_parse("11.0.0.1", &peer.addr), 0);
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_string_equal(near.text, "is for other nodes, the node is none");
	assert_string_equal(near.field, "peer");
	peer.is_own_node = false;
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_string_equal(near.text, "wants zone, the node has no such label");
	rule.peer = &cidr;
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_string_equal(near.text, "10.0.0.0/8 means addresses outside, the node is a node");
	assert_string_equal(near.field, "CIDR");
	cidr.reach = PREFIX_NODES;
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_string_equal(near.text, "11.0.0.1 is not in 10.0.0.0/8");
	rule.peer = &nobody;
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_string_equal(near.text, "has an empty list of peers: nobody");
	rule.peer = &service;
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_string_equal(near.text, "the node is no backend of service db");
	explain_nearest(&mem, &set, POLICY_INGRESS, &self, &peer, &t, &near);
	assert_null(near.policy);
	p.mode = MODE_SHADOW;
	explain_nearest(&mem, &set, POLICY_EGRESS, &self, &peer, &t, &near);
	assert_null(near.policy);
	arena_done(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text), cmocka_unit_test(test_nearest)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
