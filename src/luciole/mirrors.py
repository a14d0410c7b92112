"""Mirrors of other cells' logs, as this cell's witness keeps them: what is shown of each, and what
may be read of it.

    <cell id>/mirror.json            what is told of it
    <cell id>/policy                 the policy that the cell has shown
    <cell id>/<hash of the origin>/  one log: `published`, `checkpoint`, `handover`, `tile/…`,
                                     `evidence/…`

Everything here was signed by the log of the other cell. A mirror outlives the peering and the
cell.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from luciole.kit.blobs import Missing
from luciole.ledger import handover
from luciole.ledger.archive import CHECKPOINT, PENDING, Tiles
from luciole.ledger.merkle import Refused
from luciole.ledger.note import Checkpoint, Note
from luciole.ledger.tiles import ENTRIES, WIDTH, Tile, tile_of

FOLDER = "peers"
TOLD = "mirror.json"
POLICY = "policy"
PUBLISHED = "published"
EVIDENCE = "evidence"
LOGS = ("access", "decisions", "border")
MAX_EVIDENCE_SHOWN = 60
CELL_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# `limit`, `disk`: entries are no longer kept, for want of what the settings give or of room.
State = Literal["kept", "limit", "disk"]


class MirroredLog(msgspec.Struct, frozen=True):
    """One log: how many entries a reader of the mirror gets, under a head that enough witnesses
    cosigned, and when (POSIX seconds) that head was kept."""

    log: str
    size: int
    at: int


class Mirrored(msgspec.Struct, frozen=True):
    """What is told of the mirror of one cell. `bytes` is what it takes on the disk."""

    cell_id: str
    name: str
    origin: str
    state: State
    bytes: int
    most_bytes: int
    logs: list[MirroredLog]


class Contradiction(msgspec.Struct, frozen=True):
    """Two heads of one log that cannot both be true. The log has signed both."""

    log: str
    code: str
    ours: str
    theirs: str


def folder_of(home: Path, cell_id: str, log: str) -> Path:
    """Where one log of a cell lies below `peers`."""
    return home / cell_id / sha256(f"luciole/{cell_id}/{log}".encode()).hexdigest()


def told(home: Path) -> list[Mirrored]:
    """All mirrors below `peers`, by name. What cannot be read is left out."""
    found = list[Mirrored]()
    for path in home.glob(f"*/{TOLD}"):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            one = msgspec.json.decode(path.read_bytes(), type=Mirrored)
            if one.cell_id == path.parent.name:
                found.append(one)
    return sorted(found, key=lambda one: (one.name, one.cell_id))


class Mirrors:
    """Reads mirrors for whoever asks. `home` is the folder `peers` of the witness."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def told(self) -> list[Mirrored]:
        """What is told of each."""
        return await asyncio.to_thread(told, self._home)

    async def read(self, cell: str, path: str) -> bytes:
        """A file of a mirror by its path below the cell's `/ledger/`; `cell` is a short name or an
        id. Raises Missing."""
        home = self._home / await self._cell_id(cell)
        if path == POLICY:
            return await asyncio.to_thread(_read, home / POLICY)
        log, _, name = path.partition("/")
        if log not in LOGS:
            raise Missing(path)
        folder = folder_of(self._home, home.name, log)

        async def get(path: str) -> bytes:
            return await asyncio.to_thread(_read, folder / path)

        tiles = Tiles(get)
        if name == CHECKPOINT:
            return await get(PUBLISHED)
        if name == PENDING:
            with contextlib.suppress(Missing, Refused):
                raw = await get(CHECKPOINT)
                size = Checkpoint.parse(Note.parse(raw).text).size
                if size:
                    # Entries are left out from one on, so that who has the last has all.
                    await tiles.read(tile_of(ENTRIES, (size - 1) // WIDTH, size))
                return raw
            return await get(PUBLISHED)
        if name == handover.NAME:
            return await get(name)
        try:
            return await tiles.read(Tile.of_path(name))
        except Refused:
            raise Missing(path) from None

    async def evidence(self, cell: str) -> list[Contradiction]:
        """What is kept of a cell whose logs contradict themselves. Raises Missing."""
        cell_id = await self._cell_id(cell)
        return await asyncio.to_thread(self._evidence, cell_id)

    def _evidence(self, cell_id: str) -> list[Contradiction]:
        found = list[Contradiction]()
        for log in LOGS:
            for kept in sorted(folder_of(self._home, cell_id, log).glob(f"{EVIDENCE}/*")):
                with contextlib.suppress(OSError, UnicodeError):
                    ours, theirs = (
                        (kept / name).read_text(encoding="utf-8") for name in ("ours", "theirs")
                    )
                    code = kept.name.rpartition("-")[0]
                    found.append(Contradiction(log, code, ours, theirs))
        return found[:MAX_EVIDENCE_SHOWN]

    async def _cell_id(self, cell: str) -> str:
        """The id of a cell by its name or id. Raises Missing where nothing is kept of it."""
        if CELL_ID.fullmatch(cell):
            if await asyncio.to_thread((self._home / cell / TOLD).exists):
                return cell
            raise Missing(cell)
        named = [one for one in await self.told() if one.name == cell]
        if not named:
            raise Missing(cell)
        # A name may have gone to another cell since: its mirror is the one that was told last.
        return max(named, key=lambda one: max((log.at for log in one.logs), default=0)).cell_id


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Missing(path.name) from None
