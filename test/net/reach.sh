#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# What endpoints go by in policies beyond their labels: addresses inside an ipBlock, labels of their namespace, names of their ports, other nodes.
#
#   web (nginx 80, 8080)   one, two (the same labels, other addresses)   world (192.0.2.2)
#      |                        |                                           |
#   [ node n1, 192.0.9.1                                                          ]
. "$(dirname "$0")/lib.sh"

node_start n1
host_address n1
outside n1 world
workload n1 one app=client
workload n1 two app=client
netns_add web
out=$(k n1 endpoint add --netns /run/netns/web --name web --label app=web --port front=80/TCP --port back=8080 -o json) || die "web cannot be added: $out"
IP4[web]=$(jq -r .addresses.ipv4 <<<"$out")
IP6[web]=$(jq -r .addresses.ipv6 <<<"$out")
is "it has the names of its ports" "$(jq -c .ports <<<"$out")" '["back=8080/TCP","front=80/TCP"]'
retry 5 endpoint_ready n1 web || die "web is not ready"
web web 80 8080

identity() { k n1 endpoint get "$1" -o json | jq .identity; }
is "one and two have one identity" "$(identity one)" "$(identity two)"

np() { # np NAME RULES
	policy n1 "$1.yaml" <<END
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: $1, namespace: default}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: $2
END
}

np block "[{from: [{ipBlock: {cidr: ${IP4[one]}/32}}]}]"
check "one is inside the block" get one "${IP4[web]}"
check "two has its labels, and is not" blocked two web
check_not "IPv6 is not inside" get one "${IP6[web]}"
np block "[{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [${IP4[one]}/32]}}]}]"
check "now one is the exception" blocked one web
check "two is inside" get two "${IP4[web]}"
check "the world is inside" get world "${IP4[web]}"
is "still one identity" "$(identity one)" "$(identity two)"

node_stop n1 KILL
check "no agent: one" blocked one web
check "no agent: two" get two "${IP4[web]}"
agent_start n1
node_wait n1
check "after a restart: one" blocked one web
check "after a restart: two" get two "${IP4[web]}"
policy_remove n1 block.yaml
check "without the policy" reaches one web

np ports "[{ports: [{port: front}]}]"
check "a port by its name" reaches one web 80
check "another port" blocked one web 8080
np ports "[{ports: [{port: back}]}]"
check "another name" reaches one web 8080
check "not that one" blocked one web 80
np ports "[{ports: [{port: nobody}]}]"
check "a name that it has not" blocked one web 80
policy_remove n1 ports.yaml

policy n1 team.yaml <<'END'
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {team: red}}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: team}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: red}}]}]
END
check "the label of the namespace" reaches one web
holds "is a label of its endpoints" "$(k n1 endpoint get one -o json)" '.labels | index("k8s:io.cilium.k8s.namespace.labels.team=red") != null'
policy n1 team.yaml <<'END'
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {team: blue}}
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: team}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: red}}]}]
END
check "the namespace has another one" blocked one web
policy_remove n1 team.yaml
check "without the policy" reaches one web

policy n1 node.yaml <<'END'
apiVersion: v1
kind: Node
metadata: {name: n7, labels: {zone: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: node}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromNodes: [{matchLabels: {zone: a}}]}]
END
check "another node by its label" get world "${IP4[web]}"
check "nobody else" blocked one web
done_testing
