# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Harness of the namespace tests: nodes, workloads, policies, TAP. A test sources this file first and calls done_testing last.
#
# The test runs itself again in namespaces of its own for mounts, processes and the network: /run is a tmpfs there, network namespaces live in
# its /run/netns, the BPF file systems and everything pinned in them vanish with the last process, and the machine's own network is out of reach.
# When the test ends in whatever way, nothing stays behind. Programs are taken from KILIM_BUILD (default: build/ of the source tree).

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${KILIM_BUILD:-${BUILD:-$ROOT/build}}
KILIMD=${KILIMD:-$BUILD/kilimd}
KILIM=${KILIM:-$BUILD/kilim}
CNI=${CNI:-$BUILD/kilim-cni}
TOOL=$BUILD/test/tool

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP namespaces need root"
	exit 0
fi
if [ "${KILIM_TEST_INSIDE:-}" != 1 ]; then
	export KILIM_TEST_INSIDE=1
	exec unshare --mount --pid --net --fork --kill-child --mount-proc --propagation private -- "$BASH" "$0" "$@"
fi

# In a process namespace the shell is number 1, and a signal without a trap would be ignored.
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'test_end' EXIT

# how_many NORMAL LONG: in `make check` and in `make check-long`
how_many() {
	if [ "${KILIM_LONG:-}" = 1 ]; then echo "$2"; else echo "$1"; fi
}

set -u
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
T=/run/kilim-test # everything that a test writes
mount -t tmpfs -o mode=755 kilim-test /run
mkdir -p /run/netns "$T" /run/lock
mount --make-private /run
ip link set lo up

declare -A IP4 IP6  # workload, outside host or node to address
declare -A AGENT    # node to the agent's process
declare -A LOAD_PID # name to process, of load_start
PIDS=()             # processes to end
TESTS=0
FAILED=0

# --- TAP ---

diag() {
	printf '# %s\n' "${*//$'\n'/$'\n# '}" >&2
}

# ok DESCRIPTION / not_ok DESCRIPTION [DETAIL]
ok() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1"
}
not_ok() {
	TESTS=$((TESTS + 1))
	FAILED=$((FAILED + 1))
	echo "not ok $TESTS - $1"
	[ $# -lt 2 ] || diag "$2"
}
skip() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS # SKIP $1"
}
skip_all() {
	echo "1..0 # SKIP $1"
	TESTS=-1
	exit 0
}

# check DESCRIPTION COMMAND...: it succeeds; check_not: it fails.
check() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$what"; else not_ok "$what" "$* -> $? $out"; fi
}
check_not() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then not_ok "$what" "$* succeeded: $out"; else ok "$what"; fi
}
# is DESCRIPTION GOT WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'"; fi
}
# holds DESCRIPTION JSON EXPRESSION: the jq expression is true of the JSON
holds() {
	if jq -e "$3" >/dev/null 2>&1 <<<"$2"; then ok "$1"; else not_ok "$1" "not so: $3 of $(jq -c . <<<"$2" 2>&1 || echo "$2")"; fi
}
done_testing() {
	echo "1..$TESTS"
	[ "$FAILED" = 0 ]
	exit
}
# No check can be made any more.
die() {
	diag "$1"
	echo "Bail out! $1"
	FAILED=$((FAILED + 1))
	exit 1
}

# retry SECONDS COMMAND...: until it succeeds
retry() {
	local end=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt $end ] || return 1
		sleep 0.05
	done
}

test_end() {
	local status=$? pid node
	trap - EXIT INT TERM HUP
	if [ "$FAILED" != 0 ] || [ $status != 0 ]; then
		for node in "${!AGENT[@]}"; do
			diag "--- log of node $node"
			diag "$(tail -n "${LOG_LINES:-40}" "$T/$node/log")"
		done
	fi
	for pid in "${PIDS[@]}" "${AGENT[@]}"; do
		kill "$pid" 2>/dev/null
	done
	for pid in "${PIDS[@]}" "${AGENT[@]}"; do
		wait "$pid" 2>/dev/null
	done
	find "$T/cgroup" -mindepth 1 -depth -type d -name 'kilim-*' -exec rmdir {} + 2>/dev/null
	[ "$TESTS" = -1 ] && exit 0
	[ "$FAILED" = 0 ] || exit 1
	exit $status
}

# --- namespaces ---

# at NAME COMMAND...: in the network namespace of a node, a workload or an outside host
at() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}
# spawn NAME COMMAND...: in the background there; ended with the test
spawn() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@" >>"$T/spawn.log" 2>&1 &
	PIDS+=($!)
}
netns_add() {
	ip netns add "$1" || die "namespace $1 cannot be made"
	at "$1" ip link set lo up
	# Addresses are good at once: nobody else is there to have the same.
	at "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
}
netns_remove() {
	ip netns del "$1"
}
port_open() {
	at "$1" ss -Hltn "sport = :$2" | grep -q .
}
# wait_port NAME PORT
wait_port() {
	retry 5 port_open "$1" "$2" || die "nothing listens on port $2 in $1: $(tail -3 "$T/spawn.log")"
}

# --- nodes ---

# node_prepare NODE: namespace, directories and file systems of a node that has no agent yet
node_prepare() {
	local node=$1 dir=$T/$1
	netns_add "$node"
	mkdir -p "$dir"/{run,state,manifests,bpf} "$T/cgroup"
	mount -t bpf bpf "$dir/bpf" || die "no BPF file system"
	mountpoint -q "$T/cgroup" || mount -t cgroup2 cgroup2 "$T/cgroup" || die "no cgroup v2"
	mkdir -p "$T/cgroup/kilim-$node"
	: >"$dir/kilim.yaml"
}
# node_start NODE [--SETTING=VALUE]...: an agent in a namespace of its own. A second call starts it again on what is there.
node_start() {
	local node=$1 dir=$T/$1
	shift
	[ -e "/run/netns/$node" ] || node_prepare "$node"
	printf '%s\n' "$@" >"$dir/flags"
	agent_start "$node"
	node_wait "$node" || die "node $node is not ready: $(tail -5 "$dir/log")"
}
# The settings that make this instance its own.
node_settings() {
	local dir=$T/$1
	SETTINGS=(--config="$dir/kilim.yaml" --run-dir="$dir/run" --state-dir="$dir/state" --manifest-dir="$dir/manifests" --bpf-root="$dir/bpf"
		--cgroup-root="$T/cgroup/kilim-$1")
}
# agent_start NODE: does not wait
agent_start() {
	local node=$1 dir=$T/$1 flags=()
	mapfile -t flags < <(grep . "$dir/flags")
	node_settings "$node"
	nsenter --net="/run/netns/$node" "${AGENT_PROGRAM:-$KILIMD}" "${SETTINGS[@]}" --node-name="$node" "${flags[@]}" >>"$dir/log" 2>&1 &
	AGENT[$node]=$!
}
# The agent that is there now answers and is ready; much quicker than a program's own retry loop.
node_wait() {
	local end=$(($(date +%s%N) + ${2:-10} * 1000000000))
	until api "$1" /v1/healthz >/dev/null 2>&1; do
		kill -0 "${AGENT[$1]}" 2>/dev/null || return 1
		[ "$(date +%s%N)" -lt $end ] || return 1
		sleep 0.01
	done
}
node_stop() { # node_stop NODE [SIGNAL]
	kill -"${2:-TERM}" "${AGENT[$1]}"
	wait "${AGENT[$1]}" 2>/dev/null
}
# k NODE ARGUMENT...: the command line program, talking to this node's agent
k() {
	local node=$1
	shift
	KILIM_RUN_DIR=$T/$node/run "${KILIM_PROGRAM:-$KILIM}" "$@"
}
# api NODE PATH [CURL-OPTION]...: the agent's API
api() {
	local node=$1 path=$2
	shift 2
	curl -sSf --max-time 10 --unix-socket "$T/$node/run/kilim.sock" "$@" "http://kilim$path"
}

# --- workloads ---

# workload NODE NAME [LABEL=VALUE]...: a namespace that joins the node; sets IP4 and IP6
workload() {
	local node=$1 name=$2 labels=() l out
	shift 2
	for l in "$@"; do labels+=(--label "$l"); done
	netns_add "$name"
	out=$(k "$node" endpoint add --netns "/run/netns/$name" --name "$name" --namespace default "${labels[@]}" -o json 2>&1) ||
		die "endpoint $name cannot be added: $out"
	IP4[$name]=$(jq -r .addresses.ipv4 <<<"$out")
	IP6[$name]=$(jq -r .addresses.ipv6 <<<"$out")
	retry 5 endpoint_ready "$node" "$name" || die "endpoint $name is not ready: $(k "$node" endpoint get "$name" -o json 2>&1)"
}
endpoint_ready() {
	[ "$(k "$1" endpoint get "$2" -o json | jq -r .state)" = ready ]
}
# outside NODE NAME [N]: a host that the node reaches over a router's link: 192.0.N.2 and 2001:db8:N::2; N is 2
outside() {
	local node=$1 name=$2 n=${3:-2}
	netns_add "$name"
	ip -n "$node" link add "out$n" type veth peer name eth0 netns "$name"
	ip -n "$node" address add "192.0.$n.1/24" dev "out$n"
	ip -n "$node" address add "2001:db8:$n::1/64" dev "out$n" nodad
	ip -n "$node" link set "out$n" up
	ip -n "$name" address add "192.0.$n.2/24" dev eth0
	ip -n "$name" address add "2001:db8:$n::2/64" dev eth0 nodad
	ip -n "$name" link set eth0 up
	ip -n "$name" route add default via "192.0.$n.1"
	ip -n "$name" -6 route add default via "2001:db8:$n::1"
	IP4[$name]=192.0.$n.2
	IP6[$name]=2001:db8:$n::2
	# The kernel tells IPv6 of a link that came up with up to a second's delay.
	retry 3 at "$name" ping -nq -c 1 -W 0.2 "2001:db8:$n::1" || die "no link between $node and $name"
}
# host_address NODE: an address of the node itself for its workloads to reach: 192.0.9.1 and 2001:db8:9::1
host_address() {
	ip -n "$1" address add 192.0.9.1/32 dev lo
	ip -n "$1" address add 2001:db8:9::1/128 dev lo nodad
	IP4[$1]=192.0.9.1
	IP6[$1]=2001:db8:9::1
}
# web NAME [PORT]...: nginx in a namespace; / answers "hello from NAME"
web() {
	local name=$1 dir=$T/web-$1 port listen=
	shift
	mkdir -p "$dir/root"
	echo "hello from $name" >"$dir/root/index.html"
	head -c 8000000 /dev/zero >"$dir/root/big"
	for port in "${@:-80}"; do listen+="listen $port; listen [::]:$port; "; done
	cat >"$dir/nginx.conf" <<-END
		worker_processes 1; daemon off; pid $dir/pid; error_log $dir/error.log; user root;
		events { worker_connections 4096; }
		http { access_log off; client_body_temp_path $dir/a; proxy_temp_path $dir/b; fastcgi_temp_path $dir/c; uwsgi_temp_path $dir/d;
		  scgi_temp_path $dir/e; server { $listen root $dir/root; } }
	END
	spawn "$name" nginx -e "$dir/error.log" -c "$dir/nginx.conf"
	for port in "${@:-80}"; do wait_port "$name" "$port"; done
}
# get FROM ADDRESS [PORT]: an HTTP request; the answer on stdout
get() {
	local address=$2
	[[ $address != *:* ]] || address="[$address]"
	at "$1" curl -sSf --noproxy '*' --connect-timeout 1 --max-time 3 "http://$address:${3:-80}/"
}
# reaches FROM TO [PORT]: an HTTP request over IPv4 and one over IPv6 are both answered by TO
reaches() {
	get "$1" "${IP4[$2]}" "${3:-80}" | grep -q "hello from $2" && get "$1" "${IP6[$2]}" "${3:-80}" | grep -q "hello from $2"
}
# blocked FROM TO [PORT]: neither gets any answer; a refusal would be one
blocked() {
	local family4 family6
	get "$1" "${IP4[$2]}" "${3:-80}" &
	family4=$!
	get "$1" "${IP6[$2]}" "${3:-80}"
	family6=$?
	wait $family4
	family4=$?
	[ $family4 = 28 ] && [ $family6 = 28 ] # curl: timed out
}
pings() { # pings FROM TO [OPTION]...
	local from=$1 to=$2
	shift 2
	at "$from" ping -nq -c 2 -i 0.05 -W 1 "$@" "${IP4[$to]}" && at "$from" ping -nq -c 2 -i 0.05 -W 1 "$@" "${IP6[$to]}"
}

# --- policies ---

revision() {
	api "$1" /v1/status | jq .policy.revision
}
revision_passed() {
	[ "$(revision "$1")" -gt "$2" ]
}
# problem NODE TEXT: status names a problem that contains the text
problem() { api "$1" /v1/status | jq -r '.problems[]' | grep -qF "$2"; }
no_problem() { ! problem "$@"; }
# manifest_put NODE FILE <<YAML: put it into the manifest directory in one step
manifest_put() {
	cat >"$T/$1/manifests/.$2.tmp"
	mv "$T/$1/manifests/.$2.tmp" "$T/$1/manifests/$2"
}
# policy NODE FILE <<YAML: the same, and wait until it is in force
policy() {
	local before
	before=$(revision "$1")
	manifest_put "$1" "$2"
	retry 5 revision_passed "$1" "$before" || die "policy $2 is not in force on $1: $(api "$1" /v1/status | jq -c '.policy, .sources, .problems')"
}
policy_remove() {
	local before
	before=$(revision "$1")
	rm "$T/$1/manifests/$2"
	retry 5 revision_passed "$1" "$before" || die "policy $2 is still in force on $1"
}

# --- load ---

# load_start NAME SEQLOAD-OPTION...: seqload in the background; returns when its connections stand
load_start() {
	local name=$1
	shift
	"$TOOL/seqload" "$@" >"$T/load-$name" 2>"$T/load-$name.err" &
	LOAD_PID[$name]=$!
	PIDS+=($!)
	retry 10 grep -q ready "$T/load-$name" || die "load $name does not start: $(cat "$T/load-$name.err")"
}
# load_stop NAME: leaves its report, one JSON object, in REPORT
load_stop() {
	kill "${LOAD_PID[$1]}" 2>/dev/null
	wait "${LOAD_PID[$1]}" || die "load $1 ended badly: $(cat "$T/load-$1.err")"
	# shellcheck disable=SC2034
	REPORT=$(tail -n 1 "$T/load-$1")
}

for program in "$KILIMD" "$KILIM"; do
	[ -x "$program" ] || skip_all "$program is not built"
done
