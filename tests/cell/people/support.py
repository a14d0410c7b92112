"""A cell that consists of people only, and browsers that use it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import msgspec
from tests.cell.vault import Vault

from luciole.cell.people import api, jobs
from luciole.cell.people.passwords import Passwords
from luciole.cell.people.service import People
from luciole.config import Settings
from luciole.kit import web
from luciole.kit.blobs import Blobs
from luciole.kit.clock import SetClock
from luciole.kit.db import Database
from luciole.kit.errors import Invalid
from luciole.kit.queue import Queue

PASSWORD = "seven turquoise herons"
ORIGIN = "http://localhost:8080"
BROWSER = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537 Chrome/141.0 Mobile Safari/537"


async def make_avatar(picture: bytes) -> bytes:
    """Stands in for the picture reader of the media slice, which is above people."""
    if not picture.startswith(b"picture"):
        raise Invalid(code="bad-avatar")
    return b"webp of " + picture


@dataclass
class Cell:
    """People over their collaborators, and clients of their API."""

    db: Database
    blobs: Blobs
    settings: Settings
    vault: Vault
    clock: SetClock = field(default_factory=lambda: SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC)))
    queue: Queue = field(default_factory=Queue)

    def __post_init__(self) -> None:
        self.people = People(
            self.settings,
            self.vault.custody(self.clock),
            self.vault.derived()["devices"],
            self.clock,
            self.queue,
        )
        # The parameters for real use would cost most of the time of these tests.
        queue_length = self.settings.people.password_queue
        self.people.proofs.passwords = Passwords(queue_length, memory_kib=64, passes=1)
        jobs.register(self.queue, self.db, self.people, self.blobs, self.clock)
        router = api.routes(self.db, self.people, self.blobs, make_avatar, self.settings)
        self.app = web.application([router], title="t", version="0", max_body_bytes=1_048_576)
        self._clients: list[httpx.AsyncClient] = []
        self._numbers = itertools.count(1)

    def client(self, address: str = "192.0.2.1", **headers: str | bytes) -> Client:
        """A browser with its own cookies."""
        made = Client(
            transport=httpx.ASGITransport(cast(Any, self.app), client=(address, 50_000)),
            base_url=ORIGIN,
            headers={"user-agent": BROWSER, "sec-fetch-site": "same-origin", **headers},
        )
        self._clients.append(made)
        return made

    async def sign_up(self, handle: str = "ana", **fields: Any) -> Client:
        """A browser that is signed in as a new person."""
        client = self.client()
        body = new_person(handle, **fields)
        answer = await client.post("/api/sign-up", json=body)
        assert answer.status_code == 201, answer.text
        client.signed_up = answer.json()
        return client

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.db.read() as tx:
            return list(await tx.fetch(query, *args))

    async def queued(self, name: str) -> list[dict[str, str]]:
        """The bodies of the waiting jobs of one name."""
        found = await self.rows(
            "SELECT payload FROM queue.pgqueuer WHERE entrypoint = $1 ORDER BY id", name
        )
        return [msgspec.json.decode(row["payload"]) for row in found]

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


class Client(httpx.AsyncClient):
    """A browser; `signed_up` is what its sign-up gave."""

    signed_up: dict[str, Any]


def new_person(handle: str = "ana", **fields: Any) -> dict[str, Any]:
    body = {
        "handle": handle,
        "display_name": "Ana Luz",
        "age_band": "18+",
        "locale": "en",
        "password": PASSWORD,
    }
    return {name: value for name, value in {**body, **fields}.items() if value is not None}


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Asserts a refusal that says what happened and what to do."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["code"] == code
    assert body["sentence"].endswith(".")
    assert body["next_step"].endswith(".")
