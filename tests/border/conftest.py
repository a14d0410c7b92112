"""Two cells that exchange with each other, on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from tests.border.cell import READY
from tests.drills.cell_process import Cell as Process
from tests.drills.cell_process import free_port, started
from tests.ledger.house import read_entries, said

from luciole import config, peering
from luciole.ask.gateway import Outward, PeerUnreachable
from luciole.border import passport
from luciole.config import Settings
from luciole.kit import postgres

READY_WITHIN_S = 240.0
# A delivery that failed on a busy machine is tried again after a minute.
WITHIN_S = 90.0
JURISDICTIONS = {"us": "US", "sg": "SG", "eu": "FR"}


@dataclass
class Cell:
    """A running cell: its settings, and ways to look at it."""

    name: str
    settings: Settings
    process: Process | None = None
    _owner: Any = None
    _lines: dict[str, Outward] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.settings.border_origin

    def environment(self) -> dict[str, str]:
        """What its processes are started with."""
        return {
            **os.environ,
            "LUCIOLE_DATA_DIR": str(self.settings.data),
            "LUCIOLE_WEB_PORT": str(self.settings.web.port),
            "LUCIOLE_CELL_NAME": self.settings.cell.name,
            "LUCIOLE_CELL_SHORT_NAME": self.name,
            "LUCIOLE_CELL_OPERATOR": self.settings.cell.operator,
            "LUCIOLE_CELL_JURISDICTION": self.settings.cell.jurisdiction,
            "LUCIOLE_KEYS_GUARDIAN": self.settings.keys.guardian,
            "LUCIOLE_BORDER_PORT": str(self.settings.border.port),
            "LUCIOLE_BORDER_ORIGIN": self.settings.border.origin,
            "LUCIOLE_LEDGER_PERIOD_MS": "50",
            "LUCIOLE_PEOPLE_SIGN_UP_WORK": "0",
        }

    async def url(self) -> str:
        """The owner's URL of its database."""
        return postgres.Server(self.settings.data / "postgres", Path(os.devnull)).url()

    async def owner(self) -> Any:
        """A connection to its database as the owner."""
        if self._owner is None or self._owner.is_closed():
            self._owner = await asyncpg.connect(await self.url())
        return self._owner

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await (await self.owner()).fetch(sql, *values)]

    def outward(self, process: str) -> Outward:
        """What one of its processes may ask of other cells."""
        if process not in self._lines:
            self._lines[process] = Outward.at(self.settings.gateway_dir / f"{process}.sock")
        return self._lines[process]

    async def entries(self, log: str = "border") -> list[dict[str, Any]]:
        """The published entries of a log that is text."""
        folder = Path(self.settings.blobs_place) / "ledger" / log
        if not (folder / "checkpoint").exists():
            return []
        size, _ = said((folder / "checkpoint").read_bytes())
        return [msgspec.json.decode(one) for one in read_entries(folder, size)]

    async def add(self, other: Cell) -> None:
        """What the operator of a cell does to have another as a peer."""

        async def shown() -> bytes:
            with contextlib.suppress(PeerUnreachable):
                return await self.outward("operator").look(other.origin)
            return b""

        note = await until(shown)
        fingerprint = passport.read(note).fingerprint
        await peering.add(self.settings, other.origin, fingerprint, lambda _: False)

    async def close(self) -> None:
        for line in self._lines.values():
            await line.close()
        self._lines.clear()
        if self._owner is not None:
            await self._owner.close()
            self._owner = None


@contextlib.contextmanager
def running(*cells: Cell) -> Iterator[None]:
    """Cells without their workers, until the block ends."""
    command = [sys.executable, "-m", "tests.border.cell"]
    with contextlib.ExitStack() as stack:
        for cell in cells:
            cell.process = stack.enter_context(started(command, cell.environment()))
        for cell in cells:
            assert cell.process is not None
            cell.process.wait_for(READY, READY_WITHIN_S)
            stack.callback(cell.process.stop)
        yield


def cell_in(folder: Path, name: str, origin: str = "") -> Cell:
    """A cell of that name in a folder, not started."""
    port = int(origin.rpartition(":")[2]) if origin else free_port()
    environment = {
        "LUCIOLE_DATA_DIR": str(folder / name),
        "LUCIOLE_WEB_PORT": str(free_port()),
        "LUCIOLE_CELL_NAME": f"Luciole {name.upper()}",
        "LUCIOLE_CELL_SHORT_NAME": name,
        "LUCIOLE_CELL_OPERATOR": f"Association {name}",
        "LUCIOLE_CELL_JURISDICTION": JURISDICTIONS.get(name, "ZZ"),
        "LUCIOLE_BORDER_PORT": str(port),
        "LUCIOLE_BORDER_ORIGIN": origin or f"http://127.0.0.1:{port}",
    }
    return Cell(name, config.load(environment))


async def until(asked: Callable[[], Awaitable[Any]], within_s: float = WITHIN_S) -> Any:
    """What `asked` gives, once that is true."""
    end = time.monotonic() + within_s
    while True:
        if found := await asked():
            return found
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cell, Cell]]:
    """`us` and `sg`, running, and peers of each other."""
    folder = tmp_path_factory.mktemp("cells")
    us, sg = cell_in(folder, "us"), cell_in(folder, "sg")
    with running(us, sg):
        asyncio.run(peered(us, sg))
        yield us, sg


async def peered(us: Cell, sg: Cell) -> None:
    """Makes them peers of each other, and waits until each has cosigned the other's logs."""
    for one, other in ((us, sg), (sg, us)):
        await one.add(other)
    for one, other in ((us, sg), (sg, us)):

        async def cosigned(one: Cell = one, other: Cell = other) -> bool:
            sql = "SELECT verdict FROM border.peer WHERE name = $1"
            return await one.rows(sql, other.name) == [("GREEN",)]

        await until(cosigned)
    for one in (us, sg):
        await one.close()


@pytest.fixture
async def two_cells(cells: tuple[Cell, Cell]) -> AsyncIterator[tuple[Cell, Cell]]:
    """`us` and `sg`, peers of each other, for one test; what former tests left stays in their
    logs."""
    yield cells
    for cell in cells:
        await cell.close()
