# SPDX-License-Identifier: Apache-2.0
"""Namespaces, agents and calls for the benchmarks.

The benchmark runs itself again in namespaces of its own for mounts, processes and the network (enter()), so that nothing of the machine's network is touched and
nothing stays behind: /run is a tmpfs there, and everything else dies with the first process.
"""
import ctypes
import http.client
import json
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("KILIM_BUILD") or os.environ.get("BUILD") or os.path.join(ROOT, "build")
T = "/run/kilim-bench"
CORE = "1" if os.cpu_count() > 1 else "0"


def enter():
    if os.geteuid() != 0:
        sys.exit("bench: namespaces need root")
    if os.environ.get("KILIM_BENCH_INSIDE") != "1":
        os.environ["KILIM_BENCH_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
                              "--", sys.executable] + sys.argv)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    run("mount", "-t", "tmpfs", "-o", "mode=755", "kilim-bench", "/run")
    os.makedirs("/run/netns")
    os.makedirs(T)
    run("mount", "--make-private", "/run")
    os.makedirs(T + "/cgroup")
    run("mount", "-t", "cgroup2", "cgroup2", T + "/cgroup")


def run(*command, ns=None, **kw):
    """The command's output; a failure ends the benchmark."""
    if ns:
        command = ("nsenter", "--net=/run/netns/" + ns) + command
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
    if done.returncode:
        raise RuntimeError("%s: %d %s%s" % (" ".join(command), done.returncode, done.stdout[-500:], done.stderr[-500:]))
    return done.stdout


def run_json(*command, ns=None):
    return json.loads(run(*command, ns=ns).strip().splitlines()[-1])


def spawn(*command, ns=None, core=None, log=None):
    if ns:
        command = ("nsenter", "--net=/run/netns/" + ns) + command
    if core is not None:
        command = ("taskset", "-c", core) + command
    out = open(log, "a") if log else subprocess.DEVNULL
    return subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)


def tool(name):
    return os.path.join(BUILD, "test/tool", name)


def netns(name):
    run("ip", "netns", "add", name)
    run("ip", "link", "set", "lo", "up", ns=name)
    for congestion in ("cubic", "reno"):  # the same everywhere; bbr, the default on some machines, would pace
        try:
            run("sysctl", "-qw", "net.ipv4.tcp_congestion_control=" + congestion, ns=name)
            break
        except RuntimeError:
            pass  # not allowed in namespaces: the next
    return name


def wait_port(ns, port):
    end = time.monotonic() + 5
    while not run("ss", "-Hltn", "sport = :%d" % port, ns=ns).strip():
        if time.monotonic() > end:
            raise RuntimeError("nothing listens on port %d in %s" % (port, ns))
        time.sleep(0.02)


class Path:
    """A client namespace, a server namespace, and what is between them."""

    def __init__(self, name, client, server, address):
        self.name, self.client, self.server, self.address = name, client, server, address
        spawn(tool("rr"), "server", "--port", "7000", ns=server, core=CORE)
        spawn("iperf3", "-s", ns=server)
        wait_port(server, 7000)
        wait_port(server, 5201)

    def rr(self, mode, seconds=1):
        return run_json("taskset", "-c", CORE, tool("rr"), mode, "--address", self.address, "--port", "7000", "--seconds", str(seconds), ns=self.client)

    def pps(self, seconds=1):
        return run_json("taskset", "-c", CORE, tool("pps"), "pair", "--address", self.address, "--port", "7001", "--size", "64", "--seconds", str(seconds),
                        "--from", "/run/netns/" + self.client, "--to", "/run/netns/" + self.server)

    def stream(self, streams, seconds=2):
        out = json.loads(run("iperf3", "-J", "-c", self.address, "-P", str(streams), "-t", str(seconds), "-O", "0.5", ns=self.client))
        return out["end"]["sum_received"]["bits_per_second"] / 1e9


def path_veth():
    """One bare veth pair."""
    a, b = netns("va"), netns("vb")
    run("ip", "link", "add", "eth0", "netns", a, "type", "veth", "peer", "name", "eth0", "netns", b)
    for n, ns in ((1, a), (2, b)):
        run("ip", "address", "add", "10.9.0.%d/24" % n, "dev", "eth0", ns=ns)
        run("ip", "link", "set", "eth0", "up", ns=ns)
    return Path("veth", a, b, "10.9.0.2")


NFT = """
table inet filter {
  set clients { type ipv4_addr; elements = { 10.8.1.2 } }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    ip saddr @clients ip daddr 10.8.2.2 tcp dport { 7000-7100, 5201 } accept
    ip saddr @clients ip daddr 10.8.2.2 udp dport { 7000-7100, 5201 } accept
  }
}
"""


def path_nft():
    """Two veth pairs, routed by a third namespace whose nftables say what kilim's policy says, with conntrack."""
    a, r, b = netns("na"), netns("nr"), netns("nb")
    for n, ns in ((1, a), (2, b)):
        run("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", "port%d" % n, "netns", r)
        run("ip", "address", "add", "10.8.%d.2/24" % n, "dev", "eth0", ns=ns)
        run("ip", "link", "set", "eth0", "up", ns=ns)
        run("ip", "address", "add", "10.8.%d.1/24" % n, "dev", "port%d" % n, ns=r)
        run("ip", "link", "set", "port%d" % n, "up", ns=r)
        run("ip", "route", "add", "default", "via", "10.8.%d.1" % n, ns=ns)
    run("sysctl", "-qw", "net.ipv4.ip_forward=1", ns=r)
    run("nft", "-f", "-", ns=r, input=NFT)
    return Path("nft", a, b, "10.8.2.2")


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("kilim", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Node:
    """A kilimd in a namespace of its own."""

    def __init__(self, name, *settings):
        self.name, self.dir, self.settings = name, os.path.join(T, name), settings
        netns(name)
        for d in ("run", "state", "manifests", "bpf"):
            os.makedirs(os.path.join(self.dir, d))
        self.cgroup = T + "/cgroup/kilim-bench-" + name
        os.makedirs(self.cgroup, exist_ok=True)
        open(self.dir + "/kilim.yaml", "w").close()
        self.mount()
        self.process = None

    def mount(self):
        run("mount", "-t", "bpf", "bpf", self.dir + "/bpf")

    def forget(self):
        """As after a reboot: nothing is pinned any more."""
        run("umount", self.dir + "/bpf")
        self.mount()

    def start(self):
        """Seconds from start to ready."""
        begin = time.monotonic()
        d = self.dir
        self.process = spawn(os.path.join(BUILD, "kilimd"), "--config=%s/kilim.yaml" % d, "--run-dir=%s/run" % d, "--state-dir=%s/state" % d,
                             "--manifest-dir=%s/manifests" % d, "--bpf-root=%s/bpf" % d, "--cgroup-root=" + self.cgroup, "--node-name=" + self.name,
                             *self.settings, ns=self.name, log=d + "/log")
        while not self.healthy():
            if self.process.poll() is not None or time.monotonic() > begin + 20:
                raise RuntimeError("node %s is not ready: %s" % (self.name, open(d + "/log").read()[-1000:]))
            time.sleep(0.001)
        return time.monotonic() - begin

    def stop(self):
        self.process.kill()
        self.process.wait()

    def call(self, method, path, body=None):
        c = Unix(self.dir + "/run/kilim.sock")
        c.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"} if body is not None else {})
        r = c.getresponse()
        text = r.read()
        c.close()
        if r.status >= 400:
            raise RuntimeError("%s %s: %d %s" % (method, path, r.status, text.decode()))
        return json.loads(text) if text else None

    def healthy(self):
        try:
            self.call("GET", "/v1/healthz")
            return True
        except (OSError, RuntimeError, http.client.HTTPException):
            return False

    def status(self):
        return self.call("GET", "/v1/status")

    def wait_revision(self, above, seconds=5):
        end = time.monotonic() + seconds
        while self.status()["policy"]["revision"] <= above:
            if time.monotonic() > end:
                raise RuntimeError("policy is not in force: %s" % self.status())
            time.sleep(0.005)

    def policy(self, file, text):
        before = self.status()["policy"]["revision"]
        self.policy_write(file, text)
        self.wait_revision(before)

    def policy_write(self, file, text):
        """The moment of the rename."""
        hidden = os.path.join(self.dir, "manifests", "." + file)
        with open(hidden, "w") as f:
            f.write(text)
        at = time.monotonic()
        os.rename(hidden, os.path.join(self.dir, "manifests", file))
        return at

    def endpoint(self, name, **labels):
        """Its first address."""
        netns(name)
        e = self.call("POST", "/v1/endpoint", {"netns": "/run/netns/" + name, "name": name, "namespace": "default", "source": "cli",
                                               "labels": ["k8s:%s=%s" % kv for kv in labels.items()]})
        return e["addresses"]["ipv4"]

    def wait_ready(self, count, seconds=10):
        end = time.monotonic() + seconds
        while self.status()["endpoints"]["ready"] < count:
            if time.monotonic() > end:
                raise RuntimeError("endpoints are not ready: %s" % self.status()["endpoints"])
            time.sleep(0.01)

    def resident_kib(self):
        pid = self.agent_pid()
        with open("/proc/%d/status" % pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def agent_pid(self):
        return self.status()["pid"]


POLICY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: server, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: server}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: client}}]
    toPorts:
    - ports:
      - {port: "7000", endPort: 7100, protocol: TCP}
      - {port: "7000", endPort: 7100, protocol: UDP}
      - {port: "5201", protocol: TCP}
"""


def path_kilim():
    """Two endpoints of one node, under a policy."""
    node = Node("node")
    node.start()
    node.endpoint("ka", app="client")
    address = node.endpoint("kb", app="server")
    node.policy("server.yaml", POLICY)
    node.wait_ready(2)
    path = Path("kilim", "ka", "kb", address)
    path.node = node
    return path


class State:
    """The pinned map state, read by bpf(2): the revision in force without a question to the agent."""

    NUMBERS = {"x86_64": 321, "aarch64": 280}

    def __init__(self, path):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.number = self.NUMBERS[platform.machine()]
        name = ctypes.create_string_buffer(path.encode())
        self.fd = self.bpf(7, struct.pack("QII", ctypes.addressof(name), 0, 0))  # BPF_OBJ_GET
        self.key, self.value = ctypes.c_uint32(0), ctypes.create_string_buffer(64)
        self.lookup = struct.pack("IIQQQ", self.fd, 0, ctypes.addressof(self.key), ctypes.addressof(self.value), 0)

    def bpf(self, command, attr):
        r = self.libc.syscall(self.number, command, attr, len(attr))
        if r < 0:
            raise OSError(ctypes.get_errno(), "bpf(%d)" % command)
        return r

    def revision(self):
        self.bpf(1, self.lookup)  # BPF_MAP_LOOKUP_ELEM
        return struct.unpack_from("Q", self.value.raw)[0] >> 32

    def close(self):
        os.close(self.fd)


def cleanup():
    for d in os.listdir(T + "/cgroup"):
        if d.startswith("kilim-bench-"):
            try:
                os.rmdir(os.path.join(T, "cgroup", d))
            except OSError:
                pass


def need(program):
    if not shutil.which(program):
        sys.exit("bench: %s is missing" % program)
