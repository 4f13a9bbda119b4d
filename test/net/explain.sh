#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# kilim policy explain against a running agent says what real packets meet, by every way to name an end, and what a recorded flow met.
#
#   web (app=web)   client (role=client)   other (role=other)   world (192.0.2.2)
#      |               |                      |                    |
#   [ node n1, 192.0.9.1                                             ]
. "$(dirname "$0")/lib.sh"

node_start n1
host_address n1
outside n1 world
workload n1 web app=web
workload n1 client role=client
workload n1 other role=other
web web 80 8080
policy n1 web.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints:
    - matchLabels: {role: client}
    toPorts:
    - ports: [{port: "80", protocol: TCP}]
  - fromCIDR: [198.51.100.0/24]
  ingressDeny:
  - fromCIDR: [198.51.100.9/32]
END

explain() { # OPTION...: a JSON list
	k n1 policy explain -o json "$@"
}
verdict() { # FROM TO PORT: allow or deny, when it is the same for all families
	explain --from "$1" --to "$2" --port "$3" | jq -r '[.[].verdict] | unique | join(",")'
}
for who in client other; do
	for port in 80 8080; do
		if get "$who" "${IP4[web]}" "$port"; then real=allow; else real=deny; fi
		is "$who to port $port: $real, as a real packet" "$(verdict "$who" web "$port")" "$real"
	done
done
is "the node reaches its endpoints" "$(verdict host web 8080)" allow
is "the node by its address" "$(verdict 192.0.9.1 web 8080)" allow
is "an address outside" "$(verdict 192.0.2.2 web 80)" deny
is "an address that a rule names" "$(verdict 198.51.100.7 web 80)" allow
is "an address that a deny rule names" "$(verdict world:198.51.100.9 web 80)" deny
is "addresses of endpoints" "$(verdict "${IP4[client]}" "${IP6[web]}" 80 2>/dev/null)" allow
is "labels" "$(verdict role=other app=web 80)" deny
is "egress" "$(verdict web 192.0.2.2 443/UDP)" allow
is "an endpoint and itself" "$(verdict web web 1)" allow

all=$(explain --from other --to web --port 80 --family IPv6)
holds "why it is denied" "$all" 'length == 1 and .[0].family == "IPv6" and .[0].because == "default-deny" and .[0].ingress.policies[0].policy == "CiliumNetworkPolicy/default/web"
	and (.[0].ingress.policies[0].file | endswith("web.yaml")) and .[0].ingress.nearest.line == 7 and .[0].ingress.nearest.field == "peer"'
check "for people" grep -qF "denied by default, because of CiliumNetworkPolicy/default/web" <(k n1 policy explain --from other --to web --port 80)

flow_of() { # SOURCE VERDICT: the uuid of such a flow
	k n1 observe --last 1000 -o json --verdict "$2" | jq -r --arg s "$1" 'select(.flow.source.pod_name == $s and .flow.event_type.type == 5) | .flow.uuid' | tail -1
}
flow=$(flow_of other DROPPED)
holds "a flow that was dropped" "$(explain --flow "$flow")" '.[0].verdict == "deny" and .[0].recorded.verdict == "deny" and (.[0].recorded.rules[0].text | startswith("default deny by"))'
flow=$(flow_of client FORWARDED)
holds "a flow that was forwarded" "$(explain --flow "$flow")" '.[0].verdict == "allow" and .[0].ingress.rule.path == "ingress[0]"
	and (.[0].recorded.rules[0].text | contains("ingress[0]"))'
check "a flow for people" grep -q "^recorded .*: allow" <(k n1 policy explain --flow "$flow")

says() { # DESCRIPTION TEXT OPTION...
	local what=$1 text=$2 out
	shift 2
	if out=$(k n1 policy explain "$@" 2>&1); then not_ok "$what" "succeeded: $out"; fi
	if [[ $out == *"$text"* ]]; then ok "$what"; else not_ok "$what" "$out"; fi
}
says "an endpoint that is not there" 'to: there is no endpoint "nobody" on this node' --from web --to nobody --port 1
says "labels that nobody has" "no endpoint of this node has app=x; ask with --offline" --from app=x --to web --port 1
says "no such packet" "there is no such packet" --from 192.0.2.2 --to web --protocol ICMPv6
says "a flow that is not there" "is not in the history" --flow 1b4e28ba-2fa1-41d2-883f-0016d3cca427
done_testing
