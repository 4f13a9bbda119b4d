#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
#
# The agent is killed again and again while containers come and go: afterwards addresses, state files, devices and rows agree, and
# nothing is left when all containers are gone. KILLS sets how many (20).
#
#   c0 ... c29 (network namespaces)
#   [ node n1: kilimd + kilim-cni ]
. "$(dirname "$0")/lib.sh"
KILLS=${KILLS:-$(how_many 20 300)}
CONTAINERS=30

node_start n1
for ((i = 0; i < CONTAINERS; i++)); do netns_add "c$i"; done
cat >"$T/net.conf" <<END
{"cniVersion": "1.1.0", "name": "kilim", "type": "kilim-cni", "run-dir": "$T/n1/run"}
END
plugin() { # COMMAND NUMBER
	CNI_COMMAND=$1 CNI_CONTAINERID=c$2 CNI_NETNS=/run/netns/c$2 CNI_IFNAME=eth0 "$CNI" <"$T/net.conf"
}
churn() {
	trap - EXIT
	while :; do
		# more often ADD: while no agent is there only DEL succeeds
		if ((RANDOM % 3)); then plugin ADD $((RANDOM % CONTAINERS)); else plugin DEL $((RANDOM % CONTAINERS)); fi
	done >/dev/null 2>&1
}
churn &
one=$!
churn &
two=$!
PIDS+=("$one" "$two")

for ((k = 0; k < KILLS; k++)); do
	sleep "0.$((RANDOM % 40 + 10))"
	node_stop n1 KILL
	agent_start n1
	((k % 2)) || node_wait n1 || die "the agent does not come back"
done
kill "$one" "$two"
wait "$one" "$two" 2>/dev/null
node_wait n1 || die "the agent does not come back"

rows() { bpftool map dump pinned "$T/n1/bpf/kilim/map/$1" -j | jq length; }
# What there is of endpoints: listed, in files, as devices, as rows, as addresses of each family
census() {
	local n
	n=$(api n1 /v1/endpoint | jq length)
	echo "$n $(find "$T/n1/state/endpoint" -name '*.json' | wc -l) $(ip -n n1 -br link | grep -c '^kilim[0-9]') $(rows endpoint) $(
		api n1 /v1/status | jq -r '.ipam | map(.used) | join(" ")')"
}
agrees() { # that many of each, or of whatever number it is
	local -a all
	local n
	read -ra all <<<"$(census)"
	for n in "${all[@]}"; do [ "$n" = "${1:-${all[0]}}" ] || return 1; done
}
check "after $KILLS kills all agree" retry 5 agrees
diag "listed, files, devices, rows, addresses: $(census)"
is "all that are there are ready" "$(api n1 /v1/endpoint | jq '[.[] | select(.state != "ready")] | length')" 0
is "nothing is wrong" "$(api n1 /v1/status | jq -c .problems)" '[]'
gone=0
for ((i = 0; i < CONTAINERS; i++)); do plugin DEL "$i" >/dev/null && gone=$((gone + 1)); done
is "every container can be deleted" $gone $CONTAINERS
check "and nothing is left" retry 5 agrees 0
added=0
for ((i = 0; i < CONTAINERS; i++)); do plugin ADD "$i" >/dev/null && added=$((added + 1)); done
is "every container can be added again" $added $CONTAINERS
check "and all agree" retry 5 agrees $CONTAINERS
done_testing
