"""How often the inward door lets others ask: as often as FEDERATION.md says, and no more. All
through the door, of which only the clock of its limits is the test's."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from tests.border.test_passports_anew import Owner

from luciole.border import batch, passport, signatures
from luciole.border.batch import Load
from luciole.border.cells import Us
from luciole.border.crossings import Crossings
from luciole.border.inward import Inward, public
from luciole.border.peers import Answer, Peer
from luciole.border.store import peers
from luciole.border.trustee import Trustee
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.rates import Buckets
from luciole.ledger.note import KeyKind, Signer, VerifierKey

ORIGIN = "http://us.example"
FEDERATION = Path(__file__).parents[2] / "FEDERATION.md"


def promised(path: str) -> int:
    """How often within ten seconds, by the table of FEDERATION.md."""
    (line,) = [one for one in FEDERATION.read_text().splitlines() if one.startswith(f"| `{path}")]
    (count,) = re.findall(r"([\d,]+) in 10 s", line)
    return int(count.replace(",", ""))


class Files:
    """Pages and a witness that have everything."""

    async def ask(self, method: str, path: str, *_: Any) -> Answer:
        return Answer(200, path.encode())


@dataclass
class Door:
    """The inward door of `us`, and a peer `eu` that signs as it has to."""

    http: httpx.AsyncClient
    eu: Owner
    now: list[float]
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def get(self, path: str, address: str = "192.0.2.1") -> httpx.Response:
        self.http._transport.client = (address, 4321)  # type: ignore[attr-defined]
        return await self.http.get(path)

    async def post(self, path: str, body: bytes, *, by: Owner | None = None) -> httpx.Response:
        """Signed by `eu`, or in its name."""
        name = passport.key_of(self.eu.number, self.eu.key.public).name
        headers = signatures.signed(
            "POST",
            f"{ORIGIN}{path}",
            {"content-type": "application/octet-stream"},
            body,
            name,
            (by or self.eu).key.sign,
            int(Clock().now().timestamp()),
            nonce=str(next(self._numbers)),
        )
        return await self.http.post(path, content=body, headers=headers)


@pytest.fixture
async def door(empty_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    db = await Database.open(empty_url, role="luciole_gateway_process", size=2)
    owner = await Database.open(empty_url, size=1)
    eu = Owner(str(uuid4()), 10)
    shown = eu.passport()
    async with owner.tx() as tx:
        assert await peers.add(tx, shown, (await eu.shown(shown)).decode())
    files, now = cast(Peer, Files()), [1000.0]
    log = VerifierKey.parse(eu.passport().log_keys[2])
    witness = Signer("us", KeyKind.COSIGNATURE, b"u" * 32).verifier
    us = Us("us", ORIGIN, eu.passport().border_key, log, witness, cast(Any, None), cast(Any, None))
    trustee = Trustee(tmp_path / "trustee.sock")
    crossings = Crossings(us, db, files, files, trustee, tmp_path, Clock())

    async def own() -> str:
        return "a passport"

    app = Inward(us, [*crossings.routes(), *public(own, files, files)])
    for one in (app, crossings.receiving, crossings.exchanging):
        one._buckets = Buckets(lambda: now[0])
    async with owner.read() as tx:
        crossings.receiving.known = {one.name: one for one in await peers.peers(tx)}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Door(http, eu, now)
    await trustee.close()
    for each in (owner, db):
        await each.close()


def is_too_many(answer: httpx.Response, wait_s: int) -> bool:
    """Refused by how often, with the seconds after which it may be asked again."""
    said = answer.status_code, answer.json(), int(answer.headers["retry-after"])
    return said == (429, {"code": "too-many"}, wait_s)


@pytest.mark.parametrize("path", ["/ledger/access/checkpoint", "/witness/00/checkpoint"])
async def test_public_files_are_read_so_often_by_each_network(door: Door, path: str) -> None:
    most = promised("GET /ledger/")
    for _ in range(most):
        assert (await door.get(path)).status_code == 200
    assert is_too_many(await door.get(path), 1)
    assert is_too_many(await door.get(f"/{passport.PATH}"), 1)
    # Who comes from elsewhere is not touched by that, and time gives as much as it takes.
    assert (await door.get(path, "192.0.2.2")).status_code == 200
    door.now[0] += 1.0
    for _ in range(most // 10):
        assert (await door.get(path)).status_code == 200
    assert is_too_many(await door.get(path), 1)


def load_of(count: int) -> bytes:
    """A request with so many crossings that are none."""
    one = batch.carried(b"{}", b"{}", 0, ())
    return batch.encode(Load("no head", [one] * count))


async def test_crossings_of_a_peer_are_counted_one_by_one(door: Door) -> None:
    path, most = f"/{batch.PATH}", promised("POST /border/crossings")
    whole, rest = divmod(most, batch.MOST)
    for count in (*[batch.MOST] * whole, rest):
        # They are looked at, which is why they are refused.
        answer = await door.post(path, load_of(count))
        assert (answer.status_code, answer.json()) == (503, {"code": "not-proven"})
    assert is_too_many(await door.post(path, load_of(1)), 1)
    # The older way in has the same limit.
    assert is_too_many(await door.post("/border/inbox", b"{}"), 1)
    door.now[0] += 2.0
    answer = await door.post(path, load_of(batch.MOST))
    assert answer.json() == {"code": "not-proven"}
    assert (await door.post("/border/inbox", b"{}")).json() == {"code": "entry-not-read"}
    door.now[0] += 1000.0
    for _ in range(whole):
        assert (await door.post(path, load_of(batch.MOST))).status_code == 503
    assert is_too_many(await door.post(path, load_of(batch.MOST)), 1)


async def test_peer_may_ask_so_often(door: Door) -> None:
    """A kind that nobody answers: what is counted is that somebody asked."""
    path, most = "/border/ask/push", promised("POST /border/ask/<kind>")
    for _ in range(most):
        answer = await door.post(path, b"x")
        assert (answer.status_code, answer.json()) == (404, {"code": "kind-unknown"})
    for kind in ("push", "cosign", "share", "lookup", "backup"):
        assert is_too_many(await door.post(f"/border/ask/{kind}", b"x"), 1)
    door.now[0] += 10.0
    assert (await door.post(path, b"x")).status_code == 404


async def test_signatures_that_are_wrong_are_tried_sixty_times_a_minute(door: Door) -> None:
    stranger, path = Owner(str(uuid4()), 77), "/border/ask/push"
    for _ in range(60):
        answer = await door.post(path, b"x", by=stranger)
        assert (answer.status_code, answer.json()) == (401, {"code": "wrong-signature"})
    assert is_too_many(await door.post(path, b"x", by=stranger), 1)
    # The peer in whose name that was done is answered as ever.
    assert (await door.post(path, b"x")).json() == {"code": "kind-unknown"}
