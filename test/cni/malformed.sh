#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kilim-cni against broken environments and configurations: every refusal is one JSON object with the right code on stdout and a non-zero exit
# status, and what must succeed without an agent does. No agent runs; RUN is a directory without a socket.
#
# usage: malformed.sh KILIM-CNI
set -u

cni=$1
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
count=0
failed=0

report() { # ok? name detail
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		echo "# $3"
	fi
}

# The variables of a good ADD; a case overrides some. An empty value is a variable that is set and empty; "-" unsets it.
call() { # stdin-file VAR=value...
	local in=$1 v
	shift
	local -a env=(CNI_CONTAINERID=c1 CNI_NETNS=/nowhere/netns CNI_IFNAME=eth0 CNI_COMMAND=ADD)
	local -a unset=()

	for v in "$@"; do
		if [ "${v#*=}" = "-" ]; then
			unset+=(-u "${v%%=*}")
		else
			env+=("$v")
		fi
	done
	env -i "${env[@]}" env "${unset[@]}" "$cni" <"$in" >"$run/out" 2>"$run/err"
}

# name code stdin VAR=value...: must fail with this code
refuse() {
	local name=$1 code=$2 text=$3 status
	shift 3
	printf '%s' "$text" >"$run/in"
	refuse_file "$name" "$code" "$run/in" "$@"
}

refuse_file() {
	local name=$1 code=$2 in=$3 status
	shift 3
	call "$in" "$@"
	status=$?
	if [ $status = 1 ] && jq -e -s --argjson code "$code" \
		'length == 1 and (.[0] | (.cniVersion | test("^[01][.][0-9][.][0-9]$")) and .code == $code and (.msg | length > 0))' \
		"$run/out" >"$run/jq" 2>&1; then
		report 0 "$name" ""
	else
		report 1 "$name" "expected code $code, got status $status and: $(head -c 300 "$run/out")"
	fi
}

# name stdin VAR=value...: must succeed; $want is a jq condition on the output, empty for no output
accept() {
	local name=$1 text=$2 status
	shift 2
	printf '%s' "$text" >"$run/in"
	call "$run/in" "$@"
	status=$?
	if [ $status = 0 ] && { [ -z "$want" ] && [ ! -s "$run/out" ] || { [ -n "$want" ] && jq -e "$want" "$run/out" >"$run/jq" 2>&1; }; }; then
		report 0 "$name" ""
	else
		report 1 "$name" "status $status, output: $(head -c 300 "$run/out")"
	fi
}

conf() { # cniVersion, more members
	printf '{"cniVersion":"%s","name":"net","type":"kilim-cni","run-dir":"%s"%s}' "$1" "$run" "${2:-}"
}
good=$(conf 1.1.0)

# --- environment: code 4 ---
refuse "no CNI_COMMAND" 4 "$good" CNI_COMMAND=-
refuse "empty CNI_COMMAND" 4 "$good" CNI_COMMAND=
refuse "unknown CNI_COMMAND" 4 "$good" CNI_COMMAND=UPDATE
refuse "CNI_COMMAND in small letters" 4 "$good" CNI_COMMAND=add
refuse "ADD without CNI_CONTAINERID" 4 "$good" CNI_CONTAINERID=-
refuse "ADD with an empty CNI_CONTAINERID" 4 "$good" CNI_CONTAINERID=
refuse "container id with a slash" 4 "$good" CNI_CONTAINERID=../../etc
refuse "container id that begins with a dash" 4 "$good" CNI_CONTAINERID=-rf
refuse "container id with a newline" 4 "$good" CNI_CONTAINERID=$'a\nb'
refuse "container id of 300 characters" 4 "$good" "CNI_CONTAINERID=$(printf 'a%.0s' {1..300})"
refuse "ADD without CNI_NETNS" 4 "$good" CNI_NETNS=-
refuse "ADD with an empty CNI_NETNS" 4 "$good" CNI_NETNS=
refuse "relative CNI_NETNS" 4 "$good" CNI_NETNS=netns/x
refuse "CHECK without CNI_NETNS" 4 "$good" CNI_COMMAND=CHECK CNI_NETNS=-
refuse "ADD without CNI_IFNAME" 4 "$good" CNI_IFNAME=-
refuse "CNI_IFNAME of 16 characters" 4 "$good" CNI_IFNAME=abcdefghijklmnop
refuse "CNI_IFNAME with a slash" 4 "$good" CNI_IFNAME=a/b
refuse "CNI_IFNAME with a colon" 4 "$good" CNI_IFNAME=eth0:1
refuse "CNI_IFNAME with a blank" 4 "$good" "CNI_IFNAME=eth 0"
refuse "CNI_IFNAME that is .." 4 "$good" CNI_IFNAME=..
refuse "DEL without CNI_CONTAINERID" 4 "$good" CNI_COMMAND=DEL CNI_CONTAINERID=-
refuse "DEL without CNI_IFNAME" 4 "$good" CNI_COMMAND=DEL CNI_IFNAME=-
refuse "CNI_ARGS without a value" 4 "$good" CNI_ARGS=K8S_POD_NAME
refuse "CNI_ARGS without a key" 4 "$good" "CNI_ARGS==web"
refuse "CNI_ARGS with a pod name that is none" 4 "$good" "CNI_ARGS=K8S_POD_NAME=../x"
refuse "CNI_ARGS with a namespace that is none" 4 "$good" "CNI_ARGS=K8S_POD_NAMESPACE=a b"

# --- what cannot be decoded: code 6 ---
refuse "empty stdin" 6 ""
refuse "blank stdin" 6 $' \n\t'
refuse "no JSON" 6 "hello"
refuse "YAML" 6 "name: net"
refuse "JSON that is cut off" 6 '{"cniVersion":"1.1.0","name":'
refuse "two objects" 6 "$good$good"
refuse "a list" 6 '[]'
refuse "a string" 6 '"net"'
refuse "null" 6 'null'
refuse "a number" 6 '7'
refuse "a key twice" 6 '{"cniVersion":"1.1.0","name":"a","name":"b","type":"kilim-cni"}'
refuse "text that is not UTF-8" 6 $'{"name":"\xff\xfe"}'
refuse "a NUL escape" 6 '{"name":"a\u0000b","cniVersion":"1.1.0"}'
refuse "an escape that is cut off" 6 '{"name":"\u12'
head -c 3000 /dev/zero | tr '\0' '[' >"$run/deep"
refuse_file "3000 open brackets" 6 "$run/deep"
{ printf '{"cniVersion":"1.1.0","name":"net","x":"'; head -c 1100000 /dev/zero | tr '\0' a; printf '"}'; } >"$run/big"
refuse_file "more than 1 MiB" 6 "$run/big"
head -c 4096 /dev/urandom >"$run/random"
refuse_file "random bytes" 6 "$run/random"
refuse_file "a directory as stdin" 5 "$run"

# --- versions: code 1 ---
refuse "a version that is not known" 1 "$(conf 2.0.0)"
refuse "a version that is no version" 1 "$(conf latest)"
refuse "an empty version" 1 "$(conf '')"
refuse "CHECK in 0.3.1" 1 "$(conf 0.3.1)" CNI_COMMAND=CHECK
refuse "GC in 1.0.0" 1 "$(conf 1.0.0)" CNI_COMMAND=GC
refuse "STATUS in 1.0.0" 1 "$(conf 1.0.0)" CNI_COMMAND=STATUS

# --- configuration: code 7, and 2 for what kilim-cni does not do ---
refuse "a version that is a number" 7 '{"cniVersion":1,"name":"net"}'
refuse "no name" 7 '{"cniVersion":"1.1.0","type":"kilim-cni"}'
refuse "a name that is a list" 7 '{"cniVersion":"1.1.0","name":[]}'
refuse "a name with a slash" 7 '{"cniVersion":"1.1.0","name":"a/b"}'
refuse "a run-dir that is relative" 7 '{"cniVersion":"1.1.0","name":"net","run-dir":"run"}'
refuse "a run-dir that is too long" 7 "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"run-dir\":\"/$(printf 'a%.0s' {1..200})\"}"
refuse "a run-dir that is a number" 7 '{"cniVersion":"1.1.0","name":"net","run-dir":7}'
refuse "a log-file that is relative" 7 "$(conf 1.1.0 ',"log-file":"x.log"')"
refuse "an mtu that is a string" 7 "$(conf 1.1.0 ',"mtu":"1500"')"
refuse "an mtu that is negative" 7 "$(conf 1.1.0 ',"mtu":-1')"
refuse "an mtu of 10^9" 7 "$(conf 1.1.0 ',"mtu":1000000000')"
refuse "labels that are a mapping" 7 "$(conf 1.1.0 ',"args":{"cni":{"labels":{"app":"web"}}}')"
refuse "a label without a key" 7 "$(conf 1.1.0 ',"args":{"cni":{"labels":[{"value":"web"}]}}')"
refuse "a label with a blank in its key" 7 "$(conf 1.1.0 ',"args":{"cni":{"labels":[{"key":"a b","value":"web"}]}}')"
refuse "a label whose value is a number" 7 "$(conf 1.1.0 ',"args":{"cni":{"labels":[{"key":"a","value":1}]}}')"
refuse "ips that are a string" 7 "$(conf 1.1.0 ',"runtimeConfig":{"ips":"10.0.0.1"}')"
refuse "two addresses of a family" 7 "$(conf 1.1.0 ',"runtimeConfig":{"ips":["10.0.0.1","10.0.0.2/24"]}')"
refuse "CHECK without prevResult" 7 "$good" CNI_COMMAND=CHECK
refuse "CHECK with a prevResult that is a list" 7 "$(conf 1.1.0 ',"prevResult":[]')" CNI_COMMAND=CHECK
refuse "GC without a list of attachments" 7 "$good" CNI_COMMAND=GC
refuse "GC with attachments that are an object" 7 "$(conf 1.1.0 ',"cni.dev/valid-attachments":{}')" CNI_COMMAND=GC
refuse "GC with an attachment without ifname" 7 "$(conf 1.1.0 ',"cni.dev/valid-attachments":[{"containerID":"a"}]')" CNI_COMMAND=GC
refuse "a setting that kilim-cni does not have" 2 "$(conf 1.1.0 ',"mut":1500')"
refuse "an ipam plugin" 2 "$(conf 1.1.0 ',"ipam":{"type":"host-local"}')"
refuse "ipMasq" 2 "$(conf 1.1.0 ',"ipMasq":true')"
refuse "a MAC address from the runtime" 2 "$(conf 1.1.0 ',"runtimeConfig":{"mac":"02:00:00:00:00:01"}')"

# --- no agent: 11 to try again, 50 from STATUS ---
for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
	refuse "ADD in $v without an agent" 11 "$(conf $v)"
done
refuse "ADD without cniVersion is 0.1.0" 11 "{\"name\":\"net\",\"run-dir\":\"$run\"}"
refuse "members with a slash are others'" 11 "$(conf 1.1.0 ',"example.com/x":1,"cni.dev/attachments":[]')"
refuse "an empty ipam" 11 "$(conf 1.1.0 ',"ipam":{}')"
refuse "CHECK without an agent" 11 "$(conf 1.1.0 ',"prevResult":{"ips":[]}')" CNI_COMMAND=CHECK
refuse "GC without an agent" 11 "$(conf 1.1.0 ',"cni.dev/valid-attachments":[]')" CNI_COMMAND=GC
refuse "STATUS without an agent" 50 "$good" CNI_COMMAND=STATUS

# --- what works without an agent ---
versions='.supportedVersions == ["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]'
want="$versions and .cniVersion == \"1.1.0\""
accept "VERSION without stdin" "" CNI_COMMAND=VERSION CNI_CONTAINERID=- CNI_NETNS=- CNI_IFNAME=-
want="$versions and .cniVersion == \"0.4.0\""
accept "VERSION in the version asked for" '{"cniVersion":"0.4.0"}' CNI_COMMAND=VERSION
want="$versions and .cniVersion == \"1.1.0\""
accept "VERSION for a version of the future" '{"cniVersion":"9.0.0"}' CNI_COMMAND=VERSION
want=
accept "DEL without an agent" "$good" CNI_COMMAND=DEL
accept "DEL again" "$good" CNI_COMMAND=DEL
accept "DEL without CNI_NETNS" "$good" CNI_COMMAND=DEL CNI_NETNS=-
accept "DEL of another interface" "$good" CNI_COMMAND=DEL CNI_IFNAME=net1
notes=$(find "$run/cni-delete" -name '*.json' | wc -l)
[ "$notes" = 2 ]
report $? "one note for each attachment that was deleted" "found $notes"
jq -e '.container_id == "c1"' "$run"/cni-delete/*.json >"$run/jq" 2>&1
report $? "the notes name the container" "$(cat "$run/jq")"
[ "$(stat -c %a "$run/cni-delete")" = 700 ]
report $? "the notes are root's alone" "mode $(stat -c %a "$run/cni-delete")"
refuse "with a log file" 11 "$(conf 1.1.0 ",\"log-file\":\"$run/cni.log\"")"
grep -q 'ADD container=c1 ifname=eth0 code=11' "$run/cni.log"
report $? "the log file has the call" "$(cat "$run/cni.log" 2>&1)"

echo "1..$count"
[ "$failed" = 0 ]
