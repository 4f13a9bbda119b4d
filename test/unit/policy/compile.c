/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts of policies on the first cut of the language: labels, entities, CIDRs, ports, allow,
 * deny, default deny. language.c has the rest.
 */
#include "row.h"

#include <netinet/in.h>
#include <stdio.h>

static const struct row rows[] = {
	{"no policy", NULL, "in a b tcp/80 A0;out a world-ipv4 udp/53 A0;in a host icmp/2048 A0"},
	/* layer 3 */
	{"from endpoints", CNP "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n",
		"in a b tcp/80 A1;in a b icmp/2048 A1;in a b 47/0 A1;in a c tcp/80 N0;in a y "
		"tcp/80 N0;"
		"in a host tcp/80 N0;in a world-ipv4 tcp/80 N0;out a c tcp/80 A0;in b c tcp/80 A0;"
		"in x c tcp/80 A0;in a unknown tcp/1 N0"},
	{"to endpoints", CNP "  egress: [{toEndpoints: [{matchLabels: {app: b}}]}]\n",
		"out a b tcp/80 A1;out a c tcp/80 N0;out a world-ipv6 tcp/80 N0;in a c tcp/80 A0"},
	{"two selectors are or",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}, {matchLabels: {app: "
		    "c}}]}]\n",
		"in a b tcp/1 A1;in a c tcp/1 A1;in a a tcp/1 N0"},
	{"two labels are and",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {app: b, tier: front}}]}]\n",
		"in a b tcp/1 N0;in a a tcp/1 N0"},
	{"any endpoint is of the namespace", CNP "  ingress: [{fromEndpoints: [{}]}]\n",
		"in a b tcp/1 A1;in a a tcp/1 A1;in a x tcp/1 N0;in a world-ipv4 tcp/1 N0;"
		"in a host tcp/1 N0;in a remote-node tcp/1 N0"},
	{"other namespace by name",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: "
		    "other}}]}]\n",
		"in a x tcp/1 A1;in a y tcp/1 A1;in a b tcp/1 N0;in a z tcp/1 N0"},
	{"other namespace, dotted and bare spelling",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {k8s.io.kubernetes.pod.namespace: "
		    "other}}, {matchLabels: {io.kubernetes.pod.namespace: third}}]}]\n",
		"in a x tcp/1 A1;in a z tcp/1 A1;in a b tcp/1 N0"},
	{"any namespace",
		CNP "  ingress: [{fromEndpoints: [{matchExpressions: [{key: "
		    "io.kubernetes.pod.namespace, operator: Exists}]}]}]\n",
		"in a b tcp/1 A1;in a x tcp/1 A1;in a z tcp/1 A1;in a host tcp/1 N0"},
	{"namespace by its label",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: "
		    "{k8s:io.cilium.k8s.namespace.labels.env: prod}}]}]\n",
		"in a x tcp/1 A1;in a y tcp/1 A1;in a z tcp/1 N0;in a b tcp/1 N0"},
	{"namespace by its name label",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: "
		    "{io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name: third}}]}]\n",
		"in a z tcp/1 A1;in a x tcp/1 N0"},
	{"subject cannot be of another namespace",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec:\n"
		"  endpointSelector: {matchLabels: {k8s:io.kubernetes.pod.namespace: other}}\n"
		"  ingress: [{}]\n",
		"in a b tcp/1 A0;in x b tcp/1 A0;in y b tcp/1 A0"},
	{"subject of reserved labels stays in the namespace",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspec:\n"
		"  endpointSelector: {matchExpressions: [{key: 'reserved:init', operator: "
		"DoesNotExist}]}\n"
		"  ingress: [{}]\n",
		"in a b tcp/1 N0;in x b tcp/1 A0;in health b tcp/1 A0;in init b tcp/1 A0"},
	{"not in",
		CNP "  ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: NotIn, "
		    "values: [b]}]}]}]\n",
		"in a b tcp/1 N0;in a a tcp/1 A1;in a c tcp/1 A1;in a x tcp/1 N0;in a host tcp/1 "
		"N0"},
	{"does not exist",
		CNP "  ingress: [{fromEndpoints: [{matchExpressions: [{key: tier, operator: "
		    "DoesNotExist}]}]}]\n",
		"in a c tcp/1 A1;in a b tcp/1 N0;in a z tcp/1 N0"},
	{"exists, in any case of the operator",
		CNP "  ingress: [{fromEndpoints: [{matchExpressions: [{key: tier, operator: "
		    "exists}]}]}]\n",
		"in a b tcp/1 A1;in a c tcp/1 N0"},
	{"sources differ",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {'container:app': x}}]}]\n",
		"in a c tcp/1 A1;in a b tcp/1 N0"},
	{"any source", CNP "  ingress: [{fromEndpoints: [{matchLabels: {'any:app': x}}]}]\n",
		"in a c tcp/1 A1;in a b tcp/1 N0"},
	{"source k8s", CNP "  ingress: [{fromEndpoints: [{matchLabels: {'k8s:app': x}}]}]\n",
		"in a c tcp/1 N0"},
	{"a reserved label as peer is left alone",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {'reserved:host': ''}}]}]\n",
		"in a host tcp/1 A1;in a b tcp/1 N0"},
	/* entities */
	{"entity host", CNP "  ingress: [{fromEntities: [host]}]\n",
		"in a host tcp/1 A1;in a remote-node tcp/1 N0;in a b tcp/1 N0"},
	{"entity world", CNP "  ingress: [{fromEntities: [world]}]\n",
		"in a world-ipv4 tcp/1 A1;in a world-ipv6 tcp/1 A1;in a world tcp/1 A1;in a host "
		"tcp/1 N0;"
		"in a b tcp/1 N0;in a 192.0.2.1 tcp/1 A1"},
	{"entity world-ipv4", CNP "  egress: [{toEntities: [world-ipv4]}]\n",
		"out a world-ipv4 tcp/1 A1;out a world-ipv6 tcp/1 N0"},
	{"entity world-ipv6", CNP "  egress: [{toEntities: [world-ipv6]}]\n",
		"out a world-ipv4 tcp/1 N0;out a world-ipv6 tcp/1 A1"},
	{"entity remote-node", CNP "  egress: [{toEntities: [remote-node]}]\n",
		"out a remote-node tcp/1 A1;out a kube-apiserver tcp/1 A1;out a host tcp/1 N0"},
	{"entity kube-apiserver", CNP "  egress: [{toEntities: [kube-apiserver]}]\n",
		"out a kube-apiserver tcp/1 A1;out a remote-node tcp/1 N0;out a host tcp/1 N0"},
	{"entity health", CNP "  egress: [{toEntities: [health]}]\n",
		"out a health tcp/1 A1;out a host tcp/1 N0"},
	{"entity init", CNP "  egress: [{toEntities: [init]}]\n",
		"out a init tcp/1 A1;out a b tcp/1 N0"},
	{"entity ingress", CNP "  ingress: [{fromEntities: [ingress]}]\n",
		"in a ingress tcp/1 A1;in a b tcp/1 N0"},
	{"entity unmanaged", CNP "  ingress: [{fromEntities: [unmanaged]}]\n",
		"in a unmanaged tcp/1 A1;in a b tcp/1 N0"},
	{"entity cluster", CNP "  ingress: [{fromEntities: [cluster]}]\n",
		"in a host tcp/1 A1;in a remote-node tcp/1 A1;in a init tcp/1 A1;in a ingress "
		"tcp/1 A1;"
		"in a health tcp/1 A1;in a unmanaged tcp/1 A1;in a kube-apiserver tcp/1 A1;"
		"in a b tcp/1 A1;in a z tcp/1 A1;in a world-ipv4 tcp/1 N0;in a 192.0.2.1 tcp/1 N0"},
	{"entity cluster-mesh", CNP "  ingress: [{fromEntities: [cluster-mesh]}]\n",
		"in a host tcp/1 A1;in a z tcp/1 A1;in a world-ipv4 tcp/1 N0"},
	{"entity all", CNP "  ingress: [{fromEntities: [all]}]\n",
		"in a b tcp/1 A4;in a world-ipv4 tcp/1 A4;in a unknown tcp/1 A4;in a 192.0.2.1 "
		"47/0 A4"},
	{"entity none", CNP "  ingress: [{fromEntities: [none]}]\n",
		"in a b tcp/1 N0;in a world-ipv4 tcp/1 N0;in a host tcp/1 N0"},
	{"two entities", CNP "  ingress: [{fromEntities: [host, init]}]\n",
		"in a host tcp/1 A1;in a init tcp/1 A1;in a health tcp/1 N0"},
	/* CIDR */
	{"cidr", CNP "  egress: [{toCIDR: [192.0.2.0/24]}]\n",
		"out a 192.0.2.0 tcp/1 A1;out a 192.0.2.255 tcp/1 A1;out a 192.0.3.0 tcp/1 N0;"
		"out a b tcp/1 N0;out a host tcp/1 N0;out a world-ipv4 tcp/1 N0"},
	{"cidr with host bits, and one address",
		CNP "  egress: [{toCIDR: [192.0.2.7/24, 198.51.100.1]}]\n",
		"out a 192.0.2.1 tcp/1 A1;out a 198.51.100.1 tcp/1 A1;out a 198.51.100.2 tcp/1 N0"},
	{"cidr of IPv6", CNP "  egress: [{toCIDR: ['2001:db8::/32']}]\n",
		"out a 2001:db8::1 tcp/1 A1;out a 2001:db9::1 tcp/1 N0;out a 192.0.2.1 tcp/1 N0"},
	{"all of IPv4", CNP "  egress: [{toCIDR: [0.0.0.0/0]}]\n",
		"out a 192.0.2.1 tcp/1 A1;out a world-ipv4 tcp/1 A1;out a world-ipv6 tcp/1 N0;"
		"out a b tcp/1 N0;out a host tcp/1 N0;out a remote-node tcp/1 N0"},
	{"all of IPv6", CNP "  egress: [{toCIDR: ['::/0']}]\n",
		"out a world-ipv6 tcp/1 A1;out a world-ipv4 tcp/1 N0;out a 192.0.2.1 tcp/1 N0"},
	{"half of IPv6 holds no IPv4", CNP "  egress: [{toCIDR: ['::/1']}]\n",
		"out a 2001:db8::1 tcp/1 A1;out a fd00::1 tcp/1 N0;out a 192.0.2.1 tcp/1 N0"},
	{"cidr set with except",
		CNP "  egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16, "
		    "10.2.3.0/24]}]}]\n",
		"out a 10.0.0.1 tcp/1 A1;out a 10.1.0.1 tcp/1 N0;out a 10.2.3.4 tcp/1 N0;"
		"out a 10.2.4.4 tcp/1 A1;out a 11.0.0.1 tcp/1 N0"},
	{"world but for private ranges",
		CNP "  egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]\n",
		"out a 9.9.9.9 tcp/1 A1;out a 10.9.9.9 tcp/1 N0;out a world-ipv4 tcp/1 A1"},
	{"except of all",
		CNP "  egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.0.0.0/8]}]}]\n",
		"out a 10.0.0.1 tcp/1 N0"},
	{"except of the world",
		CNP "  egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [0.0.0.0/0]}]}]\n",
		"out a 10.0.0.1 tcp/1 N0;out a world-ipv4 tcp/1 N0"},
	{"one set's except is another's cidr",
		CNP "  egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {cidr: "
		    "10.1.2.0/24}]}]\n",
		"out a 10.1.2.3 tcp/1 A1;out a 10.1.3.3 tcp/1 N0;out a 10.2.0.1 tcp/1 A1"},
	{"longer prefixes of other rules stay inside",
		CNP "  egress: [{toCIDR: [10.0.0.0/8]}, {toCIDR: [10.1.1.0/24], toPorts: [{ports: "
		    "[{port: '80'}]}]}]\n",
		"out a 10.1.1.1 tcp/80 A2;out a 10.1.1.1 tcp/81 A1;out a 10.2.1.1 tcp/81 A1"},
	/* ports */
	{"a port", CNP "  ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]\n",
		"in a b tcp/80 A3;in a world-ipv4 tcp/80 A3;in a b tcp/81 N0;in a b udp/80 N0;"
		"in a b sctp/80 N0;in a b icmp/2048 N0;in a unknown tcp/80 A3"},
	{"a port of a peer",
		CNP
		"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}], toPorts: [{ports: [{port: "
		"'80', protocol: TCP}]}]}]\n",
		"in a b tcp/80 A2;in a b tcp/81 N0;in a c tcp/80 N0"},
	{"any protocol", CNP "  ingress: [{toPorts: [{ports: [{port: '53', protocol: ANY}]}]}]\n",
		"in a b tcp/53 A3;in a b udp/53 A3;in a b sctp/53 A3;in a b icmp/53 N0;in a b "
		"tcp/54 N0"},
	{"protocol left out", CNP "  ingress: [{toPorts: [{ports: [{port: '53'}]}]}]\n",
		"in a b tcp/53 A3;in a b udp/53 A3;in a b sctp/53 A3"},
	{"port as a number", CNP "  ingress: [{toPorts: [{ports: [{port: 53}]}]}]\n",
		"in a b udp/53 A3;in a b udp/54 N0"},
	{"port 0 is all", CNP "  ingress: [{toPorts: [{ports: [{port: '0', protocol: UDP}]}]}]\n",
		"in a b udp/1 A6;in a b udp/65535 A6;in a b tcp/1 N0"},
	{"port left out", CNP "  ingress: [{toPorts: [{ports: [{protocol: TCP}]}]}]\n",
		"in a b tcp/1 A6;in a b udp/1 N0;in a b icmp/1 N0"},
	{"port and protocol left out", CNP "  ingress: [{toPorts: [{ports: [{}]}]}]\n",
		"in a b tcp/1 A6;in a b udp/1 A6;in a b sctp/9 A6;in a b icmp/1 N0;in a b 47/0 N0"},
	{"port 0 of a peer",
		CNP "  ingress: [{fromEntities: [host], toPorts: [{ports: [{port: '0', protocol: "
		    "TCP}]}]}]\n",
		"in a host tcp/7 A5;in a host udp/7 N0;in a b tcp/7 N0"},
	{"a range",
		CNP "  ingress: [{toPorts: [{ports: [{port: '1000', endPort: 2000, protocol: "
		    "TCP}]}]}]\n",
		"in a b tcp/999 N0;in a b tcp/1000 A3;in a b tcp/1024 A3;in a b tcp/2000 A3;"
		"in a b tcp/2001 N0"},
	{"range to the end",
		CNP
		"  ingress: [{toPorts: [{ports: [{port: '1', endPort: 65535, protocol: TCP}]}]}]\n",
		"in a b tcp/0 N0;in a b tcp/1 A3;in a b tcp/65535 A3;in a b udp/1 N0"},
	{"endPort 0 is none",
		CNP
		"  ingress: [{toPorts: [{ports: [{port: '10', endPort: 0, protocol: TCP}]}]}]\n",
		"in a b tcp/10 A3;in a b tcp/11 N0"},
	{"two port lists",
		CNP "  ingress: [{toPorts: [{ports: [{port: '1'}, {port: '2'}]}, {ports: [{port: "
		    "'3'}]}]}]\n",
		"in a b tcp/1 A3;in a b tcp/2 A3;in a b tcp/3 A3;in a b tcp/4 N0"},
	{"other protocols",
		CNP "  ingress: [{toPorts: [{ports: [{protocol: GRE}, {protocol: ESP}, {port: '0', "
		    "protocol: VRRP}]}]}]\n",
		"in a b 47/0 A6;in a b 50/0 A6;in a b 112/0 A6;in a b 51/0 N0;in a b tcp/1 N0"},
	{"ICMP by number and by name",
		CNP "  ingress: [{icmps: [{fields: [{type: 8}, {type: EchoRequest, family: "
		    "IPv6}]}]}]\n",
		"in a b icmp/2048 A3;in a b icmp/2049 A3;in a b icmp/0 N0;in a b icmp6/32768 A3;"
		"in a b icmp6/33024 N0;in a b tcp/2048 N0"},
	{"ICMP type 0 is one type", CNP "  ingress: [{icmps: [{fields: [{type: EchoReply}]}]}]\n",
		"in a b icmp/0 A3;in a b icmp/255 A3;in a b icmp/256 N0;in a b icmp/2048 N0"},
	{"ICMP of a peer",
		CNP "  ingress: [{fromEntities: [host], icmps: [{fields: [{type: '8'}]}]}]\n",
		"in a host icmp/2048 A2;in a b icmp/2048 N0"},
	/* absent, null, empty */
	{"empty ingress list does nothing", CNP "  ingress: []\n",
		"in a b tcp/1 A0;out a b tcp/1 A0"},
	{"null beside a list", CNP "  ingress: null\n  egress: [{}]\n",
		"in a b tcp/1 A0;out a b tcp/1 N0"},
	{"an empty rule selects nobody and enforces", CNP "  ingress: [{}]\n",
		"in a b tcp/1 N0;in a host tcp/1 N0;out a b tcp/1 A0"},
	{"an empty deny rule enforces", CNP "  egressDeny: [{}]\n",
		"out a b tcp/1 N0;in a b tcp/1 A0"},
	{"absent peers with ports are any",
		CNP "  egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]\n",
		"out a world-ipv4 tcp/80 A3;out a b tcp/80 A3"},
	{"null peers are absent",
		CNP "  egress: [{toEndpoints: null, toPorts: [{ports: [{port: '80', protocol: "
		    "TCP}]}]}]\n",
		"out a world-ipv4 tcp/80 A3;out a b tcp/81 N0"},
	{"null peers alone are an empty rule", CNP "  egress: [{toEndpoints: null}]\n",
		"out a b tcp/80 N0"},
	{"empty endpoints with ports",
		CNP "  egress: [{toEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"out a b tcp/80 N0;out a world-ipv4 tcp/80 N0"},
	{"empty cidr with ports",
		CNP "  egress: [{toCIDR: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"out a b tcp/80 N0;out a world-ipv4 tcp/80 N0"},
	{"empty cidr set with ports",
		CNP "  egress: [{toCIDRSet: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"out a b tcp/80 N0;out a 192.0.2.1 tcp/80 N0"},
	{"empty entities with ports",
		CNP "  ingress: [{fromEntities: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"in a b tcp/80 N0;in a world-ipv4 tcp/80 N0"},
	{"empty services with ports",
		CNP "  egress: [{toServices: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"out a b tcp/80 N0;out a world-ipv4 tcp/80 N0"},
	{"empty FQDNs with ports",
		CNP "  egress: [{toFQDNs: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"out a b tcp/80 N0;out a world-ipv4 tcp/80 N0"},
	{"empty groups with ports",
		CNP "  ingress: [{fromGroups: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"in a b tcp/80 N0;in a world-ipv4 tcp/80 N0"},
	{"empty nodes with ports",
		CNP "  ingress: [{fromNodes: [], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"in a b tcp/80 N0;in a world-ipv4 tcp/80 N0"},
	{"entity none with ports",
		CNP "  ingress: [{fromEntities: [none], toPorts: [{ports: [{port: '80'}]}]}]\n",
		"in a b tcp/80 N0"},
	{"selector of nobody with ports",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {app: nobody}}], toPorts: [{ports: "
		    "[{port: '80'}]}]}]\n",
		"in a b tcp/80 N0"},
	{"empty port list selects no port",
		CNP
		"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}], toPorts: [{ports: []}]}]\n",
		"in a b tcp/80 N0"},
	{"empty ICMP fields select nothing",
		CNP
		"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}], icmps: [{fields: []}]}]\n",
		"in a b icmp/2048 N0;in a b tcp/1 N0"},
	{"empty toPorts is absent",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}], toPorts: []}]\n",
		"in a b tcp/80 A1;in a c tcp/80 N0"},
	{"empty requires are nothing",
		CNP "  ingress: [{fromRequires: [], fromEndpoints: [{matchLabels: {app: b}}]}]\n",
		"in a b tcp/80 A1"},
	{"selector without values",
		CNP "  ingress: [{fromEndpoints: [{matchLabels: {}, "
		    "matchExpressions: null}]}]\n",
		"in a b tcp/1 A1;in a x tcp/1 N0"},
	/* deny */
	{"deny beats allow",
		CNP "  ingress: [{fromEntities: [all]}]\n  ingressDeny: [{fromEndpoints: "
		    "[{matchLabels: "
		    "{app: b}}]}]\n",
		"in a b tcp/1 D1;in a c tcp/1 A4;in a host tcp/1 A4"},
	{"deny of a port",
		CNP
		"  ingress: [{fromEntities: [all]}]\n  ingressDeny: [{toPorts: [{ports: [{port: "
		"'22', protocol: TCP}]}]}]\n",
		"in a b tcp/22 D3;in a b tcp/23 A4;in a b udp/22 A4"},
	{"wide deny beats narrow allow",
		CNP
		"  ingress: [{fromEndpoints: [{matchLabels: {app: b}}], toPorts: [{ports: [{port: "
		"'80'}]}]}]\n  ingressDeny: [{fromEntities: [cluster]}]\n",
		"in a b tcp/80 D1;in a c tcp/80 D1;in a world-ipv4 tcp/80 N0"},
	{"deny of a wide cidr beats allow of a narrow one",
		CNP "  egress: [{toCIDR: [10.1.1.0/24]}]\n  egressDeny: [{toCIDR: [10.0.0.0/8]}]\n",
		"out a 10.1.1.1 tcp/1 D1;out a 10.2.1.1 tcp/1 D1;out a 11.1.1.1 tcp/1 N0"},
	{"deny of a narrow cidr inside an allowed one",
		CNP "  egress: [{toCIDR: [10.0.0.0/8]}]\n  egressDeny: [{toCIDR: [10.1.1.0/24]}]\n",
		"out a 10.1.1.1 tcp/1 D1;out a 10.2.1.1 tcp/1 A1"},
	{"deny of a cidr beats entity all",
		CNP "  egress: [{toEntities: [all]}]\n  egressDeny: [{toCIDR: [10.0.0.0/8]}]\n",
		"out a 10.1.1.1 tcp/1 D1;out a 11.1.1.1 tcp/1 A4;out a b tcp/1 A4"},
	{"deny of a cidr without default deny, narrower allow",
		CNP "  enableDefaultDeny: {egress: false}\n  egress: [{toCIDR: [10.1.1.1/32]}]\n"
		    "  egressDeny: [{toCIDR: [10.0.0.0/8]}]\n",
		"out a 10.1.1.1 tcp/1 D1;out a 10.2.1.1 tcp/1 D1;out a 11.1.1.1 tcp/1 A4"},
	{"deny with except",
		CNP
		"  egress: [{toCIDR: [0.0.0.0/0]}]\n  egressDeny: [{toCIDRSet: [{cidr: 10.0.0.0/8, "
		"except: [10.1.0.0/16]}]}]\n",
		"out a 10.2.1.1 tcp/1 D1;out a 10.1.1.1 tcp/1 A1;out a 11.1.1.1 tcp/1 A1"},
	{"deny inside an except of a deny",
		CNP
		"  egress: [{toEntities: [world]}]\n  egressDeny: [{toCIDRSet: [{cidr: 10.0.0.0/8, "
		"except: [10.1.0.0/16]}]}, {toCIDR: [10.1.2.0/24]}]\n",
		"out a 10.2.1.1 tcp/1 D1;out a 10.1.1.1 tcp/1 A1;out a 10.1.2.1 tcp/1 D1"},
	{"deny of a range inside an allowed range",
		CNP
		"  ingress: [{toPorts: [{ports: [{port: '1', endPort: 1000, protocol: TCP}]}]}]\n"
		"  ingressDeny: [{toPorts: [{ports: [{port: '100', endPort: 200, protocol: "
		"TCP}]}]}]\n",
		"in a b tcp/99 A3;in a b tcp/100 D3;in a b tcp/200 D3;in a b tcp/201 A3;"
		"in a b tcp/1001 N0"},
	{"deny only, everything else allowed",
		CNP
		"  enableDefaultDeny: {ingress: false}\n  ingressDeny: [{fromEntities: [host]}]\n",
		"in a host tcp/1 D1;in a b tcp/1 A4;in a world-ipv4 udp/9 A4"},
	{"deny only, with default deny", CNP "  ingressDeny: [{fromEntities: [host]}]\n",
		"in a host tcp/1 D1;in a b tcp/1 N0"},
	/* default deny */
	{"default deny off",
		CNP "  enableDefaultDeny: {ingress: false, egress: true}\n  ingress: "
		    "[{fromEntities: [host]}]\n  egress: [{toEntities: [host]}]\n",
		"in a host tcp/1 A1;in a b tcp/1 A4;out a host tcp/1 A1;out a b tcp/1 N0"},
	{"default deny on without rules of the direction",
		CNP "  enableDefaultDeny: {egress: true}\n  ingress: [{}]\n",
		"in a b tcp/1 N0;out a b tcp/1 N0"},
	{"another policy denies by default",
		CNP
		"  enableDefaultDeny: {ingress: false}\n  ingress: [{fromEntities: [host]}]\n---\n"
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: q}\n"
		"spec: {endpointSelector: {}, ingress: [{fromEntities: [health]}]}\n",
		"in a host tcp/1 A1;in a health tcp/1 A1;in a b tcp/1 N0;in b host tcp/1 N0"},
	/* match types and precedence among allows */
	{"the more specific allow wins",
		CNP
		"  ingress: [{fromEntities: [all]}, {fromEndpoints: [{matchLabels: {app: b}}]}, "
		"{toPorts: [{ports: [{port: '80', protocol: TCP}]}]}, {fromEndpoints: "
		"[{matchLabels: "
		"{app: c}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]\n",
		"in a host tcp/1 A4;in a b tcp/1 A1;in a b tcp/80 A3;in a c tcp/80 A2;in a host "
		"tcp/80 A3"},
	/* clusterwide */
	{"clusterwide subject in every namespace", CCNP "  ingress: [{fromEntities: [host]}]\n",
		"in a host tcp/1 A1;in x host tcp/1 A1;in x b tcp/1 N0;in b host tcp/1 A0"},
	{"clusterwide any endpoint is any pod", CCNP "  ingress: [{fromEndpoints: [{}]}]\n",
		"in a b tcp/1 A1;in a z tcp/1 A1;in a host tcp/1 N0;in a world-ipv4 tcp/1 N0;"
		"in a health tcp/1 N0"},
	{"clusterwide peer in every namespace",
		CCNP "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]\n",
		"in a b tcp/1 A1;in a y tcp/1 A1;in a z tcp/1 N0"},
	{"clusterwide for health",
		"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: "
		"p}\n"
		"spec:\n  endpointSelector: {matchLabels: {'reserved:health': ''}}\n"
		"  ingress: [{fromEntities: [remote-node]}]\n",
		"in health remote-node tcp/1 A1;in health b tcp/1 N0;in a b tcp/1 A0"},
	{"clusterwide for init: any is any",
		"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: "
		"p}\n"
		"spec:\n  endpointSelector: {matchLabels: {'reserved:init': ''}}\n"
		"  ingress: [{fromEndpoints: [{}]}]\n",
		"in init b tcp/1 A4;in init host tcp/1 A4"},
	{"clusterwide for all but init is not for init",
		"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: "
		"p}\n"
		"spec:\n  endpointSelector: {matchExpressions: [{key: 'reserved:init', operator: "
		"DoesNotExist}]}\n  ingress: [{fromEndpoints: [{}]}]\n",
		"in a b tcp/1 A1;in a host tcp/1 N0;in a world-ipv4 tcp/1 N0;in init b tcp/1 A0"},
	{"clusterwide for everything",
		"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: "
		"p}\n"
		"spec: {endpointSelector: {}, egress: [{toEntities: [host]}]}\n",
		"out a host tcp/1 A1;out z host tcp/1 A1;out health b tcp/1 N0;out init b tcp/1 "
		"N0"},
	/* specs */
	{"specs",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspecs:\n"
		"- {endpointSelector: {matchLabels: {app: a}}, ingress: [{fromEntities: [host]}]}\n"
		"- {endpointSelector: {matchLabels: {app: b}}, egress: [{toEntities: [host]}]}\n",
		"in a host tcp/1 A1;in a b tcp/1 N0;out a b tcp/1 A0;out b host tcp/1 A1;out b a "
		"tcp/1 N0;"
		"in b a tcp/1 A0"},
	{"spec and specs",
		CNP
		"  ingress: [{fromEntities: [host]}]\nspecs:\n- {endpointSelector: {}, ingress: "
		"[{fromEntities: [health]}]}\n",
		"in a host tcp/1 A1;in a health tcp/1 A1;in b health tcp/1 A1;in b host tcp/1 N0"},
	{"no specs",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p}\nspecs: "
		"[]\n",
		"in a b tcp/1 A0"},
	{"of its own namespace",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: p, "
		"namespace: "
		"other}\nspec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}\n",
		"in x y tcp/1 A1;in x a tcp/1 N0;in a x tcp/1 A0"},
	/* Kubernetes NetworkPolicy */
	{"np: isolation", NP,
		"in a b tcp/1 N0;in a host tcp/1 N0;out a b tcp/1 A0;in b a tcp/1 A0"},
	{"np: everything", NP "  ingress: [{}]\n",
		"in a b tcp/1 A4;in a world-ipv4 icmp/2048 A4;out a b tcp/1 A0"},
	{"np: empty from is everyone", NP "  ingress: [{from: [], ports: [{port: 80}]}]\n",
		"in a b tcp/80 A3;in a world-ipv4 tcp/80 A3;in a b udp/80 N0"},
	{"np: empty ports are all", NP "  ingress: [{from: [{podSelector: {}}], ports: []}]\n",
		"in a b tcp/80 A1;in a b icmp/8 A1;in a x tcp/80 N0"},
	{"np: pods of the namespace",
		NP "  ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]\n",
		"in a b tcp/1 A1;in a y tcp/1 N0;in a c tcp/1 N0"},
	{"np: all namespaces", NP "  ingress: [{from: [{namespaceSelector: {}}]}]\n",
		"in a b tcp/1 A1;in a z tcp/1 A1;in a host tcp/1 N0;in a world-ipv4 tcp/1 N0"},
	{"np: namespaces by label",
		NP "  ingress: [{from: [{namespaceSelector: {matchLabels: {env: prod}}}]}]\n",
		"in a x tcp/1 A1;in a y tcp/1 A1;in a z tcp/1 N0;in a b tcp/1 N0"},
	{"np: namespaces by what their label is not",
		NP
		"  ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: env, operator: "
		"NotIn, values: [prod]}]}}]}]\n",
		"in a z tcp/1 A1;in a b tcp/1 A1;in a x tcp/1 N0;in a world-ipv4 tcp/1 N0;"
		"in a host tcp/1 N0"},
	{"np: a namespace by name",
		NP "  ingress: [{from: [{namespaceSelector: {matchLabels: "
		   "{kubernetes.io/metadata.name: "
		   "other}}}]}]\n",
		"in a x tcp/1 A1;in a z tcp/1 N0;in a b tcp/1 N0"},
	{"np: pods of other namespaces",
		NP
		"  ingress: [{from: [{namespaceSelector: {matchLabels: {env: prod}}, podSelector: "
		"{matchLabels: {app: b}}}]}]\n",
		"in a y tcp/1 A1;in a x tcp/1 N0;in a b tcp/1 N0"},
	{"np: two peers are or",
		NP "  ingress: [{from: [{namespaceSelector: {matchLabels: {env: prod}}}, "
		   "{podSelector: "
		   "{matchLabels: {app: b}}}]}]\n",
		"in a y tcp/1 A1;in a x tcp/1 A1;in a b tcp/1 A1;in a c tcp/1 N0"},
	{"np: labels of containers do not count",
		NP "  ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]\n",
		"in a c tcp/1 N0"},
	{"np: ipBlock",
		NP "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]}]\n",
		"in a 10.2.0.1 tcp/1 A1;in a 10.1.0.1 tcp/1 N0;in a b tcp/1 A1;in a 11.0.0.1 tcp/1 "
		"N0"},
	{"np: ipBlock beside pods",
		NP "  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}, {podSelector: {}}]}]\n",
		"in a 10.2.0.1 tcp/1 A1;in a b tcp/1 A1;in a x tcp/1 A1;in a z tcp/1 N0;"
		"in a host tcp/1 A1"},
	{"np: protocol is TCP when left out", NP "  ingress: [{ports: [{port: 53}]}]\n",
		"in a b tcp/53 A3;in a b udp/53 N0"},
	{"np: port left out", NP "  ingress: [{ports: [{protocol: UDP}]}]\n",
		"in a b udp/1 A6;in a b tcp/1 N0"},
	{"np: range", NP "  ingress: [{ports: [{port: 32000, endPort: 32768}]}]\n",
		"in a b tcp/31999 N0;in a b tcp/32000 A3;in a b tcp/32768 A3;in a b tcp/32769 N0"},
	{"np: egress makes both types", NP "  egress: [{to: [{podSelector: {}}]}]\n",
		"out a b tcp/1 A1;out a x tcp/1 N0;in a b tcp/1 N0"},
	{"np: egress type only", NP "  policyTypes: [Egress]\n",
		"out a b tcp/1 N0;in a b tcp/1 A0"},
	{"np: rules of a type that is not listed do not count",
		NP "  policyTypes: [Ingress]\n  egress: [{to: [{podSelector: {}}]}]\n",
		"in a b tcp/1 N0;out a b tcp/1 A0;out a x tcp/1 A0"},
	{"np: empty types are as none", NP "  policyTypes: []\n  egress: []\n",
		"in a b tcp/1 N0;out a b tcp/1 A0"},
	{"np: both types", NP "  policyTypes: [Ingress, Egress]\n",
		"in a b tcp/1 N0;out a b tcp/1 N0"},
	{"np: all pods",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: "
		"{podSelector: {}}\n",
		"in a b tcp/1 N0;in c b tcp/1 N0;in x b tcp/1 A0;in host b tcp/1 A0"},
	{"np and cnp add up",
		NP "  ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]\n---\n" CNP
		   "  ingress: [{fromEndpoints: [{matchLabels: {app: c}}]}]\n",
		"in a b tcp/1 A1;in a c tcp/1 A1;in a host tcp/1 N0"},
	{"a deny of a cnp beats an np",
		NP "  ingress: [{}]\n---\n" CNP
		   "  ingressDeny: [{fromEndpoints: [{matchLabels: {app: "
		   "c}}]}]\n",
		"in a b tcp/1 A4;in a c tcp/1 D1"},
};

static const struct compiled_class *base_of(const struct compiled_slot *s, enum policy_direction d)
{
	return s->content->class[s->content->base[d]];
}

/* What slots hold, entry by entry. */
static void test_entries(void **state)
{
	const struct compiled_slot *s;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(
		world_read(&w, "p.yaml",
			CNP "  ingress: [{toPorts: [{ports: [{port: '1024', endPort: 65535, "
			    "protocol: TCP}, {port: '53', protocol: ANY}]}]}]\n"),
		0);
	assert_int_equal(world_compile(&w), 0);
	s = world_slot(&w, w.number[0]);
	assert_int_equal(s->content->peers, 0);
	assert_int_equal(s->content->classes, 2);
	/* base, TCP: 53 and 6 prefixes of 1024..65535; UDP 53, SCTP 53 */
	assert_true(base_of(s, POLICY_INGRESS)->entries <= 1 + 7 + 2);
	assert_int_equal(base_of(s, POLICY_INGRESS)->entry[0].prefixlen, RULE_PREFIX_CLASS);
	s = world_slot(&w, w.number[1]);
	/* nothing is said in either direction: one class */
	assert_int_equal(s->content->classes, 1);
	assert_int_equal(base_of(s, POLICY_EGRESS)->entries, 1);
	assert_int_equal(base_of(s, POLICY_EGRESS)->entry[0].decision.verdict, POLICY_ALLOW);
	assert_int_equal(base_of(s, POLICY_EGRESS)->entry[0].decision.flags, 0);
	world_done(&w);
}

/* A range that is nearly everything costs the protocol and what is left out, not sixteen prefixes.
 */
static void test_few_entries(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml",
				 CNP "  ingress: [{toPorts: [{ports: [{port: '1', endPort: 65535, "
				     "protocol: TCP}]}]}]\n"),
		0);
	assert_int_equal(world_compile(&w), 0);
	/* base, TCP, TCP port 0 */
	assert_int_equal(base_of(world_slot(&w, w.number[0]), POLICY_INGRESS)->entries, 3);
	world_done(&w);
}

/* Peers that no rule tells apart share a class; those that no rule names have no entry. */
static void test_classes(void **state)
{
	const struct compiled_content *c;
	const struct compiled_slot *s;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml",
				 CCNP "  ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}, "
				      "{fromEndpoints: [{matchLabels: {app: c}}]}, {fromEntities: "
				      "[none]}]\n"),
		0);
	assert_int_equal(world_compile(&w), 0);
	s = world_slot(&w, w.number[0]);
	c = s->content;
	assert_int_equal(c->peers, 4); /* b y, c z */
	assert_int_not_equal(c->peer[0].class[POLICY_INGRESS], c -> base[POLICY_INGRESS]);
	assert_int_equal(c->peer[0].class[POLICY_EGRESS], c -> base[POLICY_EGRESS]);
	for (size_t i = 1; i < c->peers; i++)
		assert_true(c->peer[i - 1].identity < c->peer[i].identity);
	assert_int_equal(w.out->slots > 10, 1);
	assert_ptr_equal(world_slot(&w, w.number[3])->content, c);
	assert_ptr_not_equal(world_slot(&w, w.number[1])->content, c);
	world_done(&w);
}

/* A default deny names the policies that cause it, and only them. */
static void test_default_deny_names(void **state)
{
	const struct rule_info *info;
	const struct decision *d;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml",
				 CNP "  ingress: [{fromEntities: [host]}]\n---\n" NP
				     "---\napiVersion: cilium.io/v2\nkind: "
				     "CiliumNetworkPolicy\nmetadata: {name: "
				     "q}\nspec:\n  endpointSelector: {}\n  enableDefaultDeny: "
				     "{ingress: false}\n  "
				     "ingress: [{fromEntities: [health]}]\n"),
		0);
	assert_int_equal(world_compile(&w), 0);
	d = world_decide(&w, POLICY_INGRESS, "a", "b", IPPROTO_TCP, 1);
	assert_int_equal(d->verdict, POLICY_DEFAULT_DENY);
	info = &w.out->rule[d->rule - 1];
	assert_int_equal(info->policies, 2);
	assert_string_equal(info->policy[0]->kind, "CiliumNetworkPolicy");
	assert_string_equal(info->policy[1]->kind, "NetworkPolicy");
	assert_string_equal(info->path, "");
	assert_string_equal(info->origin.file, "p.yaml");
	d = world_decide(&w, POLICY_INGRESS, "a", "host", IPPROTO_TCP, 1);
	info = &w.out->rule[d->rule - 1];
	assert_string_equal(info->path, "ingress[0]");
	assert_int_equal(info->origin.line, 6);
	assert_string_equal(info->policy[0]->name, "p");
	world_done(&w);
}

static void test_enforce(void **state)
{
	const struct decision *d;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "p.yaml", CNP "  ingress: [{fromEntities: [host]}]\n"), 0);
	w.enforce = POLICY_ENFORCE_ALWAYS;
	assert_int_equal(world_compile(&w), 0);
	d = world_decide(&w, POLICY_EGRESS, "b", "a", IPPROTO_TCP, 1);
	assert_int_equal(d->verdict, POLICY_DEFAULT_DENY);
	assert_int_equal(w.out->rule[d->rule - 1].policies, 0);
	assert_int_equal(world_decide(&w, POLICY_INGRESS, "a", "host", IPPROTO_TCP, 1)->verdict,
		POLICY_ALLOW);
	w.enforce = POLICY_ENFORCE_NEVER;
	assert_int_equal(world_compile(&w), 0);
	d = world_decide(&w, POLICY_INGRESS, "a", "b", IPPROTO_TCP, 1);
	assert_int_equal(d->verdict, POLICY_ALLOW);
	assert_int_equal(d->flags, 0);
	world_done(&w);
}

static void test_failures(void **state)
{
	const uint32_t nobody = 4711;
	const struct policy_options options = {.enforce = POLICY_ENFORCE_DEFAULT};
	struct compiled_set *out = NULL;
	struct world w;

	(void)state;
	world_init(&w);
	assert_int_equal(
		policy_compile(&w.set, w.identities, &nobody, 1, &options, w.ids, &out, &w.e),
		-ENOENT);
	assert_int_equal(world_read(&w, "p.yaml", CNP "  ingress: [{}]\n"), 0);
	assert_int_equal(world_read(&w, "q.yaml", CNP "  egress: [{}]\n"), 0);
	assert_int_equal(world_compile(&w), -EEXIST);
	assert_non_null(strstr(w.e.text, "p.yaml:1"));
	world_done(&w);
}

/* The numbers of rules stay when others come and go, and over save and load. */
static void test_rule_numbers(void **state)
{
	uint32_t before, after;
	struct world w;
	json_t *saved;

	(void)state;
	world_init(&w);
	assert_int_equal(world_read(&w, "q.yaml", CNP "  ingress: [{fromEntities: [host]}]\n"), 0);
	assert_int_equal(world_compile(&w), 0);
	before = world_decide(&w, POLICY_INGRESS, "a", "host", IPPROTO_TCP, 1)->rule;
	assert_int_equal(
		world_read(&w, "p.yaml",
			"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\n"
			"spec: {endpointSelector: {}, ingress: [{fromEntities: [health]}]}\n"),
		0);
	saved = rule_ids_save(w.ids);
	rule_ids_free(w.ids);
	w.ids = rule_ids_new();
	assert_int_equal(rule_ids_load(w.ids, saved, &w.e), 0);
	assert_int_equal(rule_ids_load(w.ids, saved, &w.e), -EINVAL);
	json_decref(saved);
	assert_int_equal(world_compile(&w), 0);
	after = world_decide(&w, POLICY_INGRESS, "a", "host", IPPROTO_TCP, 1)->rule;
	assert_int_equal(before, after);
	after = world_decide(&w, POLICY_INGRESS, "a", "health", IPPROTO_TCP, 1)->rule;
	assert_int_not_equal(before, after);
	world_done(&w);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 7] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_few_entries),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_default_deny_names),
		cmocka_unit_test(test_enforce),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_rule_numbers),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[7 + i] =
			(struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)&rows[i]};
	return cmocka_run_group_tests_name("policy compile", tests, NULL, NULL);
}
