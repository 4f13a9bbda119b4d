# SPDX-License-Identifier: Apache-2.0
"""Who is there: namespaces, nodes, endpoints and addresses outside, and the labels that each of them has.

Follows the scenario format of `kilim policy test` and, for labels, Cilium's list of the labels that every pod gets; what a pod's own labels claim about its namespace or
cluster does not count."""
import functools
import ipaddress

NAMESPACE = "io.kubernetes.pod.namespace"
CLUSTER = "io.cilium.k8s.policy.cluster"
SERVICE_ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."


@functools.lru_cache(None)
def address(text):
    return ipaddress.ip_address(text)


@functools.lru_cache(None)
def network(text):
    return ipaddress.ip_network(text, strict=False)


@functools.lru_cache(None)
def contains(cidr, text):
    """Whether the CIDR holds the address; one of the other family does not."""
    return address(text).version == network(cidr).version and address(text) in network(cidr)


def family_of(text):
    return f"IPv{address(text).version}"


class Party:
    """One end of a packet. KIND is "endpoint", "node" or "world"."""

    def __init__(self, kind, name, addresses, labels=None, namespace=None, node=None, ports=None):
        self.kind, self.name, self.labels = kind, name, labels or {}
        self.namespace, self.node = namespace, node
        self.by_family = {family_of(a): a for a in addresses}
        self.ports = {k: (int(v.split("/")[0]), v.split("/")[1].upper()) for k, v in (ports or {}).items()}

    def address(self, family):
        return self.by_family.get(family)


class Cluster:
    def __init__(self, scenario):
        self.name = scenario.get("cluster") or "default"
        self.namespaces = {n["name"]: n.get("labels") or {} for n in scenario.get("namespaces") or []}
        self.nodes = [Party("node", n["name"], n.get("addresses") or [], n.get("labels")) for n in scenario.get("nodes") or []]
        self.endpoints = [Party("endpoint", e["name"], e.get("addresses") or [], e.get("labels"), e["name"].split("/")[0], e.get("node"),
                                e.get("ports")) for e in scenario.get("endpoints") or []]

    def namespace_labels(self, party):
        """Kubernetes sets the name of a namespace as a label of it."""
        return {"kubernetes.io/metadata.name": party.namespace, **self.namespaces.get(party.namespace, {})}

    def cilium_labels(self, party, subject):
        """All (source, key, value) of one party as the subject of a rule sees it: the subject's own node is the host, others are remote."""
        if party.kind == "world":
            return [("reserved", "world-" + next(iter(party.by_family)).lower(), "")]
        if party.kind == "node":
            own = "host" if party.name == subject.node else "remote-node"
            return [("reserved", own, ""), *(("node", k, v) for k, v in party.labels.items())]
        own = {k: v for k, v in party.labels.items() if not k.startswith(("io.kubernetes.pod.namespace", "io.cilium.k8s."))}
        made = {NAMESPACE: party.namespace, CLUSTER: self.name}
        made.update({NAMESPACE_LABELS + k: v for k, v in self.namespace_labels(party).items()})
        return [("k8s", k, v) for k, v in {**own, **made}.items()]

    def end(self, text, other):
        """The party that a probe's end names; host and remote-node depend on the other end."""
        if text.startswith("world:"):
            return Party("world", text, [text[len("world:"):]])
        if text.startswith("node:"):
            return next(n for n in self.nodes if n.name == text[len("node:"):])
        if text == "host":
            return next(n for n in self.nodes if n.name == other.node)
        if text == "remote-node":
            return Party("node", text, [])  # one that the scenario does not name
        return next(e for e in self.endpoints if e.name == text)
