"""People who move between cells: followed there by the words of both cells, and by nothing less."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from tests.cell.abroad.conftest import agree
from tests.cell.abroad.peer import Peer
from tests.cell.abroad.test_leaving import crossings, send
from tests.cell.house import PASSWORD, Browser, House, refused

from luciole.border import wire
from luciole.cell.abroad import model
from luciole.kit.db import Database

DAY = "2026-11-26"
FOLLOWED = """
SELECT o.handle FROM graph.follow f JOIN people.person m ON m.id = f.follower_id
JOIN people.person o ON o.id = f.followee_id WHERE m.handle = $1 ORDER BY 1
"""


@pytest_asyncio.fixture(loop_scope="session")
async def eu(pools: tuple[Database, Database], house: House) -> Peer:
    made = Peer(pools[0], house, "eu", "Luciole Europe", "FR")
    await made.begin()
    return made


async def followed(house: House, handle: str) -> list[str]:
    return [row["handle"] for row in await house.rows(FOLLOWED, handle)]


def words(sg: Peer, eu: Peer, **fields: Any) -> tuple[wire.Move, wire.Move]:
    """What both cells say of wei, who goes from sg to eu."""
    old = wire.Move(sg.uri("people", "wei"), eu.uri("people", "wei"), DAY, **fields)
    return old, wire.Move(old.uri, old.to, DAY, wire.Newcomer("wei.eu", "Wei"))


async def test_follows_go_over_when_both_cells_have_said_it(
    house: House, ana: Browser, ben: Browser, sg: Peer, eu: Peer
) -> None:
    await sg.says(sg.person())
    for one in (ana, ben):
        assert (await one.put("/api/people/wei@sg/follow")).is_success
    (reads,) = await sg.takes()
    assert isinstance(reads, wire.Follow)
    old, new = words(sg, eu)
    await sg.says(old)
    assert await followed(house, "ana") == ["wei@sg"]
    await eu.says(new)
    house.clock.advance(timedelta(minutes=1))
    await house.beside.traffic.catch_up()
    for handle in ("ana", "ben"):
        assert await followed(house, handle) == ["wei.eu@eu"]
    # The new cell learns that somebody here reads them, and not who or how many.
    assert await eu.takes() == [wire.Follow(old.to, f"{house.clock.now():%Y-%m-%d}")]
    profile = (await ana.get("/api/people/wei@sg")).json()
    assert profile["moved_to"] == "https://eu.example/@wei.eu"
    assert (await ana.get("/api/people/wei.eu@eu")).json()["followers"] == 2
    # Said once more, it does nothing.
    await ana.delete("/api/people/wei.eu@eu/follow")
    await sg.says(old)
    await eu.says(new)
    assert await followed(house, "ana") == []
    assert await house.rows("SELECT 1 FROM abroad.arrival") == []


async def test_order_of_the_words_is_of_no_matter_and_who_wishes_is_not_shown(
    house: House, ana: Browser, sg: Peer, eu: Peer
) -> None:
    await sg.says(sg.person())
    await ana.put("/api/people/wei@sg/follow")
    old, new = words(sg, eu, is_shown=False)
    await eu.says(new)
    await sg.says(old)
    assert await followed(house, "ana") == ["wei.eu@eu"]
    assert (await ana.get("/api/people/wei@sg")).json()["moved_to"] is None


async def test_who_kept_them_away_keeps_away_from_the_new_address(
    house: House, ana: Browser, sg: Peer, eu: Peer
) -> None:
    await sg.says(sg.person())
    assert (await ana.put("/api/people/wei@sg/away/block")).is_success
    for cell, word in zip((sg, eu), words(sg, eu), strict=True):
        await cell.says(word)
    refused(await ana.put("/api/people/wei.eu@eu/follow"), 404, "no-such-person")
    blocked = await house.rows(
        "SELECT p.handle FROM graph.block b JOIN people.person p ON p.id = b.blocked_id ORDER BY 1"
    )
    assert [row["handle"] for row in blocked] == ["wei.eu@eu", "wei@sg"]


async def test_one_cell_alone_moves_nobody(house: House, ana: Browser, sg: Peer, eu: Peer) -> None:
    await sg.says(sg.person())
    await ana.put("/api/people/wei@sg/follow")
    old, new = words(sg, eu)
    # Claimed by the cell that would like to have them, in its own name and in the other's.
    await eu.says(new, old)
    house.clock.advance(timedelta(hours=2))
    await house.beside.traffic.catch_up()
    assert await followed(house, "ana") == ["wei@sg"]
    # Said by the old one, but to somewhere else.
    await sg.says(wire.Move(old.uri, eu.uri("people", "mallory"), DAY))
    house.clock.advance(timedelta(hours=2))
    await house.beside.traffic.catch_up()
    assert await followed(house, "ana") == ["wei@sg"]
    # What found no second word is forgotten after a week.
    house.clock.advance(timedelta(days=8))
    await house.beside.traffic.catch_up()
    assert await house.rows("SELECT 1 FROM abroad.arrival") == []


async def test_nobody_moves_twice_in_a_short_time_nor_in_a_circle(
    house: House, ana: Browser, sg: Peer, eu: Peer
) -> None:
    await sg.says(sg.person())
    await ana.put("/api/people/wei@sg/follow")
    old, new = words(sg, eu)
    await sg.says(old)
    await eu.says(new)
    back = wire.Move(new.to, old.uri, DAY)
    again = wire.Move(new.to, old.uri, DAY, wire.Newcomer("wei", "Wei"))
    onward = wire.Move(old.uri, eu.uri("people", "other"), DAY)
    itself = wire.Move(old.uri, old.uri, DAY)
    await eu.says(back)
    await sg.says(again, onward, itself)
    assert await followed(house, "ana") == ["wei.eu@eu"]
    assert await house.rows("SELECT 1 FROM abroad.arrival") == []
    house.clock.advance(timedelta(days=31))
    await eu.says(back)
    await sg.says(again)
    assert await followed(house, "ana") == ["wei@sg"]
    assert len(await house.rows("SELECT 1 FROM abroad.moved")) == 1


async def test_who_moves_away_is_followed_there_by_their_own_cell_too(
    house: House, ana: Browser, ben: Browser, sg: Peer, eu: Peer, tiny_film: bytes
) -> None:
    await agree(ana)
    await send(house, ana, tiny_film)
    person, *_ = await sg.takes()
    assert isinstance(person, wire.Person)
    await eu.takes()
    await ben.put("/api/people/ana/follow")
    known = (await ana.get("/api/me/moved")).json()
    assert (known["known_as"], known["known_in"]) == (person.uri, ["eu", "sg"])
    there = eu.uri("people", "ana")
    body = {"address": "https://eu.example/@ana", "known_as": there}
    assert (await ana.put("/api/me/moved", json=body)).status_code == 200
    on = f"{house.clock.now():%Y-%m-%d}"
    for cell in (sg, eu):
        assert wire.Move(person.uri, there, on) in await cell.takes()
    told = [one for one in await crossings(ana) if one["kind"] == "move"]
    assert {(one["peer"], one["reason"], one["ground"], one["state"]) for one in told} == {
        ("sg", "moving", "request", "crossed"),
        ("eu", "moving", "request", "crossed"),
    }
    assert await followed(house, "ben") == ["ana"]
    await eu.says(wire.Move(person.uri, there, on, wire.Newcomer("ana", "Ana")))
    assert await followed(house, "ben") == ["ana@eu"]
    # Nowhere else within a month; the address on the profile may change.
    other = {"address": "https://sg.example/@ana", "known_as": sg.uri("people", "ana")}
    refused(await ana.put("/api/me/moved", json=other), 409, "moved-lately")
    assert (await ana.put("/api/me/moved", json={"address": "https://a.example/@ana"})).is_success
    assert all(not isinstance(one, wire.Move) for one in await eu.takes())


async def move_away(house: House, ana: Browser, sg: Peer, film: bytes) -> wire.Move:
    """What other cells hear of ana, who goes to another one."""
    await agree(ana)
    await send(house, ana, film)
    person, *_ = await sg.takes()
    assert isinstance(person, wire.Person)
    there = "https://eu.example/ap/people/00000000-0000-7000-8000-000000000001"
    body = {"address": "https://eu.example/@ana", "known_as": there}
    assert (await ana.put("/api/me/moved", json=body)).status_code == 200
    return wire.Move(person.uri, there, f"{house.clock.now():%Y-%m-%d}")


async def told(ana: Browser) -> dict[str, Any]:
    """The one row of *My crossings* about a move."""
    (found,) = [one for one in await crossings(ana) if one["kind"] == "move"]
    return found


@pytest.mark.parametrize(("state", "code"), [("refused", "not-wanted"), ("expired", "")])
async def test_move_that_was_not_taken_is_told_again_the_next_day(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes, state: str, code: str
) -> None:
    word = await move_away(house, ana, sg, tiny_film)
    assert await sg.takes(state=state, code=code) == [word]
    first = await told(ana)
    assert (first["state"], first["refusals"]) == ("refused", 1)
    again_at = datetime.fromisoformat(first["again_at"])
    assert timedelta(0) < again_at - house.clock.now() <= timedelta(days=1)
    # Not before, whatever else changes of what is theirs.
    await ana.patch("/api/me", json={"display_name": "Ana of the Herons"})
    assert [type(one) for one in await sg.takes()] == [wire.Person]
    house.clock.advance(timedelta(days=1))
    await house.beside.traffic.catch_up()
    on_its_way = await told(ana)
    assert (on_its_way["state"], on_its_way["again_at"]) == ("offered", None)
    assert (on_its_way["refusals"], on_its_way["id"] != first["id"]) == (1, True)
    assert await sg.takes() == [word]
    assert (await told(ana))["state"] == "crossed"
    house.clock.advance(timedelta(days=2))
    assert await sg.takes() == []


async def test_move_that_is_refused_for_a_month_is_given_up_and_said_so(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    word = await move_away(house, ana, sg, tiny_film)
    asked = 0
    for _ in range(model.MOVE_TOLD_FOR_DAYS + 5):
        took = await sg.takes(state="refused", code="not-wanted")
        assert took in ([], [word])
        asked += len(took)
        house.clock.advance(timedelta(days=1))
    assert asked == model.MOVE_TOLD_FOR_DAYS
    body = {"handle": "ana", "password": PASSWORD}
    assert (await ana.post("/api/sessions", json=body)).status_code == 201
    last = await told(ana)
    assert (last["state"], last["again_at"], last["refusals"]) == ("refused", None, asked)


async def test_move_that_was_taken_back_is_not_told_again(
    house: House, ana: Browser, sg: Peer, tiny_film: bytes
) -> None:
    await move_away(house, ana, sg, tiny_film)
    await sg.takes(state="refused", code="not-wanted")
    assert (await ana.delete("/api/me/moved")).status_code == 204
    house.clock.advance(timedelta(days=1))
    assert await sg.takes() == []
    assert (await told(ana))["again_at"] is None


async def test_who_comes_names_the_former_address_and_those_who_knew_it_are_told(
    house: House, ana: Browser, ben: Browser, sg: Peer, eu: Peer
) -> None:
    await sg.says(sg.person("ana"))
    await ben.put("/api/people/ana@sg/follow")
    await sg.takes()
    body = {"known_as": sg.uri("people", "ana"), "known_in": ["eu", "nobody"]}
    came = (await ana.put("/api/me/came-from", json=body)).json()
    assert came["came_from"] == [sg.uri("people", "ana")]
    assert (await ana.get("/api/me/came-from")).json() == came
    on = f"{house.clock.now():%Y-%m-%d}"
    word = wire.Move(body["known_as"], came["known_as"], on, wire.Newcomer("ana", "Ana"))
    assert await sg.takes() == [word]
    assert await eu.takes() == [word]
    assert await followed(house, "ben") == ["ana@sg"]
    await sg.says(wire.Move(word.uri, word.to, on))
    assert await followed(house, "ben") == ["ana"]
    (told,) = [one for one in await crossings(ana) if (one["kind"], one["peer"]) == ("move", "eu")]
    assert told["can_revoke"]
    # Who is erased is called back from the cells that know them by the move only.
    assert (await ana.post("/api/me/erasure", json={"now": True})).is_success
    await house.work()
    assert wire.Gone(word.to) in await eu.takes()
    for table in ("move", "moved"):
        assert await house.rows(f"SELECT 1 FROM abroad.{table}") == []


async def test_nobody_names_what_cannot_be_a_former_address(
    house: House, ana: Browser, sg: Peer
) -> None:
    mine = f"{house.settings.border_origin}/ap/people/{'0' * 8}-0000-7000-8000-{'0' * 12}"
    for bad in ("", "https://sg.example/@wei", mine, sg.uri("clips", "one")):
        answer = await ana.put("/api/me/came-from", json={"known_as": bad})
        refused(answer, 400, "bad-former-address")
    body = {"known_as": sg.uri("people", "ana")}
    house.clock.advance(timedelta(hours=2))
    refused(await ana.put("/api/me/came-from", json=body), 403, "proof-needed")


async def test_move_is_called_back_from_where_nothing_else_brought_them(
    house: House, ana: Browser, sg: Peer, eu: Peer
) -> None:
    body = {"known_as": sg.uri("people", "ana"), "known_in": ["eu"]}
    came = (await ana.put("/api/me/came-from", json=body)).json()
    assert [type(one) for one in await eu.takes()] == [wire.Move]
    (told,) = [one for one in await crossings(ana) if one["peer"] == "eu"]
    # It stays whatever else changes, until she calls it back.
    await ana.patch("/api/me", json={"display_name": "Ana of the Herons"})
    assert await eu.takes() == []
    assert (await ana.delete(f"/api/me/crossings/{told['id']}")).status_code == 204
    assert await eu.takes() == [wire.Gone(came["known_as"], [told["id"]])]
    assert (await ana.get("/api/me/came-from")).json()["came_from"] == []


@pytest.mark.parametrize("side", ["moved", "came-from"])
async def test_what_was_said_can_be_taken_back(
    house: House, ana: Browser, sg: Peer, side: str
) -> None:
    await ana.put("/api/me/came-from", json={"known_as": sg.uri("people", "ana")})
    body = {"address": "https://sg.example/@ana", "known_as": sg.uri("people", "there")}
    await ana.put("/api/me/moved", json=body)
    assert (await ana.delete(f"/api/me/{side}")).status_code == 204
    sql = "SELECT 1 FROM abroad.move WHERE ended_at IS NULL AND side = $1"
    ended = {"moved": "left", "came-from": "came"}[side]
    assert await house.rows(sql, ended) == []
