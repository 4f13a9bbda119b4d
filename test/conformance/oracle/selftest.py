# SPDX-License-Identifier: Apache-2.0
"""The oracle against answers that were worked out by hand from the documents' own sentences and examples. Each case: policies, then questions
"FROM TO PORT/PROTOCOL verdict", by IPv4 unless an address says otherwise."""
from .objects import (ALL, NAMESPACE_X, anp, banp, ccnp, cnp, expression, group, labels, namespace, np, pods, ports, tiered, world)
from . import scenario

A, X = labels(pod="a"), labels(ns="x")
OUT, OUT6 = "world:203.0.113.7", "world:2001:db8::7"
WEB = ["x/b x/a 80/TCP", "y/a x/a 80/TCP", f"{OUT} x/a 80/TCP"]


def cases():
    yield "no policy allows", [], ["x/a y/b 80/TCP allow", f"{OUT} x/a 80/TCP allow", f"x/a {OUT6} 80/TCP allow"]
    yield from default_deny()
    yield from kubernetes()
    yield from peers()
    yield from addresses()
    yield from port_numbers()
    yield from tiers()
    yield from additions()


def default_deny():
    yield ("[{}] denies and allows nothing, but itself and its own node", [cnp("p", "x", A, ingress=[{}])],
           ["x/b x/a 80/TCP deny", f"{OUT} x/a 80/TCP deny", "x/a x/a 80/TCP allow", "host x/a 80/TCP allow", "node:n1 x/a 80/TCP allow",
            "node:n2 x/a 80/TCP deny", "remote-node x/a 80/TCP deny", "x/a x/b 80/TCP allow", "x/b y/a 80/TCP allow"])
    yield "an empty list is absent", [cnp("p", "x", A, ingress=[], egress=[{}])], ["x/b x/a 80/TCP allow", "x/a x/b 80/TCP deny"]
    yield ("a deny list alone denies by default", [cnp("p", "x", A, ingressDeny=[{"fromEntities": ["none"]}])], ["x/b x/a 80/TCP deny"])
    off = {"enableDefaultDeny": {"ingress": False}}
    yield ("enableDefaultDeny false", [cnp("p", "x", A, ingressDeny=[{"fromEndpoints": [labels(pod="b")]}], **off)],
           ["x/b x/a 80/TCP deny", "x/c x/a 80/TCP allow"])
    yield ("enableDefaultDeny true without rules", [cnp("p", "x", A, egress=[{"toEntities": ["all"]}], enableDefaultDeny={"ingress": True})],
           ["x/b x/a 80/TCP deny", "x/a y/b 80/TCP allow"])
    yield ("deny beats allow, in whatever policy", [cnp("p", "x", A, ingress=[{"fromEntities": ["all"]}]),
                                                    ccnp("q", A, ingressDeny=[{"fromEndpoints": [labels(pod="b")]}])],
           ["x/b x/a 80/TCP deny", "x/c x/a 80/TCP allow", "x/c y/a 80/TCP deny"])
    yield ("both directions must allow", [cnp("p", "x", A, egress=[{"toEndpoints": [{}]}]), np("q", "x", labels(pod="b"), ingress=[])],
           ["x/a x/b 80/TCP deny", "x/a x/c 80/TCP allow", "x/a y/a 80/TCP deny"])
    yield ("a NetworkPolicy's default deny spares the own node", [np("p", "x", A, policyTypes=["Egress"])],
           ["x/a host 80/TCP allow", "x/a node:n2 80/TCP deny", "x/a remote-node 80/TCP deny", f"x/a {OUT} 80/TCP deny"])
    yield ("that of the others does not", [np("p", "x", A, policyTypes=["Egress"]), cnp("q", "x", A, egress=[{}])], ["x/a host 80/TCP deny"])


def kubernetes():
    # the examples of the page "Network Policies"
    yield "default deny all ingress", [np("d", "x", policyTypes=["Ingress"])], ["x/b x/a 80/TCP deny", "x/a y/a 80/TCP allow", "y/b x/a 80/TCP deny"]
    yield ("allow all ingress adds up with deny", [np("d", "x", policyTypes=["Ingress"]), np("a", "x", ingress=[{}])],
           ["x/b x/a 80/TCP allow", f"{OUT} x/a 80/TCP allow", "node:n2 x/a 80/UDP allow"])
    yield "policyTypes by default", [np("p", "x", A, egress=[{"to": [{"podSelector": {}}]}])], ["x/b x/a 80/TCP deny", "x/a x/b 80/TCP allow", "x/a y/b 80/TCP deny"]
    yield "rules of a direction that is not a type", [np("p", "x", A, policyTypes=["Egress"], ingress=[])], ["x/b x/a 80/TCP allow", "x/a x/b 80/TCP deny"]
    yield "from: [] is anybody", [np("p", "x", A, ingress=[{"from": [], "ports": [{"port": 80}]}])], [w + " allow" for w in WEB] + ["x/b x/a 81/TCP deny", "x/b x/a 80/UDP deny"]
    both = {"namespaceSelector": labels(ns="y"), "podSelector": labels(pod="b")}
    yield "both selectors in one peer", [np("p", "x", A, ingress=[{"from": [both]}])], ["y/b x/a 80/TCP allow", "y/a x/a 80/TCP deny", "x/b x/a 80/TCP deny"]
    yield ("two peers", [np("p", "x", A, ingress=[{"from": [{"namespaceSelector": labels(ns="y")}, {"podSelector": labels(pod="b")}]}])],
           ["y/c x/a 80/TCP allow", "x/b x/a 80/TCP allow", "z/b x/a 80/TCP deny"])
    yield ("namespaceSelector: {} is every namespace, and only pods", [np("p", "x", A, ingress=[{"from": [{"namespaceSelector": {}}]}])],
           ["z/b x/a 80/TCP allow", f"{OUT} x/a 80/TCP deny", "node:n3 x/a 80/TCP deny"])
    yield ("the name of a namespace is a label", [np("p", "x", A, ingress=[{"from": [{"namespaceSelector": expression("kubernetes.io/metadata.name", "In", "y")}]}])],
           ["y/b x/a 80/TCP allow", "z/b x/a 80/TCP deny"])
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.3.0/24"]}}
    yield ("ipBlock means whoever has the address", [np("p", "x", A, ingress=[{"from": [block]}])],
           ["y/b x/a 80/TCP allow", "z/b x/a 80/TCP deny", "world:10.9.9.9 x/a 80/TCP allow", "world:10.0.3.9 x/a 80/TCP deny", "y/b x/a 80/TCP deny IPv6"])
    yield "endPort", [np("p", "x", A, ingress=[{"ports": [{"port": 80, "endPort": 90}]}])], ["x/b x/a 90/TCP allow", "x/b x/a 91/TCP deny", "x/b x/a 79/TCP deny"]
    yield "labels by a Namespace", [namespace("z", ns="y"), namespace("w", ns="x"), np("p", "x", A, ingress=[{"from": [{"namespaceSelector": X}]}])], ["x/b x/a 80/TCP allow", "z/b x/a 80/TCP deny"]


def peers():
    def allow(**peer):
        return [cnp("p", "x", A, ingress=[peer])]
    yield "fromEndpoints: [{}] is the own namespace", allow(fromEndpoints=[{}]), ["x/b x/a 80/TCP allow", "y/a x/a 80/TCP deny", f"{OUT} x/a 80/TCP deny"]
    yield ("another namespace, by its label", allow(fromEndpoints=[labels(**{"k8s:io.kubernetes.pod.namespace": "y", "pod": "b"})]),
           ["y/b x/a 80/TCP allow", "y/a x/a 80/TCP deny", "x/b x/a 80/TCP deny"])
    yield ("another namespace, by the labels that it has", allow(fromEndpoints=[labels(**{"k8s:io.cilium.k8s.namespace.labels.ns": "z"})]),
           ["z/b x/a 80/TCP allow", "y/a x/a 80/TCP deny"])
    yield ("not in a namespace still means endpoints only", allow(fromEndpoints=[expression("k8s:io.kubernetes.pod.namespace", "NotIn", "x")]),
           ["y/b x/a 80/TCP allow", "x/b x/a 80/TCP deny", f"{OUT} x/a 80/TCP deny", "node:n2 x/a 80/TCP deny"])
    yield "empty is nobody", allow(fromEndpoints=[]), [w + " deny" for w in WEB]
    yield "null is absent", allow(fromEndpoints=None, toPorts=ports("80/TCP")), [w + " allow" for w in WEB] + ["x/b x/a 81/TCP deny"]
    yield "no peer, no port, no rule", allow(), [w + " deny" for w in WEB]
    yield "a clusterwide {} is every endpoint", [ccnp("p", A, ingress=[{"fromEndpoints": [{}]}])], ["z/b x/a 80/TCP allow", f"{OUT} y/a 80/TCP deny", "node:n2 x/a 80/TCP deny"]
    yield "a namespaced policy leaves other namespaces alone", [cnp("p", "x", expression("reserved:init", "DoesNotExist"), ingress=[{}])], ["x/a y/a 80/TCP allow", "y/a x/a 80/TCP deny"]
    yield "the own namespace is added to the subject", [cnp("p", "x", labels(**{"io.kubernetes.pod.namespace": "y"}), ingress=[{}])], ["x/a y/a 80/TCP allow", "y/a x/a 80/TCP allow"]
    yield "reserved labels", allow(fromEndpoints=[labels(**{"reserved:remote-node": ""})]), ["node:n2 x/a 80/TCP allow", "x/b x/a 80/TCP deny", f"{OUT} x/a 80/TCP deny"]
    yield ("a node's own labels beside a reserved one", allow(fromEndpoints=[labels(**{"reserved:remote-node": "", "node": "n2"})]),
           ["node:n2 x/a 80/TCP allow", "node:n3 x/a 80/TCP deny", "remote-node x/a 80/TCP deny"])
    yield ("entities", allow(fromEntities=["world", "remote-node"]), [f"{OUT} x/a 80/TCP allow", f"{OUT6} x/a 80/TCP allow", "node:n2 x/a 80/TCP allow", "x/b x/a 80/TCP deny"])
    yield "entity cluster", allow(fromEntities=["cluster"]), ["z/b x/a 80/TCP allow", "node:n2 x/a 80/TCP allow", f"{OUT} x/a 80/TCP deny"]
    yield "entity all, entity none", [*allow(fromEntities=["all"]), cnp("q", "y", A, ingress=[{"fromEntities": ["none"]}])], [w + " allow" for w in WEB] + ["x/b y/a 80/TCP deny"]
    yield "world-ipv6", allow(fromEntities=["world-ipv6"]), [f"{OUT} x/a 80/TCP deny", f"{OUT6} x/a 80/TCP allow"]
    yield "host on the way out", [cnp("p", "x", A, egress=[{"toEntities": ["host"]}])], ["x/a host 80/TCP allow", "x/a node:n1 80/TCP allow", "x/a node:n2 80/TCP deny"]
    yield "nodes are other nodes", [cnp("p", "x", A, egress=[{"toNodes": [{}]}])], ["x/a node:n2 80/TCP allow", "x/a host 80/TCP deny", "x/a x/b 80/TCP deny"]
    yield "nodes by label, never pods", allow(fromNodes=[labels(pod="b"), labels(zone="west")]), ["node:n2 x/a 80/TCP allow", "x/b x/a 80/TCP deny"]
    yield "a cluster's name", [cnp("p", "x", A, ingress=[{"fromEndpoints": [labels(**{"io.cilium.k8s.policy.cluster": "other"})]}])], ["x/b x/a 80/TCP deny"]
    yield ("expressions", allow(fromEndpoints=[{"matchExpressions": [{"key": "pod", "operator": "NotIn", "values": ["b"]}, {"key": "role", "operator": "Exists"},
                                                                    {"key": "k8s:app", "operator": "DoesNotExist"}]}]), ["x/c x/a 80/TCP allow", "x/b x/a 80/TCP deny"])


def addresses():
    def to(**peer):
        return cnp("p", "x", A, egress=[peer])
    yield "a CIDR is outside", [to(toCIDR=["0.0.0.0/0"])], [f"x/a {OUT} 80/TCP allow", "x/a x/b 80/TCP deny", "x/a node:n2 80/TCP deny", f"x/a {OUT6} 80/TCP deny"]
    yield ("except", [to(toCIDRSet=[{"cidr": "203.0.113.0/24", "except": ["203.0.113.0/28"]}])], [f"x/a {OUT} 80/TCP deny", "x/a world:203.0.113.16 80/TCP allow"])
    yield ("except takes away only from beside it", [to(toCIDRSet=[{"cidr": "203.0.113.0/24", "except": ["203.0.113.0/28"]}, {"cidr": "203.0.113.7/32"}])],
           [f"x/a {OUT} 80/TCP allow", "x/a world:203.0.113.8 80/TCP deny"])
    groups = [group("g", ["203.0.113.0/24", "2001:db8::/64"], color="red"), group("h", ["198.51.100.0/24"], color="blue")]
    yield "a group by name", [*groups, to(toCIDRSet=[{"cidrGroupRef": "g"}])], [f"x/a {OUT} 80/TCP allow", f"x/a {OUT6} 80/TCP allow", "x/a world:198.51.100.1 80/TCP deny"]
    yield "a group by label", [*groups, to(toCIDRSet=[{"cidrGroupSelector": labels(color="blue")}])], [f"x/a {OUT} 80/TCP deny", "x/a world:198.51.100.1 80/TCP allow"]
    yield "a group that is not there", [to(toCIDRSet=[{"cidrGroupRef": "g"}])], [f"x/a {OUT} 80/TCP deny"]
    # CVE-2024-47825
    yield ("a wider deny holds against a narrower allow", [cnp("p", "x", A, egressDeny=[{"toCIDR": ["203.0.113.0/24"]}]),
                                                           cnp("q", "x", A, egress=[{"toCIDR": ["203.0.113.7/32"]}, {"toEntities": ["all"]}], enableDefaultDeny={"egress": False})],
           [f"x/a {OUT} 80/TCP deny", "x/a world:203.0.114.1 80/TCP allow", "x/a x/b 80/TCP allow"])


def port_numbers():
    def at(*wanted):
        return [cnp("p", "x", A, ingress=[{"toPorts": ports(*wanted)}])]
    yield "a number", at("80/TCP"), ["x/b x/a 80/TCP allow", "x/b x/a 80/UDP deny", "x/b x/a 81/TCP deny", "x/b x/a 8/ICMP deny"]
    yield "ANY is three protocols", at("80/ANY"), ["x/b x/a 80/TCP allow", "x/b x/a 80/UDP allow", "x/b x/a 80/SCTP allow", "x/b x/a 8/ICMP deny"]
    yield "0 is every port", at("0/TCP"), ["x/b x/a 1/TCP allow", "x/b x/a 65535/TCP allow", "x/b x/a 1/UDP deny"]
    yield "a range has both its ends", at("80-81/UDP"), ["x/b x/a 80/UDP allow", "x/b x/a 81/UDP allow", "x/b x/a 82/UDP deny", "x/b x/a 79/UDP deny"]
    yield "a name", at("serve-81-udp/ANY"), ["x/b x/a 81/UDP allow", "x/b x/a 81/TCP deny", "x/b x/a 80/UDP deny"]
    yield "a name with another protocol", at("serve-81-udp/TCP"), ["x/b x/a 81/UDP deny", "x/b x/a 81/TCP deny"]
    yield "a name that nobody has", at("nobody/ANY"), ["x/b x/a 80/TCP deny"]
    yield ("a name on the way out is the peer's", [cnp("p", "x", A, egress=[{"toPorts": ports("serve-80-tcp/TCP")}])],
           ["x/a y/b 80/TCP allow", f"x/a {OUT} 80/TCP deny", "x/a host 80/TCP deny"])
    icmp = [{"fields": [{"type": 8}, {"type": "EchoRequest", "family": "IPv6"}]}]
    yield "ICMP types", [cnp("p", "x", A, ingress=[{"icmps": icmp}])], ["x/b x/a 8/ICMP allow", "x/b x/a 128/ICMPv6 allow IPv6", "x/b x/a 0/ICMP deny", "x/b x/a 80/TCP deny"]
    yield "no port is every protocol", [cnp("p", "x", A, ingress=[{"fromEndpoints": [{}]}])], ["x/b x/a 8/ICMP allow", "x/b x/a 9/SCTP allow"]


def tiers():
    to_b = {"to": [pods({}, labels(pod="b"))]}
    first = [{"action": "Accept", **to_b}, {"action": "Deny", "to": [ALL]}]
    deny_b = np("n", "x", policyTypes=["Egress"])
    yield ("the first rule that fits decides, before all policies", [deny_b, tiered("t", "Admin", 1, NAMESPACE_X, egress=first)],
           ["x/a y/b 80/TCP allow", "x/a y/c 80/TCP deny", f"x/a {OUT} 80/TCP deny", "y/a y/c 80/TCP allow"])
    late = [tiered("a", "Admin", 2, NAMESPACE_X, egress=[{"action": "Deny", "to": [ALL]}]), tiered("b", "Admin", 1, NAMESPACE_X, egress=[{"action": "Pass", **to_b}])]
    yield "priority, and Pass skips the rest of the tier", late, ["x/a y/b 80/TCP allow", "x/a y/c 80/TCP deny"]
    yield "Pass leaves it to the policies", [*late, deny_b], ["x/a y/b 80/TCP deny"]
    base = [tiered("z", "Baseline", 1, ALL, ingress=[{"action": "Deny", "from": [ALL]}])]
    yield "the baseline decides what no policy does", base, ["x/a y/b 80/TCP deny", f"{OUT} y/b 80/TCP allow"]
    yield "a policy comes before the baseline", [*base, np("n", "y", ingress=[{}])], ["x/a y/b 80/TCP allow", "y/a x/b 80/TCP deny"]
    yield ("the first generation", [anp("a", 5, ALL, egress=[{"action": "Allow", "to": [{"networks": ["10.0.1.0/24"]}], "ports": [{"portRange": {"protocol": "TCP", "start": 80, "end": 81}}]}]),
                                    banp(ALL, egress=[{"action": "Deny", "to": [{"nodes": labels(zone="west")}, {"networks": ["10.0.0.0/16"]}]}])],
           ["y/a x/b 81/TCP allow", "y/a x/b 82/TCP deny", "y/a z/b 80/TCP deny", "x/a node:n2 80/TCP deny", "x/a host 80/TCP allow", "y/a x/b 81/TCP allow IPv6"])
    protocols = [{"tcp": {"destinationPort": {"number": 80}}}, {"udp": {"destinationPort": {"range": {"start": 1, "end": 80}}}}, {"destinationNamedPort": "serve-81-udp"}]
    yield ("protocols of the second generation", [tiered("t", "Admin", 1, ALL, ingress=[{"action": "Deny", "from": [ALL], "protocols": protocols}])],
           ["x/a y/b 80/TCP deny", "x/a y/b 81/TCP allow", "x/a y/b 79/UDP deny", "x/a y/b 81/UDP deny", "x/a y/b 82/UDP allow", "x/a y/b 8/ICMP allow"])


def additions():
    yield ("the lowest order decides", [cnp("p", "x", A, ingress=[{"order": 1, "fromEndpoints": [labels(pod="b")]}], ingressDeny=[{"order": 2, "fromEndpoints": [{}]}])],
           ["x/b x/a 80/TCP allow", "x/c x/a 80/TCP deny"])
    yield ("no order comes last, among equals deny", [cnp("p", "x", A, ingress=[{"fromEndpoints": [{}]}, {"order": 7, "fromEndpoints": [labels(pod="b")]}],
                                                          ingressDeny=[{"order": 7, "fromEndpoints": [labels(pod="b")]}])], ["x/b x/a 80/TCP deny", "x/c x/a 80/TCP allow"])
    yield ("order counts inside one policy only", [cnp("p", "x", A, ingress=[{"order": 1, "fromEndpoints": [{}]}]), cnp("q", "x", A, ingressDeny=[{"order": 2, "fromEndpoints": [{}]}])], ["x/b x/a 80/TCP deny"])
    yield "a shadow decides nothing", [cnp("p", "x", A, mode="shadow", ingress=[{}])], ["x/b x/a 80/TCP allow"]
    several = cnp("p", "x")
    several.update(specs=[{"endpointSelector": A, "ingress": [{}]}, {"endpointSelector": A, "ingress": [{"fromEndpoints": [labels(pod="b")]}]}])
    del several["spec"]
    yield "specs add up", [several], ["x/b x/a 80/TCP allow", "x/c x/a 80/TCP deny", "x/c x/b 80/TCP allow"]


SETTINGS = [({"enable-policy": "always"}, "x/a x/b 80/TCP deny"), ({"enable-policy": "never"}, "x/b x/a 80/TCP allow"),
            ({"policy-audit-mode": True}, "x/b x/a 80/TCP audit"), ({"allow-localhost": "policy"}, "host x/a 80/TCP deny"),
            ({"allow-localhost": "policy"}, "host y/a 80/TCP deny"), ({}, "host y/a 80/TCP allow"),
            ({"policy-cidr-match-mode": ["nodes"]}, "x/c node:n2 80/TCP allow"), ({}, "x/c node:n2 80/TCP deny"),
            ({"policy-cidr-match-mode": ["pods"]}, "x/c x/b 80/TCP allow"), ({}, "x/c x/b 80/TCP deny"),
            ({"kubernetes-cidr-match-mode": []}, "x/b x/c 80/TCP deny"), ({}, "x/b x/c 80/TCP allow")]
BY_SETTINGS = [cnp("p", "x", A, ingress=[{}]), cnp("q", "x", labels(pod="c"), egress=[{"toCIDR": ["0.0.0.0/0"]}]),
               np("r", "x", labels(pod="b"), egress=[{"to": [{"ipBlock": {"cidr": "10.0.1.0/24"}}]}], policyTypes=["Egress"]), np("s", "y", policyTypes=["Ingress"])]


def ask(policies, question, settings=None):
    source, destination, traffic, want, *family = question.split()
    number, protocol = traffic.split("/")
    probe = {"from": source, "to": destination, "protocol": protocol, "family": "IPv6" if ":2001" in question or family else "IPv4",
             "type" if protocol.startswith("ICMP") else "port": int(number)}
    cluster, known = scenario.open_scenario({**world(), "policies": policies, "settings": settings})
    got, why = scenario.answer(cluster, known, probe)
    return [] if got == want else [f"{question}: {got} by {why}"]


def results():
    """Each (name, complaints)."""
    for name, policies, questions in cases():
        yield name, [c for q in questions for c in ask(policies, q)]
    for settings, question in SETTINGS:
        yield f"settings {settings}: {question}", ask(BY_SETTINGS, question, settings)
