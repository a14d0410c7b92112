"""What two requests, or a request and a job, do to each other when they come at once.

Each test lets the second one run at the worst moment of the first, and goes on when it has ended or
waits for the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httpx
import pytest
from litestar import get
from litestar.params import FromPath
from tests.cell.house import PASSWORD, Browser, House, refused

from luciole.cell.clips import store as clips_store
from luciole.cell.graph import store as graph_store
from luciole.cell.people.store import accounts
from luciole.kit import web

WAITS_S = 0.3


class Meanwhile:
    """Does something in the middle of a function of another request, once."""

    def __init__(self, house: House, act: Callable[[], Awaitable[httpx.Response]]) -> None:
        self._house = house
        self._act = act
        self._task: asyncio.Task[httpx.Response] | None = None

    def before(self, function: Any) -> Any:
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            await self._begin()
            return await function(*args, **kwargs)

        return wrapped

    def after(self, function: Any) -> Any:
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            given = await function(*args, **kwargs)
            await self._begin()
            return given

        return wrapped

    async def answer(self) -> httpx.Response:
        """What the second request was told."""
        assert self._task is not None, "the first request did not come this way"
        return await self._task

    async def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.ensure_future(self._act())
            await asyncio.wait({self._task}, timeout=WAITS_S)
            if self._task.done():
                await self._house.work()


async def is_public(house: House, clip: dict[str, Any]) -> bool:
    rows = await house.rows(
        "SELECT a.is_public FROM media.asset a JOIN clips.clip c ON c.asset_id = a.id "
        "WHERE c.id = $1",
        clip["id"],
    )
    return bool(rows[0]["is_public"])


async def test_clip_published_while_the_account_becomes_private_is_private(
    house: House, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Meanwhile(house, lambda: ana.patch("/api/me", json={"is_private": True}))
    monkeypatch.setattr(house.parts.media, "begin", second.before(house.parts.media.begin))
    made = await ana.clip(house, tiny_film)
    assert (await second.answer()).status_code == 200
    await house.work()
    assert not await is_public(house, made)


async def test_clip_narrowed_while_the_account_is_opened_stays_narrow(
    house: House, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    made = await ana.clip(house, tiny_film)
    second = Meanwhile(
        house, lambda: ana.patch(f"/api/clips/{made['id']}", json={"audience": "only-me"})
    )
    monkeypatch.setattr(house.parts.media, "widen", second.before(house.parts.media.widen))
    await ana.patch("/api/me", json={"is_private": False})
    await house.work()
    assert (await second.answer()).status_code == 200
    await house.work()
    assert not await is_public(house, made)


async def test_account_closed_while_it_is_opened_has_no_public_files(
    house: House, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    made = await ana.clip(house, tiny_film)
    second = Meanwhile(house, lambda: ana.patch("/api/me", json={"is_private": True}))
    monkeypatch.setattr(house.parts.media, "widen", second.before(house.parts.media.widen))
    await ana.patch("/api/me", json={"is_private": False})
    await house.work()
    assert (await second.answer()).status_code == 200
    await house.work()
    assert not await is_public(house, made)


async def test_clip_widened_while_the_account_becomes_private_stays_private(
    house: House, ana: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await ana.clip(house, tiny_film, audience="friends")
    second = Meanwhile(house, lambda: ana.patch("/api/me", json={"is_private": True}))
    monkeypatch.setattr(clips_store, "edit", second.before(clips_store.edit))
    await ana.patch(f"/api/clips/{made['id']}", json={"audience": "everyone"})
    assert (await second.answer()).status_code == 200
    await house.work()
    assert not await is_public(house, made)


async def test_request_made_while_the_account_is_opened_is_accepted(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    second = Meanwhile(house, lambda: ana.patch("/api/me", json={"is_private": False}))
    monkeypatch.setattr(graph_store, "follow", second.before(graph_store.follow))
    await ben.follow(ana)
    assert (await second.answer()).status_code == 200
    await house.work()
    assert (await ben.get("/api/people/ana")).json()["viewer"]["follows"] == "yes"


async def test_account_that_is_private_again_lets_nobody_in(
    house: House, ana: Browser, ben: Browser
) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    await ben.follow(ana)
    await ana.patch("/api/me", json={"is_private": False})
    await ana.patch("/api/me", json={"is_private": True})
    await house.work()
    assert (await ben.get("/api/people/ana")).json()["viewer"]["follows"] == "pending"


async def test_like_of_a_clip_that_is_being_deleted(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await ana.clip(house, tiny_film)
    second = Meanwhile(house, lambda: ana.delete(f"/api/clips/{made['id']}"))
    monkeypatch.setattr(clips_store, "like", second.before(clips_store.like))
    assert (await ben.put(f"/api/clips/{made['id']}/like")).status_code == 200
    assert (await second.answer()).status_code == 204
    refused(await ben.put(f"/api/clips/{made['id']}/like"), 404, "no-such-clip")


async def test_like_taken_back_while_the_clip_is_being_deleted(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await ana.clip(house, tiny_film)
    await ben.put(f"/api/clips/{made['id']}/like")
    second = Meanwhile(house, lambda: ana.delete(f"/api/clips/{made['id']}"))
    monkeypatch.setattr(clips_store, "unlike", second.after(clips_store.unlike))
    assert (await ben.delete(f"/api/clips/{made['id']}/like")).json()["likes"] == 0
    assert (await second.answer()).status_code == 204


async def test_likes_at_once_are_counted_right(
    house: House, ana: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    fans = [await house.person(f"fan{n}") for n in range(5)]
    await asyncio.gather(*(f.put(f"/api/clips/{made['id']}/like") for f in fans for _ in range(2)))
    assert (await ana.get(f"/api/clips/{made['id']}")).json()["likes"] == 5


async def test_handle_taken_by_a_change_and_a_sign_up_at_once_goes_to_one(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {
        "handle": "nova",
        "display_name": "Nova",
        "age_band": "18+",
        "locale": "en",
        "password": PASSWORD,
    }
    second = Meanwhile(house, lambda: house.visitor().post("/api/sign-up", json=body))
    monkeypatch.setattr(accounts, "take_handle", second.after(accounts.take_handle))
    answer = await ana.put("/api/me/handle", json={"handle": "nova"})
    assert answer.status_code == 200, answer.text
    refused(await second.answer(), 409, "handle-taken")


async def test_of_two_that_wait_for_each_other_one_is_told_to_come_again(house: House) -> None:
    both = asyncio.Barrier(2)

    @get("/{first:int}/{second:int}")
    async def lock(first: FromPath[int], second: FromPath[int]) -> str:
        async with house.db.tx() as tx:
            await tx.execute("SELECT pg_advisory_xact_lock($1)", first)
            await both.wait()
            await tx.execute("SELECT pg_advisory_xact_lock($1)", second)
        return "done"

    app = web.application([lock], title="t", version="0", max_body_bytes=1)
    transport = httpx.ASGITransport(cast(Any, app))
    async with httpx.AsyncClient(transport=transport, base_url="http://cell") as client:
        answers = await asyncio.gather(client.get("/1/2"), client.get("/2/1"))
    answers.sort(key=lambda answer: answer.status_code)
    assert answers[0].status_code == 200
    refused(answers[1], 503, "unavailable")
    assert answers[1].headers["retry-after"] == "1"
