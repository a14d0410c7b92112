"""The trustee's process: what this cell does for other cells. It has no login to the database; its
one key comes from the key broker, and seals what it holds in `data/trustee`."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from luciole import config
from luciole.ask.start import derived_now
from luciole.config import Settings
from luciole.kit import logs
from luciole.kit.clock import Clock
from luciole.trustee import backups, lookups
from luciole.trustee.asked import Asked
from luciole.trustee.book import BOOK, TRUSTEE, Book, key_of_book
from luciole.trustee.guardian import Guardian
from luciole.trustee.lookups import Lookups
from luciole.witness import identity


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = config.load(os.environ)
    logs.setup("trustee", level=settings.log_level)
    key = derived_now(settings.custody_dir / "trustee.sock", [TRUSTEE])[TRUSTEE]
    asyncio.run(_run(settings, registry(settings, key)))


def registry(settings: Settings, key: bytes) -> Asked:
    """Every kind that other cells may ask here. `key` is the trustee's own, of 32 bytes: derive
    from it what a handler needs."""
    settings.trustee_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    asked = Asked()
    kept = backups.Backups(settings.trustee_dir, settings.trustee.backup_bytes, Clock())
    asked.register(backups.KIND, kept.answer, most_bytes=backups.MOST_QUESTION_BYTES)
    asked.register(
        lookups.KIND,
        Lookups(
            settings.trustee_dir / "lookups.sqlite",
            key,
            new_askers_per_day=settings.contacts.new_askers_per_day,
        ),
        most_bytes=lookups.MOST_BYTES,
    )
    book = Book(settings.trustee_dir / BOOK, key_of_book(key))
    witness = identity.of(settings.witness_dir)[0].verifier
    asked.register("share", Guardian(book, [witness], time.time).answer)
    return asked


async def _run(settings: Settings, asked: Asked) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asked.listening(settings.trustee_socket):
        await stop.wait()
