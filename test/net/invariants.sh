#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
#
# Assertions about policy: a change that breaks one is refused and what was in force stays; a workload is never refused; the file is read again.
#
#   api (app=api)   web (app=web)   world (192.0.2.2)
#      |               |                 |
#   [ node n1                             ]
. "$(dirname "$0")/lib.sh"

cat >"$T/invariants.yaml" <<'END'
- name: api-stays-inside
  never: {from: {labels: {app: api}}, to: world, except: [{to: {cidr: 192.0.2.0/24}, ports: [80/TCP]}]}
- name: web-stays-inside
  mode: warn
  never: {from: {labels: {app: web}}, to: world}
END
manifest() { # CIDR [NAME]
	cat <<-END
		apiVersion: cilium.io/v2
		kind: CiliumNetworkPolicy
		metadata: {name: ${2:-api}, namespace: default}
		spec:
		  endpointSelector: {matchLabels: {app: api}}
		  egress:
		  - toCIDR: [$1]
		    toPorts: [{ports: [{port: "80", protocol: TCP}]}]
	END
}
states() { api n1 /v1/policy/invariants | jq -c '[.invariants[].state]'; }
states_are() { [ "$(states)" = "$1" ]; }
reaches_v4() { get "$1" "${IP4[$2]}" "$3" | grep -q "hello from $2"; }
blocked_v4() { ! get "$1" "${IP4[$2]}" "$3"; }

node_start n1 --policy-invariants="$T/invariants.yaml"
outside n1 world
web world 80 81
manifest 192.0.2.0/24 | policy n1 api.yaml
workload n1 api app=api
check "what the assertion excepts passes" reaches_v4 api world 80
is "both hold" "$(states)" '["ok","ok"]'

# Manifests.
manifest 192.0.0.0/16 | manifest_put n1 api.yaml
check "a wider network is refused, with the identities" retry 5 problem n1 "is broken: 80/TCP from default/app=api (identity 256) to 192.0.0.0/16 (identity"
check "and the rule" problem n1 "api.yaml:7"
check "the log says so" grep -q "api-stays-inside is broken" "$T/n1/log"
check "what was in force stays" blocked_v4 api world 81
manifest 192.0.2.0/24 | manifest_put n1 api.yaml
check "the good one again" retry 5 no_problem n1 "is broken"
rm "$T/n1/manifests/api.yaml"
check "a manifest that goes would open all: refused" retry 5 problem n1 "is broken: "
check "what was in force stays here, too" blocked_v4 api world 81
manifest 192.0.2.0/24 | manifest_put n1 api.yaml
check "and back" retry 5 no_problem n1 "is broken"

# The API.
manifest 192.0.0.0/16 more >"$T/more.yaml"
out=$(k n1 policy apply -f "$T/more.yaml" 2>&1)
is "apply is refused" "$?" 1
check "with the counterexample" grep -q "is broken: 80/TCP from default/app=api (identity [0-9]*) to 192.0.0.0/16" <<<"$out"
out=$(k n1 policy apply --dry-run -f "$T/more.yaml" 2>&1)
is "and so is the dry run" "$?" 1
is "nothing of it is there" "$(k n1 policy list -o json | jq length)" 1

# A workload that breaks one comes all the same.
workload n1 web app=web
check "a workload is never refused" reaches_v4 web world 81
check "what it breaks is a problem" retry 5 problem n1 "invariant never web-stays-inside is broken"
is "as the list says" "$(states)" '["ok","broken"]'
out=$(k n1 policy invariants)
is "kilim policy invariants fails" "$?" 1
check "and shows it" grep -q "^BROKEN  never web-stays-inside (warn)" <<<"$out"

# The file is read again.
cp "$T/invariants.yaml" "$T/both.yaml"
sed -i '/web-stays/,$d' "$T/invariants.yaml"
check "an assertion that has gone" retry 5 states_are '["ok"]'
check "is no problem any more" retry 5 no_problem n1 "web-stays-inside"
echo '- {name: x, nevr: {}}' >>"$T/invariants.yaml"
check "a mistake in the file is a problem" retry 5 problem n1 "nevr: unknown field; did you mean never?"
is "and what was good before counts" "$(states)" '["ok"]'
cp "$T/both.yaml" "$T/invariants.yaml"
check "both again" retry 5 states_are '["ok","broken"]'

# A start with it.
manifest 192.0.0.0/16 | manifest_put n1 api.yaml
check "a wider one" retry 5 problem n1 "api-stays-inside is broken"
node_stop n1
node_start n1 --policy-invariants="$T/invariants.yaml"
check "is refused after a restart, too" problem n1 "api-stays-inside is broken"
check "and the last good one is in force" blocked_v4 api world 81
check "for whom it allows" reaches_v4 api world 80
done_testing
