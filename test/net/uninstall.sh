#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# Stopping the agent leaves enforcement in place; kilim uninstall removes every trace: pins, filters, devices, routes, state.
#
#   web   client   (a link of the node's own: out2)
#    |      |
#   [ node n1 ]
. "$(dirname "$0")/lib.sh"

node_prepare n1
outside n1 world
snapshot() {
	ip -n n1 -br link | awk '{print $1}' | sort
	ip -n n1 -4 route show table all
	ip -n n1 -6 route show table all | grep -v "^anycast\|expires" # anycast comes with forwarding, which stays on
	ip -n n1 neigh show nud permanent
	for device in $(ip -n n1 -br link | awk '{sub("@.*", "", $1); print $1}'); do
		tc -n n1 filter show dev "$device" ingress
		tc -n n1 filter show dev "$device" egress
		tc -n n1 qdisc show dev "$device"
	done
	find "$T/n1/bpf" -mindepth 1
	find "$T/n1/state" "$T/n1/run" -mindepth 1 2>/dev/null # they may be gone themselves
}
before=$(snapshot)

node_start n1
workload n1 web app=web
workload n1 client app=client
web web 80 8080
policy n1 web.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: client}}]
    toPorts:
    - ports: [{port: "80", protocol: TCP}]
END
check "allowed" reaches client web 80
check "denied" blocked client web 8080
check "maps are pinned" test -e "$T/n1/bpf/kilim/map/flow4"

node_stop n1 TERM
check "agent stopped: allowed" reaches client web 80
check "agent stopped: still denied" blocked client web 8080
check "agent stopped: still denied from outside" blocked world web 8080

check "uninstall" at n1 "$KILIM" uninstall "${SETTINGS[@]}"
is "no trace is left" "$(snapshot)" "$before"
check "uninstall again is fine" at n1 "$KILIM" uninstall "${SETTINGS[@]}"
node_start n1
holds "a new start begins with nothing" "$(k n1 status -o json)" '.adopted == false and .endpoints.total == 0'
done_testing
