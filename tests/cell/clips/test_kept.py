"""Favourites, collections, reposts and shown likes through the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.cell.house import Browser, House, refused

from luciole.cell.clips.kept import service
from luciole.kit.rates import Rate


async def befriend(one: Browser, other: Browser) -> None:
    await one.follow(other)
    await other.follow(one)


async def items(viewer: Browser, path: str, **query: Any) -> list[str]:
    answer = await viewer.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [item["caption"] for item in answer.json()["items"]]


async def collection(owner: Browser, name: str, **fields: Any) -> str:
    answer = await owner.post("/api/me/collections", json={"name": name, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_favourite_counts_once_and_nobody_is_told(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="one")
    place = f"/api/clips/{made['id']}/favourite"
    for _ in range(2):
        assert (await ben.put(place)).json() == {"favourited": True, "favourites": 1}
    assert (await ana.put(place)).json() == {"favourited": True, "favourites": 2}
    seen = (await ben.get(f"/api/clips/{made['id']}")).json()
    assert (seen["favourites"], seen["viewer"]["favourited"]) == (2, True)
    assert await items(ben, "/api/me/favourites") == ["one"]
    assert (await ana.get("/api/notifications")).json()["items"] == []
    for _ in range(2):
        assert (await ben.delete(place)).json() == {"favourited": False, "favourites": 1}
    assert await items(ben, "/api/me/favourites") == []
    refused(await house.visitor().put(place), 401, "not-signed-in")
    refused(await house.visitor().get("/api/me/favourites"), 401, "not-signed-in")


async def test_favourites_page_and_show_only_what_may_be_seen(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(3)]
    for clip in made:
        await ben.put(f"/api/clips/{clip['id']}/favourite")
    first = (await ben.get("/api/me/favourites?limit=2")).json()
    assert [item["caption"] for item in first["items"]] == ["2", "1"]
    assert await items(ben, "/api/me/favourites", limit=2, cursor=first["next"]) == ["0"]
    refused(await ana.get(f"/api/me/favourites?cursor={first['next']}"), 400, "bad-cursor")
    await ana.patch(f"/api/clips/{made[1]['id']}", json={"audience": "only-me"})
    await ana.delete(f"/api/clips/{made[0]['id']}")
    assert await items(ben, "/api/me/favourites") == ["2"]
    # What one does not see any more one can still let go of.
    place = f"/api/clips/{made[1]['id']}/favourite"
    assert (await ben.delete(place)).json() == {"favourited": False, "favourites": 0}
    refused(await ben.put(place), 404, "no-such-clip")


async def test_collections_are_private_until_shown(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="sea")
    one = await collection(ben, "  By  the sea ")
    assert (await ben.put(f"/api/collections/{one}/clips/{made['id']}")).status_code == 204
    mine = (await ben.get(f"/api/me/collections?clip={made['id']}")).json()["items"]
    assert [(each["name"], each["has"], each["is_mine"]) for each in mine] == [
        ("By the sea", True, True)
    ]
    assert mine[0]["covers"] == [made["poster_url"]]
    # Collecting keeps.
    assert (await ben.get(f"/api/clips/{made['id']}")).json()["viewer"]["favourited"] is True
    assert (await ana.get("/api/people/ben/collections")).json()["items"] == []
    refused(await ana.get(f"/api/collections/{one}"), 404, "no-such-collection")
    refused(await ana.get(f"/api/collections/{one}/clips"), 404, "no-such-collection")
    changed = await ben.patch(f"/api/collections/{one}", json={"is_public": True})
    assert (changed.json()["name"], changed.json()["is_public"]) == ("By the sea", True)
    assert (await ana.get(f"/api/collections/{one}")).json()["by"]["handle"] == "ben"
    assert await items(house.visitor(), f"/api/collections/{one}/clips") == ["sea"]
    for method, path in (("PATCH", ""), ("DELETE", ""), ("PUT", f"/clips/{made['id']}")):
        answer = await ana.request(method, f"/api/collections/{one}{path}", json={})
        refused(answer, 404, "no-such-collection")


async def test_collection_of_a_private_account_is_for_followers(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="sea")
    one = await collection(ben, "sea", is_public=True)
    await ben.put(f"/api/collections/{one}/clips/{made['id']}")
    await ben.patch("/api/me", json={"is_private": True})
    refused(await ana.get(f"/api/collections/{one}"), 403, "lists-not-shown")
    refused(await ana.get("/api/people/ben/collections"), 403, "lists-not-shown")
    refused(await ana.get("/api/people/ben/reposts"), 403, "lists-not-shown")


async def test_letting_go_takes_a_clip_out_of_its_collections(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="sea")
    one, two = await collection(ben, "one"), await collection(ben, "two")
    for each in (one, two):
        await ben.put(f"/api/collections/{each}/clips/{made['id']}")
    assert (await ben.delete(f"/api/collections/{one}/clips/{made['id']}")).status_code == 204
    assert await items(ben, f"/api/collections/{one}/clips") == []
    assert await items(ben, "/api/me/favourites") == ["sea"]
    assert (await ben.delete(f"/api/collections/{one}")).status_code == 204
    await ben.delete(f"/api/clips/{made['id']}/favourite")
    assert await items(ben, f"/api/collections/{two}/clips") == []
    refused(await ben.get(f"/api/collections/{one}"), 404, "no-such-collection")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("", 400, "bad-collection-name"),
        (" \u200b ", 400, "bad-collection-name"),
        ("x" * 61, 400, "bad-collection-name"),
        ("taken", 409, "collection-name-taken"),
    ],
)
async def test_bad_collection_name_is_refused(
    ana: Browser, name: str, status: int, code: str
) -> None:
    await collection(ana, "taken")
    other = await collection(ana, "other")
    refused(await ana.post("/api/me/collections", json={"name": name}), status, code)
    refused(await ana.patch(f"/api/collections/{other}", json={"name": name}), status, code)


async def test_too_many_collections_are_refused(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.cell.clips.kept.service.MAX_COLLECTIONS", 2)
    await collection(ana, "one")
    await collection(ana, "two")
    answer = await ana.post("/api/me/collections", json={"name": "three"})
    refused(answer, 429, "too-many-collections")


async def test_repost_reaches_followers_with_who_passed_it_on(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    carl = await house.person("carl")
    await carl.follow(ben)
    made = await ana.clip(house, tiny_film, caption="look")
    await ben.clip(house, tiny_film, caption="mine")
    house.clock.advance(timedelta(minutes=1))
    place = f"/api/clips/{made['id']}/repost"
    for _ in range(2):
        assert (await ben.put(place)).json() == {"reposted": True, "reposts": 1}
    feed = (await carl.get("/api/feeds/following")).json()["items"]
    assert [
        (item["caption"], item["reposted_by"] and item["reposted_by"]["handle"]) for item in feed
    ] == [("look", "ben"), ("mine", None)]
    told = (await ana.get("/api/notifications")).json()["items"]
    assert [(one["kind"], one["by"]["handle"]) for one in told] == [("repost", "ben")]
    assert await items(house.visitor(), "/api/people/ben/reposts") == ["look"]
    # Whoever follows the author gets the clip from there, once.
    await carl.follow(ana)
    feed = (await carl.get("/api/feeds/following")).json()["items"]
    assert [(item["caption"], item["reposted_by"]) for item in feed] == [
        ("mine", None),
        ("look", None),
    ]
    for _ in range(2):
        assert (await ben.delete(place)).json() == {"reposted": False, "reposts": 0}
    told = (await ana.get("/api/notifications")).json()["items"]
    assert [one["kind"] for one in told] == ["follow"]
    assert await items(carl, "/api/people/ben/reposts") == []


async def test_clip_that_several_passed_on_comes_once_from_the_last(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    carl, dora = await house.person("carl"), await house.person("dora")
    for each in (ben, carl):
        await dora.follow(each)
    made = [await ana.clip(house, tiny_film, caption=str(n)) for n in range(3)]
    for clip in made:
        house.clock.advance(timedelta(minutes=1))
        await ben.put(f"/api/clips/{clip['id']}/repost")
    house.clock.advance(timedelta(minutes=1))
    await carl.put(f"/api/clips/{made[0]['id']}/repost")
    seen, cursor = [], None
    for _ in range(10):
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await dora.get("/api/feeds/following", params=query)).json()
        seen += [(item["caption"], item["reposted_by"]["handle"]) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [("0", "carl"), ("2", "ben"), ("1", "ben")]


async def test_only_what_everybody_may_see_is_passed_on(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    carl = await house.person("carl")
    await befriend(ana, ben)
    await carl.follow(ben)
    friends = await ana.clip(house, tiny_film, audience="friends")
    own = await ben.clip(house, tiny_film, caption="own")
    refused(await ben.put(f"/api/clips/{friends['id']}/repost"), 403, "cannot-repost")
    refused(await ben.put(f"/api/clips/{own['id']}/repost"), 403, "cannot-repost")
    refused(await carl.put(f"/api/clips/{friends['id']}/repost"), 404, "no-such-clip")
    # What is narrowed afterwards is in no follower's feed from then on.
    wide = await ana.clip(house, tiny_film, caption="wide")
    house.clock.advance(timedelta(minutes=1))
    await ben.put(f"/api/clips/{wide['id']}/repost")
    assert await items(carl, "/api/feeds/following") == ["wide", "own"]
    await ana.patch(f"/api/clips/{wide['id']}", json={"audience": "friends"})
    assert await items(carl, "/api/feeds/following") == ["own"]
    assert await items(ben, "/api/people/ben/reposts") == []
    await ana.patch("/api/me", json={"is_private": True})
    refused(await ben.put(f"/api/clips/{wide['id']}/repost"), 403, "cannot-repost")


async def test_likes_are_shown_by_choice_only(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, caption="sea")
    await ben.put(f"/api/clips/{made['id']}/like")
    assert await items(ben, "/api/people/ben/likes") == ["sea"]
    refused(await ana.get("/api/people/ben/likes"), 403, "likes-not-shown")
    assert (await ana.get("/api/people/ben")).json()["shows_likes"] is False
    assert (await ben.get("/api/me/shown-likes")).json() == {"shows_likes": False}
    answer = await ben.put("/api/me/shown-likes", json={"shows_likes": True})
    assert answer.json() == {"shows_likes": True}
    assert (await ana.get("/api/people/ben")).json()["shows_likes"] is True
    assert await items(house.visitor(), "/api/people/ben/likes") == ["sea"]
    await ben.put("/api/me/shown-likes", json={"shows_likes": False})
    refused(await ana.get("/api/people/ben/likes"), 403, "likes-not-shown")


async def test_liked_clips_of_friends_are_shown_to_friends_of_both(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    carl, dora = await house.person("carl"), await house.person("dora")
    await befriend(ana, ben)
    await befriend(ana, carl)
    await befriend(ben, carl)
    await befriend(ana, dora)
    made = await ana.clip(house, tiny_film, caption="ours", audience="friends")
    await ben.put(f"/api/clips/{made['id']}/like")
    await ben.put("/api/me/shown-likes", json={"shows_likes": True})
    assert await items(carl, "/api/people/ben/likes") == ["ours"]
    assert await items(dora, "/api/people/ben/likes") == []
    assert await items(house.visitor(), "/api/people/ben/likes") == []


async def test_what_is_kept_goes_with_the_clip(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    one = await collection(ben, "one")
    await ben.put(f"/api/collections/{one}/clips/{made['id']}")
    await ben.put(f"/api/clips/{made['id']}/repost")
    await ana.delete(f"/api/clips/{made['id']}")
    for table in ("favourite", "collected", "repost"):
        assert await house.rows(f"SELECT clip_id FROM clips.{table}") == []
    refused(await ben.delete(f"/api/clips/{made['id']}/repost"), 404, "no-such-clip")


async def test_too_many_favourites_and_reposts_wait(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "KEEPING", Rate("keep", 2, 60))
    monkeypatch.setattr(service, "REPOSTING", Rate("repost", 2, 3600))
    made = await ana.clip(house, tiny_film)
    for act, code in (("favourite", "keeps-too-often"), ("repost", "reposts-too-often")):
        place = f"/api/clips/{made['id']}/{act}"
        for _ in range(2):
            assert (await ben.put(place)).status_code == 200
        answer = await ben.put(place)
        refused(answer, 429, code)
        assert int(answer.headers["retry-after"]) >= 1
        assert (await ben.delete(place)).status_code == 200
