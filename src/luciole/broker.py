"""The key broker's process: the only one that holds keys of people."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import uvloop

from luciole import adoption, config, fit
from luciole.custody import server
from luciole.custody.broker import said
from luciole.custody.staff import StaffBroker
from luciole.keys import KeyStore
from luciole.keys import restore as restore_keys
from luciole.kit import logs
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database
from luciole.kit.errors import Problem
from luciole.kit.logs import log
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical
from luciole.roots.choose import open_root, open_secret

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
        broker = StaffBroker(keys, database, Clock(), settings.origin)
        await adoption.run(keys, database, broker)
        async with server.listening(broker, settings.custody_dir):
            upkeep = asyncio.create_task(_upkeep(settings, keys, database, broker))
            await stop.wait()
            upkeep.cancel()
            await asyncio.gather(upkeep, return_exceptions=True)
    finally:
        keys.close()


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
