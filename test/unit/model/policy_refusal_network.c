/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What NetworkPolicies are refused, and what names, versions and lists of all kinds.
 * Each row is a document and how its refusal begins: place, field, reason.
 */
#include "refusal.h"

static const struct refusal refusals[] = {
	/* NetworkPolicy */
	{NP("  ingress: [{from: [{endpointSelector: {}}]}]\n"),
		"p.yaml:6:22: spec.ingress[0].from[0].endpointSelector: unknown field; did you "
		"mean podSelector?"},
	{NP("  ingress: [{fromEndpoints: []}]\n"), "p.yaml:6:14: spec.ingress[0].fromEndpoints: "
						   "unknown field; known here: from, ports"},
	{NP("  ingress: [{to: []}]\n"),
		"p.yaml:6:14: spec.ingress[0].to: unknown field; known here: from, ports"},
	{NP("  egress: [{from: []}]\n"),
		"p.yaml:6:13: spec.egress[0].from: unknown field; known here: to, ports"},
	{NP("  endpointSelector: {}\n"),
		"p.yaml:6:3: spec.endpointSelector: unknown field; did you mean podSelector?"},
	{NP("  ingressDeny: []\n"),
		"p.yaml:6:3: spec.ingressDeny: unknown field; did you mean ingress?"},
	{NP("  mode: shadow\n"), "p.yaml:6:3: spec.mode: unknown field; known here: podSelector, "
				 "ingress, egress, policyTypes"},
	{NP("  ingress: [{order: 1}]\n"),
		"p.yaml:6:14: spec.ingress[0].order: unknown field; known here: from, ports"},
	{NP("  ingress: {}\n"), "p.yaml:6:3: spec.ingress: expected a list, found a mapping"},
	{NP("  ingress: [null]\n"), "p.yaml:6:13: spec.ingress[0]: expected a mapping, found null; "
				    "{} allows everything"},
	{NP("  ingress: [{from: {}}]\n"),
		"p.yaml:6:14: spec.ingress[0].from: expected a list, found a mapping"},
	{NP("  ingress: [{from: [null]}]\n"),
		"p.yaml:6:21: spec.ingress[0].from[0]: needs one of podSelector, namespaceSelector "
		"and ipBlock; {} as a selector selects all"},
	{NP("  ingress: [{from: [{}]}]\n"),
		"p.yaml:6:21: spec.ingress[0].from[0]: needs one of podSelector, namespaceSelector "
		"and ipBlock; {} as a selector selects all"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]\n"),
		"p.yaml:6:22: spec.ingress[0].from[0].ipBlock: cannot be combined with a selector "
		"in one peer"},
	{NP("  ingress: [{from: [{ipBlock: {}}]}]\n"),
		"p.yaml:6:22: spec.ingress[0].from[0].ipBlock.cidr: is missing"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [9.0.0.0/8]}}]}]\n"),
		"p.yaml:6:59: spec.ingress[0].from[0].ipBlock.except[0]: 9.0.0.0/8 is not inside "
		"10.0.0.0/8"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: x}}]}]\n"),
		"p.yaml:6:38: spec.ingress[0].from[0].ipBlock.cidr: \"x\" is no CIDR; write "
		"10.0.0.0/8 or fd00::/8"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, excepts: []}}]}]\n"),
		"p.yaml:6:50: spec.ingress[0].from[0].ipBlock.excepts: unknown field; did you mean "
		"except?"},
	{NP("  ingress: [{from: [{podSelector: {matchLabels: {'k8s:app': b}}}]}]\n"),
		"p.yaml:6:61: spec.ingress[0].from[0].podSelector.matchLabels.k8s:app: \"k8s:app\" "
		"is no label key"},
	{NP("  ingress: [{from: [{namespaceSelector: {matchLabels: {a: 1}}}]}]\n"),
		"p.yaml:6:59: spec.ingress[0].from[0].namespaceSelector.matchLabels.a: expected a "
		"string, found an integer; quote it"},
	{NP("  ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: "
	    "Exist}]}}]}]\n"),
		"p.yaml:6:74: spec.ingress[0].from[0].podSelector.matchExpressions[0].operator: "
		"\"Exist\" is no operator; use In, NotIn, Exists or DoesNotExist"},
	{NP("  ingress: [{ports: {}}]\n"),
		"p.yaml:6:14: spec.ingress[0].ports: expected a list, found a mapping"},
	{NP("  ingress: [{ports: [null]}]\n"),
		"p.yaml:6:22: spec.ingress[0].ports[0]: expected a mapping, found null"},
	{NP("  ingress: [{ports: [{port: 0}]}]\n"),
		"p.yaml:6:29: spec.ingress[0].ports[0].port: 0 is no port; use 1 to 65535"},
	{NP("  ingress: [{ports: [{port: 65536}]}]\n"),
		"p.yaml:6:29: spec.ingress[0].ports[0].port: 65536 is no port; use 1 to 65535"},
	{NP("  ingress: [{ports: [{endPort: 9}]}]\n"),
		"p.yaml:6:32: spec.ingress[0].ports[0].endPort: needs a port number of 1 or more "
		"as the first of the range"},
	{NP("  ingress: [{ports: [{port: http, endPort: 9}]}]\n"),
		"p.yaml:6:44: spec.ingress[0].ports[0].endPort: needs a port number of 1 or more "
		"as the first of the range"},
	{NP("  ingress: [{ports: [{port: HTTP}]}]\n"),
		"p.yaml:6:29: spec.ingress[0].ports[0].port: \"HTTP\" is no name of a port: at "
		"most 15 lower-case letters, digits and single '-' between them, with a letter "
		"among them"},
	{NP("  ingress: [{ports: [{port: 80, endPort: 79}]}]\n"),
		"p.yaml:6:42: spec.ingress[0].ports[0].endPort: 79 is not in 80..65535, from the "
		"port on"},
	{NP("  ingress: [{ports: [{port: 80, endPort: 0}]}]\n"),
		"p.yaml:6:42: spec.ingress[0].ports[0].endPort: 0 is not in 80..65535, from the "
		"port on"},
	{NP("  ingress: [{ports: [{port: 80, protocol: ANY}]}]\n"),
		"p.yaml:6:43: spec.ingress[0].ports[0].protocol: \"ANY\" is no protocol; use TCP, "
		"UDP or SCTP"},
	{NP("  ingress: [{ports: [{port: 80, protocol: ICMP}]}]\n"),
		"p.yaml:6:43: spec.ingress[0].ports[0].protocol: \"ICMP\" is no protocol; use TCP, "
		"UDP or SCTP"},
	{NP("  policyTypes: [ingress]\n"), "p.yaml:6:17: spec.policyTypes[0]: \"ingress\" is no "
					   "policy type; use Ingress or Egress"},
	{NP("  policyTypes: Ingress\n"),
		"p.yaml:6:16: spec.policyTypes: expected a list, found a string"},
	{NP("  policyTypes: [null]\n"), "p.yaml:6:17: spec.policyTypes[0]: is missing"},
	{"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n",
		"p.yaml:1:1: spec is missing"},
	{"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: "
	 "{podSelector: []}\n",
		"p.yaml:4:8: spec.podSelector: expected a mapping, found a list"},
	{"apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: "
	 "{}\n",
		"p.yaml:1:13: apiVersion: \"networking.k8s.io/v1beta1\" is not supported for "
		"NetworkPolicy; use networking.k8s.io/v1"},
	{"apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {}\n",
		"p.yaml:1:13: apiVersion: \"extensions/v1beta1\" is not supported for "
		"NetworkPolicy; use networking.k8s.io/v1"},
	/* names and lists */
	{"apiVersion: cilium.io/v1\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec: {}\n",
		"p.yaml:1:13: apiVersion: \"cilium.io/v1\" is not supported for "
		"CiliumNetworkPolicy; use cilium.io/v2"},
	{"apiVersion: cilium.io/v2alpha1\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: "
	 "p}\nspec: {}\n",
		"p.yaml:1:13: apiVersion: \"cilium.io/v2alpha1\" is not supported for "
		"CiliumClusterwideNetworkPolicy; use cilium.io/v2"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nspec: {endpointSelector: {}, "
	 "ingress: []}\n",
		"p.yaml:1:1: metadata.name: is missing"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: 'a/b'}\nspec: {}\n",
		"p.yaml:3:18: metadata.name: \"a/b\" is no name: lower-case letters, digits, '.', "
		"'-', with a letter or digit at both ends"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: Big}\nspec: {}\n",
		"p.yaml:3:18: metadata.name: \"Big\" is no name: lower-case letters, digits, '.', "
		"'-', with a letter or digit at both ends"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: "
	 "a.b}\n",
		"p.yaml:3:32: metadata.namespace: \"a.b\" is no name: lower-case letters, digits, "
		"'-', with a letter or digit at both ends"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, uid: 7}\n",
		"p.yaml:3:26: metadata.uid: expected a string, found an integer; quote it"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, labels: {'a;b': "
	 "c}}\n",
		"p.yaml:3:37: metadata.labels.a;b: label \"a;b\": a ';' is not allowed in a label"},
	{"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p, "
	 "namespace: a}\n",
		"p.yaml:3:32: metadata.namespace: CiliumClusterwideNetworkPolicy has no namespace; "
		"remove it"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems:\n- metadata: {name: p}\n "
	 " spec: {}\n",
		"p.yaml:5:3: items[0].spec: endpointSelector is missing; {} selects every endpoint "
		"of the namespace"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems: [{kind: NetworkPolicy, "
	 "apiVersion: networking.k8s.io/v1}]\n",
		"p.yaml:3:9: items[0]: a NetworkPolicy in a list of CiliumNetworkPolicy"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems: {}\n",
		"p.yaml:3:1: items: expected a list, found a mapping"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitem: []\n",
		"p.yaml:3:1: item: unknown field; did you mean items?"},
	{"apiVersion: v1\nkind: NamespaceList\nitems: [{kind: Node}]\n",
		"p.yaml:3:9: items[0]: a Node in a list of Namespace"},
	{"apiVersion: v1\nkind: List\nitems: [7]\n",
		"p.yaml:3:9: items[0]: expected a mapping, found an integer"},
	{"apiVersion: v1\nkind: List\nitems:\n- apiVersion: cilium.io/v2\n  kind: "
	 "CiliumNetworkPolicy\n  metadata: {name: p}\n  spec: {endpointSelector: {}, ingres: []}\n",
		"p.yaml:7:32: items[0].spec.ingres: unknown field; did you mean ingress?"},
	{"apiVersion: v1\nkind: Pod\n",
		"p.yaml:1:1: kind \"Pod\" of apiVersion \"v1\" is no policy that is supported"},
	{"kind: Namespace\n",
		"p.yaml:1:1: kind \"Namespace\" of apiVersion \"\" is no policy that is supported"},
};

int main(void)
{
	return run_refusals("policy_refusal_network", refusals, ARRAY_SIZE(refusals));
}
