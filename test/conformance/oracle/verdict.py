# SPDX-License-Identifier: Apache-2.0
"""What is decided about one packet, and by which rule. Follows the sections "A verdict", "Default deny" and "What kilim adds" of doc/policy-language.md, in that order."""
from . import peer, port, selector

TIER_KINDS = {"AdminNetworkPolicy": "Admin", "BaselineAdminNetworkPolicy": "Baseline"}
CILIUM_KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")


class Packet:
    """PORT is the type for ICMP and ICMPv6."""

    def __init__(self, source, destination, protocol, number, family):
        self.source, self.destination = source, destination
        self.protocol, self.port, self.family = protocol, number, family


def is_shadow(policy):
    notes = policy["metadata"].get("annotations") or {}
    return (policy.get("spec") or {}).get("mode") == "shadow" or notes.get("policy.kilim.io/mode") == "shadow"


def path(policy, rest=""):
    meta = policy["metadata"]
    return f"{policy['kind']}/{meta['namespace'] + '/' if 'namespace' in meta else ''}{meta['name']}{rest}"


def namespace_of(policy):
    """None for what has no namespace."""
    if policy["kind"] in ("CiliumNetworkPolicy", "NetworkPolicy"):
        return policy["metadata"].get("namespace") or "default"
    return None


class Policies:
    """The objects, sorted into tiers. SETTINGS has kilimd's keys."""

    def __init__(self, objects, settings=None):
        self.settings = settings or {}
        enforced = [p for p in objects if not is_shadow(p)]
        self.groups = [p for p in objects if p["kind"] == "CiliumCIDRGroup"]
        self.normal = [p for p in enforced if p["kind"] in (*CILIUM_KINDS, "NetworkPolicy")]
        self.tiers = {t: sorted((p for p in enforced if self.tier(p) == t),
                                key=lambda p: (p["spec"].get("priority") or 0, p["metadata"]["name"])) for t in ("Admin", "Baseline")}

    @staticmethod
    def tier(p):
        return p["spec"].get("tier") if p["kind"] == "ClusterNetworkPolicy" else TIER_KINDS.get(p["kind"])


# one direction; each returns (allowed, why), or None where it says nothing

def tier_decides(policies, tier, direction, q, packet):
    for policy in policies.tiers[tier]:
        spec = policy["spec"]
        if not peer.pods(spec["subject"], q.subject, q.cluster):
            continue
        for i, rule in enumerate(spec.get(direction) or []):
            if peer.tiered(rule["from" if direction == "ingress" else "to"], q) and port.tiered(rule, packet):
                if rule["action"] == "Pass":
                    return None
                return rule["action"] in ("Accept", "Allow"), path(policy, f" spec.{direction}[{i}]: {rule['action']}")
    return None


def specs(policy):
    """Each spec of a Cilium policy with its path."""
    if policy.get("spec") is not None:
        yield "spec", policy["spec"]
    for i, spec in enumerate(policy.get("specs") or []):
        yield f"specs[{i}]", spec


def cilium_selects(spec, namespace, q):
    if spec.get("endpointSelector") is None:  # policies for nodes
        return False
    labels = q.cluster.cilium_labels(q.subject, q.subject)
    return (namespace is None or q.subject.namespace == namespace) and selector.cilium(spec["endpointSelector"], labels)


def is_rule(element):
    return bool(peer.cilium_fields(element) or element.get("toPorts") or element.get("icmps"))


def cilium_decides(policy, direction, q, packet):
    """The fitting element of the lowest order, deny before allow."""
    namespace, fitting = namespace_of(policy), []
    for where, spec in specs(policy):
        if not cilium_selects(spec, namespace, q):
            continue
        for field, allowed in ((direction + "Deny", False), (direction, True)):
            for i, element in enumerate(spec.get(field) or []):
                if is_rule(element) and peer.cilium_element(element, namespace, q) and port.cilium_element(element, packet):
                    order = element.get("order")
                    fitting.append(((order is None, order or 0), allowed, path(policy, f" {where}.{field}[{i}]")))
    return min(fitting)[1:] if fitting else None


def cilium_denies_by_default(policy, direction, q):
    for _, spec in specs(policy):
        if cilium_selects(spec, namespace_of(policy), q):
            said = (spec.get("enableDefaultDeny") or {}).get(direction)
            if said or (said is None and (spec.get(direction) or spec.get(direction + "Deny"))):
                return True
    return False


def network_policy_selects(policy, q):
    return q.subject.namespace == namespace_of(policy) and selector.kubernetes(policy["spec"]["podSelector"], q.subject.labels)


def policy_types(spec):
    types = spec.get("policyTypes")
    return types if types else ["Ingress"] + ["Egress"] * bool(spec.get("egress"))


def network_policy_decides(policy, direction, q, packet):
    spec = policy["spec"]
    if not network_policy_selects(policy, q) or direction.capitalize() not in policy_types(spec):
        return None
    for i, rule in enumerate(spec.get(direction) or []):
        peers = rule.get("from" if direction == "ingress" else "to")
        if peer.network_policy(peers, namespace_of(policy), q) and port.network_policy(rule.get("ports"), packet):
            return True, path(policy, f" spec.{direction}[{i}]")
    return None


def network_policy_isolates(policy, direction, q):
    return network_policy_selects(policy, q) and direction.capitalize() in policy_types(policy["spec"])


def normal_decides(policies, direction, q, packet):
    said = []
    for policy in policies.normal:
        decides = network_policy_decides if policy["kind"] == "NetworkPolicy" else cilium_decides
        said.append(decides(policy, direction, q, packet))
    said = [s for s in said if s is not None]
    return min(said) if said else None


def default_deny(policies, direction, q):
    """Kubernetes: traffic to and from the node where a pod is running is always allowed (whether that from it is, allow-localhost says), and a NetworkPolicy has the
    last word on whom it isolates: the baseline tier is not asked."""
    causes, spares = [], False
    for policy in policies.normal:
        if policy["kind"] != "NetworkPolicy":
            if cilium_denies_by_default(policy, direction, q):
                causes.append(path(policy))
        elif network_policy_isolates(policy, direction, q):
            if direction == "egress" and q.own_node():
                spares = True
            else:
                causes.append(path(policy))
    if causes:
        return False, f"default deny of {', '.join(causes)}"
    return (True, "its own node, which a NetworkPolicy spares") if spares else None


def judge_direction(policies, direction, q, packet):
    settings = policies.settings
    if direction == "ingress" and q.own_node() and settings.get("allow-localhost") != "policy":
        return True, "its own node"
    if settings.get("enable-policy") == "never":
        return True, "enable-policy: never"
    return (tier_decides(policies, "Admin", direction, q, packet) or normal_decides(policies, direction, q, packet) or
            default_deny(policies, direction, q) or tier_decides(policies, "Baseline", direction, q, packet) or
            (settings.get("enable-policy") != "always", "no policy"))


def judge(cluster, policies, packet):
    """Returns (verdict, why) with verdict allow, deny or audit."""
    if packet.source is packet.destination:
        return "allow", "itself"
    reasons = []
    for direction, subject, other in (("egress", packet.source, packet.destination), ("ingress", packet.destination, packet.source)):
        if subject.kind == "endpoint":
            q = peer.Question(cluster, policies.groups, policies.settings, subject, other, packet.family)
            allowed, why = judge_direction(policies, direction, q, packet)
            reasons.append(f"{direction} of {subject.name}: {why}")
            if not allowed:
                return "audit" if policies.settings.get("policy-audit-mode") else "deny", reasons[-1]
    return "allow", "; ".join(reasons)
