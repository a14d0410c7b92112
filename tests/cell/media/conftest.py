"""Media over real PostgreSQL and a folder of objects, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from tests.cell.media.support import Cell, Person
from tests.cell.vault import Vault
from tests.unit.media import films

from luciole.config import Settings
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database


@pytest_asyncio.fixture(loop_scope="session")
async def make_cell(
    db: Database, vault: Vault, tmp_path: Path
) -> AsyncIterator[Callable[..., Cell]]:
    """Makes a cell; keyword arguments are settings of media."""
    made: list[Cell] = []

    def make(**media: Any) -> Cell:
        settings = Settings(data_dir=str(tmp_path / "var"))
        changed = msgspec.structs.replace(settings.media, **{"min_free_bytes": 0, **media})
        settings = msgspec.structs.replace(settings, media=changed)
        blobs = Blobs.open(str(tmp_path / "blobs"))
        made.append(Cell(db, blobs, settings, vault))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def cell(make_cell: Callable[..., Cell]) -> Cell:
    return make_cell()


@pytest_asyncio.fixture(loop_scope="session")
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
