#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim policy test and matrix: no agent, scenario files in, verdicts with their reasons out.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 1
mkdir policies

cat >policies/web.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: x}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: shop}}]
      toPorts: [{ports: [{port: "80", protocol: TCP}]}]
    - fromCIDR: [198.51.100.0/24]
END
scenario() { # PROBES
	cat <<END
endpoints:
  - {name: x/web, labels: {app: web}, addresses: [10.0.0.1]}
  - {name: x/shop, labels: {app: shop}, addresses: [10.0.0.2, "fd00::2"]}
policies: [policies/*.yaml]
probes:
$1
END
}
good='  - {from: x/shop, to: x/web, port: 80, expect: allow}
  - {from: x/shop, to: x/web, port: 81, expect: deny, because: default-deny}'
bad='  - {from: x/shop, to: x/web, port: 81, expect: allow}'

scenario "$good" >good.yaml
run policy test good.yaml
is "all pass" 0 "\
good.yaml:1
pass  x/shop -> x/web  80/TCP  allow
pass  x/shop -> x/web  81/TCP  deny
2 probes: 2 passed, 0 failed; 1 of 2 rules were hit; these never:
      CiliumNetworkPolicy/x/web ingress[1] (policies/web.yaml:9)"
scenario "$bad" >bad.yaml
run policy test bad.yaml -q
is "one fails" 1 "\
bad.yaml:1
FAIL  x/shop -> x/web  81/TCP  deny, expected allow  [bad.yaml:6]
        egress   allowed: no policy restricts egress of x/shop
        ingress  denied by default, because of CiliumNetworkPolicy/x/web (policies/web.yaml:1)
                 nearest: CiliumNetworkPolicy/x/web ingress[0] (policies/web.yaml:7) allows 80/TCP, not 81/TCP [port]
1 probes: 0 passed, 1 failed; 0 of 2 rules were hit; these never:
      CiliumNetworkPolicy/x/web ingress[0] (policies/web.yaml:7)
      CiliumNetworkPolicy/x/web ingress[1] (policies/web.yaml:9)"
run policy test good.yaml bad.yaml
if [ "$STATUS" = 1 ] && [[ $OUT == *"2 scenarios, 3 probes: 2 passed, 1 failed" ]]; then ok "two files"; else not_ok "two files" "$STATUS $OUT"; fi

run policy test -o json good.yaml bad.yaml
if [ "$STATUS" = 1 ] && jq -se 'length == 2 and (.[0].probes | map(.verdict) == ["allow", "deny"]) and .[0].probes[0].because == "allow-rule"
	and .[0].probes[0].rule == "CiliumNetworkPolicy/x/web ingress[0]" and .[0].probes[0].place == "policies/web.yaml:7"
	and .[1].probes[0].explanation.ingress.nearest.field == "port" and .[0].coverage.hit == 1' <<<"$OUT" >/dev/null; then
	ok "-o json, a document in each line"
else
	not_ok "-o json, a document in each line" "$STATUS $OUT"
fi
run policy test -o tap good.yaml bad.yaml
if [ "$STATUS" = 1 ] && [[ $OUT == "ok 1 - "*$'\nok 2 - '*$'\nnot ok 3 - '*$'\n1..3' ]]; then ok "-o tap"; else not_ok "-o tap" "$STATUS $OUT"; fi

# Paths begin at the scenario, wherever kilim is started; standard input begins here.
(cd / && "$KILIM" policy test "$T/good.yaml" >/dev/null)
STATUS=$? OUT='' ERR=''
is "policies beside the scenario" 0
run policy test - <good.yaml
is "a scenario from standard input" 0
{ cat good.yaml && echo --- && cat bad.yaml; } >both.yaml
run policy test -o json both.yaml
if jq -se 'map([.line, .passed, .failed]) == [[1, 2, 0], [9, 0, 1]]' <<<"$OUT" >/dev/null; then ok "two documents"; else not_ok "two documents" "$OUT"; fi

# What is wrong is said with its place, and the others run all the same.
scenario '  - {from: x/shop, to: x/wep, port: 80}' >wrong.yaml
run policy test wrong.yaml good.yaml -o json
says "an unknown endpoint" 2 'wrong.yaml:6:24: probes[0].to: there is no endpoint "x/wep"; did you mean x/web?'
if jq -se 'length == 2 and (.[0].error | startswith("wrong.yaml:6")) and .[1].passed == 2' <<<"$OUT" >/dev/null; then ok "the next one runs"; else not_ok "the next one runs" "$OUT"; fi
run policy test nowhere.yaml
says "no file" 2 "nowhere.yaml: No such file or directory"
: >empty.yaml
run policy test empty.yaml
says "an empty file" 2 "empty.yaml: no scenario in it"
printf 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: b}\nspec: {endpointSelector: {}, ingres: []}\n' >policies/broken.yaml
run policy test good.yaml
says "a mistake in a policy" 2 "policies/broken.yaml:4:30: spec.ingres: unknown field; did you mean ingress?"
rm policies/broken.yaml
run policy test
says "no file named" 2 "kilim policy test needs an argument: FILE..."
run policy test good.yaml --policy-cidr-match-mode=nods
says "a setting that is wrong" 2 "--policy-cidr-match-mode: 'nods' is none of nodes, pods, none"

# Settings.
run policy test bad.yaml --enable-policy=never
is "--enable-policy=never" 0
scenario '  - {from: x/shop, to: x/web, port: 81, expect: audit}' >audit.yaml
run policy test audit.yaml --policy-audit-mode
is "--policy-audit-mode" 0
run policy test audit.yaml
is "without it" 1
scenario '  - {from: host, to: x/web, port: 81, expect: deny}' >host.yaml
run policy test host.yaml --allow-localhost=policy
is "--allow-localhost=policy" 0

# The truth table.
scenario '  - {matrix: {ports: [80/TCP, 8/ICMP], expect: [[A, A], [AD, A]]}}' >matrix.yaml
run policy test matrix.yaml
is "a matrix passes" 0
run policy matrix -f matrix.yaml
is "the truth table" 0 "\
80/TCP  IPv4
            1 2
  1  x/web  A A
  2  x/shop A A

80/TCP  IPv6
            1 2
  1  x/web  - -
  2  x/shop - A

8/ICMP  IPv4
            1 2
  1  x/web  A A
  2  x/shop D A

Rows send, columns receive, by number. A allowed, D denied, U denied but in audit mode, - no such packet."
run policy matrix -f matrix.yaml -o json
if jq -e '. == {"endpoints": ["x/web", "x/shop"], "columns": ["80/TCP", "8/ICMP"], "families": ["IPv4", "IPv6"], "verdicts": {
	"IPv4": {"80/TCP": [["A", "A"], ["A", "A"]], "8/ICMP": [["A", "A"], ["D", "A"]]},
	"IPv6": {"80/TCP": [["-", "-"], ["-", "A"]], "8/ICMP": [["-", "-"], ["-", "-"]]}}}' <<<"$OUT" >/dev/null; then
	ok "the truth table as JSON"
else
	not_ok "the truth table as JSON" "$OUT"
fi
run policy matrix -f good.yaml -o json
if jq -e '.columns == ["80/TCP"]' <<<"$OUT" >/dev/null; then ok "a scenario that names no ports"; else not_ok "a scenario that names no ports" "$OUT"; fi
run policy matrix
says "no scenario" 2 "-f is missing"

for example in "$ROOT"/examples/policies/*-test.yaml; do
	run policy test "$example"
	is "${example##*/}" 0
done
done_testing
