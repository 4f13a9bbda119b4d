# SPDX-License-Identifier: Apache-2.0
"""Whether the other end of a packet is one that a rule names, for each of the languages.

Follows Cilium's "Layer 3" pages with the section Peers of doc/policy-language.md, Kubernetes' NetworkPolicyPeer, and the peers of the network-policy-api.
SUBJECT is the endpoint that the policy selects, OTHER the party at the other end; what nothing means, means nobody."""
from . import cluster as model
from . import selector

ENTITIES_OF_CLUSTER = ("cluster", "cluster-mesh")


class Question:
    """What a peer is asked about: one direction of one packet, in one cluster with its policies' groups of CIDRs."""

    def __init__(self, cluster, groups, settings, subject, other, family):
        self.cluster, self.groups, self.settings = cluster, groups, settings
        self.subject, self.other, self.family = subject, other, family

    def own_node(self):
        return self.other.kind == "node" and self.other.name == self.subject.node


def endpoint_selector(s, namespace, q):
    """NAMESPACE is None for a clusterwide policy. Only reserved: keys reach anybody but endpoints."""
    if q.other.kind != "endpoint" and not selector.names_reserved(s):
        return False
    if q.other.kind == "endpoint" and namespace is not None and not selector.names_namespace(s) and q.other.namespace != namespace:
        return False
    return selector.cilium(s, q.cluster.cilium_labels(q.other, q.subject))


def node_selector(s, _, q):
    """Nodes but the subject's own; keys as they stand on the node."""
    return q.other.kind == "node" and not q.own_node() and selector.cilium(s, [("node", k, v) for k, v in q.other.labels.items()])


def in_cidr(cidr, excepted, q, kinds):
    """KINDS are the kinds of party that a CIDR means here, by the address of the packet's family."""
    a = q.other.address(q.family)
    return q.other.kind in kinds and a is not None and model.contains(cidr, a) and not any(model.contains(e, a) for e in excepted or [])


def cilium_kinds(q):
    mode = q.settings.get("policy-cidr-match-mode") or []
    return ["world"] + ["node"] * ("nodes" in mode) + ["endpoint"] * ("pods" in mode)


def kubernetes_kinds(q):
    mode = q.settings.get("kubernetes-cidr-match-mode")
    mode = ["nodes", "pods"] if mode is None else mode
    return ["world"] + ["node"] * ("nodes" in mode) + ["endpoint"] * ("pods" in mode)


def cidr(text, _, q):
    return in_cidr(text, None, q, cilium_kinds(q))


def cidr_set(c, _, q):
    if "cidrGroupRef" in c:
        groups = [g for g in q.groups if g["metadata"]["name"] == c["cidrGroupRef"]]
    elif "cidrGroupSelector" in c:
        groups = [g for g in q.groups if selector.cilium(c["cidrGroupSelector"], [("cidrgroup", k, v) for k, v in
                                                                              (g["metadata"].get("labels") or {}).items()])]
    else:
        return in_cidr(c["cidr"], c.get("except"), q, cilium_kinds(q))
    return any(in_cidr(text, c.get("except"), q, cilium_kinds(q)) for g in groups for text in g["spec"].get("externalCIDRs") or [])


def entity(name, _, q):
    kind = q.other.kind
    if name == "all":
        return True
    if name == "world":
        return kind == "world"
    if name in ("world-ipv4", "world-ipv6"):
        return kind == "world" and q.family == "IPv" + name[-1]
    if name == "host":
        return q.own_node()
    if name == "remote-node":
        return kind == "node" and not q.own_node()
    if name in ENTITIES_OF_CLUSTER:
        return kind in ("endpoint", "node")
    return False  # none; and nobody here is init, health, unmanaged, ingress or kube-apiserver


def nobody(*_):
    return False


# a field's name after from or to, and what one element of it means; services and groups resolve to nothing in these clusters
CILIUM = {"Endpoints": endpoint_selector, "Nodes": node_selector, "CIDR": cidr, "CIDRSet": cidr_set, "Entities": entity,
          "Services": nobody, "Groups": nobody, "Requires": nobody}


def cilium_fields(element):
    """The peer fields that are there; null is as absent."""
    return {k: v for k, v in element.items() if v is not None and (k[4:] if k.startswith("from") else k[2:] if k.startswith("to") else "") in CILIUM}


def cilium_element(element, namespace, q):
    """No field: any peer. Otherwise whoever one of them names: empty ones name nobody."""
    fields = cilium_fields(element)
    if not fields:
        return True
    return any(CILIUM[k[4:] if k.startswith("from") else k[2:]](e, namespace, q) for k, elements in fields.items() for e in elements)


def network_policy(peers, namespace, q):
    """NetworkPolicy: none means anybody. A peer is a block of addresses, or pods by their and their namespace's labels."""
    return not peers or any(network_policy_peer(p, namespace, q) for p in peers)


def network_policy_peer(p, namespace, q):
    if p.get("ipBlock") is not None:
        return in_cidr(p["ipBlock"]["cidr"], p["ipBlock"].get("except"), q, kubernetes_kinds(q))
    if q.other.kind != "endpoint":
        return False
    if p.get("namespaceSelector") is None:
        if q.other.namespace != namespace:
            return False
    elif not selector.kubernetes(p["namespaceSelector"], q.cluster.namespace_labels(q.other)):
        return False
    return p.get("podSelector") is None or selector.kubernetes(p["podSelector"], q.other.labels)


def pods(p, party, cluster):
    """A subject or peer of the network-policy-api: {namespaces} or {pods: {namespaceSelector, podSelector}}."""
    if party.kind != "endpoint":
        return False
    if p.get("namespaces") is not None:
        return selector.kubernetes(p["namespaces"], cluster.namespace_labels(party))
    return (selector.kubernetes(p["pods"]["namespaceSelector"], cluster.namespace_labels(party)) and
            selector.kubernetes(p["pods"]["podSelector"], party.labels))


def tiered(peers, q):
    return any(tiered_peer(p, q) for p in peers)


def tiered_peer(p, q):
    if p.get("networks") is not None:
        return any(in_cidr(n, None, q, kubernetes_kinds(q)) for n in p["networks"])
    if p.get("nodes") is not None:
        return q.other.kind == "node" and selector.kubernetes(p["nodes"], q.other.labels)
    return pods(p, q.other, q.cluster)
