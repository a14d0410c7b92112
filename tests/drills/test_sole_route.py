"""A whole cell in a network namespace with a cable to another machine: from inside each of its
processes nobody is reached but from the gateway. Needs root, to make namespaces and to step into
the processes; the cell runs as an ordinary user, as under its unit, and as root too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.drills.cell_process import NOBODY, ROOT, free_port, serve, started
from tests.drills.nets import Net, connected

from luciole import config, routes
from luciole.kit import processes

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs network namespaces, so root"),
]
# Nobody answers at the last: what is asked is whether the kernel knows a way there.
ASK = """
import errno, json, socket, sys
host, port = sys.argv[1], int(sys.argv[2])
found = {}
try:
    with socket.create_connection((host, port), 5) as line:
        found["tcp"] = line.recv(5).decode()
except OSError as error:
    found["tcp"] = errno.errorcode.get(error.errno, type(error).__name__)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    try:
        line.sendto(b"?", (host, port))
        found["udp"] = "sent"
    except OSError as error:
        found["udp"] = errno.errorcode[error.errno]
print(json.dumps(found))
"""
# How who has been taken over might get back out, or at the one who may speak.
BACK = """
import ctypes, json, os, sys
pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
found = []
try:
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if libc.setns(handle, 0) == 0:
        found.append("its network")
except OSError:
    pass
try:
    open(f"/proc/{pid}/mem", "rb").close()
    found.append("its memory")
except OSError:
    pass
if libc.ptrace(16, pid, 0, 0) == 0:
    found.append("its threads")
print(json.dumps(found))
"""
# `ip netns exec` gives the cell a file system of its own. In it the folder of its data is /srv,
# since folders of tests are closed to all others; and of root's home, where a machine of developers
# may have its Python, only that is seen.
SEE = """
set -eu
user=$1 data=$2 spare=$3
shift 3
mount --bind "$data" /srv
mount --rbind /root "$spare"
mount -t tmpfs -o mode=0711 none /root
for one in $KEPT; do
    case $one in /root/*)
        mkdir -p "$one"
        mount --rbind "$spare/${one#/root/}" "$one"
    esac
done
exec setpriv --reuid="$user" --regid="$user" --clear-groups -- "$@"
"""
ANSWERS = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    print("it answers", flush=True)
    while True:
        line, _ = server.accept()
        line.sendall(b"hello")
        line.close()
"""


@dataclass(frozen=True)
class Running:
    """A cell that answers, and another machine that does."""

    user: int
    data: Path
    other: tuple[str, int]
    children: dict[str, int]
    family: list[int]

    def inside(self, pid: int, code: str, *words: str) -> str:
        """What a program says that runs where this process runs, as its user, with its rights."""
        who = ["-S", str(self.user), "-G", str(self.user)] if self.user else []
        users = ["--user"] if self.user else []
        step = ["nsenter", "--target", str(pid), "--net", "--mount", *users, *who, "--"]
        done = subprocess.run(
            [*step, sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture
def ends() -> Iterator[tuple[Net, Net]]:
    with connected("10.77.8") as made:
        # Also beyond the cable, as a machine on the net has it.
        subprocess.run(
            ["ip", "-n", made[0].name, "route", "add", "default", "via", made[1].address],
            check=True, capture_output=True,
        )  # fmt: skip
        yield made


@pytest.fixture(params=[NOBODY, 0], ids=["ordinary", "root"])
def cell(
    ends: tuple[Net, Net], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Running]:
    user: int = request.param
    data, port, outside = tmp_path / "data", free_port(), free_port()
    data.mkdir(mode=0o700)
    (spare := tmp_path / "home").mkdir()
    os.chown(data, user, user)
    command, environment = serve(
        Path("/srv"),
        port,
        LUCIOLE_CELL_SHORT_NAME="us",
        LUCIOLE_BORDER_PORT=str(free_port()),
        LUCIOLE_WORKER_METRICS_PORT=str(counted := free_port()),
        HOME="/srv",
        KEPT=f"{sys.base_prefix} {ROOT}",
    )
    see = ["sh", "-c", SEE, "sh", str(user), str(data), str(spare)]
    answers = [*ends[1].inside, sys.executable, "-c", ANSWERS, ends[1].address, str(outside)]
    with started(answers, dict(os.environ)) as other:
        other.wait_for("it answers", 20)
        words = [*ends[0].inside, *see, *command]
        with started(words, environment) as process:
            process.wait_for("The cell answers", 120)
            note = json.loads((data / "run" / "running.json").read_text())
            children = {name: pid for name, (pid, _) in note["children"].items()}
            owner = note["owner"][0]
            family = [one.pid for one in processes.descendants(owner)]
            # What is listened on is reached as ever: pages, and the worker's metrics.
            for place in (f"{port}/readyz", f"{counted}/metrics"):
                asked = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{place}').read()"
                subprocess.run([*ends[0].inside, sys.executable, "-c", asked], check=True)
            yield Running(user, data, (ends[1].address, outside), children, family)
            assert process.stop() == 0


def test_only_the_gateway_reaches_another_machine(cell: Running) -> None:
    host, port = cell.other
    names = {"postgresql", "custody", "witness", "ledger", "gateway", "trustee", "api", "worker"}
    assert set(cell.children) == names
    said = {
        name: json.loads(cell.inside(pid, ASK, host, str(port)))
        for name, pid in cell.children.items()
        if name != "gateway"
    }
    nowhere = {"tcp": "ENETUNREACH", "udp": "ENETUNREACH"}
    assert said == dict.fromkeys(names - {"gateway"}, nowhere)
    gateway = cell.children["gateway"]
    out = subprocess.run(
        ["nsenter", "--target", str(gateway), "--net", "--", sys.executable, "-c", ASK, host,
         str(port)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(out.stdout) == {"tcp": "hello", "udp": "sent"}
    # And of all that they have started: connections of PostgreSQL, launchers, decoders.
    its = processes.network_of(gateway)
    assert [pid for pid in cell.family if processes.network_of(pid) == its] == [gateway]
    if cell.user:
        api = cell.children["api"]
        assert json.loads(cell.inside(api, BACK, str(gateway))) == []
    # The doctor has looked at the same.
    named = {"LUCIOLE_DATA_DIR": str(cell.data), "LUCIOLE_CELL_SHORT_NAME": "us"}
    assert [one.verdict for one in routes.looked(config.load(named))] == ["OK"]
