#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim policy: list, get by short names, apply of files, directories and standard input, delete by name and by file.
. "$(dirname "$0")/lib.sh"
agent_start
cd "$T" || exit 1

manifest() { # KIND NAMESPACE NAME
	printf 'apiVersion: cilium.io/v2\nkind: %s\nmetadata:\n  name: %s\n' "$1" "$3"
	[ -z "$2" ] || printf '  namespace: %s\n' "$2"
	printf 'spec:\n  endpointSelector: {}\n'
}

run policy list
is "policies as a table" 0 "\
KIND                             NAME          STATE      RULES   REALIZED   HITS   DIFFERENCES   SOURCE
CiliumNetworkPolicy              default/web   enforced       2        1/1     12             -   /etc/kilim/manifests/web.yaml:3
NetworkPolicy                    prod/web      enforced       1        0/0      0             -   api:web.yaml:1
CiliumClusterwideNetworkPolicy   baseline      refused       12        0/2      0             -   api:stdin.yaml:12"
run policy get baseline
is "a policy by its short name" 0 'kind: CiliumClusterwideNetworkPolicy
namespace: ""
name: baseline
state: pending
spec:
  endpointSelector: {}
rule: []'
called "its full name is asked for" '.[1].path == "/v1/policy/CiliumClusterwideNetworkPolicy/-/baseline"'
for name in prod/web NetworkPolicy/prod/web NetworkPolicy/web; do
	run policy get "$name" -o json
	if [ "$(jq -r .namespace <<<"$OUT")" = prod ]; then ok "policy get $name"; else not_ok "policy get $name" "$OUT $ERR"; fi
done
run policy get web
says "a name that means two" 1 "'web' means 2 policies: CiliumNetworkPolicy/default/web, NetworkPolicy/prod/web; give one of these names"
run policy get baselin
says "an unknown one" 1 "there is no policy 'baselin'; did you mean 'baseline'?"

manifest CiliumNetworkPolicy default new >new.yaml
run policy apply -f new.yaml
is "a file is applied" 0 "new.yaml: CiliumNetworkPolicy/default/new applied, revision 5, 2 endpoints"
called "its text goes under its name" '.[1] | .method == "PUT" and .path == "/v1/policy/new.yaml" and (.query | has("dry_run") | not)
	and (.body.text | startswith("apiVersion: cilium.io/v2\n"))'
run policy apply -f new.yaml --dry-run
is "--dry-run" 0 "new.yaml: CiliumNetworkPolicy/default/new would be applied"
called "--dry-run is told" '.[1].query.dry_run == ["1"]'
run policy apply -f new.yaml -o json
if jq -e '.revision == 5' <<<"$OUT" >/dev/null; then ok "the answer as JSON"; else not_ok "the answer as JSON" "$OUT"; fi

# What the agent keeps under a name is not dropped by another file of that name.
manifest CiliumNetworkPolicy default other >web.yaml
run policy apply -f web.yaml
called "a file of the same name is another one" '.[1].path == "/v1/policy/web-2.yaml"'
manifest NetworkPolicy prod web >web.yaml
run policy apply -f web.yaml
called "a file with the same policy replaces it" '.[1].path == "/v1/policy/web.yaml"'
run policy apply -f - <new.yaml
is "standard input" 0 "-: CiliumNetworkPolicy/default/new applied, revision 5, 2 endpoints"
called "it does not replace what came that way before" '.[1].path == "/v1/policy/stdin-2.yaml"'

mkdir dir
cp new.yaml dir/.hidden.yaml
cp new.yaml dir/a.txt
run policy apply -f dir
says "a directory without manifests" 1 "dir: no *.yaml, *.yml or *.json file in this directory"
cp new.yaml dir/new.yaml
manifest CiliumNetworkPolicy default bad >dir/bad.yaml
run policy apply -f dir
says "a mistake is told with the file's path" 1 "kilim: dir/bad.yaml:4:3: spec.ingres: unknown field; did you mean 'ingress'?"
is "the other file of the directory is applied" 1 "dir/new.yaml: CiliumNetworkPolicy/default/new applied, revision 5, 2 endpoints"
printf 'a: [\n' >broken.yaml
run policy apply -f broken.yaml
says "what is no YAML is told with its place" 1 "kilim: broken.yaml:2:1: "
called "and not sent" 'length == 0'
run policy apply -f none.yaml
says "a file that is not there" 1 "none.yaml: No such file or directory"
run policy apply -f new.yaml -f none.yaml
called "one of several: nothing is applied" 'length == 0'
head -c 8000000 /dev/zero | tr '\0' ' ' >big.yaml
run policy apply -f big.yaml
says "a file that is too large" 1 "big.yaml: larger than"
printf 'a: \xff\n' >latin.yaml
run policy apply -f latin.yaml
says "a file that is no UTF-8" 1 "latin.yaml:"

run policy delete prod/web
is "a policy is deleted" 0 "NetworkPolicy/prod/web deleted, revision 6"
run policy delete web
says "deleting what means two" 1 "'web' means 2 policies"
called "deletes neither" 'map(select(.method == "DELETE")) | length == 0'
run policy delete default/web
says "one from the manifest directory" 1 "remove it there"
run policy delete -f web.yaml
is "by file" 0 "NetworkPolicy/prod/web deleted, revision 6"
{
	echo '---'
	printf 'apiVersion: v1\nkind: List\nitems:\n'
	manifest NetworkPolicy prod web | sed '1s/^/- /; 2,$s/^/  /'
	echo '---'
	manifest ConfigMap x y
} >list.yaml
run policy delete -f list.yaml
is "by file with a list" 0 "NetworkPolicy/prod/web deleted, revision 6"
for kind in CiliumClusterwideNetworkPolicy ClusterNetworkPolicy AdminNetworkPolicy BaselineAdminNetworkPolicy; do
	manifest "$kind" "" baseline >wide.yaml
	run policy delete -f wide.yaml
	called "$kind has no namespace" ".[0].path == \"/v1/policy/$kind/-/baseline\""
done
echo 'kind: ConfigMap' >map.yaml
run policy delete -f map.yaml
says "by file without a policy" 1 "map.yaml: no policy in it"
agent_stop
run policy apply -f dir
says "no agent: said once" 3 "kilimd does not run"
if [ "$(wc -l <<<"$ERR")" = 1 ]; then ok "and not once per file"; else not_ok "and not once per file" "$ERR"; fi
done_testing
