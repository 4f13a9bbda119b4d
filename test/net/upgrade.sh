#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
#
# Upgrade to a build whose maps have another layout, and rollback, also when they are killed in the middle of it: under load no allowed packet is lost and no denied one passes. The other build is made
# of a copy of the sources in which struct flow and struct endpoint have one more member each, and so have the values of all three policy maps.
#
#   client   server
#      |        |
#   [ node n1      ]  kilimd of this build, of the other, of this one
. "$(dirname "$0")/lib.sh"

copy=$T/copy
mkdir -p "$copy"
tar -C "$ROOT" --exclude=./.git --exclude='./build*' --exclude=./test -cf - . | tar -C "$copy" -xf -
mkdir -p "$copy/test"
: >"$copy/test/meson.build"
# In the middle, so that members move and no prefix of the old value is right.
sed -i 's/^\tstruct flow_way way\[2\];/\t__u64 added;\n&/; s/sizeof(struct flow) == 144/sizeof(struct flow) == 152/' "$copy/abi/flow.h"
sed -i 's/^\t__u32 identity;/\t__u32 added[2];\n&/; s/sizeof(struct endpoint) == 72/sizeof(struct endpoint) == 80/' "$copy/abi/endpoint.h"
sed -i 's/^\t__u32 class\[POLICY_DIRECTIONS\];/\t__u32 added;\n&/; s/^\t__u32 rule; /\t__u32 added[2];\n&/; s/sizeof(struct decision) == 16/sizeof(struct decision) == 24/' "$copy/abi/policy.h"
(($(grep -c added "$copy/abi/policy.h") == 3)) || die "the policy was not changed"
if cmp -s "$ROOT/abi/flow.h" "$copy/abi/flow.h" || cmp -s "$ROOT/abi/endpoint.h" "$copy/abi/endpoint.h"; then die "the headers were not changed"; fi
build() {
	meson setup "$copy/build" "$copy" -Dtests=false && ninja -C "$copy/build" -j2 kilimd
}
build >"$T/build.log" 2>&1 || die "the changed copy cannot be built: $(tail -20 "$T/build.log")"
OTHER=$copy/build/kilimd
ok "the other build is made"

node_start n1
workload n1 client app=client
workload n1 server app=server
policy n1 server.yaml <<'END'
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
END
value_size() { # MAP
	bpftool -j map show pinned "$T/n1/bpf/kilim/map/$1" | jq .bytes_value
}
size=$(value_size flow4)
rules=$(value_size rule)
for family in 4 6; do
	declare -n address=IP$family
	load_start v$family --a /run/netns/client --b /run/netns/server --a-address "${address[client]}" --b-address "${address[server]}" \
		--tcp "7000,50,20" --udp "name=echo,port=7001,rate=1000,echo" --udp "name=forth,port=7002,rate=1000" --udp "name=fresh,port=7003,rate=50,fresh" \
		--udp "name=denied,port=7998,rate=300" --udp "name=denied2,port=7999,rate=50,fresh" --probe "7997,10"
done
sleep 1
for program in "$OTHER" "$KILIMD" "$OTHER" "$KILIMD"; do
	node_stop n1 KILL
	# shellcheck disable=SC2034
	AGENT_PROGRAM=$program
	agent_start n1
	check "it is ready: ${program#"$T"}" node_wait n1 20
	added=0
	[ "$program" = "$KILIMD" ] || added=8
	is "and its layout is in use" "$(value_size flow4)" $((size + added))
	is "that of the policy too" "$(value_size rule)" $((rules + added))
	holds "and it adopted the data path" "$(k n1 status -o json)" '.adopted == true and .endpoints.ready == 2'
	holds "and the flows" "$(k n1 status -o json)" '.flows.answered >= 100'
	sleep 1
done
# Now one over the other without waiting: killed anywhere in the middle of the move.
for ((i = 0; i < $(how_many 12 300); i++)); do
	sleep "0.$((RANDOM % 15))$((RANDOM % 10))"
	node_stop n1 KILL
	if ((RANDOM % 2)); then AGENT_PROGRAM=$OTHER; else AGENT_PROGRAM=$KILIMD; fi
	agent_start n1
done
check "killed in the middle of it: the last one is ready" node_wait n1 20
holds "and has adopted the data path" "$(k n1 status -o json)" '.adopted == true and .endpoints.ready == 2 and .flows.answered >= 100'
for family in v4 v6; do
	load_stop $family
	for flow in echo forth fresh; do
		holds "$family: UDP $flow: 0 lost" "$REPORT" ".udp.$flow | .sent > 0 and .there.lost == 0 and (.back.lost // 0) == 0"
	done
	for flow in denied denied2; do
		holds "$family: UDP $flow: 0 passed" "$REPORT" ".udp.$flow | .sent > 0 and .there.received == 0"
	done
	holds "$family: TCP: all connections live, 0 lost segments" "$REPORT" '.tcp | .broken == 0 and .unanswered == 0 and .retransmits == .needless'
	holds "$family: TCP probes: 0 passed" "$REPORT" '.probe | .tried > 0 and .connected == 0 and .accepted == 0'
	diag "$family: $(jq -c '{tcp, udp: (.udp | map_values([.sent, .there.received, .there.lost_ranges]))}' <<<"$REPORT")"
done
done_testing
