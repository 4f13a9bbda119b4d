/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts of doc/policy-language.md beyond the first cut: tiers, pass, order, shadow mode, named
 * ports, nodes, groups, services, prefixes that reach endpoints, the own node. Rows as in row.h.
 */
#include "row.h"

#define HEAD(kind, name)                                                                           \
	"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: " kind "\nmetadata: {name: " name    \
	"}\nspec:\n"
#define ADMIN(name, priority)                                                                      \
	HEAD("ClusterNetworkPolicy", name)                                                         \
	"  tier: Admin\n  priority: " priority "\n"                                                \
	"  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}}\n"
#define BASELINE                                                                                   \
	HEAD("ClusterNetworkPolicy", "base")                                                       \
	"  tier: Baseline\n  priority: 0\n"                                                        \
	"  subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}}\n"
#define FROM_B                                                                                     \
	"{from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: b}}}}], action: "
#define FROM_ALL "{from: [{namespaces: {}}], action: "
#define NAMED(name)                                                                                \
	"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: " name "}\nspec:\n" \
	"  endpointSelector: {matchLabels: {app: a}}\n"
#define GROUP(name, labels, prefixes)                                                              \
	"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: " name                  \
	", labels: {" labels "}}\nspec: {externalCIDRs: [" prefixes "]}\n---\n"

static const struct row rows[] = {
	/* tiers */
	{"an admin deny beats a normal allow",
		ADMIN("n", "1") "  ingress: [" FROM_B "Deny}]\n---\n" CNP
				"  ingress: [{fromEndpoints: [{}]}]\n",
		"in a b tcp/80 D1;in a a tcp/80 A1;in a y tcp/80 D1"},
	{"an admin accept beats a normal deny",
		ADMIN("n", "1") "  ingress: [" FROM_B "Accept}]\n---\n" CNP
				"  ingressDeny: [{fromEntities: [all]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D4"},
	{"an admin accept beats default deny",
		ADMIN("n", "1") "  ingress: [" FROM_B "Accept}]\n---\n" CNP "  ingress: [{}]\n",
		"in a b tcp/80 A1;in a c tcp/80 N0"},
	{"lower priority first",
		ADMIN("z", "1") "  ingress: [" FROM_B "Accept}]\n---\n" ADMIN(
			"a", "2") "  ingress: [" FROM_ALL "Deny}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1"},
	{"the other way round",
		ADMIN("z", "2") "  ingress: [" FROM_B "Accept}]\n---\n" ADMIN(
			"a", "1") "  ingress: [" FROM_ALL "Deny}]\n",
		"in a b tcp/80 D1;in a c tcp/80 D1;in a world-ipv4 tcp/80 A4"},
	{"rules in their order",
		ADMIN("n", "1") "  ingress: [" FROM_B "Accept}, " FROM_ALL "Deny}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1"},
	{"rules in their order, wide first",
		ADMIN("n", "1") "  ingress: [" FROM_ALL "Deny}, " FROM_B "Accept}]\n",
		"in a b tcp/80 D1;in a c tcp/80 D1"},
	{"pass leaves it to the normal tier",
		ADMIN("n", "1") "  ingress: [" FROM_B "Pass}, " FROM_ALL "Deny}]\n---\n" CNP
				"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1;in a y tcp/80 N0"},
	{"pass skips other policies of the tier",
		ADMIN("n", "1") "  ingress: [" FROM_B
				"Pass}]\n---\n" ADMIN("m", "2") "  ingress: [" FROM_ALL "Deny}]\n",
		"in a b tcp/80 A4;in a c tcp/80 D1"},
	{"pass on some ports",
		ADMIN("n", "1") "  ingress: [{from: [{namespaces: {}}], action: Pass, protocols: "
				"[{tcp: "
				"{destinationPort: {range: {start: 80, end: 90}}}}]}, " FROM_ALL
				"Deny}]\n",
		"in a b tcp/80 A4;in a b tcp/90 A4;in a b tcp/91 D1;in a b udp/80 D1"},
	{"an admin policy isolates nobody", ADMIN("n", "1") "  ingress: [" FROM_B "Accept}]\n",
		"in a c tcp/80 A4;in a world-ipv4 tcp/80 A4"},
	{"baseline decides where nothing is said", BASELINE "  ingress: [" FROM_B "Deny}]\n",
		"in a b tcp/80 D1;in a c tcp/80 A4"},
	{"baseline comes after normal allows",
		BASELINE "  ingress: [" FROM_ALL "Deny}]\n---\n" CNP
			 "  enableDefaultDeny: {ingress: false}\n"
			 "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1;in x y tcp/80 D1"},
	{"default deny comes before baseline",
		BASELINE "  ingress: [" FROM_ALL "Accept}]\n---\n" CNP "  ingress: [{}]\n",
		"in a b tcp/80 N0;in x b tcp/80 A1"},
	{"pass in baseline leaves it to nobody",
		BASELINE "  ingress: [" FROM_B "Pass}, " FROM_ALL "Deny}]\n",
		"in a b tcp/80 A4;in a c tcp/80 D1"},
	{"the older schema",
		"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
		"metadata: {name: n}\nspec:\n  priority: 3\n"
		"  subject: {namespaces: {matchLabels: {env: prod}}}\n"
		"  ingress: [{name: r, action: Deny, from: [{namespaces: {}}], ports: "
		"[{portNumber: "
		"{protocol: TCP, port: 80}}, {portRange: {protocol: UDP, start: 5, end: "
		"6}}]}]\n---\n"
		"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
		"metadata: {name: default}\nspec:\n"
		"  subject: {namespaces: {}}\n"
		"  egress: [{action: Deny, to: [{pods: {namespaceSelector: {}, podSelector: "
		"{matchLabels: {app: c}}}}]}]\n",
		"in x a tcp/80 D2;in x a tcp/81 A4;in x a udp/5 D2;in x a udp/7 A4;in a x tcp/80 "
		"A0;"
		"out a c tcp/1 D1;out a z tcp/1 D1;out a b tcp/1 A4"},
	/* order */
	{"an allow before a deny of the same policy",
		CNP "  ingress: [{order: 1, fromEndpoints: [{matchLabels: {app: b}}]}]\n"
		    "  ingressDeny: [{order: 2, fromEndpoints: [{}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1;in a world-ipv4 tcp/80 N0"},
	{"a deny before an allow",
		CNP "  ingress: [{order: 2, fromEndpoints: [{matchLabels: {app: b}}]}]\n"
		    "  ingressDeny: [{order: 1, fromEndpoints: [{}]}]\n",
		"in a b tcp/80 D1;in a c tcp/80 D1"},
	{"without an order comes last",
		CNP "  ingress: [{order: 1000, fromEndpoints: [{matchLabels: {app: b}}]}]\n"
		    "  ingressDeny: [{fromEndpoints: [{}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1"},
	{"among equals deny comes first",
		CNP "  ingress: [{order: 7, fromEndpoints: [{matchLabels: {app: b}}]}]\n"
		    "  ingressDeny: [{order: 7, fromEndpoints: [{}]}]\n",
		"in a b tcp/80 D1"},
	{"order holds inside one policy only",
		NAMED("p") "  ingress: [{order: 1, fromEndpoints: [{matchLabels: {app: b}}]}]\n"
			   "  ingressDeny: [{order: 2, fromEndpoints: [{}]}]\n---\n" NAMED(
				   "q") "  ingressDeny: [{order: 9, fromEndpoints: [{matchLabels: "
					"{app: b}}]}]\n",
		"in a b tcp/80 D1"},
	{"order by ports",
		CNP
		"  ingress: [{order: 1, fromEndpoints: [{}], toPorts: [{ports: [{port: '80', "
		"endPort: 89, protocol: TCP}]}]}]\n"
		"  ingressDeny: [{order: 2, fromEndpoints: [{}], toPorts: [{ports: [{port: '85', "
		"endPort: 95, protocol: TCP}]}]}, {order: 0, fromEndpoints: [{}], toPorts: "
		"[{ports: [{port: '82', protocol: TCP}]}]}]\n",
		"in a b tcp/81 A2;in a b tcp/82 D2;in a b tcp/85 A2;in a b tcp/89 A2;in a b tcp/90 "
		"D2;"
		"in a b tcp/96 N0"},
	{"negative order, and specs of one policy together",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspecs:\n"
		"- endpointSelector: {matchLabels: {app: a}}\n"
		"  ingress: [{order: -1, fromEndpoints: [{matchLabels: {app: b}}]}]\n"
		"- endpointSelector: {}\n  ingressDeny: [{order: 0, fromEndpoints: [{}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 D1;in b a tcp/80 D1"},
	/* shadow */
	{"shadow decides nothing",
		CNP "  mode: shadow\n  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n",
		"in a b tcp/80 A0;in a c tcp/80 A0!;in a host tcp/1 A0!;in b a tcp/80 A0"},
	{"shadow deny over an allow",
		NAMED("p") "  ingress: [{fromEndpoints: [{}]}]\n---\n" NAMED(
			"q") "  mode: shadow\n  ingressDeny: [{fromEndpoints: [{matchLabels: {app: "
			     "b}}], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"in a b tcp/80 A1!;in a b tcp/81 A1;in a c tcp/80 A1;in a x tcp/80 N0"},
	{"shadow allow over a default deny",
		NAMED("p") "  ingress: [{}]\n---\n" NAMED(
			"q") "  mode: shadow\n  ingress: [{fromEndpoints: [{matchLabels: {app: "
			     "b}}]}]\n",
		"in a b tcp/80 N0!;in a c tcp/80 N0"},
	{"a staged replacement",
		NAMED("p") "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n---\n" NAMED(
			"p") "  mode: shadow\n  ingress: [{fromEndpoints: [{matchLabels: {app: "
			     "c}}]}]\n",
		"in a b tcp/80 A1!;in a c tcp/80 N0!;in a a tcp/80 N0"},
	{"shadow by annotation",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, "
		"annotations: "
		"{policy.kilim.io/mode: shadow}}\nspec:\n  podSelector: {matchLabels: {app: a}}\n",
		"in a b tcp/80 A0!;out a b tcp/80 A0"},
	/* named ports */
	{"a name on the receiver, ingress",
		CNP "  ingress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]\n",
		"in a b tcp/80 A3;in a b tcp/8080 N0;in a b udp/80 N0"},
	{"a name of another protocol",
		CNP "  ingress: [{toPorts: [{ports: [{port: web, protocol: UDP}]}]}]\n",
		"in a b tcp/80 N0;in a b udp/80 N0"},
	{"a name of any protocol", CNP "  ingress: [{toPorts: [{ports: [{port: DNS}]}]}]\n",
		"in a b udp/53 A3;in a b tcp/53 N0"},
	{"a name that nobody has", CNP "  ingress: [{toPorts: [{ports: [{port: nope}]}]}]\n",
		"in a b tcp/80 N0"},
	{"a name on the peer, egress",
		CNP "  egress: [{toEndpoints: [{}, {matchLabels: {io.kubernetes.pod.namespace: "
		    "other}}], "
		    "toPorts: [{ports: [{port: web}, {port: '7', protocol: TCP}]}]}]\n",
		"out a b tcp/8080 A2;out a b tcp/80 N0;out a c tcp/8080 N0;out a c tcp/7 A2;"
		"out a y udp/80 A2;out a y tcp/80 N0;out a x tcp/8081 A2;out a z tcp/7 N0"},
	{"a name on any peer",
		CNP "  egressDeny: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]\n"
		    "  enableDefaultDeny: {egress: false}\n",
		"out a b tcp/8080 D3;out a b tcp/80 A4;out a c tcp/80 A4;out a y udp/80 A4;"
		"out a world-ipv4 tcp/8080 A4"},
	{"a name in a NetworkPolicy",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: "
		"p}\nspec:\n"
		"  podSelector: {matchLabels: {app: b}}\n  ingress: [{ports: [{port: web}]}]\n",
		"in b a tcp/8080 A3;in b a tcp/80 N0;in b a udp/8080 N0"},
	/* nodes */
	{"nodes by label", CNP "  ingress: [{fromNodes: [{matchLabels: {zone: a}}]}]\n",
		"in a n1 tcp/80 A1;in a n2 tcp/80 N0;in a remote-node tcp/80 N0;in a b tcp/80 N0;"
		"in a world-ipv4 tcp/80 N0"},
	{"every other node", CNP "  egress: [{toNodes: [{}]}]\n",
		"out a n1 tcp/80 A1;out a n2 tcp/80 A1;out a remote-node tcp/80 A1;out a host "
		"tcp/80 "
		"N0;out a b tcp/80 N0"},
	{"node labels do not select endpoints nor endpoint labels nodes",
		CNP "  ingress: [{fromNodes: [{matchLabels: {app: b}}]}, {fromEndpoints: "
		    "[{matchLabels: "
		    "{zone: a}}]}]\n",
		"in a b tcp/80 N0;in a n1 tcp/80 N0"},
	/* groups */
	{"a group by name",
		GROUP("g", "team: x", "10.9.0.0/16, 11.0.0.0/8") CNP
		"  ingress: [{fromCIDRSet: [{cidrGroupRef: g}]}]\n",
		"in a 10.9.1.1 tcp/80 A1;in a 11.1.1.1 tcp/80 A1;in a 10.8.0.1 tcp/80 N0;"
		"in a b tcp/80 N0"},
	{"a group that is not there is nobody",
		CNP "  ingress: [{fromCIDRSet: [{cidrGroupRef: g}]}]\n",
		"in a 10.9.1.1 tcp/80 N0;in a b tcp/80 N0"},
	{"groups by label, with an exception",
		GROUP("g", "team: x", "10.9.0.0/16") GROUP("h", "team: 'y'", "12.0.0.0/8") CNP
		"  egress: [{toCIDRSet: [{cidrGroupSelector: {matchLabels: {team: x}}, except: "
		"[10.9.9.0/24]}]}]\n",
		"out a 10.9.1.1 tcp/80 A1;out a 10.9.9.1 tcp/80 N0;out a 12.0.0.1 tcp/80 N0"},
	{"deny inside an allowed group",
		GROUP("g", "team: x", "10.9.0.0/16") CNP
		"  egress: [{toCIDRSet: [{cidrGroupRef: g}]}]\n"
		"  egressDeny: [{toCIDR: [10.9.9.9/32]}]\n",
		"out a 10.9.1.1 tcp/80 A1;out a 10.9.9.9 tcp/80 D1"},
	/* services */
	{"a service by name: its pods",
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: "
		"{selector: "
		"{app: b}}\n---\n" CNP
		"  egress: [{toServices: [{k8sService: {serviceName: s, namespace: default}}]}]\n",
		"out a b tcp/80 A1;out a y tcp/80 N0;out a c tcp/80 N0"},
	{"a service by name, not the one beside it",
		"apiVersion: v1\nkind: Service\nmetadata: {name: t, namespace: default}\nspec: "
		"{selector: {app: c}}\n---\n"
		"apiVersion: v1\nkind: Service\nmetadata: {name: u, namespace: default}\nspec: "
		"{}\n---\n"
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: "
		"{selector: {app: b}}\n---\n" CNP
		"  egress: [{toServices: [{k8sService: {serviceName: s, namespace: default}}, "
		"{k8sService: {serviceName: u, namespace: default}}]}]\n",
		"out a b tcp/80 A1;out a c tcp/80 N0;out a a tcp/80 N0;out a host tcp/80 N0"},
	{"a service without a selector: its addresses",
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: "
		"{ports: "
		"[{port: 80}]}\n---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: s, "
		"namespace: "
		"default}\nsubsets: [{addresses: [{ip: 20.0.0.1}]}]\n---\n" CNP
		"  egress: [{toServices: [{k8sService: {serviceName: s, namespace: default}}]}]\n",
		"out a 20.0.0.1 tcp/80 A1;out a 20.0.0.2 tcp/80 N0"},
	{"services by label",
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: other, labels: "
		"{tier: "
		"x}}\nspec: {selector: {app: b}}\n---\n" CNP
		"  egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {tier: "
		"x}}, "
		"namespace: other}}]}]\n",
		"out a y tcp/80 A1;out a b tcp/80 N0"},
	{"a service that is not there is nobody",
		CNP
		"  egress: [{toServices: [{k8sService: {serviceName: s, namespace: default}}]}]\n",
		"out a b tcp/80 N0;out a world-ipv4 tcp/80 N0"},
	/* prefixes that reach */
	{"ipBlock means pods", NP "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24}}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 A1;in a y tcp/80 N0;in a z tcp/80 N0;"
		"in a 10.0.0.77 tcp/80 A1;in a n1 tcp/80 N0"},
	{"ipBlock with an exception for one pod",
		NP "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.0.3/32]}}]}]\n",
		"in a b tcp/80 A1;in a c tcp/80 N0;in a y tcp/80 A1"},
	{"ipBlock means nodes", NP "  ingress: [{from: [{ipBlock: {cidr: 172.30.0.0/31}}]}]\n",
		"in a n1 tcp/80 A1;in a n2 tcp/80 N0;in a b tcp/80 N0"},
	{"Cilium's CIDRs mean neither",
		CNP "  ingress: [{fromCIDR: [10.0.0.0/8, 172.30.0.0/16]}]\n",
		"in a b tcp/80 N0;in a n1 tcp/80 N0;in a 10.0.0.77 tcp/80 A1"},
	{"both in one place",
		CNP "  ingressDeny: [{fromCIDR: [10.0.0.0/8]}]\n---\n" NP
		    "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]\n",
		"in a b tcp/80 A1;in a 10.0.0.77 tcp/80 D1"},
	{"networks of a cluster policy mean pods",
		ADMIN("n", "1") "  egress: [{action: Deny, to: [{networks: [10.0.1.0/24]}]}]\n",
		"out a y tcp/80 D1;out a b tcp/80 A4;out a 10.0.1.9 tcp/80 D1"},
	/* the own node */
	{"a NetworkPolicy spares the own node", NP "  policyTypes: [Egress]\n",
		"out a host tcp/80 A4;out a n1 tcp/80 N0;out a b tcp/1 N0"},
	{"and has the last word on it",
		NP "  policyTypes: [Egress]\n---\n" BASELINE
		   "  egress: [{action: Deny, to: [{nodes: {}}]}]\n",
		"out a host tcp/80 A4;out a n1 tcp/80 N0;out x host tcp/80 D1"},
	{"also by the addresses that a prefix tells apart",
		NP "  egress: [{to: [{ipBlock: {cidr: 172.30.0.0/24}}], ports: [{port: 53}]}]\n",
		"out a host tcp/80 A4;out a host tcp/53 A2;out a n1 tcp/80 N0;out a n1 tcp/53 A2"},
	{"Cilium's do not", CNP "  egress: [{}]\n", "out a host tcp/80 N0"},
	{"not when both isolate", NP "  policyTypes: [Egress]\n---\n" CNP "  egress: [{}]\n",
		"out a host tcp/80 N0"},
	{"a deny rule still counts",
		NP "  policyTypes: [Egress]\n---\n" CNP
		   "  egressDeny: [{toEntities: [host]}]\n  enableDefaultDeny: {egress: false}\n",
		"out a host tcp/80 D1"},
	/* default deny */
	{"default deny without rules", CNP "  enableDefaultDeny: {ingress: true}\n  egress: []\n",
		"in a b tcp/80 N0;out a b tcp/1 A0"},
	/* protocols */
	{"protocols without ports",
		CNP "  ingress: [{toPorts: [{ports: [{protocol: GRE}, {protocol: VRRP}]}]}]\n",
		"in a b 47/0 A6;in a b 112/0 A6;in a b tcp/80 N0;in a b 50/0 N0"},
	{"icmp by name and number",
		CNP "  ingress: [{icmps: [{fields: [{type: EchoRequest}, {type: 3}, {family: IPv6, "
		    "type: "
		    "EchoRequest}]}]}]\n",
		"in a b icmp/2048 A3;in a b icmp/0 N0;in a b icmp/769 A3;in a b icmp6/32768 A3;"
		"in a b icmp6/33024 N0"},
};

/* An audited denial passes: what the entry says. */
static void test_audit(void **state)
{
	const struct decision *d;
	struct world w;

	(void)state;
	world_init(&w);
	w.audit = true;
	assert_int_equal(world_read(&w, "p.yaml", CNP "  ingress: [{fromEntities: [host]}]\n"), 0);
	assert_int_equal(world_compile(&w), 0);
	d = world_decide(&w, POLICY_INGRESS, "a", "b", IPPROTO_TCP, 1);
	assert_int_equal(d->verdict, POLICY_DEFAULT_DENY);
	assert_true(d->flags & POLICY_AUDIT);
	d = world_decide(&w, POLICY_INGRESS, "a", "host", IPPROTO_TCP, 1);
	assert_int_equal(d->verdict, POLICY_ALLOW);
	assert_false(d->flags & POLICY_AUDIT);
	world_done(&w);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 1] = {cmocka_unit_test(test_audit)};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[1 + i] =
			(struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)&rows[i]};
	return cmocka_run_group_tests_name("policy language", tests, NULL, NULL);
}
