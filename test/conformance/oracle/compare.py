# SPDX-License-Identifier: Apache-2.0
"""Engine against oracle: runs scenarios through both and turns each difference into the smallest scenario that shows it."""
import json
import os
import re

from . import engine, scenario, shrink

SHOWN = 3  # differences that one run shrinks and shows; the others are counted
KEPT = engine.ROOT / "test" / "conformance" / "kept"


def differs(folder, s):
    """Whether the first probe of a scenario has two answers. A scenario that kilim refuses has none."""
    try:
        return folder.probes([s])[0][0] != scenario.probes(s)[0][0]
    except engine.Refused:
        return False


def report(folder, name, s, index):
    """The lines about probe INDEX of a scenario, where the two differ; the smallest scenario goes beside the suite's log, to be kept when it is fixed."""
    one = {k: v for k, v in s.items() if k != "matrix"}
    one["probes"] = [s["probes"][index]]
    small = shrink.shrink(one, lambda c: differs(folder, c)) if differs(folder, one) else one
    want, why = scenario.probes(small)[0]
    got = folder.probes([small])[0][0]
    small["probes"][0]["expect"] = want
    path = engine.BUILD / "test-logs" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(small, indent=1) + "\n")
    return [f"probe {index} of {name}: kilim says {got}, the oracle {want}: {why}", f"the smallest scenario, {os.path.relpath(path)}:", json.dumps(small)]


def probe_differences(folder, named):
    """NAMED are (name, scenario). Returns (probes asked, list of (name, scenario, index), what was refused by name)."""
    found, refused, asked = [], {}, 0
    for (name, s), got in zip(named, folder.answers([s for _, s in named])):
        if isinstance(got, engine.Refused):
            refused[name] = f"{name} is refused: {got}"
            continue
        want = [v for v, _ in scenario.probes(s)]
        asked += len(want)
        if len(got) != len(want):
            refused[name] = f"{name}: {len(want)} probes, {len(got)} answers"
        found += [(name, s, i) for i, (w, g) in enumerate(zip(want, got)) if w != g]
    return asked, found, refused


def matrix_differences(folder, name, s):
    """Each cell that differs, as a scenario with one probe: (name, scenario, 0)."""
    columns = s["matrix"]["ports"]
    got, want = folder.matrix(s), scenario.matrix(s, columns)
    ends, found = [e["name"] for e in s["endpoints"]], []
    for family, tables in want.items():
        for column, rows in tables.items():
            for i, row in enumerate(rows):
                for k, letter in enumerate(row):
                    if got[family][column][i][k] != letter:
                        number, protocol = column.split("/")
                        p = {"from": ends[i], "to": ends[k], "port": int(number), "protocol": protocol, "family": family}
                        found.append((name, {**s, "probes": [p]}, 0))
    return found


def complaints(folder, found):
    """One report for each scenario that differs, the first few in full."""
    lines, seen = [], set()
    for name, s, index in found:
        if name not in seen and len(seen) < SHOWN:
            lines += report(folder, re.sub(r"[^\w]+", "-", name).strip("-"), s, index)
        seen.add(name)
    return lines + ([f"{len(found)} differences in {len(seen)} scenarios: {', '.join(sorted(seen)[:40])}"] if found else [])
