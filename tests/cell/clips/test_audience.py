"""For whom a clip is: lists, circles, how far back others see, and who is kept away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.cell.clips.test_clips import grid
from tests.cell.feed.test_feeds import walk
from tests.cell.graph.test_apart import away, near
from tests.cell.house import Browser, House, refused

from luciole.cell.clips import audience, audience_model
from luciole.cell.clips.privacy import EXPORT

FEEDS = ("latest", "following", "friends")


async def befriend(one: Browser, other: Browser) -> None:
    await one.follow(other)
    await other.follow(one)


async def places(viewer: Browser, clip: dict[str, Any]) -> set[str]:
    """Where a viewer finds a clip of Ana."""
    found = set()
    if (await viewer.get(f"/api/clips/{clip['id']}")).status_code == 200:
        found.add("link")
    if (await viewer.put(f"/api/clips/{clip['id']}/like")).status_code == 200:
        found.add("like")
        await viewer.delete(f"/api/clips/{clip['id']}/like")
    answer = await viewer.get("/api/people/ana/clips")
    if answer.is_success and clip["id"] in [one["id"] for one in answer.json()["items"]]:
        found.add("grid")
    for feed in (*FEEDS, "for-you"):
        answer = await viewer.get(f"/api/feeds/{feed}")
        if answer.is_success and clip["id"] in [one["id"] for one in answer.json()["items"]]:
            found.add(feed)
    return found


EVERYWHERE = {"link", "like", "grid", "latest", "following", "friends", "for-you"}
VISITORS = {"link", "grid", "latest", "for-you"}


@pytest_asyncio.fixture(loop_scope="session")
async def carl(house: House, ana: Browser, ben: Browser) -> Browser:
    """Ben and Carl are Ana's friends."""
    made = await house.person("carl")
    for friend in (ben, made):
        await befriend(ana, friend)
    return made


async def test_block_holds_in_the_next_answer_everywhere(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    for viewer in (ben, carl):
        assert await places(viewer, made) == EVERYWHERE
    first = (await ben.get("/api/feeds/for-you")).json()
    assert [one["id"] for one in first["items"]] == [made["id"]]
    await away(ana, ben)
    assert await places(ben, made) == set()
    assert await places(carl, made) == EVERYWHERE
    await near(ana, ben)
    assert await places(ben, made) == EVERYWHERE - {"following", "friends"}
    await away(ben, ana)
    assert await places(ben, made) == set()


async def test_muted_author_is_left_out_of_feeds_only(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await away(ben, ana, "mute")
    assert await places(ben, made) == {"link", "like", "grid"}
    assert await places(carl, made) == EVERYWHERE
    await near(ben, ana, "mute")
    assert await places(ben, made) == EVERYWHERE


async def test_restricted_person_sees_as_before(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await away(ana, ben, "restriction")
    assert await places(ben, made) == EVERYWHERE


async def test_page_of_latest_is_filled_past_those_who_are_left_out(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    for number in range(5):
        await ana.clip(house, tiny_film, caption=f"ana-{number}")
        await ben.clip(house, tiny_film, caption=f"ben-{number}")
        house.clock.advance(timedelta(seconds=1))
    carl = await house.person("carl")
    await away(carl, ana, "mute")
    for limit in (1, 2, 5, 20):
        seen = await walk(carl, "/api/feeds/latest", limit)
        assert seen == [f"ben-{number}" for number in (4, 3, 2, 1, 0)]
    assert len(await walk(house.visitor(), "/api/feeds/latest")) == 10


async def test_shared_with_some_friends_is_seen_by_them_alone(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(
        house,
        tiny_film,
        audience="friends",
        audience_list={"kind": "share-with", "handles": ["ben"]},
    )
    assert made["audience_list"] == "share-with"
    assert await places(ben, made) == {"link", "like", "grid", "following", "friends"}
    assert (await ben.get(f"/api/clips/{made['id']}")).json()["audience_list"] is None
    assert await places(carl, made) == set()
    assert await places(house.visitor(), made) == set()
    found = (await ana.get(f"/api/clips/{made['id']}/audience")).json()
    assert found["kind"] == "share-with"
    assert [one["handle"] for one in found["people"]] == ["ben"]
    refused(await ben.get(f"/api/clips/{made['id']}/audience"), 404, "no-such-clip")
    # Who is no friend any more does not see it, list or not.
    await ben.delete("/api/people/ana/follow")
    assert await places(ben, made) == set()


@pytest.mark.parametrize("wide", ["everyone", "friends"])
async def test_hidden_from_some_is_seen_by_the_others(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes, wide: str
) -> None:
    made = await ana.clip(
        house,
        tiny_film,
        audience=wide,
        audience_list={"kind": "hide-from", "handles": ["@Ben"]},
    )
    everywhere = (
        EVERYWHERE
        if wide == "everyone"
        else {
            "link",
            "like",
            "grid",
            "following",
            "friends",
        }
    )
    assert await places(ben, made) == set()
    assert await places(carl, made) == everywhere
    # A visitor may be anybody, Ben too.
    assert await places(house.visitor(), made) == set()


async def test_files_follow_the_list(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    public = made["renditions"][0]["url"]
    assert (await house.visitor().get(public)).status_code == 200

    async def change(**fields: Any) -> None:
        answer = await ana.patch(f"/api/clips/{made['id']}", json=fields)
        assert answer.status_code == 200, answer.text
        await house.work()

    await change(audience_list={"kind": "hide-from", "handles": ["ben"]})
    assert (await house.visitor().get(public)).status_code == 404
    signed = (await carl.get(f"/api/clips/{made['id']}")).json()["renditions"][0]["url"]
    assert (await carl.get(signed)).status_code == 200
    assert (await ben.get(signed)).status_code == 404
    # Another on the list: the address that Carl had is dead at once.
    await change(audience_list={"kind": "hide-from", "handles": ["ben", "carl"]})
    assert (await carl.get(signed)).status_code == 404
    await change(audience_list=None)
    again = (await ben.get(f"/api/clips/{made['id']}")).json()["renditions"][0]["url"]
    assert (await house.visitor().get(again)).status_code == 200


async def test_list_stays_where_it_goes_with_the_new_audience(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film, audience_list={"kind": "hide-from", "handles": ["ben"]})

    async def after(**fields: Any) -> object:
        answer = await ana.patch(f"/api/clips/{made['id']}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["audience_list"]

    async def count() -> object:
        return (await carl.get("/api/people/ana")).json()["clips"]

    # A number that counts it would tell whoever it is hidden from.
    assert await count() == 0
    assert await after(caption="Hello") == "hide-from"
    assert await after(audience_list=None) is None
    assert await count() == 1
    again = {"kind": "hide-from", "handles": ["ben"]}
    assert await after(audience_list=again) == "hide-from"
    assert await count() == 0
    assert await after(audience="friends") == "hide-from"
    assert await after(audience="only-me") is None
    assert (
        await after(audience="friends", audience_list={"kind": "share-with", "handles": ["ben"]})
        == "share-with"
    )
    assert await after(audience="everyone") is None
    assert await count() == 1
    await ana.delete(f"/api/clips/{made['id']}")
    assert await count() == 0


@pytest.mark.parametrize(
    ("wide", "kind", "handles", "status", "code"),
    [
        ("everyone", "share-with", ["ben"], 400, "list-does-not-fit"),
        ("only-me", "hide-from", ["ben"], 400, "list-does-not-fit"),
        ("friends", "share-with", [], 400, "list-empty"),
        ("friends", "share-with", ["ana"], 400, "list-empty"),
        ("friends", "share-with", ["nobody-here"], 404, "no-such-person"),
        ("friends", "share-with", ["ben", "carl"], 400, "list-too-long"),
    ],
)
async def test_list_that_says_nothing_good_is_refused(
    house: House,
    ana: Browser,
    ben: Browser,
    carl: Browser,
    tiny_film: bytes,
    monkeypatch: pytest.MonkeyPatch,
    wide: str,
    kind: str,
    handles: list[str],
    status: int,
    code: str,
) -> None:
    monkeypatch.setattr(audience_model, "MAX_LISTED", 1)
    body = await ana.draft(
        tiny_film, audience=wide, audience_list={"kind": kind, "handles": handles}
    )
    refused(await ana.post("/api/clips", json=body), status, code)
    made = await ana.clip(house, tiny_film, audience="only-me")
    change = {"audience": wide, "audience_list": body["audience_list"]}
    refused(await ana.patch(f"/api/clips/{made['id']}", json=change), status, code)


@pytest.mark.parametrize("days", [3, 30, 183])
async def test_only_the_last_days_are_shown_to_others(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes, days: int
) -> None:
    made = await ana.clip(house, tiny_film)
    fresh = await ana.clip(house, tiny_film)
    for clip, age in ((made, days + 0.1), (fresh, days - 0.1)):
        await house.rows(
            "UPDATE clips.clip SET published_at = now() - $2::float8 * interval '1 day'"
            " WHERE id = $1",
            clip["id"],
            age,
        )
    public = made["renditions"][0]["url"]
    assert (await ana.get("/api/me/past-clips")).json() == {"days": None}
    assert await places(ben, made) == EVERYWHERE
    assert (await ana.put("/api/me/past-clips", json={"days": days})).json() == {"days": days}
    assert await places(ben, made) == set()
    assert await places(house.visitor(), made) == set()
    assert await places(ben, fresh) == EVERYWHERE
    assert sorted(await grid(ana, "ana")) == ["", ""]
    await house.work()
    assert (await house.visitor().get(public)).status_code == 404
    assert (await house.visitor().get(fresh["renditions"][0]["url"])).status_code == 200
    await ana.put("/api/me/past-clips", json={"days": None})
    await house.work()
    assert await places(ben, made) == EVERYWHERE
    again = (await ben.get(f"/api/clips/{made['id']}")).json()["renditions"][0]["url"]
    assert (await house.visitor().get(again)).status_code == 200


async def test_files_of_what_has_become_too_old_get_other_names(
    house: House, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    await ana.put("/api/me/past-clips", json={"days": 3})
    await house.work()
    await house.rows(
        "UPDATE clips.clip SET published_at = now() - interval '4 days' WHERE id = $1", made["id"]
    )
    url = made["renditions"][0]["url"]
    assert (await house.visitor().get(url)).status_code == 200
    async with house.db.tx() as tx:
        assert await house.parts.clips.audiences.place_fallen_out(tx) == 1
    await house.work()
    assert (await house.visitor().get(url)).status_code == 404
    # Opening the account does not undo that.
    for is_private in (True, False):
        await ana.patch("/api/me", json={"is_private": is_private})
        await house.work()
    assert await places(ben, made) == set()
    own = (await ana.get(f"/api/clips/{made['id']}")).json()["renditions"][0]["url"]
    assert "sig=" in own


async def test_other_windows_are_refused(ana: Browser) -> None:
    answer = await ana.put("/api/me/past-clips", json={"days": 7})
    assert answer.status_code == 400
    assert answer.json()["next_step"].endswith(".")


async def test_likes_of_a_friends_clip_are_counted_among_friends_of_both(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    dora = await house.person("dora")
    await befriend(ana, dora)
    await befriend(ben, carl)
    made = await ana.clip(house, tiny_film, audience="friends")
    path = f"/api/clips/{made['id']}"
    # Ben and Carl are friends; Dora knows neither.
    assert (await ben.put(f"{path}/like")).json() == {"liked": True, "likes": 1}
    assert (await carl.put(f"{path}/like")).json() == {"liked": True, "likes": 2}
    assert (await dora.put(f"{path}/like")).json() == {"liked": True, "likes": 1}
    for viewer, likes in ((ana, 3), (ben, 2), (carl, 2), (dora, 1)):
        assert (await viewer.get(path)).json()["likes"] == likes
        grid = (await viewer.get("/api/people/ana/clips")).json()["items"]
        assert [one["likes"] for one in grid] == [likes]
    assert (await ben.get("/api/feeds/friends")).json()["items"][0]["likes"] == 2
    # Of what everybody may see, the number is public.
    opened = await ana.patch(path, json={"audience": "everyone"})
    assert opened.status_code == 200
    assert (await dora.get(path)).json()["likes"] == 3


async def test_circles_are_kept_for_their_owner_alone(
    ana: Browser, ben: Browser, carl: Browser
) -> None:
    wish = {"name": "  Old \n friends ", "handles": ["ben", "carl", "ana", "ben"]}
    made = (await ana.post("/api/me/circles", json=wish)).json()
    assert made["name"] == "Old friends"
    assert [one["handle"] for one in made["people"]] == ["ben", "carl"]
    assert (await ana.get("/api/me/circles")).json() == {"items": [made]}
    assert (await ben.get("/api/me/circles")).json() == {"items": []}
    path = f"/api/me/circles/{made['id']}"
    other = {"name": "One", "handles": ["carl"]}
    refused(await ben.put(path, json=other), 404, "no-such-circle")
    refused(await ben.delete(path), 404, "no-such-circle")
    changed = (await ana.put(path, json=other)).json()
    assert (changed["name"], [one["handle"] for one in changed["people"]]) == ("One", ["carl"])
    assert (await ana.delete(path)).status_code == 204
    assert (await ana.get("/api/me/circles")).json() == {"items": []}


async def test_circles_have_names_and_limits(
    ana: Browser, carl: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", " ", "x" * 51, "a\u202eb"):
        body = {"name": name, "handles": []}
        refused(await ana.post("/api/me/circles", json=body), 400, "bad-circle-name")
    monkeypatch.setattr(audience, "MAX_CIRCLES", 1)
    monkeypatch.setattr(audience, "MAX_LISTED", 1)
    body = {"name": "Two", "handles": ["ben", "carl"]}
    refused(await ana.post("/api/me/circles", json=body), 400, "list-too-long")
    assert (await ana.post("/api/me/circles", json={"name": "A", "handles": []})).status_code == 201
    body = {"name": "B", "handles": []}
    refused(await ana.post("/api/me/circles", json=body), 429, "circles-too-many")


async def test_export_holds_own_lists_and_not_those_of_others(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    await ana.clip(house, tiny_film, audience_list={"kind": "hide-from", "handles": ["ben"]})
    await ana.post("/api/me/circles", json={"name": "Two", "handles": ["ben", "carl"]})
    rows = {}
    for handle in ("ana", "ben"):
        person_id = await house.person_id(handle)
        async with house.db.tx() as tx:
            for each in EXPORT:
                if each.name in ("audience", "circles"):
                    rows[handle, each.name] = [row async for row in each.rows(tx, person_id)]
    assert [row["handle"] for row in rows["ana", "audience"]] == ["ben"]
    assert [row["handle"] for row in rows["ana", "circles"]] == ["ben", "carl"]
    assert rows["ben", "audience"] == rows["ben", "circles"] == []


async def test_who_a_clip_is_hidden_from_is_not_told_of_being_in_it(
    house: House, ana: Browser, ben: Browser, carl: Browser, tiny_film: bytes
) -> None:
    made = await ana.clip(house, tiny_film)
    change = {
        "caption": "With @ben and @carl",
        "audience_list": {"kind": "hide-from", "handles": ["ben"]},
    }
    answer = await ana.patch(f"/api/clips/{made['id']}", json=change)
    assert answer.status_code == 200, answer.text
    for viewer, is_told in ((ben, False), (carl, True)):
        assert ("mention" in (await viewer.get("/api/notifications")).text) is is_told
