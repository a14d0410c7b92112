"""What the wheel needs beyond the Python files: dependencies, the web client, the verifier.

`requirements/run.in` stays the one list of what a cell needs. The web client is built here unless
`web/dist` is there already; node comes as a wheel, so that nobody needs to have it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

INDEX = Path("web/dist/index.html")


class Dependencies(MetadataHookInterface):
    """Reads the dependencies from requirements/run.in."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        lines = (Path(self.root) / "requirements" / "run.in").read_text().splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]


class WebClient(BuildHookInterface[Any]):
    """Builds the web client and puts it into the wheel as luciole/web_dist."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        if not (root / INDEX).exists():
            with tempfile.TemporaryDirectory() as scratch:
                _fetch_node(root, Path(scratch))
                subprocess.run(
                    [sys.executable, root / "web" / "build.py"],
                    check=True,
                    env={**os.environ, "PYTHONPATH": scratch},
                )
        build_data["force_include"][str(root / "web" / "dist")] = "luciole/web_dist"
        build_data["force_include"][str(root / "verifier")] = "luciole/verifier_dist"
        for name in (
            "luciole_acts.py",
            "luciole_ages.py",
            "luciole_between.py",
            "luciole_mirror.py",
        ):
            beside = f"luciole/verifier_dist/{name}"
            build_data["force_include"][str(root / "comparer" / name)] = beside


def _fetch_node(root: Path, target: Path) -> None:
    """The wheel of node into a folder of its own; build.py finds it by the import path."""
    lock = root / "requirements" / "web.lock"
    # Build environments made by uv have no pip of their own.
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]
    subprocess.run(
        [*pip, "install", "--quiet", "--require-hashes", "--target", target, "-r", lock],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
