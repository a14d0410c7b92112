"""`luciole install`, typed by root: its files, its user, its folder for backups, its steps in their
order, and the command that it leaves. In a file system of its own; only systemd's own commands are
noted instead of done, since systemd is not the first process of a test machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.drills.cell_process import ROOT
from tests.drills.test_clean_clone import skip_or_fail

from luciole import installing
from luciole.installing import Wishes

PROGRAMS = ("systemd-sysusers", "systemd-analyze", "unshare", "mount", "setpriv")
# The machine's own /etc is copied and laid over; what is below the others goes away. The code is
# where a service may see it: a checkout in somebody's home is refused.
INSIDE = """
set -eu
mount --make-rprivate /
mount --bind "$0/etc" /etc
mount --bind . "$0/code"
for one in /srv /usr/local/sbin /usr/local/src; do mount -t tmpfs none "$one"; done
mkdir /usr/local/src/luciole
mount --bind "$0/code" /usr/local/src/luciole
cd /usr/local/src/luciole
exec "$@"
"""
NOTED = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
[ ! -e {broken} ]
"""
WORDS = ("--host", "luciole.example", "--operator", "Association Exemple", "--country", "FR")
DEBIANS = ":80 {\n\troot * /usr/share/caddy\n\tfile_server\n}\n"


@pytest.fixture(autouse=True)
def can_be_had() -> None:
    missing = [one for one in PROGRAMS if shutil.which(one) is None]
    if missing or os.geteuid() != 0:
        skip_or_fail(f"installing cannot be tried: not root, or without {missing}")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A machine with Debian's Caddy, and without a cell."""
    shutil.copytree("/etc", tmp_path / "etc", symlinks=True)
    (tmp_path / "etc/caddy").mkdir(exist_ok=True)
    (tmp_path / "etc/caddy/Caddyfile").write_text(DEBIANS)
    digest = hashlib.md5(DEBIANS.encode(), usedforsecurity=False).hexdigest()
    programs = tmp_path / "programs"
    for one in (programs, tmp_path / "code"):
        one.mkdir()
    noted = NOTED.format(log=tmp_path / "log", broken=tmp_path / "broken")
    told = f"#!/bin/sh\nprintf '\\n /etc/caddy/Caddyfile {digest}'\n"
    for name, text in (("systemctl", noted), ("dpkg-query", told)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    tmp_path.chmod(0o755)
    return tmp_path


def run(base: Path, *command: str) -> tuple[int, str]:
    """What comes of a command on that machine."""
    path = f"{base / 'programs'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", INSIDE, str(base), *command],
        cwd=ROOT, env={**os.environ, "PATH": path, "PYTHONPATH": "/usr/local/src/luciole/src"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def install(base: Path, *more: str, then: str = "true") -> tuple[int, str]:
    """Typed, and what is there afterwards in the same file system."""
    typed = [sys.executable, "-m", "luciole", "install", *WORDS, *more]
    return run(base, "sh", "-c", f'"$@"; code=$?; {then}; exit $code', "sh", *typed)


def test_all_of_it_is_done_in_order_and_once_more_changes_nothing(base: Path) -> None:
    look = "stat -c '%a %U:%G %n' /srv/backup /etc/luciole/cell.env /usr/local/sbin/luciole"
    again = f'"$@" >{base}/again 2>&1'
    code, said = install(base, "--backup", "/srv/backup", then=f"{look}; {again}")
    assert code == 0, said
    assert "700 luciole:luciole /srv/backup" in said
    assert "600 root:root /etc/luciole/cell.env" in said
    assert "755 root:root /usr/local/sbin/luciole" in said
    assert "The cell answers soon: https://luciole.example" in said
    assert "differs" not in said
    # Nobody had edited the page of Debian's package.
    unit = (base / "etc/systemd/system/luciole.service").read_text()
    assert "\nExecStart=/usr/local/src/luciole/luciole serve\n" in unit
    assert "luciole.example {" in (base / "etc/caddy/Caddyfile").read_text()
    steps = [
        "systemctl daemon-reload",
        "systemctl enable --now luciole.service",
        "systemctl enable --now luciole-backup.timer",
        "systemctl restart caddy.service",
    ]
    assert (base / "log").read_text().splitlines() == steps * 2
    told = (base / "again").read_text()
    assert "was written" not in told
    assert "differs" not in told


def test_files_of_somebodys_own_stay_and_are_named_at_the_end(base: Path) -> None:
    (base / "etc/caddy/Caddyfile").write_text("mine.example {\n}\n")
    code, said = install(base)
    assert code == 0, said
    assert "it may not answer before you have compared them" in said
    assert said.count("/etc/caddy/Caddyfile differs; see Caddyfile.new") == 2
    assert "mine" in (base / "etc/caddy/Caddyfile").read_text()


def test_a_step_that_fails_ends_it_with_words(base: Path) -> None:
    (base / "broken").touch()
    code, said = install(base)
    assert code == 1
    assert "Mend it, then run install once more." in said
    assert "answers soon" not in said
    # A folder for backups that is not the cell's would stop the backup each night.
    (base / "broken").unlink()
    typed = 'install -d -m 755 -o root -g root /srv/mine && exec "$@"'
    words = [sys.executable, "-m", "luciole", "install", *WORDS, "--backup", "/srv/mine"]
    code, said = run(base, "sh", "-c", typed, "sh", *words)
    assert code == 1, said
    assert "The user luciole cannot write into /srv/mine: chown luciole /srv/mine" in said


def test_what_root_types_is_done_by_the_cells_user_with_its_settings(base: Path) -> None:
    wishes = Wishes(
        "luciole.example", "Luciole & Étoiles", "Association Exemple", "FR",
        command="/usr/bin/env",
    )  # fmt: skip
    list(installing.write(installing.files(wishes), base))
    users = [f"--root={base}", str(base / "etc/sysusers.d/luciole.conf")]
    subprocess.run(["systemd-sysusers", *users], check=True, capture_output=True)
    typed = str(base / "usr/local/sbin/luciole")
    names = "LUCIOLE_WEB_ORIGIN LUCIOLE_CELL_NAME LUCIOLE_DATA_DIR"
    code, said = run(base, typed, "sh", "-c", f"id -un; id -G | wc -w; printenv {names}")
    assert code == 0, said
    assert said.splitlines() == [
        "luciole", "1", "https://luciole.example", wishes.name, "/var/lib/luciole",
    ]  # fmt: skip
    # `domain` writes the settings, so it stays root's; here /usr/bin/env looks for that program.
    (base / "programs/domain").write_text("#!/bin/sh\nid -un\n")
    (base / "programs/domain").chmod(0o755)
    assert run(base, typed, "domain") == (0, "root\n")
    # Where anybody may enter, as they may not into the folders of a test.
    place = 'install -m 755 "$0" /usr/local/sbin/luciole && exec "$@"'
    nobody = ("setpriv", "--reuid=65534", "--clear-groups", "/usr/local/sbin/luciole", "id")
    code, said = run(base, "sh", "-c", place, typed, *nobody)
    assert code == 1
    assert "Type it as root" in said
