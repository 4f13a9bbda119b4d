#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# kilim uninstall: which kilimd is run, and with what. A script stands for kilimd.
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/bin" "$T/sbin" "$T/path"
cp "$KILIM" "$T/bin/kilim"
stand_in() { # FILE
	printf '#!/bin/sh\necho "%s" "$@"\nexit 5\n' "$1" >"$T/$1"
	chmod +x "$T/$1"
}
uninstall() {
	OUT=$(PATH=$T/path:/usr/bin:/bin "$T/bin/kilim" uninstall "$@" 2>"$T/err")
	STATUS=$? ERR=$(<"$T/err")
}

uninstall
says "there is no kilimd" 1 "kilimd cannot be run: No such file or directory; it is looked for beside kilim and in PATH"
stand_in path/kilimd
uninstall
is "the one in PATH; its status is ours" 5 "path/kilimd --uninstall"
stand_in sbin/kilimd
uninstall
is "the one of the same installation goes before" 5 "sbin/kilimd --uninstall"
stand_in bin/kilimd
uninstall --run-dir /r --state-dir "/s t" --bpf-root=/b --cgroup-root /c --node-name n --manifest-dir /m --config /f -o json
is "the one beside goes before; flags are passed on" 5 \
	"bin/kilimd --uninstall --run-dir=/r --state-dir=/s t --bpf-root=/b --cgroup-root=/c --node-name=n --manifest-dir=/m --config=/f"
uninstall --bpf-rot=x
says "an unknown flag" 2 "did you mean '--bpf-root'?"
done_testing
