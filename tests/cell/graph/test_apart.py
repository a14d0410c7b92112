"""People who are kept away: blocked, muted, restricted."""

from __future__ import annotations

import asyncio

import pytest
from tests.cell.graph.test_follows import counts, handles
from tests.cell.house import Browser, House, refused

from luciole.cell.graph import service


async def away(who: Browser, whom: Browser, distance: str = "block") -> None:
    answer = await who.put(f"/api/people/{whom.handle}/away/{distance}")
    assert answer.status_code == 204, answer.text


async def near(who: Browser, whom: Browser, distance: str = "block") -> None:
    answer = await who.delete(f"/api/people/{whom.handle}/away/{distance}")
    assert answer.status_code == 204, answer.text


async def told(who: Browser) -> list[str]:
    """The kinds of the lines in a person's list."""
    return [one["kind"] for one in (await who.get("/api/notifications")).json()["items"]]


async def test_block_ends_follows_both_ways(house: House, ana: Browser, ben: Browser) -> None:
    await ana.follow(ben)
    await ben.follow(ana)
    for _ in range(2):
        await away(ana, ben)
    for handle in ("ana", "ben"):
        assert await counts(house.visitor(), handle) == (0, 0)
    await near(ana, ben)
    viewer = (await ben.get("/api/people/ana")).json()["viewer"]
    assert (viewer["follows"], viewer["follows_you"]) == ("no", False)


async def test_blocked_person_finds_nobody_there(ana: Browser, ben: Browser) -> None:
    await away(ana, ben)
    for method, path in (
        ("GET", "/api/people/ana"),
        ("GET", "/api/people/ana/clips"),
        ("GET", "/api/people/ana/followers"),
        ("GET", "/api/people/ana/following"),
        ("PUT", "/api/people/ana/follow"),
        ("PUT", "/api/people/ana/away/block"),
        ("PUT", "/api/people/ana/away/mute"),
    ):
        nobody = await ben.request(method, path.replace("ana", "nobody-here"))
        answer = await ben.request(method, path)
        refused(answer, 404, "no-such-person")
        assert answer.json() == nobody.json()
    await near(ana, ben)
    assert (await ben.get("/api/people/ana")).status_code == 200


async def test_who_blocks_sees_whom_and_can_end_it(ana: Browser, ben: Browser) -> None:
    await ben.patch("/api/me", json={"bio": "Hello"})
    await away(ana, ben)
    profile = (await ana.get("/api/people/ben")).json()
    assert profile["viewer"]["has_blocked"]
    assert not profile["can_see_clips"]
    assert (profile["bio"], profile["followers"]) == ("", 0)
    refused(await ana.get("/api/people/ben/clips"), 404, "no-such-person")
    assert await handles(ana, "/api/me/away/block") == ["ben"]
    await near(ana, ben)
    assert await handles(ana, "/api/me/away/block") == []
    assert not (await ana.get("/api/people/ben")).json()["viewer"]["has_blocked"]


async def test_two_who_block_each_other_each_end_their_own(ana: Browser, ben: Browser) -> None:
    await away(ana, ben)
    await near(ana, ben)
    await asyncio.gather(
        ana.put("/api/people/ben/away/block"), ben.put("/api/people/ana/away/block")
    )
    for one, other in ((ana, ben), (ben, ana)):
        blocked = await handles(one, "/api/me/away/block")
        assert blocked in ([other.handle], [])
        if blocked:
            await near(one, other)
    assert (await ana.get("/api/people/ben")).status_code == 200


async def test_lists_of_others_leave_out_who_is_apart(
    house: House, ana: Browser, ben: Browser
) -> None:
    carl = await house.person("carl")
    await ben.follow(carl)
    await carl.follow(ben)
    await away(ana, ben)
    for viewer, other in ((ana, ben), (ben, ana)):
        assert other.handle not in await handles(viewer, "/api/people/carl/followers")
        assert other.handle not in await handles(viewer, "/api/people/carl/following")
    assert await handles(house.visitor(), "/api/people/carl/followers") == ["ben"]
    assert await handles(carl, "/api/people/carl/followers") == ["ben"]


async def test_request_that_waits_ends_with_the_block(ana: Browser, ben: Browser) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    await ben.follow(ana)
    await away(ana, ben)
    assert await handles(ana, "/api/me/follow-requests") == []
    refused(await ana.put("/api/me/follow-requests/ben"), 404, "no-such-request")


async def test_follow_and_block_at_once_leave_no_follow(
    house: House, ana: Browser, ben: Browser
) -> None:
    for _ in range(5):
        await asyncio.gather(
            ben.put("/api/people/ana/follow"), ana.put("/api/people/ben/away/block")
        )
        assert await counts(house.visitor(), "ana") == (0, 0)
        await near(ana, ben)


@pytest.mark.parametrize("distance", ["block", "mute", "restriction"])
async def test_nothing_of_theirs_is_told_from_then_on(
    ana: Browser, ben: Browser, distance: str
) -> None:
    await ben.follow(ana)
    assert await told(ana) == ["follow"]
    await away(ana, ben, distance)
    assert await told(ana) == []
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": False}
    if distance != "block":
        await ben.delete("/api/people/ana/follow")
        await ben.follow(ana)
        assert await told(ana) == []
        # They are not told, and see everything as before.
        assert (await ben.get("/api/people/ana")).json()["viewer"]["follows"] == "yes"
    await near(ana, ben, distance)
    assert await told(ana) == []


async def test_lines_from_before_come_back_after_a_mute_and_not_after_a_block(
    ana: Browser, ben: Browser
) -> None:
    await ben.follow(ana)
    for distance in ("mute", "restriction"):
        await away(ana, ben, distance)
    await near(ana, ben, "mute")
    assert await told(ana) == []
    await near(ana, ben, "restriction")
    assert await told(ana) == ["follow"]
    await away(ana, ben)
    await near(ana, ben)
    assert await told(ana) == []


@pytest.mark.parametrize("distance", ["block", "mute", "restriction"])
async def test_nobody_keeps_away_themselves_nor_thousands(
    house: House, ana: Browser, ben: Browser, distance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    carl = await house.person("carl")
    refused(await ana.put(f"/api/people/ana/away/{distance}"), 400, "not-yourself")
    refused(await ana.put(f"/api/people/nobody-here/away/{distance}"), 404, "no-such-person")
    refused(await house.visitor().put(f"/api/people/ana/away/{distance}"), 401, "not-signed-in")
    monkeypatch.setattr(service, "MAX_APART", 1)
    await away(ana, ben, distance)
    refused(await ana.put(f"/api/people/{carl.handle}/away/{distance}"), 429, "apart-too-many")


async def test_lists_of_the_kept_away_are_paged_newest_first(house: House, ana: Browser) -> None:
    for number in range(3):
        await away(ana, await house.person(f"p{number}x"), "mute")
    page = (await ana.get("/api/me/away/mute?limit=2")).json()
    assert [one["handle"] for one in page["items"]] == ["p2x", "p1x"]
    rest = (await ana.get(f"/api/me/away/mute?limit=2&cursor={page['next']}")).json()
    assert [one["handle"] for one in rest["items"]] == ["p0x"]
    refused(await ana.get(f"/api/me/away/block?cursor={page['next']}"), 400, "bad-cursor")
    assert (await ana.get("/api/me/away/hug")).status_code in (400, 404)
