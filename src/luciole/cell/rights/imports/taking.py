"""The job that takes an export in: it opens the archive, compares it with its manifest, and only
then puts anything into the account, thing by thing.

Each thing is written together with a note of it (`rights.import_item`), so that a run after a kill
goes on where the one before stopped. What the account's own rules refuse is left, and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.cell.rights.export.pieces import SealedFile
from luciole.cell.rights.importing import Imports
from luciole.cell.rights.imports import account, clips, manifest, social, zipped
from luciole.cell.rights.imports.going import Cell, Later, Overtaken, Taking
from luciole.cell.rights.imports.manifest import Signed
from luciole.cell.rights.imports.rows import Lists
from luciole.cell.rights.model import (
    IMPORT_FIELD,
    MAX_ATTEMPTS,
    REPORT_KEPT,
    STUCK_AFTER,
    Import,
    Unimportable,
)
from luciole.cell.rights.store import imports
from luciole.config import Settings
from luciole.kit.catalogue import Catalogue
from luciole.kit.queue import Queue
from luciole.kit.workplace import open_folder, sweep_folders

AT_ONCE = 100
LOOK_S = 0.5
# Shares of the progress: the comparison, the account, the clips, the rest.
AFTER_CHECK, AFTER_ACCOUNT, AFTER_CLIPS = 25, 30, 95


class Report(msgspec.Struct, frozen=True):
    """What the person is told at the end. `counts`: kind, then outcome."""

    cell_name: str
    cell_origin: str
    cell_id: UUID
    signed: Signed
    counts: dict[str, dict[str, int]]
    stays: dict[str, str]
    """Lists that no import takes along, and why."""


class Taker:
    """Takes exports in, one at a time in the cell."""

    def __init__(
        self,
        cell: Cell,
        imports_: Imports,
        catalogue: Catalogue,
        settings: Settings,
        queue: Queue,
    ) -> None:
        self._cell = cell
        self._imports = imports_
        self._catalogue = catalogue
        self._most_bytes = settings.rights.max_import_bytes
        self._folder = settings.work_dir / "imports"
        self._queue = queue

    async def take(self, import_id: UUID) -> None:
        """Takes the import in, from where it was, if it is still wanted."""
        now = self._cell.clock.now()
        async with self._cell.db.tx() as tx:
            import_ = await imports.start(tx, import_id, now)
        if import_ is None:
            return
        if import_.attempt > MAX_ATTEMPTS:
            await self._refuse(import_, "import-not-now")
            return
        try:
            async with self._workplace(import_) as folder:
                await self._run(Taking(self._cell, import_, folder))
        except Unimportable as refusal:
            await self._refuse(import_, refusal.code)
        except Later as later:
            async with self._cell.db.tx() as tx:
                await imports.pardon(tx, import_.id, import_.attempt)
                body = {"import_id": str(import_id)}
                await self._queue.put(tx, "rights.archive", body, priority=0, after=later.after)
        except Overtaken:
            pass

    async def _run(self, taking: Taking) -> None:
        """Everything, in the order in which later things need earlier ones."""
        cell, import_ = self._cell, taking.import_
        sealed = SealedFile(cell.blobs, cell.custody, import_.prefix, IMPORT_FIELD)
        file = zipped.PiecesFile(
            lambda number: sealed.get(taking.lending, number),
            import_.size_bytes,
            asyncio.get_running_loop(),
        )
        taking.archive = await asyncio.to_thread(
            zipped.opened, file, import_.size_bytes, self._most_bytes
        )
        taking.manifest, raw = await asyncio.to_thread(manifest.read, taking.archive)
        own = await cell.custody.public_key("export")
        signed = await asyncio.to_thread(
            manifest.signed, taking.archive, taking.manifest, raw, own.key
        )
        taking.is_same_cell = signed == "here" and taking.manifest.cell_id == own.cell_id
        taking.lists = Lists(taking.archive)
        if not import_.is_checked:
            await self._compare(taking)
            await taking.lists.check()
            await taking.show(AFTER_CHECK, is_checked=True)
        await account.take(taking)
        await taking.show(AFTER_ACCOUNT)
        await clips.take(taking, AFTER_ACCOUNT, AFTER_CLIPS)
        await social.take(taking)
        async with cell.db.tx() as tx:
            counts = await imports.outcomes(tx, import_.id)
        stated = taking.manifest.cell
        stays = {
            f"{slice_name}/{each.name}": each.stays
            for slice_name, lists in self._catalogue.exported.items()
            for each in lists
            if each.stays
        }
        report = Report(stated.name, stated.origin, taking.manifest.cell_id, signed, counts, stays)
        await self._finish(import_, report)

    async def _compare(self, taking: Taking) -> None:
        """Compares all hashes, in a thread, and shows how far it is."""
        archive, listed = taking.archive, taking.manifest
        total = sum(each.size_bytes for each in listed.files) or 1
        done = 0

        def count(size_bytes: int) -> None:
            nonlocal done
            done += size_bytes

        comparing = asyncio.create_task(asyncio.to_thread(manifest.compare, archive, listed, count))
        while not comparing.done():
            await asyncio.wait({comparing}, timeout=LOOK_S)
            await taking.show(min(AFTER_CHECK - 1, done * AFTER_CHECK // total))
        await comparing

    async def _finish(self, import_: Import, report: Report) -> None:
        """States the outcome, in the journal too, and lets go of the file."""
        async with self._cell.db.tx() as tx:
            now = self._cell.clock.now()
            text = msgspec.json.encode(report).decode()
            if not await imports.finish(
                tx, import_.id, import_.attempt, text, now, now + REPORT_KEPT
            ):
                raise Overtaken
            await self._queue.put(tx, "rights.forget-import", {"import_id": str(import_.id)})
            await self._cell.custody.note(
                tx,
                import_.person_id,
                kind="import",
                cls="self",
                purpose="import",
                actor="you",
                columns=["*"],
                note=f"an export of the cell {report.cell_id}",
            )

    async def tidy(self) -> None:
        """Begins stuck imports again; forgets uploads that nobody goes on with, and old reports."""
        now = self._cell.clock.now()
        async with self._cell.db.tx() as tx:
            for import_id in await imports.stuck(tx, now - STUCK_AFTER, AT_ONCE):
                await self._imports.put(tx, import_id)
            expired = await imports.drop_expired(tx, now)
        for import_id in expired:
            await self.forget(import_id)
        await asyncio.to_thread(sweep_folders, self._folder)

    async def forget(self, import_id: UUID) -> None:
        """Deletes the file of an import."""
        async for key in self._cell.blobs.keys(f"imports/{import_id}/"):
            await self._cell.blobs.delete(key)

    async def sweep(self) -> None:
        """Deletes pieces that no import needs any more."""
        needed: dict[UUID, bool] = {}
        async for key in self._cell.blobs.keys("imports/"):
            owner = UUID(key.split("/")[1])
            if owner not in needed:
                async with self._cell.db.read() as tx:
                    found = await imports.one(tx, owner)
                needed[owner] = found is not None and found.state not in ("done", "refused")
            if not needed[owner]:
                await self._cell.blobs.delete(key)

    async def _refuse(self, import_: Import, code: str) -> None:
        now = self._cell.clock.now()
        async with self._cell.db.tx() as tx:
            await imports.refuse(tx, import_.id, code, now, now + REPORT_KEPT)
            await self._queue.put(tx, "rights.forget-import", {"import_id": str(import_.id)})

    @contextlib.asynccontextmanager
    async def _workplace(self, import_: Import) -> AsyncIterator[Path]:
        folder = self._folder / f"{import_.id}-{import_.attempt}"
        lock = await asyncio.to_thread(open_folder, folder)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            os.close(lock)
