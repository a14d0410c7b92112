"""The gateway toward the Fediverse, over the house, with played servers; and an author who is
shown there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.cell.abroad.agreeing import agree
from tests.cell.abroad.servers import OTHER_RSA, Actor, Servers
from tests.cell.house import Browser, House

from luciole.border import cavage, proofs, signatures
from luciole.border.addresses import Addresses
from luciole.border.asked import Request, Response
from luciole.border.documents import jcs
from luciole.border.fediverse.service import Fediverse
from luciole.border.fediverse.shown import Face
from luciole.border.fediverse.speaking import Speaking
from luciole.border.store.fediverse import Terms
from luciole.keys.rsa import RsaKey
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.clock import SetClock
from luciole.kit.db import Database

OUR_RSA = RsaKey(RsaKey.generate())
ORIGIN = "https://border.example"
BOB = Actor("https://far.example/users/bob")
EVE = Actor("https://evil.example/users/eve", OTHER_RSA)


@dataclass
class Read:
    """The gateway's part toward the Fediverse, over the house's database, with played servers."""

    house: House
    owner: Database
    made: Fediverse
    servers: Servers
    clock: SetClock

    async def get(self, path: str, accept: str = "application/activity+json") -> Response:
        path, _, query = path.removeprefix(ORIGIN).partition("?")
        return await self._ask(Request("GET", path, query, "", {"accept": accept}, b"", "n"))

    async def document(self, path: str) -> dict[str, Any]:
        answer = await self.get(path)
        assert answer.status == 200, path
        return dict(json.loads(answer.body))

    async def tell(
        self,
        actor: Actor,
        document: dict[str, Any],
        *,
        old: bool = False,
        path: str = "/ap/inbox",
        **changes: Any,
    ) -> int:
        """What the inbox answers to an activity that an actor signs."""
        url, body, now = ORIGIN + path, jcs(document), int(self.clock.now().timestamp())
        made = cavage.signed if old else signatures.signed
        more: tuple[Any, ...] = () if old else ("rsa-v1_5-sha256",)
        headers = made(
            "POST",
            url,
            {"content-type": "application/activity+json"},
            body,
            changes.get("key_id", actor.key_id),
            actor.rsa.sign,
            changes.get("now", now),
            *more,
        )
        body = changes.get("body", body)
        return (await self._ask(Request("POST", path, "", url, headers, body, "n"))).status

    async def _ask(self, request: Request) -> Response:
        for route in self.made.routes():
            is_below = route.path.endswith("/") and request.path.startswith(route.path)
            if route.method == request.method and (is_below or request.path == route.path):
                return await route.handler(request)
        return Response(404)

    async def round(self) -> None:
        """The gateway looks at what has changed, and delivers."""
        await self.made.telling.look()
        while await self.made.telling.deliver():
            continue

    async def told(self) -> list[dict[str, Any]]:
        """What servers were told since they were asked last."""
        await self.round()
        sent = [one.document for one in self.servers.posts]
        self.servers.posts.clear()
        return sent

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        async with self.owner.read() as tx:
            return [tuple(row) for row in await tx.fetch(sql, *values)]


@pytest_asyncio.fixture(loop_scope="session")
async def read(
    house: House, pools: tuple[Database, Database], owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Read]:
    monkeypatch.setattr(house.parts.abroad, "has_fediverse", True)
    clock = SetClock(house.parts.clock.now())
    servers = Servers(clock)
    face = Face(
        Addresses(ORIGIN), "https://pages.example", "us", "Luciole US", "Association us", "0.1.0"
    )

    async def sign(purpose: str, message: bytes) -> bytes:
        return _key(purpose).sign(message)

    async def key(purpose: str) -> bytes:
        return _key(purpose).public

    db = await Database.open(owner_url, role="luciole_gateway_process", size=2)
    speaking = Speaking(face, db, servers, sign, key, clock, "Luciole")  # type: ignore[arg-type]
    terms = Terms(house.settings.cell.operator, house.settings.cell.jurisdiction)
    yield Read(house, pools[0], Fediverse(speaking, db, terms, clock), servers, clock)
    await db.close()


def _key(purpose: str) -> RsaKey | SigningKey:
    if purpose == "fediverse":
        return OUR_RSA
    assert purpose.startswith("actor/")
    return SigningKey(Algorithm.ED25519, UUID(purpose.partition("/")[2]).bytes * 2)


@dataclass
class Author:
    """Ana, who is shown, and a clip of hers."""

    browser: Browser
    uri: str
    clip: dict[str, Any]

    @property
    def clip_uri(self) -> str:
        return f"{ORIGIN}/ap/clips/{self.clip['id']}"


async def share(browser: Browser, house: House, film: bytes, **fields: Any) -> dict[str, Any]:
    clip = await browser.clip(house, film, **fields)
    answer = await browser.put(f"/api/clips/{clip['id']}/reach", json={"reach": "fediverse"})
    assert answer.status_code == 200, answer.text
    return clip


@pytest_asyncio.fixture(loop_scope="session")
async def author(read: Read, house: House, ana: Browser, tiny_film: bytes) -> Author:
    await ana.patch("/api/me", json={"bio": "Herons, mostly."})
    await agree(ana, "fediverse")
    clip = await share(ana, house, tiny_film, caption="Low tide #herons")
    found = json.loads((await read.get(webfinger("acct:ana@border.example"))).body)
    (link,) = found["links"]
    person = await read.document(link["href"])
    read.servers.keys = {
        person["publicKey"]["id"]: person["publicKey"]["publicKeyPem"],
        person["assertionMethod"][0]["id"]: proofs.key_in(
            person["assertionMethod"][0]["publicKeyMultibase"]
        )
        or b"",
    }
    await read.told()
    return Author(ana, link["href"], clip)


@pytest_asyncio.fixture(loop_scope="session")
async def followed(read: Read, author: Author) -> Author:
    """Bob follows Ana from far away."""
    read.servers.add(BOB)
    assert await read.tell(BOB, BOB.act("Follow", author.uri)) == 202
    assert [one["type"] for one in await read.told()] == ["Accept"]
    return author


def webfinger(resource: str) -> str:
    return f"/.well-known/webfinger?resource={resource}"
