#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# A flood of SYNs from random sources pushes nobody out: 1,000 established connections go on through SYNS (10^6) of them, half to a port where a server
# listens, half to one where none does; after it, flows are collected and new connections are made as before.
#
#   client   server           world (sends the flood)
#      |        |               |
#   [ node n1                     ]
. "$(dirname "$0")/lib.sh"
SYNS=${SYNS:-$(how_many 1000000 20000000)}

node_start n1 --bpf-ct-timeout-regular-tcp-syn=5s
outside n1 world
workload n1 client app=client
workload n1 server app=server
policy n1 server.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: server, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: server}}
  ingress:
  - fromEntities: [all]
    toPorts:
    - ports:
      - {port: "80", protocol: TCP}
      - {port: "81", protocol: TCP}
      - {port: "7000", endPort: 7003, protocol: TCP}
      - {port: "7000", endPort: 7003, protocol: UDP}
END
at server sysctl -qw net.ipv4.tcp_syncookies=1
web server

for from in client world; do
	load_start $from --a /run/netns/$from --b /run/netns/server --a-address "${IP4[$from]}" --b-address "${IP4[server]}" --tcp "7000,400,200"
	load_start ${from}6 --a /run/netns/$from --b /run/netns/server --a-address "${IP6[$from]}" --b-address "${IP6[server]}" --tcp "7001,100,200"
done
sleep 1
before=$(k n1 status -o json)
holds "1,000 connections stand" "$before" '.flows.answered >= 1000'

mac=$(ip -n n1 -j link show out2 | jq -r '.[0].address')
flood() { # ADDRESS SOURCE PORT COUNT SEED
	at world "$TOOL/flood" --device eth0 --mac "$mac" --destination "$1" --source "$2" --port "$3" --count "$4" --rate 150000 --seed "$5"
}
sent=0
for part in "${IP4[server]} 100.0.0.0 80 1" "${IP4[server]} 101.0.0.0 81 2" "${IP6[server]} 2001:db8:77:: 80 3" "${IP6[server]} 2001:db8:78:: 81 4"; do
	read -r address source port seed <<<"$part"
	sent=$((sent + $(flood "$address" "$source" "$port" $((SYNS / 4)) "$seed" | jq .sent)))
done
is "SYNs sent" "$sent" "$SYNS"
check "a new connection in the middle of it" get client "${IP4[server]}"
check "a new connection from the outside" get world "${IP4[server]}"
during=$(k n1 status -o json)
diag "$(jq -c .flows <<<"$during")"
holds "half-open flows stay in their table" "$during" '.flows.half_open <= .flows.half_open_max * 2 and .flows.answered < .flows.max'
sleep 1
for load in client client6 world world6; do
	load_stop $load
	holds "$load: all connections live, all messages answered" "$REPORT" '.tcp | .broken == 0 and .unanswered == 0 and .disordered == 0 and .messages > 0'
	diag "$load: $(jq -c .tcp <<<"$REPORT")"
done
collected() {
	k n1 status -o json | jq -e '.flows.half_open < 1000' >/dev/null
}
check "the half-open flows are collected" retry 30 collected
done_testing
