"""Another machine's PostgreSQL, and a log that is signed as in a real cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import asyncpg
import pytest
from tests.cell.house import House
from tests.cell.rights.log import Log
from tests.conftest import NOT_DURABLE

from luciole.cell.rights.log_reader import LogReader
from luciole.kit import postgres
from luciole.kit.db import Database
from luciole.kit.postgres import Server
from luciole.kit.postgres_logins import SUPERUSER
from luciole.ledger.note import KeyKind, Signer

_names = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another machine's PostgreSQL, empty."""
    home = tmp_path_factory.mktemp("elsewhere")
    with postgres.embedded(home, settings=NOT_DURABLE) as running:
        yield running


@pytest.fixture
async def elsewhere(server: Server) -> str:
    """The owner's URL of an empty database there."""
    name = f"restored_{next(_names)}"
    superuser = await asyncpg.connect(server.url(SUPERUSER, "postgres"))
    await superuser.execute(f"CREATE DATABASE {name} OWNER {server.logins.owner}")
    await superuser.close()
    return server.url(database=name)


@pytest.fixture
def log(house: House, pools: tuple[Database, ...], monkeypatch: pytest.MonkeyPatch) -> Log:
    """The log of the house, signed with the key that it has in a real one."""
    blobs, secret = house.parts.blobs, house.vault.store.secret
    monkeypatch.setattr(house.parts.journal, "_log", LogReader(blobs))
    made = Log(pools[0], blobs, secret.cell_id)
    made.signer = Signer(
        made.signer.verifier.name, KeyKind.ED25519, secret.derived("ledger/access")
    )
    return made
