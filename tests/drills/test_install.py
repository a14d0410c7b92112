"""What `luciole install` writes is run: as its user, in its file system, without a way out, under
its filters of system calls. systemd itself is not the first process of a test machine; what only it
can do is named in `under_unit.NOT_HAD`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.drills.cell_process import ROOT, free_port
from tests.drills.test_clean_clone import skip_or_fail
from tests.unit.media import films

from luciole import installing
from luciole.installing import Wishes

pytestmark = [pytest.mark.xdist_group("start"), pytest.mark.timeout(900)]
PROGRAMS = ("systemd-analyze", "systemd-sysusers", "unshare", "mount", "ip")
MOST_EXPOSED = 2.5
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def can_be_had() -> None:
    missing = [one for one in PROGRAMS if shutil.which(one) is None]
    if missing or os.geteuid() != 0:
        skip_or_fail(f"installing cannot be tried: not root, or without {missing}")


def wishes(port: int) -> Wishes:
    return Wishes(
        "luciole.example", "Luciole Example", "Association Exemple", "FR", port,
        backup="/srv/backup", command=f"{sys.base_prefix}/bin/{PYTHON} -m luciole",
    )  # fmt: skip


def test_systemd_finds_the_units_well_closed(tmp_path: Path) -> None:
    list(installing.write(installing.files(wishes(8080)), tmp_path))
    for unit in ("luciole.service", "luciole-backup.service"):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager",
             str(tmp_path / "etc/systemd/system" / unit)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
        assert found, done.stdout + done.stderr
        assert float(found[1]) <= MOST_EXPOSED, done.stdout


def test_a_cell_lives_within_its_unit(tmp_path: Path) -> None:
    port, base = free_port(), tmp_path / "base"
    root = base / "root"
    list(installing.write(installing.files(wishes(port)), root))
    # The user, by the program and the file that a real install uses.
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    users = [f"--root={root}", str(root / "etc/sysusers.d/luciole.conf")]
    subprocess.run(["systemd-sysusers", *users], check=True, capture_output=True)
    (base / "etc").mkdir()
    for name in ("passwd", "group"):
        shutil.copy(root / "etc" / name, base / "etc" / name)
    found = next(
        line.split(":") for line in (base / "etc/passwd").read_text().splitlines()
        if line.startswith("luciole:")
    )  # fmt: skip
    assert found[5] == "/var/lib/luciole"
    for name in ("data", "backup"):
        (base / name).mkdir(mode=0o700)
        os.chown(base / name, int(found[2]), int(found[3]))
    films.run(
        *("-f", "lavfi", "-i", "color=c=0xc81e28:s=360x640:r=15:d=1.2"),
        *("-f", "lavfi", "-i", "sine=440:d=1.2", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", str(base / "red.mp4")),
    )
    dist = base / "data" / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("<!doctype html><title>Luciole</title>")
    for one in (dist, dist / "index.html"):
        os.chown(one, int(found[2]), int(found[3]))
    more = {
        "PYTHONPATH": f"/opt/luciole/src:{sys.base_prefix}/lib/{PYTHON}/site-packages",
        # Neither has to do with the walls: who may join, and whether pages were built.
        "LUCIOLE_PEOPLE_REGISTRATION": "open",
        "LUCIOLE_PEOPLE_SIGN_UP_WORK": "0",
        "LUCIOLE_WEB_DIST": "/var/lib/luciole/dist",
    }
    spec = base / "spec.json"
    spec.write_text(json.dumps({"base": str(base), "code": str(ROOT), "port": port, "more": more}))
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child",
         "--mount-proc", sys.executable, "-m", "tests.drills.installed", str(spec)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    logs = "\n".join(
        one.read_text(errors="replace")[-2000:] for one in (base / "data" / "log").glob("*.log")
    )
    assert done.returncode == 0, done.stdout + done.stderr + logs
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["page"] == [200, True], seen
    assert seen["film"] == ["published", 200, True, []], (seen, logs)
    status, says = seen["doctor"]
    assert status == 0, says
    assert "FAIL" not in says
    assert "media are decoded in a locked-down process" in says
    assert "way out: the gateway's alone" in says
    assert seen["backup"][0] == 0, seen["backup"][1]
    assert seen["others"], "the backup has left nothing"
    assert seen["exit"] == 0, seen
    assert seen["left"] == []
    # What root types by mistake, past the command that install leaves, takes nothing away.
    status, says, foreign = seen["as root"]
    assert (status, foreign) == (1, []), says
    assert "The database belongs to the user of the cell" in says
    # Another host name, by root, while it is stopped: nothing in its folder is root's then.
    status, says, foreign = seen["renamed"]
    assert (status, foreign) == (0, []), says
    assert "From https://luciole.example to https://new.example:" in says
    assert seen["former"] == ["luciole.example"]
    assert seen["again"] == [0, []]
    assert not (base / "data" / "run" / "running.json").exists()
