# SPDX-License-Identifier: Apache-2.0
"""kilim's own answers, by its public command line: `kilim policy test -o json FILE...` and `kilim policy matrix -f FILE -o json`."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("KILIM_BUILD", ROOT / "build"))
ORACLE_ONLY = ("settings",)


class Refused(Exception):
    """kilim did not take a scenario; the text is what it said."""


def kilim(*arguments):
    p = subprocess.run([str(BUILD / "kilim"), "policy", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    if not p.stdout or p.returncode not in (0, 1, 2):  # 1: a probe did not go as expected; 2: a scenario says what is wrong with it
        raise Refused(p.stderr.strip() or f"exit status {p.returncode}, no output")
    return p.stdout


def documents(text):
    """The JSON documents that stand one behind the other in a text."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        found += value if isinstance(value, list) else [value]
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def options(settings):
    """The settings of a scenario as options of the command."""
    for key, value in (settings or {}).items():
        if value is True:
            yield f"--{key}"
        else:
            yield f"--{key}={(','.join(value) or 'none') if isinstance(value, list) else value}"


class Folder:
    """A place for scenario files; with KILIM_KEEP in the environment it is left there."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="conformance-"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if "KILIM_KEEP" not in os.environ:
            shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name, value):
        path = self.path / name
        path.write_text(json.dumps({k: v for k, v in value.items() if k not in ORACLE_ONLY} if isinstance(value, dict) else value))
        return str(path)

    def answers(self, scenarios):
        """For each scenario the verdicts of its probes, or Refused. All have the settings of the first."""
        files = [self.write(f"{i}.json", s) for i, s in enumerate(scenarios)]
        found = documents(kilim("test", "-o", "json", *options(scenarios[0].get("settings")), *files))
        if len(found) != len(files):
            raise Refused(f"{len(files)} files, {len(found)} answers")
        return [Refused(a["error"]) if "error" in a else [p["verdict"] for p in a["probes"]] for a in found]

    def probes(self, scenarios):
        """The same where none may be refused."""
        answers = self.answers(scenarios)
        for a in answers:
            if isinstance(a, Refused):
                raise a
        return answers

    def matrix(self, scenario):
        return json.loads(kilim("matrix", "-f", self.write("matrix.json", scenario), "-o", "json", *options(scenario.get("settings"))))["verdicts"]
