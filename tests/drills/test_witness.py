"""An outsider's witness beside a real cell, as its help says: from the printed line to a quorum."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.drills.cell_process import Cell, free_port, get, none_left, serve, started
from tests.drills.phone import Ledger, Phone

from luciole.kit.keeper import FolderLock
from luciole.ledger.entry import Kind, PersonEntry, decode
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.policy import Policy
from luciole.ledger.tiles import entries_of

READY = r"The cell answers after ([\d.]+) s: (\S+)"

pytestmark = pytest.mark.xdist_group("start")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    assert none_left(tmp_path) == []


def witness(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    address = f"http://127.0.0.1:{port}"
    words = ["witness", address, "--data", str(folder / "witness"), "--name", "ana.example/w"]
    _, environment = serve(folder / "cell", port)
    return [sys.executable, "-m", "luciole", *words], environment


def said_of(port: int, log: str, name: str = "checkpoint") -> Checkpoint:
    status, note = get(port, f"/ledger/{log}/{name}")
    assert status == 200
    return Checkpoint.parse(Note.parse(note).text)


def trusted(port: int, log: str, seconds: float = 30) -> dict[str, int]:
    """Who has cosigned the newest head, once there is one that the policy lets pass."""
    policy = Policy.parse(get(port, "/ledger/policy")[1])
    until = time.monotonic() + seconds
    while True:
        status, note = get(port, f"/ledger/{log}/checkpoint")
        if status == 200 and said_of(port, log, "pending") == said_of(port, log):
            return dict(policy.check(note).cosigned)
        assert time.monotonic() < until, f"{log} was not published in time"
        time.sleep(0.1)


@pytest.mark.timeout(240)
@pytest.mark.long
def test_outsider_becomes_a_witness_of_a_cell(folder: Path) -> None:
    port, data = free_port(), folder / "cell"
    with started(*serve(data, port)) as cell:
        cell.wait_for(READY, 90)
        # The own witness alone is enough for a start.
        assert set(trusted(port, "access")) == {"local", "local-pq"}
        Phone(port, Ledger(), [], 1)
        until = time.monotonic() + 30
        while said_of(port, "access").size == 0:
            assert time.monotonic() < until
            time.sleep(0.1)
        size = said_of(port, "access").size
        bundle = get(port, f"/ledger/access/tile/entries/000.p/{size}")[1]
        first = decode(entries_of(bundle, size)[0])
        assert isinstance(first, PersonEntry)
        assert first.kind is Kind.ENROL
        with started(*witness(folder, port)) as outsider:
            line = outsider.wait_for(r"^(witness ana.example/w \S+)$", 30)[1]
            outsider.wait_for("does its policy name this witness", 30)
            # The operator adds the line; the log's process reads it when it begins again.
            (data / "ledger").mkdir(exist_ok=True)
            (data / "ledger" / "witnesses").write_text(f"{line}\n")
            again(data, "ledger")
            outsider.wait_for(r"^access: \d+ entries, cosigned", 60)
            until = time.monotonic() + 30
            while "ana.example/w" not in trusted(port, "access"):
                assert time.monotonic() < until
                time.sleep(0.2)
            assert outsider.stop(signal.SIGINT, 20) == 0
        assert cell.stop() == 0
    quorum(folder, port)


def quorum(folder: Path, port: int) -> None:
    """A head waits until the outsider has come."""
    with started(*serve(folder / "cell", port, LUCIOLE_LEDGER_QUORUM="1")) as cell:
        cell.wait_for(READY, 90)
        before = said_of(port, "access")
        Phone(port, Ledger(), [], 2)
        until = time.monotonic() + 30
        while said_of(port, "access", "pending").size <= before.size:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert said_of(port, "access") == before
        with started(*witness(folder, port)) as outsider:
            outsider.wait_for(r"^access: \d+ entries, cosigned", 30)
            assert "ana.example/w" in trusted(port, "access")
            assert said_of(port, "access").size > before.size
            assert outsider.stop(signal.SIGTERM, 20) == 0
        assert cell.stop() == 0


def again(data: Path, name: str) -> None:
    """Kills a process of the cell; its supervisor starts it anew."""
    note = FolderLock(data / "run").read()
    assert note is not None
    os.kill(note.children[name].pid, signal.SIGKILL)


def test_witness_of_nothing_says_what_to_do(folder: Path) -> None:
    command, environment = witness(folder, 1)
    command[command.index("http://127.0.0.1:1")] = "cell.example"
    cell = Cell(command, environment)
    assert cell.process.wait(20) == 1
    cell.wait_for("no address of a server", 5)
    cell.wait_for("What to do: Check the address", 5)


@pytest.mark.long
def test_logs_of_the_new_processes_hold_no_personal_data(folder: Path) -> None:
    """Only fields of the list, one object a line."""
    with started(*serve(folder / "cell", free_port())) as cell:
        cell.wait_for(READY, 90)
        again(folder / "cell", "witness")
        time.sleep(3)
        assert cell.stop() == 0
    for name in ("ledger", "witness"):
        for line in (folder / "cell" / "log" / f"{name}.log").read_text().splitlines():
            assert "dropped_fields" not in json.loads(line), line
