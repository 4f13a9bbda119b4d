# SPDX-License-Identifier: Apache-2.0
"""The truth tables: some 300 scenarios of one or a few policies each over nine endpoints in three namespaces on three nodes, always the same ones. Each is asked for the whole matrix
of its endpoints and, by probes, for what comes from and goes to nodes and addresses outside. The families are those of the conformance suites of Kubernetes and the network-policy-api."""
import json

from . import objects, scenario, table_cilium, table_kubernetes
from .port import ANY

FAMILIES = {**table_kubernetes.FAMILIES, **table_cilium.FAMILIES}
OUTSIDE = {"IPv4": ["world:203.0.113.7", "world:203.0.113.130", "world:10.0.9.9"], "IPv6": ["world:2001:db8::7", "world:2001:db8:1::9", "world:fd00::9:9"]}
TRAFFIC = {"IPv4": ["80/TCP", "81/UDP", "8/ICMP"], "IPv6": ["80/TCP", "81/UDP", "128/ICMPv6"]}


def probe(source, destination, traffic, family):
    number, protocol = traffic.split("/")
    detail = {"type": int(number)} if protocol.startswith("ICMP") else {"port": int(number)} if protocol in ANY else {}
    return {"from": source, "to": destination, "protocol": protocol, **detail, "family": family}


def special_probes(policies):
    """A node that the scenario does not name has no address that one could know."""
    ends = ["host", "node:n2", "node:n3"] + ([] if "ipBlock" in json.dumps(policies) or "networks" in json.dumps(policies) else ["remote-node"])
    for family in scenario.FAMILIES:
        for endpoint in ("x/a", "y/b", "z/c"):
            for end in OUTSIDE[family] + ends:
                for traffic in TRAFFIC[family]:
                    yield probe(endpoint, end, traffic, family)
                    yield probe(end, endpoint, traffic, family)
        yield probe("x/b", "x/a", TRAFFIC[family][2], family)


def cases():
    """Each (name, scenario); names are unique."""
    for family, generate in FAMILIES.items():
        for name, policies, *world in generate():
            s = {**(world[0] if world else objects.world()), "policies": policies, "matrix": {"ports": objects.COLUMNS}}
            yield f"{family}: {name}", {**s, "probes": list(special_probes(policies))}


def cells(s):
    return len(s["endpoints"]) ** 2 * len(s["matrix"]["ports"]) * len(scenario.FAMILIES)
