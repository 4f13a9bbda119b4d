#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
#
# Policies change what real programs can do, at once and also for what is already connected.
#
#   web (nginx 80, 8080, 8090)   client (role=client)   other (role=other)   world (192.0.2.2)
#      |                            |                      |                   |
#   [ node n1, 192.0.9.1                                                                ]
. "$(dirname "$0")/lib.sh"

node_start n1 --allow-localhost=policy
host_address n1
outside n1 world
outside n1 world3 3
workload n1 web app=web
workload n1 client role=client
workload n1 other role=other
web web 80 8080 8090
web world 80
web world3 80
web n1 80

for who in client other world n1; do check "no policy: $who reaches web" reaches $who web; done

policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints:
    - matchLabels: {role: client}
    toPorts:
    - ports: [{port: "80", protocol: TCP}]
END
check "allowed label and port" reaches client web 80
check "allowed label, other port" blocked client web 8080
check "other label" blocked other web 80
check "world" blocked world web 80
check "node (allow-localhost=policy)" blocked n1 web 80
check "egress of the server is free" reaches web world 80
check_not "ping is not TCP port 80" pings client web

policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEntities: [host, world]
  - fromEndpoints:
    - matchLabels: {role: client}
    toPorts:
    - ports: [{port: "8080", endPort: 8089, protocol: TCP}]
END
check "entity world" reaches world web
check "entity host" reaches n1 web
check "label, first port of a range" reaches client web 8080
check "label, behind the range" blocked client web 8090
check "label, before the range" blocked client web 80
check "unnamed label" blocked other web 8080

policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromCIDR: [192.0.2.0/24, "2001:db8:2::/64"]
  - fromEntities: [cluster]
  ingressDeny:
  - fromEndpoints:
    - matchLabels: {role: other}
    toPorts:
    - ports: [{port: "80", protocol: TCP}]
END
check "CIDR inside" reaches world web
check "CIDR outside" blocked world3 web
check "entity cluster" reaches client web
check "deny goes before allow" blocked other web 80
check "deny names one port only" reaches other web 8080

policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromCIDRSet:
    - {cidr: 192.0.0.0/16, except: [192.0.3.0/24]}
    - {cidr: "2001:db8::/32", except: ["2001:db8:3::/48"]}
END
check "CIDR set" reaches world web
check "exception of a CIDR set" blocked world3 web
check "CIDR does not mean endpoints" blocked client web

# An empty rule has no peers and still enforces; an empty list does nothing.
policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{}]
END
check "an empty rule: default deny for the client" blocked client web
check "an empty rule: default deny for the world" blocked world web
policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: []
  egress: [{}]
END
check "an empty list does nothing" reaches client web
check "an empty egress rule denies all that the server opens" blocked web world
policy n1 allow.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEndpoints: [{matchLabels: {role: nobody}}]
  enableDefaultDeny: {ingress: false}
END
check "default deny switched off" reaches client web
policy_remove n1 allow.yaml
check "policy removed: everything is as before" reaches client web

policy n1 egress.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: client-out, namespace: default}
spec:
  endpointSelector: {matchLabels: {role: client}}
  egress:
  - toEndpoints:
    - matchLabels: {app: web}
    toPorts:
    - ports: [{port: "80", protocol: TCP}]
END
check "egress: allowed" reaches client web 80
check "egress: other port" blocked client web 8080
check "egress: world" blocked client world
check "egress: node" blocked client n1
check "egress of others is free" reaches other world

policy n1 k8s.yaml <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: default}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {role: other}}}]
    ports: [{port: 8080, endPort: 8090}]
END
check "both sides must allow" blocked client web 80
check "Kubernetes NetworkPolicy: allowed" reaches other web 8090
check "Kubernetes NetworkPolicy: other port" blocked other web 80
policy_remove n1 k8s.yaml

policy n1 wide.yaml <<'END'
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: no-8080}
spec:
  endpointSelector: {}
  enableDefaultDeny: {ingress: false, egress: false}
  ingressDeny:
  - fromEntities: [all]
    toPorts:
    - ports: [{port: "8080", protocol: TCP}]
END
check "clusterwide deny" blocked other web 8080
check "clusterwide deny without default deny" reaches other web 80
policy_remove n1 wide.yaml
policy_remove n1 egress.yaml

# What is established obeys a change at its next packet, in both directions, and goes on when it is allowed again.
load=(--a /run/netns/client --b /run/netns/web --a-address "${IP4[client]}" --b-address "${IP4[web]}"
	--tcp "7000,10,20" --udp "name=ask,port=7001,rate=500,echo")
deny() {
	policy n1 cut.yaml <<-END
		apiVersion: cilium.io/v2
		kind: CiliumNetworkPolicy
		metadata: {name: cut, namespace: default}
		spec:
		  endpointSelector: {matchLabels: {app: web}}
		  ingress:
		  - fromEndpoints:
		    - matchLabels: {role: $1}
	END
}
deny client
load_start cut "${load[@]}"
sleep 1
deny nobody
before=$(api n1 /v1/status | jq .policy.revision)
sleep 1
deny client
sleep 4 # TCP has backed off: its next try may be 3 s away
load_stop cut
holds "UDP was cut in between" "$REPORT" '.udp.ask.there.lost >= 400'
holds "it was cut once and resumed once" "$REPORT" '.udp.ask.there.flips == 2'
holds "nothing was doubled" "$REPORT" '.udp.ask.there.duplicated == 0 and .udp.ask.back.duplicated == 0'
holds "TCP stood still meanwhile" "$REPORT" '.tcp.gap_ms > 900 and .tcp.retransmits > 0'
holds "and went on after it" "$REPORT" '.tcp.broken == 0 and .tcp.unanswered == 0 and .tcp.disordered == 0'
check "revisions go up" [ "$(revision n1)" -gt "$before" ]
done_testing
