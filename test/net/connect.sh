#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# Everything reaches everything when no policy says otherwise, over both families.
#
#   client   server          outside (192.0.2.2)
#      |        |               |
#   [ node n1: kilimd, 192.0.9.1 ]
. "$(dirname "$0")/lib.sh"

node_start n1
host_address n1
outside n1 world
workload n1 client app=client
workload n1 server app=server
web server
web n1
web world

is "addresses are different" "$(printf '%s\n' "${IP4[client]}" "${IP4[server]}" | sort -u | wc -l)" 2
check "endpoint to endpoint: ping" pings client server
check "endpoint to endpoint: HTTP" reaches client server
check "the other way: ping" pings server client
check "endpoint to itself" reaches server server
check "node to endpoint: ping" pings n1 server
check "node to endpoint: HTTP" reaches n1 server
check "endpoint to node: ping" pings client n1
check "endpoint to node: HTTP" reaches client n1
check "endpoint to outside: ping" pings client world
check "endpoint to outside: HTTP" reaches client world
check "outside to endpoint: ping" pings world server
check "outside to endpoint: HTTP" reaches world server

udp_answers() { # FROM TO [SIZE]: datagrams are answered over both families, none is lost
	local a out
	for a in "${IP4[$2]}" "${IP6[$2]}"; do
		out=$(at "$1" "$TOOL/rr" udp_rr --address "$a" --port 7100 --size "${3:-64}" --seconds 1) || return 1
		jq -e '.count > 100 and .lost == 0' >/dev/null <<<"$out" || { echo "$out"; return 1; }
	done
}
for host in server n1 world; do spawn "$host" "$TOOL/rr" server --port 7100; done
for host in server n1 world; do wait_port "$host" 7100; done
check "endpoint to endpoint: UDP" udp_answers client server
check "endpoint to node: UDP" udp_answers client n1
check "node to endpoint: UDP" udp_answers n1 server
check "endpoint to outside: UDP" udp_answers client world
check "outside to endpoint: UDP" udp_answers world server

full_size() { # a packet as large as the MTU, which must not be fragmented
	at "$1" ping -nq -c 2 -i 0.05 -W 1 -M "do" -s 1472 "${IP4[$2]}" && at "$1" ping -nq -c 2 -i 0.05 -W 1 -M "do" -s 1452 "${IP6[$2]}"
}
for to in server n1 world; do check "client to $to: packets of 1500 bytes" full_size client $to; done
for to in server n1 world; do check "client to $to: ping in fragments" pings client $to -s 4000; done
check "endpoint to endpoint: UDP in fragments" udp_answers client server 9000
check "outside to endpoint: UDP in fragments" udp_answers world server 9000

# FROM TO STREAMS [OPTION]...: an iperf3 transfer over both families; kernel segmentation offload is on, so packets are far larger than the MTU. What the
# sockets still hold when the sender ends is not counted as received: up to 36 MB a stream (tcp_rmem of Linux 6.17 and tcp_wmem).
bulk() {
	local a out from=$1 to=$2 streams=$3
	shift 3
	for a in "${IP4[$to]}" "${IP6[$to]}"; do
		out=$(at "$from" timeout 20 iperf3 -J -c "$a" -n 300M -P "$streams" "$@") || { echo "$out"; return 1; }
		jq -e '.end.sum_received.bytes > 150e6' >/dev/null <<<"$out" || { jq -c .end.sum_received <<<"$out"; return 1; }
	done
}
for host in server n1 world; do spawn "$host" iperf3 -s; done
for host in server n1 world; do wait_port "$host" 5201; done
check "endpoint to endpoint: 300 MB" bulk client server 1
check "endpoint to endpoint: 300 MB over 4 connections" bulk client server 4
check "endpoint to endpoint: 300 MB back" bulk client server 1 -R
check "endpoint to node: 300 MB" bulk client n1 1
check "node to endpoint: 300 MB" bulk n1 server 1
check "endpoint to outside: 300 MB" bulk client world 1
check "outside to endpoint: 300 MB" bulk world server 1

status=$(k n1 status -o json)
holds "status counts the endpoints" "$status" '.endpoints.total == 2 and .endpoints.ready == 2'
holds "answered flows are in the flow table" "$status" '.flows.answered > 0'
check "kilim flow list shows them" bash -c "KILIM_RUN_DIR=$T/n1/run $KILIM flow list -o json | jq -e 'map(select(.protocol == \"TCP\" and .half_open == false)) | length > 0'"

# A workload that goes is unreachable, its addresses are free again.
check "endpoint delete" k n1 endpoint delete client
check_not "it has no network any more" pings client server
is "no route to it is left" "$(ip -n n1 route show "${IP4[client]}"; ip -n n1 -6 route show "${IP6[client]}")" ""
done_testing
