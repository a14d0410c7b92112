"""Media over real PostgreSQL and a folder of objects, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cell.media.support import Cell, Person
from tests.unit.media import films

from luciole.config import Settings
from luciole.keys import Keyring, RootKey
from luciole.kit import migrate, postgres
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database

EMPTY = """
DELETE FROM people.person;
DELETE FROM people.handle_taken;
DELETE FROM media.unclaimed;
DELETE FROM queue.pgqueuer;
"""


@pytest.fixture(scope="session")
def media_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the tables of people and media."""
    home = tmp_path_factory.mktemp("media-postgres")
    settings = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    with postgres.embedded(home, settings=settings) as server:
        ours = [each for each in migrate.load() if each.name[:4] <= "0004"]
        asyncio.run(migrate.apply(server.url(), ours))
        yield server.url()


@pytest.fixture
async def db(media_url: str) -> AsyncIterator[Database]:
    """The database as the API and worker processes see it, empty."""
    owner = await Database.open(media_url, size=2)
    async with owner.tx() as tx:
        await tx.execute(EMPTY)
    await owner.close()
    database = await Database.open(media_url, role="luciole_api", size=6)
    yield database
    await database.close()


@pytest.fixture
async def make_cell(db: Database, tmp_path: Path) -> AsyncIterator[Callable[..., Cell]]:
    """Makes a cell; keyword arguments are settings of media."""
    made: list[Cell] = []
    root = RootKey.generate()

    def make(**media: Any) -> Cell:
        settings = Settings(data_dir=str(tmp_path / "var"))
        changed = msgspec.structs.replace(settings.media, **{"min_free_bytes": 0, **media})
        settings = msgspec.structs.replace(settings, media=changed)
        blobs = Blobs.open(str(tmp_path / "blobs"))
        made.append(Cell(db, blobs, settings, Keyring(root)))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def cell(make_cell: Callable[..., Cell]) -> Cell:
    return make_cell()


@pytest.fixture
async def ana(cell: Cell) -> Person:
    return await cell.person()


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of a moving portrait picture with a tone, 720 wide."""
    folder = tmp_path_factory.mktemp("films")
    return films.make(folder / "film.mp4", size="720x1280", seconds=1, rate=15).read_bytes()


@pytest.fixture(scope="session")
def small_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Half a second, too small for a ladder."""
    folder = tmp_path_factory.mktemp("films")
    return films.make(folder / "small.mp4", size="180x320", seconds=0.5, rate=15).read_bytes()
