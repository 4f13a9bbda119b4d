#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# A workload cannot send with another's address: not with a foreign IP address, not with a foreign MAC. Frames are made by hand.
#
#   liar   victim   server
#     |      |        |
#   [ node n1           ]
. "$(dirname "$0")/lib.sh"

node_start n1
workload n1 liar app=liar
workload n1 victim app=victim
workload n1 server app=server
check "the addresses work" pings liar server

mac=$(ip -n liar -j link show eth0 | jq -r '.[0].address')
router=$(k n1 endpoint get liar -o json | jq -r .host_mac)
received() { # TCP SYNs that the server's stack saw
	at server nstat -asz TcpInSegs 2>/dev/null | awk '/TcpInSegs/ {print $2}'
}
drops() { # REASON SOURCE: drop events with this reason number from the endpoint liar
	k n1 observe --last 4000 -o json | jq -s "map(.flow | select(.verdict == \"DROPPED\" and .drop_reason == $1 and .IP.source == \"$2\")) | length"
}
send() { # SOURCE SOURCE-MAC DESTINATION
	at liar "$TOOL/flood" --device eth0 --mac "$router" --source-mac "$2" --destination "$3" --source "$1" --fixed --port 80 --count 20 >/dev/null
}

before=$(received)
send "${IP4[victim]}" "$mac" "${IP4[server]}"
is "foreign IPv4 source: nothing arrives" "$(received)" "$before"
check "foreign IPv4 source: drops with reason 132" retry 3 eval '[ "$(drops 132 "${IP4[victim]}")" = 20 ]'
send "${IP6[victim]}" "$mac" "${IP6[server]}"
is "foreign IPv6 source: nothing arrives" "$(received)" "$before"
check "foreign IPv6 source: drops with reason 132" retry 3 eval '[ "$(drops 132 "${IP6[victim]}")" = 20 ]'
send 203.0.113.9 "$mac" "${IP4[server]}"
is "a source from nowhere: nothing arrives" "$(received)" "$before"
send "${IP4[liar]}" 02:00:00:00:00:99 "${IP4[server]}"
is "foreign MAC: nothing arrives" "$(received)" "$before"
check "foreign MAC: drops with reason 130" retry 3 eval '[ "$(drops 130 "${IP4[liar]}")" = 20 ]'

# The same frames with the right addresses do arrive: the test can fail.
send "${IP4[liar]}" "$mac" "${IP4[server]}"
check "honest frames arrive" retry 2 eval '[ "$(received)" -ge $((before + 20)) ]'
before=$(received)
send "${IP6[liar]}" "$mac" "${IP6[server]}"
check "honest IPv6 frames arrive" retry 2 eval '[ "$(received)" -ge $((before + 20)) ]'

# An address that was added by hand is not the workload's own.
ip -n liar address add "${IP4[victim]}/32" dev eth0
before=$(received)
check_not "ping with a second address" at liar ping -nq -c 2 -i 0.1 -W 1 -I "${IP4[victim]}" "${IP4[server]}"
ip -n liar address del "${IP4[victim]}/32" dev eth0
check "the victim's own traffic still works" pings victim server

# A flow of the victim that exists cannot be joined by the liar.
spawn server "$TOOL/rr" server --port 7100
wait_port server 7100
at victim "$TOOL/rr" udp_rr --address "${IP4[server]}" --port 7100 --seconds 1 >/dev/null
send "${IP4[victim]}" "$(ip -n victim -j link show eth0 | jq -r '.[0].address')" "${IP4[server]}"
check "foreign IP and MAC of a flow that exists: drops with reason 130" retry 3 eval '[ "$(drops 130 "${IP4[victim]}")" = 20 ]'
done_testing
