"""The list: lines that gather, kinds that are off, the digest, quiet nights."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.cell.house import Browser, House, refused

from luciole.cell.notify.model import is_night, morning
from luciole.kit.ids import new_id

CLIP = UUID("01900000-0000-7000-8000-000000000001")


async def tell(house: House, kind: Any, to: str, by: str, **about: Any) -> bool:
    to_id, by_id = await house.person_id(to), await house.person_id(by)
    async with house.db.tx() as tx:
        return await house.parts.notify.tell(tx, kind, to=to_id, by=by_id, **about)


async def crowd(house: House, count: int) -> list[str]:
    names = [f"fan{number}" for number in range(count)]
    for name in names:
        await house.person(name)
    return names


async def lines(browser: Browser, query: str = "") -> list[dict[str, Any]]:
    return list((await browser.get(f"/api/notifications{query}")).json()["items"])


async def heard(house: House, handle: str) -> list[str]:
    """Kinds of the notifications that were shown on the person's open pages."""
    rows = await house.rows(
        "SELECT body->>'kind' AS kind FROM notify.event "
        "WHERE person_id = $1 AND kind = 'notification' ORDER BY id",
        await house.person_id(handle),
    )
    return [row["kind"] for row in rows]


async def test_likes_of_a_clip_make_one_line(house: House, ana: Browser) -> None:
    names = await crowd(house, 5)
    for name in names:
        assert await tell(house, "like", "ana", name, clip_id=CLIP)
    assert not await tell(house, "like", "ana", names[0], clip_id=CLIP)
    await tell(house, "like", "ana", names[0], clip_id=new_id())
    one, other = await lines(ana)
    assert (one["people"], one["by"]["handle"], one["others"]) == (1, "fan0", [])
    assert other["people"] == 5
    assert [other["by"]["handle"], *(each["handle"] for each in other["others"])] == [
        "fan4",
        "fan3",
        "fan2",
    ]
    assert await heard(house, "ana") == ["like"] * 6


async def test_what_is_news_for_itself_has_a_line_of_its_own(house: House, ana: Browser) -> None:
    names = await crowd(house, 2)
    for name in names:
        await tell(house, "mention", "ana", name, clip_id=CLIP)
    assert [line["people"] for line in await lines(ana)] == [1, 1]


async def test_comments_of_one_person_count_once_and_each_is_told(
    house: House, ana: Browser, ben: Browser
) -> None:
    first, second = new_id(), new_id()
    for about in (first, second, second):
        await tell(house, "comment", "ana", "ben", clip_id=CLIP, about_id=about)
    (line,) = await lines(ana)
    assert (line["people"], line["about_id"]) == (1, None)
    assert await heard(house, "ana") == ["comment", "comment"]
    async with house.db.tx() as tx:
        await house.parts.notify.forget_about(tx, await house.person_id("ana"), first)
    assert len(await lines(ana)) == 1
    async with house.db.tx() as tx:
        await house.parts.notify.forget_about(tx, await house.person_id("ana"), second)
    assert await lines(ana) == []


async def test_likes_of_two_comments_are_two_lines(
    house: House, ana: Browser, ben: Browser
) -> None:
    abouts = [new_id(), new_id()]
    for about in abouts:
        await tell(house, "comment-like", "ana", "ben", clip_id=CLIP, about_id=about)
    assert [line["about_id"] for line in await lines(ana)] == [str(one) for one in abouts[::-1]]


async def test_line_that_was_read_is_new_again_when_more_comes(house: House, ana: Browser) -> None:
    one, two = await crowd(house, 2)
    await tell(house, "like", "ana", one, clip_id=CLIP)
    await tell(house, "follow", "ana", one)
    await ana.post("/api/notifications/read")
    await tell(house, "like", "ana", two, clip_id=CLIP)
    found = await lines(ana)
    assert [(line["kind"], line["is_read"]) for line in found] == [
        ("like", False),
        ("follow", True),
    ]
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": True}


async def test_empty_line_is_not_shown(house: House, ana: Browser, ben: Browser) -> None:
    await tell(house, "like", "ana", "ben", clip_id=CLIP)
    to, by = await house.person_id("ana"), await house.person_id("ben")
    async with house.db.tx() as tx:
        await house.parts.notify.withdraw(tx, "like", to=to, by=by, clip_id=CLIP)
    assert await lines(ana) == []
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": False}
    assert await tell(house, "like", "ana", "ben", clip_id=CLIP)
    assert len(await lines(ana)) == 1


async def test_acts_at_the_same_moment_are_all_in_the_line(house: House, ana: Browser) -> None:
    names = await crowd(house, 6)
    told = [tell(house, "like", "ana", name, clip_id=CLIP) for name in names * 3]
    assert sum(await asyncio.gather(*told)) == len(names)
    (line,) = await lines(ana)
    assert line["people"] == len(names)


# Kinds that are off


async def test_kind_that_is_off_is_not_told(house: House, ana: Browser, ben: Browser) -> None:
    answer = await ana.put("/api/notifications/kinds/like", json={"is_on": False})
    assert answer.json()["kinds"]["like"] is False
    assert not await tell(house, "like", "ana", "ben", clip_id=CLIP)
    assert await tell(house, "follow", "ana", "ben")
    assert [line["kind"] for line in await lines(ana)] == ["follow"]
    assert await heard(house, "ana") == ["follow"]
    await ana.put("/api/notifications/kinds/like", json={"is_on": True})
    assert await tell(house, "like", "ana", "ben", clip_id=CLIP)


async def test_two_taps_at_once_both_count(ana: Browser) -> None:
    kinds = ("like", "follow", "comment", "mention", "repost")
    await asyncio.gather(
        *(ana.put(f"/api/notifications/kinds/{kind}", json={"is_on": False}) for kind in kinds)
    )
    now = (await ana.get("/api/notifications/settings")).json()["kinds"]
    assert {kind for kind, is_on in now.items() if not is_on} == set(kinds)


async def test_reads_by_staff_are_told_always(ana: Browser) -> None:
    refused(
        await ana.put("/api/notifications/kinds/data-read", json={"is_on": False}), 400, "invalid"
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"digest_at": 6}, "bad-digest-hour"),
        ({"digest_at": 22}, "bad-digest-hour"),
        ({"offset_minutes": 841}, "bad-clock-offset"),
        ({"off": ["like"]}, "invalid"),
    ],
)
async def test_bad_wishes_are_refused(ana: Browser, change: dict[str, Any], code: str) -> None:
    before = (await ana.get("/api/notifications/settings")).json()
    refused(await ana.patch("/api/notifications/settings", json=change), 400, code)
    assert (await ana.get("/api/notifications/settings")).json() == before


async def test_wishes_are_for_the_signed_in(house: House) -> None:
    visitor = house.visitor()
    for answer in (
        await visitor.get("/api/notifications/settings"),
        await visitor.patch("/api/notifications/settings", json={}),
        await visitor.put("/api/notifications/kinds/like", json={"is_on": True}),
    ):
        refused(answer, 401, "not-signed-in")


# The digest


async def digest(house: House) -> None:
    await house.parts.queue.run_periodic("notify.digest")


async def test_digest_is_one_line_a_day_at_its_hour(house: House, ana: Browser) -> None:
    names = await crowd(house, 3)
    # It is 9 o'clock in UTC, and 11 with ana.
    house.clock.advance(timedelta(hours=9) - _of_day(house.clock.now()))
    await ana.patch("/api/notifications/settings", json={"digest_at": 12, "offset_minutes": 120})
    for name in names:
        await tell(house, "like", "ana", name, clip_id=CLIP)
    await tell(house, "follow", "ana", names[0])
    await digest(house)
    assert await lines(ana) == []
    assert await heard(house, "ana") == []
    assert (await ana.get("/api/notifications/unread")).json() == {"unread": False}
    house.clock.advance(timedelta(hours=1))
    await digest(house)
    (line,) = await lines(ana)
    assert (line["kind"], line["by"], line["counts"]) == ("digest", None, {"follow": 1, "like": 3})
    assert await heard(house, "ana") == ["digest"]
    within = await lines(ana, f"?within={line['id']}")
    assert [(one["kind"], one["people"]) for one in within] == [("follow", 1), ("like", 3)]
    # What comes later waits for the next day, whatever is looked at in between.
    await ana.post("/api/notifications/read")
    await house.person("late")
    await tell(house, "like", "ana", "late", clip_id=CLIP)
    await digest(house)
    assert len(await lines(ana)) == 1
    house.clock.advance(timedelta(days=1))
    await digest(house)
    newest, former = await lines(ana)
    assert (newest["counts"], newest["is_read"], former["is_read"]) == ({"like": 1}, False, True)


async def test_digest_of_another_is_not_read(house: House, ana: Browser, ben: Browser) -> None:
    await ana.patch("/api/notifications/settings", json={"digest_at": 7, "offset_minutes": 0})
    await tell(house, "follow", "ana", "ben")
    house.clock.advance(timedelta(hours=12) - _of_day(house.clock.now()))
    await digest(house)
    (line,) = await lines(ana)
    assert await lines(ben, f"?within={line['id']}") == []


async def test_what_waits_is_told_when_the_digest_is_given_up(
    house: House, ana: Browser, ben: Browser
) -> None:
    await tell(house, "like", "ana", "ben", clip_id=CLIP)
    await ana.patch("/api/notifications/settings", json={"digest_at": 12})
    await house.person("cleo")
    await tell(house, "like", "ana", "cleo", clip_id=CLIP)
    assert len(await lines(ana)) == 1
    await ana.patch("/api/notifications/settings", json={"digest_at": None})
    assert [line["people"] for line in await lines(ana)] == [1, 1]
    await house.person("dan")
    await tell(house, "like", "ana", "dan", clip_id=CLIP)
    assert sorted(line["people"] for line in await lines(ana)) == [1, 2]


# Nights


def _of_day(now: datetime) -> timedelta:
    return now - now.replace(hour=0, minute=0, second=0, microsecond=0)


async def test_minor_hears_nothing_at_night(house: House, ben: Browser) -> None:
    kid = await house.person("kid", age_band="13-15")
    await kid.patch("/api/notifications/settings", json={"offset_minutes": -480})
    for hour, is_told in ((5, True), (7, False), (14, False), (16, True)):
        house.clock.advance(timedelta(hours=hour) - _of_day(house.clock.now()))
        before = len(await heard(house, "kid"))
        await tell(house, "mention", "kid", "ben", clip_id=new_id())
        assert (len(await heard(house, "kid")) > before) == is_told, hour
        assert (await kid.get("/api/notifications/unread")).json() == {"unread": is_told}
    # Nothing is lost by that.
    assert len(await lines(kid)) == 4


async def test_minor_cannot_have_loud_nights(house: House) -> None:
    kid = await house.person("kid", age_band="16-17")
    answer = await kid.patch("/api/notifications/settings", json={"quiet_nights": False})
    refused(answer, 403, "nights-stay-quiet")
    now = (await kid.get("/api/notifications/settings")).json()
    assert (now["nights_are_quiet"], now["night_begins"], now["night_ends"]) == (True, 22, 7)


async def test_quiet_nights_are_a_choice_for_others(
    house: House, ana: Browser, ben: Browser
) -> None:
    house.clock.advance(timedelta(hours=23) - _of_day(house.clock.now()))
    await ana.patch("/api/notifications/settings", json={"offset_minutes": 0})
    await tell(house, "follow", "ana", "ben")
    assert await heard(house, "ana") == ["follow"]
    await ana.patch("/api/notifications/settings", json={"quiet_nights": True})
    await tell(house, "mention", "ana", "ben", clip_id=CLIP)
    assert await heard(house, "ana") == ["follow"]


@pytest.mark.parametrize(
    ("hour", "offset", "night", "ends"),
    [
        (22, 0, True, 31),
        (23, 0, True, 31),
        (6, 0, True, 7),
        (7, 0, False, None),
        (21, 0, False, None),
        (20, 120, True, 29),
        (14, -480, True, 15),
        (6, 330, False, None),
        (16, 840, True, 17),
    ],
)
def test_night_is_by_the_clock_of_the_person(
    hour: int, offset: int, night: bool, ends: int | None
) -> None:
    day = datetime(2026, 11, 26, tzinfo=UTC)
    now = day + timedelta(hours=hour)
    assert is_night(now, offset) == night
    assert not is_night(now, None)
    if ends is not None:
        assert morning(now, offset) == day + timedelta(hours=ends)


# What is kept


async def test_line_goes_with_its_clip(house: House, ana: Browser, ben: Browser) -> None:
    await tell(house, "like", "ana", "ben", clip_id=CLIP)
    async with house.db.tx() as tx:
        await house.parts.notify.forget_clip(tx, await house.person_id("ana"), CLIP)
    assert await house.rows("SELECT id FROM notify.notification") == []
    assert await house.rows("SELECT id FROM notify.line") == []


async def test_old_lines_go(house: House, ana: Browser, ben: Browser) -> None:
    await tell(house, "like", "ana", "ben", clip_id=CLIP)
    await house.rows("UPDATE notify.line SET made_at = made_at - interval '91 days'")
    await house.parts.queue.run_periodic("notify.tidy")
    assert await house.rows("SELECT id FROM notify.notification") == []
