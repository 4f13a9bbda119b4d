/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules of the Cilium kinds and of NetworkPolicy become: peers, ports, order, switches. */
#include "describe.h"
#include "refusal.h"

#define CCNP(spec) HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  endpointSelector: {}\n" spec
#define NS_KEY     "k8s:io.kubernetes.pod.namespace"
#define HERE       NS_KEY "=default"
#define MEMBERS                                                                                    \
	"reserved:host or reserved:remote-node or reserved:init or reserved:ingress or "           \
	"reserved:health or reserved:unmanaged or reserved:kube-apiserver or "                     \
	"k8s:io.cilium.k8s.policy.cluster"

static const struct described rows[] = {
	/* absent, null, empty */
	{IN("{}"), "in allow none"},
	{IN("fromEndpoints: []"), "in allow none"},
	{IN("fromEndpoints: null"), "in allow none"},
	{IN("fromEndpoints: null\n    toPorts: [{ports: [{port: '80'}]}]"),
		"in allow any ports=0:80"},
	{IN("fromEndpoints: []\n    toPorts: [{ports: [{port: '80'}]}]"),
		"in allow none ports=0:80"},
	{IN("fromCIDR: []\n    toPorts: [{ports: [{port: '80'}]}]"), "in allow none ports=0:80"},
	{IN("fromCIDRSet: []\n    toPorts: [{ports: [{port: '80'}]}]"), "in allow none ports=0:80"},
	{IN("fromEntities: []\n    toPorts: [{ports: [{port: '80'}]}]"),
		"in allow none ports=0:80"},
	{IN("fromNodes: []\n    toPorts: [{ports: [{port: '80'}]}]"), "in allow none ports=0:80"},
	{IN("fromGroups: []\n    toPorts: [{ports: [{port: '80'}]}]"), "in allow none ports=0:80"},
	{OUT("toServices: []\n    toPorts: [{ports: [{port: '80'}]}]"),
		"out allow none ports=0:80"},
	{OUT("toFQDNs: []\n    toPorts: [{ports: [{port: '80'}]}]"), "out allow none ports=0:80"},
	{IN("fromRequires: []\n    toPorts: [{ports: [{port: '80'}]}]"), "in allow any ports=0:80"},
	{IN("fromEndpoints: []\n    fromEntities: [world-ipv4]"),
		"in allow endpoint{reserved:world-ipv4}"},
	{IN("toPorts: []"), "in allow none"},
	{IN("toPorts: [{}]"), "in allow none"},
	{IN("toPorts: [{ports: []}]\n    fromEntities: [host]"), "in allow none"},
	{IN("icmps: [{}]\n    fromEntities: [host]"), "in allow none"},
	{IN("toPorts: []\n    fromEntities: [host]"), "in allow endpoint{reserved:host}"},
	{IN("authentication: {mode: disabled}"), "in allow none"},
	/* endpoints */
	{IN("fromEndpoints: [{}]"), "in allow endpoint{" HERE "}"},
	{CCNP("  ingress: [{fromEndpoints: [{}]}]\n"), "in allow endpoint{" NS_KEY "}"},
	{IN("fromEndpoints: [{matchLabels: {a: b}}, {matchLabels: {'k8s:c': d}}]"),
		"in allow endpoint{any:a=b," HERE " or k8s:c=d," HERE "}"},
	{IN("fromEndpoints: [{matchLabels: {'k8s:io.kubernetes.pod.namespace': x}}]"),
		"in allow endpoint{" NS_KEY "=x}"},
	{IN("fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: "
	    "NotIn, "
	    "values: [x]}, {key: a, operator: DoesNotExist}]}]"),
		"in allow endpoint{" NS_KEY " notin (x),!any:a," NS_KEY "}"},
	{IN("fromEndpoints: [{matchExpressions: [{key: io.cilium.k8s.namespace.labels.a, operator: "
	    "Exists}]}]"),
		"in allow endpoint{k8s:io.cilium.k8s.namespace.labels.a}"},
	{IN("fromEndpoints: [{matchExpressions: [{key: reserved.init, operator: DoesNotExist}]}]"),
		"in allow endpoint{!reserved:init}"},
	/* entities */
	{IN("fromEntities: [all]"), "in allow any"},
	{IN("fromEntities: [all, host]"), "in allow any"},
	{IN("fromEntities: [none]"), "in allow none"},
	{IN("fromEntities: [none, host]"), "in allow endpoint{reserved:host}"},
	{IN("fromEntities: [world]"),
		"in allow endpoint{reserved:world or reserved:world-ipv4 or reserved:world-ipv6}"},
	{IN("fromEntities: [world-ipv4, world-ipv6]"),
		"in allow endpoint{reserved:world-ipv4 or reserved:world-ipv6}"},
	{IN("fromEntities: [remote-node, health, init, ingress, kube-apiserver, unmanaged]"),
		"in allow endpoint{reserved:remote-node or reserved:health or reserved:init or "
		"reserved:ingress or reserved:kube-apiserver or reserved:unmanaged}"},
	{OUT("toEntities: [cluster]"), "out allow endpoint{" MEMBERS "=kilim}"},
	{OUT("toEntities: [cluster-mesh]"), "out allow endpoint{" MEMBERS "}"},
	/* CIDRs */
	{IN("fromCIDR: [10.0.0.0/8, 10.1.2.3, 'fd00::/8', 10.9.9.9/8]"),
		"in allow cidr{10.0.0.0/8,10.1.2.3/32,fd00::/8,10.0.0.0/8}"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}, {cidr: "
	    "'::/0'}]"),
		"in allow cidr{10.0.0.0/8 except 10.1.0.0/16,10.2.0.0/16}|cidr{::/0}"},
	{IN("fromCIDRSet: [{cidrGroupRef: g, except: [10.1.0.0/16]}]"),
		"in allow group{g except 10.1.0.0/16}"},
	{OUT("toCIDRSet: [{cidrGroupSelector: {matchLabels: {a: b, 'k8s:c': d}}}, "
	     "{cidrGroupSelector: {}}]"),
		"out allow group{cidrgroup:a=b,k8s:c=d}|group{*}"},
	/* nodes */
	{IN("fromNodes: [{}]"), "in allow node{*}"},
	{IN("fromNodes: [{matchLabels: {a: b, 'k8s:c': d}}, {matchExpressions: [{key: e, operator: "
	    "DoesNotExist}]}]"),
		"in allow node{node:a=b,k8s:c=d or !node:e}"},
	{OUT("toNodes: [{matchLabels: {io.kubernetes.pod.namespace: x}}]"),
		"out allow node{node:io.kubernetes.pod.namespace=x}"},
	/* services */
	{OUT("toServices: [{k8sService: {serviceName: s, namespace: n}}, {k8sService: "
	     "{serviceName: "
	     "s}}]"),
		"out allow service{n/s}|service{default/s}"},
	{CCNP("  egress: [{toServices: [{k8sService: {serviceName: s}}]}]\n"),
		"out allow service{/s}"},
	{OUT("toServices: [{k8sServiceSelector: {selector: {matchLabels: {a: b}}, namespace: n}}, "
	     "{k8sServiceSelector: {selector: {}}}]"),
		"out allow service{n/any:a=b}|service{/*}"},
	/* groups of a provider mean nobody */
	{OUT("toGroups: [{aws: {labels: {a: b}, securityGroupsIds: [x], securityGroupsNames: [y], "
	     "region: z}}]"),
		"out allow none"},
	{IN("fromGroups: [{}]\n    toPorts: [{ports: [{port: '80'}]}]"),
		"in allow none ports=0:80"},
	/* ports */
	{IN("toPorts: [{ports: [{port: '80', protocol: TCP}, {port: 53, protocol: udp}, {port: "
	    "'0', "
	    "protocol: SCTP}, {}]}]"),
		"in allow any ports=6:80|17:53|132:0-65535|0:0-65535"},
	{IN("toPorts: [{ports: [{port: '80', endPort: 90}]}, {ports: [{port: '1', endPort: 65535, "
	    "protocol: TCP}, {port: '7', endPort: 0}]}]"),
		"in allow any ports=0:80-90|6:1-65535|0:7"},
	{IN("toPorts: [{ports: [{port: http}, {port: DNS-Tcp, protocol: TCP}, {port: 80a}, {port: "
	    "a-b-c-d-e-f-g-h}]}]"),
		"in allow any ports=0:http|6:dns-tcp|0:80a|0:a-b-c-d-e-f-g-h"},
	{IN("toPorts: [{ports: [{protocol: VRRP}, {protocol: IGMP}, {protocol: GRE}, {protocol: "
	    "IPIP}, {protocol: IPV6}, {protocol: ESP}, {protocol: AH}]}]"),
		"in allow any "
		"ports=112:0-65535|2:0-65535|47:0-65535|4:0-65535|41:0-65535|50:0-65535|"
		"51:0-65535"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {}}]"), "in allow any ports=0:80"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: null, listener: null, serverNames: null}]"),
		"in allow any ports=0:80"},
	/* ICMP */
	{IN("icmps: [{fields: [{type: 8}, {type: '0', family: IPv4}, {type: EchoReply, family: "
	    "IPv6}]}, {fields: [{type: PacketTooBig, family: IPv6}]}]"),
		"in allow any ports=1:2048-2303|1:0-255|58:33024-33279|58:512-767"},
	{IN("fromEntities: [host]\n    icmps: [{fields: [{type: Echo}]}]"),
		"in allow endpoint{reserved:host} ports=1:2048-2303"},
	/* order and action */
	{CNP("  ingress: [{order: -5, fromEntities: [host]}]\n"
	     "  ingressDeny: [{order: 0, fromEntities: [health]}]\n"
	     "  egress: [{order: 2147483646, toEntities: [host]}, {order: null, toEntities: "
	     "[init]}]\n"
	     "  egressDeny: [{order: -2147483648}]\n"),
		"in allow order=-5 endpoint{reserved:host}; "
		"in deny order=0 endpoint{reserved:health}; "
		"out allow order=2147483646 endpoint{reserved:host}; "
		"out allow endpoint{reserved:init}; "
		"out deny order=-2147483648 none"},
	{CNP("  ingressDeny: [{fromCIDRSet: [{cidrGroupRef: g}]}, {fromNodes: [{}]}]\n"),
		"in deny group{g}; in deny node{*}"},
	/* NetworkPolicy */
	{NP("  ingress: [{}]\n"), "in allow any"},
	{NP("  ingress: [{from: []}]\n"), "in allow any"},
	{NP("  ingress: [{from: null, ports: []}]\n"), "in allow any"},
	{NP("  ingress: [{from: [{podSelector: {}}]}]\n"), "in allow endpoint{" HERE "}"},
	{NP("  ingress: [{from: [{namespaceSelector: {}}]}]\n"), "in allow endpoint{" NS_KEY "}"},
	{NP("  ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: a, operator: "
	    "DoesNotExist}]}, podSelector: {matchExpressions: [{key: b, operator: In, values: [c, "
	    "d]}]}}]}]\n"),
		"in allow endpoint{!k8s:io.cilium.k8s.namespace.labels.a,k8s:b in (c,d)," NS_KEY
		"}"},
	{NP("  policyTypes: [Egress]\n  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: "
	    "[10.1.0.0/16]}}, {ipBlock: {cidr: '::/0'}}]}]\n"),
		"out allow cidr{10.0.0.0/8 except 10.1.0.0/16}|cidr{::/0}"},
	{NP("  ingress: [{ports: [{port: 80}, {port: http, protocol: UDP}, {protocol: SCTP}, "
	    "{port: "
	    "80, endPort: 90, protocol: TCP}, {}]}]\n"),
		"in allow any ports=6:80|17:http|132:0-65535|6:80-90|6:0-65535"},
	{NP("  policyTypes: [Ingress]\n  egress: [{}]\n"), ""},
};

static void test_rows(void **state)
{
	check_described(&plain_context, *state);
}

/* Settings that change what a document means. */
static void test_context(void **state)
{
	static const struct policy_context full = {.cluster = "kilim",
		.default_namespace = "home",
		.local_cluster = true,
		.cilium_reach = PREFIX_NODES,
		.kubernetes_reach = PREFIX_PODS | PREFIX_NODES};
#define OWN "k8s:io.cilium.k8s.policy.cluster=kilim"
	static const struct described described[] = {
		{IN("fromEndpoints: [{}, {matchLabels: {io.cilium.k8s.policy.cluster: other}}, "
		    "{matchLabels: {'reserved:host': ''}}, {matchLabels: "
		    "{io.kubernetes.pod.namespace: x}}]"),
			"in allow endpoint{" OWN "," NS_KEY
			"=home or k8s:io.cilium.k8s.policy.cluster=other," NS_KEY
			"=home or reserved:host= or " NS_KEY "=x," OWN "}"},
		{CCNP("  ingress: [{fromEndpoints: [{}]}]\n"),
			"in allow endpoint{" OWN "," NS_KEY "}"},
		{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  endpointSelector: {matchLabels: "
							"{'reserved:init': ''}}\n"
							"  ingress: [{fromEndpoints: "
							"[{matchLabels: {a: b}}]}]\n",
			"in allow endpoint{any:a=b}"},
		{IN("fromCIDR: [10.0.0.0/8]"), "in allow cidr{10.0.0.0/8 +nodes}"},
		{IN("fromCIDRSet: [{cidr: 10.0.0.0/8}, {cidrGroupRef: g}]"),
			"in allow cidr{10.0.0.0/8 +nodes}|group{g +nodes}"},
		{NP("  ingress: [{from: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]\n"),
			"in allow endpoint{" NS_KEY "=home}|cidr{10.0.0.0/8 +pods +nodes}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(described); i++)
		check_described(&full, &described[i]);
}

/* Which directions a document denies by default. */
static const struct {
	const char *text;
	bool in, out;
} defaults[] = {
	{CNP("  ingress: []\n"), false, false},
	{CNP("  ingress: [{}]\n"), true, false},
	{CNP("  ingressDeny: [{}]\n"), true, false},
	{CNP("  egress: [{}]\n  ingress: null\n"), false, true},
	{CNP("  ingress: [{}]\n  egressDeny: [{}]\n"), true, true},
	{CNP("  ingress: [{}]\n  enableDefaultDeny: {ingress: false}\n"), false, false},
	{CNP("  ingress: [{}]\n  enableDefaultDeny: {ingress: null, egress: false}\n"), true,
		false},
	{CNP("  ingress: []\n  enableDefaultDeny: {ingress: true}\n"), true, false},
	{CNP("  ingress: [{}]\n  enableDefaultDeny: {egress: true}\n"), true, true},
	{CNP("  ingress: [{}]\n  enableDefaultDeny: {}\n"), true, false},
	{NP(""), true, false},
	{NP("  egress: []\n"), true, false},
	{NP("  egress: [{}]\n"), true, true},
	{NP("  policyTypes: []\n  egress: [{}]\n"), true, true},
	{NP("  policyTypes: [Egress]\n"), false, true},
	{NP("  policyTypes: [Egress, Ingress]\n"), true, true},
	{NP("  policyTypes: [Ingress]\n  egress: [{}]\n"), true, false},
};

static void test_defaults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct reading r = {0};
		const struct policy_spec *s;

		reading_need(&r, &plain_context, defaults[i].text);
		s = r.set.policy[0].spec;
		if (s->default_deny[POLICY_INGRESS] != defaults[i].in ||
			s->default_deny[POLICY_EGRESS] != defaults[i].out)
			fail_msg("%s", defaults[i].text);
		assert_int_equal(s->spares_own_node, str_eq(r.set.policy[0].kind, "NetworkPolicy"));
		reading_done(&r);
	}
}

static const struct {
	const char *text;
	enum policy_mode mode;
} modes[] = {
	{CNP("  ingress: []\n"), MODE_ENFORCE},
	{CNP("  mode: enforce\n  ingress: []\n"), MODE_ENFORCE},
	{CNP("  mode: shadow\n  ingress: []\n"), MODE_SHADOW},
	{CNP("  mode: null\n  ingress: []\n"), MODE_ENFORCE},
	{HEAD("CiliumNetworkPolicy") "specs:\n- {endpointSelector: {}, ingress: [], mode: shadow}\n"
				     "- {endpointSelector: {}, ingress: [], mode: shadow}\n",
		MODE_SHADOW},
	{"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, annotations: "
	 "{policy.kilim.io/mode: shadow, other/x: y}}\nspec: {}\n",
		MODE_SHADOW},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, annotations: "
	 "{policy.kilim.io/mode: shadow}}\nspecs:\n- {endpointSelector: {}, ingress: []}\n"
	 "- {endpointSelector: {}, ingress: [], mode: shadow}\n",
		MODE_SHADOW},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
	 "metadata: {name: default, annotations: {policy.kilim.io/mode: shadow}}\n"
	 "spec: {subject: {namespaces: {}}}\n",
		MODE_SHADOW},
};

static void test_modes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct reading r = {0};

		reading_need(&r, &plain_context, modes[i].text);
		if (r.set.policy[0].mode != modes[i].mode)
			fail_msg("%s", modes[i].text);
		reading_done(&r);
	}
}

/* 32 characters, however many bytes they have. */
static void test_log(void **state)
{
	struct reading r = {0};

	(void)state;
	reading_need(&r, &plain_context,
		CNP("  log: {value: 'ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ'}\n  ingress: []\n"));
	assert_int_equal(strlen(r.set.policy[0].spec[0].log), 64);
	reading_done(&r);
}

int main(void)
{
	struct CMUnitTest tests[4 + ARRAY_SIZE(rows)] = {
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_log),
	};
	size_t count = 4;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[count++] =
			(struct CMUnitTest){"rules", test_rows, NULL, NULL, (void *)&rows[i]};
	return cmocka_run_group_tests_name("policy rule", tests, NULL, NULL);
}
