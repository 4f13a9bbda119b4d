/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policy documents are refused, with place and field, and how the accepted ones read.
 * KILIM_CORPUS names a directory of real manifests; each of them must load, or be refused for the
 * feature that its name stands for.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "model/policy.h"

#define HEAD(kind) "apiVersion: cilium.io/v2\nkind: " kind "\nmetadata: {name: p}\n"
#define CNP(spec)  HEAD("CiliumNetworkPolicy") "spec:\n  endpointSelector: {}\n" spec
#define IN(rule)   CNP("  ingress:\n  - " rule "\n")
#define OUT(rule)  CNP("  egress:\n  - " rule "\n")
#define NP(spec)                                                                                   \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n"      \
	"  podSelector: {}\n" spec

static const struct policy_context context = {.cluster = "kilim", .default_namespace = "default"};

struct refusal {
	const char *text, *says;
};

/* The text starts at line 1, so rules of CNP() stand at line 6, below "  ingress:" or "  egress:".
 */
static const struct refusal refusals[] = {
	/* not supported yet */
	{HEAD("CiliumClusterwideNetworkPolicy") "spec:\n  nodeSelector: {}\n  ingress: []\n",
		"p.yaml:5:3: spec.nodeSelector: policies for nodes are not supported yet"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]"),
		"p.yaml:7:39: spec.ingress[0].toPorts[0].rules: layer-7 rules are not supported "
		"yet"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {kafka: [{role: produce}]}}]"),
		"spec.ingress[0].toPorts[0].rules: layer-7 rules"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {}}]"), "toPorts[0].rules: layer-7"},
	{OUT("toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]"),
		"spec.egress[0].toPorts[0].rules: layer-7 rules"},
	{OUT("toFQDNs: [{matchName: cilium.io}]"),
		"p.yaml:7:5: spec.egress[0].toFQDNs: DNS names as peers are not supported yet"},
	{OUT("toServices: [{k8sService: {serviceName: x}}]"),
		"spec.egress[0].toServices: services"},
	{OUT("toGroups: [{aws: {}}]"), "spec.egress[0].toGroups: cloud provider groups"},
	{IN("fromGroups: [{aws: {}}]"), "spec.ingress[0].fromGroups: cloud provider groups"},
	{IN("fromNodes: [{}]"), "spec.ingress[0].fromNodes: selection of nodes"},
	{OUT("toNodes: [{}]"), "spec.egress[0].toNodes: selection of nodes"},
	{IN("fromRequires: [{matchLabels: {a: b}}]"), "spec.ingress[0].fromRequires: is no longer"},
	{OUT("toRequires: [{matchLabels: {a: b}}]"), "spec.egress[0].toRequires: is no longer"},
	{OUT("toCIDRSet: [{cidrGroupRef: x}]"), "toCIDRSet[0].cidrGroupRef: CIDR groups"},
	{OUT("toCIDRSet: [{cidrGroupSelector: {}}]"),
		"toCIDRSet[0].cidrGroupSelector: CIDR groups"},
	{OUT("toPorts: [{ports: [{port: '443'}], serverNames: [one.one]}]"),
		"spec.egress[0].toPorts[0].serverNames: TLS server names"},
	{OUT("toPorts: [{ports: [{port: '443'}], terminatingTLS: {}}]"), "terminatingTLS: TLS"},
	{OUT("toPorts: [{ports: [{port: '443'}], originatingTLS: {}}]"), "originatingTLS: TLS"},
	{OUT("toPorts: [{ports: [{port: '443'}], listener: {name: x}}]"), "listener: redirection"},
	{IN("authentication: {mode: required}\n    fromEntities: [all]"),
		"p.yaml:7:28: spec.ingress[0].authentication.mode: mutual authentication is not"},
	{IN("authentication: {mode: test-always-fail}"), "authentication.mode: mutual"},
	{IN("toPorts: [{ports: [{port: http}]}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].ports[0].port: named ports (\"http\")"},
	{NP("  ingress: [{ports: [{port: http}]}]\n"),
		"spec.ingress[0].ports[0].port: named ports"},
	/* unknown fields */
	{CNP("  ingres: []\n"), "p.yaml:6:3: spec.ingres: unknown field; did you mean ingress?"},
	{CNP("  Ingress: []\n"), "spec.Ingress: unknown field; did you mean ingress?"},
	{IN("fromEndpoint: []"),
		"p.yaml:7:5: spec.ingress[0].fromEndpoint: unknown field; did you mean "
		"fromEndpoints?"},
	{IN("toEndpoints: [{}]"), "unknown field; did you mean fromEndpoints?"},
	{IN("fromFQDNs: [{}]"), "spec.ingress[0].fromFQDNs: unknown field"},
	{IN("toPorts: [{port: [{port: '80'}]}]"), "unknown field; did you mean ports?"},
	{IN("toPorts: [{ports: [{port: '80', proto: TCP}]}]"), "ports[0].proto: unknown field"},
	{IN("fromEndpoints: [{matchLabel: {a: b}}]"), "did you mean matchLabels?"},
	{IN("fromEndpoints: [{a: b}]"),
		"spec.ingress[0].fromEndpoints[0].a: unknown field; known here: "
		"matchLabels, matchExpressions"},
	{IN("icmps: [{field: []}]"), "did you mean fields?"},
	{IN("icmps: [{fields: [{kind: 8}]}]"), "fields[0].kind: unknown field"},
	{OUT("toCIDRSet: [{cidr: 10.0.0.0/8, excepts: []}]"), "did you mean except?"},
	{CNP("  enableDefaultDeny: {in: true}\n  ingress: []\n"),
		"enableDefaultDeny.in: unknown field"},
	{CNP("  log: {values: x}\n  ingress: []\n"), "spec.log.values: unknown field"},
	{HEAD("CiliumNetworkPolicy") "spce: {}\n",
		"p.yaml:4:1: spce: unknown field; did you mean spec?"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {namex: p}\nspec: {}\n",
		"p.yaml:3:12: metadata.namex: unknown field; did you mean name?"},
	{CNP("  ingressDeny: [{authentication: {mode: disabled}}]\n"),
		"spec.ingressDeny[0].authentication: unknown field"},
	{CNP("  egressDeny: [{toFQDNs: [{matchName: x.y}]}]\n"),
		"spec.egressDeny[0].toFQDNs: unknown field"},
	{CNP("  ingressDeny: [{toPorts: [{ports: [{port: '1'}], rules: {}}]}]\n"),
		"ingressDeny[0].toPorts[0].rules: unknown field"},
	{NP("  ingress: [{from: [{endpointSelector: {}}]}]\n"), "endpointSelector: unknown field"},
	{NP("  ingress: [{fromEndpoints: []}]\n"), "spec.ingress[0].fromEndpoints: unknown field"},
	{NP("  ingress: [{to: []}]\n"), "spec.ingress[0].to: unknown field"},
	{NP("  endpointSelector: {}\n"),
		"spec.endpointSelector: unknown field; did you mean podSelector?"},
	{NP("  ingressDeny: []\n"), "spec.ingressDeny: unknown field"},
	/* structure */
	{HEAD("CiliumNetworkPolicy"), "p.yaml:1:1: spec is missing"},
	{HEAD("CiliumNetworkPolicy") "spec: 7\n",
		"p.yaml:4:7: spec: expected a mapping, found an integer"},
	{HEAD("CiliumNetworkPolicy") "specs: {}\n", "specs: expected a list, found a mapping"},
	{HEAD("CiliumNetworkPolicy") "specs: [null]\n", "specs[0]: expected a mapping, found null"},
	{HEAD("CiliumNetworkPolicy") "spec: {ingress: []}\n", "spec: endpointSelector is missing"},
	{HEAD("CiliumNetworkPolicy") "spec: {endpointSelector: null, ingress: []}\n",
		"spec: endpointSelector is missing"},
	{HEAD("CiliumNetworkPolicy") "spec: {endpointSelector: []}\n",
		"spec.endpointSelector: expected a mapping, found a list"},
	{CNP(""), "spec: has none of ingress, ingressDeny, egress and egressDeny"},
	{CNP("  ingress: null\n"), "spec: has none of ingress"},
	{CNP("  ingress: {}\n"), "spec.ingress: expected a list, found a mapping"},
	{CNP("  ingress: [null]\n"), "spec.ingress[0]: expected a mapping, found null"},
	{CNP("  ingress: [x]\n"), "spec.ingress[0]: expected a mapping, found a string"},
	{IN("fromEndpoints: {}"), "fromEndpoints: expected a list, found a mapping"},
	{IN("fromEndpoints: [null]"), "fromEndpoints[0]: expected a mapping, found null"},
	{IN("fromEntities: all"), "fromEntities: expected a list, found a string"},
	{IN("toPorts: {}"), "toPorts: expected a list, found a mapping"},
	{IN("toPorts: [null]"), "toPorts[0]: expected a mapping, found null"},
	{IN("toPorts: [{ports: [null]}]"), "ports[0]: expected a mapping, found null"},
	{IN("icmps: [{fields: [null]}]"), "fields[0]: expected a mapping, found null"},
	{OUT("toCIDRSet: [null]"), "toCIDRSet[0]: expected a mapping, found null"},
	{CNP("  description: 7\n  ingress: []\n"),
		"spec.description: expected a string, found an integer"},
	{CNP("  enableDefaultDeny: {ingress: 'no'}\n  ingress: []\n"),
		"enableDefaultDeny.ingress: expected true or false, found a string"},
	{CNP("  log: {value: 'this is longer than thirty-two bytes'}\n  ingress: []\n"),
		"spec.log.value: is longer than 32 bytes"},
	{CNP("  labels: [{value: x}]\n  ingress: []\n"), "spec.labels[0].key: is missing"},
	{CNP("  labels: ['q:x=y']\n  ingress: []\n"),
		"spec.labels[0]: label \"q:x=y\": \"q\" is no label "
		"source"},
	/* peers */
	{IN("fromEndpoints: [{}]\n    fromEntities: [all]"),
		"p.yaml:8:5: spec.ingress[0].fromEntities: cannot be combined with fromEndpoints"},
	{OUT("toCIDR: [10.0.0.0/8]\n    toCIDRSet: [{cidr: 10.0.0.0/8}]"),
		"spec.egress[0].toCIDRSet: cannot be combined with toCIDR"},
	{IN("fromEntities: [wrold]"),
		"p.yaml:7:20: spec.ingress[0].fromEntities[0]: unknown entity "
		"\"wrold\"; did you mean world?"},
	{IN("fromEntities: [everybody]"), "unknown entity \"everybody\"; use all, cluster"},
	{IN("fromEntities: [World]"), "did you mean world?"},
	{IN("fromEntities: [7]"), "fromEntities[0]: expected a string, found an integer; quote it"},
	{IN("fromEntities: [null]"), "fromEntities[0]: is missing"},
	{IN("fromCIDR: [10.0.0.0/33]"), "fromCIDR[0]: \"10.0.0.0/33\" is no CIDR"},
	{IN("fromCIDR: [10.0.0/8]"), "is no CIDR"},
	{IN("fromCIDR: ['10.0.0.0/-1']"), "is no CIDR"},
	{IN("fromCIDR: ['10.0.0.0/08']"), "is no CIDR"},
	{IN("fromCIDR: ['::ffff:10.0.0.0/104']"), "is no CIDR"},
	{IN("fromCIDR: ['fe80::1%eth0/64']"), "is no CIDR"},
	{IN("fromCIDR: ['']"), "fromCIDR[0]: is empty"},
	{IN("fromCIDRSet: [{}]"), "fromCIDRSet[0].cidr: is missing"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]"),
		"fromCIDRSet[0].except[0]: 11.0.0.0/16 is not inside 10.0.0.0/8"},
	{IN("fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/7]}]"), "is not inside 10.0.0.0/8"},
	{IN("fromCIDRSet: [{cidr: '::/0', except: [10.0.0.0/8]}]"),
		"10.0.0.0/8 is not inside ::/0"},
	/* selectors */
	{IN("fromEndpoints: [{matchLabels: {a: 1}}]"),
		"matchLabels.a: expected a string, found an integer; quote it"},
	{IN("fromEndpoints: [{matchLabels: {a: null}}]"),
		"matchLabels.a: expected a string, found null"},
	{IN("fromEndpoints: [{matchLabels: {a: 'b c'}}]"), "\"b c\" is no label value"},
	{IN("fromEndpoints: [{matchLabels: {a: '-b'}}]"), "is no label value"},
	{IN("fromEndpoints: [{matchLabels: {'foo:a': b}}]"), "\"foo\" is no label source"},
	{IN("fromEndpoints: [{matchLabels: {'k8s:': b}}]"), "is no label key"},
	{IN("fromEndpoints: [{matchLabels: {'': b}}]"), "is no label key"},
	{IN("fromEndpoints: [{matchLabels: {'a/b/c': b}}]"), "\"a/b/c\" is no label key"},
	{IN("fromEndpoints: [{matchLabels: {'a=b': c}}]"), "\"a=b\" is no label key"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: Is, values: [b]}]}]"),
		"matchExpressions[0].operator: \"Is\" is no operator; use In, NotIn, Exists"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]"),
		"matchExpressions[0].values: are needed with In and NotIn"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: NotIn, values: []}]}]"),
		"values: are needed"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]"),
		"values: are allowed with In and NotIn, and only"},
	{IN("fromEndpoints: [{matchExpressions: [{operator: Exists}]}]"), "key: is missing"},
	{IN("fromEndpoints: [{matchExpressions: [{key: a}]}]"), "operator: is missing"},
	{IN("fromEndpoints: [{matchExpressions: [null]}]"),
		"matchExpressions[0]: expected a mapping"},
	{NP("  ingress: [{from: [{podSelector: {matchLabels: {'k8s:app': b}}}]}]\n"),
		"\"k8s:app\" is no label key"},
	/* ports */
	{IN("toPorts: [{ports: [{port: '65536'}]}]"), "\"65536\" is no port; use 0 to 65535"},
	{IN("toPorts: [{ports: [{port: '-1'}]}]"), "\"-1\" is no port"},
	{IN("toPorts: [{ports: [{port: -1}]}]"), "-1 is no port"},
	{IN("toPorts: [{ports: [{port: ''}]}]"), "\"\" is no port"},
	{IN("toPorts: [{ports: [{port: 1.5}]}]"), "expected a port, found a number"},
	{IN("toPorts: [{ports: [{port: '80', protocol: ICMP}]}]"),
		"protocol: \"ICMP\" is no protocol"},
	{IN("toPorts: [{ports: [{port: '80', endPort: 79}]}]"), "endPort: 79 is not in 80..65535"},
	{IN("toPorts: [{ports: [{port: '80', endPort: 65536}]}]"), "endPort: 65536 is not in"},
	{IN("toPorts: [{ports: [{port: '80', endPort: '90'}]}]"), "endPort: expected an integer"},
	{IN("toPorts: [{ports: [{port: '0', endPort: 90}]}]"), "endPort: needs a port number"},
	{IN("toPorts: [{ports: [{endPort: 90}]}]"), "endPort: needs a port number"},
	{IN("toPorts: [{ports: [{port: '80', protocol: GRE}]}]"), "port: GRE has no ports"},
	{IN("toPorts: [{ports: [{port: '1'}]}]\n    icmps: [{fields: [{type: 8}]}]"),
		"p.yaml:8:5: spec.ingress[0].icmps: cannot be combined with toPorts"},
	{IN("icmps: [{fields: [{type: 256}]}]"), "type: 256 is no ICMP type"},
	{IN("icmps: [{fields: [{type: EchoReqest}]}]"),
		"\"EchoReqest\" is no ICMPv4 type; did you mean "
		"EchoRequest?"},
	{IN("icmps: [{fields: [{type: PacketTooBig}]}]"), "is no ICMPv4 type"},
	{IN("icmps: [{fields: [{family: IPv5, type: 8}]}]"), "family: \"IPv5\" is no family"},
	{IN("icmps: [{fields: [{family: IPv6}]}]"), "type: type is missing"},
	{IN("authentication: {}"), "authentication.mode: is missing"},
	{IN("authentication: {mode: never}"), "\"never\" is no mode"},
	/* Kubernetes NetworkPolicy */
	{NP("  ingress: [{from: [{}]}]\n"), "spec.ingress[0].from[0]: needs one of podSelector"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]\n"),
		"from[0].ipBlock: cannot be combined with a selector"},
	{NP("  ingress: [{from: [{ipBlock: {}}]}]\n"), "ipBlock.cidr: is missing"},
	{NP("  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [9.0.0.0/8]}}]}]\n"),
		"ipBlock.except[0]: 9.0.0.0/8 is not inside"},
	{NP("  ingress: [{ports: [{port: 0}]}]\n"), "port: 0 is no port; use 1 to 65535"},
	{NP("  ingress: [{ports: [{endPort: 9}]}]\n"), "endPort: needs a port number"},
	{NP("  ingress: [{ports: [{port: 80, protocol: ANY}]}]\n"),
		"\"ANY\" is no protocol; use TCP, UDP or "
		"SCTP"},
	{NP("  ingress: [null]\n"), "spec.ingress[0]: expected a mapping, found null"},
	{NP("  policyTypes: [ingress]\n"), "policyTypes[0]: \"ingress\" is no policy type"},
	{"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n",
		"spec is missing"},
	{"apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: "
	 "{}\n",
		"p.yaml:1:13: apiVersion: \"networking.k8s.io/v1beta1\" is not supported for a "
		"NetworkPolicy; "
		"use networking.k8s.io/v1"},
	{"apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {}\n",
		"apiVersion: \"extensions/v1beta1\" is not supported"},
	/* names and lists */
	{"apiVersion: cilium.io/v1\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec: {}\n",
		"apiVersion: \"cilium.io/v1\" is not supported for a CiliumNetworkPolicy; use "
		"cilium.io/v2"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nspec: {endpointSelector: {}, "
	 "ingress: []}\n",
		"metadata.name: is missing"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: 'a/b'}\nspec: {}\n",
		"p.yaml:3:18: metadata.name: \"a/b\" is no name"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: Big}\nspec: {}\n",
		"metadata.name: \"Big\" is no name"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: "
	 "a.b}\n",
		"metadata.namespace: \"a.b\" is no name"},
	{"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p, "
	 "namespace: a}\n",
		"metadata.namespace: a CiliumClusterwideNetworkPolicy has no namespace; remove it"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems:\n- metadata: {name: p}\n "
	 " spec: {}\n",
		"p.yaml:5:3: items[0].spec: endpointSelector is missing"},
	{"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems: [{kind: NetworkPolicy, "
	 "apiVersion: "
	 "networking.k8s.io/v1}]\n",
		"items[0]: a NetworkPolicy in a list of CiliumNetworkPolicy"},
	{"apiVersion: v1\nkind: List\nitems:\n- apiVersion: cilium.io/v2\n  kind: "
	 "CiliumNetworkPolicy\n"
	 "  metadata: {name: p}\n  spec: {endpointSelector: {}, ingres: []}\n",
		"items[0].spec.ingres: unknown field"},
	{"apiVersion: v1\nkind: Pod\n", "kind \"Pod\" of apiVersion \"v1\" is no policy"},
};

static int parse(const char *text, struct policy_set *set, struct yaml_docs *docs, struct err *e)
{
	int r = yaml_parse("p.yaml", text, strlen(text), docs, e);

	for (size_t i = 0; !r && i < docs->count; i++)
		r = policy_parse(set, &context, "p.yaml", &docs->doc[i], e);
	return r;
}

static void test_refusal(void **state)
{
	const struct refusal *row = *state;
	struct policy_set set = {0};
	struct yaml_docs docs = {0};
	struct err e = {0};
	int r = parse(row->text, &set, &docs, &e);

	assert_int_equal(r, -EINVAL);
	assert_int_equal(set.count, 0);
	if (!strstr(e.text, row->says))
		fail_msg("says: %s", e.text);
	if (strncmp(e.text, "p.yaml:", 7))
		fail_msg("no place: %s", e.text);
	policy_set_done(&set);
	yaml_docs_done(&docs);
}

/* How a selector of a policy reads: subject, or the first one of the first rule. */
struct reading {
	const char *text, *subject, *peer;
};

static const struct reading readings[] = {
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
		NULL, "k8s:io.cilium.k8s.namespace.labels.a notin (b,c)"},
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

static void test_reading(void **state)
{
	const struct reading *row = *state;
	struct policy_set set = {0};
	struct yaml_docs docs = {0};
	struct err e = {0};

	if (parse(row->text, &set, &docs, &e) < 0)
		fail_msg("%s", e.text);
	check_selector(&set.policy[0].spec[0].subject, row->subject);
	check_selector(&set.policy[0].spec[0].rule[0].peer[0].selector[0], row->peer);
	policy_set_done(&set);
	yaml_docs_done(&docs);
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
	struct policy_set set = {0};
	struct yaml_docs docs = {0};
	const struct policy *p;
	const struct rule *r;
	struct str name = {0};
	struct err e = {0};

	(void)state;
	if (parse(text, &set, &docs, &e) < 0)
		fail_msg("%s", e.text);
	p = &set.policy[0];
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
	policy_set_done(&set);
	yaml_docs_done(&docs);
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
		"---\napiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicyList\nitems: "
		"[]\n";
	static const char bad[] =
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicyList\nitems:\n"
		"- {metadata: {name: d}, spec: {endpointSelector: {}, ingress: []}}\n"
		"- {metadata: {name: e}, spec: {endpointSelector: {}, ingress: [7]}}\n";
	struct policy_set set = {0};
	struct yaml_docs docs = {0}, more = {0};
	struct err e = {0};

	(void)state;
	if (parse(good, &set, &docs, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(set.count, 3);
	assert_string_equal(set.policy[2].kind, "NetworkPolicy");
	assert_string_equal(set.policy[2].name, "c");
	assert_true(set.policy[2].spec[0].default_deny[POLICY_INGRESS]);
	assert_int_equal(parse(bad, &set, &more, &e), -EINVAL);
	assert_int_equal(set.count, 3);
	for (size_t i = 0; i < docs.count; i++)
		assert_true(policy_is_kind(docs.doc[i].root));
	policy_set_done(&set);
	yaml_docs_done(&docs);
	yaml_docs_done(&more);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {{"{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy}", true},
		{"{apiVersion: cilium.io/v3, kind: CiliumNetworkPolicy}", true},
		{"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList}", true},
		{"{apiVersion: extensions/v1beta1, kind: NetworkPolicy}", true},
		{"{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy}", false},
		{"{apiVersion: cilium.io/v2, kind: NetworkPolicy}", false},
		{"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}", false},
		{"{apiVersion: v1, kind: List, items: [{apiVersion: cilium.io/v2, kind: "
		 "CiliumNetworkPolicy}]}",
			true},
		{"{apiVersion: v1, kind: List}", false}, {"{kind: NetworkPolicy}", false},
		{"[]", false}, {"{apiVersion: 7, kind: NetworkPolicy}", false}, {"x", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct yaml_docs docs = {0};
		struct err e = {0};

		assert_int_equal(yaml_parse("k", rows[i].text, strlen(rows[i].text), &docs, &e), 0);
		if (policy_is_kind(docs.doc[0].root) != rows[i].is)
			fail_msg("%s", rows[i].text);
		yaml_docs_done(&docs);
	}
}

/* What files of the corpus are refused for; the others load. */
static const struct {
	const char *file, *why;
} corpus[] = {{"getting-started-l7-policy.yaml", "toPorts[0].rules: layer-7 rules"},
	{"host-", "spec.nodeSelector: policies for nodes"},
	{"l4-l4_sni.yaml", "serverNames: TLS server names"},
	{"l7-", "toPorts[0].rules: layer-7 rules"}};

static void check_file(const char *directory, const char *file)
{
	struct policy_set set = {0};
	struct yaml_docs docs = {0};
	const char *why = NULL;
	struct err e = {0};
	char path[4096], *text = NULL;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	for (size_t i = 0; i < ARRAY_SIZE(corpus); i++) {
		if (!strncmp(corpus[i].file, file, strlen(corpus[i].file)))
			why = corpus[i].why;
	}
	assert_int_equal(fd_read_file(path, 1 << 20, &text, &len, &e), 0);
	r = yaml_parse(file, text, len, &docs, &e);
	for (size_t i = 0; !r && i < docs.count; i++) {
		if (policy_is_kind(docs.doc[i].root))
			r = policy_parse(&set, &context, file, &docs.doc[i], &e);
	}
	if (why ? !r || !strstr(e.text, why) : r != 0)
		fail_msg("%s: expected %s, got %s", file, why ? why : "success",
			r ? e.text : "success");
	free(text);
	policy_set_done(&set);
	yaml_docs_done(&docs);
}

static void test_corpus(void **state)
{
	const char *directory = getenv("KILIM_CORPUS");
	DIR *d = directory ? opendir(directory) : NULL;
	size_t files = 0;

	(void)state;
	if (!d) {
		print_message("# KILIM_CORPUS names no directory of manifests\n");
		skip();
	}
	for (struct dirent *n = readdir(d); n; n = readdir(d)) {
		if (!strstr(n->d_name, ".yaml"))
			continue;
		check_file(directory, n->d_name);
		files++;
	}
	closedir(d);
	assert_true(files > 0);
}

int main(void)
{
	struct CMUnitTest tests[4 + ARRAY_SIZE(refusals) + ARRAY_SIZE(readings)] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_corpus),
	};
	size_t count = 4;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		tests[count++] = (struct CMUnitTest){
			refusals[i].says, test_refusal, NULL, NULL, (void *)&refusals[i]};
	for (size_t i = 0; i < ARRAY_SIZE(readings); i++)
		tests[count++] = (struct CMUnitTest){
			"reading", test_reading, NULL, NULL, (void *)&readings[i]};
	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
