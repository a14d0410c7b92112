"""Rules point at spam and rings; people decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from tests.cell.house import Browser, House
from tests.cell.safety.bench import at_work, take

from luciole.cell.safety import rings
from luciole.cell.safety.rings import Act, Said

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SPAM = "Earn a thousand a day from home, write to me now!"


def who(number: int) -> UUID:
    return UUID(int=number)


def said(person: int, text: str, hours: float = 0) -> Said:
    return Said(who(1000 + person), who(person), text, NOW + timedelta(hours=hours))


def test_same_long_words_of_several_within_a_day() -> None:
    spam = [said(n, f"{SPAM} {n}", n) for n in range(rings.LEAST_WRITERS)]
    found = rings.same_words([*spam, said(90, "so cute"), said(91, "so cute")])
    assert {one.person_id for one in found} == {who(n) for n in range(rings.LEAST_WRITERS)}
    assert found[0].facts == {"accounts": rings.LEAST_WRITERS}
    assert found[0].comment_id == who(1000)
    # One fewer, the same one again, or spread over days: nothing.
    assert rings.same_words([*spam[1:], spam[1]]) == []
    assert rings.same_words([said(n, SPAM, 24 * n) for n in range(10)]) == []
    assert rings.same_words([said(n, "great") for n in range(50)]) == []


def test_bursts_of_new_accounts_only() -> None:
    acts = [
        Act(who(person), who(n), NOW + timedelta(seconds=20 * n))
        for person in (1, 2)
        for n in range(rings.BURST_ACTS)
    ]
    opened = {who(1): NOW.date(), who(2): date(2026, 1, 1)}
    (found,) = rings.new_bursts(acts, opened)
    assert (found.person_id, found.facts) == (who(1), {"acts": rings.BURST_ACTS})
    assert rings.new_bursts(acts[: -rings.BURST_ACTS][1:], opened) == []
    assert rings.new_bursts(acts, {}) == []


def test_rings_share_what_few_like() -> None:
    ring = [Act(who(n), who(100 + on), NOW) for n in range(5) for on in range(10)]
    pair = [Act(who(50 + n), who(200 + on), NOW) for n in range(2) for on in range(10)]
    popular = [Act(who(300 + n), who(400 + on), NOW) for n in range(100) for on in range(10)]
    found = rings.shared("shared-likes", [*ring, *pair, *popular])
    assert {one.person_id for one in found} == {who(n) for n in range(5)}
    assert found[0].facts == {"accounts": 5, "shared": 10, "things": 10}
    # Friends do such things together.
    friends = {(who(a), who(b)) for a in range(5) for b in range(a + 1, 5)}
    assert rings.shared("shared-likes", ring, friends) == []
    # Those who like much else besides do not belong together.
    else_ = [Act(who(n), who(1000 * n + on), NOW) for n in range(5) for on in range(100, 120)]
    assert rings.shared("shared-likes", [*ring, *else_, *_twice(else_)]) == []


def _twice(acts: list[Act]) -> list[Act]:
    """The same things, liked by one more each."""
    return [Act(who(9000), one.on_id, one.at) for one in acts]


def test_how_often_a_rule_is_wrong_is_said_of_each() -> None:
    assert set(rings.WRONG_PER_10000) == set(get_args(rings.Rule))


@pytest.fixture
def real_time(only_house: House) -> Iterator[None]:
    """Ids of comments tell when they were made, by the machine's own clock."""
    ahead = datetime.now(UTC) - only_house.clock.now()
    only_house.clock.advance(ahead)
    yield
    only_house.clock.advance(-ahead)


@pytest.mark.usefixtures("real_time")
async def test_rule_puts_comments_before_a_moderator_and_they_stay(
    house: House, ana: Browser, tiny_film: bytes, owner_url: str
) -> None:
    clip = await ana.clip(house, tiny_film)
    for number in range(rings.LEAST_WRITERS):
        spammer = await house.person(f"spam{number}")
        answer = await spammer.post(f"/api/clips/{clip['id']}/comments", json={"text": SPAM})
        assert answer.status_code == 201, answer.text
    await house.parts.queue.run_periodic("safety.rules")
    await house.parts.queue.run_periodic("safety.rules")
    found = await house.rows("SELECT name, outcome FROM safety.suggestion")
    assert [tuple(row) for row in found] == [("same-words", "waiting")] * rings.LEAST_WRITERS
    shown = (await ana.get(f"/api/clips/{clip['id']}/comments")).json()["items"]
    assert len(shown) == rings.LEAST_WRITERS
    max_ = await at_work(house, owner_url, "max")
    case = await take(max_)
    assert case
    (one,) = case["suggestions"]
    assert (one["method"], one["name"]) == ("rule", "same-words")
    assert one["facts"]["accounts"] == rings.LEAST_WRITERS
    assert case["subjects"][0]["text"] == SPAM
