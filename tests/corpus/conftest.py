"""A whole cell for the real videos. The corpus lies outside the repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cell.house import Browser, House
from tests.cell.vault import Vault

from luciole.kit.db import Database


@pytest.fixture
async def house(db: Database, owner_url: str, tmp_path: Path) -> AsyncIterator[House]:
    keys = await Database.open(owner_url, role="luciole_custody_process", size=2)
    made = House.at(db, Vault.at(tmp_path, keys), tmp_path / "var")
    yield made
    await made.close()
    made.vault.store.close()
    await keys.close()


@pytest.fixture
async def ana(house: House) -> Browser:
    return await house.person("ana")
