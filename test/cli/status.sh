#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim status: the page, --brief, --wait, and what the exit status says.
. "$(dirname "$0")/lib.sh"
agent_start

run status
is "the page" 0 "\
Agent:       kilim 0.1.0 on node n1 of cluster default, process 4711, up 1d2h3m4s
State:       ready, took over a running data path
Kernel:      6.1.0-31-amd64
Endpoints:   3: 2 ready, 1 pending
Identities:  14
Policy:      revision 4: 2 policies, 7 rules in 3 slots; 40 of 65536 rule entries, 120 of 262144 peer entries
Flows:       12 of 262144 answered, 3 of 65536 half-open
Events:      1234 written, 0 lost
Addresses:   10.200.0.0/24: 4 of 254 in use
             fd00:200::/120: 4 of 255 in use
Sources:     file /etc/kilim/manifests: error, policies: 1
             /etc/kilim/manifests/a.yaml:3:5: spec.x: unknown field
             api: ok, policies: 1
Memory:      9.2 MiB resident, 70 MiB in maps
Problems:    policy: a.yaml is not in force"
run status --brief
is "--brief tells problems" 0 "policy: a.yaml is not in force"
run status -o json
if jq -e '.ready and .policy.revision == 4' <<<"$OUT" >/dev/null; then ok "-o json"; else not_ok "-o json" "$OUT"; fi
run status --wait --brief
is "--wait of a ready agent" 0 "policy: a.yaml is not in force"

answer get_v1_status.json 200 '{"ready": true, "problems": []}'
run status --brief
is "--brief of a good agent" 0 OK
answer get_v1_status.json 200 '{"ready": false, "problems": []}'
run status --brief
is "not ready is status 1" 1 "not ready yet"

answer get_v1_healthz.json 503 '{"error": "endpoints are being restored"}'
run status --wait=300ms
says "--wait in vain" 1 "still not ready: endpoints are being restored"
run status --wait=soon
says "--wait with rubbish" 2 "'soon' is no duration"
(sleep 0.5; answer get_v1_healthz.json 200 '{"status": "ok"}') &
answer get_v1_status.json 200 '{"ready": true, "problems": []}'
run status --wait=30s --brief
is "--wait until it is ready" 0 OK
agent_stop
run status
says "no agent" 3 "kilimd does not run"
run status --wait=200ms
says "--wait for no agent" 3 "still not ready: kilimd does not run"
(sleep 0.5; exec "$FAKE" "$T" "$DATA") &
AGENT=$!
run status --wait=30s --brief
is "--wait for an agent that starts" 0 OK
done_testing
