"""Live events and the list of notifications, over a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from tests.cell.house import Browser, House, refused

from luciole.app import application
from luciole.cell.notify import live
from luciole.cell.notify.live import Hub, Page
from luciole.cell.notify.store import events as store


class Stream:
    """An open page: the events that it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, str, dict[str, Any]]] = asyncio.Queue()
        self.is_open = asyncio.Event()
        self.is_over = asyncio.Event()

    async def next(self, kind: str, seconds: float = 5) -> dict[str, Any]:
        """The data of the next event of that kind; `id` of the stream is in `last_id`."""
        while True:
            self.last_id, heard, data = await asyncio.wait_for(self.heard.get(), seconds)
            if heard == kind:
                return data

    async def nothing(self, seconds: float = 0.3) -> bool:
        try:
            await asyncio.wait_for(self.heard.get(), seconds)
        except TimeoutError:
            return True
        return False


@pytest_asyncio.fixture(loop_scope="session")
async def origin(house: House) -> AsyncIterator[str]:
    """The cell on a socket: events need a connection that stays open."""
    config = uvicorn.Config(
        application(house.parts, is_started=True), port=0, log_config=None, lifespan="on"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@contextlib.asynccontextmanager
async def page(origin: str, browser: Browser | None, since: str = "") -> AsyncIterator[Stream]:
    stream = Stream()

    async def read() -> None:
        headers = {b"authorization": f"Bearer {browser.token}".encode()} if browser else {}
        if since:
            headers[b"last-event-id"] = since.encode("latin-1")
        async with httpx.AsyncClient(base_url=origin, timeout=60) as client:
            async with client.stream("GET", "/api/live", headers=headers) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                fields: dict[str, str] = {}
                async for line in answer.aiter_lines():
                    if line.startswith(": welcome"):
                        stream.is_open.set()
                    name, _, value = line.partition(": ")
                    if line and name:
                        fields[name] = value
                    elif "event" in fields:
                        event = fields.get("id", ""), fields["event"], json.loads(fields["data"])
                        stream.heard.put_nowait(event)
                        fields = {}
                stream.is_over.set()

    task = asyncio.create_task(read())
    try:
        await asyncio.wait_for(stream.is_open.wait(), 5)
        yield stream
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_author_sees_the_clip_become_published(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    async with page(origin, ana) as own, page(origin, ben) as other, page(origin, None) as visitor:
        made = await ana.clip(house, tiny_film)
        states = [await own.next("clip")]
        while states[-1]["state"] != "published":
            states.append(await own.next("clip"))
        assert {state["id"] for state in states} == {made["id"]}
        assert [state["progress"] for state in states] == sorted(s["progress"] for s in states)
        for page_of in (other, visitor):
            event = await page_of.next("new-clip")
            assert event["clip_id"] == made["id"]
            assert event["author"]["handle"] == "ana"
            # Progress is the author's own.
            assert await page_of.nothing()


async def test_like_and_follow_are_seen_live(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    async with page(origin, ana) as own:
        await ben.put(f"/api/clips/{made['id']}/like")
        event = await own.next("like")
        assert (event["clip_id"], event["likes"], event["by"]["handle"]) == (made["id"], 1, "ben")
        await ben.follow(ana)
        assert (await own.next("follow"))["by"]["handle"] == "ben"


async def test_page_that_comes_back_hears_what_it_missed(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    async with page(origin, ana) as own:
        await ben.follow(ana)
        await own.next("follow")
        since = own.last_id
    await ben.put(f"/api/clips/{made['id']}/like")
    async with page(origin, ben, since) as other:
        assert await other.nothing(), "an event of somebody else"
    async with page(origin, ana, since) as own:
        assert (await own.next("like"))["by"]["handle"] == "ben"


async def test_private_clip_is_announced_to_nobody(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    async with page(origin, ben) as other:
        await ana.clip(house, tiny_film, audience="only-me")
        assert await other.nothing()


@pytest.mark.parametrize("since", ["x", "-1", "9" * 19, "\u00b2"])
async def test_strange_last_event_id_is_no_error(origin: str, ana: Browser, since: str) -> None:
    async with page(origin, ana, since) as own:
        assert own.is_open.is_set()


async def test_too_many_pages_of_one_person_are_refused(origin: str, ana: Browser) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(page(origin, ana))
        async with httpx.AsyncClient(base_url=origin) as client:
            headers = {"authorization": f"Bearer {ana.token}"}
            answer = await client.get("/api/live", headers=headers, timeout=5)
    refused(answer, 429, "too-many-pages")


async def test_visitors_leave_room_for_the_signed_in(
    origin: str, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAGES_FOR_VISITORS", 1)
    monkeypatch.setattr(live, "PAGES_PER_PROCESS", 2)
    async with httpx.AsyncClient(base_url=origin) as client:
        async with page(origin, None):
            refused(await client.get("/api/live"), 429, "too-many-pages")
            async with page(origin, ana):
                headers = {"authorization": f"Bearer {ben.token}"}
                refused(await client.get("/api/live", headers=headers), 429, "too-many-pages")


async def test_ended_session_hears_nothing_more(
    house: House, origin: str, ana: Browser, ben: Browser
) -> None:
    async with page(origin, ana) as own:
        await ben.follow(ana)
        await own.next("follow")
        assert (await ana.delete("/api/sessions/current")).status_code == 204
        await ben.delete("/api/people/ana/follow")
        await ben.follow(ana)
        assert await own.nothing()
        await asyncio.wait_for(own.is_over.wait(), 5)


async def test_page_that_missed_more_than_can_wait_hears_the_newest(
    house: House, origin: str, ana: Browser
) -> None:
    person_id = await house.person_id("ana")
    async with house.db.tx() as tx:
        for number in range(600):
            await house.parts.notify.show(tx, "clip", to=person_id, body={"progress": number})
    async with page(origin, ana, "1") as own:
        while (await own.next("clip"))["progress"] != 599:
            pass


async def test_event_that_ended_later_is_not_skipped_by_who_comes_back(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second event commits after the first, before the first is read for the page."""
    person_id, read = await house.person_id("ana"), store.event

    async def show(number: int) -> None:
        async with house.db.tx() as tx:
            await house.parts.notify.show(tx, "clip", to=person_id, body={"progress": number})

    async def late(*args: Any) -> Any:
        monkeypatch.setattr(store, "event", read)
        await show(2)
        return await read(*args)

    hub = Hub(house.db)
    async with hub.running():
        async with hub.page(person_id, None) as first:
            while not first.waiting.qsize():
                monkeypatch.setattr(store, "event", late)
                await show(1)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(_some(first), 1)
            event = first.waiting.get_nowait()
        assert event.body == {"progress": 1}
        async with hub.page(person_id, event.horizon) as again:
            missed = [again.waiting.get_nowait().body for _ in range(again.waiting.qsize())]
    assert {"progress": 2} in missed


async def _some(page: Page) -> None:
    while not page.waiting.qsize():  # noqa: ASYNC110 - taking it would hide it
        await asyncio.sleep(0.01)


async def test_list_has_one_line_for_each_act(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": False}
    for _ in range(2):
        await ben.put(f"/api/clips/{made['id']}/like")
        await ben.follow(ana)
    lines = (await ana.get("/api/notifications")).json()["items"]
    assert [(line["kind"], line["by"]["handle"]) for line in lines] == [
        ("follow", "ben"),
        ("like", "ben"),
    ]
    assert (await ben.get("/api/notifications")).json()["items"] == []
    assert (await ben.get("/api/notifications/unread")).json() == {"unread": False}
    assert (await ben.post("/api/notifications/read")).status_code == 204
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": True}
    assert (await ana.post("/api/notifications/read")).status_code == 204
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": False}
    await ben.delete(f"/api/clips/{made['id']}/like")
    lines = (await ana.get("/api/notifications")).json()["items"]
    assert [line["kind"] for line in lines] == ["follow"]


async def test_own_acts_are_not_told(house: House, ana: Browser, tiny_film: bytes) -> None:
    made = await ana.clip(house, tiny_film)
    await ana.put(f"/api/clips/{made['id']}/like")
    assert (await ana.get("/api/notifications")).json()["items"] == []


async def test_request_and_its_answer_are_told(ana: Browser, ben: Browser) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    await ben.follow(ana)
    lines = (await ana.get("/api/notifications")).json()["items"]
    assert [line["kind"] for line in lines] == ["follow-request"]
    await ana.put("/api/me/follow-requests/ben")
    lines = (await ben.get("/api/notifications")).json()["items"]
    assert [line["kind"] for line in lines] == ["follow-accepted"]


async def test_list_is_for_the_signed_in(house: House) -> None:
    for path in ("/api/notifications", "/api/notifications/unread"):
        refused(await house.visitor().get(path), 401, "not-signed-in")


async def test_list_is_paged(house: House, ana: Browser) -> None:
    person_id = await house.person_id("ana")
    for number in range(3):
        await house.person(f"r{number}x")
        other = await house.person_id(f"r{number}x")
        async with house.db.tx() as tx:
            await house.parts.notify.tell(tx, "mention", to=person_id, by=other)
    first = (await ana.get("/api/notifications?limit=2")).json()
    second = (await ana.get(f"/api/notifications?limit=2&cursor={first['next']}")).json()
    names = [line["by"]["handle"] for line in first["items"] + second["items"]]
    assert names == ["r2x", "r1x", "r0x"]
    assert second["next"] is None
