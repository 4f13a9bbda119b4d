# SPDX-License-Identifier: Apache-2.0
"""Lists of mutants in files. A mutant is named by what it does, so that it is found again when lines have moved:

    src/policy/cut.c boundary
    - the old line
    + the new one
    why it is in the list

and an empty line. Lines that begin with # are comments."""
import pathlib

import ctext
import mutants

FOLDER = pathlib.Path(__file__).resolve().parent


def key(m):
    return (m.file, m.operator, *m.diff())


def read(name):
    """{key: reason}"""
    found = {}
    text = "\n".join(line for line in (FOLDER / name).read_text().splitlines() if not line.startswith("#"))
    for block in filter(None, (b.strip() for b in text.split("\n\n"))):
        lines = block.splitlines()
        if len(lines) < 4 or not lines[1].startswith("- ") or not lines[2].startswith("+ "):
            raise SystemExit(f"{name}: a mutant is four lines, with a reason: {block}")
        file, operator = lines[0].split()
        found[file, operator, lines[1], lines[2]] = " ".join(lines[3:])
    return found


def show(m):
    old, new = m.diff()
    return f"{m.id}\n{old}\n{new}"


def mutants_of(root, name, bench):
    return mutants.make(name, (root / name).read_text(), ctext.enums(bench.preprocessed()))
