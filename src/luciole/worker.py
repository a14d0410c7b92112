"""The worker process: background jobs of all slices, until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import NamedTuple

from luciole import __version__, catalogue, config
from luciole.ask.gateway import Outward
from luciole.cell.abroad import jobs as abroad_jobs
from luciole.cell.abroad.arriving import Arriving
from luciole.cell.abroad.films import Fetching, Films
from luciole.cell.abroad.leaving import Leaving
from luciole.cell.abroad.moving.movers import Movers
from luciole.cell.abroad.reading import Reading
from luciole.cell.abroad.traffic import Traffic
from luciole.cell.clips import jobs as clips_jobs
from luciole.cell.console import jobs as console_jobs
from luciole.cell.contacts import jobs as contacts_jobs
from luciole.cell.contacts.rotating import Rotating
from luciole.cell.feed import jobs as feed_jobs
from luciole.cell.feed.snapshots import Snapshots
from luciole.cell.feed.taking_back import TakingBack
from luciole.cell.feed.watched import Watched
from luciole.cell.graph import jobs as graph_jobs
from luciole.cell.media import avatar
from luciole.cell.media import jobs as media_jobs
from luciole.cell.media.adoption import Adoption
from luciole.cell.media.aftercare import Aftercare
from luciole.cell.media.sealing import Sealer
from luciole.cell.media.service import Room
from luciole.cell.messages import jobs as messages_jobs
from luciole.cell.notices import jobs as notices_jobs
from luciole.cell.notify import jobs as notify_jobs
from luciole.cell.people import jobs as people_jobs
from luciole.cell.rights import jobs as rights_jobs
from luciole.cell.rights import jobs_erasure as erasure_jobs
from luciole.cell.rights.erasing import Erasing
from luciole.cell.rights.export.making import ExportMaker
from luciole.cell.rights.imported import Imported
from luciole.cell.rights.imports.going import Cell
from luciole.cell.rights.imports.taking import Taker
from luciole.cell.safety import jobs as safety_jobs
from luciole.cell.search import jobs as search_jobs
from luciole.cell.search.indexing import Indexing
from luciole.kit import logs, queue, scraping
from luciole.kit.db import Database
from luciole.kit.logs import log
from luciole.parts import Parts

# One of them listens for what search is to take in, three for what crosses the border.
POOL = 10
# Jobs are safe to kill; a stop should not wait for a long encode.
STOP_WITHIN_S = 4
# Longer than every step of an orderly end together; what still hangs then is left to the system.
LEAVE_WITHIN_S = 20.0


def main(metrics_handle: int | None = None) -> None:
    """Runs until SIGTERM or SIGINT. `metrics_handle`: see `kit.scraping`. Raises one of
    `kit.db.LOST` when the database goes away: the supervisor starts the worker anew."""
    settings = config.load(os.environ)
    logs.setup("worker", level=settings.log_level)
    if settings.worker.metrics_port:
        try:
            scraping.serve(settings.worker.metrics_port, metrics_handle)
        except OSError as error:
            # Films are still made; only nobody can count them.
            log.error("metrics port cannot be used", error=type(error).__name__)
    asyncio.run(_run(settings))


class Beside(NamedTuple):
    """What goes on in a worker beside the jobs."""

    indexing: Indexing
    traffic: Traffic


def register(parts: Parts, outward: Fetching) -> Beside:
    """Declares the jobs of all slices on the queue of `parts`; gives what goes on beside them.
    `outward` is the way to the bytes of films of other cells."""
    workshop = Aftercare(
        parts.db,
        parts.media,
        parts.blobs,
        parts.queue,
        parts.settings,
        parts.clock,
        parts.clips.outcomes.show_progress,
        Sealer(parts.custody, __version__),
    )
    people_jobs.register(parts.queue, parts.db, parts.people, parts.blobs, parts.clock)
    rotating = Rotating(
        parts.db, parts.people, parts.discovery, parts.clock, parts.settings.contacts.rotate_days
    )
    contacts_jobs.register(parts.queue, parts.db, parts.people, parts.discovery, rotating)
    notify_jobs.register(parts.queue, parts.db, parts.notify, parts.pushes, parts.clock)
    notices_jobs.register(parts.queue, parts.db, parts.notices)
    media_jobs.register(parts.queue, workshop, parts.settings.worker)
    graph_jobs.register(parts.queue, parts.db, parts.people, parts.graph)
    clips_jobs.register(parts.queue, parts.db, parts.people, parts.clips, parts.quotes)
    safety_jobs.register(parts.queue, parts.db, parts.safety, parts.media, parts.blobs, parts.clock)
    console_jobs.register(parts.queue, parts.db, parts.console)
    messages_jobs.register(parts.queue, parts.db, parts.messages, parts.blobs)
    snapshots = Snapshots(parts.db, parts.for_you.follower, parts.clock)
    watched = Watched(parts.clips, parts.clock, parts.settings.media.av1_watches)
    feed_jobs.register(parts.queue, parts.db, parts.for_you, snapshots, watched)
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
    adoption = Adoption(parts.db, parts.media, parts.blobs, parts.settings, parts.clock)
    make_avatar = avatar.maker(
        parts.settings.work_dir / "avatars",
        allow_unfenced=parts.settings.media.allow_unfenced_decoding,
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
            adoption,
            make_avatar,
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

    reading = Reading(parts.db, parts.clock)
    leaving = Leaving(
        parts.db,
        parts.abroad,
        parts.people,
        parts.clips,
        parts.comments,
        parts.media,
        parts.blobs,
        parts.custody,
        parts.clock,
        reading,
    )
    films = Films(
        parts.db,
        parts.people,
        parts.clips,
        parts.media,
        adoption,
        make_avatar,
        parts.blobs,
        fetching=outward,
        incoming=parts.settings.incoming_dir,
        work_dir=parts.settings.work_dir / "abroad",
    )
    movers = Movers(parts.db, parts.abroad, parts.people, parts.graph, parts.clock)
    arriving = Arriving(
        parts.db,
        parts.abroad,
        parts.people,
        parts.clips,
        parts.comments,
        films,
        parts.clock,
        catalogue.ERASE,
        movers,
    )
    traffic = Traffic(parts.db, leaving, arriving, movers)
    abroad_jobs.register(parts.queue, traffic, leaving, reading)

    @parts.queue.every("queue.tidy", "23 4 * * *")
    async def tidy() -> None:
        """Deletes notes of jobs that ended long ago."""
        async with parts.db.tx() as tx:
            await queue.tidy(tx)

    return Beside(indexing, traffic)


async def _run(settings: config.Settings) -> None:
    url, role = settings.database.login("worker")
    database = await Database.open(url, role=role, size=POOL)
    parts = Parts.over(settings, database, process="worker")
    outward = Outward.at(settings.gateway_dir / "worker.sock")
    beside = register(parts, outward)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(
        parts.queue.run(url, role=role, slots=settings.worker.slots, stop=stop)
    )
    stopping = asyncio.create_task(stop.wait())
    try:
        async with beside.indexing.running(), beside.traffic.running():
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
        await outward.close()
        await parts.custody.close()
        await database.close()
