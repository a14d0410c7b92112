"""Follow and like stay home; what crosses says neither who nor how few."""

from __future__ import annotations

from datetime import timedelta

from tests.cell.abroad.conftest import Filmed, agree
from tests.cell.abroad.peer import Peer
from tests.cell.abroad.test_arriving import bring, seen
from tests.cell.house import Browser, House

from luciole.border import wire


async def test_cell_follows_once_and_ends_long_after_the_last(
    house: House, ana: Browser, ben: Browser, sg: Peer
) -> None:
    person = sg.person()
    await sg.says(person)
    await ana.put("/api/people/wei@sg/follow")
    await ben.put("/api/people/wei@sg/follow")
    (follow,) = await sg.takes()
    assert isinstance(follow, wire.Follow)
    assert follow.uri == person.uri
    for account in ("ana", "ben"):
        assert str(await house.person_id(account)) not in wire.encode(follow).decode()
    await ana.delete("/api/people/wei@sg/follow")
    house.clock.advance(timedelta(days=16))
    await house.parts.queue.run_periodic("abroad.look")
    assert await sg.takes() == []
    await ben.delete("/api/people/wei@sg/follow")
    await sg.takes()
    (row,) = await house.rows("SELECT end_at FROM abroad.reading")
    after = row["end_at"] - house.clock.now()
    assert timedelta(days=1) <= after <= timedelta(days=14)
    await house.parts.queue.run_periodic("abroad.look")
    assert await sg.takes() == []
    house.clock.advance(timedelta(days=14))
    await house.parts.queue.run_periodic("abroad.look")
    (ended,) = await sg.takes()
    assert isinstance(ended, wire.Unfollow)
    assert await house.rows("SELECT 1 FROM abroad.reading") == []


async def test_who_comes_back_in_time_is_not_noticed(house: House, ana: Browser, sg: Peer) -> None:
    await sg.says(sg.person())
    await ana.put("/api/people/wei@sg/follow")
    await sg.takes()
    await ana.delete("/api/people/wei@sg/follow")
    await sg.takes()
    await ana.put("/api/people/wei@sg/follow")
    await sg.takes()
    house.clock.advance(timedelta(days=20))
    await house.parts.queue.run_periodic("abroad.look")
    assert await sg.takes() == []


async def test_like_stays_home_and_totals_cross_rounded_once_a_day(
    house: House, ana: Browser, sg: Peer, filmed: Filmed
) -> None:
    clip = await bring(sg, filmed)
    (shown,) = await seen(ana)
    await ana.put(f"/api/clips/{shown['id']}/like")
    assert await sg.takes() == []
    for likes, told in ((9, None), (23, 20), (128, 120), (3, None)):
        await house.rows("UPDATE clips.clip SET likes = $1", likes)
        await house.parts.queue.run_periodic("abroad.totals")
        await house.parts.queue.run_periodic("abroad.totals")
        taken = await sg.takes()
        if likes == 9:
            assert taken == []
        else:
            (totals,) = taken
            assert isinstance(totals, wire.Totals)
            assert (totals.uri, totals.likes, totals.shares) == (clip.uri, told, None)
        # The same day nothing more is told, whatever happens.
        await house.rows("UPDATE clips.clip SET likes = 1000")
        if likes != 9:
            await house.parts.queue.run_periodic("abroad.totals")
            assert await sg.takes() == []
        house.clock.advance(timedelta(days=1))


async def test_followers_are_told_as_a_total(house: House, ana: Browser, sg: Peer) -> None:
    person = sg.person()
    await sg.says(person)
    await ana.put("/api/people/wei@sg/follow")
    await sg.takes()
    await house.rows("UPDATE graph.tally SET followers = 47 WHERE followers = 1")
    await house.parts.queue.run_periodic("abroad.totals")
    (totals,) = await sg.takes()
    assert totals == wire.Totals(person.uri, f"{house.clock.now():%Y-%m-%d}", followers=40)


async def test_totals_and_readers_from_elsewhere_are_shown_to_the_author(
    house: House, ana: Browser, ben: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    clip = await ana.clip(house, tiny_film)
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})
    person, made = await sg.takes()
    assert isinstance(person, wire.Person)
    assert isinstance(made, wire.Clip)
    await sg.says(
        wire.Follow(person.uri, "2026-11-24"),
        wire.Totals(made.uri, "2026-11-24", likes=30),
        wire.Totals(person.uri, "2026-11-24", followers=40),
    )
    place = (await ana.get(f"/api/clips/{clip['id']}/reach")).json()
    assert place["totals"] == [{"peer": "sg", "likes": 30, "shares": None, "followers": None}]
    (total,) = (await ana.get("/api/me/abroad")).json()["totals"]
    assert total["followers"] == 40
    assert (await ben.get("/api/me/abroad")).json()["totals"] == []
    assert len(await house.rows("SELECT 1 FROM abroad.reader")) == 1
    await sg.says(wire.Unfollow(person.uri, "2026-11-25"))
    assert await house.rows("SELECT 1 FROM abroad.reader") == []
