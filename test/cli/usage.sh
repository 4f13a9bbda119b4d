#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Wrong command lines: what is said, what was meant, status 2, and that nothing was called. And help, version, completion, pages.
. "$(dirname "$0")/lib.sh"
agent_start

wrong() { # TEXT ARGUMENT...
	local text=$1
	shift
	run "$@"
	says "kilim $*" 2 "$text"
	[ ! -s "$T/calls" ] || not_ok "kilim $*: nothing is called" "$(<"$T/calls")"
}
wrong "unknown command 'endpointt'; did you mean 'endpoint'?" endpointt list
wrong "unknown command 'endpoint liist'; did you mean 'list'?" endpoint liist
wrong "unknown command 'obs'; did you mean 'observe'?" obs
wrong "unknown command 'xyzzy'" xyzzy
wrong "kilim endpoint needs a command" endpoint
wrong "unknown option '--folow'; did you mean '--follow'?" observe --folow
wrong "unknown option '--netms'; did you mean '--netns'?" endpoint add --netms=x
wrong "unknown option '--outpt'; did you mean '--output'?" --outpt json status
wrong "unknown option '--xyzzy'" status --xyzzy
wrong "unknown option '-x'" status -x
wrong "unknown option '--no-netns'" endpoint add --no-netns
wrong "--no-ipv4 takes no value" endpoint add --no-ipv4=true
wrong "--output: 'xml' is none of table|json|yaml" status -o xml
wrong "--run-dir needs a value: DIR" status --run-dir
wrong "--brief is a flag: it is true or false, not 'maybe'" status --brief=maybe
wrong "--run-dir is given twice" status --run-dir=/elsewhere
wrong "kilim status: unexpected argument 'now'" status now
wrong "kilim endpoint get needs an argument: ENDPOINT" endpoint get
wrong "kilim endpoint get: unexpected argument 'b'" endpoint get a b
wrong "the name of the endpoint is empty" endpoint get ""
wrong "--netns is missing" endpoint add --name x
wrong "--label '=x': expected [SOURCE:]KEY[=VALUE]" endpoint add --netns x --label =x
wrong "--address '10.0.0.256' is no IP address" endpoint add --netns x --address 10.0.0.256
wrong "'10.0.0.2' is a second" endpoint add --netns x --address 10.0.0.1 --address 10.0.0.2
wrong "--label: label selector \"a in (b\": \")\" is missing at its end" endpoint list -l 'a in (b'
wrong "--from-label: label selector \"a b\": expected" observe --from-label 'a b'
wrong "--protocol: unknown 'tpc'; did you mean 'tcp'?" observe --protocol tpc
wrong "-f is missing" policy apply
wrong "name the policy, or a file with -f" policy delete
wrong "--not must stand directly before a filter, and --follow is none" observe --not --follow
wrong "--not stands before nothing" observe --not
wrong "--not is given twice" observe --not --not --pod x
wrong "unknown option '--not'" status --not
wrong "there is completion for bash and zsh, not for 'fish'" completion fish

run endpoint liist
if [[ $ERR == *$'\n'"Try 'kilim endpoint --help'." ]]; then ok "the way to help is shown"; else not_ok "the way to help is shown" "$ERR"; fi
run
if [ "$STATUS" = 2 ] && [[ $OUT == *"Commands:"*"endpoint list"* ]]; then ok "kilim alone"; else not_ok "kilim alone" "$STATUS $OUT"; fi
run --version
is "--version" 0 "$("$KILIM" version --client)"
run version
is "version of the agent too" 0 "$("$KILIM" --version)
kilimd 0.1.0"
run status -- --brief
says "-- ends the options" 2 "unexpected argument '--brief'"

# Every command has help that names its options, and a page.
commands=$(
	eval "$("$KILIM" completion bash)"
	for noun in $(_kilim_words ''); do
		verbs=$(_kilim_words "$noun")
		[ "$noun" = completion ] && verbs=
		[ -n "$verbs" ] || echo "$noun"
		for verb in $verbs; do echo "$noun $verb"; done
	done
)
if [ "$(wc -l <<<"$commands")" -ge 18 ]; then ok "the table of commands"; else not_ok "the table of commands" "$commands"; fi
while read -r -a words; do
	run "${words[@]}" --help
	if [ "$STATUS" = 0 ] && [[ $OUT == "kilim ${words[*]}: "*"Usage: kilim ${words[*]}"*"--run-dir DIR"* ]]; then
		ok "kilim ${words[*]} --help"
	else
		not_ok "kilim ${words[*]} --help" "$STATUS $OUT"
	fi
	page=$ROOT/man/kilim-${words[0]}.1.scd
	missing=
	for option in $(sed -n '/^Options:/,/^$/s/^ *\(-., \)\?--\(\[no-\]\)\?\([a-z0-9-]*\).*/\3/p' <<<"$OUT"); do
		grep -q -e "--\(\[no-\]\)\?$option\b" "$page" 2>/dev/null || missing+=" --$option"
	done
	if [ -e "$page" ] && [ -z "$missing" ] && grep -q "kilim ${words[*]}" "$page"; then
		ok "man kilim-${words[0]} has ${words[*]}"
	else
		not_ok "man kilim-${words[0]} has ${words[*]}" "$page lacks:$missing"
	fi
	if grep -q "kilim-${words[0]}\*(1)" "$ROOT/man/kilim.1.scd" 2>/dev/null; then ok "man kilim names it"; else not_ok "man kilim names ${words[0]}"; fi
done <<<"$commands"

# Completion: the scripts are sound and know words, flags and values.
complete_words() { # WORD...: what bash would offer for the last one
	bash -c 'eval "$("$0" completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kilim; printf "%s\n" "${COMPREPLY[@]}"' "$KILIM" "$@" | sort | xargs
}
offers() { # WORDS WORD...
	local want=$1 got
	shift
	got=$(complete_words "$@")
	if [ "$got" = "$want" ]; then ok "completion of '$*'"; else not_ok "completion of '$*'" "$got, not $want"; fi
}
offers "endpoint" kilim en
offers "add delete get list" kilim endpoint ""
offers "add" kilim -o json endpoint a
offers "--from-pod --from-port" kilim observe --from-po
offers "--no-ipv4 --no-ipv6" kilim endpoint add --no-ip
offers "json jsonpb" kilim observe -o j
offers "json" kilim status --output j
offers "bash zsh" kilim completion ""
run completion zsh
if [[ $OUT == "#compdef kilim"*"compdef _kilim kilim" ]]; then ok "completion for zsh"; else not_ok "completion for zsh"; fi
if command -v zsh >/dev/null; then
	if zsh -n <<<"$OUT"; then ok "zsh takes it"; else not_ok "zsh takes it"; fi
else
	skip "zsh takes it" "no zsh here"
fi
done_testing
