"""A whole cell for the real videos. The corpus lies outside the repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.cell.house import Browser, House

from luciole.config import MediaSettings, PeopleSettings, Settings
from luciole.keys import Keyring, RootKey
from luciole.kit.db import Database


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> AsyncIterator[House]:
    settings = Settings(
        data_dir=str(tmp_path / "var"),
        people=PeopleSettings(sign_ups_per_hour=10_000),
        media=MediaSettings(min_free_bytes=0),
    )
    made = House(db, settings, Keyring(RootKey.generate()))
    yield made
    await made.close()


@pytest.fixture
async def ana(house: House) -> Browser:
    return await house.person("ana")
