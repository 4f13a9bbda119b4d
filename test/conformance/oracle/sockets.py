# SPDX-License-Identifier: Apache-2.0
"""Truth tables by real sockets in network namespaces, for test/conformance/sockets, which makes the node and its endpoints. One process has all sockets: a socket stays in the
namespace in which it was made."""
import ctypes
import http.client
import json
import os
import pathlib
import random
import re
import resource
import selectors
import socket
import subprocess
import sys
import time

from . import objects, scenario, tables, tap

PORTS, SAMPLE = (80, 81), 0.05
ANSWER_S, AGAIN_S, SETTLE_S, APPLY_S = 10, 0.5, 0.03, 10
FAMILY = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}
KIND = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
CLONE_NEWNET = 0x40000000
WRONG_SHOWN = 10
DONE = object()  # nothing more is awaited of a socket


def moved(s):
    """The scenario with its endpoints' IPv6 addresses in one pool, which has 2^16: fd00::2:3 becomes fd00::203, and a prefix of them moves along."""
    text = re.sub(r"fd00::([1-3]):0/112", r"fd00::\g<1>00/120", json.dumps(s))
    return json.loads(re.sub(r"fd00::([1-3]):([1-3])\b", r"fd00::\g<1>0\g<2>", text))


WORLD = moved(objects.world())


def netns(endpoint):
    return endpoint.replace("/", "")


class Namespaces:
    def __init__(self):
        self.libc, self.open = ctypes.CDLL(None, use_errno=True), {}

    def enter(self, name):
        if name not in self.open:
            self.open[name] = os.open(f"/run/netns/{name}", os.O_RDONLY)
        if self.libc.setns(self.open[name], CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"namespace {name}")


class Agent:
    def __init__(self):
        self.directory, self.manifests = os.environ["KILIM_RUN_DIR"], pathlib.Path(os.environ["MANIFESTS"])
        self.there = {p.name: p.read_text() for p in self.manifests.glob("*.json")}

    def status(self):
        c = http.client.HTTPConnection("kilim", timeout=10)
        c.sock = socket.socket(socket.AF_UNIX)
        c.sock.connect(f"{self.directory}/kilim.sock")
        c.request("GET", "/v1/status")
        found = json.loads(c.getresponse().read())
        c.close()
        return found

    def put(self, files):
        """All that these files say is in force when this returns, and what other files said is not."""
        for name in {*self.there, *files}:
            if self.there.get(name) != files.get(name):
                self.change(name, files.get(name))
        self.there = files
        bad = [s for s in self.status().get("sources", []) if s["state"] != "ok"]
        if bad:
            raise ValueError(f"the agent refuses the policies: {bad}")

    def change(self, name, text):
        before, end = self.status()["policy"]["revision"], time.monotonic() + APPLY_S
        if text is None:
            (self.manifests / name).unlink()
        else:
            new = self.manifests / f".{name}.tmp"
            new.write_text(text)
            new.rename(self.manifests / name)
        while (now := self.status())["policy"]["revision"] == before:
            if time.monotonic() > end:
                raise TimeoutError(f"{name} is not in force: {json.dumps([now['policy'], now.get('sources'), now.get('problems')])}")
            time.sleep(0.005)


class Drops:
    """The drop events, as `kilim observe` tells them."""

    def __init__(self):
        self.process = subprocess.Popen([os.environ["KILIM"], "observe", "--follow", "--verdict", "DROPPED", "-o", "json"], stdout=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.rest, self.keys, self.lost = b"", set(), 0

    def fileno(self):
        return self.process.stdout.fileno()

    def read(self):
        data = os.read(self.fileno(), 1 << 20)
        if not data:
            raise EOFError("kilim observe has ended")
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.note(json.loads(line))

    def note(self, record):
        flow = record.get("flow", {})
        self.lost += "lost_events" in record
        for protocol in KIND:
            if l4 := flow.get("l4", {}).get(protocol):
                self.keys.add((protocol, flow["IP"]["source"], l4["source_port"], flow["IP"]["destination"], l4["destination_port"]))


class Cell:
    def __init__(self, family, protocol, port, source, destination, letter):
        self.family, self.protocol, self.port, self.source, self.destination, self.allowed = family, protocol, port, source, destination, letter == "A"
        self.is_answered, self.error, self.socket, self.key = False, 0, None, None

    def open(self):
        at = address_of(self.destination, self.family)
        s = self.socket = socket.socket(FAMILY[self.family], KIND[self.protocol] | socket.SOCK_NONBLOCK)
        if self.protocol == "TCP":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # gone at once when it is closed
        self.error = s.connect_ex((at, self.port))
        own = s.getsockname()
        self.key = (self.protocol, own[0], own[1], at, self.port)
        self.ask()

    def ask(self):
        if self.protocol == "UDP" and not self.is_answered:
            try:
                self.socket.send(b"?")
            except OSError as e:
                self.error = e.errno

    def event(self):
        if self.protocol == "TCP":
            self.error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.is_answered = not self.error
            return DONE  # it is connected, or never will be
        try:
            self.is_answered = self.socket.recv(16) == b"?"
        except OSError as e:
            self.error = e.errno
        return None

    def is_known(self, drops):
        return self.is_answered if self.allowed else self.key in drops

    def complaint(self, drops):
        dropped = self.key in drops
        if self.is_answered == self.allowed and dropped != self.allowed:
            return None
        return (f"{self.source} -> {self.destination} {self.port}/{self.protocol} {self.family}: the oracle {'allows' if self.allowed else 'denies'} it, "
                f"{'answered' if self.is_answered else 'no answer'}, {'a' if dropped else 'no'} drop event{f', {os.strerror(self.error)}' if self.error else ''}: {self.key}")


def address_of(endpoint, family):
    return next(e["addresses"][family == "IPv6"] for e in WORLD["endpoints"] if e["name"] == endpoint)


class Wire:
    """All sockets, of servers and of the table at hand."""

    def __init__(self):
        self.namespaces, self.selector, self.drops, self.servers = Namespaces(), selectors.DefaultSelector(), Drops(), []
        self.selector.register(self.drops, selectors.EVENT_READ, self.drops.read)
        for e in WORLD["endpoints"]:
            self.namespaces.enter(netns(e["name"]))
            for port in PORTS:
                self.serve(port)

    def serve(self, port):
        for kind in KIND.values():
            s = socket.socket(socket.AF_INET6, kind | socket.SOCK_NONBLOCK)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            s.bind(("::", port))
            if kind == socket.SOCK_STREAM:
                s.listen(1024)
            self.servers.append(s)
            self.selector.register(s, selectors.EVENT_READ, (lambda s=s: s.accept()[0].close()) if kind == socket.SOCK_STREAM else (lambda s=s: s.sendto(*s.recvfrom(16))))

    def wait(self, seconds):
        for key, _ in self.selector.select(seconds):
            try:
                if key.data() is DONE:
                    self.selector.unregister(key.fileobj)
            except (BlockingIOError, ConnectionError):
                pass

    def settle(self):
        end = time.monotonic() + SETTLE_S
        while (left := end - time.monotonic()) > 0:
            self.wait(left)

    def open(self, cells):
        for endpoint in dict.fromkeys(c.source for c in cells):
            self.namespaces.enter(netns(endpoint))
            for c in cells:
                if c.source == endpoint:
                    c.open()
                    self.selector.register(c.socket, selectors.EVENT_WRITE if c.protocol == "TCP" else selectors.EVENT_READ, c.event)

    def close(self, cells):
        for c in cells:
            if c.socket.fileno() in self.selector.get_map():
                self.selector.unregister(c.socket)
            c.socket.close()

    def ask(self, cells, patience):
        """What is not as the oracle says."""
        self.drops.keys.clear()
        self.open(cells)
        start = asked = time.monotonic()
        while (now := time.monotonic()) < start + patience and not all(c.is_known(self.drops.keys) for c in cells):
            self.wait(0.02)
            if now > asked + AGAIN_S:
                asked = now
                for c in cells:
                    c.ask()
        self.settle()
        wrong = [w for c in cells if (w := c.complaint(self.drops.keys))]
        known = {c.key for c in cells}
        wrong += [f"dropped, and nobody sent it to be judged: {k}" for k in sorted(self.drops.keys - known) if k[2] in PORTS or k[4] in PORTS]
        self.close(cells)
        self.settle()
        return wrong


def cells_of(s):
    """The table's cells, in no order of sources: a server is asked by all at the same time."""
    ports = [c for c in s["matrix"]["ports"] if c.split("/")[1] in KIND]
    ends = [e["name"] for e in s["endpoints"]]
    for family, columns in scenario.matrix(s, ports).items():
        for column, rows in columns.items():
            for i, row in enumerate(rows):
                for k, letter in enumerate(row):
                    yield Cell(family, column.split("/")[1], int(column.split("/")[0]), ends[i], ends[k], letter)


def without_nodes(endpoints):
    return [{k: v for k, v in e.items() if k != "node"} for e in endpoints]


def why_not(s):
    """Why these endpoints on one node cannot show the table."""
    one = {**s, "endpoints": [{**e, "node": "n1"} for e in s["endpoints"]]}
    if without_nodes(s["endpoints"]) != without_nodes(WORLD["endpoints"]):
        return "other endpoints"
    if s.get("cluster", "default") != "default":
        return "another name of the cluster"
    if scenario.matrix(one, s["matrix"]["ports"]) != scenario.matrix(s, s["matrix"]["ports"]):
        return "what it says depends on nodes"
    return None


def is_shadow(policy):
    return policy["metadata"].get("annotations", {}).get("policy.kilim.io/mode") == "shadow"


def manifests(s):
    """A table's files. All that it enforces is one change; what is in shadow mode may have a namesake, and so a file of its own."""
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": n} for n in s["namespaces"]]
    shadow = [p for p in s["policies"] if is_shadow(p)]
    files = {"table.json": spaces + [p for p in s["policies"] if not is_shadow(p)], **({"other.json": shadow} if shadow else {})}
    return {name: "\n---\n".join(json.dumps(o) for o in found) for name, found in files.items()}


def draw(words):
    seed = words[0] if words else os.environ.get("KILIM_TEST_SEED", str(int(time.time())))
    cases = [(name, moved(s)) for name, s in tables.cases()]
    if len(words) > 1:
        cases = [(n, s) for n, s in cases if words[1] in n]
    elif not os.environ.get("KILIM_LONG"):
        cases = random.Random(seed).sample(cases, round(len(cases) * SAMPLE))
    print(f"# seed {seed}, {len(cases)} tables")
    return cases


def try_table(t, agent, wire, name, s):
    cells = list(cells_of(s))
    try:
        agent.put(manifests(s))
    except (OSError, ValueError) as e:
        t.result(name, [e])
        return 0
    wrong = wire.ask(cells, ANSWER_S)
    t.result(f"{name}: {sum(c.allowed for c in cells)} cells allowed, {sum(not c.allowed for c in cells)} denied", wrong[:WRONG_SHOWN] + [f"{len(wrong)} are wrong"] * bool(wrong))
    return len(cells)


def try_fault(t, agent, wire):
    """With one answer of the oracle turned into its opposite, both ways."""
    policies = [objects.np("deny", "x", {}, policyTypes=["Ingress"])]
    s = {**WORLD, "policies": policies, "matrix": {"ports": ["80/TCP", "80/UDP"]}}
    agent.put(manifests(s))
    for protocol in KIND:
        for destination, what in (("y/a", "denied"), ("x/a", "allowed")):
            cells = [c for c in cells_of(s) if c.source == "y/b" and c.destination == destination and c.protocol == protocol]
            for c in cells:
                c.allowed = not c.allowed
            wrong = wire.ask(cells, 0.3)
            t.result(f"{protocol} that should be {what} and is not is noticed", [] if len(wrong) == len(cells) == 2 else [f"{len(cells)} cells, noticed: {wrong}"])


def run(words):
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    t, agent, wire, asked = tap.Tap(), Agent(), Wire(), 0
    try_fault(t, agent, wire)
    for name, s in draw(words):
        if reason := why_not(s):
            t.skip(name, reason)
            continue
        asked += try_table(t, agent, wire, name, s)
    t.result(f"{asked} cells", ["none"] if not asked else [])
    t.result("no drop event was lost", [f"{wire.drops.lost} times"] * bool(wire.drops.lost))
    t.skip("the columns of SCTP", "its sockets are no part of this kernel")
    wire.drops.process.kill()
    wire.drops.process.wait()
    t.finish()


def options(endpoint):
    e = next(e for e in WORLD["endpoints"] if e["name"] == endpoint)
    namespace, name = endpoint.split("/")
    print("\n".join([f"--namespace={namespace}", f"--name={name}", *(f"--address={a}" for a in e["addresses"]), *(f"--label={k}={v}" for k, v in e["labels"].items()),
                     *(f"--port={k}={v}" for k, v in e["ports"].items())]))


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(sys.argv[2:])
    elif sys.argv[1] == "options":
        options(sys.argv[2])
    else:
        print(manifests({**WORLD, "policies": []})["table.json"])
