"""Recalls that another cell refuses: asked for again each day for a month, and people see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.cell.abroad.conftest import agree
from tests.cell.abroad.peer import Peer
from tests.cell.abroad.test_leaving import crossings, kinds, send
from tests.cell.house import PASSWORD, Browser, House

from luciole.border import wire
from luciole.cell.abroad import model

DAY = timedelta(days=1)


async def again(house: House) -> None:
    await house.beside.traffic.catch_up()


async def refused_recall(
    house: House, ana: Browser, sg: Peer, film: bytes
) -> tuple[dict[str, Any], wire.Gone]:
    """A clip that ana called back and that the other cell keeps."""
    await agree(ana)
    clip = await send(house, ana, film)
    await sg.takes()
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "region"})
    (gone,) = await sg.takes(state="refused", code="not-wanted")
    assert isinstance(gone, wire.Gone)
    return clip, gone


async def test_refused_recall_is_asked_for_again_the_next_day(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    _, gone = await refused_recall(house, ana, sg, tiny_film)
    told = (await crossings(ana))[0]
    assert (told["kind"], told["state"], told["refusals"]) == ("gone", "refused", 1)
    again_at = datetime.fromisoformat(told["again_at"])
    assert timedelta(0) < again_at - house.clock.now() <= DAY
    # Not before, whatever else changes of what is theirs.
    await again(house)
    await ana.patch("/api/me", json={"display_name": "Ana of the Herons"})
    assert kinds(await sg.takes()) == ["person"]
    house.clock.advance(DAY)
    await again(house)
    on_its_way = (await crossings(ana))[0]
    assert (on_its_way["state"], on_its_way["again_at"]) == ("offered", None)
    assert (on_its_way["refusals"], on_its_way["id"] != told["id"]) == (1, True)
    assert await sg.takes() == [gone]
    mine = [one for one in await crossings(ana) if one["kind"] == "gone"]
    assert [(one["state"], one["refusals"]) for one in mine] == [("crossed", 0)]
    house.clock.advance(DAY * 2)
    await again(house)
    assert await sg.takes() == []


async def test_refused_for_a_month_it_is_given_up_and_said_so(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    _, gone = await refused_recall(house, ana, sg, tiny_film)
    asked = 0
    for _ in range(model.RECALLED_FOR_DAYS + 5):
        house.clock.advance(DAY)
        await again(house)
        asked += len(await sg.takes(state="refused", code="not-wanted"))
    assert model.RECALLED_FOR_DAYS - 1 <= asked <= model.RECALLED_FOR_DAYS
    body = {"handle": "ana", "password": PASSWORD}
    assert (await ana.post("/api/sessions", json=body)).status_code == 201
    (told,) = [one for one in await crossings(ana) if one["kind"] == "gone"]
    assert (told["state"], told["again_at"]) == ("refused", None)
    # All of them are in what the person takes along.
    rows = await house.rows("SELECT 1 FROM abroad.crossing WHERE kind = 'gone'")
    assert len(rows) == asked + 1
    # A further change asks anew.
    await ana.put(f"/api/clips/{gone.uri.rpartition('/')[2]}/reach", json={"reach": "region"})
    assert kinds(await sg.takes()) == ["gone"]


async def test_who_lets_it_go_again_calls_nothing_back(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    clip, _ = await refused_recall(house, ana, sg, tiny_film)
    await ana.put(f"/api/clips/{clip['id']}/reach", json={"reach": "cells"})
    house.clock.advance(DAY)
    await again(house)
    assert await sg.takes() == []
    assert await house.rows("SELECT 1 FROM abroad.recall") == []


async def test_who_is_erased_is_still_called_back(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    await send(house, ana, tiny_film)
    person, _ = await sg.takes()
    assert isinstance(person, wire.Person)
    assert (await ana.post("/api/me/erasure", json={"now": True})).is_success
    await house.work()
    taken = await sg.takes(state="refused", code="not-wanted")
    assert person.uri in {one.uri for one in taken if isinstance(one, wire.Gone)}
    (left,) = await house.rows("SELECT uri, person_id FROM abroad.recall")
    assert tuple(left) == (person.uri, None)
    house.clock.advance(DAY)
    await again(house)
    assert await sg.takes() == [wire.Gone(person.uri)]
    assert await house.rows("SELECT 1 FROM abroad.recall") == []


async def test_nothing_is_asked_of_a_cell_that_is_no_peer_any_more(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await refused_recall(house, ana, sg, tiny_film)
    async with sg.owner.tx() as tx:
        await tx.execute("DELETE FROM border.peer WHERE name = $1", sg.name)
    house.clock.advance(DAY)
    await again(house)
    assert await sg.offers() == []
    assert await house.rows("SELECT 1 FROM abroad.recall") == []
