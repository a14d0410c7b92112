"""Putting a cell back from the one that keeps its backup, on an empty machine, to a point in time.

1. The key store: the one that is here, or the short copy from abroad under the root that is here.
2. The objects, and the archive of the logs where there is none. 3. A base backup, compared with its
own list of digests, and the write-ahead log behind it; PostgreSQL goes through it up to the time.
4. Still in a folder that no cell starts from, and with no way in for anybody: what does not come
back with any restore is emptied (sessions among it), everybody who was erased since is erased
again, numbers of the log are moved on, what is left of the erased in the database's files is
removed. 5. One rename makes it the cell's database.

Who was erased is told by the keys: whoever has none any more. And by the log, for a key store that
is older than the last erasures. If we stop anywhere before 5, a restore begins again.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from luciole import catalogue, upkeep
from luciole.abroad.fetching import Found
from luciole.abroad.server import Tools
from luciole.abroad.state import Base
from luciole.ask.alone import Exchange
from luciole.ask.client import Custody
from luciole.cell.rights.erasing import Erasing
from luciole.cell.rights.model import ErasureBegun
from luciole.cell.rights.store import erasures
from luciole.config import ROLES, Settings
from luciole.copies import numbers, settling
from luciole.copies.model import NotEmpty
from luciole.copies.numbers import Missed
from luciole.copies.restore import PREFIXES
from luciole.custody.broker import Broker
from luciole.custody.purposes import DERIVED
from luciole.custody.server import NAMES
from luciole.keys import KeyStore, NoKey, epochs, private
from luciole.keys import backup as key_backup
from luciole.kit import copying, migrate, postgres
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.errors import Conflict, Unavailable
from luciole.kit.postgres_programs import ServerProblem, wheel_bin_dir
from luciole.kit.queue import Queue
from luciole.ledger.archive import CHECKPOINT, PENDING
from luciole.parts import Parts
from luciole.reach import of
from luciole.roots.choose import open_root

LEDGER = "ledger/"
SAID_EVERY = 500
PLACES_AT_ONCE = 100
# Not emptied: about this database itself, and what came of other cells, whose people are here.
KEPT = ("house.", "abroad.")
ENDED_BEFORE = "recovery ended before configured recovery target was reached"
PERSONS = """
SELECT p.id, p.created_at, s.next FROM people.person p
JOIN custody.subject s ON s.person_id = p.id ORDER BY p.id
"""
TOLD = """
INSERT INTO border.exchange (peer, is_ours, kind, asked, answered)
SELECT name, true, 'backup', $2, $3 FROM border.peer WHERE origin = $1
"""
SIZE = "SELECT size FROM ledger.state WHERE log = 'access'"

Say = Callable[[str], None]
# The origin of a cell, and what it was asked without a gateway.
Asked = tuple[str, list[Exchange]]


class NoKeysAbroad(Unavailable):
    code = "abroad-no-keys"
    sentence = "The key store is neither here nor abroad, so nothing that is sealed would open."
    next_step = "Put the key store back first: ./luciole restore-keys FOLDER, then again."


class OutsideDatabase(Conflict):
    code = "abroad-outside-database"
    sentence = "A base backup goes into a database of our own, and DATABASE_URL names another."
    next_step = "Restore without DATABASE_URL, then move over by pg_dump."


@dataclass(frozen=True)
class Restored:
    """What came back: people, those who were erased since, objects, entries of the log whose
    meaning is lost; and up to when."""

    persons: int
    erased: int
    without_keys: int
    objects: int
    missed: int
    until: datetime


class Restore:
    """One backup, into one empty data folder."""

    def __init__(
        self,
        found: Found,
        settings: Settings,
        clock: Clock,
        say: Say = lambda line: None,
        asked: Asked = ("", []),
    ) -> None:
        """`asked`: the origin of the other cell and the digests of what it was asked without a
        gateway, which the log of crossings tells later. Raises NotEmpty, OutsideDatabase."""
        self._found, self._settings, self._clock, self._say = found, settings, clock, say
        self._asked = asked
        self._blobs = Blobs.open(settings.blobs_place)
        self._home = settings.data / "postgres.restoring"
        self._log = settings.data / "log" / "postgresql.log"
        self._work = settings.work_dir / "abroad"
        if settings.database.url:
            raise OutsideDatabase
        if (settings.data / "postgres" / "data").exists():
            raise NotEmpty

    async def run(self, until: datetime | None) -> Restored:
        """With the folder's lock held, in the main thread. Raises NoKeysAbroad, ParcelBroken,
        NothingAbroad, NotThatFar, ToolFailed, PeerUnreachable, PeerRefused, OSError."""
        for folder in (self._home, self._work):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700, parents=True)
        try:
            base = self._found.base(until)
            # 1.
            keys_from = await self._put_keys()
            # 2.
            objects = await self._put_objects()
            # 3.
            reached = await self._put_database(base, until)
            keys = KeyStore(
                self._settings.keys_dir,
                open_root(**self._settings.key_place),
                clock=self._clock,
            )
            try:
                # 4.
                settling = _Settling(self._settings, self._home, self._log, keys, self._blobs)
                newest = keys_from if until is None else None
                done = await settling.run(self._clock, newest, self._say, self._asked)
            finally:
                keys.close()
            # 5.
            shutil.rmtree(self._settings.data / "postgres", ignore_errors=True)
            self._home.rename(self._settings.data / "postgres")
            private.sync(self._settings.data)
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
        return Restored(*done[:3], objects, done[3], reached)

    async def _put_keys(self) -> datetime | None:
        """When the short copy was made that was put back; None where the key store was here."""
        folder = self._settings.keys_dir
        if epochs.current(folder) is not None:
            self._say("The key store is here.")
            return None
        copy = self._work / "keys"
        try:
            if not await self._found.keys(copy):
                raise NoKeysAbroad
            key_backup.restore(copy, folder)
            _, made_at, _ = key_backup.generations(copy)[-1]
        finally:
            for path in copy.glob("*") if copy.exists() else ():
                private.destroy(path)
        self._say(f"The key store of {made_at:%Y-%m-%d %H:%M} UTC came back.")
        return made_at

    async def _put_objects(self) -> int:
        kept = {
            key.split("/")[1] async for key in self._blobs.keys(LEDGER) if key.endswith(PENDING)
        }
        count = 0
        async for key, path in self._found.objects(self._work):
            if key.startswith(LEDGER):
                # What lies in the object store counts more than any copy.
                if key.split("/")[1] not in kept:
                    await self._blobs.put_durably(key, path.read_bytes())
                continue
            if not await _is_there(self._blobs, key):
                await self._blobs.put(key, path)
            count += 1
            if count % SAID_EVERY == 0:
                self._say(f"{count} objects.")
        ledger = self._found.head.ledger
        for key in sorted(ledger, key=lambda key: key.endswith((PENDING, CHECKPOINT))):
            if key.split("/")[1] not in kept:
                await self._blobs.put_durably(key, ledger[key])
        self._say(f"{count} objects came back. Logs that were here already: {len(kept)}.")
        return count

    async def _put_database(self, base: Base, until: datetime | None) -> datetime:
        data = self._home / "data"
        await self._found.extract(base, data)
        tools = Tools(wheel_bin_dir(), "")
        await asyncio.to_thread(tools.verify, data)
        self._say(f"Base backup of {_utc(base.ended_at)}: every file is as it was.")
        covered_at, parts = await self._found.log(base, data / "pg_wal")
        self._say(f"{parts} parts of the write-ahead log, until {_utc(covered_at)}.")
        (data / "recovery.signal").touch(mode=0o600)
        self._recover(until)
        reached = datetime.fromtimestamp(covered_at, UTC)
        return reached if until is None else min(until, reached)

    def _recover(self, until: datetime | None) -> None:
        """PostgreSQL goes through its log, up to a time. Raises ServerProblem."""
        # The log lies where it looks after this command has failed. A standby that answers would
        # say that it is ready before it has gone through its log.
        settings = {
            "restore_command": "false",
            "recovery_target_action": "promote",
            "hot_standby": "off",
        }
        if until is not None:
            settings["recovery_target_time"] = f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"
        try:
            postgres.Server(self._home, self._log, settings=settings).recover()
        except ServerProblem as problem:
            if until is None or ENDED_BEFORE not in problem.sentence:
                raise
            self._say("Nothing was written between the end of the backup and that time.")
            self._recover(None)


class _Settling:
    """What a database has to be told that was put back as a whole, before anybody comes in."""

    def __init__(
        self, settings: Settings, home: Path, log: Path, keys: KeyStore, blobs: Blobs
    ) -> None:
        self._settings, self._home, self._log = settings, home, log
        self._keys, self._blobs = keys, blobs

    async def run(
        self, clock: Clock, keys_from: datetime | None, say: Say, asked: Asked
    ) -> tuple[int, int, int, int]:
        """People, erased ones, those whose keys are lost, entries whose meaning is lost."""
        async with postgres.embedded_async(self._home, log=self._log) as server:
            url = server.url()
            await migrate.apply(url, migrate.load())
            await self._empty(url)
            custody_db = await Database.open(url, role=ROLES["custody"], size=2)
            worker_db = await Database.open(url, role=ROLES["worker"], size=4)
            try:
                broker = Broker(self._keys, custody_db, clock)
                custody = Custody.within(lambda asked: getattr(broker, NAMES[type(asked)])(asked))
                missed, persons, erased, lost = await self._who(url, keys_from)
                say(f"{len(persons)} people; {len(erased)} were erased since.")
                await self._erase(worker_db, custody, clock, erased)
                count = await self._settle(url, custody, persons, missed)
                await _tell(url, *asked)
            finally:
                await worker_db.close()
                await custody_db.close()
            # Also of people whose erasure was in the backup already: their rows may be dead in it.
            await upkeep.run(of(server, is_cell_running=False), clock)
        return len(persons) + len(lost), len(erased), len(lost), count

    async def _empty(self, url: str) -> None:
        """Sessions, conversations, waiting jobs, offers: what stays behind in any restore."""
        stays = [
            one.table for one in catalogue.OWNED if one.stays and not one.table.startswith(KEPT)
        ]
        async with copying.whole(url) as connection:
            await connection.execute(f"TRUNCATE {', '.join(sorted(stays))}")

    async def _who(
        self, url: str, keys_from: datetime | None
    ) -> tuple[dict[bytes, Missed], list[UUID], list[UUID], list[UUID]]:
        """What the log has beyond the database; who is here, who was erased, whose keys are lost.
        With `keys_from`, nobody can have been erased who signed up after it: the database tells of
        every erasure itself then."""
        async with copying.reader(url) as connection:
            rows = await connection.fetch(PERSONS)
            (state,) = await connection.fetch(SIZE) or [{"size": 0}]
        missed = await numbers.missed(self._blobs, self._keys.secret, state["size"])
        persons: list[UUID] = []
        erased: list[UUID] = []
        lost: list[UUID] = []
        for person_id, created_at, n in rows:
            try:
                label_key = self._keys.label_key(person_id)
            except NoKey:
                is_new = keys_from is not None and created_at > keys_from
                (lost if is_new else erased).append(person_id)
                continue
            if any(one.is_erasure for one in numbers.after(label_key, n, missed)):
                self._keys.shred(person_id)
                erased.append(person_id)
            else:
                persons.append(person_id)
        return missed, persons, erased, lost

    async def _erase(
        self, db: Database, custody: Custody, clock: Clock, erased: list[UUID]
    ) -> None:
        derived = {name: self._keys.secret.derived(name) for name in DERIVED["worker"]}
        parts = Parts.over(
            self._settings,
            db,
            process="worker",
            custody=custody,
            derived=derived,
            blobs=self._blobs,
            clock=clock,
        )
        erasing = Erasing(
            db,
            self._blobs,
            parts.people,
            parts.media,
            custody,
            clock,
            catalogue.ERASE,
            _nothing,
        )
        for person_id in erased:
            async with db.tx() as tx:
                try:
                    _, erasure = await parts.leaving.ask(tx, person_id, now=True)
                except ErasureBegun:
                    erasure = await parts.leaving.of_person(tx, person_id)
            await erasing.run(erasure.id)
            # Places where work under way might still write; here there is none.
            await self._leave_places(db, erasure.id)
            await erasing.run(erasure.id)

    async def _leave_places(self, db: Database, erasure_id: UUID) -> None:
        while True:
            async with db.tx() as tx:
                found = await erasures.places(tx, erasure_id, "", PLACES_AT_ONCE)
                for place in found:
                    await erasures.drop_place(tx, erasure_id, place)
            if not found:
                return
            for place in found:
                is_prefix = place.endswith("/")
                keys = [key async for key in self._blobs.keys(place)] if is_prefix else [place]
                await self._blobs.delete(*keys)

    async def _settle(
        self,
        url: str,
        custody: Custody,
        persons: list[UUID],
        missed: dict[bytes, Missed],
    ) -> int:
        async with copying.whole(url) as connection:
            await settling.recount(connection)
            count = await settling.take_missed(connection, self._keys, persons, missed)
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
        # Nobody writes here yet, so that they go at once: of whoever was erased, too.
        await self._blobs.delete(*stray)
        return count


async def _tell(url: str, origin: str, exchanged: list[Exchange]) -> None:
    """Has the log of crossings tell what the keeper was asked while no gateway ran."""
    async with copying.whole(url) as connection:
        for one in exchanged:
            await connection.tx.execute(TOLD, origin, *one)


async def _nothing() -> None:
    """The cell's own jobs sweep what was given up."""


async def _is_there(blobs: Blobs, key: str) -> bool:
    with contextlib.suppress(Missing):
        await blobs.stat(key)
        return True
    return False


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
