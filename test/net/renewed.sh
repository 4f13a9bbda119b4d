#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# Endpoints come, go and come again, with named ports, while what the sources say is refused: what is in force knows each of them.
#
#   client (app=client)   web...   world (192.0.2.2)
#      |                   |          |
#   [ node n1                          ]
. "$(dirname "$0")/lib.sh"

cat >"$T/invariants.yaml" <<'END'
- name: api-stays-inside
  never: {from: {labels: {app: api}}, to: world}
END
node_start n1 "--policy-invariants=$T/invariants.yaml"
workload n1 client app=client

state() { k n1 endpoint get "$1" -o json | jq -r .state; }
# add NAME LABEL [PORT]...
add() {
	local name=$1 label=$2 ports=() p out
	shift 2
	for p in "$@"; do ports+=(--port "$p"); done
	[ -e "/run/netns/$name" ] || netns_add "$name"
	out=$(k n1 endpoint add --netns "/run/netns/$name" --name "$name" --label "$label" "${ports[@]}" -o json 2>&1) || die "$name cannot be added: $out"
	IP4[$name]=$(jq -r .addresses.ipv4 <<<"$out")
	IP6[$name]=$(jq -r .addresses.ipv6 <<<"$out")
}
delete() { k n1 endpoint delete "$1" >/dev/null || die "$1 cannot be deleted"; }

policy n1 deny.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: deny, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: client}}
  enableDefaultDeny: {egress: false}
  egress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]
  egressDeny: [{toEndpoints: [{matchLabels: {app: bad}}]}]
END
add first app=good web=80
web first 80 8080
check "who is not denied" reaches client first
cat >"$T/n1/manifests/.x" <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: default}
spec: {endpointSelector: {matchLabels: {app: api}}, egress: [{toEntities: [world]}]}
END
add api app=api
mv "$T/n1/manifests/.x" "$T/n1/manifests/api.yaml"
check "the other change is refused" retry 5 problem n1 api-stays-inside
add bad app=bad web=80
web bad 80
check "one with a name for its port is ready all the same" retry 3 endpoint_ready n1 bad
check "and denied" blocked client bad
delete bad
add other app=other
is "another one is ready" "$(state other)" ready
add bad app=bad web=80
check "the same one again is ready" retry 3 endpoint_ready n1 bad
check "and denied again" blocked client bad

add second app=bad web=8080
add third app=bad web=80
web third 80 8080
check "second is ready" retry 3 endpoint_ready n1 second
check "third is ready" retry 3 endpoint_ready n1 third
check "third is denied" blocked client third
delete bad
check "third is denied still" blocked client third
add fourth app=bad
check "fourth is ready" retry 3 endpoint_ready n1 fourth
check "third is denied, whoever comes" blocked client third

# Endpoints of one identity whose ports have one name: who stays keeps the meaning of his when the first one goes.
mv "$T/n1/manifests/api.yaml" "$T/api.yaml"
delete api
check "nothing is refused" retry 5 no_problem n1 policy:
policy n1 deny.yaml <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: default}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: web}]}]
END
add w1 app=web web=80
add w2 app=web web=8080
add w3 app=web web=80
web w2 80 8080
web w3 80 8080
ports() { # DESCRIPTION
	check "$1: w2 at its port" reaches client w2 8080
	check "$1: w2 at no other" blocked client w2 80
	check "$1: w3 at its port" reaches client w3 80
	check "$1: w3 at no other" blocked client w3 8080
}
ports "all three"
delete w1
add api app=api
cp "$T/api.yaml" "$T/n1/manifests/api.yaml"
check "a change is refused" retry 5 problem n1 policy:
add w4 app=web web=8080
check "w4 is ready" retry 3 endpoint_ready n1 w4
ports "without the first"
rm "$T/n1/manifests/api.yaml"
delete api
check "nothing is refused" retry 5 no_problem n1 policy:
node_stop n1 KILL
agent_start n1
node_wait n1
ports "after a restart"
delete w3
delete w2
add w5 app=web web=81
web w4 80 8080
web w5 80 81
check "the next of them at its port" reaches client w4 8080
check "and nowhere else" blocked client w4 80
check "a new one at its port" reaches client w5 81
check "and nowhere else" blocked client w5 80
done_testing
