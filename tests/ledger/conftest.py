"""Logs for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.house import House, connect, person
from tests.ledger.shown import Shown, Watch

from luciole.kit.db import Database

Databases = tuple[Database, Database, Any]


@pytest.fixture
async def databases(empty_url: str) -> AsyncIterator[Databases]:
    """As the log's process, as the API process, and as the owner."""
    db = await Database.open(empty_url, role="luciole_ledger_process", size=4)
    api = await Database.open(empty_url, role="luciole_api", size=6)
    owner = await connect(empty_url)
    yield db, api, owner
    await owner.close()
    await api.close()
    await db.close()


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> House:
    """The log `access`."""
    return House(*databases, tmp_path, "access")


@pytest.fixture
async def decisions(databases: Databases, tmp_path: Path) -> House:
    """The log `decisions`."""
    return House(*databases, tmp_path, "decisions")


@pytest.fixture
def log() -> Shown:
    """A log of 300 persons' entries, in memory."""
    return Shown([person() for _ in range(300)])


@pytest.fixture
def watch(tmp_path: Path, log: Shown) -> Watch:
    """A witness that looks at that log."""
    return Watch(tmp_path / "watch", log)
