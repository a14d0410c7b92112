"""The key of contact discovery is changed, in this cell and in the other one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from tests.cell.contacts.conftest import US, Other, findable, verify
from tests.cell.contacts.device import look
from tests.cell.house import House, refused

from luciole import blind, contacts_console
from luciole.ask.gateway import PeerRefused
from luciole.border import door
from luciole.border.wire import Lookup, LookupAnswer
from luciole.cell.contacts import halves, model
from luciole.cell.contacts.halves import encoded
from luciole.custody.model import Grant
from luciole.kit.db import Database
from luciole.trustee import lookups
from luciole.trustee.asked import Refused

BEN, CLEO, DAN = "+33612345678", "+6591234567", "+12025550123"
ONE = f"phone:{BEN}"
POINT = blind.blind(b"x")[1]


@pytest.fixture
def owner(pools: tuple[Database, Database]) -> Database:
    return pools[0]


@pytest_asyncio.fixture(loop_scope="session")
async def today(pair: House) -> AsyncIterator[int]:
    """The number of a round that begins today."""
    yield model.round_of(pair.clock.now().date())


async def told(house: House, act: str) -> list[str]:
    async with house.db.tx() as tx:
        return await contacts_console.done(house.settings, tx, act, house.clock)


async def turn(house: House) -> None:
    await house.parts.queue.run_periodic("contacts.rotate")


async def entries(owner: Database) -> list[dict[str, object]]:
    query = "SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id"
    async with owner.read() as tx:
        rows = await tx.fetch(query)
    said = [json.loads(row["entry"]) for row in rows]
    return [one for one in said if one["kind"] == "contacts-key"]


async def test_everybody_is_found_under_another_key_and_nothing_of_the_former_is_left(
    pair: House, other: Other, owner: Database, today: int
) -> None:
    await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    assert (await look(ana, [ONE])).handles == {ONE: "ben"}
    before = (await ana.get("/api/contacts/")).json()
    marks = {row["mark"] for row in await pair.rows("SELECT mark FROM contacts.findable")}
    assert "asks" in (await told(pair, "rotate"))[-1]
    await turn(pair)
    after = (await ana.get("/api/contacts/")).json()
    assert (before["round"], after["round"]) == (1, today)
    assert not set(before["keys"]) & set(after["keys"])
    rows = await pair.rows("SELECT mark FROM contacts.findable")
    assert len(rows) == 2
    assert not marks & {row["mark"] for row in rows}
    assert (await look(ana, [ONE])).handles == {ONE: "ben"}
    # Nothing of the former: neither here nor in the other cell.
    assert [row["number"] for row in await pair.rows("SELECT number FROM contacts.round")] == [
        today
    ]
    assert await pair.rows("SELECT 1 FROM contacts.renewed") == []
    with pytest.raises(PeerRefused, match="peer-refused"):
        await other.ask("sg", "lookup", encoded(Lookup(1, bytes(16), POINT)))
    (entry,) = await entries(owner)
    assert (entry["before"], entry["round"], entry["why"]) == (1, today, "operator")
    assert entry["keys"] == after["keys"]
    terms = (await ana.get("/api/contacts/terms")).json()
    assert (terms["round"], terms["since"]) == (today, str(pair.clock.now().date()))


async def test_old_keys_are_changed_by_themselves(pair: House, owner: Database) -> None:
    ana = await findable(pair, "ana", DAN)
    await turn(pair)
    pair.clock.advance(timedelta(days=179))
    await turn(pair)
    assert (await ana.get("/api/contacts/terms")).json()["round"] == 1
    pair.clock.advance(timedelta(days=1))
    await turn(pair)
    terms = (await ana.get("/api/contacts/terms")).json()
    assert (terms["round"], terms["rotate_days"]) == (
        model.round_of(pair.clock.now().date()),
        180,
    )
    assert [entry["why"] for entry in await entries(owner)] == ["period"]


async def test_a_key_is_changed_once_a_day(pair: House) -> None:
    await told(pair, "rotate")
    with pytest.raises(contacts_console.ChangedToday):
        await told(pair, "rotate")
    await turn(pair)
    with pytest.raises(contacts_console.ChangedToday):
        await told(pair, "rotate")
    assert "by an operator, in use since" in (await told(pair, "status"))[0]


async def test_points_for_keys_that_are_over_are_not_counted(pair: House, today: int) -> None:
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", BEN)
    assert (await ana.post("/api/contacts/points?round=1", content=POINT)).status_code == 200
    await told(pair, "rotate")
    await turn(pair)
    answer = await ana.post("/api/contacts/points?round=1", content=POINT)
    refused(answer, 409, "contacts-keys-changed")
    assert (await ana.get("/api/contacts/")).json()["left"] == model.FIRST_POINTS - 1
    answer = await ana.post(f"/api/contacts/points?round={today}", content=POINT)
    assert answer.status_code == 200
    read = (await ana.get("/api/contacts/filter")).content
    assert int.from_bytes(read[16:20], "big") == today


async def test_quotas_go_on_over_a_change_in_both_cells(
    pair: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "FIRST_POINTS", 3)
    monkeypatch.setattr(model, "FIRST_POINTS", 3)
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", BEN)
    assert (await ana.post("/api/contacts/points", content=POINT * 3)).status_code == 200
    await told(pair, "rotate")
    await turn(pair)
    refused(await ana.post("/api/contacts/points", content=POINT), 429, "contacts-asked-too-much")
    async with pair.db.tx() as tx:
        await tx.execute("DELETE FROM contacts.asked")
    refused(await ana.post("/api/contacts/points", content=POINT), 429, "contacts-asked-too-much")


async def test_while_the_other_cell_is_away_the_former_key_stays(
    pair: House, other: Other, today: int
) -> None:
    await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    await told(pair, "rotate")
    other.is_away = True
    await turn(pair)
    other.is_away = False
    assert (await look(ana, [ONE])).handles == {ONE: "ben"}
    await turn(pair)
    assert (await ana.get("/api/contacts/")).json()["round"] == today
    assert (await look(ana, [ONE])).handles == {ONE: "ben"}


async def test_what_happens_between_is_brought_over(
    pair: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of key that stopped half-way, and goes on after people have changed."""
    ben = await findable(pair, "ben", BEN)
    cleo = await findable(pair, "cleo", CLEO)
    ana = await findable(pair, "ana", DAN)
    await told(pair, "rotate")
    monkeypatch.setattr("luciole.cell.contacts.rotating.TURN_S", -1.0)
    await turn(pair)
    assert (await ana.get("/api/contacts/")).json()["round"] == 1
    monkeypatch.setattr("luciole.cell.contacts.rotating.Rotating._turned", _stopped)
    monkeypatch.setattr("luciole.cell.contacts.rotating.TURN_S", 50.0)
    with pytest.raises(_Stopped):
        await turn(pair)
    assert len(await pair.rows("SELECT 1 FROM contacts.renewed")) == 3
    monkeypatch.undo()
    assert (await ben.put("/api/me/handle", json={"handle": "benoit"})).status_code == 200
    await pair.work()
    assert (await cleo.delete("/api/contacts/phone/findable")).status_code == 204
    dan = await findable(pair, "dan", "dan@example.org", "email")
    await turn(pair)
    assert (await dan.get("/api/contacts/")).json()["round"] > 1
    found = await look(ana, [ONE, f"phone:{CLEO}", "email:dan@example.org"])
    assert found.handles == {ONE: "benoit", "email:dan@example.org": "dan"}


async def test_an_opening_of_before_there_were_rounds_has_no_address_and_ends(
    pair: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    opened = pair.parts.discovery.opened

    async def as_before(person_id: UUID, sealed: bytes) -> tuple[Grant, bytes, bytes]:
        grant, value, text = await opened(person_id, sealed)
        return grant, value, b"" if text == ONE.encode() else text

    monkeypatch.setattr(pair.parts.discovery, "opened", as_before)
    await told(pair, "rotate")
    await turn(pair)
    assert (await look(ana, [ONE])).handles == {}
    assert (await ben.put("/api/contacts/phone/findable")).status_code == 204
    pair.parts.discovery.shelf.forget()
    assert (await look(ana, [ONE])).handles == {ONE: "ben"}


class _Stopped(Exception):
    pass


async def _stopped(*_: object) -> None:
    raise _Stopped


async def test_who_cannot_be_brought_over_is_found_no_more_and_holds_up_nobody(
    pair: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has spent all of their own points in the other cell has none for a new value."""
    monkeypatch.setattr(lookups, "FIRST_POINTS", 2)
    ben = await findable(pair, "ben", BEN)
    await findable(pair, "cleo", CLEO)
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", DAN)
    assert (await ben.post("/api/contacts/points", content=POINT)).status_code == 200
    await told(pair, "rotate")
    await turn(pair)
    assert (await look(ana, [ONE, f"phone:{CLEO}"])).handles == {f"phone:{CLEO}": "cleo"}
    (mine,) = (await ben.get("/api/contacts/")).json()["mine"]
    assert (mine["is_verified"], mine["is_findable"]) == (True, False)


async def test_somebody_turns_it_on_while_the_key_is_changed(
    pair: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value was of the former key, and is not taken for one of the new."""
    ben = await pair.person("ben")
    await verify(pair, ben, "phone", BEN)
    discovery = pair.parts.discovery
    former = await discovery.round()
    await told(pair, "rotate")
    await turn(pair)

    async def late(self: object) -> model.Round:
        return former

    monkeypatch.setattr(type(discovery), "round", late)
    # The other cell has destroyed its half of that.
    refused(await ben.put("/api/contacts/phone/findable"), 503, "contacts-other-cell-wrong")
    opening = model.Opening(former.number, bytes(64), b"")
    async with pair.db.tx() as tx:
        ben_id = await pair.person_id("ben")
        with pytest.raises(model.KeysChanged):
            await discovery.be_found(tx, ben_id, "phone", "ben", opening)


# --- the other cell ------------------------------------------------------------------------------


async def key_of(
    other: Other, cell: UUID, number: int, oldest: int = 1, points: bytes = b""
) -> bytes:
    body = encoded(Lookup(1, bytes(16), points, number, oldest))
    return msgspec.msgpack.decode(await other.lookups(cell, body), type=LookupAnswer).public


async def test_the_other_cell_draws_a_half_for_each_round_and_destroys_the_old(
    other: Other, today: int
) -> None:
    first = await key_of(other, US, 1)
    with pytest.raises(Refused, match="no-such-round"):
        await key_of(other, US, today, points=POINT)
    second = await key_of(other, US, today)
    assert second not in (first, await key_of(other, UUID(int=7), today))
    assert await key_of(other, US, today, points=POINT) == second
    # A second one in a day is refused, and one that is not higher.
    for number in (today + 1, today - 1):
        with pytest.raises(Refused, match="no-such-round"):
            await key_of(other, US, number)
    assert await key_of(other, US, today, today) == second
    with pytest.raises(Refused, match="no-such-round"):
        await key_of(other, US, 1)
    assert await key_of(other, UUID(int=7), 1) != first


async def test_a_salt_that_is_destroyed_is_not_on_the_disk(
    pair: House, other: Other, today: int
) -> None:
    await key_of(other, US, today)
    with other.lookups._open() as db:
        ((salt,),) = db.execute("SELECT salt FROM round").fetchall()
    assert salt in other.lookups._place.read_bytes()
    pair.clock.advance(timedelta(days=1))
    await key_of(other, US, today + 1, today + 1)
    assert salt not in other.lookups._place.read_bytes()


@pytest.mark.parametrize("rounds", [(0, 0), (5, 6), (2**31, 1), (5, 0)])
async def test_rounds_that_are_none_are_refused(other: Other, rounds: tuple[int, int]) -> None:
    body = msgspec.msgpack.encode(Lookup(1, bytes(16), b"", *rounds))
    with pytest.raises(Refused, match="bad-lookup"):
        await other.lookups(US, body)


def test_of_the_first_round_is_asked_as_before() -> None:
    """A cell that knows of no rounds understands it."""
    assert msgspec.msgpack.decode(encoded(Lookup(1, bytes(16), POINT))) == [1, bytes(16), POINT]
    assert len(msgspec.msgpack.decode(encoded(Lookup(1, bytes(16), POINT, 9, 1)))) == 5


def test_both_processes_may_ask_the_other_cell() -> None:
    """The one answers devices, the other brings people to the next key."""
    for process in ("api", "worker"):
        assert halves.KIND in door.EXCHANGES[process]
