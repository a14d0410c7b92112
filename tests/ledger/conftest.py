"""Logs for tests."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.ledger.house import TABLES, House, connect, person
from tests.ledger.shown import Shown, Watch

from luciole.kit.db import Database

HERE = Path(__file__).parent
Databases = tuple[Database, Database, Any]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here run in one event loop, so that they share their connections."""
    for item in items:
        if HERE in item.path.parents and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pools(owner_url: str) -> AsyncIterator[Databases]:
    """As the log's process, as the API process, and as the owner."""
    db = await Database.open(owner_url, role="luciole_ledger_process", size=4)
    api = await Database.open(owner_url, role="luciole_api", size=6)
    owner = await connect(owner_url)
    yield db, api, owner
    await owner.close()
    await api.close()
    await db.close()


@pytest_asyncio.fixture(loop_scope="session")
async def databases(pools: Databases) -> Databases:
    """The same, with the log's tables empty."""
    await pools[2].execute(";".join(f"DELETE FROM ledger.{table}" for table in TABLES))
    return pools


@pytest.fixture
def house(databases: Databases, tmp_path: Path) -> House:
    """The log `access`."""
    return House(*databases, tmp_path, "access")


@pytest.fixture
def decisions(databases: Databases, tmp_path: Path) -> House:
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
