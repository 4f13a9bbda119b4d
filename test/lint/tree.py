# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the list of files, the exceptions, and TAP. Not executable, so not a suite."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def files(*patterns):
    """Paths of the checkout's own files (tracked or new, not ignored) that match one of the patterns, relative to ROOT. A pattern with
    a slash is one from ROOT on: bpf/*.c is not test/bpf/*.c."""
    try:
        out = subprocess.run(["git", "-C", str(ROOT), "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"],
                             check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        names = out.stdout.decode().splitlines()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith(("build/", "build-", ".git/"))]
    found = sorted({n for n in names if (ROOT / n).is_file()})
    if not patterns:
        return found
    return [n for n in found if any(matches(n, p) for p in patterns)]


def matches(name, pattern):
    """A pattern with folders means exactly these folders, not their namesakes deeper down."""
    return pathlib.PurePath(name).match(pattern) and ("/" not in pattern or name.count("/") == pattern.count("/"))


def lines(name):
    return (ROOT / name).read_text(errors="replace").splitlines()


def exceptions(lint):
    """Names that test/lint/exceptions lists for this lint."""
    found = set()
    for line in lines("test/lint/exceptions"):
        words = line.split("#")[0].split(None, 2)
        if not words:
            continue
        if len(words) < 3:
            sys.exit(f"Bail out! test/lint/exceptions: no reason given: {line}")
        if words[0] == lint:
            found.add(words[1])
    return found


def finish(*results):
    """Each result is (what, list of complaints). Print TAP and end."""
    print(f"1..{len(results)}")
    for number, (what, complaints) in enumerate(results, 1):
        print(f"{'not ok' if complaints else 'ok'} {number} - {what}")
        for text in complaints:
            print(f"# {text}")
    sys.exit(1 if any(c for _, c in results) else 0)


os.chdir(ROOT)
