"""The gateway over a real database, as its own role, against a push service that checks."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.border.push_server import PushServer, push_server

from luciole.border.gateway import Gateway
from luciole.border.wire import Push, Services, encode
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.clock import Clock
from luciole.kit.db import Database

KEY = SigningKey(Algorithm.P_256, b"k" * 32)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def authorization(origin: str, key: SigningKey = KEY) -> str:
    claims = {"aud": origin, "exp": int(time.time()) + 3600}
    said = ".".join(
        b64(json.dumps(one).encode()) for one in ({"typ": "JWT", "alg": "ES256"}, claims)
    )
    return f"vapid t={said}.{b64(key.sign(said.encode()))}, k={b64(KEY.public)}"


@pytest.fixture
def service() -> Iterator[PushServer]:
    with push_server() as made:
        yield made
        assert made.faults == []


@pytest.fixture
async def owner(empty_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(empty_url)
    yield connection
    await connection.close()


@pytest.fixture
async def gateway(empty_url: str, service: PushServer) -> AsyncIterator[Gateway]:
    database = await Database.open(empty_url, role="luciole_gateway_process", size=4)
    yield Gateway(database, Services(service.origin), Clock())
    await database.close()


async def offer(owner: Any, service: PushServer, path: str, **changed: Any) -> UUID:
    push = Push(f"{service.origin}{path}", authorization(service.origin), "luciole", 3600)
    ref = changed.pop("ref", uuid4())
    body = changed.pop("body", encode(push))
    await owner.execute("SELECT border.put('push', $1, $2, NULL, $3)", ref, uuid4(), body)
    return ref


async def test_offer_is_sent_once_and_counted(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    await offer(owner, service, "/one?x=1")
    assert await gateway.round() == 1
    assert await gateway.round() == 0
    assert service.paths() == ["/one?x=1"]
    assert await owner.fetchval("SELECT count(*) FROM border.offer") == 0
    crossed = await owner.fetch("SELECT kind, service FROM border.crossing")
    assert [tuple(row) for row in crossed] == [("push", service.origin)]


async def test_newer_offer_takes_the_place_of_one_that_waits(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    ref = await offer(owner, service, "/old")
    await offer(owner, service, "/new", ref=ref)
    await gateway.round()
    assert service.paths() == ["/new"]


@pytest.mark.parametrize("status", [404, 410])
async def test_receiver_that_is_gone_is_told_to_the_slice(
    gateway: Gateway, owner: Any, service: PushServer, status: int
) -> None:
    service.answers["/left"] = [(status, {})]
    ref = await offer(owner, service, "/left")
    await gateway.round()
    assert await owner.fetch("SELECT ref FROM border.gone") == [(ref,)]
    assert await owner.fetchval("SELECT border.take_gone()") == ref
    assert await owner.fetchval("SELECT count(*) FROM border.offer") == 0


async def test_busy_service_is_asked_again_when_it_says(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    service.answers["/busy"] = [(429, {"retry-after": "120"}), (503, {})]
    await offer(owner, service, "/busy")
    for least in (119, 55):
        await owner.execute("UPDATE border.offer SET due_at = now()")
        await gateway.round()
        waits = "SELECT extract(epoch FROM due_at - now()) FROM border.offer"
        assert await owner.fetchval(waits) > least
    await owner.execute("UPDATE border.offer SET due_at = now()")
    await gateway.round()
    assert service.paths() == ["/busy"] * 3
    assert await owner.fetchval("SELECT count(*) FROM border.offer") == 0


async def test_service_that_is_away_is_asked_again(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    gateway._services = Services("http://127.0.0.1:1")
    body = encode(Push("http://127.0.0.1:1/x", "vapid t=a, k=b", "luciole", 3600))
    await offer(owner, service, "/", body=body)
    await gateway.round()
    assert await owner.fetchval("SELECT attempts FROM border.offer") == 1


async def test_refused_is_not_sent_again(gateway: Gateway, owner: Any, service: PushServer) -> None:
    service.answers["/no"] = [(400, {})]
    await offer(owner, service, "/no")
    await gateway.round()
    assert await owner.fetchval("SELECT count(*) FROM border.offer") == 0


@pytest.mark.parametrize(
    "body",
    [
        b"not one of ours",
        encode(Push("http://127.0.0.1:2/elsewhere", "vapid t=a, k=b", "luciole", 3600)),
    ],
)
async def test_what_is_not_declared_or_not_on_the_list_does_not_leave(
    gateway: Gateway, owner: Any, service: PushServer, body: bytes
) -> None:
    await offer(owner, service, "/x", body=body)
    await gateway.round()
    assert service.taken == []
    assert await owner.fetchval("SELECT count(*) FROM border.offer") == 0
    assert await owner.fetchval("SELECT count(*) FROM border.crossing") == 0


async def test_what_is_too_old_is_dropped(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    await offer(owner, service, "/late")
    await owner.execute("UPDATE border.offer SET made_at = now() - interval '2 hours'")
    await gateway.round()
    assert service.taken == []
    assert await owner.fetchval("SELECT count(*) FROM border.offer") == 0


async def test_gateway_that_stops_in_between_sends_again(
    gateway: Gateway, owner: Any, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_: Any, **__: Any) -> None:
        raise RuntimeError("power")

    await offer(owner, service, "/one")
    with monkeypatch.context() as patched:
        patched.setattr("luciole.border.store.pushes.end", die)
        with pytest.raises(RuntimeError):
            await gateway.round()
    assert await gateway.round() == 0, "its claim has not ended"
    await owner.execute("UPDATE border.offer SET due_at = now()")
    assert await gateway.round() == 1
    assert service.paths() == ["/one", "/one"]
    assert {one["topic"] for one in service.taken} == {"luciole"}


async def test_running_gateway_hears_of_an_offer(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    await asyncio.sleep(0.5)
    await offer(owner, service, "/heard")
    for _ in range(40):
        if service.taken:
            break
        await asyncio.sleep(0.05)
    assert service.paths() == ["/heard"]
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_crossings_are_entries_of_the_log_when_their_hour_is_over(
    gateway: Gateway, owner: Any, service: PushServer
) -> None:
    for path in ("/a", "/b"):
        await offer(owner, service, path)
    await gateway.round()
    assert await gateway.note() == 0
    await owner.execute("UPDATE border.crossing SET made_at = now() - interval '1 hour'")
    assert await gateway.note() == 2
    assert await gateway.note() == 0
    rows = await owner.fetch("SELECT log, entry FROM ledger.inbox")
    assert {row["log"] for row in rows} == {"border"}
    for row in rows:
        said = json.loads(row["entry"])
        assert (said["v"], said["kind"], said["to"]) == (1, "push", service.origin)
        assert set(said) == {"v", "kind", "at", "to"}


async def test_gateway_reads_nothing_but_the_border(empty_url: str) -> None:
    connection = await asyncpg.connect(
        empty_url, server_settings={"role": "luciole_gateway_process"}
    )
    try:
        for table in ("people.person", "notify.push", "custody.permit", "ledger.inbox"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT * FROM {table}")
        for call in (
            "ledger.put('access', ''::bytea)",
            "border.put('push', NULL, NULL, NULL, NULL)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT {call}")
    finally:
        await connection.close()
