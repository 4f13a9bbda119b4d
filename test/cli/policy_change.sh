#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim policy history, diff, wait, rollback, release, apply --confirm, confirm, apply --shadow, promote: what is asked of the agent and what is printed.
. "$(dirname "$0")/lib.sh"
agent_start
cd "$T" || exit 1

manifest() { # NAME
	printf 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: %s}\nspec:\n  endpointSelector: {}\n' "$1"
}

# --- history
entry() { # REVISION REASON IN-FORCE
	printf '{"revision": %s, "time": "2026-11-27T10:00:0%s.123456789Z", "reason": "%s", "policies": 2, "rules": 7, "slots": 3, "rule_entries": 40,
		"peer_entries": 120, "sources": [], "in_force": %s' "$1" "$1" "$2" "$3"
}
answer get_v1_policy_history.json 200 "[$(entry 5 "api web.yaml changed" true)}, $(entry 4 "rollback to 2" false)}]"
run policy history
is "the history as a table" 0 "\
REVISION   TIME                   POLICIES   RULES   SLOTS   ENTRIES   REASON
       5   2026-11-27T10:00:05Z          2       7       3       160   api web.yaml changed
       4   2026-11-27T10:00:04Z          2       7       3       160   rollback to 2"
run policy history -o json
if [ "$(jq -c 'map(.revision)' <<<"$OUT")" = '[5,4]' ]; then ok "the history as JSON"; else not_ok "the history as JSON" "$OUT"; fi
answer get_v1_policy_history_5.json 200 "$(entry 5 "api web.yaml changed" true), \"before\": 4,
	\"policy\": [{\"kind\": \"NetworkPolicy\", \"namespace\": \"prod\", \"name\": \"web\", \"mode\": \"shadow\", \"file\": \"api:web.shadow.yaml\", \"line\": 1}],
	\"changes\": [{\"source\": \"api:web.yaml\", \"change\": \"changed\", \"before\": \"a\\nb\\nc\\nd\\ne\\nf\\ng\\nh\\n\", \"after\": \"a\\nb\\nc\\nd\\ne\\nF\\nG\\nh\\n\"},
	{\"source\": \"api:new.yaml\", \"change\": \"added\", \"before\": null, \"after\": \"x: \\u001b[1m\\n\"}], \"errors\": [\"a text is damaged\"]}"
run policy history 5
is "one revision and what it changed" 0 "\
revision 5, 2026-11-27T10:00:05Z, in force: api web.yaml changed
2 policies, 7 rules in 3 slots; 40 rule entries, 120 peer entries

KIND            NAME       MODE     SOURCE
NetworkPolicy   prod/web   shadow   api:web.shadow.yaml:1

since revision 4:
api:web.yaml changed
@@ 3 @@
 c
 d
 e
-f
-g
+F
+G
 h
api:new.yaml added
@@ 1 @@
+x: ?[1m

missing: a text is damaged"
run policy history five
says "what is no revision" 2 "'five' is no revision: a number"

# --- diff
answer post_v1_policy_diff.json 200 '{"from": 5, "to": null, "policies": [
	{"change": "changed", "kind": "NetworkPolicy", "namespace": "prod", "name": "web", "mode": "enforce", "file": "api:web.yaml", "line": 1},
	{"change": "removed", "kind": "CiliumClusterwideNetworkPolicy", "namespace": "", "name": "all", "mode": "shadow", "file": "api:all.yaml", "line": 3}],
	"rules": [{"change": "added", "policy": "NetworkPolicy/prod/web", "path": "ingress[1]", "verdict": "allow", "direction": "ingress", "file": "api:web.yaml",
	"line": 9}], "entries": {"slots": {"before": 3, "after": 4, "written": 2}, "rule_entries": {"before": 10, "after": 12, "written": 5},
	"peer_entries": {"before": 1, "after": 0, "written": 0}}, "flows": {"seen": 7, "changed": 3, "flows": [
	{"protocol": "TCP", "port": 443, "source": {"address": "10.0.0.1", "identity": 256, "name": "prod/a"}, "destination": {"address": "192.0.2.1", "identity": 9,
	"name": "reserved:world-ipv4"}, "count": 4, "before": {"verdict": "allow", "direction": "egress", "rule": "no policy"},
	"after": {"verdict": "deny", "direction": "egress", "rule": "default deny by NetworkPolicy/prod/web"}},
	{"protocol": "ICMPv6", "port": 32768, "source": {"address": "fd00::1", "identity": 256, "name": ""}, "destination": {"address": "fd00::2", "identity": 9,
	"name": ""}, "count": 1, "before": {"verdict": "deny", "direction": "ingress", "rule": "a"}, "after": {"verdict": "audit", "direction": "ingress", "rule": "b"}}]},
	"refused": "it breaks an assertion"}'
manifest d >d.yaml
run policy diff -f d.yaml
is "what a file would change" 0 "\
2 policies and 1 rules differ
~ NetworkPolicy/prod/web  api:web.yaml:1
- CiliumClusterwideNetworkPolicy/all (shadow)  api:all.yaml:3

+ NetworkPolicy/prod/web ingress[1] allow ingress  api:web.yaml:9

slots: 4, were 3; 2 to write
rule entries: 12, were 10; 5 to write
peer entries: 0, were 1; 0 to write

of 7 flows that were seen 3 would get another verdict
10.0.0.1 (prod/a) -> 192.0.2.1 (reserved:world-ipv4) 443/TCP, 4 times
    allow  egress: no policy
    deny   egress: default deny by NetworkPolicy/prod/web
fd00::1 -> fd00::2 ICMPv6 type 128
    deny   ingress: a
    audit  ingress: b
and 1 more

it would be refused: it breaks an assertion"
called "the files are sent" '.[1] | .path == "/v1/policy/diff" and (.body.files | map(.name)) == ["d.yaml"]'
run policy diff 3 5
called "two revisions" '.[0].body == {"from": 3, "to": 5}'
run policy diff -f d.yaml -o json
if [ "$(jq .flows.changed <<<"$OUT")" = 3 ]; then ok "as JSON"; else not_ok "as JSON" "$OUT"; fi
run policy diff
says "of nothing" 2 "give files with -f, or one or two revisions"
run policy diff 3 -f d.yaml
says "or of both" 2 "give files with -f, or one or two revisions"

# --- wait
status() { # REVISION
	answer get_v1_status.json 200 "{\"ready\": true, \"policy\": {\"revision\": $1}}"
}
status 5
answer get_v1_policy.json 200 '[{"state": "enforced", "endpoints": 2, "realized": 2}, {"state": "refused", "endpoints": 3, "realized": 0}]'
run policy wait
is "what is accepted is in force" 0 "revision 5 is in force, realized 2/2"
run policy wait --revision 6 --timeout 300ms
says "a revision that does not come" 1 "not in time: revision 5 is in force, realized 2/2"
run policy wait --revision 6 --timeout 1200ms
says "it is told after a second" 1 "kilim: revision 5 is in force, 6 is waited for; realized 2/2"
answer get_v1_policy.json 200 '[{"state": "enforced", "endpoints": 2, "realized": 1}]'
run policy wait --timeout 0s
says "an endpoint that is not there yet" 1 "realized 1/2"
answer get_v1_policy.json 200 '[{"state": "pending", "endpoints": 0, "realized": 0}]'
run policy wait --timeout 0s
says "a policy that is to come" 1 "not in time"
run policy wait --timeout soon
says "what is no duration" 2 "--timeout: 'soon' is no duration"
cp "$ROOT"/test/cli/data/get_v1_policy.json "$ROOT"/test/cli/data/get_v1_status.json "$DATA"

# --- rollback, release
answer post_v1_policy_rollback.json 200 '{"revision": 7, "to": 4, "held": ["/etc/kilim/manifests/web.yaml"]}'
run policy rollback
is "back to the one before" 0 "\
rolled back to revision 4, in force as revision 7
held: /etc/kilim/manifests/web.yaml; what it says now comes into force when it changes again or by 'kilim policy release'"
called "the agent chooses which" '.[0].body == {}'
run policy rollback 4
called "back to a revision" '.[0].body == {"revision": 4}'
run policy rollback 0
says "revisions begin at 1" 2 "'0' is no revision"
answer post_v1_policy_rollback.json 404 '{"error": "revision 3 is not in the history"}'
run policy rollback 3
says "one that is gone" 1 "revision 3 is not in the history"
answer post_v1_policy_release.json 200 '{"revision": 8}'
run policy release
is "files are released" 0 "released, revision 8"
called "all of them" '.[0].body == {}'
run policy release /etc/kilim/manifests/web.yaml
called "one by its path" '.[0].body == {"name": "web.yaml"}'

# --- apply --confirm
manifest a >a.yaml
mkdir -p x y
manifest b >x/same.yaml
manifest c >y/same.yaml
answer post_v1_policy.json 200 '{"revision": 9, "confirm": {"back_to": 8, "deadline": "2026-11-27T10:01:00Z", "left_ms": 59800}, "policies": [
	{"kind": "CiliumNetworkPolicy", "namespace": "default", "name": "a", "endpoints": 2, "file": "api:a.yaml"},
	{"kind": "CiliumNetworkPolicy", "namespace": "default", "name": "b", "endpoints": 0, "file": "api:same.yaml"},
	{"kind": "CiliumNetworkPolicy", "namespace": "default", "name": "c", "endpoints": 1, "file": "api:same-2.yaml"}]}'
run policy apply -f a.yaml -f x -f y --confirm 1m </dev/null
is "a change that waits" 0 "\
a.yaml: CiliumNetworkPolicy/default/a applied, revision 9, 2 endpoints
x/same.yaml: CiliumNetworkPolicy/default/b applied, revision 9, 0 endpoints
y/same.yaml: CiliumNetworkPolicy/default/c applied, revision 9, 1 endpoints
revision 9 is taken back in 60 s, to revision 8, unless you run: kilim policy confirm"
called "all files are one change" 'map(select(.method == "POST")) | length == 1 and .[0].path == "/v1/policy" and
	(.[0].body | .confirm == "1m" and .dry_run == false and (.files | map(.name)) == ["a.yaml", "same.yaml", "same-2.yaml"])'
run policy apply -f a.yaml --confirm soon
says "what is no duration" 2 "--confirm: 'soon' is no duration"
called "nothing was asked" 'length == 0'
answer post_v1_policy.json 400 '{"error": "api:same-2.yaml:5:3: spec.x: unknown field"}'
run policy apply -f a.yaml -f x -f y --confirm 1m
says "a mistake is told with its file" 1 "kilim: y/same.yaml:5:3: spec.x: unknown field"
is "and nothing is said to be applied" 1 ""
answer post_v1_policy.json 409 '{"error": "revision 9 waits for its confirmation, 41 s more: first ..."}'
run policy apply -f a.yaml --confirm 1m
says "one after the other" 1 "kilim: revision 9 waits for its confirmation, 41 s more"
answer post_v1_policy_confirm.json 200 '{"revision": 9}'
run policy confirm
is "confirm" 0 "confirmed, revision 9 stays"

# On a terminal it is waited for.
if command -v script >/dev/null; then
	answer post_v1_policy.json 200 '{"revision": 5, "confirm": {"back_to": 4, "deadline": "2026-11-27T10:01:00Z", "left_ms": 900}, "policies": []}'
	tty() { script -qec "$KILIM --run-dir $T policy apply -f $T/a.yaml --confirm 1s" /dev/null </dev/null | tr -d '\r' | sed 's/\x1b\[K//g'; }
	OUT=$(tty)
	if [[ $OUT == *"confirmed, revision 5 stays"* ]]; then ok "on a terminal: confirmed"; else not_ok "on a terminal: confirmed" "$OUT"; fi
	answer get_v1_policy_history.json 200 "[$(entry 6 "not confirmed in time: back to 4" true)}]"
	OUT=$(tty)
	if [[ $OUT == *"taken back: what was before is in force again"* ]]; then ok "on a terminal: taken back"; else not_ok "on a terminal: taken back" "$OUT"; fi
else
	skip "on a terminal" "no script(1)"
fi

# --- shadow mode
cp "$ROOT/test/cli/data/put_v1_policy_new.yaml.json" "$DATA/put_v1_policy_new.shadow.yaml.json"
manifest new >new.yaml
run policy apply -f new.yaml --shadow
called "the mode goes with the name" '.[1].path == "/v1/policy/new.shadow.yaml"'
shadow='{"kind": "NetworkPolicy", "namespace": "prod", "name": "web", "file": "api:web.shadow.yaml", "line": 1, "mode": "shadow", "state": "shadow", "shadow_differences": 7,
	"rule": [{"id": 4, "path": "ingress[0]", "direction": "ingress", "verdict": "allow", "hits": 5, "line": 9}]}'
answer get_v1_policy.json 200 "[$shadow, {\"kind\": \"NetworkPolicy\", \"namespace\": \"prod\", \"name\": \"web\", \"file\": \"api:web.yaml\", \"line\": 1,
	\"mode\": \"enforce\", \"state\": \"enforced\"}]"
run policy delete web
called "of two namesakes the enforced one is meant" '.[1] | .path == "/v1/policy/NetworkPolicy/prod/web" and .query == {}'
run policy delete web --shadow
called "the one in shadow mode when asked for" '.[1].query.mode == ["shadow"]'
answer post_v1_policy_networkpolicy_prod_web_promote.json 200 '{"revision": 11}'
run policy list
is "differences are listed" 0 "\
KIND            NAME       STATE      RULES   REALIZED   HITS   DIFFERENCES   SOURCE
NetworkPolicy   prod/web   shadow         0        0/0      0             7   api:web.shadow.yaml:1
NetworkPolicy   prod/web   enforced       0        0/0      0             -   api:web.yaml:1"
run policy list --rules
called "rules are asked for" '.[0].path == "/v1/policy" and .[0].query.rules == ["1"]'
is "and listed" 0 "\
RULE   POLICY                            PATH         DIRECTION   VERDICT   HITS   SOURCE
   4   NetworkPolicy/prod/web (shadow)   ingress[0]   ingress     allow        5   api:web.shadow.yaml:9"
run policy promote web
is "promote" 0 "NetworkPolicy/prod/web is enforced, revision 11"
answer get_v1_policy.json 200 "[$shadow]"
run policy delete web
called "the one that there is" '.[1].query.mode == ["shadow"]'
answer get_v1_policy.json 200 "[]"
run policy promote web
says "nothing to promote" 1 "there is no policy 'web' in shadow mode"
done_testing
