#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# Two agents on one machine, each with its directories, pins and policies, do not see each other; their nodes are joined by a link and routes.
#
#   a1 (app=web)  b1          a2 (app=web)  b2
#    |            |            |            |
#   [ node n1 10.201.0.0/24 ]=[ node n2 10.202.0.0/24 ]
. "$(dirname "$0")/lib.sh"

node_start n1 --ipv4-range=10.201.0.0/24 --ipv6-range=fd00:201::/120
node_start n2 --ipv4-range=10.202.0.0/24 --ipv6-range=fd00:202::/120
ip -n n1 link add to2 type veth peer name to1 netns n2
ip -n n1 address add 192.0.5.1/24 dev to2
ip -n n1 address add 2001:db8:5::1/64 dev to2 nodad
ip -n n2 address add 192.0.5.2/24 dev to1
ip -n n2 address add 2001:db8:5::2/64 dev to1 nodad
ip -n n1 link set to2 up
ip -n n2 link set to1 up
ip -n n1 route add 10.202.0.0/24 via 192.0.5.2
ip -n n1 -6 route add fd00:202::/120 via 2001:db8:5::2
ip -n n2 route add 10.201.0.0/24 via 192.0.5.1
ip -n n2 -6 route add fd00:201::/120 via 2001:db8:5::1
retry 3 at n1 ping -nq -c 1 -W 0.2 2001:db8:5::2 # a link that came up is told to IPv6 with a delay
workload n1 a1 app=web
workload n1 b1 app=client
workload n2 a2 app=web
workload n2 b2 app=client
web a1
web a2

check "each node's addresses come from its own pool" [ "${IP4[a1]%.*} ${IP4[a2]%.*}" = "10.201.0 10.202.0" ]
check "node 1: endpoint to endpoint" reaches b1 a1
check "node 2: endpoint to endpoint" reaches b2 a2
check "across the nodes" reaches b1 a2
check "across the nodes, the other way" reaches b2 a1
is "node 1 sees its endpoints only" "$(k n1 endpoint list -o json | jq -c 'map(.name) | sort')" '["a1","b1"]'
is "node 2 sees its endpoints only" "$(k n2 endpoint list -o json | jq -c 'map(.name) | sort')" '["a2","b2"]'
is "node names" "$(api n1 /v1/status | jq -r .node) $(api n2 /v1/status | jq -r .node)" "n1 n2"

policy n1 web.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: client}}]
END
check "a policy of node 1 holds on node 1" reaches b1 a1
check "and denies the other node, which is world" blocked b2 a1
check "and does not touch node 2" reaches b1 a2

node_stop n1 KILL
check "node 1 has no agent: its policy stays" blocked b2 a1
check "its traffic goes on" reaches b1 a1
check "node 2 goes on" reaches b2 a2
agent_start n1
check "node 1 comes back" node_wait n1
node_stop n1
node_settings n1
check "uninstall node 1" at n1 "$KILIMD" "${SETTINGS[@]}" --uninstall
check "node 2 goes on after the uninstall of node 1" reaches b2 a2
node_settings n2
check_not "a second agent on the same directories is refused" at n2 timeout 5 "$KILIMD" "${SETTINGS[@]}"
check "and the first is still there" k n2 status
done_testing
