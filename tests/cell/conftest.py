"""A whole cell for the tests of the slices that stand on others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cell.house import Browser, House
from tests.unit.media import films

from luciole.kit.db import Database


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> AsyncIterator[House]:
    made = House.at(db, tmp_path / "var")
    yield made
    await made.close()


@pytest.fixture
async def ana(house: House) -> Browser:
    return await house.person("ana")


@pytest.fixture
async def ben(house: House) -> Browser:
    return await house.person("ben")


@pytest.fixture(scope="session")
def tiny_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A third of a second, too small for a ladder."""
    folder = tmp_path_factory.mktemp("films")
    return films.make(folder / "tiny.mp4", size="90x160", seconds=0.4, rate=10).read_bytes()
