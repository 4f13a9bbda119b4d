/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What documents of the Cilium kinds are refused: fields, structure, peers, selectors, ports,
 * names, lists. Each row is a document and how its refusal begins: place, field, reason.
 */
#include "refusal.h"

static const struct refusal refusals[] = {
	/* unknown fields */
	{CNP("  ingres: []\n"), "p.yaml:6:3: spec.ingres: unknown field; did you mean ingress?"},
	{CNP("  Ingress: []\n"), "p.yaml:6:3: spec.Ingress: unknown field; did you mean ingress?"},
	{IN("fromEndpoint: []"), "p.yaml:7:5: spec.ingress[0].fromEndpoint: unknown field; did you "
				 "mean fromEndpoints?"},
	{IN("toEndpoints: [{}]"), "p.yaml:7:5: spec.ingress[0].toEndpoints: unknown field; did you "
				  "mean fromEndpoints?"},
	{IN("fromFQDNs: [{}]"),
		"p.yaml:7:5: spec.ingress[0].fromFQDNs: unknown field; did you mean fromCIDR?"},
	{IN("fromServices: []"), "p.yaml:7:5: spec.ingress[0].fromServices: unknown field; did you "
				 "mean fromRequires?"},
	{OUT("fromEndpoints: []"), "p.yaml:7:5: spec.egress[0].fromEndpoints: unknown field; did "
				   "you mean toEndpoints?"},
	{IN("toPorts: [{port: [{port: '80'}]}]"),
		"p.yaml:7:16: spec.ingress[0].toPorts[0].port: unknown field; did you mean ports?"},
	{IN("toPorts: [{ports: [{port: '80', proto: TCP}]}]"),
		"p.yaml:7:37: spec.ingress[0].toPorts[0].ports[0].proto: unknown field; known "
		"here: port, endPort, protocol"},
	{IN("fromEndpoints: [{matchLabel: {a: b}}]"),
		"p.yaml:7:22: spec.ingress[0].fromEndpoints[0].matchLabel: unknown field; did you "
		"mean matchLabels?"},
	{IN("fromEndpoints: [{a: b}]"), "p.yaml:7:22: spec.ingress[0].fromEndpoints[0].a: unknown "
					"field; known here: matchLabels, matchExpressions"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: In, value: b}]}]"),
		"p.yaml:7:64: spec.ingress[0].fromEndpoints[0].matchExpressions[0].value: unknown "
		"field; did you mean values?"},
	{IN("icmps: [{field: []}]"),
		"p.yaml:7:14: spec.ingress[0].icmps[0].field: unknown field; did you mean fields?"},
	{IN("icmps: [{fields: [{kind: 8}]}]"),
		"p.yaml:7:24: spec.ingress[0].icmps[0].fields[0].kind: unknown field; known here: "
		"family, type"},
	{OUT("toCIDRSet: [{cidr: 10.0.0.0/8, excepts: []}]"),
		"p.yaml:7:36: spec.egress[0].toCIDRSet[0].excepts: unknown field; did you mean "
		"except?"},
	{OUT("toServices: [{service: {}}]"), "p.yaml:7:19: spec.egress[0].toServices[0].service: "
					     "unknown field; did you mean k8sService?"},
	{OUT("toServices: [{k8sService: {name: x}}]"),
		"p.yaml:7:32: spec.egress[0].toServices[0].k8sService.name: unknown field; known "
		"here: serviceName, namespace"},
	{OUT("toServices: [{k8sServiceSelector: {selector: {}, ns: x}}]"),
		"p.yaml:7:54: spec.egress[0].toServices[0].k8sServiceSelector.ns: unknown field; "
		"known here: selector, namespace"},
	{OUT("toGroups: [{gcp: {}}]"),
		"p.yaml:7:17: spec.egress[0].toGroups[0].gcp: unknown field; known here: aws"},
	{OUT("toGroups: [{aws: {securityGroups: []}}]"),
		"p.yaml:7:23: spec.egress[0].toGroups[0].aws.securityGroups: unknown field; did "
		"you mean securityGroupsIds?"},
	{CNP("  enableDefaultDeny: {in: true}\n  ingress: []\n"),
		"p.yaml:6:23: spec.enableDefaultDeny.in: unknown field; known here: ingress, "
		"egress"},
	{CNP("  log: {values: x}\n  ingress: []\n"),
		"p.yaml:6:9: spec.log.values: unknown field; did you mean value?"},
	{CNP("  labels: [{kee: x}]\n  ingress: []\n"),
		"p.yaml:6:13: spec.labels[0].kee: unknown field; did you mean key?"},
	{HEAD("CiliumNetworkPolicy") "spce: {}\n",
		"p.yaml:4:1: spce: unknown field; did you mean spec?"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {namex: p}\nspec: {}\n",
		"p.yaml:3:12: metadata.namex: unknown field; did you mean name?"},
	{CNP("  ingressDeny: [{authentication: {mode: disabled}}]\n"),
		"p.yaml:6:18: spec.ingressDeny[0].authentication: unknown field; known here: "
		"order, fromEndpoints, fromCIDR, fromCIDRSet, fromEntities, fromGroups, fromNodes, "
		"fromRequires, toPorts, icmps"},
	{CNP("  egressDeny: [{toFQDNs: [{matchName: x.y}]}]\n"),
		"p.yaml:6:17: spec.egressDeny[0].toFQDNs: unknown field; known here: order, "
		"toEndpoints, toCIDR, toCIDRSet, toEntities, toGroups, toNodes, toServices, "
		"toRequires, toPorts, icmps"},
	{CNP("  ingressDeny: [{toPorts: [{ports: [{port: '1'}], rules: {}}]}]\n"),
		"p.yaml:6:51: spec.ingressDeny[0].toPorts[0].rules: unknown field; known here: "
		"ports"},
	{CNP("  egressDeny: [{toPorts: [{ports: [{port: '1'}], serverNames: [x]}]}]\n"),
		"p.yaml:6:50: spec.egressDeny[0].toPorts[0].serverNames: unknown field; known "
		"here: ports"},
	/* what is gone, or not there yet */
	{IN("fromRequires: [{matchLabels: {a: b}}]"),
		"p.yaml:7:5: spec.ingress[0].fromRequires: is no longer part of the language: put "
		"the requirement into each selector; the policy is refused as a whole"},
	{OUT("toRequires: [{matchLabels: {a: b}}]"),
		"p.yaml:7:5: spec.egress[0].toRequires: is no longer part of the language: put the "
		"requirement into each selector; the policy is refused as a whole"},
	{CNP("  ingressDeny: [{fromRequires: [{}]}]\n"),
		"p.yaml:6:18: spec.ingressDeny[0].fromRequires: is no longer part of the language: "
		"put the requirement into each selector; the policy is refused as a whole"},
	{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  nodeSelector: {}\n  ingress: []\n",
		"p.yaml:5:3: spec.nodeSelector: policies for nodes (the host firewall) are not "
		"there yet; the policy is refused as a whole"},
	{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  nodeSelector: {matchLabels: {a: 7}}\n  "
						"ingress: []\n",
		"p.yaml:5:35: spec.nodeSelector.matchLabels.a: expected a string, found an "
		"integer; quote it"},
	{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  nodeSelector: {}\n  endpointSelector: "
						"{}\n  ingress: []\n",
		"p.yaml:5:3: spec.nodeSelector: cannot be combined with endpointSelector"},
	{HEAD("CiliumNetworkPolicy") "spec: {nodeSelector: {}, ingress: []}\n",
		"p.yaml:4:8: spec.nodeSelector: is for a CiliumClusterwideNetworkPolicy; nodes are "
		"in no namespace"},
	{CNP("  egressDeny: [{toGroups: [{aws: {region: x}}]}]\n"),
		"p.yaml:6:17: spec.egressDeny[0].toGroups: the members of cloud provider groups "
		"are not looked up, so the rule would deny nothing; the policy is refused as a "
		"whole"},
	{CNP("  ingressDeny: [{fromGroups: [{}]}]\n"),
		"p.yaml:6:18: spec.ingressDeny[0].fromGroups: the members of cloud provider groups "
		"are not looked up, so the rule would deny nothing; the policy is refused as a "
		"whole"},
	/* structure */
	{HEAD("CiliumNetworkPolicy") "", "p.yaml:1:1: spec is missing (or specs, a list of them)"},
	{HEAD("CiliumNetworkPolicy") "spec: 7\n",
		"p.yaml:4:7: spec: expected a mapping, found an integer"},
	{HEAD("CiliumNetworkPolicy") "specs: {}\n",
		"p.yaml:4:1: specs: expected a list, found a mapping"},
	{HEAD("CiliumNetworkPolicy") "specs: [null]\n",
		"p.yaml:4:9: specs[0]: expected a mapping, found null"},
	{HEAD("CiliumNetworkPolicy") "spec: {ingress: []}\n",
		"p.yaml:4:1: spec: endpointSelector is missing; {} selects every endpoint of the "
		"namespace"},
	{HEAD("CiliumNetworkPolicy") "spec: {endpointSelector: null, ingress: []}\n",
		"p.yaml:4:1: spec: endpointSelector is missing; {} selects every endpoint of the "
		"namespace"},
	{HEAD("CiliumNetworkPolicy") "spec: {endpointSelector: []}\n",
		"p.yaml:4:8: spec.endpointSelector: expected a mapping, found a list"},
	{CNP(""), "p.yaml:4:1: spec: has none of ingress, ingressDeny, egress and egressDeny; a "
		  "policy needs one of them (it may be empty)"},
	{CNP("  ingress: null\n"), "p.yaml:4:1: spec: has none of ingress, ingressDeny, egress and "
				   "egressDeny; a policy needs one of them (it may be empty)"},
	{CNP("  ingress: {}\n"), "p.yaml:6:3: spec.ingress: expected a list, found a mapping"},
	{CNP("  egressDeny: x\n"), "p.yaml:6:15: spec.egressDeny: expected a list, found a string"},
	{CNP("  ingress: [null]\n"), "p.yaml:6:13: spec.ingress[0]: expected a mapping, found "
				     "null; {} selects no peers"},
	{CNP("  ingress: [x]\n"),
		"p.yaml:6:13: spec.ingress[0]: expected a mapping, found a string"},
	{IN("fromEndpoints: {}"),
		"p.yaml:7:5: spec.ingress[0].fromEndpoints: expected a list, found a mapping"},
	{IN("fromEndpoints: [null]"), "p.yaml:7:21: spec.ingress[0].fromEndpoints[0]: expected a "
				      "mapping, found null; {} selects all"},
	{IN("fromEntities: all"),
		"p.yaml:7:19: spec.ingress[0].fromEntities: expected a list, found a string"},
	{IN("fromNodes: {}"),
		"p.yaml:7:5: spec.ingress[0].fromNodes: expected a list, found a mapping"},
	{IN("fromNodes: [null]"), "p.yaml:7:17: spec.ingress[0].fromNodes[0]: expected a mapping, "
				  "found null; {} selects all"},
	{OUT("toServices: {}"),
		"p.yaml:7:5: spec.egress[0].toServices: expected a list, found a mapping"},
	{OUT("toServices: [null]"),
		"p.yaml:7:18: spec.egress[0].toServices[0]: expected a mapping, found null"},
	{OUT("toGroups: [null]"),
		"p.yaml:7:16: spec.egress[0].toGroups[0]: expected a mapping, found null"},
	{IN("fromCIDR: 10.0.0.0/8"),
		"p.yaml:7:15: spec.ingress[0].fromCIDR: expected a list, found a string"},
	{IN("fromRequires: {}"),
		"p.yaml:7:5: spec.ingress[0].fromRequires: is no longer part of the language: put "
		"the requirement into each selector; the policy is refused as a whole"},
	{IN("toPorts: {}"),
		"p.yaml:7:5: spec.ingress[0].toPorts: expected a list, found a mapping"},
	{IN("toPorts: [null]"),
		"p.yaml:7:15: spec.ingress[0].toPorts[0]: expected a mapping, found null"},
	{IN("toPorts: [{ports: {}}]"),
		"p.yaml:7:16: spec.ingress[0].toPorts[0].ports: expected a list, found a mapping"},
	{IN("toPorts: [{ports: [null]}]"),
		"p.yaml:7:24: spec.ingress[0].toPorts[0].ports[0]: expected a mapping, found null"},
	{IN("icmps: {}"), "p.yaml:7:5: spec.ingress[0].icmps: expected a list, found a mapping"},
	{IN("icmps: [null]"),
		"p.yaml:7:13: spec.ingress[0].icmps[0]: expected a mapping, found null"},
	{IN("icmps: [{fields: [null]}]"),
		"p.yaml:7:23: spec.ingress[0].icmps[0].fields[0]: expected a mapping, found null"},
	{OUT("toCIDRSet: [null]"),
		"p.yaml:7:17: spec.egress[0].toCIDRSet[0]: expected a mapping, found null"},
	{OUT("toCIDRSet: [10.0.0.0/8]"),
		"p.yaml:7:17: spec.egress[0].toCIDRSet[0]: expected a mapping, found a string"},
	{CNP("  description: 7\n  ingress: []\n"),
		"p.yaml:6:16: spec.description: expected a string, found an integer; quote it"},
	{CNP("  enableDefaultDeny: {ingress: 'no'}\n  ingress: []\n"),
		"p.yaml:6:32: spec.enableDefaultDeny.ingress: expected true or false, found a "
		"string"},
	{CNP("  enableDefaultDeny: true\n  ingress: []\n"),
		"p.yaml:6:22: spec.enableDefaultDeny: expected a mapping, found a boolean"},
	{CNP("  log: {value: 'this is longer than thirty-two characters'}\n  ingress: []\n"),
		"p.yaml:6:16: spec.log.value: is longer than 32 characters or not printable"},
	{CNP("  log: {value: 7}\n  ingress: []\n"),
		"p.yaml:6:16: spec.log.value: expected a string, found an integer; quote it"},
	{CNP("  log: {value: \"a\\tb\"}\n  ingress: []\n"),
		"p.yaml:6:16: spec.log.value: is longer than 32 characters or not printable"},
	{CNP("  labels: {}\n  ingress: []\n"),
		"p.yaml:6:3: spec.labels: expected a list, found a mapping"},
	{CNP("  labels: [{value: x}]\n  ingress: []\n"),
		"p.yaml:6:12: spec.labels[0].key: is missing"},
	{CNP("  labels: ['q:x=y']\n  ingress: []\n"),
		"p.yaml:6:12: spec.labels[0]: label \"q:x=y\": \"q\" is no label source; use k8s, "
		"container, reserved, cidr, node, fqdn, cidrgroup, cni or gen"},
	/* order and mode */
	{IN("order: first"),
		"p.yaml:7:12: spec.ingress[0].order: expected an integer, found a string"},
	{IN("order: 1.5"),
		"p.yaml:7:12: spec.ingress[0].order: expected an integer, found a number"},
	{OUT("order: 2147483647"),
		"p.yaml:7:12: spec.egress[0].order: 2147483647 is not in -2147483648..2147483646"},
	{OUT("order: -2147483649"),
		"p.yaml:7:12: spec.egress[0].order: -2147483649 is not in -2147483648..2147483646"},
	{CNP("  egressDeny: [{order: '1'}]\n"),
		"p.yaml:6:24: spec.egressDeny[0].order: expected an integer, found a string"},
	{CNP("  order: 1\n  ingress: []\n"),
		"p.yaml:6:3: spec.order: unknown field; known here: endpointSelector, "
		"nodeSelector, ingress, ingressDeny, egress, egressDeny, enableDefaultDeny, "
		"description, labels, log, mode"},
	{CNP("  mode: Shadow\n  ingress: []\n"),
		"p.yaml:6:9: spec.mode: \"Shadow\" is no mode; use enforce or shadow"},
	{CNP("  mode: true\n  ingress: []\n"),
		"p.yaml:6:9: spec.mode: expected a string, found a boolean; quote it"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, annotations: "
	 "{policy.kilim.io/mode: shadow}}\nspec:\n  endpointSelector: {}\n  mode: enforce\n  "
	 "ingress: []\n",
		"p.yaml:6:9: spec.mode: is enforce here and shadow in the annotation; a policy has "
		"one mode, of all its specs"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, annotations: "
	 "{policy.kilim.io/mode: of}}\nspec: {}\n",
		"p.yaml:3:57: metadata.annotations.policy.kilim.io/mode: \"of\" is no mode; use "
		"enforce or shadow"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, annotations: "
	 "{policy.kilim.io/mod: shadow}}\nspec: {}\n",
		"p.yaml:3:56: metadata.annotations.policy.kilim.io/mod: unknown annotation; did "
		"you mean policy.kilim.io/mode?"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, annotations: "
	 "[]}\nspec: {}\n",
		"p.yaml:3:21: metadata.annotations: expected a mapping, found a list"},
	{HEAD("CiliumNetworkPolicy") "specs:\n- {endpointSelector: {}, ingress: [], mode: "
				     "shadow}\n- {endpointSelector: {}, ingress: []}\n",
		"p.yaml:6:3: specs[1].mode: is enforce here and shadow in the spec before; a "
		"policy has one mode, of all its specs"},
	/* peers */
	{IN("fromEndpoints: [{}]\n    fromEntities: [all]"),
		"p.yaml:8:5: spec.ingress[0].fromEntities: cannot be combined with fromEndpoints "
		"in one rule; write two rules"},
	{IN("fromEndpoints: [{}]\n    fromCIDR: [10.0.0.0/8]"),
		"p.yaml:8:5: spec.ingress[0].fromCIDR: cannot be combined with fromEndpoints in "
		"one rule; write two rules"},
	{OUT("toCIDR: [10.0.0.0/8]\n    toCIDRSet: [{cidr: 10.0.0.0/8}]"),
		"p.yaml:8:5: spec.egress[0].toCIDRSet: cannot be combined with toCIDR in one rule; "
		"write two rules"},
	{OUT("toServices: [{k8sService: {serviceName: x}}]\n    toEndpoints: [{}]"),
		"p.yaml:7:5: spec.egress[0].toServices: cannot be combined with toEndpoints in one "
		"rule; write two rules"},
	{OUT("toNodes: [{}]\n    toEntities: [host]"),
		"p.yaml:7:5: spec.egress[0].toNodes: cannot be combined with toEntities in one "
		"rule; write two rules"},
	{IN("fromGroups: [{}]\n    fromNodes: [{}]"),
		"p.yaml:7:5: spec.ingress[0].fromGroups: cannot be combined with fromNodes in one "
		"rule; write two rules"},
	{IN("fromEntities: [wrold]"), "p.yaml:7:20: spec.ingress[0].fromEntities[0]: unknown "
				      "entity \"wrold\"; did you mean world?"},
	{IN("fromEntities: [everybody]"),
		"p.yaml:7:20: spec.ingress[0].fromEntities[0]: unknown entity \"everybody\"; use "
		"all, cluster, cluster-mesh, world, world-ipv4, world-ipv6, host, remote-node, "
		"kube-apiserver, health, init, ingress, unmanaged or none"},
	{IN("fromEntities: [World]"), "p.yaml:7:20: spec.ingress[0].fromEntities[0]: unknown "
				      "entity \"World\"; did you mean world?"},
	{IN("fromEntities: [clustermesh]"), "p.yaml:7:20: spec.ingress[0].fromEntities[0]: unknown "
					    "entity \"clustermesh\"; did you mean cluster-mesh?"},
	{IN("fromEntities: [7]"), "p.yaml:7:20: spec.ingress[0].fromEntities[0]: expected a "
				  "string, found an integer; quote it"},
	{IN("fromEntities: [null]"), "p.yaml:7:20: spec.ingress[0].fromEntities[0]: is missing"},
	{IN("fromEntities: ['']"), "p.yaml:7:20: spec.ingress[0].fromEntities[0]: is empty"},
	{IN("fromCIDR: [10.0.0.0/33]"), "p.yaml:7:16: spec.ingress[0].fromCIDR[0]: \"10.0.0.0/33\" "
					"is no CIDR; write 10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDR: [10.0.0/8]"), "p.yaml:7:16: spec.ingress[0].fromCIDR[0]: \"10.0.0/8\" is no "
				     "CIDR; write 10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDR: ['10.0.0.0/-1']"),
		"p.yaml:7:16: spec.ingress[0].fromCIDR[0]: \"10.0.0.0/-1\" is no CIDR; write "
		"10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDR: ['10.0.0.0/08']"),
		"p.yaml:7:16: spec.ingress[0].fromCIDR[0]: \"10.0.0.0/08\" is no CIDR; write "
		"10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDR: ['::ffff:10.0.0.0/104']"),
		"p.yaml:7:16: spec.ingress[0].fromCIDR[0]: \"::ffff:10.0.0.0/104\" is no CIDR; "
		"write 10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDR: ['fe80::1%eth0/64']"),
		"p.yaml:7:16: spec.ingress[0].fromCIDR[0]: \"fe80::1%eth0/64\" is no CIDR; write "
		"10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDR: ['']"), "p.yaml:7:16: spec.ingress[0].fromCIDR[0]: is empty"},
	{IN("fromCIDR: [10]"), "p.yaml:7:16: spec.ingress[0].fromCIDR[0]: expected a string, found "
			       "an integer; quote it"},
	{IN("fromCIDRSet: [{}]"), "p.yaml:7:19: spec.ingress[0].fromCIDRSet[0]: needs exactly one "
				  "of cidr, cidrGroupRef and cidrGroupSelector"},
	{IN("fromCIDRSet: [{except: [10.0.0.0/8]}]"),
		"p.yaml:7:19: spec.ingress[0].fromCIDRSet[0]: needs exactly one of cidr, "
		"cidrGroupRef and cidrGroupSelector"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: x}]"),
		"p.yaml:7:19: spec.ingress[0].fromCIDRSet[0]: needs exactly one of cidr, "
		"cidrGroupRef and cidrGroupSelector"},
	{IN("fromCIDRSet: [{cidrGroupRef: x, cidrGroupSelector: {}}]"),
		"p.yaml:7:19: spec.ingress[0].fromCIDRSet[0]: needs exactly one of cidr, "
		"cidrGroupRef and cidrGroupSelector"},
	{IN("fromCIDRSet: [{cidrGroupRef: 'a b'}]"),
		"p.yaml:7:34: spec.ingress[0].fromCIDRSet[0].cidrGroupRef: \"a b\" is no name: "
		"lower-case letters, digits, '.', '-', with a letter or digit at both ends"},
	{IN("fromCIDRSet: [{cidrGroupRef: 7}]"),
		"p.yaml:7:34: spec.ingress[0].fromCIDRSet[0].cidrGroupRef: expected a string, "
		"found an integer; quote it"},
	{IN("fromCIDRSet: [{cidrGroupSelector: x}]"),
		"p.yaml:7:39: spec.ingress[0].fromCIDRSet[0].cidrGroupSelector: expected a "
		"mapping, found a string"},
	{IN("fromCIDRSet: [{cidrGroupRef: x, except: [x]}]"),
		"p.yaml:7:46: spec.ingress[0].fromCIDRSet[0].except[0]: \"x\" is no CIDR; write "
		"10.0.0.0/8 or fd00::/8"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]"),
		"p.yaml:7:47: spec.ingress[0].fromCIDRSet[0].except[0]: 11.0.0.0/16 is not inside "
		"10.0.0.0/8"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/7]}]"),
		"p.yaml:7:47: spec.ingress[0].fromCIDRSet[0].except[0]: 10.0.0.0/7 is not inside "
		"10.0.0.0/8"},
	{IN("fromCIDRSet: [{cidr: '::/0', except: [10.0.0.0/8]}]"),
		"p.yaml:7:43: spec.ingress[0].fromCIDRSet[0].except[0]: 10.0.0.0/8 is not inside "
		"::/0"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: 10.1.0.0/16}]"),
		"p.yaml:7:46: spec.ingress[0].fromCIDRSet[0].except: expected a list, found a "
		"string"},
	{IN("fromNodes: [{matchLabels: {a b: c}}]"),
		"p.yaml:7:37: spec.ingress[0].fromNodes[0].matchLabels.a b: \"a b\" is no label "
		"key"},
	{IN("fromNodes: [{matchLabels: {a: [b]}}]"),
		"p.yaml:7:32: spec.ingress[0].fromNodes[0].matchLabels.a: expected a string, found "
		"a list"},
	{OUT("toServices: [{}]"), "p.yaml:7:18: spec.egress[0].toServices[0]: needs exactly one of "
				  "k8sService and k8sServiceSelector"},
	{OUT("toServices: [{k8sService: {serviceName: x}, k8sServiceSelector: {selector: {}}}]"),
		"p.yaml:7:18: spec.egress[0].toServices[0]: needs exactly one of k8sService and "
		"k8sServiceSelector"},
	{OUT("toServices: [{k8sService: {namespace: x}}]"),
		"p.yaml:7:19: spec.egress[0].toServices[0].k8sService.serviceName: is missing"},
	{OUT("toServices: [{k8sService: {serviceName: 'X'}}]"),
		"p.yaml:7:45: spec.egress[0].toServices[0].k8sService.serviceName: \"X\" is no "
		"name: lower-case letters, digits, '-', with a letter or digit at both ends"},
	{OUT("toServices: [{k8sService: {serviceName: x, namespace: a.b}}]"),
		"p.yaml:7:59: spec.egress[0].toServices[0].k8sService.namespace: \"a.b\" is no "
		"name: lower-case letters, digits, '-', with a letter or digit at both ends"},
	{OUT("toServices: [{k8sServiceSelector: {}}]"),
		"p.yaml:7:19: spec.egress[0].toServices[0].k8sServiceSelector.selector: is "
		"missing; {} selects every service"},
	{OUT("toServices: [{k8sServiceSelector: {selector: {}, namespace: 7}}]"),
		"p.yaml:7:65: spec.egress[0].toServices[0].k8sServiceSelector.namespace: expected "
		"a string, found an integer; quote it"},
	{OUT("toServices: [{k8sService: x}]"),
		"p.yaml:7:31: spec.egress[0].toServices[0].k8sService: expected a mapping, found a "
		"string"},
	{OUT("toGroups: [{aws: {region: 7}}]"),
		"p.yaml:7:31: spec.egress[0].toGroups[0].aws.region: expected a string, found an "
		"integer; quote it"},
	{OUT("toGroups: [{aws: {labels: [a]}}]"),
		"p.yaml:7:23: spec.egress[0].toGroups[0].aws.labels: expected a mapping, found a "
		"list"},
	{OUT("toGroups: [{aws: {securityGroupsIds: x}}]"),
		"p.yaml:7:42: spec.egress[0].toGroups[0].aws.securityGroupsIds: expected a list, "
		"found a string"},
	{OUT("toGroups: [{aws: {securityGroupsNames: [7]}}]"),
		"p.yaml:7:45: spec.egress[0].toGroups[0].aws.securityGroupsNames[0]: expected a "
		"string, found an integer; quote it"},
	{OUT("toGroups: [x]"),
		"p.yaml:7:16: spec.egress[0].toGroups[0]: expected a mapping, found a string"},
	/* selectors */
	{IN("fromEndpoints: [{matchLabels: {a: 1}}]"),
		"p.yaml:7:39: spec.ingress[0].fromEndpoints[0].matchLabels.a: expected a string, "
		"found an integer; quote it"},
	{IN("fromEndpoints: [{matchLabels: {a: null}}]"),
		"p.yaml:7:39: spec.ingress[0].fromEndpoints[0].matchLabels.a: expected a string, "
		"found null; an empty value is \"\""},
	{IN("fromEndpoints: [{matchLabels: {a: 'b c'}}]"),
		"p.yaml:7:39: spec.ingress[0].fromEndpoints[0].matchLabels.a: \"b c\" is no label "
		"value: at most 63 letters, digits, '-', '_', '.', with a letter or digit at both "
		"ends"},
	{IN("fromEndpoints: [{matchLabels: {a: '-b'}}]"),
		"p.yaml:7:39: spec.ingress[0].fromEndpoints[0].matchLabels.a: \"-b\" is no label "
		"value: at most 63 letters, digits, '-', '_', '.', with a letter or digit at both "
		"ends"},
	{IN("fromEndpoints: [{matchLabels: {'foo:a': b}}]"),
		"p.yaml:7:45: spec.ingress[0].fromEndpoints[0].matchLabels.foo:a: \"foo:a\" is no "
		"label key: label \"foo:a\": \"foo\" is no label source; use k8s, container, "
		"reserved, cidr, node, fqdn, cidrgroup, cni or gen"},
	{IN("fromEndpoints: [{matchLabels: {'k8s:': b}}]"),
		"p.yaml:7:44: spec.ingress[0].fromEndpoints[0].matchLabels.k8s:: \"k8s:\" is no "
		"label key: label \"k8s:=\": the key is empty"},
	{IN("fromEndpoints: [{matchLabels: {'': b}}]"),
		"p.yaml:7:40: spec.ingress[0].fromEndpoints[0].matchLabels.: \"\" is no label key: "
		"label \"any:=\": the key is empty"},
	{IN("fromEndpoints: [{matchLabels: {'a/b/c': b}}]"),
		"p.yaml:7:45: spec.ingress[0].fromEndpoints[0].matchLabels.a/b/c: \"a/b/c\" is no "
		"label key"},
	{IN("fromEndpoints: [{matchLabels: {'a=b': c}}]"),
		"p.yaml:7:43: spec.ingress[0].fromEndpoints[0].matchLabels.a=b: \"a=b\" is no "
		"label key"},
	{IN("fromEndpoints: [{matchLabels: [a]}]"),
		"p.yaml:7:22: spec.ingress[0].fromEndpoints[0].matchLabels: expected a mapping, "
		"found a list"},
	{IN("fromEndpoints: [{matchExpressions: {}}]"),
		"p.yaml:7:22: spec.ingress[0].fromEndpoints[0].matchExpressions: expected a list, "
		"found a mapping"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: Is, values: [b]}]}]"),
		"p.yaml:7:60: spec.ingress[0].fromEndpoints[0].matchExpressions[0].operator: "
		"\"Is\" is no operator; use In, NotIn, Exists or DoesNotExist"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]"),
		"p.yaml:7:41: spec.ingress[0].fromEndpoints[0].matchExpressions[0].values: are "
		"needed with In and NotIn, and only with them"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: NotIn, values: []}]}]"),
		"p.yaml:7:67: spec.ingress[0].fromEndpoints[0].matchExpressions[0].values: are "
		"needed with In and NotIn, and only with them"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]"),
		"p.yaml:7:68: spec.ingress[0].fromEndpoints[0].matchExpressions[0].values: are "
		"allowed with In and NotIn, and only with them"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: In, values: [7]}]}]"),
		"p.yaml:7:73: spec.ingress[0].fromEndpoints[0].matchExpressions[0].values[0]: "
		"expected a string, found an integer; quote it"},
	{IN("fromEndpoints: [{matchExpressions: [{operator: Exists}]}]"),
		"p.yaml:7:41: spec.ingress[0].fromEndpoints[0].matchExpressions[0].key: is "
		"missing"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a}]}]"),
		"p.yaml:7:41: spec.ingress[0].fromEndpoints[0].matchExpressions[0].operator: is "
		"missing"},
	{IN("fromEndpoints: [{matchExpressions: [null]}]"),
		"p.yaml:7:41: spec.ingress[0].fromEndpoints[0].matchExpressions[0]: expected a "
		"mapping, found null"},
	/* ports */
	{IN("toPorts: [{ports: [{port: '65536'}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"65536\" is no port; use "
		"0 to 65535"},
	{IN("toPorts: [{ports: [{port: '-1'}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"-1\" is no port; use 0 "
		"to 65535"},
	{IN("toPorts: [{ports: [{port: -1}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: -1 is no port; use 0 to "
		"65535"},
	{IN("toPorts: [{ports: [{port: ''}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"\" is no port; use 0 to "
		"65535"},
	{IN("toPorts: [{ports: [{port: 1.5}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: expected a port, found a "
		"number"},
	{IN("toPorts: [{ports: [{port: a-name-too-long-}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"a-name-too-long-\" is no "
		"name of a port: at most 15 letters, digits and single '-' between them, with a "
		"letter among them"},
	{IN("toPorts: [{ports: [{port: sixteen-letters-}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"sixteen-letters-\" is no "
		"name of a port: at most 15 letters, digits and single '-' between them, with a "
		"letter among them"},
	{IN("toPorts: [{ports: [{port: a--b}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"a--b\" is no name of a "
		"port: at most 15 letters, digits and single '-' between them, with a letter among "
		"them"},
	{IN("toPorts: [{ports: [{port: -a}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"-a\" is no name of a "
		"port: at most 15 letters, digits and single '-' between them, with a letter among "
		"them"},
	{IN("toPorts: [{ports: [{port: a.b}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"a.b\" is no name of a "
		"port: at most 15 letters, digits and single '-' between them, with a letter among "
		"them"},
	{IN("toPorts: [{ports: [{port: abcdefghijklmnop}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: \"abcdefghijklmnop\" is no "
		"name of a port: at most 15 letters, digits and single '-' between them, with a "
		"letter among them"},
	{IN("toPorts: [{ports: [{port: http, endPort: 90}]}]"),
		"p.yaml:7:46: spec.ingress[0].toPorts[0].ports[0].endPort: needs a port number of "
		"1 or more as the first of the range"},
	{IN("toPorts: [{ports: [{port: http, protocol: ESP}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: ESP has no ports; leave "
		"the port out"},
	{IN("toPorts: [{ports: [{port: '80', protocol: ICMP}]}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].ports[0].protocol: \"ICMP\" is no "
		"protocol; use TCP, UDP, SCTP, ANY, VRRP, IGMP, GRE, IPIP, IPV6, ESP or AH (and "
		"icmps for ICMP)"},
	{IN("toPorts: [{ports: [{port: '80', protocol: 6}]}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].ports[0].protocol: expected a string, "
		"found an integer; quote it"},
	{IN("toPorts: [{ports: [{port: '80', endPort: 79}]}]"),
		"p.yaml:7:46: spec.ingress[0].toPorts[0].ports[0].endPort: 79 is not in 80..65535, "
		"from the port on"},
	{IN("toPorts: [{ports: [{port: '80', endPort: 65536}]}]"),
		"p.yaml:7:46: spec.ingress[0].toPorts[0].ports[0].endPort: 65536 is not in "
		"80..65535, from the port on"},
	{IN("toPorts: [{ports: [{port: '80', endPort: '90'}]}]"),
		"p.yaml:7:46: spec.ingress[0].toPorts[0].ports[0].endPort: expected an integer, "
		"found a string"},
	{IN("toPorts: [{ports: [{port: '0', endPort: 90}]}]"),
		"p.yaml:7:45: spec.ingress[0].toPorts[0].ports[0].endPort: needs a port number of "
		"1 or more as the first of the range"},
	{IN("toPorts: [{ports: [{endPort: 90}]}]"),
		"p.yaml:7:34: spec.ingress[0].toPorts[0].ports[0].endPort: needs a port number of "
		"1 or more as the first of the range"},
	{IN("toPorts: [{ports: [{port: '80', protocol: GRE}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: GRE has no ports; leave "
		"the port out"},
	{IN("toPorts: [{ports: [{port: '1'}]}]\n    icmps: [{fields: [{type: 8}]}]"),
		"p.yaml:8:5: spec.ingress[0].icmps: cannot be combined with toPorts; give the ICMP "
		"types a rule of their own"},
	{IN("toPorts: [{ports: [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
	    "{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
	    "{}, {}, {}, {}]}]"),
		"p.yaml:7:16: spec.ingress[0].toPorts[0].ports: 41 items where at most 40 are "
		"allowed"},
	{IN("icmps: [{fields: [{type: 256}]}]"),
		"p.yaml:7:30: spec.ingress[0].icmps[0].fields[0].type: 256 is no ICMP type; use 0 "
		"to 255"},
	{IN("icmps: [{fields: [{type: -1}]}]"),
		"p.yaml:7:30: spec.ingress[0].icmps[0].fields[0].type: -1 is no ICMP type; use 0 "
		"to 255"},
	{IN("icmps: [{fields: [{type: EchoReqest}]}]"),
		"p.yaml:7:30: spec.ingress[0].icmps[0].fields[0].type: \"EchoReqest\" is no ICMPv4 "
		"type; did you mean EchoRequest?"},
	{IN("icmps: [{fields: [{type: PacketTooBig}]}]"),
		"p.yaml:7:30: spec.ingress[0].icmps[0].fields[0].type: \"PacketTooBig\" is no "
		"ICMPv4 type"},
	{IN("icmps: [{fields: [{family: IPv5, type: 8}]}]"),
		"p.yaml:7:32: spec.ingress[0].icmps[0].fields[0].family: \"IPv5\" is no family; "
		"use IPv4 or IPv6"},
	{IN("icmps: [{fields: [{family: IPv6}]}]"),
		"p.yaml:7:23: spec.ingress[0].icmps[0].fields[0].type: is missing; use a number or "
		"a name such as EchoRequest"},
	{IN("icmps: [{fields: [{type: true}]}]"),
		"p.yaml:7:30: spec.ingress[0].icmps[0].fields[0].type: expected a number or a "
		"name, found a boolean"},
	{IN("icmps: [{fields: [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
	    "{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
	    "{}, {}, {}]}]"),
		"p.yaml:7:14: spec.ingress[0].icmps[0].fields: 41 items where at most 40 are "
		"allowed"},
};

int main(void)
{
	return run_refusals("policy_refusal", refusals, ARRAY_SIZE(refusals));
}
