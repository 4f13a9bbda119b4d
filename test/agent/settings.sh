#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The settings of kilimd as people meet them: the reference page and the manual are those of the program, the example file is good, and mistakes
# end with status 2 and one line that says where.
#
# usage: settings.sh KILIMD
set -u

kilimd=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0
failed=0

check() { # name command...
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >"$dir/out" 2>&1; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		sed 's/^/# /' "$dir/out" | head -20
	fi
}

is_page() { "$kilimd" --help-markdown | diff "$root/doc/config.md" -; }
check "doc/config.md is what kilimd --help-markdown prints" is_page

in_manual() {
	local key
	for key in $("$kilimd" --help | sed -n 's/^  --\([a-z0-9-]*\) .*/\1/p'); do
		grep -qF -- "$key" "$root/man/kilimd.8.scd" || { echo "$key is missing"; return 1; }
	done
}
check "every action and setting is in kilimd(8)" in_manual

sed 's/^#\([a-z0-9-]*:\)/\1/' "$root/deploy/kilim.yaml" >"$dir/all.yaml"
check "the example file is good" "$kilimd" --config="$root/deploy/kilim.yaml" --check-config
check "and so is all that it has in comments" "$kilimd" --config="$dir/all.yaml" --check-config

status() { # wanted stderr-pattern argument...
	local want=$1 pattern=$2
	shift 2
	"$kilimd" "$@" >"$dir/stdout" 2>"$dir/stderr"
	local got=$?
	cat "$dir/stderr"
	[ "$got" = "$want" ] && [ "$(wc -l <"$dir/stderr")" -le 1 ] && grep -q -- "$pattern" "$dir/stderr"
}
echo 'run-dri: /x' >"$dir/bad.yaml"
check "a wrong flag ends with 2" status 2 "did you mean run-dir" --run-dri=/x --check-config
check "a wrong line ends with 2" status 2 "bad.yaml:1:1: .*did you mean run-dir" --config="$dir/bad.yaml" --check-config
check "a missing file ends with 2" status 2 "none.yaml: No such file" --config="$dir/none.yaml" --check-config
check "a directory that cannot be made ends with 1" status 1 "Not a directory" --config="$root/deploy/kilim.yaml" --run-dir=/dev/null/x \
	--state-dir="$dir/state"
is_version() { "$kilimd" --version | grep -qE '^kilimd [0-9]+[.][0-9]+[.][0-9]+$'; }
check "--version" is_version

echo "1..$count"
[ "$failed" = 0 ]
