# SPDX-License-Identifier: Apache-2.0
"""What the oracle of test/conformance says about its truth tables and about some of its random sets, written down once as scenarios that
expect it: `kilim policy test` then asks a mutant in a fraction of the time that the oracle takes. test/conformance asks all of these and more."""
import json
import os
import pathlib
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))

from oracle import engine, random_sets, scenario, tables

SETS, PROBES = 110, 200  # random ones; each of random_sets.SETTINGS has as many as another
TABLES_EVERY = 5  # one table of so many
BATCH = 20  # scenarios that one process is asked, so that most mutants end soon
BOTH = scenario.FAMILIES


def answered(s):
    """The scenario with what the oracle expects in it."""
    told = [{**p, "expect": verdict} for p, (verdict, _) in zip(s["probes"], scenario.probes(s))]
    if "matrix" in s:
        truth = scenario.matrix(s, s["matrix"]["ports"])
        same = [c for c in s["matrix"]["ports"] if truth[BOTH[0]][c] == truth[BOTH[1]][c]]  # a probe speaks of both families
        if same:
            told.append({"matrix": {"ports": same, "expect": {c: truth[BOTH[0]][c] for c in same}}})
    return {**{k: v for k, v in s.items() if k not in engine.ORACLE_ONLY}, "probes": told}


def cases():
    """(options of the command, scenario)"""
    for number in range(SETS):
        settings = random_sets.SETTINGS[number % len(random_sets.SETTINGS)]
        yield tuple(engine.options(settings)), random_sets.case("mutation", number, PROBES, settings)
    for number, (_, s) in enumerate(tables.cases()):
        if number % TABLES_EVERY == 0:
            yield tuple(engine.options(s.get("settings"))), s


def agrees(kilim, options, path):
    return subprocess.run([kilim, "policy", "test", "--quiet", *options, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def write(folder, kilim):
    """Returns the script that asks `kilim` of KILIM_BUILD everything and says so in TAP; and how many scenarios KILIM itself fails, which
    are left out."""
    groups, left_out = {}, 0
    for number, (options, s) in enumerate(cases()):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(answered(s)))
        if agrees(kilim, options, path):
            groups.setdefault(options, []).append(str(path))
        else:
            left_out += 1
    lines = ["#!/bin/sh", "set -e"]
    for options, paths in groups.items():
        for at in range(0, len(paths), BATCH):
            lines.append(f'"$KILIM_BUILD/kilim" policy test --quiet {shlex.join([*options, *paths[at:at + BATCH]])}')
    script = folder / "ask"
    script.write_text("\n".join([*lines, "echo 1..1", "echo ok 1 - as the oracle says", ""]))
    os.chmod(script, 0o755)
    return str(script), left_out
