"""Two cells, each in a network namespace of its own, and all that passes on the cable between them.
Needs root.

A proxy speaks TLS before each inward door, as an operator has it; the gateways verify its
certificate against an authority of the test. What was captured is opened with the session keys that
the gateways of the test have logged (`tests.border.keys_logged`; those of a real cell cannot).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.border.cell import READY
from tests.border.conftest import Cell
from tests.border.keys_logged import KEY_LOG
from tests.drills import certificates, doors, tls13, wire
from tests.drills.cell_process import free_port, started
from tests.drills.certificates import Made
from tests.drills.judged import Judge
from tests.drills.nets import Net
from tests.drills.shown import Shown
from tests.drills.wire import Wire

from luciole.audit.canary.marks import Mark
from luciole.border.exchanging import Exchanging
from luciole.kit.clock import Clock
from luciole.kit.db import Database

NEEDS = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs network namespaces, so root"),
]
STARTS_WITHIN_S = 240
# Behind the wire, on a machine that others use too.
LAGS_AT_MOST_S = 60.0
OPEN = """
import socket, sys, time
while True:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
"""


class Captured:
    """Two cells that exchanged while the wire was read, and what was read. `door`: what speaks TLS
    before them."""

    def __init__(self, us: Cell, sg: Cell, nets: tuple[Net, Net], folder: Path, door: str) -> None:
        self.us, self.sg, self.nets, self.folder, self.door = us, sg, nets, folder, door
        self.marks = list[Mark]()

    def seen(self) -> Wire:
        """All that has passed, opened with the keys that were logged until now."""
        logs = (log for name in ("us", "sg", "leak") for log in [self.folder / f"{name}.keys"])
        keys = {at: key for log in logs for at, key in tls13.keys_in(log).items()}
        return wire.read(self.folder / "frames", keys)

    async def whole(self) -> Wire:
        """The same, at a moment at which no message is on its way; one that never comes to its end
        is a fault."""
        end = time.monotonic() + LAGS_AT_MOST_S
        while True:
            seen = self.seen()
            if not seen.cut_off or time.monotonic() > end:
                return seen
            await asyncio.sleep(0.2)

    async def told(self) -> None:
        """Both logs tell the exchanges of the hour."""
        for cell in (self.us, self.sg):
            owner = await cell.owner()
            sql = "UPDATE border.exchange SET made_at = made_at - interval '1 hour'"
            while True:
                await owner.execute(sql)
                db = await Database.open(await cell.url(), role="luciole_gateway_process", size=2)
                await Exchanging(db, None, None, None, Clock()).note()  # type: ignore[arg-type]
                await db.close()
                if not await cell.rows("SELECT 1 FROM border.exchange"):
                    break

    async def judge(self) -> Judge:
        """What both cells show and tell by now."""
        cells = {cell.name: cell for cell in (self.us, self.sg)}
        return Judge(
            {net.address: name for net, name in zip(self.nets, cells, strict=True)},
            {name: cell.origin.removeprefix("https://") for name, cell in cells.items()},
            self.door == "caddy",
            self.marks,
            await Shown.by(*cells.values()),
            {name: await cell.entries() for name, cell in cells.items()},
        )

    async def faults(self, seen: Wire) -> list[str]:
        """What is on the wire and should not be, by what the logs tell now."""
        return (await self.judge()).faults(seen)

    async def missing(self, within_s: float = LAGS_AT_MOST_S) -> list[str]:
        """What the logs tell now and was never on the wire; whatever reads that may be behind."""
        judge, end = await self.judge(), time.monotonic() + within_s
        while True:
            found = judge.missing(self.seen())
            if not found or time.monotonic() > end:
                return found
            await asyncio.sleep(1)

    async def seen_as(self, *expected: str) -> list[str]:
        """All faults, once these are among them."""
        end = time.monotonic() + LAGS_AT_MOST_S
        while not set(expected) <= set(found := await self.faults(self.seen())):
            assert time.monotonic() < end, (sorted(set(expected) - set(found)), found)
            await asyncio.sleep(1)
        return found


def origin_of(net: Net) -> str:
    """Where a cell in a namespace is reached from the other."""
    return f"https://{net.address}:{free_port()}"


@contextlib.contextmanager
def running(cell: Cell, net: Net, made: Made, door: str) -> Iterator[None]:
    """The cell, with its inward door on loopback and what speaks TLS before that."""
    folder, inner, inside = made.authority.parent, free_port(), net.inside
    environment = {
        **cell.environment(),
        "LUCIOLE_BORDER_HOST": "127.0.0.1",
        "LUCIOLE_BORDER_PORT": str(inner),
        "SSL_CERT_FILE": str(made.authority),
        # Python's own way to log keys, of which a cell has to want nothing.
        "SSLKEYLOGFILE": str(folder / "not-even-made.keys"),
        KEY_LOG: str(folder / f"{cell.name}.keys"),
    }
    words = (net.address, cell.settings.border.port, inner, made)
    proxy = doors.caddy(*words, folder) if door == "caddy" else doors.relay(*words)
    with started([*inside, *proxy], {**os.environ, "HOME": str(folder)}) as before:
        before.wait_for("serving initial configuration" if door == "caddy" else doors.READY, 30)
        with started([*inside, sys.executable, "-m", "tests.border.cell"], environment) as process:
            process.wait_for(READY, STARTS_WITHIN_S)
            # The inward door opens once the gateway knows who it is; a proxy answers 502 before.
            subprocess.run([*inside, sys.executable, "-c", OPEN, str(inner)], check=True)
            yield
            process.stop()


@contextlib.contextmanager
def capturing(
    cells: Sequence[Cell], nets: tuple[Net, Net], folder: Path, door: str
) -> Iterator[Captured]:
    """Both cells run, and the cable is read, until the block ends."""
    made = certificates.made(folder, *(net.address for net in nets))
    listen = [*nets[0].inside, sys.executable, "-m", "tests.drills.wire"]
    words = [nets[0].cable, str(folder / "frames")]
    with started([*listen, *words], dict(os.environ)) as listener:
        listener.wait_for("listening", 60)
        with running(cells[0], nets[0], made, door), running(cells[1], nets[1], made, door):
            yield Captured(cells[0], cells[1], nets, folder, door)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(listener.process.pid, signal.SIGINT)
    assert not (folder / "not-even-made.keys").exists()
