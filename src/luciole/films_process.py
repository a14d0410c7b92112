"""A worker for films alone, for machines that only encode: it takes those jobs out of the cell's
queue, and reads and stores in the cell's object store.

It needs no other process beside it. It has no key of anybody's, and in the database it acts as
media and as whoever takes jobs: whoever takes over such a machine has films, the ids in the queue,
and of people what media may read, which are handles and what profiles show.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from uuid import UUID

from luciole import config
from luciole.cell.media import jobs
from luciole.cell.media.aftercare import Aftercare
from luciole.cell.media.service import Media
from luciole.kit import logs, metrics
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.kit.queue import Queue, Silent

POOL = 4
AGAIN_AFTER_S = 5.0
# Jobs are safe to kill, and another machine takes them over.
STOP_WITHIN_S = 4


def main() -> None:
    """Runs until SIGTERM or SIGINT. Raises SettingError where it could not work."""
    settings = config.load(os.environ)
    require(settings)
    logs.setup("films", level=settings.log_level)
    if settings.worker.metrics_port:
        try:
            metrics.serve(settings.worker.metrics_port)
        except OSError as error:
            log.error("metrics port cannot be used", error=type(error).__name__)
    asyncio.run(_run(settings))


def require(settings: config.Settings) -> None:
    """Raises SettingError where the database or the objects would be this machine's own."""
    if not (settings.database.url or settings.database.films_url):
        raise config.SettingError(
            "LUCIOLE_DATABASE_FILMS_URL should be the address of the cell's PostgreSQL, with the "
            "login luciole_films_process."
        )
    if not settings.blobs:
        raise config.SettingError(
            "LUCIOLE_BLOBS should be the object store that the cell uses, such as s3://bucket: "
            "this machine's own folder has none of its films."
        )


async def _run(settings: config.Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            await _work(settings, stop)
        except (*LOST, OSError, Silent) as error:
            # There is no supervisor here, and the machine is there for nothing else.
            log.warning("the database is away", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_AFTER_S)


async def _work(settings: config.Settings, stop: asyncio.Event) -> None:
    url, role = settings.database.login("films")
    database = await Database.open(url, role=role, size=POOL)
    try:
        queue, clock = Queue(), Clock()
        # No job hands out an address, so none of this machine's would have to be true.
        media = Media(settings, os.urandom(32), clock, queue)
        blobs = Blobs.open(settings.blobs_place)
        # The broker's key is not here: the cell's own worker signs what this machine makes.
        workshop = Aftercare(database, media, blobs, queue, settings, clock, _unseen, None)
        jobs.register(queue, workshop, settings.worker)
        running = asyncio.create_task(
            queue.run(url, role=role, slots=settings.worker.slots, stop=stop)
        )
        stopping = asyncio.create_task(stop.wait())
        log.info("waiting for films")
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await asyncio.wait({running}, timeout=STOP_WITHIN_S)
            if running.done():
                await running
        finally:
            for task in (running, stopping):
                task.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)
    finally:
        await database.close()


async def _unseen(_tx: Tx, _asset_id: UUID, _percent: int) -> None:
    """How far a film is stands in its row, where its author's page reads it; who that is and how to
    wake that page is not known here."""
