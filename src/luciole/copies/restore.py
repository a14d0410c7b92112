"""Putting a backup back into an empty cell, with the keys of today.

1. The tables as they were when the backup was made: its migrations, in order. 2. The archive of the
logs and the objects, where they are missing; each is safe to do again. 3. In one transaction: the
rows that can be read, the migrations since, and then, as what follows is of this version: the
counts without those who were erased, the numbers that the log has given out since, an entry for
each person, and what nobody refers to any more.

If we stop before the end of 3, the database is empty and the restore can be started again.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from luciole.ask.client import Custody
from luciole.config import ROLES
from luciole.copies import archive, keeping, model, numbers, settling
from luciole.copies.model import Manifest, NewerBackup, NotEmpty, OtherCell
from luciole.copies.numbers import Missed
from luciole.copies.opening import Opening
from luciole.custody.broker import Broker
from luciole.custody.server import NAMES
from luciole.keys import KeyStore
from luciole.kit import copying, migrate
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.copying import Connection
from luciole.kit.db import Database
from luciole.kit.queue import Queue

ROWS_AT_ONCE = 500
SAID_EVERY = 500
# Where objects of persons are; the log's own are not for sweeping.
PREFIXES = ("p/", "r/", "uploads/", "exports/", "imports/", "attachments/", "histories/")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    """What came back, and what did not: persons who were erased since, their rows and objects;
    entries of the log whose meaning is lost."""

    persons: int
    erased: int
    rows: int
    skipped_rows: int
    objects: int
    skipped_objects: int
    missed: int


class Restore:
    """One backup, into one empty cell."""

    def __init__(
        self,
        folder: Path,
        url: str,
        blobs: Blobs,
        keys: KeyStore,
        clock: Clock,
        work_dir: Path,
        say: Say = lambda line: None,
    ) -> None:
        """`url` is the owner's; opened objects pass through `work_dir`. Raises NoBackup, OtherCell,
        Damaged."""
        self._folder, self._url, self._blobs, self._clock = folder, url, blobs, clock
        self._work_dir = work_dir
        self._keys, self._say = keys, say
        self.manifest = model.read(folder)
        if self.manifest.cell_id != keys.cell_id:
            raise OtherCell
        secret = keys.secret.derived(keeping.PURPOSE)
        self._backup = Opening(folder, self.manifest, keys, secret)

    async def run(self) -> Restored:
        """Raises NewerBackup, NotEmpty, Damaged, OSError."""
        known = migrate.load()
        then = [one for one in known if one.name in self.manifest.migrations]
        if len(then) < len(self.manifest.migrations):
            raise NewerBackup
        await _require_fresh(self._url, self.manifest)
        await migrate.apply(self._url, then)
        logs = await archive.put_back(self._blobs, self._folder)
        for log, outcome in logs.items():
            self._say(f"The archive of the log {log}: {outcome}.")
        self._missed = await self._look_into_log()
        backup = self._backup
        self._say(f"{len(backup.persons)} people can be read; {backup.erased} were erased since.")
        count = await self._put_objects()
        database = await Database.open(self._url, role=ROLES["custody"], size=1)
        try:
            async with copying.whole(self._url) as connection:
                rows, missed = await self._fill(
                    connection, Broker(self._keys, database, self._clock)
                )
        finally:
            await database.close()
        return Restored(
            len(backup.persons),
            backup.erased,
            rows,
            backup.skipped_rows,
            count,
            backup.skipped_objects,
            missed,
        )

    async def _look_into_log(self) -> dict[bytes, Missed]:
        """What the log has beyond the backup. People who were erased by then are shut, and their
        keys destroyed again: a key store from a copy may still have them."""
        backup = self._backup
        sizes = {log: int(size) for log, size in backup.values("ledger.state", "log", "size")}
        missed = await numbers.missed(self._blobs, self._keys.secret, sizes.get("access", 0))
        for person, n in list(backup.values("custody.subject", "person_id", "next")):
            person_id = UUID(person)
            known = numbers.after(self._keys.label_key(person_id), int(n), missed)
            if any(one.is_erasure for one in known):
                backup.close(person_id)
                self._keys.shred(person_id)
        return missed

    async def _put_objects(self) -> int:
        count = 0
        for number, object_key in enumerate(self._backup.object_keys(), 1):
            pieces = self._backup.pieces(object_key)
            if pieces is not None and not await _is_there(self._blobs, object_key):
                with tempfile.NamedTemporaryFile(dir=self._work_dir) as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    await self._blobs.put(object_key, Path(file.name))
            count += pieces is not None
            if number % SAID_EVERY == 0:
                self._say(f"{number} objects.")
        return count

    async def _fill(self, connection: Connection, broker: Broker) -> tuple[int, int]:
        """Step 3; how many rows, and how many entries whose meaning is lost."""
        parts = {part.table: part for part in self.manifest.tables}
        rows = 0
        for table in await connection.order(list(parts)):
            part = parts[table]
            lines = _batches(self._backup.lines(part))
            rows += await connection.copy_in(table, part.columns, lines)
        self._say(f"{rows} rows; {self._backup.skipped_rows} of erased people stay closed.")
        await connection.move_sequences_on()
        await connection.migrate(migrate.load())
        await settling.recount(connection)
        persons = self._backup.persons
        taken = await settling.take_missed(connection, self._keys, persons, self._missed)
        custody = Custody.within(lambda asked: getattr(broker, NAMES[type(asked)])(asked))
        for person_id in persons:
            await custody.note(
                connection.tx, person_id, kind="grant", cls="automated", purpose="restore"
            )
        queue = Queue()
        for author_id in await settling.misplaced(connection):
            body = {"person_id": str(author_id)}
            await queue.put(connection.tx, "people.privacy-changed", body)
        referred = await settling.referred(connection)
        stray = [
            key
            for prefix in PREFIXES
            async for key in self._blobs.keys(prefix)
            if key not in referred
        ]
        await settling.give_up(connection, stray)
        return rows, taken


async def _require_fresh(url: str, manifest: Manifest) -> None:
    """A database of nobody, with the tables of the backup's version or none. Raises NotEmpty."""
    async with copying.snapshot(url) as state:
        columns = await state.columns()
        if "house.migration" not in columns:
            return
        for part in manifest.tables:
            if part.table in columns and await state.fetch(f"SELECT 1 FROM {part.table} LIMIT 1"):  # noqa: S608
                raise NotEmpty
        names = {row["name"] for row in await state.fetch("SELECT name FROM house.migration")}
        if names - set(manifest.migrations):
            raise NotEmpty(
                "This database has tables of a newer version than the backup.",
                next_step="Restore into an empty data folder that holds the keys and nothing else.",
            )


async def _batches(lines: Iterator[bytes]) -> AsyncIterator[list[bytes]]:
    some: list[bytes] = []
    for line in lines:
        some.append(line)
        if len(some) == ROWS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some


async def _is_there(blobs: Blobs, key: str) -> bool:
    try:
        await blobs.stat(key)
    except Missing:
        return False
    return True
