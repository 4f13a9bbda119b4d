#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
#
# Policies are changed and taken back, also when the agent is killed in between.
#
#   web (nginx 80, app=web)   client (role=client)
#      |                         |
#   [ node n1                                     ]
. "$(dirname "$0")/lib.sh"

node_start n1
workload n1 web app=web
workload n1 client role=client
web web 80

allow() { # NAME ROLE
	cat <<-END
		apiVersion: cilium.io/v2
		kind: CiliumNetworkPolicy
		metadata: {name: $1, namespace: default}
		spec:
		  endpointSelector: {matchLabels: {app: web}}
		  ingress:
		  - fromEndpoints:
		    - matchLabels: {role: $2}
	END
}
apply() { # NAME ROLE [OPTION]...: what kilim says
	allow "$1" "$2" >"$T/$1.yaml"
	local file=$T/$1.yaml
	shift 2
	k n1 policy apply -f "$file" "$@" </dev/null
}
reason() { api n1 /v1/policy/history | jq -r '.[0].reason'; }
state() { k n1 policy list -o json | jq -r --arg n "$1" '.[] | select(.name == $n) | .state'; }
restart() {
	node_stop n1 KILL
	agent_start n1
	node_wait n1 || die "the agent does not come back"
}
# Nothing of a change is left half done on disk.
tidy() { [ ! -e "$T/n1/state/policy-change.json" ]; }

# --- history and rollback
check "a policy is applied" apply web client
check "it lets the client in" reaches client web
good=$(revision n1)
check "and is changed" apply web other
check "the client is out" blocked client web
is "the history says why" "$(reason)" "api web.yaml changed"
check "rollback" k n1 policy rollback
check "the client is in again" reaches client web
is "the history says so" "$(reason)" "rollback to $good"
check "and back" k n1 policy rollback
check "the client is out again" blocked client web
check "rollback to a revision" k n1 policy rollback "$good"
restart
check "it outlives the agent" reaches client web
check_not "there is nothing to do" k n1 policy rollback "$(revision n1)"
holds "a revision tells what it changed" "$(api n1 "/v1/policy/history/$good")" \
	'.policy[0].name == "web" and .changes[0].change == "added" and (.changes[0].after | test("role: client")) and .errors == []'

# --- a file of the manifest directory is held
allow file client | policy n1 file.yaml
before=$(revision n1)
allow file other | policy n1 file.yaml
check "the file goes back" k n1 policy rollback "$before"
is "it is held" "$(state file)" held
holds "status says so" "$(api n1 /v1/status)" '.sources[0].held[0] | test("file.yaml: held at revision")'
restart
is "also after the agent was killed" "$(state file)" held
touch "$T/n1/manifests/file.yaml"
sleep 0.3
is "touching the file changes nothing" "$(state file)" held
check "release" k n1 policy release
is "the file counts" "$(state file)" enforced
check "nothing is held" tidy
k n1 policy rollback "$before" >/dev/null
allow file third | policy n1 file.yaml
is "a new text ends the hold" "$(state file)" enforced
k n1 policy rollback "$before" >/dev/null
rm "$T/n1/manifests/file.yaml"
gone() { [ -z "$(state file)" ]; }
check "so does its end" retry 3 gone
check "nothing is held any more" retry 3 tidy

# --- confirm
k n1 policy rollback "$good" >/dev/null 2>&1
start=$(revision n1)
check "a change that waits" apply web other --confirm 2s
check "is in force" blocked client web
is "another one is refused" "$(apply more client 2>&1 | sed 's/, [0-9]* s more:.*//')" \
	"kilim: $T/more.yaml: revision $((start + 1)) waits for its confirmation"
taken_back() { [ "$(reason)" = "not confirmed in time: back to $1" ]; }
check "it is taken back" retry 5 taken_back "$start"
check "the client is in" reaches client web
start=$(revision n1)
apply web other --confirm 2s >/dev/null
check "confirm" k n1 policy confirm
sleep 2.2
check "what is confirmed stays" blocked client web
check_not "nothing waits" k n1 policy confirm
check "nothing is half done" tidy

k n1 policy rollback >/dev/null
start=$(revision n1)
apply web other --confirm 2s >/dev/null
node_stop n1 KILL
sleep 2.2
check "no agent: the change is in force" blocked client web
agent_start n1
node_wait n1
check "the next one takes it back" reaches client web
is "before anything else" "$(reason)" "not confirmed in time: back to $start"
start=$(revision n1)
apply web other --confirm 3s >/dev/null
restart
check "killed before the deadline: it still waits" blocked client web
check "until then" retry 5 taken_back "$start"
apply web other --confirm 30s >/dev/null
check "rollback is another word for no" k n1 policy rollback
check "at once" reaches client web
check "and the deadline is gone" tidy

# --- shadow mode
check "a policy in shadow mode" apply web other --shadow
is "stands beside the enforced one" "$(state web | sort | tr '\n' ' ')" "enforced shadow "
check "and decides nothing" reaches client web
differs() { k n1 observe --last 100 --shadow -o json | jq -e 'select(.kilim.shadow.verdict == "DEFAULT_DENY" and .flow.source.pod_name == "client")'; }
check "what it would have denied is seen" retry 3 differs
holds "and counted" "$(k n1 policy list -o json)" '.[] | select(.mode == "shadow") | .shadow_differences >= 2'
check "also as a metric" grep -Eq '^kilim_policy_shadow_differences_total{.*policy="web"} [1-9]' <(api n1 /metrics)
check "promote" k n1 policy promote web
is "it is the only one" "$(state web)" enforced
check "and decides" blocked client web
k n1 policy rollback >/dev/null
check "delete --shadow" k n1 policy delete web --shadow
is "leaves the enforced one" "$(state web)" enforced

# --- what would change
allow web other >"$T/web.yaml"
check "the client is in, to be seen" reaches client web
same="$(revision n1) $(k n1 identity list | wc -l)"
diff=$(k n1 policy diff -f "$T/web.yaml" -o json)
holds "diff names the policy and its rule" "$diff" \
	'(.policies | map(.change + .name)) == ["changedweb"] and (.rules | map(.change + .path)) == ["changedingress[0]"]'
holds "and the live flow that would be cut" "$diff" \
	'.flows.flows[] | select(.source.name == "default/client" and .destination.name == "default/web" and .port == 80 and .source.address == "'"${IP4[client]}"'")
	| .before.verdict == "allow" and (.before.rule | test("ingress.0.")) and .after.verdict == "deny" and (.after.rule | test("default deny by"))'
is "nothing was changed by it" "$(revision n1) $(k n1 identity list | wc -l)" "$same"
check "and the flow goes on" reaches client web
holds "between revisions" "$(k n1 policy diff 1 "$good" -o json)" '(.policies | map(.change + .name)) == ["addedweb"]'
check "wait" k n1 policy wait
wait_for() { k n1 policy wait --revision $(($(revision n1) + 1)) --timeout 5s; }
wait_for &
waiter=$!
sleep 0.3
apply web other >/dev/null
wait $waiter
is "wait for the next revision" $? 0
k n1 policy rollback >/dev/null
k n1 policy wait --revision 100000 --timeout 200ms >/dev/null 2>&1
is "wait in vain" $? 1

# --- killed at any moment: what was before or what is after, and the disk says the same as the kernel
broken=0
for i in $(seq "$(how_many 12 100)"); do
	from=$(api n1 /v1/policy/history | jq -r '.[0].sources | map(.name + .text) | join(" ")')
	(k n1 policy rollback || true) >/dev/null 2>&1 &
	client=$!
	sleep "0.00$((RANDOM % 10))"
	restart
	wait $client
	to=$(api n1 /v1/policy/history | jq -r '.[0].sources | map(.name + .text) | join(" ")')
	{ [ -n "$from" ] && [ -n "$to" ] && [ "$(api n1 /v1/status | jq -c .problems)" = '[]' ]; } || broken=$((broken + 1))
	tidy || broken=$((broken + 1))
	stored=$(cd "$T/n1/state/policy" && for f in *; do stat -c '%n %s' "$f"; done)
	wanted=$(api n1 /v1/policy/history | jq -r '.[0].sources[] | .name + " " + (.text | split("-")[1])')
	[ "$stored" = "$wanted" ] || broken=$((broken + 1))
done
is "killed during $i rollbacks: never half of one" $broken 0
done_testing
