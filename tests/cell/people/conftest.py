"""People over real PostgreSQL, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.cell.people.support import Cell

from luciole.config import PeopleSettings, Settings
from luciole.keys import Keyring, RootKey
from luciole.kit import migrate, postgres
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database

# Enough for any test; those about the limits lower them.
GENEROUS = PeopleSettings(sign_ups_per_hour=10_000, sign_ins_per_minute=10_000)

EMPTY = """
DELETE FROM people.person;
DELETE FROM people.handle_taken;
DELETE FROM people.challenge;
DELETE FROM queue.pgqueuer;
"""


@pytest.fixture(scope="session")
def owner_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the tables of people."""
    home = tmp_path_factory.mktemp("people-postgres")
    settings = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    with postgres.embedded(home, settings=settings) as server:
        ours = [each for each in migrate.load() if each.name[:4] <= "0002"]
        asyncio.run(migrate.apply(server.url(), ours))
        yield server.url()


@pytest.fixture
async def db(owner_url: str) -> AsyncIterator[Database]:
    """The database as the API process sees it, empty."""
    owner = await Database.open(owner_url, size=2)
    async with owner.tx() as tx:
        await tx.execute(EMPTY)
    await owner.close()
    database = await Database.open(owner_url, role="luciole_api", size=6)
    yield database
    await database.close()


@pytest.fixture
async def make_cell(db: Database, tmp_path: Path) -> AsyncIterator[Callable[..., Cell]]:
    """Makes a cell; keyword arguments are settings of people."""
    made: list[Cell] = []
    root = RootKey.generate()

    def make(cell: dict[str, Any] | None = None, **people: Any) -> Cell:
        settings = Settings()
        settings = msgspec.structs.replace(
            settings,
            people=msgspec.structs.replace(GENEROUS, **people),
            cell=msgspec.structs.replace(settings.cell, **(cell or {})),
        )
        made.append(Cell(db, Blobs.open(str(tmp_path / "blobs")), settings, Keyring(root)))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def cell(make_cell: Callable[..., Cell]) -> Cell:
    return make_cell()
