"""Following through the API."""

from __future__ import annotations

import asyncio

import pytest
from tests.cell.house import Browser, House, refused

from luciole.cell.graph import service


async def handles(browser: Browser, path: str) -> list[str]:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return [item["handle"] for item in answer.json()["items"]]


async def counts(browser: Browser, handle: str) -> tuple[int, int]:
    profile = (await browser.get(f"/api/people/{handle}")).json()
    return profile["followers"], profile["following"]


async def test_following_is_counted_once(ana: Browser, ben: Browser) -> None:
    for _ in range(2):
        assert await ben.follow(ana) == "yes"
    assert await counts(ben, "ana") == (1, 0)
    assert await counts(ben, "ben") == (0, 1)
    for _ in range(2):
        assert (await ben.delete("/api/people/ana/follow")).json() == {"follows": "no"}
    assert await counts(ben, "ana") == (0, 0)


async def test_many_at_once_are_counted_right(house: House, ana: Browser) -> None:
    others = [await house.person(f"fan{n}") for n in range(6)]
    await asyncio.gather(*(other.follow(ana) for other in others for _ in range(2)))
    assert await counts(ana, "ana") == (6, 0)


async def test_friends_follow_each_other(ana: Browser, ben: Browser) -> None:
    await ana.follow(ben)
    assert not (await ana.get("/api/people/ben")).json()["viewer"]["is_friend"]
    await ben.follow(ana)
    viewer = (await ana.get("/api/people/ben")).json()["viewer"]
    assert viewer == {
        "follows": "yes",
        "follows_you": True,
        "is_friend": True,
        "is_me": False,
        "has_blocked": False,
        "mutes": False,
        "restricts": False,
    }


async def test_list_of_friends_is_the_persons_own(house: House, ana: Browser, ben: Browser) -> None:
    carl = await house.person("carl")
    await ana.follow(ben)
    await ana.follow(carl)
    await ben.follow(ana)
    assert await handles(ana, "/api/me/friends") == ["ben"]
    assert await handles(ben, "/api/me/friends") == ["ana"]
    assert await handles(carl, "/api/me/friends") == []
    refused(await house.visitor().get("/api/me/friends"), 401, "not-signed-in")


async def test_nobody_follows_themselves(ana: Browser) -> None:
    refused(await ana.put("/api/people/ana/follow"), 400, "cannot-follow-yourself")


async def test_lists_need_a_person(house: House, ana: Browser) -> None:
    refused(await ana.put("/api/people/nobody-here/follow"), 404, "no-such-person")
    refused(await house.visitor().put("/api/people/ana/follow"), 401, "not-signed-in")


async def test_private_account_is_asked(house: House, ana: Browser, ben: Browser) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    assert await ben.follow(ana) == "pending"
    assert await counts(ben, "ana") == (0, 0)
    assert await handles(ana, "/api/me/follow-requests") == ["ben"]
    for path in ("/api/people/ana/followers", "/api/people/ana/following"):
        refused(await ben.get(path), 403, "list-not-shown")
        refused(await house.visitor().get(path), 403, "list-not-shown")
    assert (await ana.put("/api/me/follow-requests/ben")).status_code == 204
    assert await handles(ana, "/api/me/follow-requests") == []
    assert await counts(ben, "ana") == (1, 0)
    assert await handles(ben, "/api/people/ana/followers") == ["ben"]
    refused(await ana.put("/api/me/follow-requests/ben"), 404, "no-such-request")


async def test_requests_count_towards_the_limit_also_at_once(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_FOLLOWING", 2)
    others = [await house.person(f"shy{n}", age_band="16-17") for n in range(4)]
    paths = [f"/api/people/{other.handle}/follow" for other in others]
    answers = await asyncio.gather(*(ana.put(path) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429]
    full = [path for path, answer in zip(paths, answers, strict=True) if answer.is_error]
    asked = next(path for path, answer in zip(paths, answers, strict=True) if answer.is_success)
    refused(await ana.put(full[0]), 429, "follows-too-many")
    await ana.delete(asked)
    assert (await ana.put(full[0])).json() == {"follows": "pending"}


async def test_declined_request_can_be_made_again(ana: Browser, ben: Browser) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    await ben.follow(ana)
    assert (await ana.delete("/api/me/follow-requests/ben")).status_code == 204
    assert (await ben.get("/api/people/ana")).json()["viewer"]["follows"] == "no"
    assert await ben.follow(ana) == "pending"


async def test_opening_an_account_lets_in_who_waited(
    house: House, ana: Browser, ben: Browser
) -> None:
    await ana.patch("/api/me", json={"is_private": True})
    await ben.follow(ana)
    await ana.patch("/api/me", json={"is_private": False})
    await house.work()
    assert (await ben.get("/api/people/ana")).json()["viewer"]["follows"] == "yes"
    assert await counts(ben, "ana") == (1, 0)


async def test_follower_is_removed(ana: Browser, ben: Browser) -> None:
    await ben.follow(ana)
    assert (await ana.delete("/api/me/followers/ben")).status_code == 204
    assert (await ben.get("/api/people/ana")).json()["viewer"]["follows"] == "no"
    assert await counts(ana, "ana") == (0, 0)


@pytest.mark.parametrize("which", ["followers", "following"])
async def test_lists_are_paged_newest_first(house: House, ana: Browser, which: str) -> None:
    others = [await house.person(f"p{n}x") for n in range(5)]
    for other in others:
        await (other.follow(ana) if which == "followers" else ana.follow(other))
    seen, cursor = [], ""
    while cursor is not None:
        page = (await ana.get(f"/api/people/ana/{which}?limit=2&cursor={cursor}")).json()
        seen += [item["handle"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ["p4x", "p3x", "p2x", "p1x", "p0x"]


async def test_cursor_of_one_list_is_no_good_in_another(house: House, ana: Browser) -> None:
    for number in range(3):
        await (await house.person(f"q{number}x")).follow(ana)
    cursor = (await ana.get("/api/people/ana/followers?limit=2")).json()["next"]
    refused(await ana.get(f"/api/people/ana/following?cursor={cursor}"), 400, "bad-cursor")
    refused(await ana.get(f"/api/people/q0x/followers?cursor={cursor}"), 400, "bad-cursor")
