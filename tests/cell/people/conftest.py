"""People over real PostgreSQL, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from tests.cell.people.support import Cell
from tests.cell.vault import Vault

from luciole.config import PeopleSettings, Settings
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database

# Enough for any test; those about the limits lower them.
GENEROUS = PeopleSettings(sign_up_work=0, sign_ups_per_hour=10_000, sign_ins_per_minute=10_000)


@pytest_asyncio.fixture(loop_scope="session")
async def make_cell(
    db: Database, vault: Vault, tmp_path: Path
) -> AsyncIterator[Callable[..., Cell]]:
    """Makes a cell; keyword arguments are settings of people."""
    made: list[Cell] = []

    def make(cell: dict[str, Any] | None = None, **people: Any) -> Cell:
        settings = Settings()
        settings = msgspec.structs.replace(
            settings,
            people=msgspec.structs.replace(GENEROUS, **people),
            cell=msgspec.structs.replace(settings.cell, **(cell or {})),
        )
        made.append(Cell(db, Blobs.open(str(tmp_path / "blobs")), settings, vault))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def cell(make_cell: Callable[..., Cell]) -> Cell:
    return make_cell()
