#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# The agent is killed and started again, at any moment of its life: no packet of an allowed flow is lost, none of a denied one passes.
# 100 TCP connections and 2,000 datagrams a second each way, numbered; denied probes on old flows, on new flows and by TCP connect.
# KILLS sets how many (20).
#
#   client   server
#      |        |
#   [ node n1      ]
. "$(dirname "$0")/lib.sh"
KILLS=${KILLS:-$(how_many 20 1000)}

node_start n1
workload n1 client app=client
workload n1 server app=server
policy n1 both.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: server, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: server}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: client}}]
    toPorts:
    - ports:
      - {port: "7000", protocol: TCP}
      - {port: "7001", endPort: 7003, protocol: UDP}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: client, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: client}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: server}}]
    toPorts:
    - ports: [{port: "7004", protocol: UDP}]
END

common=(--a /run/netns/client --b /run/netns/server)
load_start v4 "${common[@]}" --a-address "${IP4[client]}" --b-address "${IP4[server]}" --tcp 7000,100,20 \
	--udp name=echo,port=7001,rate=2000,echo --udp name=forth,port=7002,rate=2000 --udp name=back,from=b,port=7004,rate=2000 \
	--udp name=fresh,port=7003,rate=50,fresh --udp name=denied,port=7998,rate=500 --udp name=denied-fresh,port=7999,rate=100,fresh --probe 7997,20
load_start v6 "${common[@]}" --a-address "${IP6[client]}" --b-address "${IP6[server]}" --tcp 7000,20,20 \
	--udp name=echo,port=7001,rate=500,echo --udp name=back,from=b,port=7004,rate=500 --udp name=denied,port=7998,rate=100 \
	--udp name=denied-fresh,port=7999,rate=50,fresh --probe 7997,10

sleep 4 # while nothing changes, the programs come in front of the filters

started=0
for ((i = 0; i < KILLS; i++)); do
	if ((i % 2)); then
		sleep "0.0$((RANDOM % 90 + 10))" # in the middle of its start
	else
		node_wait n1 10 && started=$((started + 1))
		sleep "0.$((RANDOM % 3))"
	fi
	node_stop n1 KILL
	((i % 5)) || sleep 0.5 # nobody is there for a while
	agent_start n1
done
check "the agent comes up after $KILLS kills" node_wait n1 10
is "and came up each time it was let" "$started" $(((KILLS + 1) / 2))
sleep 1
for family in v4 v6; do
	load_stop $family
	for flow in $(jq -r '.udp | keys[] | select(startswith("denied") | not)' <<<"$REPORT"); do
		holds "$family: UDP $flow: 0 lost" "$REPORT" ".udp.$flow | .sent > 0 and .there.lost == 0 and (.back.lost // 0) == 0"
		holds "$family: UDP $flow: 0 doubled or overtaken" "$REPORT" ".udp.$flow.there | .duplicated == 0 and .overtaken == 0"
	done
	for flow in denied denied-fresh; do
		holds "$family: UDP $flow: 0 passed" "$REPORT" ".udp[\"$flow\"] | .sent > 0 and .there.received == 0"
	done
	holds "$family: TCP: all connections live, all messages answered" "$REPORT" '.tcp | .broken == 0 and .unanswered == 0 and .disordered == 0 and .messages > 0'
	holds "$family: TCP: 0 lost segments" "$REPORT" '.tcp | .retransmits == .needless'
	holds "$family: TCP probes: 0 passed" "$REPORT" '.probe | .tried > 0 and .connected == 0 and .accepted == 0'
	diag "$family: $(jq -c '{tcp, sent: (.udp | map_values(.sent))}' <<<"$REPORT")"
done
holds "the agent adopted what was there" "$(k n1 status -o json)" '.adopted == true and .endpoints.ready == 2'
check "a new endpoint works" workload n1 late app=client
check "and is policed" eval '! get late "${IP4[server]}" 7999'
done_testing
