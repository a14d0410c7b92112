"""Starts a whole cell in one folder and stops it again: PostgreSQL, migrations, API, worker.

One supervisor process owns the others. It takes the folder's lock, ends what a killed supervisor
left, binds the listening socket (so that requests wait in its queue while an API process is
started again, instead of being refused) and keeps its children alive. Nothing that it started
outlives it, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping

from luciole import (
    code_console,
    config,
    fit,
    guarding,
    programs,
    reach,
    showcase,
    statements,
    upkeep,
)
from luciole.config import Settings
from luciole.kit import logs, postgres, processes
from luciole.kit import migrate as migrations
from luciole.kit.clock import Clock
from luciole.kit.console import say
from luciole.kit.db import Database
from luciole.kit.errors import Conflict, Problem, Unavailable
from luciole.kit.keeper import Failed, FolderLock, Keeper
from luciole.kit.postgres_logins import FOR_REPLICATION, REPLICATION, Logins
from luciole.reach import Reached
from luciole.roots.choose import open_secret
from luciole.sale import elsewhere, standing

# What `demo --fresh` may delete inside the data folder; a name that is not ours stays.
OURS = ("postgres", "blobs", "keys", "work", "log", "demo", "witness", "trustee", "abroad")
BACKLOG = 512
STOPS_WITHIN_S = 60.0


class AlreadyRunning(Conflict):
    """Another supervisor holds this folder."""

    code = "already-running"
    sentence = "Luciole already runs in this folder."
    next_step = "Use that one, or stop it with Ctrl-C in its window and start again."


class NotRunning(Conflict):
    """Nobody holds this folder."""

    code = "not-running"
    sentence = "No cell runs in this folder."
    next_step = "Look whether LUCIOLE_DATA_DIR names the folder of the cell that you mean."


class StopsSlowly(Unavailable):
    """It has been asked to stop and still runs."""

    code = "stops-slowly"
    sentence = "The cell has been asked to stop and has not ended yet."
    next_step = "Wait a moment and look with ./luciole doctor."


class PortBusy(Conflict):
    """Somebody else listens where we should."""

    code = "port-busy"
    sentence = "The port is in use by another program."
    next_step = "Stop that program, or choose another port with --port."


class PartFailed(Unavailable):
    """A process of the cell did not come up."""

    code = "part-failed"


async def run(
    environment: Mapping[str, str],
    *,
    is_demo: bool = False,
    may_move: bool = False,
    is_fresh: bool = False,
) -> int:
    """Serves until a signal asks to stop. `may_move`: take a free port when the usual is busy."""
    began = time.monotonic()
    stop = _stop_on_signals()
    settings = config.load(environment)
    # The console is for a person; what matters of this process is said there.
    logs.setup("supervisor", level="warning")
    with _folder(settings) as lock:
        if is_fresh:
            clear(settings)
        listener, port = _listen(settings, may_move)
        console = await code_console.begun(settings) if is_demo else None
        environment = {**environment, "LUCIOLE_WEB_PORT": str(port)}
        if console is not None and not settings.border.codes_url:
            environment |= console.environment
        settings = config.load(environment)
        keeper = Keeper(say, lambda children: lock.write(settings.origin, children))
        try:
            # The cell's own witness listens on a port that only its log needs to know.
            with listener, _bind("127.0.0.1", 0) as witness:
                starting = asyncio.create_task(
                    _start(keeper, settings, environment, listener, witness)
                )
                if not await _first(starting, stop):
                    return 0
                seconds = time.monotonic() - began
                say(f"The cell answers after {seconds:.1f} s: {settings.origin}")
                if is_demo:
                    await showcase.run(settings, environment, stop)
                else:
                    say("Stop it with Ctrl-C.")
                await stop.wait()
        except Failed as failed:
            raise PartFailed(
                f"{failed}. Its log, {settings.data / 'log'}, ends with:\n{failed.tail}",
                next_step="Run ./luciole doctor; it looks for the usual causes.",
            ) from failed
        finally:
            # A second Ctrl-C must not interrupt the orderly end; each step of it is bounded.
            say("Stopping …")
            await keeper.stop()
            if console is not None:
                console.close()
            say("Stopped. Nothing of it is running any more.")
    return 0


def stop(settings: Settings) -> str:
    """Asks the cell that runs in the data folder to stop, waits until it has, and gives the folder.
    Raises NotRunning, StopsSlowly."""
    note = FolderLock(settings.data / "run").read()
    if note is None or not note.owner.is_alive:
        raise NotRunning(f"No cell runs in {settings.data}.")
    if note.owner.send(signal.SIGTERM) and not note.owner.wait(STOPS_WITHIN_S):
        raise StopsSlowly
    return str(settings.data)


async def remove_remains(environment: Mapping[str, str]) -> int:
    """Removes what the database remembers of deleted rows, whether the cell runs or not."""
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    async with reach.reached(settings) as place:
        done = await upkeep.run(place, Clock(), say)
    say(f"Nothing of deleted rows is left in {done.tables} tables, after {done.seconds:.1f} s.")
    if not done.has_log:
        say(
            "The write-ahead log is not ours: let its files that are older than this moment go, "
            "with archives, replicas and base backups, within 8 days of an erasure."
        )
    return 0


async def migrate(environment: Mapping[str, str]) -> int:
    """Brings the database to this version, starting the embedded one for as long as that takes."""
    settings = config.load(environment)
    logs.setup("supervisor", level="warning")
    with _folder(settings) as lock:
        async with _database(settings, lock) as owner_url:
            applied = await _apply(owner_url)
    say(f"Applied: {', '.join(applied)}." if applied else "The database is up to date.")
    return 0


def api_process(handle: int) -> int:
    """One API process on a listening socket that was handed down."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            "luciole.app:create",
            factory=True,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            # Paths and addresses of visitors stay out of the logs.
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=True,
            backlog=BACKLOG,
            # Live streams never end by themselves.
            timeout_graceful_shutdown=3,
        )
    )
    server.run(sockets=[socket.socket(fileno=handle)])
    return 0 if server.started else 1


# Starting


async def _start(
    keeper: Keeper,
    settings: Settings,
    environment: Mapping[str, str],
    listener: socket.socket,
    witness: socket.socket,
) -> None:
    log = settings.data / "log"
    owner_url = settings.database.url
    replication_url = ""
    urls = programs.own_logins(settings)
    place = Reached(owner_url, owner_url, is_cell_running=True)
    are_apart = await asyncio.to_thread(processes.can_lose_route)
    if not are_apart:
        say("All processes keep the network of this machine: ./luciole doctor says why.")
    if not owner_url:
        server = postgres.Server(
            settings.data / "postgres",
            log / "postgresql.log",
            Logins(has_replication=bool(settings.abroad.peer)),
            settings=FOR_REPLICATION if settings.abroad.peer else {},
            loses_route=are_apart,
        )
        await keeper.start(programs.database(server))
        place = reach.of(server, is_cell_running=True)
        owner_url = place.owner_url
        urls = {process: server.url(role) for process, role in config.ROLES.items()}
        if settings.abroad.peer:
            replication_url = server.url(REPLICATION)
    if applied := await _apply(owner_url):
        say(f"Database brought to {applied[-1].removesuffix('.sql')}.")
    await standing.require_ours(owner_url)
    await _check_keys(settings, owner_url)

    cell = programs.Programs(settings, environment, owner_url, urls, are_apart)
    await keeper.start(cell.custody())
    programs_left = [
        *cell.ledger(witness),
        cell.gateway(witness),
        *cell.trustee(),
        *cell.abroad(replication_url),
        *cell.ranking(),
        *cell.others(listener),
    ]
    await asyncio.gather(*(keeper.start(program) for program in programs_left))
    keeper.also(upkeep.watch(place, Clock()))
    keeper.also(statements.watch(place, settings, Clock()))
    keeper.also(elsewhere.watch(place, settings, Clock()))
    if settings.cell.short_name:
        keeper.also(guarding.watch(place, settings, Clock()))


@contextlib.asynccontextmanager
async def _database(settings: Settings, lock: FolderLock) -> AsyncIterator[str]:
    """The owner's URL of a running database."""
    if settings.database.url:
        yield settings.database.url
        return
    keeper = Keeper(say, lambda children: lock.write("", children))
    server = postgres.Server(settings.data / "postgres", settings.data / "log" / "postgresql.log")
    try:
        await keeper.start(programs.database(server))
        yield server.url()
    finally:
        await keeper.stop()


async def _apply(owner_url: str) -> list[str]:
    try:
        return await migrations.apply(owner_url)
    except migrations.MigrationRefused as refused:
        raise Unavailable(
            str(refused), code="migration-refused", next_step="Do that, then start again."
        ) from refused
    except OSError as error:
        raise Unavailable(
            "The database does not answer.",
            code="database-away",
            next_step="Check DATABASE_URL, and that PostgreSQL is running there.",
        ) from error


async def _check_keys(settings: Settings, owner_url: str) -> None:
    """Refuses unusable or foreign keys with a sentence, before a process does in its log. Raises
    `custody.fit.REFUSALS`."""
    secret = open_secret(**settings.key_place)
    database = await Database.open(owner_url, size=1)
    try:
        async with database.read() as tx:
            await fit.check(tx, secret)
    finally:
        await database.close()


# The folder and the port


@contextlib.contextmanager
def _folder(settings: Settings) -> Iterator[FolderLock]:
    """The folder's lock, with everything gone that a killed supervisor had left."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("log", "run", "work"):
            # Data of an earlier version may have them open.
            (settings.data / name).mkdir(mode=0o700, exist_ok=True)
            (settings.data / name).chmod(0o700)
        lock = FolderLock(settings.data / "run")
        is_ours = lock.take()
    except OSError as error:
        raise Unavailable(
            f"The data folder cannot be used: {settings.data} ({error.strerror}).",
            code="data-folder",
            next_step="Give it to the user who runs Luciole (chown -R), or choose another place "
            "with LUCIOLE_DATA_DIR.",
        ) from error
    if not is_ours:
        note = lock.read()
        raise AlreadyRunning(
            f"Luciole already runs in this folder: {note.address} (process {note.owner.pid})."
            if note and note.address
            else None
        )
    try:
        if found := lock.end_leftovers():
            say(f"Ended what an interrupted run had left: {', '.join(found)}.")
        yield lock
    finally:
        # Opened here for the witness; what else has a socket takes it away itself.
        settings.witness_socket.unlink(missing_ok=True)
        lock.release()


def _listen(settings: Settings, may_move: bool) -> tuple[socket.socket, int]:
    host, port = settings.web.host, settings.web.port
    try:
        return _bind(host, port), port
    except OSError as error:
        if not may_move:
            raise PortBusy(f"Port {port} on {host} cannot be used: {error.strerror}.") from error
    listener = _bind(host, 0)
    free = int(listener.getsockname()[1])
    say(f"Port {port} is in use by another program; taking {free} instead.")
    return listener, free


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def clear(settings: Settings) -> None:
    if settings.database.url or settings.blobs:
        raise Conflict(
            "--fresh deletes only what lies in the demo's own folder, and this demo uses an "
            "outside database or object store.",
            code="fresh-outside",
            next_step="Empty those by hand, or start without DATABASE_URL and LUCIOLE_BLOBS.",
        )
    for name in OURS:
        shutil.rmtree(settings.data / name, ignore_errors=True)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _first(work: asyncio.Task[None], stop: asyncio.Event) -> bool:
    """True when the work is done, False when we are asked to stop before that."""
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            return True
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, Problem, Failed):
            await work
        return False
    finally:
        waiting.cancel()
