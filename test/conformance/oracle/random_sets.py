# SPDX-License-Identifier: Apache-2.0
"""Random policy sets over small random clusters, each with many probes: case(seed, number) is always the same scenario.

Names, labels, ports and prefixes are taken from short lists, so that rules meet each other and the probes meet the rules. What the documents leave open is not made
(one peer field per element, no negative reserved: keys as peers, no port rule without ports)."""
import random

from . import cluster as model
from .objects import anp, banp, ccnp, cnp, group, namespace, np, tiered
from .tables import probe

SPACES, CLUSTERS = ["x", "y", "z"], ["default", "east", "cluster-2"]
LABELS = {"pod": ["a", "b", "c"], "role": ["web", "db"], "app": ["one", "two"]}
SPACE_LABELS = {"ns": SPACES, "team": ["blue", "green"]}
SPACE_KEYS = {**SPACE_LABELS, "kubernetes.io/metadata.name": SPACES}  # the last is there without being said
NODE_LABELS = {"zone": ["east", "west"], "pod": ["a", "b"]}
GROUP_LABELS = {"color": ["red", "blue"], "size": ["big"]}
PORTS = [1, 53, 79, 80, 81, 82, 443, 8080, 8081, 65535]
NAMES = ["web", "dns", "metrics"]
PROTOCOLS = ["TCP", "UDP", "SCTP"]
OTHERS = ["GRE", "ESP", "IPIP"]  # without ports
CIDRS = {"IPv4": ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.0/30", "10.0.1.2/32", "10.0.2.0/24", "172.30.0.0/16", "172.30.0.11/32", "203.0.112.0/23",
                  "203.0.113.0/24", "203.0.113.0/25", "203.0.113.0/28", "203.0.113.6/31", "203.0.113.7/32", "198.51.100.0/24", "128.0.0.0/1"],
         "IPv6": ["::/0", "fd00::/8", "fd00::/64", "fd00::1:0/112", "fd00::1:2/128", "fd30::/64", "fd30::12/128", "2001:db8::/32", "2001:db8::/48", "2001:db8::/64", "2001:db8::6/127",
                  "2001:db8::7/128", "8000::/1"]}
OUTSIDE = {"IPv4": ["203.0.113.6", "203.0.113.7", "203.0.113.8", "203.0.113.20", "203.0.113.200", "203.0.112.1", "198.51.100.1", "10.0.1.99", "10.99.0.1", "172.30.0.99", "8.8.8.8", "192.0.2.1"],
           "IPv6": ["2001:db8::6", "2001:db8::7", "2001:db8::8", "2001:db8:0:1::1", "2001:db8:1::1", "fd00::1:99", "fd00:1::1", "fd30::99", "2606:4700::1111", "9000::1"]}
ICMP = {"IPv4": [8, 13, 42], "IPv6": [128, 139, 160]}  # requests: replies and errors belong to flows
ENTITIES = ["all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "remote-node", "none", "init", "health", "unmanaged", "ingress", "kube-apiserver"]


# of the agent; a batch of scenarios shares one
SETTINGS = [{}, {}, {}, {"policy-cidr-match-mode": ["nodes"]}, {"enable-policy": "always"}, {"allow-localhost": "policy"}, {"policy-cidr-match-mode": ["nodes", "pods"]},
            {"policy-audit-mode": True}, {"kubernetes-cidr-match-mode": []}, {"policy-cidr-match-mode": ["pods"], "allow-localhost": "policy", "enable-policy": "always"},
            {"kubernetes-cidr-match-mode": ["pods"]}]


class Maker:
    """One scenario's dice."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.ports = self.r.sample(PORTS, 3)  # what most rules and probes are about

    def chance(self, p):
        return self.r.random() < p

    def some(self, options, low=1, high=2):
        return self.r.sample(options, min(len(options), self.r.randint(low, high)))

    def labels(self, known, keep=0.7):
        return {k: self.r.choice(v) for k, v in known.items() if self.chance(keep)}

    # ---- the cluster

    def world(self):
        r, self.cluster = self.r, self.r.choice(CLUSTERS)
        self.nodes = [{"name": f"n{i}", "addresses": [f"172.30.0.1{i}", f"fd30::1{i}"], "labels": self.labels(NODE_LABELS)} for i in range(1, r.randint(2, 3) + 1)]
        self.spaces = [{"name": s, "labels": self.labels(SPACE_LABELS)} for s in SPACES]
        self.endpoints = []
        for i in range(r.randint(4, 7)):
            space = r.randrange(len(SPACES))
            addresses = [f"10.0.{space + 1}.{i + 1}", f"fd00::{space + 1}:{i + 1}"]
            if self.chance(0.1):
                addresses = addresses[:1]
            self.endpoints.append({"name": f"{SPACES[space]}/p{i}", "labels": self.labels(LABELS), "addresses": addresses, "node": r.choice(self.nodes)["name"],
                                   "ports": {n: f"{r.choice(PORTS)}/{r.choice(PROTOCOLS)}" for n in NAMES if self.chance(0.6)}})
        return {"cluster": self.cluster, "namespaces": self.spaces, "nodes": self.nodes, "endpoints": self.endpoints}

    # ---- selectors

    def requirement(self, known, prefix=""):
        key = self.r.choice(list(known))
        op = self.r.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        e = {"key": prefix + key, "operator": op}
        if op in ("In", "NotIn"):
            e["values"] = self.some([*known[key], "other"])
        return e

    def selector(self, known):
        """A plain one of Kubernetes."""
        s = {}
        if self.chance(0.3):
            s["matchLabels"] = {k: self.r.choice(known[k]) for k in self.some(list(known), 1, 2 if self.chance(0.2) else 1)}
        if self.chance(0.25):
            s["matchExpressions"] = [self.requirement(known) for _ in range(2 if self.chance(0.2) else 1)]
        return s

    def cilium_selector(self, peer):
        s = self.selector(LABELS)
        prefix = self.r.choice(["", "k8s:", "any:"])
        if "matchLabels" in s:
            s["matchLabels"] = {prefix + k: v for k, v in s["matchLabels"].items()}
        if not peer or self.chance(0.5):
            return s
        where = self.r.choice(["namespace", "namespace", "namespace labels", "cluster", "reserved", "reserved namespace"])
        if where == "namespace":
            extra = self.requirement({model.NAMESPACE: SPACES}, self.r.choice(["", "k8s:"]))
        elif where == "namespace labels":
            extra = self.requirement({model.NAMESPACE_LABELS + k: v for k, v in SPACE_KEYS.items()}, self.r.choice(["", "k8s:"]))
        elif where == "cluster":
            extra = self.requirement({model.CLUSTER: [self.cluster, "other"]})
        else:
            # a reserved label that is asked for beside others means nobody, and that is as it should be
            extra = {"key": "reserved:" + self.r.choice(["host", "remote-node"]), "operator": "Exists"}
            s = {} if where == "reserved" else s
        return {**s, "matchExpressions": [*s.get("matchExpressions", []), extra]}

    # ---- addresses and ports

    def number(self):
        return self.r.choice(self.ports if self.chance(0.8) else PORTS)

    def cidr(self):
        return self.r.choice(CIDRS[self.r.choice(["IPv4", "IPv4", "IPv6"])])

    def excepted(self, cidr):
        whole = model.network(cidr)
        inside = [c for f in CIDRS.values() for c in f if model.network(c).version == whole.version and c != cidr and model.network(c).subnet_of(whole)]
        return self.some(inside, 0, 2) if inside else []

    def block(self, cidr):
        excepted = self.excepted(cidr) if self.chance(0.5) else []
        return {"cidr": cidr, **({"except": excepted} if excepted else {})}

    def range(self):
        return sorted(self.r.sample(PORTS, 2))

    def to_ports(self):
        return [{"ports": [self.cilium_port() for _ in range(self.r.randint(1, 2))]} for _ in range(self.r.randint(1, 2))]

    def cilium_port(self):
        protocol = self.r.choice([*PROTOCOLS, "TCP", "ANY", None])
        p = {"protocol": protocol} if protocol else {}
        how = self.r.random()
        if how < 0.4:
            return {"port": str(self.number()), **p}
        if how < 0.65:
            low, high = self.range()
            return {"port": str(low), "endPort": high, **p}
        if how < 0.85:
            return {"port": self.r.choice(NAMES) if self.chance(0.9) else "WEB", **p}
        if how < 0.88:
            return {"port": "0", "protocol": self.r.choice(OTHERS)}
        return {"port": "0", **p} if self.chance(0.5) or not p else p

    def icmps(self):
        def field():
            family = self.r.choice(list(ICMP))
            kind = self.r.choice(ICMP[family])
            if kind in (8, 128) and self.chance(0.5):
                kind = "EchoRequest"
            return {"type": kind, **({"family": family} if family == "IPv6" or self.chance(0.5) else {})}
        return [{"fields": [field() for _ in range(self.r.randint(1, 2))]}]

    # ---- policies

    def cilium_peer(self, word, groups):
        """One field or none."""
        what = self.r.choice(["Endpoints"] * 8 + ["Entities"] * 6 + ["CIDR"] * 4 + ["CIDRSet"] * 6 + ["Nodes"] * 2 + ["none"] * 4 + ["empty"] * 2 + ["Services"])
        if what == "none":
            return {}
        empty = {word + self.r.choice(["Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes", "Groups"]): self.r.choice([[], [], None])}
        if what == "empty":
            return empty
        if what == "Services":
            return {"toServices": [{"k8sService": {"serviceName": "none", "namespace": "x"}}]} if word == "to" else empty
        make = {"Endpoints": lambda: self.cilium_selector(True), "Entities": lambda: self.r.choice(ENTITIES), "CIDR": self.cidr, "CIDRSet": lambda: self.cidr_rule(groups),
                "Nodes": lambda: self.selector(NODE_LABELS)}[what]
        # empty beside it: nobody more
        return {**(empty if self.chance(0.03) else {}), word + what: [make() for _ in range(self.r.randint(1, 2))]}

    def cidr_rule(self, groups):
        if not groups or self.chance(0.6):
            return self.block(self.cidr())
        if self.chance(0.5):
            return {"cidrGroupSelector": {"matchExpressions": [self.requirement(GROUP_LABELS)]}}
        g = self.r.choice(groups)
        excepted = self.excepted(g["spec"]["externalCIDRs"][0]) if self.chance(0.3) else []
        return {"cidrGroupRef": g["metadata"]["name"] if self.chance(0.9) else "missing", **({"except": excepted} if excepted else {})}

    def element(self, word, groups):
        e = self.cilium_peer(word, groups)
        if self.chance(0.5):
            e["toPorts"] = self.to_ports()
        elif self.chance(0.15):
            e["icmps"] = self.icmps()
        if self.ordered and self.chance(0.6):
            e["order"] = self.r.randint(-1, 3)
        return e

    def cilium_spec(self, groups):
        spec = {"endpointSelector": self.cilium_selector(False)}
        for direction, word in (("ingress", "from"), ("egress", "to")):
            if self.chance(0.65):
                spec[direction] = [self.element(word, groups) for _ in range(self.r.randint(0 if self.chance(0.2) else 1, 3))]
            if self.chance(0.3):
                spec[direction + "Deny"] = [self.element(word, groups) for _ in range(self.r.randint(1, 2))]
        if not any(spec.get(k) for k in ("ingress", "egress", "ingressDeny", "egressDeny")):
            spec["ingress"] = [{}]
        if self.chance(0.3):
            spec["enableDefaultDeny"] = {d: self.chance(0.4) for d in self.some(["ingress", "egress"])}
        return spec

    def cilium(self, name, groups):
        self.ordered = self.chance(0.25)
        space = self.r.choice([*SPACES, None])
        policy = cnp(name, space) if space else ccnp(name)
        policy["spec"] = self.cilium_spec(groups)
        if self.chance(0.15):
            policy["specs"] = [policy.pop("spec"), self.cilium_spec(groups)]
        elif self.chance(0.05):
            policy["spec"]["mode"] = "shadow"
        return policy

    def np_port(self):
        protocol = self.r.choice([*PROTOCOLS, None])
        p, how = ({"protocol": protocol} if protocol else {}), self.r.random()
        if how < 0.5:
            return {**p, "port": self.number()}
        if how < 0.7:
            low, high = self.range()
            return {**p, "port": low, "endPort": high}
        return {**p, "port": self.r.choice(NAMES)} if how < 0.9 else p

    def np_peer(self):
        how = self.r.random()
        if how < 0.35:
            return {"ipBlock": self.block(self.cidr())}
        peer = {}
        if how < 0.8:
            peer["podSelector"] = self.selector(LABELS)
        if how > 0.6:
            peer["namespaceSelector"] = self.selector(SPACE_KEYS)
        return peer

    def np_rule(self, word):
        rule = {}
        if self.chance(0.8):
            rule[word] = [self.np_peer() for _ in range(self.r.randint(0 if self.chance(0.1) else 1, 2))]
        if self.chance(0.5):
            rule["ports"] = [self.np_port() for _ in range(self.r.randint(0 if self.chance(0.1) else 1, 2))]
        return rule

    def network_policy(self, name):
        spec = {}
        for direction, word in (("ingress", "from"), ("egress", "to")):
            if self.chance(0.65):
                spec[direction] = [self.np_rule(word) for _ in range(self.r.randint(0, 2))]
        if self.chance(0.6):
            spec["policyTypes"] = self.some(["Ingress", "Egress"])
        return np(name, self.r.choice(SPACES), self.selector(LABELS), **spec)

    def subject(self):
        return {"namespaces": self.selector(SPACE_KEYS)} if self.chance(0.5) else {
            "pods": {"namespaceSelector": self.selector(SPACE_KEYS), "podSelector": self.selector(LABELS)}}

    def tier_peer(self, word):
        how = self.r.random()
        if word == "to" and how < 0.3:
            return {"networks": [self.cidr() for _ in range(self.r.randint(1, 2))]}
        if word == "to" and how < 0.4:
            return {"nodes": self.selector(NODE_LABELS)}
        return self.subject()

    def old_port(self):
        how = self.r.random()
        if how < 0.5:
            return {"portNumber": {"protocol": self.r.choice(PROTOCOLS), "port": self.number()}}
        low, high = self.range()
        return {"portRange": {"protocol": self.r.choice(PROTOCOLS), "start": low, "end": high}} if how < 0.8 else {"namedPort": self.r.choice(NAMES)}

    def new_protocol(self):
        how = self.r.random()
        if how < 0.15:
            return {"destinationNamedPort": self.r.choice(NAMES)}
        low, high = self.range()
        port = {} if how < 0.25 else {"destinationPort": {"number": low} if how < 0.6 else {"range": {"start": low, "end": high}}}
        return {self.r.choice(PROTOCOLS).lower(): port}

    def tier_rules(self, word, actions, new):
        rules = []
        for _ in range(self.r.randint(1, 3)):
            rule = {"action": self.r.choice(actions), word: [self.tier_peer(word) for _ in range(self.r.randint(1, 2))]}
            # names of ports beside networks and nodes are refused: these have none
            outside = any("networks" in p or "nodes" in p for p in rule[word])
            if self.chance(0.5):
                made = [self.new_protocol() if new else self.old_port() for _ in range(self.r.randint(1, 2))]
                made = [p for p in made if not outside or not {"namedPort", "destinationNamedPort"} & set(p)]
                if made:
                    rule["protocols" if new else "ports"] = made
            rules.append(rule)
        return rules

    def admin(self, name, kind):
        new = kind == "ClusterNetworkPolicy"
        actions = (["Accept"] if new else ["Allow"]) + ["Deny"] + (["Pass"] if kind != "BaselineAdminNetworkPolicy" else [])
        rules = {d: self.tier_rules(w, actions, new) for d, w in (("ingress", "from"), ("egress", "to")) if self.chance(0.75)}
        rules = rules or {"egress": self.tier_rules("to", actions, new)}
        if kind == "BaselineAdminNetworkPolicy":
            return banp(self.subject(), **rules)
        if new:
            return tiered(name, "Baseline" if self.baseline and self.chance(0.5) else "Admin", self.r.randint(0, 3), self.subject(), **rules)
        return anp(name, self.r.randint(0, 3), self.subject(), **rules)

    def policies(self, world):
        groups = [group(f"g{i}", self.some([c for f in CIDRS.values() for c in f], 1, 3), **self.labels(GROUP_LABELS)) for i in range(self.r.randint(0, 2))]
        made, names, baseline = [], self.r.sample("abcdefgh", 6), False
        self.baseline = self.chance(0.5)  # ClusterNetworkPolicy has that tier; else BaselineAdminNetworkPolicy may: their common order is nowhere said
        if self.chance(0.1):
            made.append(namespace(world["namespaces"].pop()["name"], **self.labels(SPACE_LABELS)))
        for name in names[:self.r.randint(1, 6)]:
            kind = self.r.choice(["cilium"] * 5 + ["NetworkPolicy"] * 2 + ["ClusterNetworkPolicy"] * 2 + ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy"])
            if kind == "BaselineAdminNetworkPolicy" and (self.baseline or baseline):
                kind = "NetworkPolicy"
            baseline = baseline or kind == "BaselineAdminNetworkPolicy"
            made.append(self.cilium(name, groups) if kind == "cilium" else self.network_policy(name) if kind == "NetworkPolicy" else self.admin(name, kind))
        return groups + made

    # ---- questions

    def traffic(self, family):
        if self.chance(0.03):
            return f"0/{self.r.choice(OTHERS)}"
        if self.chance(0.12):
            return f"{self.r.choice(ICMP[family])}/{'ICMP' if family == 'IPv4' else 'ICMPv6'}"
        return f"{self.r.choice(self.ports) if self.chance(0.7) else self.r.choice(PORTS) if self.chance(0.8) else self.r.randint(1, 65535)}/{self.r.choice([*PROTOCOLS, 'TCP'])}"

    def probe(self):
        family = self.r.choice(["IPv4", "IPv4", "IPv6"])
        known = [e["name"] for e in self.endpoints if len(e["addresses"]) == 2 or family == "IPv4"]
        if not known:
            family, known = "IPv4", [e["name"] for e in self.endpoints]
        one = self.r.choice(known)
        how = self.r.random()
        other = (self.r.choice([e for e in known if e != one] or [one]) if how < 0.5 else "world:" + self.r.choice(OUTSIDE[family]) if how < 0.85 else "host" if how < 0.9 else
                 "node:" + self.r.choice(self.nodes)["name"])
        return probe(*((one, other) if self.chance(0.5) else (other, one)), self.traffic(family), family)


def case(seed, number, probes=250, settings=None):
    m = Maker(f"{seed}/{number}")
    s = m.world()
    return {**s, "policies": m.policies(s), "probes": [m.probe() for _ in range(probes)],
            **({"settings": settings} if settings else {})}
