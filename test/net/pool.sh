#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The pool of one family is changed under endpoints that have addresses: they keep them, and no address of either family is given out twice.
#
#   a   b   c
#   |   |   |
#   [ node n1 ]
. "$(dirname "$0")/lib.sh"

node_start n1 --ipv4-range=10.201.0.0/29
workload n1 a app=a
workload n1 b app=b
check "they reach each other in both families" pings a b
used() { # CIDR N
	k n1 status -o json | jq -e --arg cidr "$1" --argjson n "$2" '.ipam | any(.cidr == $cidr and .used == $n)'
}
check "two addresses of each pool are in use" used 10.201.0.0/29 2

node_stop n1
node_start n1 --ipv4-range=10.202.0.0/24
check "the old IPv4 addresses are none of the new pool" used 10.202.0.0/24 0
check "the IPv6 addresses stay in use" used fd00:200::/120 2
workload n1 c app=c
is "all IPv6 addresses are different" "$(printf '%s\n' "${IP6[@]}" | sort -u | wc -l)" 3
check "who was there is reached at its old addresses" pings a b
check "and reach the new one" pings a c
done_testing
