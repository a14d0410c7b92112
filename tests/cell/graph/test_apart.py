"""People who are kept apart."""

from __future__ import annotations

from uuid import UUID

from tests.cell.house import Browser, House


async def ids(house: House, *browsers: Browser) -> list[UUID]:
    async with house.parts.db.read() as tx:
        return [(await house.parts.people.by_handle(tx, each.handle)).id for each in browsers]


async def test_block_ends_follows_both_ways(house: House, ana: Browser, ben: Browser) -> None:
    await ana.follow(ben)
    await ben.follow(ana)
    one, other = await ids(house, ana, ben)
    async with house.parts.db.tx() as tx:
        for _ in range(2):
            await house.parts.graph.block(tx, one, other)
    async with house.parts.db.read() as tx:
        assert await house.parts.graph.is_apart(tx, other, one)
        assert await house.parts.graph.apart_among(tx, one, [one, other]) == {other}
        assert not (await house.parts.graph.relation(tx, one, other)).follows_you
    for handle in ("ana", "ben"):
        profile = (await house.visitor().get(f"/api/people/{handle}")).json()
        assert (profile["followers"], profile["following"]) == (0, 0)


async def test_unblocked_people_are_strangers(house: House, ana: Browser, ben: Browser) -> None:
    one, other = await ids(house, ana, ben)
    async with house.parts.db.tx() as tx:
        await house.parts.graph.block(tx, one, other)
        await house.parts.graph.unblock(tx, one, other)
        assert not await house.parts.graph.is_apart(tx, one, other)
