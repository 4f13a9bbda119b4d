#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim policy validate: every mistake of every file with its place and what to do, warnings by analysis, exit statuses; no agent.
. "$(dirname "$0")/lib.sh"
cd "$T" || exit 1
mkdir dir

cat >good.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: x}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: shop}}]
      toPorts: [{ports: [{port: http, protocol: TCP}]}]
END
sed 's/name: web/name: odd/' good.yaml >odd.yaml
cat >>odd.yaml <<'END'
  ingressDeny:
    - fromEndpoints: [{}]
END
cat >dir/bad.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: bad}
spec:
  endpointSelector: {}
  ingress:
    - fromEndpoint: [{}]
    - fromCIDR: [10.0.0/8]
END
sed 's/cilium.io/network.io/; s/: bad/: [/' good.yaml >dir/other.yml
cat >scenario.yaml <<'END'
endpoints:
  - {name: x/web, labels: {app: web}, addresses: [192.0.2.7], ports: {http: 80/TCP}}
END

run policy validate good.yaml
is "nothing to say" 0 "1 file: nothing to say"
run policy validate odd.yaml
is "a warning" 0 "\
odd.yaml:7:7: warning: spec.ingress[0]: allows nothing: CiliumNetworkPolicy/x/odd ingressDeny[0] (odd.yaml:10) denies all of it, and goes before it; remove one of the two, or narrow the other
1 file: 1 warning"
run policy validate --strict odd.yaml
is "--strict" 1
run policy validate --strict good.yaml
is "--strict with nothing to say" 0
run policy validate good.yaml dir
is "mistakes in a directory" 2 "\
dir/bad.yaml:7:7: error: spec.ingress[0].fromEndpoint: unknown field; did you mean fromEndpoints?
dir/bad.yaml:8:18: error: spec.ingress[1].fromCIDR[0]: \"10.0.0/8\" is no CIDR; write 10.0.0.0/8 or fd00::/8
3 files: 2 errors"
run policy validate - <dir/bad.yaml
if [ "$STATUS" = 2 ] && [[ $OUT == "-:7:7: error: "* ]]; then ok "standard input"; else not_ok "standard input" "$STATUS $OUT"; fi
run policy validate nix.yaml odd.yaml
if [ "$STATUS" = 2 ] && [[ $OUT == "nix.yaml:1:1: error: "*"odd.yaml:7:7: warning: "*"1 error, 1 warning" ]]; then ok "a file that is not there hides nothing"; else not_ok "a file that is not there hides nothing" "$STATUS $OUT"; fi
run policy validate -o json odd.yaml dir/bad.yaml
if [ "$STATUS" = 2 ] && jq -e 'map([.severity, .file, .line, .column, .field]) == [["error", "dir/bad.yaml", 7, 7, "spec.ingress[0].fromEndpoint"],
	["error", "dir/bad.yaml", 8, 18, "spec.ingress[1].fromCIDR[0]"], ["warning", "odd.yaml", 7, 7, "spec.ingress[0]"]]
	and .[0].message == "unknown field" and .[0].hint == "did you mean fromEndpoints?" and all(.hint != "")' <<<"$OUT" >/dev/null; then
	ok "-o json"
else
	not_ok "-o json" "$STATUS $OUT"
fi
run policy validate -o json good.yaml
is "nothing as JSON" 0 "[]"

# Two files that define the same policy.
run policy validate good.yaml good.yaml
if [ "$STATUS" = 2 ] && [[ $OUT == *"metadata.name: CiliumNetworkPolicy/x/web is in good.yaml:1, too; rename one of the two"* ]]; then ok "one name twice"; else not_ok "one name twice" "$STATUS $OUT"; fi

# Who there is.
run policy validate --scenario scenario.yaml good.yaml
is "a selector that nobody meets" 0 "\
good.yaml:7:7: warning: spec.ingress[0]: the selector any:app=shop,k8s:io.cilium.k8s.policy.cluster=default,k8s:io.kubernetes.pod.namespace=x means nobody that there is; compare it with the labels of the endpoints
1 file: 1 warning"
sed 's/http/htp/; s/app: shop/app: web/' good.yaml >name.yaml
run policy validate --scenario scenario.yaml name.yaml
if [ "$STATUS" = 0 ] && [[ $OUT == *'no endpoint that is selected calls a port "htp"'* ]]; then ok "a port that nobody calls so"; else not_ok "a port that nobody calls so" "$STATUS $OUT"; fi
sed 's/fromEndpoints.*/fromCIDR: [192.0.2.7\/32, 10.200.0.9\/32]/' good.yaml >cidr.yaml
run policy validate cidr.yaml
if [ "$STATUS" = 0 ] && [[ $OUT == *"10.200.0.9/32 is inside 10.200.0.0/24, which is of pods"*"1 warning" ]]; then ok "a CIDR of pods"; else not_ok "a CIDR of pods" "$STATUS $OUT"; fi
run policy validate --cluster-range 192.0.0.0/16 cidr.yaml
if [ "$STATUS" = 0 ] && [[ $OUT == *"192.0.2.7/32 is inside 192.0.0.0/16"*"1 warning" ]]; then ok "--cluster-range"; else not_ok "--cluster-range" "$STATUS $OUT"; fi
run policy validate --scenario scenario.yaml cidr.yaml
if [ "$STATUS" = 0 ] && [[ $OUT == *"192.0.2.7/32 is of pods or nodes"*"2 warnings" ]]; then ok "addresses of the scenario"; else not_ok "addresses of the scenario" "$STATUS $OUT"; fi
run policy validate --policy-cidr-match-mode pods cidr.yaml
is "where CIDRs mean pods it is in order" 0 "1 file: nothing to say"

run policy validate --scenario nix.yaml good.yaml
says "no such scenario" 2 "nix.yaml"
run policy validate --cluster-range x good.yaml
says "a range that is none" 2 '--cluster-range: "x" is no CIDR'
run policy validate
is "no file" 2

# The examples are in order.
for file in "$ROOT"/examples/policies/*.yaml; do
	case $file in *-test.yaml) continue ;; esac
	run policy validate "$file"
	if [ "$STATUS" != 2 ]; then ok "examples/$(basename "$file")"; else not_ok "examples/$(basename "$file")" "$OUT"; fi
done
done_testing
