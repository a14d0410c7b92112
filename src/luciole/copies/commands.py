"""`luciole backup` and `luciole restore`."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from luciole import config, reach
from luciole.config import Settings
from luciole.copies import keeping
from luciole.copies.backup import Backup
from luciole.copies.model import CellRuns, OtherCell
from luciole.copies.restore import Restore
from luciole.keys import KeyStore
from luciole.kit import logs, postgres
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.keeper import FolderLock
from luciole.roots.choose import open_root, open_secret
from luciole.trustee import lending


async def backup(environment: Mapping[str, str], folder: Path) -> int:
    """Writes a backup, or renews the one that is there."""
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    clock, blobs = Clock(), Blobs.open(settings.blobs_place)
    async with reach.reached(settings) as place:
        async with keeping.custody(settings, place, clock) as custody:
            made = await Backup(folder, place.owner_url, blobs, custody, clock, say).run()
    if made.gone:
        say(f"{made.gone} objects were deleted while it was made, and are not in it.")
    if made.unsealed:
        say(f"{made.unsealed} rows are not in it: they are about people who have no key.")
    say(f"The backup in {folder} is whole. It opens with the keys alone: keep those elsewhere.")
    return 0


async def restore(environment: Mapping[str, str], folder: Path, halves: Path | None = None) -> int:
    """Puts a backup into an empty cell whose keys are there; `halves` is a file that the guardian
    of the keys has lent, where there is one."""
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    if open_secret(**settings.key_place) is None:
        raise OtherCell
    keys = KeyStore(settings.keys_dir, open_root(**settings.key_place))
    work_dir = settings.work_dir / "restore"
    try:
        if halves is not None:
            keys.lend(lent(halves, keys))
        async with stopped(settings) as url:
            shutil.rmtree(work_dir, ignore_errors=True)
            work_dir.mkdir(parents=True, mode=0o700)
            blobs = Blobs.open(settings.blobs_place)
            done = await Restore(folder, url, blobs, keys, Clock(), work_dir, say).run()
    finally:
        keys.close()
        shutil.rmtree(work_dir, ignore_errors=True)
    say(
        f"Restored: {done.persons} people, {done.rows} rows, {done.objects} objects. Erased since "
        f"the backup and not restored: {done.erased} people with {done.skipped_rows} rows and "
        f"{done.skipped_objects} objects."
    )
    if done.missed:
        say(
            f"The log has {done.missed} entries since the backup. That they are there can be "
            "proved; what they meant is lost."
        )
    say("Start the cell: ./luciole serve. Everybody has to sign in again.")
    return 0


def lent(halves: Path, keys: KeyStore) -> lending.Halves:
    """Raises NotLent, OSError."""
    with open(halves, "rb") as file:
        return lending.read(file, keys.cell_id, keys.secret.derived(lending.PURPOSE))


@contextlib.asynccontextmanager
async def stopped(settings: Settings) -> AsyncIterator[str]:
    """The owner's URL of the database of a cell that does not run; one of our own is made where
    there is none. Raises CellRuns."""
    lock = FolderLock(settings.data / "run")
    if not lock.take():
        raise CellRuns
    try:
        lock.end_leftovers()
        if settings.database.url:
            yield settings.database.url
            return
        home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with postgres.embedded_async(home, log=log) as server:
            yield server.url()
    finally:
        lock.release()
