"""The database of a cell for commands that stand beside it, whether the cell runs or not."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from luciole.config import Settings
from luciole.kit import postgres
from luciole.kit.errors import NotFound
from luciole.kit.keeper import FolderLock
from luciole.kit.postgres_logins import SUPERUSER


class NoCell(NotFound):
    """The data folder has no database, and the settings name none."""

    code = "no-cell"
    sentence = "There is no cell here yet."
    next_step = "Name its folder with LUCIOLE_DATA_DIR, or start one with ./luciole serve."


@dataclass(frozen=True)
class Reached:
    """A running database: the owner's login, and the one for its upkeep, which is the superuser's
    where the server is our own."""

    owner_url: str
    upkeep_url: str
    is_cell_running: bool


def of(server: postgres.Server, *, is_cell_running: bool) -> Reached:
    """The logins of a server of our own."""
    upkeep_url = server.url(SUPERUSER, server.logins.database)
    return Reached(server.url(), upkeep_url, is_cell_running)


@contextlib.asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Reached]:
    """The database for the length of the block. Where the cell is stopped, the folder's lock is
    held, and a database of our own is started for that. In the main thread. Raises NoCell and what
    PostgreSQL's start does."""
    url = settings.database.url
    if url:
        lock = FolderLock(settings.data / "run")
        is_ours = lock.take()
        try:
            yield Reached(url, url, is_cell_running=not is_ours)
        finally:
            if is_ours:
                lock.release()
        return
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    if not (home / "data").exists():
        raise NoCell
    lock = FolderLock(settings.data / "run")
    if not lock.take():
        yield of(postgres.Server(home, log), is_cell_running=True)
        return
    try:
        lock.end_leftovers()
        async with postgres.embedded_async(home, log=log) as server:
            yield of(server, is_cell_running=False)
    finally:
        lock.release()
