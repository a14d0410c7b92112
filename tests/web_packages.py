"""Installs what the checks of the web client need beyond its build: `web_packages.py NODE`.

The build leaves the packages for development out, so that a start needs less.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "web"


def main(node: Path) -> int:
    """The exit status of `npm ci`; 0 at once when everything is there."""
    spec = importlib.util.spec_from_file_location("build", WEB / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    wanted = build.digest(build.LOCK)
    marker = build.MODULES / ".luciole-all"
    if marker.exists() and marker.read_text() == wanted:
        return 0
    npm = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([node, npm, "ci", *options], cwd=WEB, env=os.environ, check=False)
    if done.returncode == 0:
        # The build's own marker too: it has nothing left to install.
        build.INSTALLED.write_text(wanted)
        marker.write_text(wanted)
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
