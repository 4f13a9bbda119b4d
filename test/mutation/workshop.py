# SPDX-License-Identifier: Apache-2.0
"""From the text of a mutant to the verdict of the suites. Uses a build directory as it is and writes nothing into it: one object is compiled
anew, and what contains it is linked anew, by the build's own commands and in a scratch folder."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import resource
import shlex
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TIERS = ("unit", "twin")
# Holds the twin against the kernel, whose program is no mutant: it would tell any two apart.
LEFT_OUT = {("twin", "random")}
MEMORY_MAX = 2 << 30
PATIENCE, PATIENCE_MIN_S = 10, 1  # processor time: times what a test takes without a mutant, but at least so long
LIMIT_FIRST_S = 240  # without a mutant
BUSY = 10  # how much longer it may take by the clock, on a machine with other work
TEST_ENV = {"KILIM_TEST_SEED": "1", "KILIM_TEST_ROUNDS": "40", "CMOCKA_MESSAGE_OUTPUT": "TAP", "LC_ALL": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1", "PYTHONDONTWRITEBYTECODE": "1"}


def load_runner():
    loader = importlib.machinery.SourceFileLoader("runner", str(ROOT / "test/run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
    loader.exec_module(module)
    return module


runner = load_runner()


class Broken(Exception):
    """Nothing to do with a mutant: the build or the suite is not in order."""


def call(command, folder):
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def must(command, folder):
    p = call(command, folder)
    if p.returncode:
        raise Broken(f"{' '.join(map(str, command))[:200]}:\n{p.stdout.decode(errors='replace')[-2000:]}")
    return p.stdout.decode(errors="replace")


def meson_tests(build):
    """(tier/folder/name, words of the command, the program within the build) of each test of TIERS."""
    for t in json.loads(must(["meson", "introspect", "--tests", str(build)], ROOT)):
        labels = [s.split(":")[-1] for s in t["suite"]]
        if labels and labels[0] in TIERS and (labels[0], t["name"]) not in LEFT_OUT:
            yield "/".join([*labels, t["name"]]), t["cmd"], os.path.relpath(t["cmd"][0], build)


def targets(build):
    """What must be up to date before mutants are made."""
    return sorted({target for _, _, target in meson_tests(build)})


class Program:
    """What must be done for a program once one object is another: the commands that have it among their inputs, in order."""

    def __init__(self, build, target, changed):
        self.target, self.steps, self.archived = target, [], {}
        changed = {changed}
        for line in must(["ninja", "-C", ".", "-t", "commands", target], build).splitlines():
            words = shlex.split(line) if any(c in line for c in changed) else []
            inputs = changed & set(words)
            output = self.output(words) if inputs else None
            if not output or output in changed:
                continue
            if output.endswith(".a"):
                self.archived[output] = inputs
                changed.add(output)
            else:
                self.steps.append((words, output))
                changed.add(output)
        self.contains = bool(self.steps) and self.steps[-1][1] == target

    @staticmethod
    def output(words):
        if "-o" in words:
            return words[words.index("-o") + 1]
        if "&&" in words:  # rm -f LIBRARY && ar csr LIBRARY OBJECT...
            return words[2]
        return words[-1] if words[0].endswith("objcopy") else None

    def link(self, build, scratch, new_object):
        """new_object: {name in the build: path}. An object that stands before the archive takes the place of the archive's."""
        new = dict(new_object)
        for words, output in self.steps:
            path = scratch / output
            path.parent.mkdir(parents=True, exist_ok=True)
            ahead = [new[o] for a in words if a in self.archived for o in self.archived[a] if o in new]
            command = [str(path) if w == output else new.get(w, w) for w in words]
            if ahead:
                at = command.index(str(path)) + 1
                command[at:at] = [*dict.fromkeys(ahead), "-Wl,--strip-debug"]
            must(command, build)
            new[output] = str(path)
        return scratch / self.target


class Test:
    def __init__(self, name, command, program, limit=None):
        self.name, self.command, self.program, self.limit, self.seconds = name, command, program, limit, 0.0


class Bench:
    """One source of one build directory: compile it, link what holds it, run its tests."""

    def __init__(self, build, scratch, name, scripts=()):
        self.build, self.scratch, self.name = pathlib.Path(build).resolve(), pathlib.Path(scratch), name
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.compiler, self.object = self._compiler()
        self.tests = self._tests(scripts)

    def _compiler(self):
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            if (self.build / entry["file"]).resolve() == ROOT / self.name:
                break
        else:
            raise Broken(f"{self.build}/compile_commands.json does not name {self.name}")
        words = iter(shlex.split(entry["command"]))
        kept = [w for w in words if not (w in ("-MQ", "-MF", "-o", "-c") and next(words)) and w not in ("-MD", "-g", "-Werror")]
        self.memory = None if any(w.startswith("-fsanitize") for w in kept) else MEMORY_MAX  # shadow memory is no use of memory
        return [*kept, "-w", "-g0", "-O1", "-iquote", str((ROOT / self.name).parent)], entry["output"]

    def _tests(self, scripts):
        tests, programs = [], {}

        def program(target):
            if target not in programs:
                programs[target] = Program(self.build, target, self.object)
            return programs[target]

        for name, command, target in meson_tests(self.build):
            if program(target).contains:
                tests.append(Test(name, [None, *command[1:]], program(target)))
        for name, command, target in scripts:
            if (self.build / target).exists() and program(target).contains:
                tests.append(Test(name, command, program(target)))
        return tests

    def preprocessed(self):
        return must([*self.compiler, "-E", "-P", str(ROOT / self.name)], self.build)

    def compile(self, text):
        """The object's path, or None when it does not compile."""
        source = self.scratch / pathlib.Path(self.name).name
        source.write_text(text)
        path = self.scratch / "mutant.o"
        p = call([*self.compiler, "-o", str(path), "-c", str(source)], self.build)
        return path if p.returncode == 0 else None

    def run(self, test, path):
        """Link and run; returns why the test failed, or None."""
        binary = test.program.link(self.build, self.scratch, {self.object: str(path)})
        command = [str(binary) if word is None else word for word in test.command]
        start = time.monotonic()
        output, status, in_time = run_limited(command, self.scratch, test.limit or LIMIT_FIRST_S, self.memory)
        test.seconds = test.seconds or time.monotonic() - start
        suite = runner.Suite(TIERS[0], test.name, command)
        runner.parse_tap(suite, output, status if in_time else 1)
        if not in_time:
            return f"not done after {test.limit:.0f} s"
        return suite.failed[0] if suite.failed else None

    def prepare(self, own_tests_only=False):
        """Without a mutant all pass; this also measures them. Those of the source's own folder come first, the fastest ahead."""
        folder = pathlib.Path(self.name).parent.name
        if own_tests_only and any(f"/{folder}/" in t.name for t in self.tests):
            self.tests = [t for t in self.tests if f"/{folder}/" in t.name]
        path = self.compile((ROOT / self.name).read_text())
        if not path:
            raise Broken(f"{self.name} does not compile as it is")
        for test in self.tests:
            why = self.run(test, path)
            if why:
                raise Broken(f"{test.name} fails without a mutant of {self.name}: {why}")
            test.limit = max(PATIENCE_MIN_S, PATIENCE * test.seconds)
        self.tests.sort(key=lambda t: (f"/{folder}/" not in t.name, t.seconds))
        self.seen = {path.read_bytes()}

    def judge(self, text):
        """What becomes of a mutant: ("killed", by what), ("survived", ""), or not counted: ("no C", ""), ("same", "")."""
        path = self.compile(text)
        if not path:
            return "no C", ""
        code = path.read_bytes()
        if code in self.seen:
            return "same", ""
        self.seen.add(code)
        for test in self.tests:
            why = self.run(test, path)
            if why:
                return "killed", f"{test.name}: {why}"
        return "survived", ""


def run_limited(command, scratch, limit, memory):
    """In a process group of its own, of which nothing is left. Returns output, status, whether in time."""

    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    env = dict(os.environ, KILIM_ROOT=str(ROOT), KILIM_BUILD=str(scratch), TMPDIR=str(scratch), **TEST_ENV)
    with open(scratch / "output", "w+b") as out:
        p = subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                             start_new_session=True, preexec_fn=limits)
        in_time = True
        try:
            p.wait(BUSY * limit)
        except subprocess.TimeoutExpired:
            in_time = False
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        p.wait()
        out.seek(0)
        return out.read().decode(errors="replace"), p.returncode, in_time
