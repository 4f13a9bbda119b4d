#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim observe and monitor: the filters that the options make, the request, the formats, following and how that ends.
. "$(dirname "$0")/lib.sh"
agent_start

# filter JSON ARGUMENT...: what the agent gets as the filter, and what --print-raw-filters prints.
filter() {
	local want=$1
	shift
	run observe "$@"
	called "observe $*" "(.[0].query.filter[0] | fromjson) == $want"
	run observe --print-raw-filters "$@"
	if jq -e ". == $want" <<<"$OUT" >/dev/null 2>&1; then ok "printed: $*"; else not_ok "printed: $*" "$OUT $ERR"; fi
}
filter '{whitelist: [{source_pod: ["web"]}, {destination_pod: ["web"]}]}' --pod web
filter '{whitelist: [{source_pod: ["a", "ns/b"]}, {destination_pod: ["a", "ns/b"]}]}' --pod a --pod ns/b
filter '{whitelist: [{source_pod: ["a"], destination_pod: ["b"]}]}' --from-pod a --to-pod b
filter '{whitelist: [{source_pod: ["ns/"]}, {destination_pod: ["ns/"]}]}' -n ns
filter '{whitelist: [{source_pod: ["ns/web"]}, {destination_pod: ["ns/web"]}]}' -n ns --pod web
filter '{whitelist: [{source_pod: ["ns/a"], destination_pod: ["other/"]}]}' --from-namespace ns --from-pod a --to-namespace other
filter '{whitelist: [{source_pod: ["x/a", "y/a", "z/b"]}]}' -n x -n y --from-pod a --from-pod z/b
filter '{whitelist: [{source_pod: ["/web"]}, {destination_pod: ["/web"]}]}' --endpoint web
filter '{whitelist: [{source_pod: ["ns/web"]}]}' --from-endpoint web --namespace ns
filter '{whitelist: [{source_label: ["app=web,tier!=db"]}, {destination_label: ["app=web,tier!=db"]}]}' -l 'app=web,tier!=db'
filter '{whitelist: [{source_ip: ["10.0.0.0/8"], destination_ip: ["fd00::1"]}]}' --from-ip 10.0.0.0/8 --to-ip fd00::1
filter '{whitelist: [{source_port: ["80"], destination_port: ["443"]}]}' --from-port 80 --to-port 443
filter '{whitelist: [{source_identity: [2, 4711]}, {destination_identity: [2, 4711]}]}' --identity world --identity 4711
filter '{whitelist: [{source_identity: [1], destination_identity: [6]}]}' --from-identity reserved:host --to-identity remote-node
# several of either side: all combinations
filter '{whitelist: [
	{source_pod: ["a"], source_port: ["80"]}, {source_pod: ["a"], destination_port: ["80"]},
	{destination_pod: ["a"], source_port: ["80"]}, {destination_pod: ["a"], destination_port: ["80"]}]}' --pod a --port 80
filter '{whitelist: [
	{verdict: ["DROPPED"], destination_ip: ["10.0.0.1"], source_label: ["x"]},
	{verdict: ["DROPPED"], destination_ip: ["10.0.0.1"], destination_label: ["x"]}]}' --verdict dropped --to-ip 10.0.0.1 --label x
filter '{whitelist: [{protocol: ["tcp", "icmpv6"]}]}' --protocol TCP --protocol icmpv6
filter '{whitelist: [{event_type: [{type: 1}, {type: 4, match_sub_type: true, sub_type: 0}, {type: 1, match_sub_type: true, sub_type: 133}, {type: 5}]}]}' \
	-t drop --type trace:to-endpoint --type drop:133 -t policy-verdict
filter '{whitelist: [{drop_reason_desc: ["POLICY_DENIED"], traffic_direction: ["INGRESS"]}]}' --drop-reason-desc policy-denied --traffic-direction ingress
filter '{whitelist: [{reply: [true], tcp_flags: [{SYN: true, ACK: true}, {RST: true}]}]}' --reply --tcp-flags SYN,ack --tcp-flags RST
filter '{whitelist: [{shadow: [true]}], blacklist: [{shadow: [false]}]}' --shadow --not --shadow=false
filter '{whitelist: [{reply: [false], ip_version: ["IPv6"], uuid: ["a-b"]}]}' --reply=false -6 --uuid a-b
filter '{blacklist: [{source_pod: ["a"]}, {destination_pod: ["a"]}]}' --not --pod a
filter '{whitelist: [{verdict: ["DROPPED"]}], blacklist: [{source_port: ["22"]}, {destination_port: ["22"]}]}' --not --port 22 --verdict DROPPED
filter '{whitelist: [{node_name: ["c1/n*"]}]}' --node-name 'c1/n*'

wrong() { # TEXT ARGUMENT...
	local text=$1
	shift
	run observe "$@"
	says "observe $*" 2 "$text"
}
wrong "--pod (either side) and --from-pod (or namespaces) do not go together" --pod a --from-pod b
wrong "--ip (either side) and --to-ip do not go together" --ip 10.0.0.1 --to-ip 10.0.0.2
wrong "--ip: '10.0.0' is no IP address or prefix" --ip 10.0.0
wrong "--port: '70000' is no port" --port 70000
wrong "--verdict: unknown 'droppedd'; did you mean 'DROPPED'?" --verdict droppedd
wrong "--type: unknown 'trce'; did you mean 'trace'?" --type trce
wrong "--type: unknown 'trace:to-endpont'; did you mean 'to-endpoint'?" --type trace:to-endpont
wrong "--drop-reason-desc: unknown 'POLICY_DENIE'; did you mean 'POLICY_DENIED'?" --drop-reason-desc POLICY_DENIE
wrong "--identity: unknown 'wrld'; did you mean 'world'?" --identity wrld
wrong "--tcp-flags: unknown 'SIN'" --tcp-flags SIN
wrong "--traffic-direction: unknown 'in'" --traffic-direction in
wrong "--pod: the value is empty" --pod ''
wrong "--since: 'yesterday' is neither a duration" --since yesterday
wrong "--last: 'x' is no number" --last x
wrong "only one of --first, --last and --all" --first 1 --last 2
wrong "--first and --follow do not go together" --first 1 --follow
wrong "not with --follow" -f -o tab
wrong "--output: 'xml' is none of" -o xml

run -o yaml observe
says "-o yaml before the command" 2 "--output: flows are printed as"

query() { # EXPRESSION ARGUMENT...
	local want=$1
	shift
	run observe "$@"
	called "request of observe $*" ".[0].path == \"/v1/flow\" and (.[0].query | $want)"
}
query '. == {number: ["20"]}'
query '. == {number: ["5"]}' --last 5
query '. == {number: ["3"], first: ["1"]}' --first 3
query '. == {number: ["0"]}' --all
query '. == {number: ["0"], since: ["2026-01-02T03:04:05.000000000Z"], until: ["2026-01-02T02:04:05.500000000Z"]}' \
	--since 2026-01-02T03:04:05Z --until 2026-01-02T03:04:05.5+01:00
query '.number == ["0"] and ((.since[0][0:19] + "Z" | fromdate) - (now - 300) | fabs < 20)' --since 5m
query '. == {number: ["7"], since: ["2026-01-02T03:04:05.000000000Z"]}' --since 2026-01-02T03:04:05Z --last 7

run observe
is "compact lines" 0 "\
Jan  2 03:04:05.678: default/client:40000 (ID:257) -> default/web:80 (ID:256) to-endpoint FORWARDED (TCP Flags: SYN)
Jan  2 03:04:06.000: default/spy?[31m?:40001 (ID:258) -> default/web:80 (ID:256) Policy denied DROPPED (TCP Flags: SYN)"
run observe --numeric --print-node-name
if [[ $OUT == *"[n1]: 10.200.0.3:40000 "* ]]; then ok "--numeric --print-node-name"; else not_ok "--numeric --print-node-name" "$OUT"; fi
run observe -o tab
is "a table" 0 "\
TIMESTAMP             SOURCE                    DESTINATION      TYPE            VERDICT     SUMMARY
Jan  2 03:04:05.678   default/client:40000      default/web:80   to-endpoint     FORWARDED   TCP Flags: SYN
Jan  2 03:04:06.000   default/spy?[31m?:40001   default/web:80   Policy denied   DROPPED     TCP Flags: SYN"
run observe -o dict
if [[ $OUT == *"DESTINATION: default/web:80"*"------------"* ]]; then ok "blocks"; else not_ok "blocks" "$OUT"; fi
run observe -o jsonpb
if [ "$(jq -r .flow.uuid <<<"$OUT" | xargs)" = "0000 0001" ]; then ok "JSON lines"; else not_ok "JSON lines" "$OUT"; fi
run --color always observe
if [[ $OUT == *$'\033[32mFORWARDED\033[0m'* ]]; then ok "--color always"; else not_ok "--color always" "$OUT"; fi
if [[ $OUT == *'spy?[31m?'* && $OUT != *$'spy\033'* ]]; then ok "escapes of workloads do not reach the terminal"; else not_ok "escapes" "$OUT"; fi

# Following: lines at once, Ctrl-C is a good end, a closed pipe too.
follow_end() { # SIGNAL
	"$KILIM" --run-dir "$T" observe -f >"$T/out" 2>"$T/err" &
	local pid=$!
	for _ in $(seq 100); do
		[ "$(wc -l <"$T/out")" = 2 ] && break
		sleep 0.05
	done
	kill -"$1" $pid
	wait $pid
	STATUS=$? OUT=$(wc -l <"$T/out") ERR=$(<"$T/err")
	is "observe --follow prints at once and ends well by $1" 0 2
}
set -m # so that background jobs take SIGINT
follow_end INT
follow_end TERM
set +m
"$KILIM" --run-dir "$T" monitor >"$T/out" 2>"$T/err" &
pid=$!
for _ in $(seq 100); do
	[ -s "$T/out" ] && break
	sleep 0.05
done
kill $pid
wait $pid
STATUS=$? OUT=$(<"$T/out")
is "monitor as key=value" 0 '2026-01-02T03:04:05.000000001Z drop reason=133 reason_text="Policy denied" is_new=true is_reply=null source.address=10.200.0.4 source.port=40001 name=x?[31m'
for _ in $(seq 2000); do cat "$DATA/get_v1_flow.ndjson"; done >"$DATA/many"
mv "$DATA/many" "$DATA/get_v1_flow.ndjson"
(
	set -o pipefail
	"$KILIM" --run-dir "$T" observe 2>"$T/err" | head -n 1 >/dev/null
)
STATUS=$? OUT=$(<"$T/err")
is "a closed pipe is a quiet end" 0 ""
"$KILIM" --run-dir "$T" observe >/dev/full 2>"$T/err"
STATUS=$? ERR=$(<"$T/err")
says "a full disk is not" 1 "cannot write the output: No space left on device"
run observe
if [ "$(wc -l <<<"$OUT")" = 4000 ]; then ok "a long answer is complete"; else not_ok "a long answer is complete" "$(wc -l <<<"$OUT")"; fi

# The agent goes away.
"$KILIM" --run-dir "$T" observe -f >"$T/out" 2>"$T/err" &
pid=$!
for _ in $(seq 100); do
	[ "$(wc -l <"$T/out")" = 4000 ] && break
	sleep 0.05
done
agent_stop
wait $pid
STATUS=$? ERR=$(<"$T/err")
says "the agent's end is told" 1 "kilimd"
run observe
says "no agent" 3 "kilimd does not run"
done_testing
