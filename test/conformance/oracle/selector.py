# SPDX-License-Identifier: Apache-2.0
"""Label selectors. Kubernetes' own (matchLabels and matchExpressions over one set of labels), and Cilium's, where a key may name the label's source.

Follows Kubernetes "Labels and Selectors" (all requirements hold; NotIn also where the key is missing; an empty selector means everything) and Cilium's "Endpoint selectors"."""
from . import cluster

SOURCES = {"k8s", "any", "reserved", "cidr", "cidrgroup", "fqdn", "node", "cni", "gen", "container", "unspec"}


def requirements(selector):
    """Each requirement as (key, operator, values)."""
    for key, value in (selector.get("matchLabels") or {}).items():
        yield key, "In", [value]
    for e in selector.get("matchExpressions") or []:
        yield e["key"], e["operator"], e.get("values") or []


def holds(operator, values, found):
    """FOUND is the list of values that the key has: none, or one."""
    if operator == "In":
        return any(v in values for v in found)
    if operator == "NotIn":
        return not any(v in values for v in found)
    if operator == "Exists":
        return bool(found)
    if operator == "DoesNotExist":
        return not found
    raise ValueError(operator)


def kubernetes(selector, labels):
    """Whether the selector means what has these labels (a dict)."""
    return all(holds(op, values, [labels[key]] if key in labels else []) for key, op, values in requirements(selector))


def split_key(key):
    source, colon, rest = key.partition(":")
    if colon and source in SOURCES:
        return source, rest
    return "any", key


def cilium(selector, labels):
    """Whether the selector means what has these (source, key, value)."""
    for key, op, values in requirements(selector):
        source, name = split_key(key)
        found = [v for s, k, v in labels if k == name and source in ("any", s)]
        if not holds(op, values, found):
            return False
    return True


def names_reserved(selector):
    return any(split_key(key)[0] == "reserved" for key, _, _ in requirements(selector))


def names_namespace(selector):
    """Whether a peer's selector says itself which namespaces it means; the policy's own is added when it does not."""
    for key, _, _ in requirements(selector):
        source, name = split_key(key)
        if source == "reserved":
            return True
        if source in ("any", "k8s") and (name == cluster.NAMESPACE or name.startswith(cluster.NAMESPACE_LABELS)):
            return True
    return False
