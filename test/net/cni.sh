#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
#
# kilim-cni as a container runtime calls it: ADD, CHECK, DEL, GC, STATUS, 100 ADDs at once, with and without an agent.
#
#   c0 ... c99 (network namespaces)
#   [ node n1: kilimd + kilim-cni ]
. "$(dirname "$0")/lib.sh"

COUNT=${COUNT:-100}
node_start n1
cat >"$T/net.conf" <<END
{"cniVersion": "1.1.0", "name": "kilim", "type": "kilim-cni", "run-dir": "$T/n1/run"}
END
mkdir -p "$T/cache"
for ((i = 0; i < COUNT; i++)); do netns_add "c$i"; done
# cni COMMAND [OPTION]...: the report of cnidrive
cni() {
	local command=$1
	shift
	at n1 "$TOOL/cnidrive" --plugin "$CNI" --conf "$T/net.conf" --command "$command" --netns /run/netns/c --id c --cache "$T/cache" "$@"
}
endpoints() {
	api n1 /v1/endpoint | jq length
}
used() { # addresses in use
	api n1 /v1/status | jq '[.ipam[].used] | add'
}
free_at_start=$(used)

holds "STATUS with an agent" "$(cni STATUS)" '.failed == 0'
report=$(cni ADD)
holds "ADD" "$report" '.failed == 0'
holds "its result" "$report" '.results[0].output | .cniVersion == "1.1.0" and (.ips | length == 2) and (.interfaces | any(.name == "eth0" and .sandbox == "/run/netns/c0" and (.mac | length == 17)))
	and (.routes | any(.dst == "0.0.0.0/0")) and (.routes | any(.dst == "::/0")) and all(.ips[]; .address and .gateway and .interface != null)'
ip4=$(jq -r '.results[0].output.ips[].address | select(contains(".")) | split("/")[0]' <<<"$report")
check "the container has the address" grep -q "$ip4" <<<"$(ip -n c0 address show eth0)"
check "the node reaches it" at n1 ping -nq -c 1 -W 1 "$ip4"
holds "CHECK" "$(cni CHECK)" '.failed == 0'
holds "ADD again is refused" "$(cni ADD)" '.failed == 1 and .results[0].output.code > 0'
holds "and has broken nothing" "$(cni CHECK)" '.failed == 0'
ip -n c0 address del "$ip4/32" dev eth0
holds "CHECK sees a missing address" "$(cni CHECK)" '.failed == 1'
holds "DEL" "$(cni DEL)" '.failed == 0'
is "no endpoint is left" "$(endpoints)" 0
is "no address is left" "$(used)" "$free_at_start"
check_not "the interface is gone" ip -n c0 link show eth0
holds "DEL again succeeds" "$(cni DEL)" '.failed == 0'
holds "DEL of what never was succeeds" "$(cni DEL --id never)" '.failed == 0'
holds "DEL without a namespace succeeds" "$(cni DEL --netns /run/netns/gone)" '.failed == 0'
holds "ADD without that namespace fails" "$(cni ADD --netns /run/netns/gone)" '.failed == 1 and .results[0].output.code > 0 and (.results[0].output.msg | length > 0)'
is "nothing is left of it" "$(endpoints)" 0

report=$(cni ADD --args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-1')
holds "ADD with CNI_ARGS" "$report" '.failed == 0'
holds "the endpoint has the pod's name" "$(api n1 /v1/endpoint)" '.[0] | .namespace == "shop" and .name == "web-1"'
holds "DEL" "$(cni DEL)" '.failed == 0'

# 100 at once.
report=$(cni ADD --count "$COUNT" --parallel 100)
holds "$COUNT parallel ADDs" "$report" '.failed == 0'
for version in 4 6; do
	is "all IPv$version addresses are different" "$(jq -r '.results[].output.ips[].address' <<<"$report" | grep -c "$([ $version = 4 ] && echo '\.' || echo ':')")/$(
		jq -r '.results[].output.ips[].address' <<<"$report" | grep "$([ $version = 4 ] && echo '\.' || echo ':')" | sort -u | wc -l)" "$COUNT/$COUNT"
done
diag "ADD: $(jq -c 'del(.results)' <<<"$report")"
is "the agent has them all" "$(endpoints)" "$COUNT"
ready() {
	[ "$(api n1 /v1/endpoint | jq 'map(select(.state == "ready")) | length')" = "$COUNT" ]
}
check "all become ready" retry 5 ready
last=$(jq -r ".results[] | select(.index == $((COUNT - 1))) | .output.ips[0].address | split(\"/\")[0]" <<<"$report")
check "first and last talk" at c0 ping -nq -c 1 -W 1 "$last"
holds "parallel CHECKs" "$(cni CHECK --count "$COUNT" --parallel 20)" '.failed == 0'

# GC keeps what the runtime lists.
jq -c --argjson n $((COUNT / 2)) '."cni.dev/valid-attachments" = [range($n) | {containerID: "c\(.)", ifname: "eth0"}]' "$T/net.conf" >"$T/gc.conf"
holds "GC" "$(cni GC --conf "$T/gc.conf")" '.failed == 0'
is "half are left" "$(endpoints)" $((COUNT / 2))
holds "those are well" "$(cni CHECK --count $((COUNT / 2)) --parallel 20)" '.failed == 0'

# Without an agent.
node_stop n1
holds "STATUS without an agent" "$(cni STATUS)" '.failed == 1 and .results[0].output.code == 50'
holds "ADD without an agent: try again later" "$(cni ADD --first $((COUNT - 1)))" '.failed == 1 and .results[0].output.code == 11'
holds "DEL without an agent succeeds" "$(cni DEL)" '.failed == 0'
agent_start n1
check "the agent comes back" node_wait n1
gone() {
	[ "$(endpoints)" = $((COUNT / 2 - 1)) ]
}
check "and deletes what was deleted meanwhile" retry 5 gone
holds "DEL of all" "$(cni DEL --count "$COUNT" --parallel 20)" '.failed == 0'
is "no endpoint is left" "$(endpoints)" 0
is "all addresses are returned" "$(used)" "$free_at_start"
is "no device is left on the node" "$(ip -n n1 -br link show type veth | wc -l)" 0
done_testing
