"""Live events do not reach people who keep whom they are about away."""

from __future__ import annotations

import pytest
from tests.cell.graph.test_apart import away, near
from tests.cell.house import Browser, House
from tests.cell.notify.test_live import origin, page

__all__ = ["origin"]


@pytest.mark.parametrize("distance", ["block", "mute", "restriction"])
async def test_what_somebody_does_is_not_shown_to_who_keeps_them_away(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes, distance: str
) -> None:
    carl = await house.person("carl")
    await away(ben, ana, distance)
    async with page(origin, ben) as keeper, page(origin, carl) as other:
        await ana.clip(house, tiny_film)
        assert (await other.next("new-clip"))["author"]["handle"] == "ana"
        await ana.put("/api/people/ben/follow")
        assert await keeper.nothing()
    # What was missed meanwhile does not come with a return either.
    async with page(origin, ben, since="1") as again:
        assert await again.nothing()
    await near(ben, ana, distance)
    async with page(origin, ben) as keeper:
        await ana.clip(house, tiny_film)
        assert (await keeper.next("new-clip"))["author"]["handle"] == "ana"


async def test_who_is_blocked_hears_nothing_of_who_blocks(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    await away(ana, ben)
    async with page(origin, ben) as blocked:
        await ana.clip(house, tiny_film)
        assert await blocked.nothing()


async def test_clip_with_a_list_is_no_news_for_everybody(
    house: House, origin: str, ana: Browser, ben: Browser, tiny_film: bytes
) -> None:
    carl = await house.person("carl")
    async with page(origin, ben) as listed, page(origin, carl) as other:
        hidden = {"kind": "hide-from", "handles": ["ben"]}
        await ana.clip(house, tiny_film, audience_list=hidden)
        assert await listed.nothing()
        assert await other.nothing()
