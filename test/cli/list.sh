#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the listing commands print: tables, JSON, YAML, without headers, of nothing, and when the agent is not there.
. "$(dirname "$0")/lib.sh"
agent_start

run endpoint list
is "endpoints as a table" 0 "\
ID   NAME           STATE     INGRESS    EGRESS     IDENTITY   IPV4          IPV6          LABELS
 1   default/web    ready     enforced   open            256   10.200.0.2    fd00:200::2   k8s:app=web,k8s:tier
17   prod/db?[31m   pending   open       enforced      65535   10.200.0.17"
run endpoint list --no-headers
is "a table without headers" 0 "\
 1   default/web    ready     enforced   open         256   10.200.0.2    fd00:200::2   k8s:app=web,k8s:tier
17   prod/db?[31m   pending   open       enforced   65535   10.200.0.17"
run endpoint list -l app=web --label 'tier in (a,b)'
called "labels become parameters" '.[0].query.label == ["app=web", "tier in (a,b)"]'
run -o json endpoint list
if [ "$(jq -c '.[1].addresses' <<<"$OUT")" = '{"ipv4":"10.200.0.17"}' ]; then ok "-o json before the command"; else not_ok "-o json before the command" "$OUT"; fi
run endpoint get default/web
is "an endpoint is YAML" 0 'id: 1
name: web
namespace: default
identity: 256
labels:
- k8s:app=web
addresses:
  ipv4: 10.200.0.2
mtu: 1500
note: "no: number"
policy:
  ingress: true
  egress: false'
called "a slash in a name is no separator" '.[0].path == "/v1/endpoint/default%2Fweb"'
run endpoint get default/web --output=json
if jq -e '.mtu == 1500' <<<"$OUT" >/dev/null; then ok "an endpoint as JSON"; else not_ok "an endpoint as JSON" "$OUT"; fi

run identity list
is "identities as a table" 0 "\
IDENTITY   REFERENCES   PREFIX         LABELS
       1            1                  reserved:host
     256            2                  k8s:app=web,k8s:tier=front
16777217            1   192.0.2.0/24   cidr:192.0.2.0/24,reserved:world"
run map list
is "maps as a table" 0 "\
MAP           ENTRIES MAX    MEMORY
kilim_flow4        131072    32 MiB
kilim_epoch             1   4.0 KiB"
run map list -o yaml
is "maps as YAML" 0 "\
- name: kilim_flow4
  entries_max: 131072
  bytes: 33554432
- name: kilim_epoch
  entries_max: 1
  bytes: 4096"

run flow list
is "flows as a table" 0 "\
PROTOCOL   SOURCE               DESTINATION        STATE             VERDICT   PACKETS   BYTES   REPLY PACKETS   REPLY BYTES   EXPIRES IN
TCP        10.200.0.3:40000     10.200.0.2:80      established       allowed        10    1200               8         90000        7999s
UDP        [fd00:200::3]:5353   [fd00:200::2]:53   new (half-open)   denied          1      80               0             0          12s
ICMPv4     10.200.0.3           192.0.2.7          established       allowed         1      98               1            98          50s"
while read -r protocols arguments; do
	# shellcheck disable=SC2086 # several arguments
	run flow list -o json $arguments
	got=$(jq -r 'map(.protocol) | join(",")' <<<"$OUT")
	if [ "$got" = "${protocols/none/}" ]; then ok "flow list $arguments"; else not_ok "flow list $arguments" "gave '$got', not $protocols"; fi
done <<'END'
UDP --half-open
TCP,ICMPv4 --no-half-open
UDP --denied
TCP,ICMPv4 --ip 10.200.0.3
ICMPv4 --ip 192.0.2.0/24
UDP --ip fd00:200::3
UDP,ICMPv4 --ip fd00:200::/64 --ip 192.0.2.7
TCP --port 80
UDP --port 53
TCP --protocol tcp --ip 10.200.0.2
ICMPv4 --protocol icmp
none --port 8080
END
run flow list --ip 10.0.0
says "flow list: a bad address" 2 "--ip: '10.0.0' is no IP address or prefix"

run metrics
is "metrics as a table" 0 "\
METRIC                    LABELS                                       VALUE
cilium_drop_count_total   reason=\"Policy denied\" direction=\"INGRESS\"       7
cilium_drop_count_total   reason=\"a \"b\" \\ ??[31m\" direction=\"EGRESS\"   1e+06
kilim_flow_entries                                                        12"
run metrics list 'kilim_*' --no-headers
is "metrics by pattern" 0 "kilim_flow_entries      12"
run metrics list drop -o json
if [ "$(jq length <<<"$OUT")" = 2 ]; then ok "metrics by a part of the name"; else not_ok "metrics by a part of the name" "$OUT"; fi

answer get_v1_endpoint.json 200 '[]'
run endpoint list
is "no endpoints: only the header" 0 "ID   NAME   STATE   INGRESS   EGRESS   IDENTITY   IPV4   IPV6   LABELS"
answer get_v1_endpoint.json 500 '{"error": "it\u001b[31mhurts\nbadly"}'
run endpoint list
says "a failure is told" 1 "kilim: it?[31mhurts
       badly"
printf '{"status": 200, "text": "<html>"}' >"$DATA/get_v1_endpoint.json"
run endpoint list
says "an answer that is no JSON" 1 "JSON"

agent_stop
run endpoint list
says "the agent is not there" 3 "kilimd does not run at $T/kilim.sock"
KILIM_RUN_DIR=$T/none "$KILIM" map list 2>"$T/err"
STATUS=$? ERR=$(<"$T/err")
says "KILIM_RUN_DIR is where it is looked for" 3 "$T/none/kilim.sock"
done_testing
