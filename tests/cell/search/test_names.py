"""Finding people, hashtags and sounds through the API; hashtag pages and trends."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused
from tests.cell.search.conftest import Find


def handles(found: dict[str, Any], part: str = "people") -> list[str]:
    return [one["handle"] for one in found[part]]


@pytest.mark.parametrize(
    "q",
    [
        "zoe",
        "Zoë",
        "ZOE GAR",
        "garcia",
        "García",
        "zoe_g",
        "@zoe_garcia",
        "zoegarc",
        "grcia",
        "gracia",
    ],
)
async def test_person_is_found_by_beginnings_and_nearly(house: House, find: Find, q: str) -> None:
    await house.person("zoe_garcia", display_name="Zoë García")
    await house.person("other", display_name="Somebody Else")
    assert handles(await find(house.visitor(), q)) == ["zoe_garcia"]


async def test_name_of_characters_is_found_by_each(house: House, find: Find) -> None:
    await house.person("xiaoming", display_name="王小明")
    for q in ("小明", "王", "明"):
        assert handles(await find(house.visitor(), q)) == ["xiaoming"]


async def test_own_handle_first_then_followed_then_most_followed(
    house: House, find: Find, ben: Browser
) -> None:
    popular, followed, exact = [
        await house.person(handle) for handle in ("mariama", "maria_k", "maria")
    ]
    for fan in (await house.person("fan1"), await house.person("fan2")):
        await fan.follow(popular)
    await ben.follow(followed)
    found = await find(ben, "maria")
    assert handles(found) == ["maria", "maria_k", "mariama"]
    assert [one["follows"] for one in found["people"]] == ["no", "yes", "no"]
    assert [one["followers"] for one in found["people"]] == [0, 1, 2]
    assert exact.handle == "maria"


async def test_people_come_in_pages_each_once(house: House, find: Find, ben: Browser) -> None:
    people = [await house.person(f"maria{number}") for number in range(7)]
    for number, person in enumerate(people):
        for fan in people[:number]:
            await fan.follow(person)
    await ben.follow(people[2])
    seen: list[str] = []
    cursor = None
    while True:
        page = await find(ben, "mari", "/people", cursor=cursor, limit=2)
        seen += handles(page, "items")
        cursor = page["next"]
        if not cursor:
            break
    assert seen == ["maria2", "maria6", "maria5", "maria4", "maria3", "maria1", "maria0"]


async def test_new_name_and_leaving_hold_at_once(house: House, find: Find, ana: Browser) -> None:
    visitor = house.visitor()
    assert handles(await find(visitor, "ana")) == ["ana"]
    await ana.patch("/api/me", json={"display_name": "Hortense"})
    assert handles(await find(visitor, "hortense")) == ["ana"]
    answer = await ana.post("/api/me/proof", json={"password": "seven turquoise herons"})
    ana_id = await house.person_id("ana")
    async with house.db.tx() as tx:
        await house.parts.people.leave(tx, ana_id, house.clock.now() + timedelta(days=7))
    answer = await visitor.post("/api/search", json={"q": "hortense"})
    assert handles(answer.json()) == []


async def test_hashtags_are_found_and_counted(
    house: House, ana: Browser, tiny_film: bytes, find: Find
) -> None:
    for caption in ("#sunset #sunrise", "#Sunset at sea", "#été", "#moon_light"):
        await ana.clip(house, tiny_film, caption=caption)
    visitor = house.visitor()

    async def tags(q: str) -> list[tuple[str, int]]:
        return [(one["tag"], one["clips"]) for one in (await find(visitor, q))["hashtags"]]

    assert await tags("sun") == [("sunset", 2), ("sunrise", 1)]
    assert await tags("#sunrise") == [("sunrise", 1)]
    assert await tags("sunste") == [("sunset", 2)]
    assert await tags("ete") == [("été", 1)]
    assert await tags("moonlight") == [("moon_light", 1)]
    assert await tags("light") == [("moon_light", 1)]
    assert (await visitor.get("/api/hashtags/Sunset")).json() == {"tag": "sunset", "clips": 2}
    for tag in ("never", "%21%21"):
        refused(await visitor.get(f"/api/hashtags/{tag}"), 404, "no-such-hashtag")


async def test_hashtag_page_in_both_orders(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, find: Find
) -> None:
    clips = []
    for number in range(3):
        clips.append(await ana.clip(house, tiny_film, caption=f"{number} #lake"))
        house.clock.advance(timedelta(hours=1))
    await ana.clip(house, tiny_film, caption="lake without its sign")
    await ben.put(f"/api/clips/{clips[1]['id']}/like")
    await find(ben, "lake")

    async def walk(order: str) -> list[str]:
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"order": order, "cursor": cursor, "limit": 2}
            page = (await ben.get("/api/hashtags/Lake/clips", params=params)).json()
            seen += [item["caption"][0] for item in page["items"]]
            cursor = page["next"]
        return seen

    assert await walk("new") == ["2", "1", "0"]
    assert await walk("liked") == ["1", "2", "0"]


async def test_trends_show_their_numbers(
    house: House, ana: Browser, tiny_film: bytes, find: Find
) -> None:
    people = [await house.person(f"walker{number}") for number in range(4)]
    for person in people[:2]:
        await person.clip(house, tiny_film, caption="#usual #new")
    house.clock.advance(timedelta(days=2))
    for person in people:
        await person.clip(house, tiny_film, caption="#usual #rain")
        await person.clip(house, tiny_film, caption="#rain again")
        await person.clip(house, tiny_film, caption="#hidden", audience="friends")
    for _ in range(5):  # One person alone makes no trend.
        await ana.clip(house, tiny_film, caption="#alone")
    await house.parts.queue.run_periodic("search.trends")
    told = (await house.visitor().get("/api/trends")).json()
    assert [one["tag"] for one in told["items"]] == ["rain", "usual"]
    rain, usual = told["items"]
    assert rain == {
        "tag": "rain", "authors": 4, "clips": 8, "authors_before": 0, "usual": 0, "score": 4,
    }  # fmt: skip
    assert usual["authors_before"] == 2
    assert usual["usual"] == round(2 / told["days_before"], 4)
    by_hand = (usual["authors"] - 2 / 7) / math.sqrt(2 / 7 + 1)
    assert usual["score"] == pytest.approx(by_hand, abs=1e-4)


async def test_nothing_is_left_of_who_was_erased(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, find: Find
) -> None:
    from luciole.cell.clips import privacy as clips
    from luciole.cell.search import privacy as search

    await ana.clip(house, tiny_film, caption="xylophone #glockenspiel")
    await ben.clip(house, tiny_film, caption="another xylophone")
    await find(ben, "xylophone")
    ana_id = await house.person_id("ana")
    async with house.db.tx() as tx:
        while (await clips.erase(tx, ana_id)).is_more:
            pass
        assert not (await search.erase(tx, ana_id)).is_more
    assert await house.rows("SELECT tag FROM search.hashtag") == []
    words = {row["word"]: row["clips"] for row in await house.rows("SELECT * FROM search.word")}
    assert words == {"another": 1, "xylophone": 1}
    assert await house.rows("SELECT n FROM search.gone") == []
    assert await house.rows("SELECT id FROM search.person WHERE id = $1", ana_id) == []
    assert len(await house.rows("SELECT id FROM search.clip")) == 1
