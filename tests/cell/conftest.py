"""A whole cell for the tests of the slices that stand on others."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.cell.house import Browser, House
from tests.cell.once import Once
from tests.cell.vault import Vault
from tests.conftest import Emptying
from tests.unit.media import films

from luciole.kit.db import Database

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here run in one event loop: its database and its house are made once."""
    for item in items:
        if HERE in item.path.parents and inspect.iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pools(owner_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """The database as its owner and as the API process."""
    owner = await Database.open(owner_url, size=1)
    api = await Database.open(owner_url, role="luciole_api", size=6)
    yield owner, api
    await api.close()
    await owner.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vault(owner_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vault]:
    """The keys of all cells of this process: people come and go, a store for each takes long."""
    db = await Database.open(owner_url, role="luciole_custody_process", size=2)
    made = Vault.at(tmp_path_factory.mktemp("keys"), db)
    yield made
    made.store.close()
    await db.close()


@pytest_asyncio.fixture(loop_scope="session")
async def db(pools: tuple[Database, Database], emptying: Emptying) -> Database:
    """The empty database as the API process sees it."""
    owner, api = pools
    async with owner.tx() as tx:
        await emptying(tx)
    return api


@pytest.fixture(scope="session")
def only_house(
    pools: tuple[Database, Database], vault: Vault, tmp_path_factory: pytest.TempPathFactory
) -> House:
    return House.at(pools[1], vault, tmp_path_factory.mktemp("house") / "var")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(tmp_path_factory.mktemp("made"))


@pytest_asyncio.fixture(loop_scope="session")
async def house(
    only_house: House, db: Database, once: Once, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    once.stand_in(monkeypatch)
    yield only_house
    await only_house.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def ana(house: House) -> Browser:
    return await house.person("ana")


@pytest_asyncio.fixture(loop_scope="session")
async def ben(house: House) -> Browser:
    return await house.person("ben")


@pytest.fixture(scope="session")
def tiny_film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A third of a second, too small for a ladder."""
    folder = tmp_path_factory.mktemp("films")
    return films.make(folder / "tiny.mp4", size="90x160", seconds=0.4, rate=10).read_bytes()
