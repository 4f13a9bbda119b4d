# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Harness of the tests of kilim: a fake agent that answers with the files of data/, golden outputs, TAP. A test sources this file first and
# calls done_testing last. Programs are taken from KILIM_BUILD (default: build/ of the source tree).

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${KILIM_BUILD:-$ROOT/build}
KILIM=$BUILD/kilim
FAKE=$BUILD/test/cli/fake-agent
export LC_ALL=C.UTF-8 TZ=UTC TERM=xterm
unset KILIM_RUN_DIR NO_COLOR
set -u

T=$(mktemp -d)
DATA=$T/data
cp -r "$ROOT/test/cli/data" "$DATA"
TESTS=0
FAILED=0
AGENT=

end() {
	[ -z "$AGENT" ] || kill "$AGENT" 2>/dev/null
	rm -rf "$T"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

ok() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1"
}
not_ok() {
	TESTS=$((TESTS + 1))
	FAILED=$((FAILED + 1))
	echo "not ok $TESTS - $1"
	[ $# -lt 2 ] || printf '# %s\n' "${2//$'\n'/$'\n# '}"
}
skip() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1 # SKIP $2"
}
done_testing() {
	echo "1..$TESTS"
	[ "$FAILED" = 0 ]
	exit
}

# The agent, on $T/kilim.sock; returns when it answers.
agent_start() {
	"$FAKE" "$T" "$DATA" &
	AGENT=$!
	for _ in $(seq 100); do
		[ -S "$T/kilim.sock" ] && return
		sleep 0.05
	done
	echo "Bail out! the fake agent does not start"
	exit 1
}
agent_stop() {
	kill "$AGENT"
	wait "$AGENT"
	AGENT=
}

# answer FILE STATUS JSON: what a call gets from now on.
answer() {
	printf '{"status": %s, "body": %s}' "$2" "$3" >"$DATA/$1"
}

# run ARGUMENT...: kilim against the fake agent; STATUS, OUT and ERR are set. Standard input is passed on.
run() {
	: >"$T/calls"
	"$KILIM" --run-dir "$T" "$@" >"$T/out" 2>"$T/err"
	STATUS=$?
	OUT=$(<"$T/out")
	ERR=$(<"$T/err")
}

# is DESCRIPTION STATUS [OUT]: the last run ended so and printed this.
is() {
	if [ "$STATUS" != "$2" ]; then
		not_ok "$1" "status $STATUS, expected $2; output: $OUT; errors: $ERR"
	elif [ $# -ge 3 ] && [ "$OUT" != "$3" ]; then
		not_ok "$1" "$(diff <(echo "$3") <(echo "$OUT"))"
	else
		ok "$1"
	fi
}

# says DESCRIPTION STATUS TEXT: the last run ended so, and its errors contain the text.
says() {
	if [ "$STATUS" != "$2" ]; then
		not_ok "$1" "status $STATUS, expected $2; output: $OUT; errors: $ERR"
	elif [[ $ERR != *"$3"* ]]; then
		not_ok "$1" "not in the errors: $3; they are: $ERR"
	else
		ok "$1"
	fi
}

# called DESCRIPTION JQ-EXPRESSION: it is true of the list of calls that the agent got in the last run.
called() {
	if jq -se "$2" "$T/calls" >/dev/null; then
		ok "$1"
	else
		not_ok "$1" "$2 is not so of: $(<"$T/calls")"
	fi
}
