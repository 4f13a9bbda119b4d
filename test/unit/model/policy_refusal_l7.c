/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands above ports: it is read strictly, and then refused by its name.
 * Each row is a document and how its refusal begins: place, field, reason.
 */
#include "refusal.h"

static const struct refusal refusals[] = {
	/* shape */
	{IN("toPorts: [{rules: x}]"), "p.yaml:7:23: spec.ingress[0].toPorts[0].rules: expected a "
				      "mapping, found a string"},
	{IN("toPorts: [{rules: {htp: []}}]"), "p.yaml:7:24: spec.ingress[0].toPorts[0].rules.htp: "
					      "unknown field; did you mean http?"},
	{IN("toPorts: [{rules: {http: {}}}]"),
		"p.yaml:7:24: spec.ingress[0].toPorts[0].rules.http: expected a list, found a "
		"mapping"},
	{IN("toPorts: [{rules: {http: [null]}}]"),
		"p.yaml:7:31: spec.ingress[0].toPorts[0].rules.http[0]: expected a mapping, found "
		"null"},
	{IN("toPorts: [{rules: {http: [{paths: /x}]}}]"),
		"p.yaml:7:32: spec.ingress[0].toPorts[0].rules.http[0].paths: unknown field; did "
		"you mean path?"},
	{IN("toPorts: [{rules: {http: [{path: 7}]}}]"),
		"p.yaml:7:38: spec.ingress[0].toPorts[0].rules.http[0].path: expected a string, "
		"found an integer; quote it"},
	{IN("toPorts: [{rules: {http: [{method: [GET]}]}}]"),
		"p.yaml:7:32: spec.ingress[0].toPorts[0].rules.http[0].method: expected a string, "
		"found a list"},
	{IN("toPorts: [{rules: {http: [{host: true}]}}]"),
		"p.yaml:7:38: spec.ingress[0].toPorts[0].rules.http[0].host: expected a string, "
		"found a boolean; quote it"},
	{IN("toPorts: [{rules: {http: [{headers: X}]}}]"),
		"p.yaml:7:41: spec.ingress[0].toPorts[0].rules.http[0].headers: expected a list, "
		"found a string"},
	{IN("toPorts: [{rules: {http: [{headers: ['']}]}}]"),
		"p.yaml:7:42: spec.ingress[0].toPorts[0].rules.http[0].headers[0]: is empty"},
	{IN("toPorts: [{rules: {http: [{headerMatches: [{value: x}]}]}}]"),
		"p.yaml:7:48: spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].name: is "
		"missing"},
	{IN("toPorts: [{rules: {http: [{headerMatches: [{name: x, mismatch: log}]}]}}]"),
		"p.yaml:7:68: spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].mismatch: "
		"\"log\" is not known here; did you mean LOG?"},
	{IN("toPorts: [{rules: {http: [{headerMatches: [{name: x, secret: {namespace: x}}]}]}}]"),
		"p.yaml:7:58: "
		"spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].secret.name: is "
		"missing"},
	{IN("toPorts: [{rules: {http: [{headerMatches: [{name: x, values: y}]}]}}]"),
		"p.yaml:7:58: spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].values: "
		"unknown field; did you mean value?"},
	{IN("toPorts: [{rules: {http: [{headerMatches: [null]}]}}]"),
		"p.yaml:7:48: spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0]: expected "
		"a mapping, found null"},
	{OUT("toPorts: [{rules: {dns: [{}]}}]"),
		"p.yaml:7:30: spec.egress[0].toPorts[0].rules.dns[0]: needs exactly one of "
		"matchName and matchPattern"},
	{OUT("toPorts: [{rules: {dns: [{matchName: a.b, matchPattern: '*'}]}}]"),
		"p.yaml:7:30: spec.egress[0].toPorts[0].rules.dns[0]: needs exactly one of "
		"matchName and matchPattern"},
	{OUT("toPorts: [{rules: {dns: [{matchName: '*.b'}]}}]"),
		"p.yaml:7:42: spec.egress[0].toPorts[0].rules.dns[0].matchName: \"*.b\" is no DNS "
		"name of at most 255 bytes: letters, digits, '-', '_' between dots"},
	{OUT("toPorts: [{rules: {dns: [{matchPattern: 'a b'}]}}]"),
		"p.yaml:7:45: spec.egress[0].toPorts[0].rules.dns[0].matchPattern: \"a b\" is no "
		"pattern of at most 255 bytes: letters, digits, '-', '_', '*' between dots"},
	{OUT("toPorts: [{rules: {dns: [{matchPattern: 'a..b'}]}}]"),
		"p.yaml:7:45: spec.egress[0].toPorts[0].rules.dns[0].matchPattern: \"a..b\" is no "
		"pattern of at most 255 bytes: letters, digits, '-', '_', '*' between dots"},
	{OUT("toPorts: [{rules: {dns: x}}]"), "p.yaml:7:29: spec.egress[0].toPorts[0].rules.dns: "
					      "expected a list, found a string"},
	{OUT("toFQDNs: [{}]"), "p.yaml:7:15: spec.egress[0].toFQDNs[0]: needs exactly one of "
			       "matchName and matchPattern"},
	{OUT("toFQDNs: [null]"),
		"p.yaml:7:15: spec.egress[0].toFQDNs[0]: expected a mapping, found null"},
	{OUT("toFQDNs: {}"),
		"p.yaml:7:5: spec.egress[0].toFQDNs: expected a list, found a mapping"},
	{OUT("toFQDNs: [{name: x}]"), "p.yaml:7:16: spec.egress[0].toFQDNs[0].name: unknown field; "
				      "known here: matchName, matchPattern"},
	{OUT("toFQDNs: [{matchName: 7}]"), "p.yaml:7:27: spec.egress[0].toFQDNs[0].matchName: "
					   "expected a string, found an integer; quote it"},
	{OUT("toFQDNs: [{matchName: ''}]"),
		"p.yaml:7:27: spec.egress[0].toFQDNs[0].matchName: is empty"},
	{OUT("toFQDNs: [{matchName: .a}]"),
		"p.yaml:7:27: spec.egress[0].toFQDNs[0].matchName: \".a\" is no DNS name of at "
		"most 255 bytes: letters, digits, '-', '_' between dots"},
	{OUT("toFQDNs: [{matchName: "
	     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
	     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
	     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
	     "a.a.}]"),
		"p.yaml:7:27: spec.egress[0].toFQDNs[0].matchName: "
		"\"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
		"a.a.a.a.a.a.a.a.a.a.\" is no DNS name of at most 255 bytes: letters, digits, '-', "
		"'_' between dots"},
	{OUT("toFQDNs: [{matchName: a.b}]\n    toCIDR: [10.0.0.0/8]"),
		"p.yaml:7:5: spec.egress[0].toFQDNs: cannot be combined with toCIDR in one rule; "
		"write two rules"},
	{OUT("toPorts: [{terminatingTLS: {}}]"),
		"p.yaml:7:16: spec.egress[0].toPorts[0].terminatingTLS.secret: is missing"},
	{OUT("toPorts: [{originatingTLS: {secret: {}}}]"),
		"p.yaml:7:33: spec.egress[0].toPorts[0].originatingTLS.secret.name: is missing"},
	{OUT("toPorts: [{terminatingTLS: {secret: {name: x}, trustedCA: 7}}]"),
		"p.yaml:7:63: spec.egress[0].toPorts[0].terminatingTLS.trustedCA: expected a "
		"string, found an integer; quote it"},
	{OUT("toPorts: [{terminatingTLS: {secrets: x}}]"),
		"p.yaml:7:33: spec.egress[0].toPorts[0].terminatingTLS.secrets: unknown field; did "
		"you mean secret?"},
	{OUT("toPorts: [{originatingTLS: x}]"),
		"p.yaml:7:32: spec.egress[0].toPorts[0].originatingTLS: expected a mapping, found "
		"a string"},
	{OUT("toPorts: [{serverNames: []}]"), "p.yaml:7:16: spec.egress[0].toPorts[0].serverNames: "
					      "is empty; leave it out or name a server"},
	{OUT("toPorts: [{serverNames: x}]"), "p.yaml:7:29: spec.egress[0].toPorts[0].serverNames: "
					     "expected a list, found a string"},
	{OUT("toPorts: [{serverNames: ['a b']}]"),
		"p.yaml:7:30: spec.egress[0].toPorts[0].serverNames[0]: \"a b\" is no pattern of "
		"at most 255 bytes: letters, digits, '-', '_', '*' between dots"},
	{OUT("toPorts: [{listener: {name: x}}]"),
		"p.yaml:7:16: spec.egress[0].toPorts[0].listener.envoyConfig: is missing"},
	{OUT("toPorts: [{listener: {envoyConfig: {kind: Envoy, name: x}, name: y}}]"),
		"p.yaml:7:47: spec.egress[0].toPorts[0].listener.envoyConfig.kind: \"Envoy\" is "
		"not known here; one that is: CiliumEnvoyConfig"},
	{OUT("toPorts: [{listener: {envoyConfig: {}, name: y}}]"),
		"p.yaml:7:27: spec.egress[0].toPorts[0].listener.envoyConfig.name: is missing"},
	{OUT("toPorts: [{listener: {envoyConfig: {name: x}}}]"),
		"p.yaml:7:16: spec.egress[0].toPorts[0].listener.name: is missing"},
	{OUT("toPorts: [{listener: {envoyConfig: {name: x}, name: y, priority: 0}}]"),
		"p.yaml:7:70: spec.egress[0].toPorts[0].listener.priority: 0 is not in 1..100"},
	{OUT("toPorts: [{listener: {envoyConfig: {name: x}, name: y, priority: 101}}]"),
		"p.yaml:7:70: spec.egress[0].toPorts[0].listener.priority: 101 is not in 1..100"},
	{OUT("toPorts: [{listener: []}]"), "p.yaml:7:16: spec.egress[0].toPorts[0].listener: "
					   "expected a mapping, found a list"},
	{IN("authentication: {}"), "p.yaml:7:5: spec.ingress[0].authentication.mode: is missing"},
	{IN("authentication: {mode: never}"),
		"p.yaml:7:28: spec.ingress[0].authentication.mode: \"never\" is no mode; use "
		"disabled, required or test-always-fail"},
	{IN("authentication: {modes: required}"),
		"p.yaml:7:22: spec.ingress[0].authentication.modes: unknown field; did you mean "
		"mode?"},
	{IN("authentication: required"),
		"p.yaml:7:21: spec.ingress[0].authentication: expected a mapping, found a string"},
	/* what does not go together */
	{IN("toPorts: [{rules: {http: [{}]}}]"),
		"p.yaml:7:15: spec.ingress[0].toPorts[0].ports: are needed beside HTTP rules"},
	{IN("toPorts: [{ports: [{port: '0'}], rules: {http: [{}]}}]"),
		"p.yaml:7:24: spec.ingress[0].toPorts[0].ports[0]: HTTP rules need a port that is "
		"not 0"},
	{IN("toPorts: [{ports: [{port: '80', protocol: UDP}], rules: {http: [{}]}}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].ports[0].protocol: HTTP rules need TCP"},
	{OUT("toPorts: [{rules: {dns: [{matchPattern: '*'}]}}]"),
		"p.yaml:7:15: spec.egress[0].toPorts[0].ports: are needed beside DNS rules"},
	{OUT("toPorts: [{ports: [{port: '53', endPort: 54}], rules: {dns: [{matchPattern: "
	     "'*'}]}}]"),
		"p.yaml:7:46: spec.egress[0].toPorts[0].ports[0].endPort: DNS rules cannot have a "
		"range"},
	{IN("toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].rules.dns: DNS rules are for egress only"},
	{OUT("toPorts: [{rules: {http: [], dns: []}}]"),
		"p.yaml:7:34: spec.egress[0].toPorts[0].rules.dns: cannot be combined with http in "
		"one rule"},
	{OUT("toPorts: [{rules: {http: []}, listener: {}}]"),
		"p.yaml:7:35: spec.egress[0].toPorts[0].listener: cannot be combined with rules"},
	{OUT("toPorts: [{rules: {http: []}, serverNames: [x]}]"),
		"p.yaml:7:35: spec.egress[0].toPorts[0].serverNames: beside rules need "
		"terminatingTLS"},
	{IN("toPorts: [{listener: {envoyConfig: {name: x}, name: y}}]"),
		"p.yaml:7:16: spec.ingress[0].toPorts[0].listener: a listener is for egress only"},
	/* refused by name */
	{IN("toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].rules.http: HTTP-aware policy is not "
		"there yet; the policy is refused as a whole"},
	{IN("toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /a, method: "
	    "GET, host: x, headers: [X], headerMatches: [{name: a, value: b, mismatch: LOG}]}]}}]"),
		"p.yaml:7:62: spec.ingress[0].toPorts[0].rules.http: HTTP-aware policy is not "
		"there yet; the policy is refused as a whole"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {http: []}}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].rules.http: HTTP-aware policy is not "
		"there yet; the policy is refused as a whole"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {kafka: [{role: produce}]}}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].rules.kafka: Kafka rules are no longer "
		"part of the language (gone since Cilium 1.20); the policy is refused as a whole"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {l7proto: r2d2, l7: [{}]}}]"),
		"p.yaml:7:56: spec.ingress[0].toPorts[0].rules.l7proto: rules of proxy plug-ins "
		"are no longer part of the language (gone since Cilium 1.20); the policy is "
		"refused as a whole"},
	{IN("toPorts: [{ports: [{port: '80'}], rules: {l7: [{}]}}]"),
		"p.yaml:7:47: spec.ingress[0].toPorts[0].rules.l7: rules of proxy plug-ins are no "
		"longer part of the language (gone since Cilium 1.20); the policy is refused as a "
		"whole"},
	{OUT("toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]"),
		"p.yaml:7:47: spec.egress[0].toPorts[0].rules.dns: DNS-aware policy is not there "
		"yet; the policy is refused as a whole"},
	{OUT("toFQDNs: [{matchName: cilium.io}]"),
		"p.yaml:7:5: spec.egress[0].toFQDNs: DNS-aware policy is not there yet; the policy "
		"is refused as a whole"},
	{OUT("toFQDNs: [{matchPattern: '**.cilium.io'}]\n    toPorts: [{ports: [{port: '443'}]}]"),
		"p.yaml:7:5: spec.egress[0].toFQDNs: DNS-aware policy is not there yet; the policy "
		"is refused as a whole"},
	{OUT("toPorts: [{ports: [{port: '443'}], serverNames: [one.one, '*.two']}]"),
		"p.yaml:7:40: spec.egress[0].toPorts[0].serverNames: TLS server names are not "
		"looked at yet; the policy is refused as a whole"},
	{OUT("toPorts: [{ports: [{port: '443'}], terminatingTLS: {secret: {namespace: a, name: "
	     "b}}}]"),
		"p.yaml:7:40: spec.egress[0].toPorts[0].terminatingTLS: interception of TLS is not "
		"there yet; the policy is refused as a whole"},
	{OUT("toPorts: [{ports: [{port: '443'}], originatingTLS: {secret: {name: b}, trustedCA: "
	     "c}}]"),
		"p.yaml:7:40: spec.egress[0].toPorts[0].originatingTLS: interception of TLS is not "
		"there yet; the policy is refused as a whole"},
	{OUT("toPorts: [{ports: [{port: '443'}], listener: {envoyConfig: {kind: CiliumEnvoyConfig, "
	     "name: x}, name: y, priority: 7}}]"),
		"p.yaml:7:40: spec.egress[0].toPorts[0].listener: redirection to a listener is not "
		"there yet; the policy is refused as a whole"},
	{IN("authentication: {mode: required}\n    fromEntities: [all]"),
		"p.yaml:7:28: spec.ingress[0].authentication.mode: mutual authentication is not "
		"there yet; the policy is refused as a whole"},
	{IN("authentication: {mode: test-always-fail}"),
		"p.yaml:7:28: spec.ingress[0].authentication.mode: mutual authentication is not "
		"there yet; the policy is refused as a whole"},
};

int main(void)
{
	return run_refusals("policy_refusal_l7", refusals, ARRAY_SIZE(refusals));
}
