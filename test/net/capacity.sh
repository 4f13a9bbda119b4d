#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# A policy that does not fit is refused with the arithmetic; what was in force goes on, over a restart too, and new endpoints get it.
#
#   web   client   late
#    |      |        |
#   [ node n1, 256 rule entries ]
. "$(dirname "$0")/lib.sh"

node_start n1 --bpf-policy-map-max=256
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
    toPorts: [{ports: [{port: "80", protocol: TCP}]}]
END
check "the policy allows" reaches client web 80
check "and denies" blocked client web 8080

# big NAME: a policy of more rule entries than there are, which would also open port 8080
big() {
	cat <<-END
		apiVersion: cilium.io/v2
		kind: CiliumNetworkPolicy
		metadata: {name: $1, namespace: default}
		spec:
		  endpointSelector: {matchLabels: {app: web}}
		  ingress:
		  - toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
	END
	for ((i = 0; i < 300; i++)); do
		echo "  - fromCIDR: [172.16.$((i % 256)).0/24]"
		echo "    toPorts: [{ports: [{port: \"$((2001 + 2 * i))\", protocol: TCP}]}]"
	done
}
put() { # FILE [QUERY]: the answer of the API, and its status
	jq -Rs '{text: .}' <"$1" | curl -sS --max-time 10 --unix-socket "$T/n1/run/kilim.sock" -X PUT --data-binary @- -w ' %{http_code}' \
		"http://kilim/v1/policy/big.yaml${2:-}"
}
revision_before=$(revision n1)
big api >"$T/big.yaml"
check "the API refuses it with the arithmetic" grep -Eq '[0-9]+ rule entries.*256.*bpf-policy-map-max.* 413$' <<<"$(put "$T/big.yaml" | tr '\n' ' ')"
check "a dry run does too" grep -Eq '256.* 413$' <<<"$(put "$T/big.yaml" '?dry_run=1' | tr '\n' ' ')"
holds "diff foresees it" "$(k n1 policy diff -f "$T/big.yaml" -o json)" '.refused | test("rule entries.*256.*bpf-policy-map-max")'
holds "that leaves no trace" "$(api n1 /v1/status)" ".policy.revision == $revision_before and .policy.error == \"\" and .policy.policies == 1"

big file | manifest_put n1 big.yaml
refused() {
	api n1 /v1/status | jq -e '.policy.error | test("256")'
}
check "as a file it is a problem that status shows" retry 5 refused
holds "it is listed as refused" "$(api n1 /v1/policy)" 'map({(.name): .state}) | add == {"web": "enforced", "file": "refused"}'
check "the old policy goes on: allowed" reaches client web 80
check "denied" blocked client web 8080
workload n1 late app=late
check "an endpoint of a new identity becomes ready" endpoint_ready n1 late
check "and is policed by the old policy" blocked late web 80

node_stop n1 KILL
agent_start n1
check "the agent starts again with the file still there" node_wait n1
check "it is still a problem" refused
check "the old policy goes on: allowed" reaches client web 80
check "denied" blocked client web 8080
workload n1 later app=client
check "an endpoint that comes now gets the old policy" reaches later web 80

rm "$T/n1/manifests/big.yaml"
good() {
	api n1 /v1/status | jq -e '.policy.error == "" and .problems == []'
}
check "without the file all is good" retry 5 good
check "allowed" reaches client web 80
done_testing
