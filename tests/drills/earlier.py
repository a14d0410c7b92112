"""Earlier versions of this repository, by their newest migration, with their own code."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.drills.cell_process import ROOT

MIGRATIONS = "src/luciole/migrations"


def git(*words: str) -> bytes:
    return subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", *words], cwd=ROOT, capture_output=True, check=True
    ).stdout


def migrations(commit: str) -> dict[str, str]:
    """The migrations of a commit: git's digest of each by its name."""
    found = {}
    for line in git("ls-tree", commit, f"{MIGRATIONS}/").decode().splitlines():
        head, _, path = line.partition("\t")
        if path.endswith(".sql"):
            found[Path(path).name] = head.split()[2]
    return found


def commit_with(number: str) -> str:
    """The newest commit whose newest migration has this number, and whose migrations are all here
    as they were then. Skips, and says so, where the history does not reach so far back."""
    here = migrations("HEAD")
    for commit in git("rev-list", "--first-parent", "HEAD").decode().split():
        there = migrations(commit)
        if there and max(there)[:4] == number and there.items() <= here.items():
            return commit
    why = f"No commit here ends with migration {number}: a shallow clone? git fetch --unshallow."
    print(why, file=sys.stderr)
    pytest.skip(why)


def unpacked(commit: str, folder: Path) -> Path:
    """The files of a commit in a new folder."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as tree:
        tree.extractall(folder, filter="data")
    return folder


def serve(tree: Path, data: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Command and environment of `serve` of a version, with the packages of this one. It is asked
    for nothing that it may not know."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATABASE_URL", "LUCIOLE_"))
    }
    environment |= {
        "PYTHONPATH": str(tree / "src"),
        "LUCIOLE_DATA_DIR": str(data),
        "LUCIOLE_WEB_PORT": str(port),
    }
    return [sys.executable, "-m", "luciole", "serve"], environment
