"""What tests of For You do as clients do: ask for pages, walk on, report."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from tests.cell.house import Browser, House

from luciole.cell.feed.follower import Follower
from luciole.kit.ids import new_id

FOR_YOU = "/api/feeds/for-you"
# Clips with films that can be played, without the work of making them.
ASSETS = """
INSERT INTO media.asset (id, owner_id, state, trim_start_ms, cover_ms, is_public, token, progress,
                         duration_ms, width, height, has_audio, created_at, changed_at)
SELECT id, $2, 'complete', 0, 0, true, id::text, 100, $3, 540, 960, true, $4, $4
FROM unnest($1::uuid[]) AS n (id)
"""
CLIPS = """
INSERT INTO clips.clip (id, author_id, asset_id, caption, hashtags, audience, state, created_at,
                        published_at)
SELECT id, $2, id, caption, $4, 'everyone', 'published', $5, $5
FROM unnest($1::uuid[], $3::text[]) AS n (id, caption)
"""


BELOW = "SELECT 1 WHERE ($1::bigint)::text::xid8 < pg_snapshot_xmin(pg_current_snapshot())"
TALLY = """
INSERT INTO clips.tally (person_id, clips) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET clips = clips.tally.clips + $2
"""


async def shelf(
    house: House, author: Browser, count: int, hashtags: list[str] | None = None
) -> list[str]:
    """Ids of so many new clips of an author."""
    made = [new_id() for _ in range(count)]
    person_id: UUID = await house.person_id(author.handle)
    now = house.clock.now()
    captions = [f"Clip {number} of {author.handle}" for number in range(count)]
    await house.rows(ASSETS, made, person_id, 10_000, now)
    await house.rows(CLIPS, made, person_id, captions, hashtags or [], now)
    await house.rows(TALLY, person_id, count)
    return [str(each) for each in made]


async def settled(house: House) -> None:
    """Waits until what has been committed is below the horizon of the log. A transaction of anybody
    on the server keeps that back as long as it runs, PostgreSQL's own work among them."""
    ((xid,),) = await house.rows("SELECT pg_current_xact_id()::text::bigint")
    for _ in range(500):
        if await house.rows(BELOW, xid):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("an older transaction has been running for 5 s")


async def page(browser: Browser, cursor: str | None = None, limit: int = 10) -> dict[str, Any]:
    """A page, as the client gets it."""
    params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
    answer = await browser.get(FOR_YOU, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert len(body["items"]) == len(body["slots"]) <= limit
    return body


def ids(body: dict[str, Any]) -> list[str]:
    return [item["id"] for item in body["items"]]


async def walk(browser: Browser, limit: int = 10) -> list[str]:
    """Ids of all clips of one session, to its end."""
    body = await page(browser, limit=limit)
    seen = ids(body)
    while body["next"]:
        body = await page(browser, body["next"], limit)
        seen += ids(body)
    return seen


async def report(browser: Browser, *signals: dict[str, Any]) -> dict[str, Any]:
    """Sends signals; gives what became of them."""
    answer = await browser.post(f"{FOR_YOU}/signals", json={"signals": signals})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def signal(body: dict[str, Any], at: int, kind: str, **more: Any) -> dict[str, Any]:
    """A signal about the item at a place of a page."""
    return {"page": body["page"], "slot": body["slots"][at], "kind": kind, **more}


async def learn(browser: Browser, mode: str = "learning") -> dict[str, Any]:
    """Switches learning on or off; gives the settings."""
    answer = await browser.put(f"{FOR_YOU}/mode", json={"mode": mode})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def settings(browser: Browser) -> dict[str, Any]:
    answer = await browser.get(f"{FOR_YOU}/settings")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def why(browser: Browser, body: dict[str, Any], at: int) -> dict[str, Any]:
    """The answer to "Why this clip?" of the item at a place of a page."""
    answer = await browser.get(f"{FOR_YOU}/pages/{body['page']}/{body['slots'][at]}/why")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def follower_of(house: House) -> Follower:
    """A process that starts now."""
    return Follower(house.db, house.clock, house.parts.for_you.veil)


async def digest(house: House) -> str:
    """Of what a process that starts now comes to know."""
    return await (await follower_of(house).caught_up()).digest()


async def live_digest(house: House) -> str:
    """Of what the process of the house knows."""
    return await (await house.parts.for_you.follower.caught_up()).digest()
