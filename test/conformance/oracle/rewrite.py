# SPDX-License-Identifier: Apache-2.0
"""Ways to say the same differently: each takes a scenario and returns another in which every probe must have the same verdict."""
import copy
import itertools
import random

from . import cluster as model
from . import verdict
from .objects import ccnp

PEER_FIELDS = [w + f for w in ("from", "to") for f in ("Endpoints", "Nodes", "CIDR", "CIDRSet", "Entities")]


def changed(scenario, change):
    s = copy.deepcopy(scenario)
    change(s)
    return s


def one_each(element, field):
    """The element once for each item of a list in it, or as it is."""
    if not isinstance(element.get(field), list) or len(element[field]) < 2:
        return [element]
    return [{**element, field: [item]} for item in element[field]]


def one_port(element):
    """A Cilium element once for each of its ports."""
    made = []
    for e in one_each(element, "toPorts"):
        rules = e.get("toPorts")
        made += [{**e, "toPorts": [{**rules[0], "ports": [p]}]} for p in rules[0]["ports"]] if rules else [e]
    return made


def split(element, fields):
    made = [element]
    for field in fields:
        made = list(itertools.chain.from_iterable(one_each(e, field) for e in made))
    return made


def split_spec(kind, spec):
    for key in ("ingress", "egress", "ingressDeny", "egressDeny"):
        elements = spec.get(key)
        if elements and kind in verdict.CILIUM_KINDS:
            spec[key] = [p for e in elements for part in split(e, [*PEER_FIELDS, "icmps"]) for p in one_port(part)]
        elif elements:
            spec[key] = [part for e in elements for part in split(e, ["from", "to", "ports", "protocols"])]


def split_rules(s):
    """A rule with several peers or ports becomes one for each of their pairs."""
    def change(s):
        for p in s["policies"]:
            for spec in [p.get("spec") or {}, *(p.get("specs") or [])]:
                split_spec(p["kind"], spec)
    return changed(s, change)


def reorder(s):
    """Policies the other way round, and the elements of what only adds up shuffled."""
    def change(s):
        dice = random.Random(1)
        s["policies"].reverse()
        for p in s["policies"]:
            if p["kind"] in (*verdict.CILIUM_KINDS, "NetworkPolicy"):
                for spec in [p.get("spec") or {}, *(p.get("specs") or [])]:
                    for key in ("ingress", "egress", "ingressDeny", "egressDeny"):
                        dice.shuffle(spec.get(key) or [])
    return changed(s, change)


def renamed(value, old, new):
    """The value of every requirement on the cluster's label."""
    if isinstance(value, dict):
        if str(value.get("key", "")).endswith(model.CLUSTER) and "values" in value:
            return {**value, "values": [new if v == old else v for v in value["values"]]}
        return {k: new if k.endswith(model.CLUSTER) and v == old else renamed(v, old, new) for k, v in value.items()}
    return [renamed(v, old, new) for v in value] if isinstance(value, list) else value


def rename_cluster(name):
    def rename(s):
        return {**s, "cluster": name, "policies": renamed(s["policies"], s.get("cluster") or "default", name)}
    return rename


def add_labels(s):
    """Labels that no selector names, different ones on each, so that nobody shares an identity any more."""
    def change(s):
        for i, e in enumerate(s["endpoints"]):
            e["labels"] = {**(e.get("labels") or {}), "unnamed": f"v{i}", "example.com/also-unnamed": ""}
        for n in [*s["nodes"], *s["namespaces"]]:
            n["labels"] = {**(n.get("labels") or {}), "unnamed": "v"}
    return changed(s, change)


def add_specs(s):
    """A spec becomes the only one of specs."""
    def change(s):
        for p in s["policies"]:
            if p["kind"] in verdict.CILIUM_KINDS and "spec" in p and p["spec"].get("mode") is None:
                p["specs"] = [p.pop("spec")]
    return changed(s, change)


def add_shadows(s):
    """Beside each policy a shadow of it that says the opposite, and one that denies everything to everybody."""
    def change(s):
        shadows = [ccnp("everything", ingressDeny=[{"fromEntities": ["all"]}], egressDeny=[{"toEntities": ["all"]}])]
        for p in s["policies"]:
            if verdict.is_shadow(p):
                continue
            if p["kind"] in verdict.CILIUM_KINDS and "spec" in p:
                spec = p["spec"]
                swapped = {k.removesuffix("Deny") if k.endswith("Deny") else k + "Deny": v for k, v in spec.items() if k.startswith(("ingress", "egress"))}
                shadows.append({**p, "spec": {**{k: v for k, v in spec.items() if not k.startswith(("ingress", "egress"))}, **swapped}})
            elif p["kind"] == "NetworkPolicy":
                shadows.append({**p, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
        s["policies"] += [{**p, "metadata": {**p["metadata"], "annotations": {"policy.kilim.io/mode": "shadow"}}} for p in shadows]
    return changed(s, change)


WAYS = {"rules split": split_rules, "policies reordered": reorder, "a cluster called default": rename_cluster("default"), "a cluster called west-1": rename_cluster("west-1"),
        "a cluster called k8s": rename_cluster("k8s"), "labels that no selector names": add_labels, "spec as specs": add_specs,
        "shadows of all": add_shadows}
