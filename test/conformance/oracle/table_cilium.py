# SPDX-License-Identifier: Apache-2.0
"""Truth tables of CiliumNetworkPolicy and its kin. Each family yields (name, policies) or (name, policies, world)."""
import itertools

from .objects import ccnp, cnp, expression, group, labels, np, ports, tiered, world, NAMESPACE_X
from .table_kubernetes import SELECTORS

DIRECTIONS = (("ingress", "from"), ("egress", "to"))
A = labels(pod="a")
IN_Y, OF_Y = {"k8s:io.kubernetes.pod.namespace": "y"}, {"k8s:io.cilium.k8s.namespace.labels.ns": "y"}
ENTITIES = ("all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "none", "health", "init", "unmanaged", "ingress")
SHAPES = {"allow": lambda direction, e: {direction: [e]}, "deny": lambda direction, e: {direction + "Deny": [e], direction: [{("from" if direction == "ingress" else "to") + "Entities": ["all"]}]}}


def both_ways(name, make, shapes=("allow", "deny"), clusterwide=False):
    """MAKE gets the word from or to, and returns an element; allowed alone, and denied where all else is allowed."""
    for (direction, word), shape in itertools.product(DIRECTIONS, shapes):
        spec = SHAPES[shape](direction, make(word))
        yield f"{shape} {direction}, {name}", [ccnp("p", A, **spec) if clusterwide else cnp("p", "x", A, **spec)]


def targets():
    for name, s in SELECTORS.items():
        yield f"CiliumNetworkPolicy for {name}", [cnp("p", "x", s, ingress=[{}])]
        yield f"CiliumClusterwideNetworkPolicy for {name}", [ccnp("p", s, egress=[{}])]
    yield "a clusterwide policy for one namespace", [ccnp("p", labels(**IN_Y), ingress=[{}])]
    yield "a clusterwide policy by the labels of namespaces", [ccnp("p", labels(**OF_Y), ingress=[{}], egress=[{}])]
    yield "a clusterwide policy for namespaces but one", [ccnp("p", expression("io.kubernetes.pod.namespace", "NotIn", "y"), ingress=[{}])]
    yield "keys with their source", [cnp("p", "x", labels(**{"k8s:pod": "a", "any:role": "web"}), ingress=[{}])]
    yield "keys of another source", [cnp("p", "x", labels(**{"container:pod": "a"}), ingress=[{}])]
    yield "a namespaced policy that names another namespace", [cnp("p", "x", labels(**IN_Y), ingress=[{}])]


def rules():
    for direction, word in DIRECTIONS:
        other = {"toEntities" if word == "from" else "fromEntities": ["all"]}
        beside = {"egress" if direction == "ingress" else "ingress": [other]}
        for name, spec in {"an empty list": {direction: [], **beside}, "one empty rule": {direction: [{}]}, "one empty deny": {direction + "Deny": [{}]},
                           "an empty rule, default deny off": {direction: [{}], "enableDefaultDeny": {direction: False}},
                           "default deny without rules": {**beside, "enableDefaultDeny": {direction: True}},
                           "default deny off": {direction: [{word + "Endpoints": [labels(pod="b")]}], "enableDefaultDeny": {direction: False}},
                           "default deny off for the other way": {direction: [{word + "Endpoints": [labels(pod="b")]}], **beside,
                                                                  "enableDefaultDeny": {"egress" if direction == "ingress" else "ingress": False}},
                           "everything": {direction: [{word + "Entities": ["all"]}]}, "nothing": {direction + "Deny": [{word + "Entities": ["all"]}]},
                           "two rules": {direction: [{word + "Endpoints": [labels(pod="b")]}, {"toPorts": ports("81/ANY")}]}}.items():
            yield f"{direction}, {name}", [cnp("p", "x", A, **spec)]


def empty_sets():
    """CVE-2025-64715: what is empty means nobody, what is absent means any peer."""
    nowhere = {"Endpoints": labels(app="none"), "Nodes": labels(app="none"), "CIDRSet": {"cidrGroupRef": "none"}, "Entities": "none"}
    for (direction, word), field, form in itertools.product(DIRECTIONS, (*nowhere, "CIDR", "Groups"), ("empty", "null", "missing", "nothing")):
        if form == "nothing" and field not in nowhere:
            continue
        e = {"toPorts": ports("80/TCP")}
        if form != "missing":
            e[word + field] = {"empty": [], "null": None, "nothing": [nowhere.get(field)]}[form]
        yield f"{direction}, {field} {form}", [cnp("p", "x", A, **{direction: [e]})]


def endpoints():
    namespace = "k8s:io.kubernetes.pod.namespace"
    chosen = {"everybody": {}, "b": labels(pod="b"), "of y": labels(**IN_Y), "b of y": labels(pod="b", **IN_Y), "by labels of namespaces": labels(**OF_Y),
              "of y or z": expression(namespace, "In", "y", "z"), "of any namespace": expression(namespace, "Exists"), "not of x": expression(namespace, "NotIn", "x"),
              "of no namespace": expression(namespace, "DoesNotExist"), "of this cluster": labels(**{"io.cilium.k8s.policy.cluster": "default"}),
              "of another cluster": labels(**{"io.cilium.k8s.policy.cluster": "other", **IN_Y}), "remote nodes": labels(**{"reserved:remote-node": ""}),
              "the host": expression("reserved:host", "Exists")}
    for name, s in chosen.items():
        yield from both_ways(name, lambda word, s=s: {word + "Endpoints": [s]}, ("allow",) if name.startswith(("of this", "of no")) else ("allow", "deny"))
    for name in ("everybody", "b", "not of x"):
        yield from both_ways(f"clusterwide, {name}", lambda word, s=chosen[name]: {word + "Endpoints": [s]}, ("allow",), clusterwide=True)
    for operator, values in (("In", ["b"]), ("NotIn", ["b"]), ("Exists", []), ("DoesNotExist", [])):
        for key in ("pod", "k8s:pod", "app"):
            yield f"{key} {operator}", [cnp("p", "x", A, ingress=[{"fromEndpoints": [expression(key, operator, *values)]}])]
    yield "two selectors", [cnp("p", "x", A, ingress=[{"fromEndpoints": [labels(pod="b"), labels(**IN_Y)]}])]
    yield "two requirements", [cnp("p", "x", A, ingress=[{"fromEndpoints": [{**labels(role="db"), **expression("pod", "NotIn", "c")}]}])]


def entities():
    for entity in ENTITIES:
        yield from both_ways(f"entity {entity}", lambda word, e=entity: {word + "Entities": [e]})
    yield from both_ways("two entities", lambda word: {word + "Entities": ["world", "host"]})


def nodes():
    for name, s in {"every node": {}, "by zone": labels(zone="west"), "by expression": expression("node", "In", "n1", "n2"), "labels of pods": labels(pod="b"),
                    "labels missing": expression("zone", "DoesNotExist")}.items():
        yield from both_ways(name, lambda word, s=s: {word + "Nodes": [s]}, ("allow", "deny") if name in ("every node", "by zone") else ("allow",))


def cidrs():
    known = {"everything": {"CIDR": ["0.0.0.0/0"]}, "everything IPv6": {"CIDR": ["::/0"]}, "a net": {"CIDR": ["203.0.113.0/24", "2001:db8::/64"]}, "an address": {"CIDR": ["203.0.113.7/32"]},
             "the pods'": {"CIDR": ["10.0.0.0/8", "fd00::/16"]}, "the nodes'": {"CIDR": ["172.30.0.0/16"]},
             "except": {"CIDRSet": [{"cidr": "203.0.113.0/24", "except": ["203.0.113.0/25"]}]},
             "except, and again allowed": {"CIDRSet": [{"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}, {"cidr": "203.0.113.7/32"}]}}
    for name, fields in known.items():
        yield from both_ways(name, lambda word, f=fields: {word + k: v for k, v in f.items()})
    groups = [group("outside", ["203.0.113.0/25", "2001:db8::/64"], color="red"), group("more", ["203.0.113.128/25"], color="blue")]
    for name, c in {"a group": {"cidrGroupRef": "outside"}, "a group, except": {"cidrGroupRef": "outside", "except": ["203.0.113.0/28"]},
                    "groups by label": {"cidrGroupSelector": labels(color="blue")}, "every group": {"cidrGroupSelector": expression("color", "Exists")},
                    "a group that is not there": {"cidrGroupRef": "none"}, "no group by label": {"cidrGroupSelector": labels(color="green")}}.items():
        for what, policies in both_ways(name, lambda word, c=c: {word + "CIDRSet": [c]}):
            yield what, [*groups, *policies]


def nested():
    """CVE-2024-47825: deny and allow on prefixes one in the other, with default deny on and off."""
    wide, narrow = "203.0.113.0/24", "203.0.113.0/28"
    for denied, allowed in ((wide, narrow), (narrow, wide), (wide, wide)):
        for off in (False, True):
            switch = {"enableDefaultDeny": {"egress": False}} if off else {}
            yield (f"deny {denied}, allow {allowed}{', default deny off' if off else ''}", [cnp("d", "x", A, egressDeny=[{"toCIDR": [denied]}], **switch),
                                                                                          cnp("a", "x", A, egress=[{"toCIDR": [allowed]}], **switch)])
            yield (f"deny {denied}, allow {allowed} and all{', default deny off' if off else ''}", [
                cnp("p", "x", A, egressDeny=[{"toCIDR": [denied]}], egress=[{"toCIDRSet": [{"cidr": allowed}]}, {"toEntities": ["all"]}], **switch)])


def port_numbers():
    icmp = [{"fields": [{"type": 8}, {"type": "EchoRequest", "family": "IPv6"}]}]
    wanted = ("80/TCP", "80/ANY", "81/UDP", "80/SCTP", "0/TCP", "0/ANY", "80-81/TCP", "1-80/ANY", "81-65535/ANY", "serve-80-tcp/TCP", "serve-81-udp/ANY", "serve-81-udp/TCP", "serve-82-tcp/ANY")
    for w in wanted:
        yield from both_ways(w, lambda word, w=w: {"toPorts": ports(w)})
        yield f"{w} from b", [cnp("p", "x", A, ingress=[{"fromEndpoints": [labels(pod="b")], "toPorts": ports(w)}])]
    yield "a port without a protocol", [cnp("p", "x", A, ingress=[{"toPorts": [{"ports": [{"port": "80"}]}]}])]
    yield "a protocol without a port", [cnp("p", "x", A, ingress=[{"toPorts": [{"ports": [{"protocol": "UDP"}]}]}])]
    yield "two port rules", [cnp("p", "x", A, ingress=[{"toPorts": [*ports("80/TCP"), *ports("81/UDP", "80/SCTP")]}])]
    yield from both_ways("echo", lambda word: {"icmps": icmp})
    yield from both_ways("echo of another type", lambda word: {"icmps": [{"fields": [{"type": 3}, {"type": 129, "family": "IPv6"}]}]})
    yield "echo from b", [cnp("p", "x", A, ingress=[{"fromEndpoints": [labels(pod="b")], "icmps": icmp}])]
    names = world()
    for i, e in enumerate(names["endpoints"]):
        e["labels"], e["ports"] = {"pod": "a"}, {"web": f"{80 + i % 2}/TCP"} if i % 3 else {}
    yield "one set of labels, other numbers, on the way in", [cnp("p", "y", {}, ingress=[{"toPorts": ports("web/TCP")}])], names
    yield "one set of labels, other numbers, on the way out", [cnp("p", "x", {}, egress=[{"toPorts": ports("web/ANY")}])], names


def actions():
    b, web, all_ = {"fromEndpoints": [labels(pod="b")]}, {"toPorts": ports("80/TCP")}, {"fromEntities": ["all"]}
    yield "deny a peer, allow it", [cnp("p", "x", A, ingressDeny=[b], ingress=[b])]
    yield "deny a port, allow a peer", [cnp("p", "x", A, ingressDeny=[web], ingress=[b])]
    yield "deny a peer's port, allow the peer", [cnp("p", "x", A, ingressDeny=[{**b, **web}], ingress=[b])]
    yield "deny a peer, allow its port", [cnp("p", "x", A, ingressDeny=[b], ingress=[{**b, **web}])]
    yield "deny a range, allow what is in it", [cnp("p", "x", A, ingressDeny=[{"toPorts": ports("1-80/TCP")}], ingress=[{"toPorts": ports("80-81/TCP", "80/UDP")}])]
    yield "deny ANY, allow UDP", [cnp("p", "x", A, ingressDeny=[{"toPorts": ports("80/ANY")}], ingress=[{"toPorts": ports("80/UDP", "81/UDP")}])]
    yield "deny by a clusterwide policy", [ccnp("d", {}, ingressDeny=[{"fromEndpoints": [labels(**IN_Y)]}], enableDefaultDeny={"ingress": False}), cnp("a", "x", A, ingress=[all_])]
    yield "deny over a NetworkPolicy", [cnp("d", "x", A, ingressDeny=[b]), np("a", "x", A, ingress=[{}])]
    yield "Accept over a deny", [tiered("t", "Admin", 1, NAMESPACE_X, ingress=[{"action": "Accept", "from": [NAMESPACE_X]}]), cnp("d", "x", A, ingressDeny=[b])]
    yield "Pass over a deny", [tiered("t", "Admin", 1, NAMESPACE_X, ingress=[{"action": "Pass", "from": [NAMESPACE_X]}]), cnp("d", "x", A, ingressDeny=[b])]
    yield "a baseline under default deny off", [tiered("t", "Baseline", 1, NAMESPACE_X, ingress=[{"action": "Deny", "from": [NAMESPACE_X]}]),
                                                cnp("a", "x", A, ingress=[b], enableDefaultDeny={"ingress": False})]
    yield "a NetworkPolicy and its own node", [np("n", "x", A, policyTypes=["Egress"])]
    yield "a NetworkPolicy and another, and the own node", [np("n", "x", A, policyTypes=["Egress"]), cnp("c", "x", A, egress=[{"toEndpoints": [labels(pod="b")]}])]
    yield "a deny of the own node", [np("n", "x", A, policyTypes=["Egress"]), cnp("c", "x", A, egressDeny=[{"toEntities": ["host"]}], enableDefaultDeny={"egress": False})]
    yield "a shadow", [cnp("p", "x", A, mode="shadow", ingress=[{}])]
    shadow = np("p", "x", A, ingress=[])
    shadow["metadata"]["annotations"] = {"policy.kilim.io/mode": "shadow"}
    yield "a shadow by annotation", [shadow]
    yield "a shadow that would replace", [shadow, np("p", "x", A, ingress=[{"from": [{"podSelector": labels(pod="b")}]}])]


def orders():
    b, c = [labels(pod="b")], [labels(pod="b"), labels(pod="c")]
    yield "allow before deny", [cnp("p", "x", A, ingress=[{"order": 1, "fromEndpoints": b}], ingressDeny=[{"order": 2, "fromEndpoints": c}])]
    yield "deny before allow", [cnp("p", "x", A, ingress=[{"order": 2, "fromEndpoints": c}], ingressDeny=[{"order": 1, "fromEndpoints": b}])]
    yield "equals", [cnp("p", "x", A, ingress=[{"order": 3, "fromEndpoints": c}], ingressDeny=[{"order": 3, "fromEndpoints": b}])]
    yield "without one comes last", [cnp("p", "x", A, ingress=[{"order": 1000000, "fromEndpoints": b}], ingressDeny=[{"fromEndpoints": c}])]
    yield "by ports", [cnp("p", "x", A, ingress=[{"order": 1, "toPorts": ports("80/TCP")}, {"order": 3, "fromEndpoints": b}], ingressDeny=[{"order": 2, "toPorts": ports("1-100/ANY")}])]
    yield "another policy denies", [cnp("p", "x", A, ingress=[{"order": 1, "fromEndpoints": c}]), cnp("q", "x", A, ingressDeny=[{"order": 2, "fromEndpoints": b}])]
    yield "nested prefixes", [cnp("p", "x", A, egress=[{"order": 1, "toCIDR": ["203.0.113.0/28"]}, {"order": 5, "toEntities": ["all"]}], egressDeny=[{"order": 3, "toCIDR": ["203.0.113.0/24"]}])]
    yield "below zero", [cnp("p", "x", A, ingress=[{"order": -1, "fromEndpoints": b}], ingressDeny=[{"order": 0, "fromEndpoints": c}])]


def several():
    def with_specs(policy, *specs):
        del policy["spec"]
        return {**policy, "specs": list(specs)}
    one, two = {"endpointSelector": A, "ingress": [{"fromEndpoints": [labels(pod="b")]}]}, {"endpointSelector": labels(role="db"), "ingress": [{}], "egress": [{}]}
    yield "specs for two subjects", [with_specs(cnp("p", "x"), one, two)]
    yield "specs for one subject", [with_specs(cnp("p", "x"), one, {"endpointSelector": A, "ingress": [{"toPorts": ports("81/TCP")}]})]
    yield "specs, allow and deny", [with_specs(ccnp("p"), one, {"endpointSelector": A, "ingressDeny": [{"toPorts": ports("81/TCP")}]})]
    for s in "xy":
        yield f"{s} is isolated", [cnp("isolate", s, {}, ingress=[{"fromEndpoints": [{}]}])]
    for name in ("east", "west"):
        yield f"a cluster called {name}", [cnp("p", "x", A, ingress=[{"fromEndpoints": [labels(**{"k8s:io.cilium.k8s.policy.cluster": "east", **IN_Y})]}, {"fromEntities": ["cluster"], "toPorts": ports("81/ANY")}])], world(name)


FAMILIES = {"cilium target": targets, "cilium rule": rules, "empty set": empty_sets, "endpoints": endpoints, "entity": entities, "nodes": nodes, "cidr": cidrs, "nested": nested,
            "cilium port": port_numbers, "action": actions, "order": orders, "specs": several}
