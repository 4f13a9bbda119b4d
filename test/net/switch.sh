#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# A policy revision takes effect at one instant: under numbered packets, revisions 1 and 2 are switched 200 times (SWITCHES), and every packet
# gets the verdict of the old or of the new one, never a third.
#
#   UDP port   revision 1               revision 2               verdicts    if halves were mixed
#   7001       egress yes, ingress yes  egress yes, ingress yes  yes / yes   yes
#   7997       egress no,  ingress yes  egress yes, ingress no   no  / no    passes with egress 2 and ingress 1
#   7998       egress yes, ingress no   egress no,  ingress yes  no  / no    passes with egress 1 and ingress 2
#   7101       yes                      no                       flips once a switch, against 7102
#   7102       no                       yes                      flips once a switch, against 7101
#
#   client   server, and workloads x1 and x2 that make the peer classes different in each revision
#      |      |
#   [ node n1    ]
. "$(dirname "$0")/lib.sh"
SWITCHES=${SWITCHES:-$(how_many 200 5000)}

node_start n1
workload n1 client app=client
workload n1 x1 app=x1
workload n1 server app=server
workload n1 x2 app=x2

ports() { # "PORT PORT ..."
	local p list
	read -ra list <<<"$1"
	for p in "${list[@]}"; do printf '      - {port: "%s", protocol: UDP}\n' "$p"; done
}
# make_revision NUMBER EXTRA-PEER OTHER-PEER EGRESS-PORTS INGRESS-PORTS
make_revision() {
	cat >"$T/revision$1" <<-END
		apiVersion: cilium.io/v2
		kind: CiliumNetworkPolicy
		metadata: {name: client, namespace: default}
		spec:
		  endpointSelector: {matchLabels: {app: client}}
		  egress:
		  - toEndpoints: [{matchLabels: {app: server}}]
		    toPorts:
		    - ports:
		$(ports "7001 $4")
		      - {port: "7000", protocol: TCP}
		  - toEndpoints: [{matchLabels: {app: $2}}]
		---
		apiVersion: cilium.io/v2
		kind: CiliumNetworkPolicy
		metadata: {name: server, namespace: default}
		spec:
		  endpointSelector: {matchLabels: {app: server}}
		  ingress:
		  - fromEndpoints: [{matchLabels: {app: $2}}]
		  - fromEndpoints: [{matchLabels: {app: client}}]
		    toPorts:
		    - ports:
		$(ports "7001 $5")
		      - {port: "7000", protocol: TCP}
		  ingressDeny:
		  - fromEndpoints: [{matchLabels: {app: $3}}]
	END
}
make_revision 1 x1 x2 "7998 7101" "7997 7101"
make_revision 2 x2 x1 "7997 7102" "7998 7102"
policy n1 both.yaml <"$T/revision1"

for family in 4 6; do
	declare -n address=IP$family
	load_start v$family --a /run/netns/client --b /run/netns/server --a-address "${address[client]}" --b-address "${address[server]}" \
		--tcp 7000,50,10 --udp name=both,port=7001,rate=2000,echo --udp name=none1,port=7997,rate=1000 --udp name=none2,port=7998,rate=1000 \
		--udp name=fresh1,port=7997,rate=100,fresh --udp name=first,port=7101,rate=1000 --udp name=second,port=7102,rate=1000 \
		--complement first,second
done
for ((i = 0; i < SWITCHES; i++)); do
	policy n1 both.yaml <"$T/revision$((2 - i % 2))"
	sleep 0.02
done
ok "$SWITCHES revisions were switched"
sleep 0.2
for family in v4 v6; do
	load_stop $family
	holds "$family: allowed by both: 0 lost" "$REPORT" '.udp.both | .sent > 0 and .there.lost == 0 and .back.lost == 0'
	holds "$family: TCP allowed by both: 0 lost" "$REPORT" '.tcp | .broken == 0 and .unanswered == 0 and .retransmits == .needless'
	for flow in none1 none2 fresh1; do
		holds "$family: $flow, denied by both: 0 passed" "$REPORT" ".udp.$flow | .sent > 0 and .there.received == 0"
	done
	for flow in first second; do
		holds "$family: $flow, allowed by one: changes once a switch" "$REPORT" \
			".udp.$flow.there | .flips <= $SWITCHES and .flips > $SWITCHES * 0.9"
	done
	holds "$family: of each pair exactly one passes, but for pairs astride a switch" "$REPORT" ".equal <= $SWITCHES * 0.1"
	diag "$family: $(jq -c '{equal, tcp, udp: (.udp | map_values([.sent, .there.received, .there.flips]))}' <<<"$REPORT")"
done
done_testing
