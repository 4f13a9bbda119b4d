/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ClusterNetworkPolicies and their predecessors are refused.
 * Each row is a document and how its refusal begins: place, field, reason.
 */
#include "refusal.h"

static const struct refusal refusals[] = {
	/* ClusterNetworkPolicy */
	{"apiVersion: policy.networking.k8s.io/v1beta1\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {}\n",
		"p.yaml:1:13: apiVersion: \"policy.networking.k8s.io/v1beta1\" is not supported "
		"for ClusterNetworkPolicy; use policy.networking.k8s.io/v1alpha2"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: AdminNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {}\n",
		"p.yaml:1:13: apiVersion: \"policy.networking.k8s.io/v1alpha2\" is not supported "
		"for AdminNetworkPolicy; use policy.networking.k8s.io/v1alpha1"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p, namespace: x}\nspec: {}\n",
		"p.yaml:3:32: metadata.namespace: ClusterNetworkPolicy has no namespace; remove "
		"it"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\n",
		"p.yaml:1:1: spec is missing"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {}\n",
		"p.yaml:4:1: spec.tier: is missing"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: admin, priority: 1, subject: {namespaces: {}}}\n",
		"p.yaml:4:14: spec.tier: \"admin\" is no tier; use Admin or Baseline"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, subject: {namespaces: {}}}\n",
		"p.yaml:4:1: spec.priority: is missing; use 0 (first) to 1000 (last)"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1001, subject: {namespaces: {}}}\n",
		"p.yaml:4:31: spec.priority: 1001 is not in 0..1000"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: '1', subject: {namespaces: {}}}\n",
		"p.yaml:4:31: spec.priority: expected an integer, found a string"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: -1, subject: {namespaces: {}}}\n",
		"p.yaml:4:31: spec.priority: -1 is not in 0..1000"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1}\n",
		"p.yaml:4:1: spec.subject: is missing"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {}}\n",
		"p.yaml:4:34: spec.subject: needs exactly one of namespaces and pods"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}, pods: {}}}\n",
		"p.yaml:4:34: spec.subject: needs exactly one of namespaces and pods"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {pods: {podSelector: {}}}}\n",
		"p.yaml:4:44: spec.subject.pods.namespaceSelector: is missing; {} selects all "
		"namespaces"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {pods: {namespaceSelector: {}}}}\n",
		"p.yaml:4:44: spec.subject.pods.podSelector: is missing; {} selects all pods"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {nodes: {}}}\n",
		"p.yaml:4:44: spec.subject.nodes: unknown field; did you mean pods?"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subjects: {}}\n",
		"p.yaml:4:34: spec.subjects: unknown field; did you mean subject?"},
	{"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingressDeny: "
	 "[]}\n",
		"p.yaml:4:61: spec.ingressDeny: unknown field; did you mean ingress?"},
	{CLUSTER("ingress: {}"), "p.yaml:8:3: spec.ingress: expected a list, found a mapping"},
	{CLUSTER("ingress: [null]"),
		"p.yaml:8:13: spec.ingress[0]: expected a mapping, found null"},
	{CLUSTER("ingress: [{action: Accept}]"),
		"p.yaml:8:13: spec.ingress[0].from: is missing; a rule names its peers"},
	{CLUSTER("ingress: [{action: Accept, from: []}]"),
		"p.yaml:8:30: spec.ingress[0].from: is empty; a rule names its peers"},
	{CLUSTER("ingress: [{action: Accept, from: [{}]}]"),
		"p.yaml:8:37: spec.ingress[0].from[0]: needs exactly one of namespaces and pods"},
	{CLUSTER("ingress: [{action: Accept, from: [{namespaces: {}, pods: {}}]}]"),
		"p.yaml:8:37: spec.ingress[0].from[0]: needs exactly one of namespaces and pods"},
	{CLUSTER("ingress: [{action: Accept, from: [{nodes: {}}]}]"),
		"p.yaml:8:38: spec.ingress[0].from[0].nodes: unknown field; did you mean pods?"},
	{CLUSTER("ingress: [{action: Accept, to: [{namespaces: {}}]}]"),
		"p.yaml:8:30: spec.ingress[0].to: unknown field; known here: name, action, from, "
		"ports, protocols"},
	{CLUSTER("ingress: [{from: [{namespaces: {}}]}]"),
		"p.yaml:8:13: spec.ingress[0].action: is missing"},
	{CLUSTER("ingress: [{action: Allow, from: [{namespaces: {}}]}]"),
		"p.yaml:8:22: spec.ingress[0].action: \"Allow\" is no action here; use Accept, "
		"Deny or Pass"},
	{CLUSTER("ingress: [{action: deny, from: [{namespaces: {}}]}]"),
		"p.yaml:8:22: spec.ingress[0].action: \"deny\" is no action here; use Accept, Deny "
		"or Pass"},
	{CLUSTER("ingress: [{name: 7, action: Deny, from: [{namespaces: {}}]}]"),
		"p.yaml:8:20: spec.ingress[0].name: expected a string, found an integer; quote it"},
	{CLUSTER("ingress: [{name: "
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxx, action: Deny, from: [{namespaces: {}}]}]"),
		"p.yaml:8:20: spec.ingress[0].name: is longer than 100 characters or not "
		"printable"},
	{CLUSTER("ingress: [{order: 1, action: Deny, from: [{namespaces: {}}]}]"),
		"p.yaml:8:14: spec.ingress[0].order: unknown field; known here: name, action, "
		"from, ports, protocols"},
	{CLUSTER("ingress: [{action: Deny, from: [{namespaces: {matchLabels: {a: 7}}}]}]"),
		"p.yaml:8:66: spec.ingress[0].from[0].namespaces.matchLabels.a: expected a string, "
		"found an integer; quote it"},
	{CLUSTER("ingress: [{action: Deny, from: [{pods: {namespaceSelector: {}}}]}]"),
		"p.yaml:8:36: spec.ingress[0].from[0].pods.podSelector: is missing; {} selects all "
		"pods"},
	{CLUSTER("ingress: [{action: Deny, from: [{pods: x}]}]"),
		"p.yaml:8:42: spec.ingress[0].from[0].pods: expected a mapping, found a string"},
	{CLUSTER("egress: [{action: Deny, to: [{networks: []}]}]"),
		"p.yaml:8:33: spec.egress[0].to[0].networks: is empty; name a network"},
	{CLUSTER("egress: [{action: Deny, to: [{networks: [x]}]}]"),
		"p.yaml:8:44: spec.egress[0].to[0].networks[0]: \"x\" is no CIDR; write 10.0.0.0/8 "
		"or fd00::/8"},
	{CLUSTER("egress: [{action: Deny, to: [{networks: 10.0.0.0/8}]}]"),
		"p.yaml:8:43: spec.egress[0].to[0].networks: expected a list, found a string"},
	{CLUSTER("egress: [{action: Deny, to: [{nodes: {a: b}}]}]"),
		"p.yaml:8:41: spec.egress[0].to[0].nodes.a: unknown field; known here: "
		"matchLabels, matchExpressions"},
	{CLUSTER("egress: [{action: Accept, to: [{domainNames: [x.y]}]}]"),
		"p.yaml:8:35: spec.egress[0].to[0].domainNames: DNS-aware policy is not there yet; "
		"the policy is refused as a whole"},
	{CLUSTER("egress: [{action: Accept, to: [{domainNames: [7]}]}]"),
		"p.yaml:8:49: spec.egress[0].to[0].domainNames[0]: expected a string, found an "
		"integer; quote it"},
	{CLUSTER("egress: [{action: Accept, to: [{endpoints: {}}]}]"),
		"p.yaml:8:35: spec.egress[0].to[0].endpoints: unknown field; known here: "
		"namespaces, pods, nodes, networks, domainNames"},
	{CLUSTER("egress: [{action: Accept, to: [{nodes: {}, networks: [10.0.0.0/8]}]}]"),
		"p.yaml:8:34: spec.egress[0].to[0]: needs exactly one of namespaces, pods, nodes, "
		"networks and domainNames"},
	/* its ports */
	{PORTS("protocols: []"),
		"p.yaml:9:46: spec.ingress[0].protocols: is empty; leave it out for every port"},
	{PORTS("protocols: {}"),
		"p.yaml:9:46: spec.ingress[0].protocols: expected a list, found a mapping"},
	{PORTS("protocols: [null]"),
		"p.yaml:9:58: spec.ingress[0].protocols[0]: expected a mapping, found null"},
	{PORTS("protocols: [{}]"), "p.yaml:9:58: spec.ingress[0].protocols[0]: needs exactly one "
				   "of tcp, udp, sctp and destinationNamedPort"},
	{PORTS("protocols: [{icmp: {}}]"),
		"p.yaml:9:59: spec.ingress[0].protocols[0].icmp: unknown field; did you mean tcp?"},
	{PORTS("protocols: [{tcp: {}, udp: {}}]"),
		"p.yaml:9:58: spec.ingress[0].protocols[0]: needs exactly one of tcp, udp, sctp "
		"and destinationNamedPort"},
	{PORTS("protocols: [{tcp: {port: 1}}]"),
		"p.yaml:9:65: spec.ingress[0].protocols[0].tcp.port: unknown field; known here: "
		"destinationPort"},
	{PORTS("protocols: [{tcp: {destinationPort: 80}}]"),
		"p.yaml:9:82: spec.ingress[0].protocols[0].tcp.destinationPort: expected a "
		"mapping, found an integer"},
	{PORTS("protocols: [{tcp: {destinationPort: {}}}]"),
		"p.yaml:9:65: spec.ingress[0].protocols[0].tcp.destinationPort: needs exactly one "
		"of number and range"},
	{PORTS("protocols: [{udp: {destinationPort: {number: 0}}}]"),
		"p.yaml:9:91: spec.ingress[0].protocols[0].udp.destinationPort.number: 0 is not in "
		"1..65535"},
	{PORTS("protocols: [{udp: {destinationPort: {number: 65536}}}]"),
		"p.yaml:9:91: spec.ingress[0].protocols[0].udp.destinationPort.number: 65536 is "
		"not in 1..65535"},
	{PORTS("protocols: [{udp: {destinationPort: {number: '53'}}}]"),
		"p.yaml:9:91: spec.ingress[0].protocols[0].udp.destinationPort.number: expected an "
		"integer, found a string"},
	{PORTS("protocols: [{sctp: {destinationPort: {number: 1, range: {start: 1, end: 2}}}}]"),
		"p.yaml:9:66: spec.ingress[0].protocols[0].sctp.destinationPort: needs exactly one "
		"of number and range"},
	{PORTS("protocols: [{sctp: {destinationPort: {range: {start: 2, end: 1}}}}]"),
		"p.yaml:9:107: spec.ingress[0].protocols[0].sctp.destinationPort.range.end: 1 is "
		"before the start, 2"},
	{PORTS("protocols: [{sctp: {destinationPort: {range: {start: 2}}}}]"),
		"p.yaml:9:84: spec.ingress[0].protocols[0].sctp.destinationPort.range.end: is "
		"missing; use 1 to 65535"},
	{PORTS("protocols: [{sctp: {destinationPort: {range: {from: 2}}}}]"),
		"p.yaml:9:92: spec.ingress[0].protocols[0].sctp.destinationPort.range.from: "
		"unknown field; known here: start, end"},
	{PORTS("protocols: [{destinationNamedPort: ''}]"),
		"p.yaml:9:81: spec.ingress[0].protocols[0].destinationNamedPort: is empty"},
	{PORTS("protocols: [{destinationNamedPort: 80}]"),
		"p.yaml:9:81: spec.ingress[0].protocols[0].destinationNamedPort: expected a "
		"string, found an integer; quote it"},
	{PORTS("protocols: [{destinationNamedPort: Web}]"),
		"p.yaml:9:81: spec.ingress[0].protocols[0].destinationNamedPort: \"Web\" is no "
		"name of a port: at most 15 lower-case letters, digits and single '-' between "
		"them, with a letter among them"},
	{PORTS("ports: []"),
		"p.yaml:9:46: spec.ingress[0].ports: is empty; leave it out for every port"},
	{PORTS("ports: [{}]"), "p.yaml:9:54: spec.ingress[0].ports[0]: needs exactly one of "
			       "portNumber, portRange and namedPort"},
	{PORTS("ports: [null]"),
		"p.yaml:9:54: spec.ingress[0].ports[0]: expected a mapping, found null"},
	{PORTS("ports: [{portNumber: {port: 1}, namedPort: x}]"),
		"p.yaml:9:54: spec.ingress[0].ports[0]: needs exactly one of portNumber, portRange "
		"and namedPort"},
	{PORTS("ports: [{portNumber: {protocol: ICMP, port: 1}}]"),
		"p.yaml:9:78: spec.ingress[0].ports[0].portNumber.protocol: \"ICMP\" is no "
		"protocol; use TCP, UDP or SCTP"},
	{PORTS("ports: [{portNumber: {protocol: TCP}}]"),
		"p.yaml:9:55: spec.ingress[0].ports[0].portNumber.port: is missing; use 1 to "
		"65535"},
	{PORTS("ports: [{portNumber: 80}]"), "p.yaml:9:67: spec.ingress[0].ports[0].portNumber: "
					     "expected a mapping, found an integer"},
	{PORTS("ports: [{portNumber: {port: 80, endPort: 81}}]"),
		"p.yaml:9:78: spec.ingress[0].ports[0].portNumber.endPort: unknown field; known "
		"here: protocol, port"},
	{PORTS("ports: [{portRange: {start: 9, end: 8}}]"),
		"p.yaml:9:82: spec.ingress[0].ports[0].portRange.end: 8 is before the start, 9"},
	{PORTS("ports: [{portRange: {end: 8}}]"),
		"p.yaml:9:55: spec.ingress[0].ports[0].portRange.start: is missing; use 1 to "
		"65535"},
	{PORTS("ports: [{portRange: {protocol: TCP, start: 1, end: 70000}}]"),
		"p.yaml:9:97: spec.ingress[0].ports[0].portRange.end: 70000 is not in 1..65535"},
	{PORTS("ports: [{namedPort: 1}]"), "p.yaml:9:66: spec.ingress[0].ports[0].namedPort: "
					   "expected a string, found an integer; quote it"},
	{PORTS("ports: [{port: 1}]"), "p.yaml:9:55: spec.ingress[0].ports[0].port: unknown field; "
				      "known here: portNumber, portRange, namedPort"},
	{PORTS("ports: [{portNumber: {port: 1}}], protocols: [{tcp: {}}]"),
		"p.yaml:9:80: spec.ingress[0].protocols: cannot be combined with ports, its older "
		"form"},
	{CLUSTER("egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: "
		 "[{destinationNamedPort: x}]}]"),
		"p.yaml:8:33: spec.egress[0].to[0].networks: cannot be combined with a named port; "
		"only pods have them"},
	{CLUSTER("egress: [{action: Deny, to: [{namespaces: {}}, {nodes: {}}], ports: [{namedPort: "
		 "x}]}]"),
		"p.yaml:8:51: spec.egress[0].to[1].nodes: cannot be combined with a named port; "
		"only pods have them"},
	/* AdminNetworkPolicy, BaselineAdminNetworkPolicy */
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {subject: {namespaces: {}}}\n",
		"p.yaml:4:1: spec.priority: is missing; use 0 (first) to 1000 (last)"},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: "
	 "{name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}}\n",
		"p.yaml:4:8: spec.tier: unknown field; known here: subject, ingress, egress, "
		"priority"},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: "
	 "{name: p}\nspec:\n  priority: 1\n  subject: {namespaces: {}}\n  ingress: [{action: "
	 "Accept, from: [{namespaces: {}}]}]\n",
		"p.yaml:7:22: spec.ingress[0].action: \"Accept\" is no action here; use Allow, "
		"Deny or Pass"},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: "
	 "{name: p}\nspec:\n  priority: 1\n  subject: {namespaces: {}}\n  ingress: [{action: Deny, "
	 "from: [{namespaces: {}}], protocols: []}]\n",
		"p.yaml:7:54: spec.ingress[0].protocols: unknown field; known here: name, action, "
		"from, ports"},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: "
	 "BaselineAdminNetworkPolicy\nmetadata: {name: p}\nspec: {subject: {namespaces: {}}}\n",
		"p.yaml:3:18: metadata.name: the one BaselineAdminNetworkPolicy is called default"},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: "
	 "BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec: {priority: 1, subject: "
	 "{namespaces: {}}}\n",
		"p.yaml:4:8: spec.priority: unknown field; known here: subject, ingress, egress"},
	{"apiVersion: policy.networking.k8s.io/v1alpha1\nkind: "
	 "BaselineAdminNetworkPolicy\nmetadata: {name: default}\nspec:\n  subject: {namespaces: "
	 "{}}\n  ingress: [{action: Pass, from: [{namespaces: {}}]}]\n",
		"p.yaml:6:22: spec.ingress[0].action: \"Pass\" is no action here; use Allow or "
		"Deny"},
};

int main(void)
{
	return run_refusals("policy_refusal_cluster", refusals, ARRAY_SIZE(refusals));
}
