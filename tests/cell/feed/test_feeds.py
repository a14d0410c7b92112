"""Feeds through the API: order, audience, pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio
from tests.cell.house import Browser, House, refused


async def walk(browser: Browser, path: str, limit: int = 2) -> list[str]:
    """The captions of a whole feed, page by page."""
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = await browser.get(path, params={"limit": limit, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        seen += [item["caption"] for item in page["items"]]
        cursor = page["next"]
    return seen


@pytest_asyncio.fixture(loop_scope="session")
async def shared(house: House, ana: Browser, ben: Browser, tiny_film: bytes) -> Browser:
    """Finn follows Ana; Ben is Ana's friend; Ana has a clip for each audience. Gives Finn."""
    finn = await house.person("finn")
    await finn.follow(ana)
    await ben.follow(ana)
    await ana.follow(ben)
    for audience in ("everyone", "friends", "only-me"):
        await ana.clip(house, tiny_film, audience=audience, caption=f"ana-{audience}")
        house.clock.advance(timedelta(seconds=1))
    await ben.clip(house, tiny_film, caption="ben-everyone")
    return finn


async def test_latest_is_the_same_for_everybody(
    house: House, shared: Browser, ana: Browser, ben: Browser
) -> None:
    for viewer in (house.visitor(), ana, ben, shared):
        assert await walk(viewer, "/api/feeds/latest") == ["ben-everyone", "ana-everyone"]


async def test_following_shows_what_the_viewer_may_see(
    house: House, shared: Browser, ana: Browser, ben: Browser
) -> None:
    assert await walk(shared, "/api/feeds/following") == ["ana-everyone"]
    assert await walk(ben, "/api/feeds/following") == ["ana-friends", "ana-everyone"]
    assert await walk(ana, "/api/feeds/following") == ["ben-everyone"]


async def test_friends_shows_friends_only(
    house: House, shared: Browser, ana: Browser, ben: Browser
) -> None:
    assert await walk(shared, "/api/feeds/friends") == []
    assert await walk(ben, "/api/feeds/friends") == ["ana-friends", "ana-everyone"]


async def test_private_author_is_not_in_latest(house: House, shared: Browser, ana: Browser) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    assert await walk(house.visitor(), "/api/feeds/latest") == ["ben-everyone"]
    assert await walk(shared, "/api/feeds/following") == ["ana-everyone"]


async def test_new_clips_do_not_shift_the_pages(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    for number in range(4):
        await ana.clip(house, tiny_film, caption=str(number))
        house.clock.advance(timedelta(seconds=1))
    first = (await ben.get("/api/feeds/latest?limit=2")).json()
    await ana.clip(house, tiny_film, caption="new")
    await ana.delete(f"/api/clips/{first['items'][1]['id']}")
    second = (await ben.get(f"/api/feeds/latest?limit=2&cursor={first['next']}")).json()
    captions = [item["caption"] for item in first["items"] + second["items"]]
    assert captions == ["3", "2", "1", "0"]


async def test_clips_of_the_same_moment_come_once_each(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    for number in range(5):
        await ana.clip(house, tiny_film, caption=str(number))
    seen = await walk(ben, "/api/feeds/latest")
    assert sorted(seen) == ["0", "1", "2", "3", "4"]


async def test_marks_are_the_viewers_own(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await ben.put(f"/api/clips/{made['id']}/like")
    await ben.follow(ana)

    async def marks(viewer: Browser) -> object:
        return (await viewer.get("/api/feeds/latest")).json()["items"][0]["viewer"]

    kept = {"favourited": False, "reposted": False, "may_quote": True}
    assert await marks(ben) == {"liked": True, "follows": "yes", "is_author": False, **kept}
    assert await marks(ana) == {"liked": False, "follows": "no", "is_author": True, **kept}
    assert await marks(house.visitor()) is None


@pytest.mark.parametrize("feed", ["following", "friends"])
async def test_personal_feeds_need_a_session(house: House, feed: str) -> None:
    refused(await house.visitor().get(f"/api/feeds/{feed}"), 401, "not-signed-in")


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=%00", "cursor=" + "A" * 3000, "limit=0", "limit=51", "limit=x"]
)
async def test_bad_pages_are_refused(house: House, query: str) -> None:
    answer = await house.visitor().get(f"/api/feeds/latest?{query}")
    assert answer.status_code == 400
    assert answer.json()["next_step"].endswith(".")


async def test_cursor_of_another_person_or_cell_is_refused(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    carl = await house.person("carl")
    for _ in range(3):
        await ana.clip(house, tiny_film)
    await ben.follow(ana)
    await carl.follow(ana)
    cursor = (await ben.get("/api/feeds/following?limit=1")).json()["next"]
    assert (await ben.get(f"/api/feeds/following?cursor={cursor}")).status_code == 200
    refused(await carl.get(f"/api/feeds/following?cursor={cursor}"), 400, "bad-cursor")
    refused(await ben.get(f"/api/feeds/latest?cursor={cursor}"), 400, "bad-cursor")
    flipped = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    refused(await ben.get(f"/api/feeds/following?cursor={flipped}"), 400, "bad-cursor")
