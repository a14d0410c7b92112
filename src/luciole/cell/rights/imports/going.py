"""What the steps of one go at an import share: the cell's parts, the archive, notes of what is
done."""

from __future__ import annotations

import asyncio
import shutil
import time
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from luciole.ask.client import Custody
from luciole.cell.clips.service import Clips
from luciole.cell.graph.service import Graph
from luciole.cell.media.model import Edit
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.cell.rights.export.pieces import Lending
from luciole.cell.rights.imported import Imported
from luciole.cell.rights.imports.manifest import Manifest
from luciole.cell.rights.imports.rows import Lists
from luciole.cell.rights.model import Import, ItemKind, Outcome
from luciole.cell.rights.store import imports
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx

# After so long others have their turn.
TURN_S = 180.0

AvatarMaker = Callable[[bytes], Awaitable[bytes]]


class Films(Protocol):
    """What media does with films that are brought along (`media.adoption.Adoption`)."""

    async def lay(
        self, films: Mapping[str, Path], still: Path, work_dir: Path, *, is_public: bool
    ) -> Any: ...

    async def claim(
        self,
        tx: Tx,
        owner_id: UUID,
        laid: Any,
        edit: Edit,
        created_at: datetime,
        *,
        is_public: bool,
    ) -> UUID: ...

    async def upload(self, owner_id: UUID, source: Path) -> UUID: ...

    async def is_avatar(self, picture: Path, work_dir: Path) -> bool: ...


class Later(Exception):
    """The rest waits: for others' turn, or because the cell has as many of this person's films in
    hand as it takes."""

    def __init__(self, after: timedelta = timedelta(seconds=30)) -> None:
        self.after = after
        super().__init__()


class Overtaken(Exception):
    """Another attempt has begun, or the person has deleted the import."""


@dataclass(frozen=True)
class Cell:
    """The parts of the cell that an import is put into."""

    db: Database
    blobs: Blobs
    custody: Custody
    people: People
    graph: Graph
    media: Media
    clips: Clips
    imported: Imported
    films: Films
    make_avatar: AvatarMaker
    clock: Clock


class Taking:
    """One go at one import."""

    archive: zipfile.ZipFile
    manifest: Manifest
    lists: Lists
    is_same_cell: bool

    def __init__(self, cell: Cell, import_: Import, folder: Path) -> None:
        self.cell = cell
        self.import_ = import_
        self.folder = folder
        self.person_id = import_.person_id
        custody = cell.custody
        self.lending = Lending(
            lambda: custody.automated_grant(import_.person_id, "import"), cell.clock.now
        )
        self._shown = import_.progress
        self._turn_ends_at = time.monotonic() + TURN_S

    def give_way(self) -> None:
        """Raises Later where others have waited long enough."""
        if time.monotonic() > self._turn_ends_at:
            raise Later(timedelta())

    async def show(self, percent: int, *, is_checked: bool = False) -> None:
        """Shows how far it is. Raises Overtaken."""
        if percent <= self._shown and not is_checked:
            return
        self._shown = max(percent, self._shown)
        async with self.cell.db.tx() as tx:
            is_ours = await imports.set_progress(
                tx,
                self.import_.id,
                self.import_.attempt,
                percent,
                is_checked,
                self.cell.clock.now(),
            )
        if not is_ours:
            raise Overtaken

    async def unpack(self, path: str, target: Path) -> bool:
        """Writes a file of the archive to a place in the folder; False where there is none."""

        def write() -> None:
            with self.archive.open(path) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)

        if path not in self.archive.NameToInfo:
            return False
        await asyncio.to_thread(write)
        return True

    async def note(self, kind: ItemKind, subject: str, outcome: Outcome) -> None:
        """Notes what became of a thing that wrote nothing else."""
        async with self.cell.db.tx() as tx:
            await self.add(tx, kind, subject, outcome)

    async def add(
        self,
        tx: Tx,
        kind: ItemKind,
        subject: str,
        outcome: Outcome,
        made_id: UUID | None = None,
    ) -> bool:
        """Notes what became of a thing, in the transaction that writes it. False where that has
        been done before."""
        return await imports.add_item(tx, self.import_.id, kind, subject, outcome, made_id)

    async def is_done(self, kind: ItemKind, subject: str) -> bool:
        """Whether a thing has been noted."""
        async with self.cell.db.read() as tx:
            return await imports.item(tx, self.import_.id, kind, subject) is not None
