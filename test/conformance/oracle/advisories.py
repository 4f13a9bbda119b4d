# SPDX-License-Identifier: Apache-2.0
"""What went wrong in systems of this kind, exhaustively: each family yields (name, scenario), and each of a scenario's probes has the verdict that the advisory demands
as its `expect`, worked out here and not by the oracle."""
import itertools

from . import cluster as model
from .objects import ccnp, cnp, expression, group, labels, np, ports, tiered, world
from .tables import probe

A = labels(pod="a")
RESERVED = ("host", "world", "unmanaged", "health", "init", "remote-node", "kube-apiserver", "ingress", "world-ipv4", "world-ipv6")
OPERATORS = (("In", [""]), ("In", ["true"]), ("NotIn", [""]), ("NotIn", ["true"]), ("Exists", []), ("DoesNotExist", []))
DIRECTIONS = (("ingress", "from"), ("egress", "to"))


def expected(source, destination, allowed, traffic="80/TCP", family="IPv4"):
    return {**probe(source, destination, traffic, family), "expect": "allow" if allowed else "deny"}


def scenario(policies, probes, w=None):
    return {**(w or world()), "policies": policies, "probes": probes}


def other_namespaces():
    """CVE-2023-41333: whatever a namespaced policy asks of reserved labels, endpoints of other namespaces do not notice."""
    ends = ["y/a", "y/b", "z/c"]
    for label, (op, values), (direction, word), beside in itertools.product(RESERVED, OPERATORS, DIRECTIONS, ({}, A)):
        subject = {**beside, **expression("reserved:" + label, op, *values)}
        for name, spec in (("allow", {direction: [{}]}), ("deny", {direction + "Deny": [{word + "Entities": ["all"]}]})):
            probes = [expected(s, d, True) for s, d in itertools.permutations(ends, 2)]
            probes += [expected(*((e, o) if direction == "egress" else (o, e)), True) for e in ends for o in ("world:203.0.113.7", "node:n2")]
            yield f"{name} {direction} for reserved:{label} {op} {values} {'and a label' if beside else ''}", scenario([cnp("p", "x", subject, **spec)], probes)


def prefixes():
    """CVE-2024-47825: what a denied prefix holds is denied, whatever allows it."""
    pairs = [("203.0.113.0/24", "203.0.113.0/28"), ("203.0.113.0/28", "203.0.113.0/24"), ("203.0.113.0/24", "203.0.113.0/24"), ("203.0.113.0/24", "0.0.0.0/0"), ("0.0.0.0/0", "203.0.113.7/32"),
             ("203.0.113.7/32", "203.0.113.6/31"), ("203.0.113.0/25", "203.0.113.128/25")]
    forms = {"CIDR": lambda c: {"toCIDR": [c]}, "CIDRSet": lambda c: {"toCIDRSet": [{"cidr": c}]}, "group": lambda c: {"toCIDRSet": [{"cidrGroupRef": "g" + c.replace("/", "-")}]}}
    outside = ["203.0.113.7", "203.0.113.20", "203.0.113.200", "198.51.100.1"]
    for (denied, allowed), form, entities, off, one in itertools.product(pairs, forms, ((), ("all",), ("world",), ("cluster",)), itertools.product((False, True), repeat=2), (False, True)):
        if one and off[0] != off[1]:
            continue
        deny = {"egressDeny": [forms[form](denied)]}
        allow = {"egress": [forms[form](allowed), *({"toEntities": [e]} for e in entities)]}
        switch = [{"enableDefaultDeny": {"egress": False}} if o else {} for o in off]
        policies = [cnp("p", "x", A, **deny, **allow, **switch[0])] if one else [cnp("d", "x", A, **deny, **switch[0]), ccnp("a", A, **allow, **switch[1])]
        groups = [group("g" + c.replace("/", "-"), [c]) for c in {denied, allowed}]
        opened = all(off) or bool({"all", "world"} & set(entities))
        probes = [expected("x/a", "world:" + a, not model.contains(denied, a) and (opened or model.contains(allowed, a))) for a in outside]
        probes.append(expected("x/a", "x/b", all(off) or bool({"all", "cluster"} & set(entities))))
        yield f"deny {denied}, allow {allowed} by {form}, entities {entities}, default deny off {off}, {'one policy' if one else 'two'}", scenario(groups + policies, probes)


def empty_sets():
    """CVE-2025-64715: a field that is there and means nobody allows nobody; absent and null mean any peer."""
    nothing = {"Endpoints": [labels(app="none")], "Nodes": [labels(app="none")], "CIDRSet": [{"cidrGroupRef": "none"}], "Entities": ["none"], "CIDR": None, "Groups": None,
               "Services": None}
    ends = ["x/b", "y/a", "node:n2", "world:203.0.113.7"]
    for (direction, word), (field, none), form, ports_too in itertools.product(DIRECTIONS, nothing.items(), ("missing", "null", "empty", "selects nothing"), (True, False)):
        if (form == "selects nothing" and none is None) or (field == "Services" and word == "from"):
            continue
        e = {"toPorts": ports("80/TCP")} if ports_too else {}
        if form != "missing":
            e[word + field] = {"null": None, "empty": [], "selects nothing": none}[form]
        # with nothing at all it is no rule
        allowed = form in ("missing", "null") and ports_too
        probes = [expected(*((x, "x/a") if direction == "ingress" else ("x/a", x)), allowed) for x in ends]
        yield f"{direction}, {field} {form}{', with a port' if ports_too else ''}", scenario([cnp("p", "x", A, **{direction: [e]})], probes)


def nodes_and_pods():
    """CVE-2025-30163: a selector of nodes means no pod, though it has the labels of one."""
    w = world()
    w["endpoints"] = [{**e, "labels": {**w["nodes"][1]["labels"], "pod": e["name"][2:]}} for e in w["endpoints"]]
    selectors = [{}, labels(zone="west"), labels(node="n2"), expression("zone", "Exists"), expression("pod", "DoesNotExist"), expression("zone", "In", "west"), expression("zone", "NotIn", "east"),
                 labels(pod="b"), expression("io.kubernetes.pod.namespace", "Exists"), expression("pod", "In", "a", "b")]
    for (direction, word), s, kind, denied in itertools.product(DIRECTIONS, selectors, (cnp, ccnp), (False, True)):
        element = {word + "Nodes": [s]}
        spec = {direction: [element]} if not denied else {direction + "Deny": [element], "enableDefaultDeny": {direction: False}}
        policy = cnp("p", "x", A, **spec) if kind is cnp else ccnp("p", A, **spec)
        ends = [e["name"] for e in w["endpoints"] if e["labels"]["pod"] != "a"] + ["world:203.0.113.7"]
        yield (f"{direction}{'Deny' if denied else ''} of nodes by {s}, {policy['kind']}",
               scenario([policy], [expected(*((x, "x/a") if direction == "ingress" else ("x/a", x)), denied, family=f) for x in ends for f in ("IPv4", "IPv6")
                                   if x[0] != "w" or f == "IPv4"], w))


def blocks_alone():
    """CVE-2026-56743: a peer that is only a block of addresses means no pod by its labels, whatever the cluster is called."""
    for name, (direction, word), (cidr, excepted) in itertools.product((None, "default", "east", "k8s", "cluster-2"), DIRECTIONS, (("203.0.113.0/24", []), ("10.0.2.0/24", []), (
            "10.0.0.0/8", ["10.0.1.0/24", "10.0.3.0/24"]), ("0.0.0.0/0", ["10.0.0.0/8"]))):
        w = world(name)
        addresses = {e["name"]: e["addresses"][0] for e in w["endpoints"] if e["name"] != "x/a"}
        addresses.update({"world:203.0.113.7": "203.0.113.7", "world:198.51.100.1": "198.51.100.1"})
        inside = {x: model.contains(cidr, a) and not any(model.contains(c, a) for c in excepted) for x, a in addresses.items()}
        for what, policies in (("NetworkPolicy", [np("p", "x", A, **{direction: [{word: [{"ipBlock": {"cidr": cidr, **({"except": excepted} if excepted else {})}}]}]},
                                                     policyTypes=[direction.capitalize()])]),
                               ("ClusterNetworkPolicy", [tiered("p", "Admin", 1, {"namespaces": {}}, egress=[
                                   *({"action": "Deny", "to": [{"networks": [c]}]} for c in excepted), {"action": "Accept", "to": [{"networks": [cidr]}]}, {"action": "Deny", "to": [
                                       {"networks": ["0.0.0.0/0"]}]}])])):
            if what == "NetworkPolicy" or direction == "egress":
                yield (f"{what}, {direction}, {cidr} without {excepted}, cluster {name}",
                       scenario(policies, [expected(*((x, "x/a") if direction == "ingress" else ("x/a", x)), ok) for x, ok in inside.items()], w))


def crafted_labels():
    """GHSA-pfhr-pccp-hwmh: what a pod's labels claim about its namespace, its namespace's labels or its cluster counts for nothing. Scenarios that claim it may be refused."""
    claims = {model.NAMESPACE: "y", model.NAMESPACE_LABELS + "ns": "y", model.CLUSTER: "other", model.SERVICE_ACCOUNT: "admin"}
    peers = [labels(**{"k8s:io.kubernetes.pod.namespace": "y"}), labels(**{"k8s:io.cilium.k8s.namespace.labels.ns": "y"}), labels(**{"io.cilium.k8s.policy.cluster": "other"}),
             labels(**{"io.cilium.k8s.policy.serviceaccount": "admin"})]
    for (key, value), p in itertools.product(claims.items(), peers):
        w = world()
        w["endpoints"] = [{**e, "labels": {**e["labels"], **({key: value} if e["name"].startswith("z") else {})}} for e in w["endpoints"]]
        yield f"{key}={value}, asked for {p}", scenario([cnp("p", "x", A, ingress=[{"fromEndpoints": [p]}])], [expected("z/b", "x/a", False), expected("z/c", "x/a", False)], w)


FAMILIES = {"CVE-2023-41333": other_namespaces, "CVE-2024-47825": prefixes, "CVE-2025-64715": empty_sets, "CVE-2025-30163": nodes_and_pods, "CVE-2026-56743": blocks_alone}
MAY_BE_REFUSED = {"GHSA-pfhr-pccp-hwmh": crafted_labels}
