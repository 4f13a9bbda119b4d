# SPDX-License-Identifier: Apache-2.0
"""Truth tables of NetworkPolicy, ClusterNetworkPolicy and the first generation of the latter. Each family yields (name, policies) or (name, policies, world)."""
import itertools

from .objects import (ALL, NAMESPACE_X, anp, banp, expression, labels, namespace, np, pods, tiered, without, world)

DIRECTIONS = (("ingress", "from"), ("egress", "to"))
SELECTORS = {
    "everything": {}, "a label": labels(pod="a"), "two labels": labels(pod="b", role="db"), "labels that do not meet": labels(pod="a", role="db"),
    "a label that nobody has": labels(app="none"), "In": expression("pod", "In", "a", "b"), "NotIn": expression("pod", "NotIn", "a"),
    "NotIn of a missing key": expression("app", "NotIn", "a"), "Exists": expression("role", "Exists"), "Exists, missing": expression("app", "Exists"),
    "DoesNotExist": expression("role", "DoesNotExist"), "DoesNotExist, missing": expression("app", "DoesNotExist"),
    "labels and expressions": {**labels(role="db"), **expression("pod", "NotIn", "c")},
    "an empty value": labels(pod="")}
SPACES = {"no": None, "every": {}, "x's": labels(ns="x"), "y or z": expression("ns", "In", "y", "z"), "not x": expression("ns", "NotIn", "x"),
          "green": labels(team="green")}


def types(direction):
    return {"policyTypes": [direction.capitalize()]}


def targets():
    for (direction, _), (name, s) in itertools.product(DIRECTIONS, SELECTORS.items()):
        yield f"NetworkPolicy for {name}, no {direction}", [np("p", "x", s, **types(direction))]
        yield f"ClusterNetworkPolicy for {name} of x, no {direction}", [tiered("p", "Admin", 10, pods(labels(ns="x"), s), **{
            direction: [{"action": "Deny", "from" if direction == "ingress" else "to": [ALL]}]})]


def rules():
    allow, nothing = [{}], []
    for (direction, _), (name, r) in itertools.product(DIRECTIONS, {"none": None, "an empty list": nothing, "one empty rule": allow,
                                                                    "two rules": [{"ports": [{"port": 80}]}, {"ports": [{"port": 81, "protocol": "UDP"}]}],
                                                                    "no peer in a list": [{"from": [], "to": []}], "no port in a list": [{"ports": []}]}.items()):
        other = "to" if direction == "ingress" else "from"
        r = r and [{k: v for k, v in e.items() if k != other} for e in r]
        yield f"{direction} with {name}", [np("p", "x", labels(pod="a"), **types(direction), **({direction: r} if r is not None else {}))]
        yield f"{direction} with {name}, types by default", [np("p", "x", labels(pod="a"), **({direction: r} if r is not None else {}))]
    yield "both ways shut", [np("p", "x", policyTypes=["Ingress", "Egress"])]
    yield "both ways open", [np("p", "x", policyTypes=["Ingress", "Egress"], ingress=allow, egress=allow)]
    yield "rules of a way that is not named", [np("p", "x", policyTypes=["Ingress"], egress=[], ingress=allow)]


def peers():
    chosen = {"no": None, "every": {}, "a": labels(pod="a"), "b or c": expression("pod", "In", "b", "c"), "nobody": labels(app="none")}
    for (direction, word), (space, n), (pod, p) in itertools.product(DIRECTIONS, SPACES.items(), chosen.items()):
        if n is None and p is None or direction == "egress" and pod in ("b or c", "nobody"):
            continue
        peer = {**({"namespaceSelector": n} if n is not None else {}), **({"podSelector": p} if p is not None else {})}
        yield f"{direction}, {space} namespaces, {pod} pods", [np("p", "x", labels(pod="a"), **types(direction), **{direction: [{word: [peer]}]})]
    for direction, word in DIRECTIONS:
        two = [{"podSelector": labels(pod="b")}, {"namespaceSelector": labels(ns="y")}]
        yield f"{direction}, two peers", [np("p", "x", labels(pod="a"), **types(direction), **{direction: [{word: two}]})]
        yield f"{direction}, two rules", [np("p", "x", labels(pod="a"), **types(direction), **{direction: [{word: [e]} for e in two]})]
        yield (f"{direction}, pods or a block", [np("p", "x", labels(pod="a"), **types(direction), **{
            direction: [{word: [*two, {"ipBlock": {"cidr": "203.0.113.0/25"}}]}]})])


def blocks():
    known = [("0.0.0.0/0", []), ("::/0", []), ("10.0.0.0/16", []), ("10.0.2.2/32", []), ("10.0.2.0/31", []), ("fd00::2:0/112", []), ("172.30.0.0/24", []),
             ("172.30.0.11/32", []), ("10.0.0.0/8", ["10.0.1.0/24"]), ("0.0.0.0/0", ["10.0.0.0/8", "203.0.113.128/25"]), ("::/0", ["fd00::/16"]),
             ("203.0.113.0/24", ["203.0.113.0/25", "203.0.113.7/32"]), ("fd30::12/128", [])]
    for (direction, word), (cidr, excepted) in itertools.product(DIRECTIONS, known):
        block = {"cidr": cidr, **({"except": excepted} if excepted else {})}
        yield f"{direction}, {cidr} without {excepted}", [np("p", "x", **types(direction), **{direction: [{word: [{"ipBlock": block}]}]})]
    overlap = [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.2.0/24"]}}, {"ipBlock": {"cidr": "10.0.2.2/32"}}]
    yield "except takes away only from the block beside it", [np("p", "x", ingress=[{"from": overlap}])]
    yield "networks of a tier", [tiered("p", "Admin", 1, NAMESPACE_X, egress=[{"action": "Accept", "to": [{"networks": ["10.0.2.0/31", "203.0.113.0/25"]}]},
                                                                            {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}]}])]
    yield "networks mean nodes", [tiered("p", "Admin", 1, ALL, egress=[{"action": "Deny", "to": [{"networks": ["172.30.0.0/24", "fd30::/64"]}]}])]


def ports():
    wanted = {"80": [{"port": 80}], "80/UDP": [{"port": 80, "protocol": "UDP"}], "81/SCTP": [{"port": 81, "protocol": "SCTP"}], "all TCP": [{"protocol": "TCP"}],
              "all UDP": [{"protocol": "UDP"}], "all SCTP": [{"protocol": "SCTP"}], "an element that is empty": [{}], "a range": [{"port": 79, "endPort": 81}],
              "a range of one": [{"port": 80, "endPort": 80}], "a range of UDP beside": [{"port": 82, "endPort": 65535, "protocol": "UDP"}],
              "all ports as a range": [{"port": 1, "endPort": 65535}], "a name": [{"port": "serve-80-tcp"}],
              "a name of UDP": [{"port": "serve-81-udp", "protocol": "UDP"}], "a name of another protocol": [{"port": "serve-81-udp"}],
              "a name that nobody has": [{"port": "serve-82-tcp"}], "two": [{"port": 80}, {"port": 81, "protocol": "UDP"}]}
    for (direction, _), (name, p) in itertools.product(DIRECTIONS, wanted.items()):
        yield f"{direction}, {name}", [np("p", "x", labels(pod="a"), **types(direction), **{direction: [{"ports": p}]})]
    yield "ports and peers both count", [np("p", "x", ingress=[{"from": [{"podSelector": labels(pod="a")}], "ports": [{"port": 80}]},
                                                              {"from": [{"podSelector": labels(pod="b")}], "ports": [{"port": 81}]}])]
    names = world()
    for i, e in enumerate(names["endpoints"]):
        e["ports"] = {"web": f"{80 + i % 2}/TCP", "dns": "81/UDP"} if i % 3 else {}
    yield "a name that is another number elsewhere", [np("p", "y", ingress=[{"ports": [{"port": "web"}]}])], names
    yield "the same on the way out", [np("p", "x", policyTypes=["Egress"], egress=[{"ports": [{"port": "web"}, {"port": "dns", "protocol": "UDP"}]}])], names


def tier_ports():
    old = {"a number": [{"portNumber": {"protocol": "TCP", "port": 80}}], "a range": [{"portRange": {"protocol": "UDP", "start": 80, "end": 81}}],
           "a name": [{"namedPort": "serve-80-sctp"}], "two": [{"namedPort": "serve-80-tcp"}, {"portNumber": {"protocol": "UDP", "port": 81}}]}
    new = {"a number": [{"tcp": {"destinationPort": {"number": 80}}}], "a range": [{"udp": {"destinationPort": {"range": {"start": 80, "end": 81}}}}],
           "a protocol": [{"sctp": {}}], "a name": [{"destinationNamedPort": "serve-80-sctp"}],
           "two": [{"destinationNamedPort": "serve-80-tcp"}, {"udp": {"destinationPort": {"number": 81}}}]}
    for direction, word in DIRECTIONS:
        for name, p in old.items():
            yield f"{direction}, {name}, first generation", [anp("p", 1, NAMESPACE_X, **{direction: [{"action": "Deny", word: [ALL], "ports": p}]})]
        for name, p in new.items():
            yield f"{direction}, {name}, second generation", [tiered("p", "Admin", 1, NAMESPACE_X, **{direction: [{"action": "Deny", word: [ALL], "protocols": p}]})]


def tiers():
    a, b = pods({}, labels(pod="a")), pods({}, labels(pod="b"))

    def rule(action, *who):
        return {"action": action, "to": list(who)}
    shut = np("n", "x", policyTypes=["Egress"])
    open_ = np("n", "x", policyTypes=["Egress"], egress=[{}])
    base = tiered("base", "Baseline", 5, ALL, egress=[rule("Deny", b)])
    for name, under in {"nothing": [], "shut": [shut], "open": [open_], "a baseline": [base], "shut and a baseline": [shut, base], "open and a baseline": [open_, base]}.items():
        for action in ("Accept", "Deny", "Pass"):
            yield f"{action} over {name}", [*under, tiered("t", "Admin", 5, NAMESPACE_X, egress=[rule(action, b)])]
    for first, second in itertools.permutations(("Accept", "Deny", "Pass"), 2):
        two = [tiered("one", "Admin", 1, NAMESPACE_X, egress=[rule(first, b)]), tiered("two", "Admin", 2, NAMESPACE_X, egress=[rule(second, ALL)])]
        yield f"{first} of priority 1, {second} of 2", [*reversed(two), shut]
        yield f"{first} then {second} in one policy", [tiered("t", "Admin", 1, NAMESPACE_X, egress=[rule(first, a, b), rule(second, ALL)]), shut]
        yield (f"{first} by name before {second}", [tiered("b", "Admin", 7, NAMESPACE_X, egress=[rule(second, ALL)]), tiered("a", "Admin", 7, NAMESPACE_X, egress=[rule(first, b)])])
    yield "priority 0 comes before 1000", [tiered("a", "Admin", 1000, ALL, egress=[rule("Deny", ALL)]), tiered("b", "Admin", 0, ALL, egress=[rule("Accept", b)])]
    yield "priorities order the baseline too", [tiered("a", "Baseline", 9, ALL, egress=[rule("Accept", ALL)]), tiered("b", "Baseline", 1, ALL, egress=[rule("Deny", b)])]
    yield "Accept on the way out is not the way in", [tiered("t", "Admin", 1, ALL, egress=[rule("Accept", ALL)]), np("n", "y", ingress=[])]
    yield "first generation: Allow, Deny, Pass", [anp("t", 3, ALL, egress=[rule("Allow", a), rule("Pass", b), rule("Deny", ALL)]), np("n", "x", policyTypes=["Egress"])]
    yield "first generation: a baseline", [banp(ALL, egress=[rule("Allow", a), rule("Deny", ALL)], ingress=[{"action": "Deny", "from": [NAMESPACE_X]}])]
    yield "both generations in one order", [anp("q", 2, ALL, egress=[rule("Deny", b)]), tiered("r", "Admin", 1, ALL, egress=[rule("Accept", pods(labels(ns="y"), labels(pod="b")))])]
    yield "nodes", [tiered("t", "Admin", 1, ALL, egress=[rule("Deny", {"nodes": labels(zone="west")})])]
    yield "every node", [tiered("t", "Admin", 1, ALL, egress=[rule("Deny", {"nodes": {}})])]
    yield "an ingress rule means pods only", [tiered("t", "Admin", 1, ALL, ingress=[{"action": "Deny", "from": [ALL]}])]


def conflicts():
    shut = np("shut", "x", policyTypes=["Ingress", "Egress"])
    yield "allowed in, shut out", [np("in", "x", ingress=[{}]), np("out", "x", policyTypes=["Egress"])]
    yield "allowed out, shut in", [np("out", "x", policyTypes=["Egress"], egress=[{}]), np("in", "y", ingress=[])]
    yield "shut, and one allows all", [shut, np("open", "x", policyTypes=["Ingress", "Egress"], ingress=[{}], egress=[{}])]
    yield "shut, and one allows some", [shut, np("some", "x", labels(pod="a"), ingress=[{"from": [{"podSelector": labels(pod="b")}]}])]
    yield "two that add up", [np("one", "x", ingress=[{"from": [{"namespaceSelector": labels(ns="y")}]}]), np("two", "x", ingress=[{"ports": [{"port": 81}]}])]
    yield "the same policy twice", [np(n, "x", ingress=[{"from": [{"podSelector": labels(pod="b")}]}]) for n in ("one", "two")]
    yield "narrow and wide block", [np("one", "x", ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.2.0/24"]}}]}]),
                                    np("two", "x", ingress=[{"from": [{"ipBlock": {"cidr": "10.0.2.2/32"}}]}])]


def namespaces():
    for s in "xyz":
        yield f"{s} is isolated", [np("p", s, ingress=[{"from": [{"podSelector": {}}]}])]
        yield f"a Namespace gives {s} other labels", [namespace(s, ns="x", team="red"), np("p", "x", ingress=[{"from": [{"namespaceSelector": labels(team="red")}]}])], without(s)
    yield "every namespace isolated", [np("p", s, policyTypes=["Ingress", "Egress"], ingress=[{"from": [{"podSelector": {}}]}],
                                         egress=[{"to": [{"podSelector": {}}]}]) for s in "xyz"]
    yield "by the name that Kubernetes gives", [np("p", "x", ingress=[{"from": [{"namespaceSelector": labels(**{"kubernetes.io/metadata.name": "z"})}]}])]
    yield "a policy of a namespace without endpoints", [np("p", "empty", policyTypes=["Ingress", "Egress"])]
    yield "a subject of two namespaces", [tiered("p", "Admin", 1, {"namespaces": expression("ns", "In", "x", "z")}, ingress=[{"action": "Deny", "from": [{"namespaces": labels(ns="y")}]}])]


def upstream():
    """What the pages of Kubernetes and of the network-policy-api show as examples, in this world's labels."""
    db = {"podSelector": labels(role="db")}
    everything = {"from": [{"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.1.0/24"]}}, {"namespaceSelector": labels(team="green")}, db], "ports": [{"protocol": "TCP", "port": 80}]}
    yield "the first example", [np("p", "x", labels(role="web"), policyTypes=["Ingress", "Egress"], ingress=[everything],
                                   egress=[{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"protocol": "TCP", "port": 80}]}])]
    yield "a range of ports", [np("p", "x", labels(role="db"), policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"protocol": "TCP", "port": 80, "endPort": 90}]}])]
    yield "namespaces by name", [np("p", "x", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": expression("kubernetes.io/metadata.name", "In", "y", "z")}]}])]
    yield "a tenant is isolated", [tiered("p", "Admin", 50, {"namespaces": labels(team="green")}, ingress=[{"action": "Pass", "from": [{"namespaces": labels(team="green")}]},
                                                                                                        {"action": "Deny", "from": [ALL]}])]
    yield "sensitive, and what may watch it", [tiered("p", "Admin", 10, NAMESPACE_X, ingress=[{"action": "Accept", "from": [pods(labels(ns="z"), labels(pod="c"))]},
                                                                                             {"action": "Deny", "from": [ALL]}]), np("n", "x", ingress=[])]
    yield "a default that owners may change", [tiered("p", "Baseline", 10, ALL, ingress=[{"action": "Deny", "from": [ALL]}]),
                                               np("n", "y", labels(pod="a"), ingress=[{"from": [{"namespaceSelector": labels(ns="x")}]}])]
    yield "DNS for everyone", [anp("p", 1, ALL, egress=[{"action": "Allow", "to": [pods(labels(ns="z"), labels(pod="c"))], "ports": [{"portNumber": {"protocol": "UDP", "port": 81}}]}]),
                               *(np("n", s, policyTypes=["Egress"]) for s in "xy")]


FAMILIES = {"target": targets, "rule": rules, "peer": peers, "block": blocks, "port": ports, "tier port": tier_ports, "tier": tiers, "conflict": conflicts,
            "namespace": namespaces, "upstream": upstream}
