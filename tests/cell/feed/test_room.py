"""Pages of For You beyond what is kept for one who asks, and for all visitors."""

from __future__ import annotations

import pytest
from tests.cell.feed.walks import FOR_YOU, ids, learn, page, report, shelf, signal, walk
from tests.cell.house import Browser, House, refused

from luciole.cell.feed.room import Room
from luciole.config import FeedSettings

KEPT = "SELECT count(*) FROM feed.page"
SESSIONS = "SELECT count(*) FROM feed.session"


async def kept(house: House) -> tuple[int, int]:
    ((pages,),), ((sessions,),) = await house.rows(KEPT), await house.rows(SESSIONS)
    return pages, sessions


def room(house: House, monkeypatch: pytest.MonkeyPatch, each: int, visitors: int) -> None:
    """Sets how many pages are kept of each, and of all visitors."""
    settings = FeedSettings(pages_per_hour=each, visitor_pages_per_day=visitors)
    monkeypatch.setattr(house.parts.for_you, "_room", Room(settings, lambda: 0.0))


async def test_visitor_beyond_the_limit_walks_on_and_nothing_is_kept(
    house: House, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await shelf(house, ana, 45)
    room(house, monkeypatch, each=2, visitors=100)
    visitor = house.visitor()
    assert sorted(await walk(visitor)) == sorted(made)
    assert await kept(house) == (2, 1)
    assert sorted(await walk(visitor)) == sorted(made)
    assert await kept(house) == (2, 1)
    body = await page(visitor)
    said = await report(visitor, signal(body, 0, "shown"))
    assert said == {"taken": 0, "refused": [{"at": 0, "code": "not-served"}]}
    refused(await visitor.get(f"{FOR_YOU}/pages/{body['page']}/0/why"), 404, "not-served")
    # Another visitor has room of their own.
    assert (await report(other := house.visitor(), signal(await page(other), 0, "shown")))["taken"]


async def test_visitors_together_have_a_limit_and_members_do_not_share_it(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf(house, ana, 5)
    room(house, monkeypatch, each=100, visitors=3)
    for _ in range(5):
        assert len(ids(await page(house.visitor()))) == 5
    assert await kept(house) == (3, 3)
    await page(ben)
    assert await kept(house) == (4, 4)


async def test_page_that_was_kept_comes_again_without_taking_room(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf(house, ana, 25)
    room(house, monkeypatch, each=2, visitors=0)
    first = await page(ben)
    second = await page(ben, first["next"])
    for _ in range(3):
        assert (await page(ben, first["next"]))["page"] == second["page"]
    third = await page(ben, second["next"])
    assert set(ids(third)) & {*ids(first), *ids(second)} == set()
    assert await kept(house) == (2, 1)


async def test_who_lets_the_cell_learn_gets_pages_beyond_the_limit_too(
    house: House, ana: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await shelf(house, ana, 25)
    await learn(ben)
    room(house, monkeypatch, each=0, visitors=0)
    body = await page(ben)
    assert body["mode"] == "learning"
    assert sorted(await walk(ben)) == sorted(made)
    assert await kept(house) == (0, 0)
