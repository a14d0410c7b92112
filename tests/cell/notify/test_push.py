"""Devices that are woken: by choice, without content, once, and never in a quiet night."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.border.push_server import PushServer, push_server
from tests.cell.house import Browser, House, refused
from tests.cell.notify.test_lines import CLIP, _of_day, tell

from luciole.border.gateway import Gateway
from luciole.border.wire import Services
from luciole.cell.notify.pushes import Pushes
from luciole.kit.db import Database
from luciole.kit.ids import new_id


@pytest.fixture
def service() -> Iterator[PushServer]:
    with push_server() as made:
        yield made
        assert made.faults == []


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def services(house: House, service: PushServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cell knows the push service of the test, at noon."""
    monkeypatch.setattr(house.parts.pushes, "_services", Services(service.origin))
    house.parts.pushes._tokens.clear()
    service.now = lambda: house.clock.now().timestamp()
    house.clock.advance(timedelta(hours=12) - _of_day(house.clock.now()))


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(owner_url: str, house: House, service: PushServer) -> AsyncIterator[Gateway]:
    database = await Database.open(owner_url, role="luciole_gateway_process", size=2)
    yield Gateway(database, Services(service.origin), house.clock)
    await database.close()


async def subscribe(
    browser: Browser, service: PushServer, path: str = "/device", offset: int = 0
) -> None:
    body = {"endpoint": service.origin + path, "offset_minutes": offset}
    answer = await browser.put("/api/me/push", json=body)
    assert answer.status_code == 204, answer.text


async def wake(house: House, gateway: Gateway) -> None:
    """What the worker and the gateway do until nothing is left."""
    await house.work()
    await gateway.round()


async def test_device_is_woken_with_the_key_that_it_subscribed_with(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    told = (await ana.get("/api/me/push")).json()
    assert told | {"key": ""} == {
        "is_offered": True,
        "key": "",
        "is_on": False,
        "woken_for": None,
        "locale": "en",
    }
    await subscribe(ana, service)
    await ben.follow(ana)
    await wake(house, gateway)
    (push,) = service.taken
    assert push["path"] == "/device"
    assert _b64(push["key"]) == told["key"]
    now = (await ana.get("/api/me/push")).json()
    assert (now["is_on"], now["woken_for"]) == (True, "news")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def test_nobody_is_woken_who_has_not_asked_for_it(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await ben.follow(ana)
    await wake(house, gateway)
    assert service.taken == []
    assert await house.rows("SELECT person_id FROM notify.nudge") == []


async def test_address_is_sealed_and_its_use_is_in_the_journal(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service, "/hidden-path")
    (row,) = await house.rows("SELECT sealed, endpoint_index FROM notify.push")
    assert b"hidden-path" not in bytes(row["sealed"]) + bytes(row["endpoint_index"])
    await ben.follow(ana)
    await wake(house, gateway)
    async with house.vault.db.read() as tx:
        permits = await tx.fetch(
            "SELECT purpose, columns FROM custody.permit "
            "WHERE person_id = $1 AND class = 'automated'",
            await house.person_id("ana"),
        )
    assert [tuple(one) for one in permits] == [("push", ["push.endpoint"])]


async def test_one_push_tells_of_everything_until_the_person_looks(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    for _ in range(3):
        await tell(house, "mention", "ana", "ben", clip_id=new_id())
        await wake(house, gateway)
    assert len(service.taken) == 1
    # Looking makes room for the next, and so does an hour.
    await ana.post("/api/notifications/read")
    await tell(house, "mention", "ana", "ben", clip_id=new_id())
    await wake(house, gateway)
    assert len(service.taken) == 2
    await tell(house, "mention", "ana", "ben", clip_id=new_id())
    await wake(house, gateway)
    house.clock.advance(timedelta(minutes=61))
    await house.parts.queue.run_periodic("notify.wake-due")
    await gateway.round()
    assert len(service.taken) == 3


async def test_what_was_seen_meanwhile_wakes_nobody(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    await ben.follow(ana)
    await ana.post("/api/notifications/read")
    await wake(house, gateway)
    assert service.taken == []


async def test_nudge_whose_job_was_lost_is_found(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    await ben.follow(ana)
    await house.rows("DELETE FROM queue.pgqueuer")
    house.clock.advance(timedelta(minutes=1))
    await house.parts.queue.run_periodic("notify.wake-due")
    await gateway.round()
    assert len(service.taken) == 1


async def test_rolled_back_act_wakes_nobody(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    to, by = await house.person_id("ana"), await house.person_id("ben")
    with contextlib.suppress(RuntimeError):
        async with house.db.tx() as tx:
            await house.parts.notify.tell(tx, "follow", to=to, by=by)
            raise RuntimeError
    await wake(house, gateway)
    assert service.taken == []


async def test_minor_is_woken_in_the_morning(
    house: House, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    kid = await house.person("kid", age_band="13-15")
    await subscribe(kid, service, offset=60)
    house.clock.advance(timedelta(hours=22))  # 10 in the morning; 11 with the kid
    house.clock.advance(timedelta(hours=12))  # 22, and 23
    await ben.follow(kid)
    await wake(house, gateway)
    house.clock.advance(timedelta(hours=7))  # 5, and 6
    await house.parts.queue.run_periodic("notify.wake-due")
    await gateway.round()
    assert service.taken == []
    house.clock.advance(timedelta(hours=1))
    await house.parts.queue.run_periodic("notify.wake-due")
    await gateway.round()
    assert len(service.taken) == 1


async def test_message_wakes_without_a_line(
    house: House, ana: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    async with house.db.tx() as tx:
        await house.parts.notify.wake(tx, await house.person_id("ana"), is_message=True)
    await wake(house, gateway)
    assert len(service.taken) == 1
    assert (await ana.get("/api/me/push")).json()["woken_for"] == "message"


async def test_digest_wakes_once(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    await ana.patch("/api/notifications/settings", json={"digest_at": 18, "offset_minutes": 0})
    await tell(house, "like", "ana", "ben", clip_id=CLIP)
    await wake(house, gateway)
    assert service.taken == []
    house.clock.advance(timedelta(hours=6))
    await house.parts.queue.run_periodic("notify.digest")
    await wake(house, gateway)
    assert len(service.taken) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_device_that_is_gone_is_forgotten(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway, status: int
) -> None:
    await subscribe(ana, service, "/gone")
    service.answers["/gone"] = [(status, {})]
    await ben.follow(ana)
    await wake(house, gateway)
    await house.parts.queue.run_periodic("notify.wake-due")
    assert (await ana.get("/api/me/push")).json()["is_on"] is False
    assert await house.rows("SELECT id FROM notify.push") == []


async def test_signing_out_ends_it(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    assert (await ana.delete("/api/sessions/current")).status_code == 204
    assert await house.rows("SELECT id FROM notify.push") == []
    await ben.follow(ana)
    await wake(house, gateway)
    assert service.taken == []


async def test_turning_it_off_takes_back_what_waits(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    await ben.follow(ana)
    await house.work()
    assert (await ana.delete("/api/me/push")).status_code == 204
    await gateway.round()
    assert service.taken == []


async def test_device_that_somebody_else_signs_in_on_is_theirs(
    house: House, ana: Browser, ben: Browser, service: PushServer, gateway: Gateway
) -> None:
    await subscribe(ana, service)
    await subscribe(ben, service)
    assert (await ana.get("/api/me/push")).json()["is_on"] is False
    await ben.follow(ana)
    await wake(house, gateway)
    assert service.taken == []
    await subscribe(ben, service, "/other")
    assert len(await house.rows("SELECT id FROM notify.push")) == 1


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("https://evil.example/x", "bad-push-address"),
        ("http://localhost/x", "bad-push-address"),
        ("x", "bad-push-address"),
        ("https://a/" + "x" * 2000, "invalid"),
    ],
)
async def test_strange_address_is_refused(ana: Browser, endpoint: str, code: str) -> None:
    body = {"endpoint": endpoint, "offset_minutes": 0}
    refused(await ana.put("/api/me/push", json=body), 400, code)


async def test_strange_clock_is_refused(ana: Browser, service: PushServer) -> None:
    body = {"endpoint": f"{service.origin}/x", "offset_minutes": 900}
    refused(await ana.put("/api/me/push", json=body), 400, "bad-clock-offset")


async def test_cell_that_wakes_nobody_says_so(
    house: House, ana: Browser, service: PushServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = Pushes(house.parts.custody, house.clock, None, "")
    monkeypatch.setattr(house.parts.pushes, "_services", off._services)
    assert (await ana.get("/api/me/push")).json()["is_offered"] is False
    body = {"endpoint": f"{service.origin}/x", "offset_minutes": 0}
    refused(await ana.put("/api/me/push", json=body), 404, "no-push")


async def test_devices_are_for_the_signed_in(house: House) -> None:
    visitor = house.visitor()
    body: dict[str, Any] = {"endpoint": "https://a/x", "offset_minutes": 0}
    for answer in (
        await visitor.get("/api/me/push"),
        await visitor.put("/api/me/push", json=body),
        await visitor.delete("/api/me/push"),
    ):
        refused(answer, 401, "not-signed-in")


async def test_every_push_looks_alike(
    house: House,
    ana: Browser,
    ben: Browser,
    service: PushServer,
    pools: tuple[Database, Database],
) -> None:
    """A message, a like and a digest cross as the same bytes, but for the address."""
    bodies = set()
    for is_message in (True, False):
        await subscribe(ana, service, f"/{uuid4()}")
        if is_message:
            async with house.db.tx() as tx:
                await house.parts.notify.wake(tx, await house.person_id("ana"), is_message=True)
        else:
            await tell(house, "like", "ana", "ben", clip_id=CLIP)
        await house.work()
        async with pools[0].read() as tx:
            (row,) = await tx.fetch("SELECT body FROM border.offer")
        said = bytes(row["body"]).decode()
        bodies.add(said.replace(said.split('"endpoint":"')[1].split('"')[0], ""))
    assert len(bodies) == 1
