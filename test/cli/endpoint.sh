#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim endpoint add and delete: the request that the options make, what is printed, and how failures end.
. "$(dirname "$0")/lib.sh"
agent_start

run endpoint add --netns web
is "an endpoint is added" 0 "endpoint 3 default/client added: identity 257, 10.200.0.3, fd00:200::3, ready"
called "a name is a file in /run/netns" '.[0] | .method == "POST" and .path == "/v1/endpoint" and .body == {labels: [], ports: [], source: "cli", netns: "/run/netns/web"}'
run endpoint add --netns /proc/1/ns/net -n prod --name=db -l app=db --label tier --label any:x=y:z --label u=a:b -p web=80/TCP --port dns=53/udp --ifname net1 \
	--no-ipv4 --ipv6 --address fd00:200::9
called "all options" '.[0].body == {labels: ["k8s:app=db", "k8s:tier", "any:x=y:z", "k8s:u=a:b"], ports: ["web=80/TCP", "dns=53/udp"], source: "cli", netns: "/proc/1/ns/net", name: "db",
	namespace: "prod", ifname: "net1", ipv4: false, ipv6: true, address6: "fd00:200::9"}'
run endpoint add --netns ./x --address 10.200.0.9
called "a relative path becomes absolute" ".[0].body.netns == \"$PWD/./x\" and .[0].body.address4 == \"10.200.0.9\""
run endpoint add --netns x -o json
if jq -e '.id == 3' <<<"$OUT" >/dev/null; then ok "the new endpoint as JSON"; else not_ok "the new endpoint as JSON" "$OUT"; fi
answer post_v1_endpoint.json 507 '{"error": "pool 10.200.0.0/24: all 254 addresses are in use"}'
run endpoint add --netns x
says "the pool is exhausted" 1 "kilim: pool 10.200.0.0/24: all 254 addresses are in use"
answer post_v1_endpoint.json 409 '{"error": "endpoint x is there already"}'
run endpoint add --netns x
says "it is there already" 1 "kilim: endpoint x is there already"

run endpoint delete 1
is "an endpoint is deleted" 0 "endpoint 1 deleted"
called "the call" '.[0] | .method == "DELETE" and .path == "/v1/endpoint/1"'
run endpoint delete nix 1
says "one of two is not there" 1 "kilim: endpoint nix: there is none"
is "the other is deleted all the same" 1 "endpoint 1 deleted"
agent_stop
run endpoint delete 1 1 1
says "no agent: said once" 3 "kilimd does not run"
if [ "$(wc -l <<<"$ERR")" = 1 ]; then ok "and not once per endpoint"; else not_ok "and not once per endpoint" "$ERR"; fi
run endpoint add --netns x
says "no agent" 3 "kilimd does not run"
done_testing
