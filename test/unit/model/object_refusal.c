/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What objects that policies refer to are refused.
 * Each row is a document and how its refusal begins: place, field, reason.
 */
#include "refusal.h"

static const struct refusal refusals[] = {
	/* objects that policies refer to */
	{"apiVersion: v1\nkind: Namespace\nmetadata: {}\n",
		"p.yaml:3:1: metadata.name: is missing"},
	{"apiVersion: v1\nkind: Namespace\nmetadata: {name: A}\n",
		"p.yaml:3:18: metadata.name: \"A\" is no name: lower-case letters, digits, '.', "
		"'-', with a letter or digit at both ends"},
	{"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: 1}}\n",
		"p.yaml:3:33: metadata.labels.x: expected a string, found an integer; quote it"},
	{"apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: []}\n",
		"p.yaml:3:21: metadata.labels: expected a mapping, found a list"},
	{"apiVersion: v1\nkind: Namespace\nmetadata: 7\n",
		"p.yaml:3:11: metadata: expected a mapping, found an integer"},
	{"apiVersion: v2\nkind: Namespace\nmetadata: {name: a}\n",
		"p.yaml:1:13: apiVersion: \"v2\" is not supported for Namespace; use v1"},
	{"apiVersion: v1\nkind: Node\nmetadata: {name: a, namespace: b}\n",
		"p.yaml:3:32: metadata.namespace: Node has no namespace; remove it"},
	{"apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: []\n",
		"p.yaml:4:1: status: expected a mapping, found a list"},
	{"apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: {}}\n",
		"p.yaml:4:10: status.addresses: expected a list, found a mapping"},
	{"apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{address: "
	 "10.0.0.1}]}\n",
		"p.yaml:4:22: status.addresses[0].type: is missing"},
	{"apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{type: InternalIP, "
	 "address: 10.0.0}]}\n",
		"p.yaml:4:50: status.addresses[0].address: \"10.0.0\" is no address"},
	{"apiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{type: "
	 "ExternalIP}]}\n",
		"p.yaml:4:22: status.addresses[0].address: is missing"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNode\nmetadata: {name: a}\nspec: {addresses: "
	 "[{type: CiliumInternalIP, ip: x}]}\n",
		"p.yaml:4:49: spec.addresses[0].ip: \"x\" is no address"},
	{"apiVersion: cilium.io/v1\nkind: CiliumNode\nmetadata: {name: a}\n",
		"p.yaml:1:13: apiVersion: \"cilium.io/v1\" is not supported for CiliumNode; use "
		"cilium.io/v2"},
	{"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: a}\n",
		"p.yaml:1:1: spec: is missing"},
	{"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: a}\nspec: {}\n",
		"p.yaml:4:1: spec.externalCIDRs: is missing; [] is an empty group"},
	{"apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata: {name: a}\nspec: "
	 "{externalCIDR: []}\n",
		"p.yaml:4:8: spec.externalCIDR: unknown field; did you mean externalCIDRs?"},
	{"apiVersion: cilium.io/v2alpha1\nkind: CiliumCIDRGroup\nmetadata: {name: a}\nspec: "
	 "{externalCIDRs: [x]}\n",
		"p.yaml:4:24: spec.externalCIDRs[0]: \"x\" is no CIDR; write 10.0.0.0/8 or "
		"fd00::/8"},
	{"apiVersion: cilium.io/v2alpha2\nkind: CiliumCIDRGroup\nmetadata: {name: a}\nspec: "
	 "{externalCIDRs: []}\n",
		"p.yaml:1:13: apiVersion: \"cilium.io/v2alpha2\" is not supported for "
		"CiliumCIDRGroup; use cilium.io/v2 or cilium.io/v2alpha1"},
	{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: []\n",
		"p.yaml:4:1: spec: expected a mapping, found a list"},
	{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: [a]}\n",
		"p.yaml:4:8: spec.selector: expected a mapping, found a list"},
	{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: 1}}\n",
		"p.yaml:4:22: spec.selector.a: expected a string, found an integer; quote it"},
	{"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: B}\n",
		"p.yaml:3:32: metadata.namespace: \"B\" is no name: lower-case letters, digits, "
		"'-', with a letter or digit at both ends"},
	{"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: 7}\n",
		"p.yaml:4:14: spec.type: expected a string, found an integer; quote it"},
	{"apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\nsubsets: {}\n",
		"p.yaml:4:1: subsets: expected a list, found a mapping"},
	{"apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\nsubsets: [{addresses: [{ip: "
	 "x}]}]\n",
		"p.yaml:4:29: subsets[0].addresses[0].ip: \"x\" is no address"},
	{"apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\nsubsets: [{addresses: [x]}]\n",
		"p.yaml:4:24: subsets[0].addresses[0]: expected a mapping, found a string"},
	{"apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\nsubsets: [null]\n",
		"p.yaml:4:11: subsets[0]: expected a mapping, found null"},
	{"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\n",
		"p.yaml:1:1: addressType: is missing"},
	{"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a, labels: "
	 "{kubernetes.io/service-name: s}}\naddressType: IPv4\nendpoints: [{addresses: [x]}]\n",
		"p.yaml:5:26: endpoints[0].addresses[0]: \"x\" is no address"},
	{"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a, labels: "
	 "{kubernetes.io/service-name: s}}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.1], "
	 "conditions: {ready: 'no'}}]\n",
		"p.yaml:5:57: endpoints[0].conditions.ready: expected true or false, found a "
		"string"},
	{"apiVersion: discovery.k8s.io/v1alpha1\nkind: EndpointSlice\nmetadata: {name: a}\n",
		"p.yaml:1:13: apiVersion: \"discovery.k8s.io/v1alpha1\" is not supported for "
		"EndpointSlice; use discovery.k8s.io/v1 or discovery.k8s.io/v1beta1"},
};

int main(void)
{
	return run_refusals("object_refusal", refusals, ARRAY_SIZE(refusals));
}
