# SPDX-License-Identifier: Apache-2.0
"""A scenario as `kilim policy test` reads it (inline policies only): every probe and the whole matrix, answered by verdict.judge."""
from . import cluster as model
from . import verdict

FAMILIES = ("IPv4", "IPv6")
LETTER = {"allow": "A", "deny": "D", "audit": "U"}


def open_scenario(scenario):
    # a Namespace among the policies says the labels of one that the scenario does not list
    declared = {p["metadata"]["name"]: {"name": p["metadata"]["name"], "labels": p["metadata"].get("labels")} for p in scenario.get("policies") or []
                if p["kind"] == "Namespace"}
    declared.update({n["name"]: n for n in scenario.get("namespaces") or []})
    cluster = model.Cluster({**scenario, "namespaces": list(declared.values())})
    return cluster, verdict.Policies(scenario.get("policies") or [], scenario.get("settings"))


def is_special(text):
    return text in ("host", "remote-node") or text.startswith(("world:", "node:"))


def packet_of(cluster, probe):
    source, destination = probe["from"], probe["to"]
    s = None if is_special(source) else cluster.end(source, None)
    d = None if is_special(destination) else cluster.end(destination, None)
    s, d = s or cluster.end(source, d), d or cluster.end(destination, s)
    protocol = probe.get("protocol") or "TCP"
    return verdict.Packet(s, d, protocol, probe.get("type" if protocol.startswith("ICMP") else "port", 0), probe.get("family") or "IPv4")


def answer(cluster, policies, probe):
    return verdict.judge(cluster, policies, packet_of(cluster, probe))


def probes(scenario):
    """The (verdict, why) of each probe that is not a matrix, in the order of the scenario."""
    cluster, policies = open_scenario(scenario)
    return [answer(cluster, policies, p) for p in scenario.get("probes") or [] if "matrix" not in p]


def matrix(scenario, columns, families=FAMILIES):
    """{family: {column: rows of sources by columns of destinations}}, A or D per cell."""
    cluster, policies = open_scenario(scenario)
    table = {}
    for family in families:
        table[family] = {}
        for column in columns:
            number, protocol = column.split("/")
            table[family][column] = [[LETTER[verdict.judge(cluster, policies, verdict.Packet(s, d, protocol, int(number), family))[0]]
                                      for d in cluster.endpoints] for s in cluster.endpoints]
    return table
