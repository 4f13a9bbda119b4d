# SPDX-License-Identifier: Apache-2.0
"""TAP: each result is printed when it is known, the plan at the end."""
import sys


class Tap:
    def __init__(self):
        self.done, self.failed = 0, 0

    def result(self, name, complaints):
        self.done += 1
        self.failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {self.done} - {name}")
        for text in complaints:
            for line in str(text).splitlines():
                print(f"# {line}")
        sys.stdout.flush()

    def skip(self, name, reason):
        self.done += 1
        print(f"ok {self.done} - {name} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.done}")
        sys.exit(1 if self.failed else 0)
