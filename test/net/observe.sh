#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# Every verdict is visible with its reason: what kilim observe shows of real traffic, its filters, and its two output formats.
#
#   web (app=web)   client (role=client)   other (role=other)
#      |               |                      |
#   [ node n1                                   ]
. "$(dirname "$0")/lib.sh"

node_start n1
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
END
check "allowed" get client "${IP4[web]}" 80
check_not "denied by port" get client "${IP4[web]}" 8080
check_not "denied by label" get other "${IP6[web]}" 80

flows() { # OBSERVE-OPTION...: a JSON list
	k n1 observe --last 1000 -o json "$@" | jq -s .
}
seen() {
	flows --verdict DROPPED | jq -e 'map(select(.flow.source.pod_name == "other")) | length > 0'
}
check "events arrive" retry 3 seen

all=$(flows)
holds "every line is a flow with a time and a node" "$all" 'length > 0 and all(.flow and .time and (.node_name | endswith("n1")))'
holds "the handshake is there: request" "$all" "any(.[].flow; .verdict == \"FORWARDED\" and .l4.TCP.destination_port == 80 and .l4.TCP.flags.SYN == true and .is_reply == false
	and .source.pod_name == \"client\" and .destination.pod_name == \"web\" and .IP.source == \"${IP4[client]}\" and .IP.destination == \"${IP4[web]}\")"
holds "the handshake is there: reply" "$all" 'any(.[].flow; .verdict == "FORWARDED" and .l4.TCP.source_port == 80 and .is_reply == true)'
holds "names, namespaces, labels, identities" "$all" 'map(.flow | select(.source.pod_name == "client")) | length > 0 and all(.source.namespace == "default"
	and .source.identity >= 256 and (.source.labels | any(. == "k8s:role=client")) and .source.ID > 0)'
holds "policy verdict of the allowed one names its policy" "$all" 'any(.[].flow; .event_type.type == 5 and .verdict == "FORWARDED" and .traffic_direction == "INGRESS"
	and .policy_match_type == 2 and (.ingress_allowed_by // [] | any(.name == "web")))'

drops=$(flows --verdict DROPPED)
holds "drop by port: reason, direction, addresses" "$drops" "any(.[].flow; .l4.TCP.destination_port == 8080 and .drop_reason == 133 and .drop_reason_desc == \"POLICY_DENIED\"
	and .source.pod_name == \"client\" and .traffic_direction == \"INGRESS\" and .IP.source == \"${IP4[client]}\")"
holds "drop over IPv6" "$drops" "any(.[].flow; .IP.ipVersion == \"IPv6\" and .IP.source == \"${IP6[other]}\" and .drop_reason_desc == \"POLICY_DENIED\")"
holds "a drop event has type 1 and its reason as sub-type" "$drops" 'any(.[].flow; .event_type.type == 1 and .event_type.sub_type == 133)'

holds "filter: verdict" "$drops" 'length > 0 and all(.flow.verdict == "DROPPED")'
holds "filter: port" "$(flows --port 8080)" 'length > 0 and all(.flow.l4.TCP | .source_port == 8080 or .destination_port == 8080)'
holds "filter: protocol" "$(flows --protocol tcp)" 'length > 0 and all(.flow.l4.TCP)'
is "filter: another protocol" "$(flows --protocol udp | jq length)" 0
holds "filter: label" "$(flows --label role=other)" 'length > 0 and all(.flow | [.source.labels, .destination.labels] | flatten | any(. == "k8s:role=other"))'
holds "filter: endpoint by name" "$(flows --from-pod default/client)" 'length > 0 and all(.flow.source.pod_name == "client")'
holds "filter: direction" "$(flows --traffic-direction ingress)" 'length > 0 and all(.flow.traffic_direction == "INGRESS")'
holds "filter: drop reason" "$(flows --drop-reason-desc POLICY_DENIED)" 'length > 0 and all(.flow.drop_reason_desc == "POLICY_DENIED")'
holds "filter: address" "$(flows --from-ip "${IP6[other]}")" "length > 0 and all(.flow.IP.source == \"${IP6[other]}\")"
holds "filters together mean all of them" "$(flows --from-pod default/client --verdict DROPPED)" 'length > 0 and all(.flow.source.pod_name == "client" and .flow.verdict == "DROPPED")'
is "filter: --last" "$(k n1 observe --last 3 -o json | wc -l)" 3
is "filter: --since the future" "$(flows --since "$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)" | jq length)" 0
check_not "an unknown filter value is refused" k n1 observe --verdict NEVER
check_not "an unknown protocol is refused" k n1 observe --protocol nonsense

text=$(k n1 observe --verdict DROPPED --last 1000)
time='^[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}'
ends='default/client:[0-9]+ \(ID:[0-9]+\) <> default/web:8080 \(ID:[0-9]+\)'
check "compact line of a drop" grep -qE "$time: $ends Policy denied DROPPED \(TCP Flags: SYN\)$" <<<"$text"
check "compact line of its verdict" grep -qE "$time: $ends policy-verdict:none INGRESS DENIED \(TCP Flags: SYN\)$" <<<"$text"
check "compact line of a reply" grep -qE "$time: default/client:[0-9]+ \(ID:[0-9]+\) <- default/web:80 \(ID:[0-9]+\) to-endpoint FORWARDED \(TCP Flags: SYN, ACK\)$" <<<"$(k n1 observe --last 1000)"

# Following shows what happens from now on, as it happens.
spawn_log=$T/follow
k n1 observe --follow -o json >"$spawn_log" 2>&1 &
PIDS+=($!)
sleep 0.3
get client "${IP4[web]}" 80 >/dev/null
live() {
	jq -s -e 'any(.[].flow; .source.pod_name == "client" and .l4.TCP.destination_port == 80)' "$spawn_log"
}
check "follow shows a new flow" retry 2 live

metrics=$(api n1 /metrics)
check "metrics count the drops" grep -qE '^(kilim|cilium|hubble)_drop.*[1-9]' <<<"$metrics"
k n1 monitor >"$T/monitor" 2>&1 &
PIDS+=($!)
sleep 0.3
get other "${IP4[web]}" 80 >/dev/null 2>&1
check "monitor shows raw events" retry 2 test -s "$T/monitor"
done_testing
