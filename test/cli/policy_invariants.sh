#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim policy invariants: assertions against scenarios without an agent, and what the agent says of its own; those of scenarios in policy test.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 1

cat >invariants.yaml <<'END'
- name: inside
  never: {from: {ns: payments}, to: world, except: [{to: {cidr: 203.0.113.0/24}, ports: [443/TCP]}]}
- {name: scrape, always: {from: {labels: {app: prometheus}}, to: {ns: shop}, ports: [9090/TCP]}}
END
scenario() { # PORT
	cat <<END
endpoints:
  - {name: payments/api, labels: {app: api}}
  - {name: shop/web, labels: {app: web}}
  - {name: shop/prometheus, labels: {app: prometheus}}
policies:
  - apiVersion: cilium.io/v2
    kind: CiliumNetworkPolicy
    metadata: {name: out, namespace: payments}
    spec:
      endpointSelector: {}
      egress:
        - {toCIDR: [203.0.113.0/24], toPorts: [{ports: [{port: "$1", protocol: TCP}]}]}
END
}
scenario 443 >good.yaml
scenario 22 >bad.yaml

run policy invariants -f invariants.yaml --scenario good.yaml
is "both hold" 0 "\
good.yaml:1
ok      never inside  (3 pairs of identities)
ok      always scrape  (2 pairs of identities)"
run policy invariants -f invariants.yaml --scenario bad.yaml
is "one is broken" 1 "\
bad.yaml:1
BROKEN  never inside  [invariants.yaml:1]
        22/TCP is allowed
        from     payments/app=api (identity 256)
        to       203.0.113.0/24 (identity 16777217)
        egress   allowed by CiliumNetworkPolicy/payments/out egress[0] (bad.yaml:12)
        ingress  not judged here
ok      always scrape  (2 pairs of identities)"
run policy invariants -f invariants.yaml --scenario good.yaml --scenario bad.yaml -o json
if [ "$STATUS" = 1 ] && jq -e 'map(.file) == ["good.yaml", "bad.yaml"] and (.[0].invariants | map(.state) == ["ok", "ok"])
	and (.[1].invariants[0] | .state == "broken" and .mode == "refuse" and .assertion == "never" and .line == 1)
	and (.[1].invariants[0].counterexample | .traffic == "22/TCP" and .verdict == "allow" and .from.identity == 256 and .to.prefix == "203.0.113.0/24"
		and .egress.rule == "CiliumNetworkPolicy/payments/out egress[0]" and .egress.place == "bad.yaml:12" and .ingress == null)' <<<"$OUT" >/dev/null; then
	ok "-o json, a list of scenarios"
else
	not_ok "-o json, a list of scenarios" "$STATUS $OUT"
fi

# Of the scenario itself, from a file and in place; policy test counts them.
{ scenario 443 && echo 'invariants:
  - invariants.yaml
  - {name: nobody, never: {from: {ns: nowhere}}}'; } >both.yaml
run policy invariants --scenario both.yaml
is "assertions of the scenario" 0 "\
both.yaml:1
ok      never inside  (3 pairs of identities)
ok      always scrape  (2 pairs of identities)
ok      never nobody  (nobody is in its scope)"
run policy test both.yaml
if [ "$STATUS" = 0 ] && [[ $OUT == *"pass  invariant never nobody"*"0 probes and 3 invariants: 3 passed, 0 failed"* ]]; then ok "policy test"; else not_ok "policy test" "$STATUS $OUT"; fi
sed 's/"443"/"22"/' both.yaml >both-bad.yaml
run policy test both-bad.yaml -q
if [ "$STATUS" = 1 ] && [[ $OUT == *"FAIL  invariant never inside"*"22/TCP is allowed"*"2 passed, 1 failed"* ]]; then ok "policy test fails"; else not_ok "policy test fails" "$STATUS $OUT"; fi
run policy test both-bad.yaml -o tap
if [ "$STATUS" = 1 ] && [[ $OUT == "not ok 1 - invariant never inside"*$'\nok 3 - '*$'\n1..3' ]]; then ok "as TAP"; else not_ok "as TAP" "$STATUS $OUT"; fi
run policy test both.yaml -o json
if jq -e '.passed == 3 and (.invariants | length) == 3' <<<"$OUT" >/dev/null; then ok "as JSON"; else not_ok "as JSON" "$OUT"; fi
(cd / && "$KILIM" policy test "$T/both.yaml" >/dev/null)
STATUS=$? OUT='' ERR=''
is "files beside the scenario" 0

# Mistakes.
sed 's/never/nevr/' invariants.yaml >wrong.yaml
run policy invariants -f wrong.yaml --scenario good.yaml
says "a mistake in the file" 2 'wrong.yaml:2:3: [0].nevr: unknown field; did you mean never?'
{ scenario 443 && echo 'invariants: [nowhere.yaml]'; } >lost.yaml
run policy invariants --scenario lost.yaml --scenario good.yaml
says "a file that is not there" 2 'lost.yaml:13:14: invariants[0]: nowhere.yaml: No such file or directory'
run policy invariants -f invariants.yaml
says "a file alone" 2 '-f needs --scenario'

# The agent's own.
agent_start
answer get_v1_policy_invariants.json 200 '{"file": "/etc/kilim/invariants.yaml", "error": "", "invariants": [{"name": "a", "assertion": "never", "mode": "warn", "state": "broken",
	"pairs": 2, "file": "/etc/kilim/invariants.yaml", "line": 3, "counterexample": {"text": "        80/TCP is allowed\u001b\n"}}, {"name": "b", "assertion": "always", "mode": "refuse",
	"state": "ok", "pairs": 1, "file": "x", "line": 9}]}'
run policy invariants
is "the agent's" 1 "\
BROKEN  never a (warn)  [/etc/kilim/invariants.yaml:3]
        80/TCP is allowed?
ok      always b  (1 pairs of identities)"
answer get_v1_policy_invariants.json 200 '{"file": "/i.yaml", "error": "/i.yaml:1:1: broken", "invariants": []}'
run policy invariants
says "a file that the agent cannot read" 2 '/i.yaml:1:1: broken; the assertions of before count'
answer get_v1_policy_invariants.json 200 '{"file": "", "error": "", "invariants": []}'
run policy invariants
is "none" 0 "the agent has no assertions: set policy-invariants"
done_testing
