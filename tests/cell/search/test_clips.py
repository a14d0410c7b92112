"""Finding clips through the API: words, forms, slips, orders, and who may see what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.cell.house import Browser, House, refused
from tests.cell.search.conftest import Find


def captions(found: dict[str, Any]) -> list[str]:
    return [item["caption"] for item in found["items"]]


@pytest_asyncio.fixture(loop_scope="session")
async def shown(house: House, ana: Browser, tiny_film: bytes) -> list[str]:
    """Clips of Ana in several languages, the oldest first."""
    texts = [
        "Dancing in the rain #monsoon",
        "Un éclair au café, place de l'Église",
        "今天在河边散步 #河边",
        "Straße bei Nacht #Straßenfotografie",
        "La cuisine du soir",
    ]
    for text in texts:
        await ana.clip(house, tiny_film, caption=text)
        house.clock.advance(timedelta(hours=1))
    return texts


@pytest.mark.parametrize(
    ("q", "at"),
    [
        ("dancing", 0),
        ("DANCE", 0),
        ("rain dancing", 0),
        ("eclair", 1),
        ("ÉCLAIR cafe", 1),
        ("eglise", 1),
        ("河边", 2),
        ("散步", 2),
        ("strasse", 3),
        ("STRASSE nacht", 3),
        ("cuisines", 4),
        ("monsoon", 0),
        ("#monsoon", 0),
    ],
)
async def test_word_is_found_in_its_forms(
    house: House, shown: list[str], find: Find, q: str, at: int
) -> None:
    found = await find(house.visitor(), q, "/clips")
    assert captions(found) == [shown[at]]
    assert found["near"] == []


@pytest.mark.parametrize(
    ("q", "meant", "at"),
    [("dacning", "dancing", 0), ("eclari", "eclair", 1), ("cusine", "cuisine", 4)],
)
async def test_slip_is_forgiven_and_said(
    house: House, shown: list[str], find: Find, q: str, meant: str, at: int
) -> None:
    found = await find(house.visitor(), q, "/clips")
    assert captions(found) == [shown[at]]
    assert found["near"] == [meant]


async def test_all_words_must_be_there(house: House, shown: list[str], find: Find) -> None:
    assert captions(await find(house.visitor(), "dancing cuisine", "/clips")) == []


@pytest.mark.parametrize("q", ["", "...", "🎉", "  "])
async def test_nothing_to_look_for_is_refused(house: House, q: str) -> None:
    answer = await house.visitor().post("/api/search/clips", json={"q": q})
    refused(answer, 400, "nothing-to-look-for" if q else answer.json()["code"])


@pytest.mark.parametrize("q", ["'", "a' | 'b", "\\", "& !", "it's\\'", "<->", "x:*"])
async def test_signs_of_queries_are_no_commands(house: House, q: str) -> None:
    answer = await house.visitor().post("/api/search/clips", json={"q": q})
    assert answer.status_code in (200, 400), answer.text


async def test_orders_and_pages(house: House, ana: Browser, tiny_film: bytes, find: Find) -> None:
    ids = []
    for number in range(5):
        clip = await ana.clip(house, tiny_film, caption=f"lake {number}")
        ids.append(clip["id"])
        house.clock.advance(timedelta(days=20))
    fans = [await house.person(f"fan{number}") for number in range(3)]
    for fan in fans:
        await fan.put(f"/api/clips/{ids[0]}/like")
    await fans[0].put(f"/api/clips/{ids[3]}/like")
    visitor = house.visitor()
    wanted = {
        "new": ["4", "3", "2", "1", "0"],
        "liked": ["0", "3", "4", "2", "1"],
        # e times as many likes are worth 14 days.
        "best": ["4", "3", "2", "1", "0"],
    }
    for order, numbers in wanted.items():
        seen: list[str] = []
        cursor = None
        while True:
            page = await find(visitor, "lake", "/clips", order=order, cursor=cursor, limit=2)
            seen += [caption.removeprefix("lake ") for caption in captions(page)]
            cursor = page["next"]
            if not cursor:
                break
        assert seen == numbers, order


async def test_cursor_of_another_query_is_refused(
    house: House, ana: Browser, tiny_film: bytes, find: Find
) -> None:
    for _ in range(3):
        await ana.clip(house, tiny_film, caption="lake")
    page = await find(ana, "lake", "/clips", limit=1)
    body = {"q": "sea", "cursor": page["next"]}
    refused(await ana.post("/api/search/clips", json=body), 400, "bad-cursor")


async def test_only_what_everybody_may_see_is_found(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, find: Find
) -> None:
    await ben.follow(ana)
    await ana.follow(ben)
    for audience in ("friends", "only-me"):
        await ana.clip(house, tiny_film, caption=f"orchid {audience}", audience=audience)
    for viewer in (ana, ben, house.visitor()):
        assert captions(await find(viewer, "orchid", "/clips")) == []
    rows = await house.rows("SELECT word FROM search.word WHERE word = 'orchid'")
    assert rows == []


async def test_narrowing_and_deleting_hold_from_the_next_request_on(
    house: House, ana: Browser, tiny_film: bytes, find: Find
) -> None:
    clip = await ana.clip(house, tiny_film, caption="orchid")
    other = await ana.clip(house, tiny_film, caption="tulip")
    visitor = house.visitor()
    assert captions(await find(visitor, "orchid", "/clips")) == ["orchid"]

    async def now(q: str) -> list[str]:
        """Without the worker."""
        return captions((await visitor.post("/api/search/clips", json={"q": q})).json())

    await ana.patch(f"/api/clips/{clip['id']}", json={"audience": "friends"})
    assert await now("orchid") == []
    await ana.patch(f"/api/clips/{other['id']}", json={"caption": "rose"})
    assert await now("tulip") == []
    assert captions(await find(visitor, "rose", "/clips")) == ["rose"]
    await ana.delete(f"/api/clips/{other['id']}")
    assert await now("rose") == []
    await ana.patch(f"/api/clips/{clip['id']}", json={"audience": "everyone"})
    assert captions(await find(visitor, "orchid", "/clips")) == ["orchid"]
    await ana.patch("/api/me", json={"is_private": True})
    assert await now("orchid") == []
    await find(visitor, "orchid", "/clips")
    assert await house.rows("SELECT word, clips FROM search.word") == []
    await ana.patch("/api/me", json={"is_private": False})
    assert captions(await find(visitor, "orchid", "/clips")) == ["orchid"]


async def test_block_and_mute_hold_from_the_next_request_on(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, find: Find
) -> None:
    await ana.clip(house, tiny_film, caption="orchid #flower")
    await find(ben, "orchid", "/clips")
    ana_id, ben_id = await house.person_id("ana"), await house.person_id("ben")

    async def seen(viewer: Browser) -> tuple[int, int, list[str]]:
        clips = (await viewer.post("/api/search/clips", json={"q": "orchid"})).json()
        tagged = (await viewer.get("/api/hashtags/flower/clips")).json()
        people = (await viewer.post("/api/search", json={"q": "ana"})).json()["people"]
        return len(clips["items"]), len(tagged["items"]), [one["handle"] for one in people]

    graph = house.parts.graph
    assert await seen(ben) == (1, 1, ["ana"])
    async with house.db.tx() as tx:
        await graph.keep_away(tx, "mute", ben_id, ana_id)
    # A person who is muted is found by name, so that it can be undone.
    assert await seen(ben) == (0, 0, ["ana"])
    async with house.db.tx() as tx:
        await graph.let_near(tx, "mute", ben_id, ana_id)
        await graph.block(tx, ana_id, ben_id)
    assert await seen(ben) == (0, 0, [])
    assert await seen(house.visitor()) == (1, 1, ["ana"])
    async with house.db.tx() as tx:
        await graph.let_near(tx, "block", ana_id, ben_id)
        await graph.block(tx, ben_id, ana_id)
    assert await seen(ben) == (0, 0, [])


async def test_pages_stay_full_where_much_is_left_out(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, find: Find
) -> None:
    await ana.clip(house, tiny_film, caption="lake of ana")
    for number in range(5):
        house.clock.advance(timedelta(seconds=1))
        await ben.clip(house, tiny_film, caption=f"lake {number}")
    carl = await house.person("carl")
    async with house.db.tx() as tx:
        ids = await house.person_id("carl"), await house.person_id("ben")
        await house.parts.graph.keep_away(tx, "mute", *ids)
    page = await find(carl, "lake", "/clips", order="new", limit=1)
    assert captions(page) == ["lake of ana"]
    assert page["next"] is None


async def test_searching_without_end_is_refused(house: House) -> None:
    visitor = house.visitor()
    for _ in range(1000):  # It refills meanwhile.
        answer = await visitor.post("/api/search", json={"q": "a"})
        if answer.status_code != 200:
            break
    refused(answer, 429, "too-many")


async def test_clip_with_a_list_is_not_found(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, find: Find
) -> None:
    clip = await ana.clip(house, tiny_film, caption="orchid")
    assert captions(await find(ben, "orchid", "/clips")) == ["orchid"]
    hidden = {"kind": "hide-from", "handles": ["ben"]}
    answer = await ana.patch(f"/api/clips/{clip['id']}", json={"audience_list": hidden})
    assert answer.status_code == 200, answer.text
    for viewer in (ana, ben, house.visitor()):
        answer = await viewer.post("/api/search/clips", json={"q": "orchid"})
        assert captions(answer.json()) == []
    await find(ben, "orchid", "/clips")
    assert await house.rows("SELECT word FROM search.word") == []


async def test_clip_older_than_its_author_shows_is_not_found(
    house: House, ana: Browser, tiny_film: bytes, find: Find
) -> None:
    clip = await ana.clip(house, tiny_film, caption="orchid #bloom")
    visitor = house.visitor()
    assert captions(await find(visitor, "orchid", "/clips")) == ["orchid #bloom"]
    # The window is counted from the database's own time.
    await house.rows(
        "UPDATE clips.clip SET published_at = now() - interval '40 days' WHERE id = $1 "
        "RETURNING id",
        UUID(clip["id"]),
    )
    assert captions(await find(visitor, "orchid", "/clips")) == ["orchid #bloom"]
    for days, shown in ((30, []), (183, ["orchid #bloom"]), (3, [])):
        answer = await ana.put("/api/me/past-clips", json={"days": days})
        assert answer.status_code == 200, answer.text
        answer = await visitor.post("/api/search/clips", json={"q": "orchid"})
        assert captions(await find(visitor, "orchid", "/clips")) == shown
        counted = (await visitor.get("/api/hashtags/bloom")).json()
        assert counted.get("clips", 0) == len(shown)


async def test_clip_that_falls_out_of_the_window_leaves_the_counts(
    house: House, ana: Browser, tiny_film: bytes, find: Find
) -> None:
    clip = await ana.clip(house, tiny_film, caption="orchid")
    await ana.put("/api/me/past-clips", json={"days": 3})
    await find(ana, "orchid", "/clips")
    clip_id = UUID(clip["id"])
    await house.rows(
        "UPDATE clips.clip SET published_at = now() - interval '4 days' WHERE id = $1 RETURNING id",
        clip_id,
    )
    await find(ana, "orchid", "/clips")
    assert await house.rows("SELECT id FROM search.clip") == []
    # As it was before time went by, of which nobody is told.
    await house.rows(
        "INSERT INTO search.clip (id, published_at, likes_step, heat, terms) "
        "VALUES ($1, now(), 0, 0, 'orchid') RETURNING id",
        clip_id,
    )
    await house.parts.queue.run_periodic("search.trends")
    assert await house.rows("SELECT id FROM search.clip") == []
