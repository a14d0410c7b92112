"""The job that makes an export, and the one that cleans up behind it.

An attempt has three parts: a short transaction that takes the export and counts the attempt; the
work, whose pieces carry the attempt's number; and a short transaction that declares it ready if
the attempt is still the current one. If we stop anywhere, the next attempt begins again from the
start, and the pieces of the former one are deleted with the next tidying.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.media.model import DiskFull
from luciole.cell.media.service import Room
from luciole.cell.rights.export import guide, journal_part, streams
from luciole.cell.rights.export.archive import Archive, Listed
from luciole.cell.rights.export.contents import Contents, ListOf, stored_now
from luciole.cell.rights.export.pieces import Lending, PieceWriter, SealedFile
from luciole.cell.rights.export.signature import FORMAT, Signer, text_of
from luciole.cell.rights.export.streams import Addresses, Films
from luciole.cell.rights.journal import Journal
from luciole.cell.rights.model import (
    EXPORT_FIELD,
    MAX_ATTEMPTS,
    STUCK_AFTER,
    CellFacts,
    Export,
)
from luciole.cell.rights.service import Rights
from luciole.cell.rights.store import exports
from luciole.custody.model import Field
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.catalogue import Catalogue
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.exported import ExportedRow, Sealed, Stored

AT_ONCE = 100
# Shares of the progress: the lists, the films, the journal and the rest.
AFTER_LISTS, AFTER_FILMS = 10, 90


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is in an export, and from where."""

    format: str
    made_at: str
    cell_id: UUID
    cell: CellFacts
    key: str
    person_id: UUID
    handle: str
    checkpoint: str
    lists: list[ListOf]
    files: list[Listed]
    gone: list[str]
    """Files that were deleted while the export was made."""


class Overtaken(Exception):
    """Another attempt has begun, or the person has deleted the export."""


class ExportMaker:
    """Makes exports, one at a time in the cell."""

    def __init__(
        self,
        db: Database,
        blobs: Blobs,
        custody: Custody,
        rights: Rights,
        clock: Clock,
        catalogue: Catalogue,
        journal: Journal,
        cell: CellFacts,
        room: Room,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._custody = custody
        self._rights = rights
        self._clock = clock
        self._catalogue = catalogue
        self._journal = journal
        self._cell = cell
        self._room = room

    async def make(self, export_id: UUID) -> None:
        """Makes the export, from the start, where it is still wanted."""
        now = self._clock.now()
        async with self._db.tx() as tx:
            export = await exports.start(tx, export_id, now)
            if export is not None and export.attempt > MAX_ATTEMPTS:
                await exports.fail(tx, export_id, now)
                return
        if export is None:
            return
        try:
            await _Attempt(self, export).run()
        except DiskFull:
            async with self._db.tx() as tx:
                await exports.fail(tx, export_id, self._clock.now())
        except Overtaken:
            pass

    async def tidy(self) -> None:
        """Begins stuck exports again, and deletes what has expired."""
        now = self._clock.now()
        async with self._db.tx() as tx:
            for export_id in await exports.stuck(tx, now - STUCK_AFTER, AT_ONCE):
                await self._rights.put_export(tx, export_id)
            expired = await exports.drop_expired(tx, now)
        # If we stop here, `sweep` finds the objects.
        for export_id in expired:
            await self.forget(export_id)

    async def forget(self, export_id: UUID) -> None:
        """Deletes the objects of an export that is no more."""
        async for key in self._blobs.keys(f"exports/{export_id}/"):
            await self._blobs.delete(key)

    async def sweep(self) -> None:
        """Deletes pieces that belong to no export, or to a former attempt of one."""
        batch: list[str] = []
        async for key in self._blobs.keys("exports/"):
            batch.append(key)
            if len(batch) == AT_ONCE:
                await self._sweep(batch)
                batch = []
        await self._sweep(batch)

    async def _sweep(self, keys: list[str]) -> None:
        owners = {key: UUID(key.split("/")[1]) for key in keys}
        for export_id in set(owners.values()):
            async with self._db.read() as tx:
                export = await exports.one(tx, export_id)
            for key, owner in owners.items():
                if owner == export_id and (export is None or not key.startswith(export.prefix)):
                    await self._blobs.delete(key)


class _Attempt:
    """One go at one export."""

    def __init__(self, maker: ExportMaker, export: Export) -> None:
        self._maker = maker
        self._export = export
        custody, person_id = maker._custody, export.person_id
        self._lending = Lending(
            lambda: custody.automated_grant(person_id, "export"), maker._clock.now
        )
        file = SealedFile(maker._blobs, custody, export.prefix, EXPORT_FIELD)
        self._pieces = PieceWriter(file, self._lending)
        self._archive = Archive(self._pieces.write, export.made_at)
        self._shown = 0
        self._gone: list[str] = []
        self._now_stored: dict[str, Stored] | None = None

    async def run(self) -> None:
        maker, archive = self._maker, self._archive
        async with maker._db.snapshot() as tx:
            contents = Contents(maker._catalogue.exported, tx, self._export.person_id, self._opened)
            account = await self._write_lists(contents)
        await self._show(AFTER_LISTS)
        await self._write_films(contents)
        checkpoint = await journal_part.write(
            archive, maker._journal, self._lending, maker._custody
        )
        await self._write_manifest(account, contents.lists, checkpoint)
        await archive.close()
        await self._pieces.close()
        async with maker._db.tx() as tx:
            pieces = self._pieces
            is_ours = await exports.finish(
                tx,
                self._export.id,
                self._export.attempt,
                pieces.size_bytes,
                pieces.pieces,
                maker._clock.now(),
            )
            if not is_ours:
                raise Overtaken
            await maker._custody.note(
                tx,
                self._export.person_id,
                kind="export",
                cls="export",
                purpose="export",
                actor="you",
                columns=["*"],
                note=f"{len(archive.files)} files, {pieces.size_bytes} bytes",
            )

    async def _write_lists(self, contents: Contents) -> ExportedRow:
        """Everything that comes out of the database, in one state of it."""
        maker, archive = self._maker, self._archive
        account = await anext(contents.rows("people", "account"))
        films = await _films(contents.rows("media", "files"))
        addresses = Addresses(maker._cell.origin)
        await guide.write_readme(
            archive,
            account,
            contents.rows("clips", "clips"),
            films,
            maker._cell,
            maker._catalogue,
            self._export.made_at,
        )
        await archive.text("fields.json", guide.fields(maker._catalogue))
        actor = streams.actor(account, addresses)
        await archive.text("actor.json", msgspec.json.format(msgspec.json.encode(actor)))
        clips = contents.rows("clips", "clips")
        await streams.write_outbox(archive, clips, films, account, addresses)
        await streams.write_following(archive, contents.rows("graph", "following"), addresses)
        await contents.write_lists(archive)
        await contents.write_texts(archive)
        return account

    async def _write_films(self, contents: Contents) -> None:
        """The bytes of every file, as they are stored."""
        total = sum(each.size_bytes for each in contents.stored.values()) or 1
        self._maker._room.require(total)
        done = 0
        for path in sorted(contents.stored):
            stored = await self._found(contents.stored[path])
            if stored is None:
                self._gone.append(path)
                continue
            archive = self._archive
            async with archive.file(path, is_packed=False, size_bytes=stored.size_bytes) as entry:
                for key in stored.object_keys:
                    size_bytes = (await self._maker._blobs.stat(key)).size_bytes
                    async for chunk in self._maker._blobs.stream(key, 0, size_bytes):
                        await entry.write(chunk)
            done += entry.size_bytes
            share = min(1.0, done / total)
            await self._show(AFTER_LISTS + int(share * (AFTER_FILMS - AFTER_LISTS)))

    async def _found(self, stored: Stored) -> Stored | None:
        """The file under the keys that its objects have now: those of a clip are renamed when its
        audience changes. None where it was deleted meanwhile."""
        if await self._is_there(stored):
            return stored
        async with self._maker._db.snapshot() as tx:
            now = await stored_now(self._maker._catalogue.exported, tx, self._export.person_id)
        found = now.get(stored.path)
        return found if found is not None and await self._is_there(found) else None

    async def _is_there(self, stored: Stored) -> bool:
        try:
            for key in stored.object_keys:
                await self._maker._blobs.stat(key)
        except Missing:
            return False
        return True

    async def _write_manifest(
        self, account: ExportedRow, lists: list[ListOf], checkpoint: str
    ) -> None:
        maker, archive = self._maker, self._archive
        signer = await Signer.of(maker._custody)
        manifest = Manifest(
            FORMAT,
            streams.moment(self._export.made_at) or "",
            signer.cell_id,
            maker._cell,
            str(signer.key),
            self._export.person_id,
            account["handle"],
            checkpoint,
            lists,
            list(archive.files),
            self._gone,
        )
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
        await archive.text("manifest.json", text)
        listed = archive.files[-1]
        signed = await signer.sign(text_of(listed.sha256, listed.size_bytes))
        await archive.text("manifest.sig", signed)

    async def _opened(self, sealed: list[Sealed]) -> list[bytes]:
        fields = [Field(each.field_id, each.version, each.data) for each in sealed]
        return await self._maker._custody.open(await self._lending.grant(), fields)

    async def _show(self, percent: int) -> None:
        if percent <= self._shown:
            return
        self._shown = percent
        async with self._maker._db.tx() as tx:
            is_ours = await exports.set_progress(
                tx, self._export.id, self._export.attempt, percent, self._maker._clock.now()
            )
        if not is_ours:
            raise Overtaken


async def _films(files: AsyncIterator[ExportedRow]) -> Films:
    """The files of each film, for pages that link to them."""
    found: dict[str, list[ExportedRow]] = {}
    async for file in files:
        found.setdefault(str(file["asset_id"]), []).append(file)
    return found
