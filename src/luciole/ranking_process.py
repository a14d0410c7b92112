"""The process of ranking: holds the Ray actors, and passes on what the cell's processes ask them.

It knows neither the database nor keys. When the cluster is lost it ends; the supervisor starts it
again, and whoever asks brings the new actors to the end of the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from luciole import config
from luciole.actors import cluster, wire
from luciole.actors.cluster import Actors
from luciole.kit import logs, processes, unix
from luciole.kit.logs import log

LOOK_EVERY_S = 2.0
FOLDER = "ray"


def main() -> None:
    """Runs until SIGTERM or SIGINT. Raises RayMissing and ClusterAway."""
    settings = config.load(os.environ)
    logs.setup("ranking", level=settings.log_level)
    feed = settings.feed
    folder = settings.data / "run" / FOLDER
    settings.ranking_socket.unlink(missing_ok=True)
    # Processes of Ray whose parent was killed become ours, so that they end with us.
    processes.adopt_orphans()
    actors = cluster.begin(feed.ranking or "ray", folder, feed.replicas, feed.replica_bytes)
    asyncio.run(serve(actors, settings.ranking_socket))
    actors.close()
    _end_children()


async def serve(actors: Actors, place: Path) -> None:
    """Answers on a Unix socket until a signal asks to stop; ends the process where the cluster was
    lost."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with listening(actors, place):
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            if not stop.is_set() and not await actors.is_alive():
                log.error("ranking lost its cluster")
                # An orderly end would wait for a cluster that answers no more.
                _end_children()
                os._exit(1)


@contextlib.asynccontextmanager
async def listening(actors: Actors, place: Path) -> AsyncIterator[None]:
    """Answers while the block runs."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering: set[asyncio.Task[None]] = set()
        try:
            while True:
                asked = msgspec.msgpack.decode(await wire.read(reader), type=wire.Asked)
                task = asyncio.create_task(_answer(actors, asked, writer))
                answering.add(task)
                task.add_done_callback(answering.discard)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for task in answering:
                task.cancel()
            writer.close()

    with _bound(place) as listener:
        server = await asyncio.start_unix_server(met, sock=listener)
        try:
            yield
        finally:
            server.close()


def _end_children() -> None:
    for child in processes.descendants(os.getpid()):
        child.send(signal.SIGKILL)


@contextlib.contextmanager
def _bound(place: Path) -> Iterator[socket.socket]:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        with unix.address_of(place) as address:
            listener.bind(address)
        place.chmod(stat.S_IRUSR | stat.S_IWUSR)
        try:
            yield listener
        finally:
            place.unlink(missing_ok=True)


async def _answer(actors: Actors, asked: wire.Asked, writer: asyncio.StreamWriter) -> None:
    body = await actors.answer(asked.replica, asked.question, asked.body, asked.within_s)
    with contextlib.suppress(OSError):
        writer.write(wire.frame(wire.Answered(asked.number, body)))
        await writer.drain()
