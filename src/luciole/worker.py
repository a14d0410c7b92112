"""The worker process: background jobs of all slices, until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from luciole import catalogue, config
from luciole.cell.clips import jobs as clips_jobs
from luciole.cell.feed import jobs as feed_jobs
from luciole.cell.feed.snapshots import Snapshots
from luciole.cell.feed.taking_back import TakingBack
from luciole.cell.graph import jobs as graph_jobs
from luciole.cell.media import avatar
from luciole.cell.media import jobs as media_jobs
from luciole.cell.media.adoption import Adoption
from luciole.cell.media.workshop import Workshop
from luciole.cell.messages import jobs as messages_jobs
from luciole.cell.notify import jobs as notify_jobs
from luciole.cell.people import jobs as people_jobs
from luciole.cell.rights import jobs as rights_jobs
from luciole.cell.rights import jobs_erasure as erasure_jobs
from luciole.cell.rights.erasing import Erasing
from luciole.cell.rights.export.making import ExportMaker
from luciole.cell.rights.imported import Imported
from luciole.cell.rights.imports.going import Cell
from luciole.cell.rights.imports.taking import Taker
from luciole.cell.rights.room import Room
from luciole.cell.search import jobs as search_jobs
from luciole.cell.search.indexing import Indexing
from luciole.kit import logs, metrics, queue
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.parts import Parts

# One of them listens for what search is to take in.
POOL = 7
# Jobs are safe to kill; a stop should not wait for a long encode.
STOP_WITHIN_S = 4
# Longer than every step of an orderly end together; what still hangs then is left to the system.
LEAVE_WITHIN_S = 20.0


def main() -> None:
    """Runs until SIGTERM or SIGINT. Raises one of `kit.db.LOST` when the database goes away: the
    supervisor starts the worker anew."""
    settings = config.load(os.environ)
    logs.setup("worker", level=settings.log_level)
    if settings.worker.metrics_port:
        try:
            metrics.serve(settings.worker.metrics_port)
        except OSError as error:
            # Films are still made; only nobody can count them.
            log.error("metrics port cannot be used", error=type(error).__name__)
    asyncio.run(_run(settings))


def register(parts: Parts) -> Indexing:
    """Declares the jobs of all slices on the queue of `parts`; gives what goes on beside them."""
    workshop = Workshop(
        parts.db,
        parts.media,
        parts.blobs,
        parts.queue,
        parts.settings,
        parts.clock,
        parts.clips.show_progress,
    )
    people_jobs.register(parts.queue, parts.db, parts.people, parts.blobs)
    notify_jobs.register(parts.queue, parts.db, parts.notify, parts.pushes, parts.clock)
    media_jobs.register(parts.queue, workshop, parts.settings.worker)
    graph_jobs.register(parts.queue, parts.db, parts.people, parts.graph)
    clips_jobs.register(parts.queue, parts.db, parts.people, parts.clips)
    messages_jobs.register(parts.queue, parts.db, parts.messages, parts.blobs)
    snapshots = Snapshots(parts.db, parts.for_you.follower, parts.clock)
    feed_jobs.register(parts.queue, parts.db, parts.for_you, snapshots)
    indexing = Indexing(parts.db, parts.clock)
    search_jobs.register(parts.queue, indexing)
    maker = ExportMaker(
        parts.db,
        parts.blobs,
        parts.custody,
        parts.rights,
        parts.clock,
        catalogue.WHOLE,
        parts.journal,
        parts.cell,
        Room(parts.settings),
    )
    taker = Taker(
        Cell(
            parts.db,
            parts.blobs,
            parts.custody,
            parts.people,
            parts.graph,
            parts.media,
            parts.clips,
            Imported(parts.custody),
            Adoption(parts.db, parts.media, parts.blobs, parts.settings, parts.clock),
            avatar.maker(
                parts.settings.work_dir / "avatars",
                allow_unfenced=parts.settings.media.allow_unfenced_decoding,
            ),
            parts.clock,
        ),
        parts.imports,
        catalogue.WHOLE,
        parts.settings,
        parts.queue,
    )
    rights_jobs.register(parts.queue, maker, taker)

    async def sweep() -> None:
        """Of what an erasure leaves behind: objects, and clips in the totals of the feed."""
        await workshop.sweep_objects()
        await snapshots.take(at_once=True)

    erasing = Erasing(
        parts.db,
        parts.blobs,
        parts.people,
        parts.media,
        parts.custody,
        parts.clock,
        # After people's step, which takes the ways in away: nothing is learnt any more.
        (catalogue.ERASE[0], TakingBack(parts.custody, parts.clock).erase, *catalogue.ERASE[1:]),
        sweep,
    )
    erasure_jobs.register(parts.queue, parts.db, parts.leaving, erasing)

    @parts.queue.every("queue.tidy", "23 4 * * *")
    async def tidy() -> None:
        """Deletes notes of jobs that ended long ago."""
        async with parts.db.tx() as tx:
            await queue.tidy(tx)

    return indexing


async def _run(settings: config.Settings) -> None:
    url, role = settings.database.login("worker")
    database = await Database.open(url, role=role, size=POOL)
    parts = Parts.over(settings, database, process="worker")
    indexing = register(parts)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(
        parts.queue.run(url, role=role, slots=settings.worker.slots, stop=stop)
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        async with indexing.running():
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await asyncio.wait({running}, timeout=STOP_WITHIN_S)
        if running.done():
            await running
    finally:
        # A process that neither works nor ends would never be started again.
        leaving = threading.Timer(LEAVE_WITHIN_S, os._exit, (1,))
        leaving.daemon = True
        leaving.start()
        stopping.cancel()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await parts.custody.close()
        await database.close()
