"""A whole cell for the real videos. The corpus lies outside the repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cell.house import Browser, House

from luciole.kit.db import Database


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> AsyncIterator[House]:
    made = House.at(db, tmp_path / "var")
    yield made
    await made.close()


@pytest.fixture
async def ana(house: House) -> Browser:
    return await house.person("ana")
