"""A key broker on its sockets over real PostgreSQL, and people who have accounts there."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.cell.vault import Vault

from luciole.ask.client import Custody
from luciole.custody import server
from luciole.custody.broker import Broker
from luciole.kit.clock import SetClock
from luciole.kit.db import Database
from luciole.kit.ids import new_id, new_token

ADD_PERSON = """
INSERT INTO people.person (id, handle, display_name, locale, age_band, is_private, created_at)
VALUES ($1, 'p' || substr(md5($1::uuid::text), 1, 20), 'Somebody', 'en', '18+', false, now())
"""
ADD_SESSION = """
INSERT INTO people.session
    (id, person_id, token_hash, label, created_at, proved_at, last_seen_on, expires_at)
VALUES ($1, $2, $3, 'Firefox on Linux', now(), now(), current_date, $4)
"""


@dataclass
class Somebody:
    """A person with an account; `token` is their session's."""

    id: UUID
    token: str


@dataclass
class Place:
    """The broker, what can be seen in the database, and the sockets."""

    vault: Vault
    broker: Broker
    clock: SetClock
    owner: Database
    sockets: Path

    def custody(self, process: str = "api") -> Custody:
        return Custody.at(self.sockets / f"{process}.sock")

    async def person(self, custody: Custody, *, label_key: bytes | None = None) -> Somebody:
        """A new person, as people make one."""
        person_id = new_id()
        drawn = await custody.enrol(person_id, label_key)
        async with self.owner.tx() as tx:
            await tx.execute(ADD_PERSON, person_id)
            await tx.fetchval("SELECT custody.take_number($1)", person_id)
            await tx.fetchval(
                "SELECT custody.record($1, $2, $3, $4)", person_id, 0, drawn.leaf, drawn.sealed
            )
        return Somebody(person_id, await self.session(person_id))

    async def session(self, person_id: UUID) -> str:
        token = new_token(32)
        hashed = hashlib.sha256(token.encode()).digest()
        async with self.owner.tx() as tx:
            expires_at = self.clock.now() + timedelta(days=30)
            await tx.execute(ADD_SESSION, new_id(), person_id, hashed, expires_at)
        return token

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.owner.tx() as tx:
            return list(await tx.fetch(query, *args))

    async def entries(self, person_id: UUID) -> list[int]:
        """Numbers of the person's entries; each has to wait in the log's inbox as well."""
        rows = await self.rows(
            "SELECT n, leaf, ref FROM custody.journal WHERE person_id = $1 ORDER BY n", person_id
        )
        waiting = {
            row["ref"]: row["entry"]
            for row in await self.rows("SELECT ref, entry FROM ledger.inbox WHERE log = 'access'")
        }
        assert all(waiting[row["ref"]] == row["leaf"] for row in rows)
        return [row["n"] for row in rows]


@pytest.fixture
async def place(empty_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    owner = await Database.open(empty_url, size=2)
    db = await Database.open(empty_url, role="luciole_custody_process", size=4)
    clock = SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC))
    vault = Vault.at(tmp_path, db, clock)
    broker = vault.broker(clock)
    async with server.listening(broker, tmp_path / "run"):
        yield Place(vault, broker, clock, owner, tmp_path / "run")
    vault.store.close()
    await db.close()
    await owner.close()


@pytest.fixture
async def api(place: Place) -> AsyncIterator[Custody]:
    custody = place.custody("api")
    yield custody
    await custody.close()


@pytest.fixture
async def worker(place: Place) -> AsyncIterator[Custody]:
    custody = place.custody("worker")
    yield custody
    await custody.close()


@pytest.fixture
async def ana(place: Place, api: Custody) -> Somebody:
    return await place.person(api)
