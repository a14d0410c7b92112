"""An address that is changed, taken away, or another person's now."""

from __future__ import annotations

import pytest
from tests.cell.contacts.conftest import findable, verify
from tests.cell.contacts.device import look
from tests.cell.house import House, refused

from luciole import blind

BEN, CLEO, DAN = "+33612345678", "+6591234567", "+12025550123"
POINT = blind.blind(b"x")[1]


@pytest.fixture
def slow_book(pair: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edition of the filter is given out for hours, as of a cell with very many people."""
    monkeypatch.setattr("luciole.cell.contacts.book.SHARE", 1e-9)


@pytest.mark.parametrize("act", ["change", "remove", "turn off", "leave"])
async def test_a_former_address_finds_nobody_from_the_next_answer_on(
    pair: House, slow_book: None, act: str
) -> None:
    ben = await findable(pair, "ben", BEN)
    await findable(pair, "cleo", CLEO)
    ana = await findable(pair, "ana", DAN)
    both = [f"phone:{BEN}", f"phone:{CLEO}"]
    first = await look(ana, both)
    assert first.handles == {both[0]: "ben", both[1]: "cleo"}
    match act:
        case "change":
            answer = await ben.put("/api/me/contacts/phone", json={"value": "+33700000001"})
        case "remove":
            answer = await ben.delete("/api/me/contacts/phone")
        case "turn off":
            answer = await ben.delete("/api/contacts/phone/findable")
        case _:
            async with pair.db.tx() as tx:
                from luciole.cell.contacts import privacy

                await privacy.erase(tx, await pair.person_id("ben"))
    if act != "leave":
        assert answer.status_code < 300, answer.text
    # The same edition of the filter is given out; the record is not in it any more.
    again = await look(ana, both)
    assert again.received[1] == first.received[1]
    assert again.handles == {both[1]: "cleo"}
    assert len(again.received[2]) == len(first.received[2])


async def test_a_new_address_is_found_once_it_is_verified_and_turned_on(pair: House) -> None:
    ben = await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    await ben.put("/api/me/contacts/phone", json={"value": CLEO})
    refused(await ben.put("/api/contacts/phone/findable"), 403, "contacts-verify-first")
    await ben.post("/api/contacts/phone/code")
    # Within a minute of the former code: the change has ended that one.
    code = pair.outside.now.codes[-1]
    assert code.to == CLEO
    assert (await ben.put("/api/contacts/phone/code", json={"code": code.code})).status_code == 204
    assert (await ben.put("/api/contacts/phone/findable")).status_code == 204
    pair.parts.discovery.shelf.forget()
    found = await look(ana, [f"phone:{BEN}", f"phone:{CLEO}"])
    assert found.handles == {f"phone:{CLEO}": "ben"}


async def test_a_number_that_is_another_persons_now_finds_them_only(
    pair: House, slow_book: None
) -> None:
    ben = await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    assert (await look(ana, [f"phone:{BEN}"])).handles == {f"phone:{BEN}": "ben"}
    # Who only types it takes nothing from anybody.
    cleo = await pair.person("cleo")
    await cleo.put("/api/me/contacts/phone", json={"value": BEN})
    assert (await look(ana, [f"phone:{BEN}"])).handles == {f"phone:{BEN}": "ben"}
    await verify(pair, cleo, "phone", BEN)
    assert (await look(ana, [f"phone:{BEN}"])).handles == {}
    (mine,) = (await ben.get("/api/contacts/")).json()["mine"]
    assert (mine["is_verified"], mine["is_findable"]) == (False, False)
    refused(await ben.post("/api/contacts/points", content=POINT), 403, "contacts-verify-first")
    assert (await cleo.put("/api/contacts/phone/findable")).status_code == 204
    pair.parts.discovery.shelf.forget()
    assert (await look(ana, [f"phone:{BEN}"])).handles == {f"phone:{BEN}": "cleo"}
