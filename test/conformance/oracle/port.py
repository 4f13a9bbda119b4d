# SPDX-License-Identifier: Apache-2.0
"""Whether a packet's protocol and port are among those that a rule names, for each of the languages.

Follows Cilium's "Layer 4" and ICMP pages, Kubernetes' NetworkPolicyPort, and the port types of the network-policy-api, both generations. A name is looked up on the receiver."""

ANY = ("TCP", "UDP", "SCTP")
ICMP4 = {"EchoReply": 0, "DestinationUnreachable": 3, "Redirect": 5, "Echo": 8, "EchoRequest": 8, "RouterAdvertisement": 9,
         "RouterSelection": 10, "TimeExceeded": 11, "ParameterProblem": 12, "Timestamp": 13, "TimestampReply": 14, "Photuris": 40,
         "ExtendedEchoRequest": 42, "ExtendedEchoReply": 43}
ICMP6 = {"DestinationUnreachable": 1, "PacketTooBig": 2, "TimeExceeded": 3, "ParameterProblem": 4, "EchoRequest": 128, "EchoReply": 129,
         "MulticastListenerQuery": 130, "MulticastListenerReport": 131, "MulticastListenerDone": 132, "RouterSolicitation": 133,
         "RouterAdvertisement": 134, "NeighborSolicitation": 135, "NeighborAdvertisement": 136, "RedirectMessage": 137}


def named(name, packet):
    """Whether the packet goes to the port that the receiver calls NAME."""
    return any(k.lower() == name.lower() and v == (packet.port, packet.protocol) for k, v in packet.destination.ports.items())


def between(packet, low, high):
    return packet.protocol in ANY and low <= packet.port <= high


def cilium_port(p, packet):
    protocol = (p.get("protocol") or "ANY").upper()
    if packet.protocol not in (ANY if protocol == "ANY" else (protocol,)):
        return False
    text = str(p.get("port") or "0")
    if not text.isdigit():
        return named(text, packet)
    low = int(text)
    return low == 0 or between(packet, low, p.get("endPort") or low)


def icmp_field(f, packet):
    family, kind = f.get("family") or "IPv4", f["type"]
    if not str(kind).isdigit():
        kind = (ICMP4 if family == "IPv4" else ICMP6)[kind]
    return packet.protocol == ("ICMP" if family == "IPv4" else "ICMPv6") and packet.port == int(kind)


def cilium_element(element, packet):
    """An element of a CiliumNetworkPolicy without toPorts and icmps means every protocol."""
    to_ports, icmps = element.get("toPorts") or [], element.get("icmps") or []
    if not to_ports and not icmps:
        return True
    return (any(cilium_port(p, packet) for rule in to_ports for p in rule["ports"]) or
            any(icmp_field(f, packet) for rule in icmps for f in rule["fields"]))


def network_policy(ports, packet):
    """NetworkPolicy: none means all traffic; a port without a protocol is one of TCP."""
    if not ports:
        return True
    for p in ports:
        if (p.get("protocol") or "TCP") != packet.protocol:
            continue
        port = p.get("port")
        if port is None or (named(port, packet) if isinstance(port, str) else between(packet, port, p.get("endPort") or port)):
            return True
    return False


def admin_port(p, packet):
    """An element of `ports` of AdminNetworkPolicy v1alpha1."""
    if "portNumber" in p:
        return packet.protocol == (p["portNumber"].get("protocol") or "TCP") and packet.port == p["portNumber"]["port"]
    if "portRange" in p:
        r = p["portRange"]
        return packet.protocol == (r.get("protocol") or "TCP") and between(packet, r["start"], r["end"])
    return named(p["namedPort"], packet)


def cluster_protocol(p, packet):
    """An element of `protocols` of ClusterNetworkPolicy v1alpha2."""
    if "destinationNamedPort" in p:
        return named(p["destinationNamedPort"], packet)
    protocol = next(k for k in ("tcp", "udp", "sctp") if k in p)
    if packet.protocol != protocol.upper():
        return False
    port = (p[protocol] or {}).get("destinationPort")
    if port is None:
        return True
    if "number" in port:
        return packet.port == port["number"]
    return between(packet, port["range"]["start"], port["range"]["end"])


def tiered(rule, packet):
    if rule.get("ports") is None and rule.get("protocols") is None:
        return True
    return (any(admin_port(p, packet) for p in rule.get("ports") or []) or
            any(cluster_protocol(p, packet) for p in rule.get("protocols") or []))
