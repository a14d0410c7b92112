"""The key broker's process: the only one that holds keys of people."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import uvloop

from luciole import adoption, config, fit
from luciole.ask.gateway import Outward
from luciole.custody import server
from luciole.custody.broker import said
from luciole.custody.staff import StaffBroker
from luciole.keys import KeyStore, epochs, private
from luciole.keys import restore as restore_keys
from luciole.keys.backup import generations
from luciole.kit import logs
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.errors import Problem
from luciole.kit.logs import log
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical
from luciole.roots.choose import open_root, open_secret
from luciole.trustee.home import HomeGuardian
from luciole.trustee.moving import Moving
from luciole.trustee.way import OutwardWay

POOL = 4
TIDY_EVERY_S = 3600.0


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = config.load(os.environ)
    logs.setup("custody", level=settings.log_level)
    uvloop.run(_run(settings))


def restore(settings: config.Settings, folder: Path) -> Path:
    """Puts the newest copy of a key store's short backup into the empty key folder of this cell.
    Raises KeyFileRefused."""
    return restore_keys(folder, settings.keys_dir)


async def _run(settings: config.Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url, role = settings.database.login("custody")
    database = await Database.open(url, role=role, size=POOL)
    try:
        async with database.tx() as tx:
            # 1. Before anything is made: where people exist, their keys must be there.
            await fit.check(tx, open_secret(**settings.key_place))
        keys = KeyStore(settings.keys_dir, open_root(**settings.key_place))
        await _serve(settings, keys, database, stop)
    finally:
        await database.close()


async def _serve(
    settings: config.Settings, keys: KeyStore, database: Database, stop: asyncio.Event
) -> None:
    try:
        async with database.tx() as tx:
            # 2. Once more under the database's lock: two new stores on one empty database.
            await fit.check(tx, keys.secret)
            await fit.bind(tx, keys.secret)
        outward = Outward.at(settings.gateway_dir / "custody.sock")
        home = await _guardian(settings, database, outward)
        broker = StaffBroker(keys, database, Clock(), settings.origin, home)
        await adoption.run(keys, database, broker)
        async with server.listening(broker, settings.custody_dir):
            tasks = [
                asyncio.create_task(_upkeep(settings, keys, database, broker)),
                asyncio.create_task(copy_often(settings, keys)),
            ]
            if home is not None:

                async def rotate() -> None:
                    await _rotate(settings, keys, database)

                moving = Moving(
                    keys, broker, home, database, Clock(), settings.keys.guardian, rotate
                )
                tasks.append(asyncio.create_task(moving.run()))
            await stop.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await outward.close()
    finally:
        keys.close()


async def _guardian(
    settings: config.Settings, database: Database, outward: Outward
) -> HomeGuardian | None:
    """The guardian of this cell; None where there is none and never was."""
    home = HomeGuardian(OutwardWay(outward), database, Blobs.open(settings.blobs_place), Clock())
    return home if await home.load() or settings.keys.guardian else None


async def _rotate(settings: config.Settings, keys: KeyStore, database: Database) -> None:
    """A rotation that is not due yet, and the copy that takes the place of those of before."""
    done = await asyncio.to_thread(keys.rotate)
    await note_end(database, done.epoch, done.destroyed, Clock())
    if settings.keys.backup_dir:
        await asyncio.to_thread(keys.backup, Path(settings.keys.backup_dir))


def turn(keys: KeyStore, life: timedelta, clock: Clock) -> list[int]:
    """Rotates where it is due, else ends what a rotation has left; the epochs that were destroyed.
    Raises RootUnavailable."""
    if clock.now() - keys.epoch_began >= life:
        return [keys.rotate().destroyed]
    return keys.destroy_former()


async def note_end(database: Database, epoch: int, destroyed: int, clock: Clock) -> None:
    """Says in the log of decisions which epoch was destroyed."""
    entry = {
        "v": 1,
        "kind": "epoch",
        "at": said(clock.now()),
        "epoch": epoch,
        "destroyed": destroyed,
    }
    async with database.tx() as tx:
        await ledger.put(tx, "decisions", canonical(entry))


async def copy_often(settings: config.Settings, keys: KeyStore) -> None:
    """Where a backup goes abroad, a copy of the key store follows each change soon, so that whoever
    comes back with the database has keys: after as many seconds as a round has, and never for more
    than a tenth of the time. Of each hour only the newest stays."""
    if not settings.abroad.peer or not settings.keys.backup_dir:
        return
    folder, copied = Path(settings.keys.backup_dir), 0
    while True:
        began = time.monotonic()
        try:
            changed = epochs.wraps_path(keys.folder, keys.epoch).stat().st_mtime_ns
            if changed != copied:
                await asyncio.to_thread(keys.backup, folder)
                await asyncio.to_thread(thin, folder)
                copied = changed
        except (OSError, Problem) as error:
            log.error("key upkeep failed", error=type(error).__name__)
        took_s = time.monotonic() - began
        await asyncio.sleep(max(settings.abroad.every_s, 10 * took_s))


def thin(folder: Path) -> None:
    """Destroys copies of a key store of which a newer one was made in the same hour."""
    for (_, older, path), (_, newer, _) in pairwise(generations(folder)):
        if f"{older:%Y%m%d%H}" == f"{newer:%Y%m%d%H}":
            private.destroy(path)


async def _upkeep(
    settings: config.Settings, keys: KeyStore, database: Database, broker: StaffBroker
) -> None:
    """Each hour: the weekly rotation where it is due, the short backup, what has ended."""
    life = timedelta(days=settings.keys.epoch_days)
    while True:
        try:
            for epoch in await asyncio.to_thread(turn, keys, life, Clock()):
                log.info("keys rotated", epoch=keys.epoch)
                await note_end(database, keys.epoch, epoch, Clock())
            if settings.keys.backup_dir:
                await asyncio.to_thread(keys.backup, Path(settings.keys.backup_dir))
            await broker.tidy()
        except (*LOST, OSError, Problem) as error:
            # The next hour tries again; the epoch's age is in `luciole doctor`.
            log.error("key upkeep failed", error=type(error).__name__)
        await asyncio.sleep(TIDY_EVERY_S)
