#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim policy explain: offline by scenarios, files and directories; by names, addresses and labels; and what is asked of the agent.
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
      icmps: [{fields: [{family: IPv4, type: 8}]}]
END
cat >scenario.yaml <<'END'
endpoints:
  - {name: x/web, labels: {app: web}, addresses: [10.0.0.1, "fd00::1"]}
  - {name: x/shop, labels: {app: shop}, addresses: [10.0.0.2, "fd00::2"]}
policies: [policies]
END
explain() { # FILE ARGUMENT...
	run policy explain --offline -f "$@"
}

explain scenario.yaml --from x/shop --to x/web --port 81/TCP
is "a default deny, the same for both families" 0 "\
x/shop -> x/web  81/TCP  IPv4, IPv6  deny
  egress   allowed: no policy restricts egress of x/shop
  ingress  denied by default, because of CiliumNetworkPolicy/x/web (policies/web.yaml:1)
           nearest: CiliumNetworkPolicy/x/web ingress[0] (policies/web.yaml:7) allows 80/TCP, not 81/TCP [port]"
explain scenario.yaml --from 10.0.0.2 --to 10.0.0.1 --port 80
if [ "$STATUS" = 0 ] && [[ $OUT == "x/shop -> x/web  80/TCP  IPv4, IPv6  allow"*"allowed by CiliumNetworkPolicy/x/web ingress[0] (policies/web.yaml:7), tier "* ]]; then
	ok "addresses of endpoints"
else
	not_ok "addresses of endpoints" "$OUT $ERR"
fi
explain policies --from x/app=shop --to app=web,io.kubernetes.pod.namespace=x --port 80/UDP --family IPv6
is "labels, by a directory of policies" 0 "\
x/app=shop -> x/app=web  80/UDP  IPv6  deny
  egress   allowed: no policy restricts egress of x/app=shop
  ingress  denied by default, because of CiliumNetworkPolicy/x/web (policies/web.yaml:1)
           nearest: CiliumNetworkPolicy/x/web ingress[0] (policies/web.yaml:7) allows 80/TCP, not 80/UDP [protocol]"
explain policies/web.yaml --from 198.51.101.1 --to x/app=web --protocol ICMP
is "an address outside, by a file of policies" 0 "\
world:198.51.101.1 -> x/app=web  8/ICMP  IPv4  deny
  ingress  denied by default, because of CiliumNetworkPolicy/x/web (policies/web.yaml:1)
           nearest: CiliumNetworkPolicy/x/web ingress[1] (policies/web.yaml:9) 198.51.101.1 is not in 198.51.100.0/24 [CIDR]"
explain policies/web.yaml --from app.kubernetes.io/name=shop --to x/app=web --port 80
if [[ $OUT == "default/app.kubernetes.io/name=shop -> x/app=web"*"wants app=shop, default/app.kubernetes.io/name=shop has no such label [peer]" ]]; then
	ok "a label key with a slash"
else
	not_ok "a label key with a slash" "$OUT $ERR"
fi
explain scenario.yaml --from host --to x/web --icmp-type 13 --icmp-code 1 --protocol icmp
is "the own node, ICMP" 0 "\
host -> x/web  13:1/ICMP  IPv4  allow
  ingress  allowed: the node of x/web always reaches it"
explain scenario.yaml --from x/shop --to x/web --port 81 -o json
if jq -e 'length == 2 and (map(.family) == ["IPv4", "IPv6"]) and .[0].verdict == "deny" and .[0].because == "default-deny"
	and .[0].egress.because == "no-policy" and .[0].ingress.policies[0].policy == "CiliumNetworkPolicy/x/web"
	and .[0].ingress.nearest.line == 7 and .[0].ingress.nearest.field == "port"' <<<"$OUT" >/dev/null; then
	ok "as JSON"
else
	not_ok "as JSON" "$OUT $ERR"
fi

agent_start
run policy explain --from shop --to x/web --port 443 --family IPv4
is "the agent's answer" 0 "\
shop -> x/web  443/TCP  IPv4, IPv6  deny
  ingress  denied by default, because of CiliumNetworkPolicy/x/web (web.yaml:1)
           nearest: none
recorded 2026-01-02T03:04:05Z: deny
  ingress  default deny by CiliumNetworkPolicy/x/web"
called "the question" '.[0] | .path == "/v1/policy/explain" and .query == {"from": ["shop"], "to": ["x/web"], "port": ["443/TCP"], "family": ["IPv4"]}'
run policy explain --flow 1b4e28ba-2fa1-41d2-883f-0016d3cca427
called "a flow" '.[0].query == {"flow": ["1b4e28ba-2fa1-41d2-883f-0016d3cca427"]}'

wrong() { # TEXT ARGUMENT...
	local text=$1
	shift
	run policy explain "$@"
	says "policy explain $*" 2 "$text"
}
wrong "--from and --to are needed"
wrong "-f is for --offline" --from a --to b --port 1 -f scenario.yaml
wrong "--flow says who the ends are" --flow x --from a
wrong "it and --offline exclude each other" --flow x --offline
wrong "-f is missing" --offline --from x/web --to x/shop --port 1
wrong "--port is missing" --offline -f scenario.yaml --from x/web --to x/shop
wrong '--to: there is no endpoint "x/shpo"; did you mean x/shop?' --offline -f scenario.yaml --from x/web --to x/shpo --port 1
wrong '"1.2.3" is no' --offline -f scenario.yaml --from world:1.2.3 --to x/shop --port 1
wrong '"TPC" is no protocol; did you mean TCP?' --offline -f scenario.yaml --from x/web --to x/shop --port 1/TPC
wrong "only ICMP and ICMPv6 have types" --offline -f scenario.yaml --from x/web --to x/shop --icmp-type 8 --protocol TCP
wrong "there is no such packet" --offline -f scenario.yaml --from x/web --to x/shop --protocol ICMP --family IPv6
wrong "no workload has this label" --offline -f scenario.yaml --from reserved:host=x --to x/shop --port 1
wrong "nowhere: No such file" --offline -f nowhere --from x/web --to x/shop --port 1
done_testing
