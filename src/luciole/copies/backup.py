"""Making a backup, while the cell runs or while it is stopped.

1. A key for each person, from the key broker; each gets an entry in the log, before the state that
   is copied. 2. The tables, all in one state of the database. 3. Their objects, those that are not
there yet. 4. The archive of the logs. 5. The manifest, by rename: until then the former backup is
the one that counts. 6. What the former one alone needed goes.

If we stop anywhere, the next run begins with fresh keys and rows, and keeps the objects.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from luciole import __version__, catalogue
from luciole.ask.client import Custody
from luciole.copies import archive, keeping, objects
from luciole.copies.blocks import Layer, Writer
from luciole.copies.model import FORMAT, MANIFEST, Manifest, Part, TablePart
from luciole.copies.owners import Line, Table
from luciole.copies.persons import Owner, Persons
from luciole.custody.model import KeyGone, NoGrant
from luciole.kit import copying
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.copying import Connection
from luciole.kit.durable import replace
from luciole.kit.errors import Conflict
from luciole.kit.ids import new_id

PEOPLE = "SELECT id FROM people.person WHERE home IS NULL"
# They have no key here. Their own cell has what they are, and they stay behind.
OF_ELSEWHERE = "SELECT id FROM people.person WHERE home IS NOT NULL"
MIGRATIONS = "SELECT name FROM house.migration ORDER BY name"
SAID_EVERY = 500
PEOPLE_AT_ONCE = 1000

Say = Callable[[str], None]


class Named(NamedTuple):
    """An object that a copied row names: its key there, how the row is found again, its owner."""

    key: str
    table: Table
    again: tuple[str, ...]
    owner: Owner


class BeingWritten(Conflict):
    code = "backup-being-written"
    sentence = "Another backup is being written into this folder."
    next_step = "Wait for its end, or name another folder."


class Backup:
    """One run, into one folder."""

    def __init__(
        self,
        folder: Path,
        url: str,
        blobs: Blobs,
        custody: Custody,
        clock: Clock,
        say: Say = lambda line: None,
    ) -> None:
        """`url` is the owner's."""
        self._folder, self._url, self._blobs = folder, url, blobs
        self._custody, self._clock, self._say = custody, clock, say
        self._id = new_id()
        self._unsealed = self._gone = 0
        self._objects: list[Named] = []

    async def run(self) -> Manifest:
        """Raises BeingWritten, NotWritten, CustodyAway, OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(self._folder):
            secret = await self._custody.derived(keeping.PURPOSE)
            cell_id = (await self._custody.public_key("export")).cell_id
            self._layer = Layer(secret, "rows", cell_id, self._id)
            self._around = Layer(secret, "objects", cell_id, cell_id)
            rows = self._folder / f"rows-{self._id}"
            rows.mkdir(mode=0o700)
            try:
                manifest = await self._write(rows)
            except BaseException:
                shutil.rmtree(rows, ignore_errors=True)
                raise
            self._tidy(manifest)
        return manifest

    async def _write(self, rows: Path) -> Manifest:
        writer = Writer(rows / "persons", self._layer, "persons")
        self._persons = Persons(self._custody, self._layer, writer)
        async with copying.snapshot(self._url) as before:
            people = [row["id"] for row in await before.fetch(PEOPLE)]
        for start in range(0, len(people), PEOPLE_AT_ONCE):
            await self._persons.prepare(people[start : start + PEOPLE_AT_ONCE])
        self._say(f"Keys for {len(people)} people.")
        async with copying.snapshot(self._url) as before:
            self._persons.leave_out(row["id"] for row in await before.fetch(OF_ELSEWHERE))
        made_at = self._clock.now()
        async with copying.snapshot(self._url) as state:
            migrations = tuple(row["name"] for row in await state.fetch(MIGRATIONS))
            columns = await state.columns()
            tables = [
                await self._copy_table(state, Table(rule, columns[rule.table]), rows)
                for rule in sorted(catalogue.OWNED, key=lambda rule: rule.table)
                if not rule.stays
            ]
        self._say(f"{sum(part.records for part in tables)} rows of {len(tables)} tables.")
        listed = await self._copy_objects(rows)
        await archive.copy(self._blobs, self._folder)
        manifest = Manifest(
            FORMAT,
            self._id,
            self._layer.cell_id,
            made_at,
            __version__,
            migrations,
            writer.close(),
            listed,
            tuple(tables),
            self._unsealed,
            self._gone,
        )
        # 5. From here on this is the backup.
        replace(self._folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        return manifest

    async def _copy_table(self, state: Connection, table: Table, rows: Path) -> TablePart:
        writer = Writer(rows / table.name, self._layer, table.name)

        async def take(copied: list[bytes]) -> None:
            for each in copied:
                await self._take(writer, table, table.line(each))

        await state.copy_out(table.query, take)
        part = writer.close()
        return TablePart(
            part.file, part.size_bytes, part.sha256, part.records, table.name, table.columns
        )

    async def _take(self, writer: Writer, table: Table, line: Line) -> None:
        found = [await self._persons.owner(person_id) for person_id in line.owners]
        owners = [owner for owner in found if owner is not None]
        bare = table.without(line.row) if table.rule.outlives and owners else None
        if len(owners) < len(found):
            # Nobody could tell this row from one of an erased person: it stays behind.
            self._unsealed += 1
            if not bare:
                return
            owners, line = [], Line((), bare, None, ())
        sealed = self._persons.sealed(line.row, owners, table.name)
        writer.add([[owner.number for owner in owners], sealed, bare], len(sealed) + 30)
        if line.object_key and owners:
            self._objects.append(Named(line.object_key, table, line.again, owners[0]))

    async def _copy_objects(self, rows: Path) -> Part:
        async with copying.reader(self._url) as now:
            return await self._copy_each(now, rows)

    async def _copy_each(self, now: Connection, rows: Path) -> Part:
        writer = Writer(rows / "objects", self._around, f"objects-{self._id}")
        written = written_bytes = 0
        for number, named in enumerate(self._objects, 1):
            path = self._path(named)
            if not path.exists():
                try:
                    written_bytes += await self._copy_object(now, path, named)
                    written += 1
                except (Missing, KeyGone, NoGrant):
                    self._gone += 1
                    continue
            writer.add(named.key, len(named.key) + 10)
            if number % SAID_EVERY == 0:
                self._say(f"{number} of {len(self._objects)} objects.")
        size = f"{written_bytes / 1024**2:.0f} MiB"
        self._say(f"{written} new objects, {size}; {len(self._objects) - written} were there.")
        return writer.close()

    async def _copy_object(self, now: Connection, path: Path, named: Named) -> int:
        """Under the key that the copied row names, whatever it is called by now. Raises Missing,
        KeyGone, NoGrant."""
        with contextlib.suppress(Missing):
            return await self._write_object(path, named.key, named.owner)
        found = await now.fetch(named.table.again, *named.again)
        if not found or not found[0][0]:
            raise Missing(named.key)
        return await self._write_object(path, found[0][0], named.owner)

    async def _write_object(self, path: Path, source: str, owner: Owner) -> int:
        return await objects.write(path, self._blobs, source, owner, self._persons, self._around)

    def _path(self, named: Named) -> Path:
        return objects.path_of(self._folder, self._around, named.key)

    def _tidy(self, manifest: Manifest) -> None:
        """6. Rows of former backups, and objects that no row names any more."""
        for former in self._folder.glob("rows-*"):
            if former.name != manifest.rows_dir:
                shutil.rmtree(former, ignore_errors=True)
        wanted = {objects.name_of(self._around, named.key) for named in self._objects}
        for path in objects.files(self._folder):
            if path.name not in wanted:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BeingWritten from None
        yield
    finally:
        os.close(handle)
