# SPDX-License-Identifier: Apache-2.0
"""Short ways to write policy objects and the clusters that they are asked about; what they return is what a user would write as YAML."""
COLUMNS = ["80/TCP", "81/TCP", "80/UDP", "81/UDP", "80/SCTP", "81/SCTP"]
PODS = {f"serve-{number}-{protocol.lower()}": f"{number}/{protocol}" for number in (80, 81) for protocol in ("TCP", "UDP", "SCTP")}


def world(cluster=None):
    """Namespaces x, y, z with endpoints a, b, c each, on nodes n1, n2, n3."""
    spaces, pods = "xyz", "abc"
    made = {
        "namespaces": [{"name": s, "labels": {"ns": s, "team": "blue" if s == "x" else "green"}} for s in spaces],
        "nodes": [{"name": f"n{i}", "addresses": [f"172.30.0.1{i}", f"fd30::1{i}"], "labels": {"zone": "east" if i == 1 else "west", "node": f"n{i}"}}
                  for i in (1, 2, 3)],
        "endpoints": [{"name": f"{s}/{p}", "labels": {"pod": p, "role": "web" if p == "a" else "db"}, "node": f"n{j}",
                       "addresses": [f"10.0.{i}.{j}", f"fd00::{i}:{j}"], "ports": PODS}
                      for i, s in enumerate(spaces, 1) for j, p in enumerate(pods, 1)]}
    return {"cluster": cluster, **made} if cluster else made


def without(space):
    """The world with a namespace that only a policy file speaks of."""
    w = world()
    return {**w, "namespaces": [n for n in w["namespaces"] if n["name"] != space]}


def labels(**kv):
    return {"matchLabels": kv}


def expression(key, operator, *values):
    e = {"key": key, "operator": operator}
    return {"matchExpressions": [{**e, "values": list(values)} if values else e]}


def cnp(name, namespace, select=None, **spec):
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": name, "namespace": namespace},
            "spec": {"endpointSelector": select or {}, **spec}}


def ccnp(name, select=None, **spec):
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumClusterwideNetworkPolicy", "metadata": {"name": name},
            "spec": {"endpointSelector": select or {}, **spec}}


def group(name, cidrs, **of):
    return {"apiVersion": "cilium.io/v2", "kind": "CiliumCIDRGroup", "metadata": {"name": name, "labels": of}, "spec": {"externalCIDRs": cidrs}}


def np(name, namespace, select=None, **spec):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace},
            "spec": {"podSelector": select or {}, **spec}}


def tiered(name, tier, priority, subject, **spec):
    """ClusterNetworkPolicy, the second generation of the API."""
    return {"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": name},
            "spec": {"tier": tier, "priority": priority, "subject": subject, **spec}}


def anp(name, priority, subject, **spec):
    return {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "AdminNetworkPolicy", "metadata": {"name": name},
            "spec": {"priority": priority, "subject": subject, **spec}}


def banp(subject, **spec):
    return {"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": "BaselineAdminNetworkPolicy", "metadata": {"name": "default"},
            "spec": {"subject": subject, **spec}}


def namespace(name, **of):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": of}}


def ports(*wanted):
    """toPorts of "80/TCP", "80-90/UDP", "name/ANY"."""
    made = []
    for w in wanted:
        number, protocol = w.split("/")
        low, _, high = number.partition("-") if number[0].isdigit() else (number, "", "")
        made.append({"port": low, "protocol": protocol, **({"endPort": int(high)} if high else {})})
    return [{"ports": made}]


ALL = {"namespaces": {}}  # subject or peer: every namespace
NAMESPACE_X = {"namespaces": {"matchLabels": {"ns": "x"}}}


def pods(namespaces, of):
    return {"pods": {"namespaceSelector": namespaces, "podSelector": of}}
