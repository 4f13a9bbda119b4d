#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The man pages: they are made without complaint, and kilimd's has every setting with its default.
. "$(dirname "$0")/lib.sh"

for page in "$ROOT"/man/*.scd; do
	name=$(basename "$page" .scd)
	# man itself may be missing on a small machine: what scdoc makes is looked at
	if made=$(scdoc <"$page" 2>&1) && [[ $made == *".TH \"${name%.*}\" \"${name##*.}\""* ]]; then
		ok "$name"
	else
		not_ok "$name" "$(head -5 <<<"$made")"
	fi
done

page=$(tr '\n\t' '  ' <"$ROOT/man/kilimd.8.scd" | tr -d '\\' | tr -s ' ')
while IFS='|' read -r key default; do
	if [[ $page != *"*$key* "* ]]; then
		not_ok "kilimd(8) has $key"
	elif [ -n "$default" ] && [[ $page != *"*$key* "*"Default: $default. "* ]]; then
		not_ok "kilimd(8) has the default of $key" "$default"
	else
		ok "kilimd(8) has $key"
	fi
done < <("$BUILD/kilimd" --help | sed -n '/^Settings:/,$p' |
	sed -n 'N; s/^  --\([a-z0-9-]*\) .*\n.*\[\([^]]*\)\]$/\1|\2/p; t; s/^  --\([a-z0-9-]*\) .*\n.*/\1|/p; t; D')
[ "$TESTS" -ge 40 ] || not_ok "the settings are found in kilimd --help"
done_testing
