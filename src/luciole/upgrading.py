"""Brings the data of an earlier version to this one, and back where that does not work.

1. The stopped database is copied, file by file. 2. The migrations of this version are applied.
3. What was there is compared with what is there. 4. Where all is well the copy goes, at once: it
would keep who is erased. Else the copy is put back, and the version before can be started again.

Nothing of the cell runs meanwhile: the log must not say what a database that goes back has not
done. If we stop anywhere, the next run finds the copy and begins by putting it back.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from luciole import catalogue, config, fit
from luciole.config import Settings
from luciole.kit import migrate, postgres
from luciole.kit.console import say
from luciole.kit.db import Database, Tx
from luciole.kit.durable import flush
from luciole.kit.errors import Conflict, NotFound, Unavailable
from luciole.kit.keeper import FolderLock
from luciole.kit.migrate import Migration, MigrationRefused
from luciole.roots.choose import open_secret

# What no migration may lose.
COUNTED = {
    "people.person": "SELECT count(*) FROM people.person",
    "clips.clip": "SELECT count(*) FROM clips.clip",
    "media.file": "SELECT count(*) FROM media.file",
    "messages.envelope": "SELECT count(*) FROM messages.envelope",
}
IS_THERE = "SELECT to_regclass($1)"
COLUMNS = """
SELECT n.nspname || '.' || c.relname || '.' || a.attname AS name
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
"""


class Running(Conflict):
    code = "cell-running"
    sentence = "The cell is running."
    next_step = "Stop it first: systemctl stop luciole."


class NothingHere(NotFound):
    code = "nothing-to-upgrade"
    sentence = "There is no data of a cell here."
    next_step = "Name its folder with LUCIOLE_DATA_DIR."


class OutsideDatabase(Conflict):
    code = "outside-database"
    sentence = "The database is outside, so Luciole cannot copy it by itself."
    next_step = "Save it with pg_dump, then run ./luciole upgrade --saved."


class NoSpace(Unavailable):
    code = "no-space-to-upgrade"
    sentence = "The disk has no room for a copy of the database."
    next_step = "Make room, then run it again; nothing was changed."


class WentBack(Unavailable):
    """It did not work, and everything is as it was."""

    code = "upgrade-went-back"
    sentence = "The upgrade did not work, and the data is as it was before."
    next_step = "Start the version that made it, and tell the people who make Luciole."


async def run(
    environment: Mapping[str, str],
    *,
    is_saved: bool = False,
    migrations: Sequence[Migration] | None = None,
) -> int:
    """Does it; `is_saved`: the operator has a copy of an outside one. Raises what is above."""
    settings = config.load(environment)
    lock = FolderLock(settings.data / "run")
    if not lock.take():
        raise Running
    try:
        lock.end_leftovers()
        if settings.database.url:
            if not is_saved:
                raise OutsideDatabase
            await _upgraded(settings, settings.database.url, migrations)
        else:
            await _with_copy(settings, migrations)
    finally:
        lock.release()
    return 0


async def _with_copy(settings: Settings, migrations: Sequence[Migration] | None) -> None:
    home = settings.data / "postgres"
    copy = settings.data / "upgrade" / "postgres"
    if copy.exists():
        say("An earlier upgrade was cut off; its copy is put back first.")
        _put_back(copy, home)
    if not (home / "data" / "PG_VERSION").exists():
        raise NothingHere
    _save(home, copy)
    try:
        async with _database(settings) as url:
            await _upgraded(settings, url, migrations)
    # Whatever it was: nobody may start a half-upgraded cell.
    except BaseException as error:
        say(f"It did not work: {_words(error)}")
        _put_back(copy, home)
        if isinstance(error, Exception):
            raise WentBack from error
        raise
    shutil.rmtree(copy.parent)


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    log = settings.data / "log" / "postgresql.log"
    async with postgres.embedded_async(settings.data / "postgres", log=log) as server:
        yield server.url()


def _save(home: Path, copy: Path) -> None:
    """A copy that is whole once it has its name."""
    size = sum(one.stat().st_size for one in home.rglob("*") if one.is_file())
    if shutil.disk_usage(home).free < size + size // 10:
        raise NoSpace
    say(f"Copying the database ({size / 10**6:.0f} MB) …")
    part = copy.with_name("postgres.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copytree(home, part, symlinks=True, ignore=_no_sockets)
    part.rename(copy)
    flush([copy.parent])


def _put_back(copy: Path, home: Path) -> None:
    # If we stop between the two, the copy is still there, and the next run does it again.
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(copy, home, symlinks=True)
    shutil.rmtree(copy.parent)
    say("The database is as it was before.")


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]


async def _upgraded(settings: Settings, url: str, migrations: Sequence[Migration] | None) -> None:
    before = await _counted(url)
    applied = await migrate.apply(url, migrations)
    say(f"Applied: {', '.join(applied)}." if applied else "The database is up to date.")
    after = await _counted(url)
    lost = [name for name, number in before.items() if after.get(name) != number]
    if lost:
        raise MigrationRefused(f"There are not as many {', '.join(lost)} as before.")
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            missing = await _missing(tx)
            if missing:
                raise MigrationRefused(f"These columns are missing: {', '.join(missing[:5])}.")
            await fit.check(tx, open_secret(**settings.key_place))
    finally:
        await database.close()
    say("Checked: " + ", ".join(f"{table} {rows}" for table, rows in after.items()) + ".")


async def _counted(url: str) -> dict[str, int]:
    """How many of what there is; nothing of tables that this schema does not have yet."""
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            return {
                table: int(await tx.fetchval(query))
                for table, query in COUNTED.items()
                if await tx.fetchval(IS_THERE, table) is not None
            }
    finally:
        await database.close()


async def _missing(tx: Tx) -> list[str]:
    """Declared columns that the database does not have."""
    have = {row["name"] for row in await tx.fetch(COLUMNS)}
    declared = {held.where for held in catalogue.ALL if ":" not in held.where}
    return sorted(declared - have)


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, MigrationRefused) else type(error).__name__
