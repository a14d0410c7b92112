"""Who sees what somebody did under a clip for friends."""

from __future__ import annotations

from uuid import uuid4

from tests.cell.house import Browser, House

from luciole.cell.clips.model import is_seen_among_friends

AUTHOR, DOER, VIEWER = uuid4(), uuid4(), uuid4()


def test_only_friends_of_both_see_it() -> None:
    assert is_seen_among_friends(VIEWER, DOER, AUTHOR, {DOER})
    assert not is_seen_among_friends(VIEWER, DOER, AUTHOR, {uuid4()})


def test_author_and_doer_see_it_and_visitors_nothing() -> None:
    assert is_seen_among_friends(AUTHOR, DOER, AUTHOR, ())
    assert is_seen_among_friends(DOER, DOER, AUTHOR, ())
    assert not is_seen_among_friends(None, DOER, AUTHOR, {DOER})


def test_what_the_author_does_is_seen_by_all_who_see_the_clip() -> None:
    assert is_seen_among_friends(VIEWER, AUTHOR, AUTHOR, ())


async def test_friends_among_are_those_who_follow_each_other(
    house: House, ana: Browser, ben: Browser
) -> None:
    carl = await house.person("carl")
    await ana.follow(ben)
    await ben.follow(ana)
    await ana.follow(carl)
    ids = [await house.person_id(handle) for handle in ("ana", "ben", "carl")]
    async with house.db.read() as tx:
        assert await house.parts.graph.friends_among(tx, ids[0], ids) == {ids[1]}
