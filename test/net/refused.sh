#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
#
# A change that has no room in the kernel's maps leaves no trace: not in what endpoints go by either.
#
#   one (app=client)   web (app=web, nginx)
#      |                  |
#   [ node n1              ]
. "$(dirname "$0")/lib.sh"

node_start n1 --bpf-policy-map-max=256
workload n1 one app=client
workload n1 web app=web
web web

# manifest COLOUR [MORE]
manifest() {
	cat <<-END
		apiVersion: v1
		kind: Namespace
		metadata: {name: default, labels: {team: $1}}
		---
		apiVersion: cilium.io/v2
		kind: CiliumClusterwideNetworkPolicy
		metadata: {name: team}
		spec:
		  endpointSelector: {matchLabels: {app: web}}
		  ingressDeny: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: red}}]}]
		  ingress:
		  - fromEntities: [all]
		  ${2:-}
	END
}
ports() { # so many that they do not fit
	printf -- '- toPorts: ['
	for ((i = 1; i < 600; i += 2)); do printf '{ports: [{port: "%d", protocol: TCP}]},' $i; done
	printf ']\n'
}
labels() { k n1 endpoint get one -o json | jq -c '.labels | map(select(contains("team")))'; }

manifest red | policy n1 team.yaml
check "denied by the label of the namespace" blocked one web
before=$(labels)
manifest blue "$(ports)" | sed 's/fromEntities: \[all\]/fromEntities: [host]/' | manifest_put n1 team.yaml
check "a change that does not fit" retry 5 problem n1 bpf-policy-map-max
diag "$(api n1 /v1/status | jq -c .problems)"
is "the endpoint has the labels that it had" "$(labels)" "$before"
check "it is denied still" blocked one web
manifest blue | policy n1 team.yaml
check "with what fits" reaches one web
done_testing
