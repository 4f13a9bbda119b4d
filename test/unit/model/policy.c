/* SPDX-License-Identifier: Apache-2.0 */
/* How policies read: selectors, what is kept beside the rules, lists and kinds. */
#include "refusal.h"

/* How a selector of a policy reads: subject, or the first one of the first rule. */
struct row {
	const char *text, *subject, *peer;
};

static const struct row rows[] = {
	{IN("fromEndpoints: [{}]"), "k8s:io.kubernetes.pod.namespace=default",
		"k8s:io.kubernetes.pod.namespace=default"},
	{IN("fromEndpoints: [{matchLabels: {a: b, 'k8s:c': d, k8s.e: f, k8s.io/g: h, any.i: j}}]"),
		NULL,
		"any:a=b,k8s:c=d,k8s:e=f,any:k8s.io/"
		"g=h,any:i=j,k8s:io.kubernetes.pod.namespace=default"},
	{IN("fromEndpoints: [{matchLabels: {reserved.host: '', $health: ''}}]"), NULL,
		"reserved:host=,reserved:health="},
	{IN("fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: x}}]"), NULL,
		"k8s:io.kubernetes.pod.namespace=x"},
	{IN("fromEndpoints: [{matchLabels: {'any:io.kubernetes.pod.namespace': x}}]"), NULL,
		"k8s:io.kubernetes.pod.namespace=x"},
	{IN("fromEndpoints: [{matchLabels: {'container:io.kubernetes.pod.namespace': x}}]"), NULL,
		"container:io.kubernetes.pod.namespace=x,k8s:io.kubernetes.pod.namespace=default"},
	{IN("fromEndpoints: [{matchExpressions: [{key: 'any:io.cilium.k8s.namespace.labels.a', "
	    "operator: "
	    "NotIn, values: [b, c]}]}]"),
		NULL,
		"k8s:io.cilium.k8s.namespace.labels.a notin (b,c),k8s:io.kubernetes.pod.namespace"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: DoesNotExist}, {key: b, "
	    "operator: In, "
	    "values: [c, d]}]}]"),
		NULL, "!any:a,any:b in (c,d),k8s:io.kubernetes.pod.namespace=default"},
	{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  endpointSelector: {}\n  ingress: "
						"[{fromEndpoints: [{}]}]\n",
		"", "k8s:io.kubernetes.pod.namespace"},
	{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  endpointSelector: {matchExpressions: "
						"[{key: "
						"$init, operator: Exists}]}\n  ingress: "
						"[{fromEndpoints: [{matchLabels: {a: b}}]}]\n",
		"reserved:init", "any:a=b"},
	{NP("  ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]\n"),
		"k8s:io.kubernetes.pod.namespace=default",
		"k8s:a=b,k8s:io.kubernetes.pod.namespace=default"},
	{NP("  ingress: [{from: [{namespaceSelector: {matchLabels: {x.io/a: b}}, podSelector: "
	    "{matchLabels: "
	    "{k8s.c: d}}}]}]\n"),
		NULL,
		"k8s:io.cilium.k8s.namespace.labels.x.io/"
		"a=b,k8s:k8s.c=d,k8s:io.kubernetes.pod.namespace"},
};

static void check_selector(const struct selector *s, const char *want)
{
	struct str text = {0};

	selector_format(&text, s);
	if (want)
		assert_string_equal(str_text(&text), want);
	str_done(&text);
}

static void test_selectors(void **state)
{
	const struct row *row = *state;
	struct reading r = {0};

	reading_need(&r, &plain_context, row->text);
	check_selector(&r.set.policy[0].spec[0].subject, row->subject);
	check_selector(&r.set.policy[0].spec[0].rule[0].peer[0].selector[0], row->peer);
	reading_done(&r);
}

/* Everything that is kept of a policy beside its selectors. */
static void test_fields(void **state)
{
	static const char text[] = "apiVersion: cilium.io/v2\n"
				   "kind: CiliumNetworkPolicy\n"
				   "metadata:\n"
				   "  name: p\n"
				   "  namespace: ns\n"
				   "  uid: 0123-4567\n"
				   "  labels: {b: c, a: b}\n"
				   "  annotations: {x: y}\n"
				   "  creationTimestamp: null\n"
				   "specs:\n"
				   "- endpointSelector: {}\n"
				   "  description: first\n"
				   "  log: {value: seen}\n"
				   "  labels: [{key: k, value: v, source: k8s}, 'any:x=y']\n"
				   "  egressDeny:\n"
				   "  - toCIDRSet:\n"
				   "    - {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n"
				   "    - cidr: fd00::1\n"
				   "    toPorts: [{ports: [{port: '10', endPort: 20, protocol: "
				   "UDP}, {protocol: ESP}]}]\n"
				   "- endpointSelector: {}\n"
				   "  enableDefaultDeny: {ingress: false}\n"
				   "  ingress:\n"
				   "  - authentication: {mode: disabled}\n"
				   "    icmps: [{fields: [{type: 3, family: IPv6}]}]\n"
				   "  egress: []\n"
				   "status: {conditions: []}\n";
	struct reading read = {0};
	const struct policy *p;
	const struct rule *r;
	struct str name = {0};

	(void)state;
	reading_need(&read, &plain_context, text);
	p = &read.set.policy[0];
	policy_format_name(&name, p);
	assert_string_equal(str_text(&name), "CiliumNetworkPolicy/ns/p");
	str_done(&name);
	assert_string_equal(p->uid, "0123-4567");
	assert_int_equal(p->labels.count, 2);
	assert_string_equal(p->labels.label[0].key, "a");
	assert_int_equal(p->specs, 2);
	assert_string_equal(p->spec[0].description, "first");
	assert_string_equal(p->spec[0].log, "seen");
	assert_string_equal(p->spec[1].log, "");
	assert_int_equal(p->spec[0].labels.count, 2);
	assert_false(p->spec[0].default_deny[POLICY_INGRESS]);
	assert_true(p->spec[0].default_deny[POLICY_EGRESS]);
	assert_false(p->spec[1].default_deny[POLICY_INGRESS]);
	assert_false(p->spec[1].default_deny[POLICY_EGRESS]);
	r = &p->spec[0].rule[0];
	assert_string_equal(r->path, "specs[0].egressDeny[0]");
	assert_string_equal(r->origin.file, "p.yaml");
	assert_int_equal(r->origin.line, 16);
	assert_int_equal(r->action, ACTION_DENY);
	assert_int_equal(r->direction, POLICY_EGRESS);
	assert_int_equal(r->peers, 2);
	assert_int_equal(r->peer[0].kind, PEER_PREFIX);
	assert_int_equal(r->peer[0].excepts, 1);
	assert_int_equal(r->peer[1].prefix[0].bits, 128);
	assert_int_equal(r->ports, 2);
	assert_int_equal(r->port[0].protocol, 17);
	assert_int_equal(r->port[0].first, 10);
	assert_int_equal(r->port[0].last, 20);
	assert_int_equal(r->port[1].protocol, 50);
	assert_int_equal(r->port[1].last, 65535);
	r = &p->spec[1].rule[0];
	assert_string_equal(r->path, "specs[1].ingress[0]");
	assert_int_equal(r->peer[0].kind, PEER_ANY);
	assert_int_equal(r->port[0].protocol, 58);
	assert_int_equal(r->port[0].first, 0x300);
	assert_int_equal(r->port[0].last, 0x3ff);
	reading_done(&read);
}

/* Lists of all kinds; a bad item leaves the set as it was. */
static void test_lists(void **state)
{
	static const char good[] =
		"apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n"
		"- {apiVersion: v1, kind: Namespace, metadata: {name: x}}\n"
		"- {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: a}, "
		"spec: "
		"{endpointSelector: {}, ingress: []}}\n"
		"- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: b}, "
		"spec: {}}\n"
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n"
		"- {metadata: {name: c}, spec: {podSelector: {}}}\n"
		"---\napiVersion: v1\nkind: NamespaceList\nitems: [{metadata: {name: y}}]\n"
		"---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicyList\nitems: "
		"[]\n";
	static const char bad[] =
		"apiVersion: v1\nkind: List\nitems:\n"
		"- {apiVersion: v1, kind: Namespace, metadata: {name: z}}\n"
		"- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: d}, "
		"spec: {}}\n"
		"- {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: e}, "
		"spec: "
		"{endpointSelector: {}, ingress: [7]}}\n";
	struct reading r = {0}, more = {0};

	(void)state;
	reading_need(&r, &plain_context, good);
	assert_int_equal(r.set.count, 3);
	assert_int_equal(r.set.namespaces, 2);
	assert_string_equal(r.set.policy[2].kind, "NetworkPolicy");
	assert_string_equal(r.set.policy[2].name, "c");
	assert_true(r.set.policy[2].spec[0].default_deny[POLICY_INGRESS]);
	for (size_t i = 0; i < r.docs.count; i++)
		assert_true(policy_is_kind(r.docs.doc[i].root));
	more.set = r.set;
	assert_int_equal(reading_parse(&more, &plain_context, bad), -EINVAL);
	assert_int_equal(more.set.count, 3);
	assert_int_equal(more.set.namespaces, 2);
	reading_done(&more);
	yaml_docs_done(&r.docs);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} kinds[] = {{"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy}", true},
		{"{apiVersion: cilium.io/v3, kind: CiliumNetworkPolicy}", true},
		{"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList}", true},
		{"{apiVersion: extensions/v1beta1, kind: NetworkPolicy}", true},
		{"{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy}", false},
		{"{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy}",
			true},
		{"{apiVersion: policy.networking.k8s.io/v2, kind: AdminNetworkPolicyList}", true},
		{"{apiVersion: networking.k8s.io/v1, kind: ClusterNetworkPolicy}", false},
		{"{apiVersion: v1, kind: Namespace}", true}, {"{apiVersion: v2, kind: Node}", true},
		{"{apiVersion: serving.knative.dev/v1, kind: Service}", false},
		{"{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice}", true},
		{"{apiVersion: v1, kind: EndpointSlice}", false},
		{"{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup}", true},
		{"{apiVersion: cilium.io/v2, kind: CiliumEgressGatewayPolicy}", false},
		{"{kind: Namespace}", false},
		{"{apiVersion: cilium.io/v2, kind: NetworkPolicy}", false},
		{"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}", false},
		{"{apiVersion: v1, kind: List, items: [{apiVersion: cilium.io/v2, kind: "
		 "CiliumNetworkPolicy}]}",
			true},
		{"{apiVersion: v1, kind: List}", false}, {"{kind: NetworkPolicy}", false},
		{"[]", false}, {"{apiVersion: 7, kind: NetworkPolicy}", false}, {"x", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct yaml_docs docs = {0};
		struct err e = {0};

		assert_int_equal(
			yaml_parse("k", kinds[i].text, strlen(kinds[i].text), &docs, &e), 0);
		if (policy_is_kind(docs.doc[0].root) != kinds[i].is)
			fail_msg("%s", kinds[i].text);
		yaml_docs_done(&docs);
	}
}

int main(void)
{
	struct CMUnitTest tests[3 + ARRAY_SIZE(rows)] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_kinds),
	};
	size_t count = 3;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[count++] = (struct CMUnitTest){
			"selectors", test_selectors, NULL, NULL, (void *)&rows[i]};
	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
