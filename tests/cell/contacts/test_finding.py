"""Finding people whom one knows, through the API and with the other cell's real handler."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.cell.contacts.conftest import US, Other, findable, verify
from tests.cell.contacts.device import look
from tests.cell.house import House, refused

from luciole import blind
from luciole.border.wire import Lookup
from luciole.cell.contacts import model
from luciole.kit.db import Database
from luciole.trustee import lookups

BEN, CLEO, DAN = "+33612345678", "+6591234567", "+12025550123"
POINT = blind.blind(b"x")[1]


@pytest.fixture
def owner(pools: tuple[Database, Database]) -> Database:
    return pools[0]


async def test_people_who_want_to_be_found_are_found_by_their_number(
    pair: House, owner: Database
) -> None:
    await findable(pair, "ben", BEN)
    await findable(pair, "cleo", "Cleo@Example.org", "email")
    dan = await pair.person("dan")
    await verify(pair, dan, "phone", DAN)  # and does not want to be found
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", CLEO)
    found = await look(ana, [f"phone:{BEN}", "email:cleo@example.org", f"phone:{DAN}"])
    assert found.handles == {f"phone:{BEN}": "ben", "email:cleo@example.org": "cleo"}


async def test_who_wants_it_no_more_is_found_no_more(pair: House, owner: Database) -> None:
    ben = await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    assert (await look(ana, [f"phone:{BEN}"])).handles == {f"phone:{BEN}": "ben"}
    assert (await ben.delete("/api/contacts/phone/findable")).status_code == 204
    pair.parts.discovery.shelf.forget()
    assert (await look(ana, [f"phone:{BEN}"])).handles == {}


@pytest.mark.parametrize("act", ["change", "remove"])
async def test_another_address_is_not_verified_and_not_found(
    pair: House, owner: Database, act: str
) -> None:
    ben = await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    if act == "change":
        await ben.put("/api/me/contacts/phone", json={"value": CLEO})
    else:
        await ben.delete("/api/me/contacts/phone")
    mine = (await ben.get("/api/contacts/")).json()["mine"]
    assert [(one["is_verified"], one["is_findable"]) for one in mine] == (
        [(False, False)] if act == "change" else []
    )
    assert (await look(ana, [f"phone:{BEN}", f"phone:{CLEO}"])).handles == {}


async def test_a_new_handle_is_found(pair: House, owner: Database) -> None:
    ben = await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", DAN)
    assert (await ben.put("/api/me/handle", json={"handle": "benoit"})).status_code == 200
    await pair.work()
    assert (await look(ana, [f"phone:{BEN}"])).handles == {f"phone:{BEN}": "benoit"}


async def test_a_cut_filter_finds_the_same(
    pair: House, owner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair.parts.discovery.shelf, "_whole_up_to", 1)
    monkeypatch.setattr("luciole.cell.contacts.book.PEOPLE_PER_PART", 1)
    monkeypatch.setattr("luciole.cell.contacts.book.PEOPLE_PER_BUCKET", 1)
    await findable(pair, "ben", BEN)
    await findable(pair, "cleo", CLEO)
    ana = await findable(pair, "ana", DAN)
    found = await look(ana, [f"phone:{BEN}", f"phone:{CLEO}", "phone:+4915112345678"])
    assert found.handles == {f"phone:{BEN}": "ben", f"phone:{CLEO}": "cleo"}
    answer = await ana.post("/api/contacts/buckets", json={"bits": 9, "indexes": [0]})
    refused(answer, 409, "contacts-filter-changed")


async def test_looking_and_being_found_need_an_address_of_ones_own(
    pair: House, owner: Database
) -> None:
    ana = await pair.person("ana")
    answer = await ana.post("/api/contacts/points", content=POINT)
    refused(answer, 403, "contacts-verify-first")
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    refused(await ana.put("/api/contacts/phone/findable"), 403, "contacts-verify-first")
    await ana.post("/api/contacts/phone/code")
    said = pair.outside.now.codes[-1]
    assert (await ana.put("/api/contacts/phone/code", json={"code": said.code})).status_code == 204
    assert (await ana.put("/api/contacts/phone/findable")).status_code == 204
    assert (await ana.post("/api/contacts/points", content=POINT)).status_code == 200


async def test_visitors_learn_the_terms_only(pair: House) -> None:
    visitor = pair.visitor()
    refused(await visitor.get("/api/contacts/"), 401, "not-signed-in")
    refused(await visitor.get("/api/contacts/filter"), 401, "not-signed-in")
    refused(await visitor.post("/api/contacts/points", content=POINT), 401, "not-signed-in")
    terms = (await visitor.get("/api/contacts/terms")).json()
    assert (terms["first_points"], terms["points_per_day"]) == (1_000, 50)


async def test_alone_a_cell_does_not_offer_it(house: House) -> None:
    ana = await house.person("ana")
    body = (await ana.get("/api/contacts/")).json()
    assert (body["is_offered"], body["keys"], body["other_cell"]) == (False, [], None)
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    refused(await ana.put("/api/contacts/phone/findable"), 404, "contacts-not-offered")
    answer = await ana.post("/api/contacts/points", content=POINT)
    refused(answer, 404, "contacts-not-offered")
    refused(await ana.get("/api/contacts/filter"), 404, "contacts-not-offered")
    refused(await ana.post("/api/contacts/phone/code"), 503, "contacts-no-codes")


# --- quotas ------------------------------------------------------------------------------------


def test_both_cells_count_by_the_same_numbers() -> None:
    for name in ("FIRST_POINTS", "POINTS_PER_DAY", "MAX_POINTS_AT_ONCE", "INFO"):
        assert getattr(model, name) == getattr(lookups, name)


async def test_the_home_cell_counts_and_days_add(
    pair: House, other: Other, owner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("luciole.cell.contacts.model.FIRST_POINTS", 3)
    monkeypatch.setattr("luciole.cell.contacts.model.POINTS_PER_DAY", 2)
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", BEN)
    assert (await ana.post("/api/contacts/points", content=POINT * 3)).status_code == 200
    answer = await ana.post("/api/contacts/points", content=POINT)
    refused(answer, 429, "contacts-asked-too-much")
    # The other cell was not asked for it.
    assert other.lookups.asked_on(US, pair.clock.now().date()) == 3
    pair.clock.advance(timedelta(days=1))
    assert (await ana.get("/api/contacts/")).json()["left"] == 2
    assert (await ana.post("/api/contacts/points", content=POINT * 2)).status_code == 200
    refused(await ana.post("/api/contacts/points", content=POINT), 429, "contacts-asked-too-much")
    days = (await ana.get("/api/contacts/terms")).json()["days"]
    assert [day["points"] for day in days] == [3]


async def test_the_other_cell_counts_by_itself(
    pair: House, owner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home cell that forgets what somebody has asked gets no more for them."""
    monkeypatch.setattr(lookups, "FIRST_POINTS", 3)
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", BEN)
    assert (await ana.post("/api/contacts/points", content=POINT * 3)).status_code == 200
    async with owner.tx() as tx:
        await tx.execute("DELETE FROM contacts.asked")
    answer = await ana.post("/api/contacts/points", content=POINT)
    refused(answer, 429, "contacts-asked-too-much")
    pair.clock.advance(timedelta(days=1))
    assert (await ana.post("/api/contacts/points", content=POINT)).status_code == 200


async def test_the_other_cell_takes_so_many_new_askers_a_day(other: Other) -> None:
    lookups_of = other.lookups
    lookups_of._most_new = 2
    import msgspec

    from luciole.trustee.asked import Refused

    for asker in (b"a", b"b", b"a"):
        await lookups_of(US, msgspec.msgpack.encode(Lookup(1, asker * 16, POINT)))
    with pytest.raises(Refused, match="too-many-askers"):
        await lookups_of(US, msgspec.msgpack.encode(Lookup(1, b"c" * 16, POINT)))


async def test_what_comes_to_nothing_is_not_counted(
    pair: House, other: Other, owner: Database
) -> None:
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", BEN)
    other.is_away = True
    answer = await ana.post("/api/contacts/points", content=POINT * 9)
    refused(answer, 503, "contacts-other-cell-away")
    other.is_away = False
    assert (await ana.get("/api/contacts/")).json()["left"] == 1_000
    for body in (b"", bytes(31), bytes(32), b"\xff" * 32, POINT + b"\xff" * 32):
        answer = await ana.post("/api/contacts/points", content=body)
        refused(answer, 400, "contacts-bad-points")
    assert (await ana.get("/api/contacts/")).json()["left"] == 1_000


async def test_a_cell_that_lies_makes_nobody_findable(
    pair: House, other: Other, owner: Database
) -> None:
    ben = await pair.person("ben")
    await verify(pair, ben, "phone", BEN)
    other.lies = True
    refused(await ben.put("/api/contacts/phone/findable"), 503, "contacts-other-cell-wrong")
    ana = await pair.person("ana")
    await verify(pair, ana, "phone", DAN)
    with pytest.raises(blind.BadProof):
        await look(ana, [f"phone:{BEN}", f"phone:{CLEO}"])
    other.lies = False
    assert (await ben.put("/api/contacts/phone/findable")).status_code == 204


async def test_peers_have_keys_of_their_own(other: Other) -> None:
    import msgspec

    from luciole.border.wire import LookupAnswer

    asked = msgspec.msgpack.encode(Lookup(1, bytes(16), b""))
    keys = {
        msgspec.msgpack.decode(await other.lookups(cell, asked), type=LookupAnswer).public
        for cell in (US, US, type(US)(int=7))
    }
    assert len(keys) == 2


# --- codes -------------------------------------------------------------------------------------


async def test_a_code_is_good_for_a_while_and_for_few_tries(pair: House, owner: Database) -> None:
    ana = await pair.person("ana")
    refused(await ana.post("/api/contacts/phone/code"), 404, "contacts-no-address")
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    assert (await ana.post("/api/contacts/phone/code")).status_code == 204
    refused(await ana.post("/api/contacts/phone/code"), 429, "contacts-codes-too-often")
    said = pair.outside.now.codes[-1]
    wrong = f"{(int(said.code) + 1) % 10**6:06}"
    for _ in range(model.CODE_TRIES):
        answer = await ana.put("/api/contacts/phone/code", json={"code": wrong})
        refused(answer, 409, "contacts-wrong-code")
    answer = await ana.put("/api/contacts/phone/code", json={"code": said.code})
    refused(answer, 409, "contacts-wrong-code")
    pair.clock.advance(timedelta(minutes=2))
    assert (await ana.post("/api/contacts/phone/code")).status_code == 204
    said = pair.outside.now.codes[-1]
    pair.clock.advance(timedelta(minutes=model.CODE_MINUTES, seconds=1))
    answer = await ana.put("/api/contacts/phone/code", json={"code": said.code})
    refused(answer, 409, "contacts-wrong-code")
    assert (await ana.post("/api/contacts/phone/code")).status_code == 204
    said = pair.outside.now.codes[-1]
    spaced = f" {said.code[:3]} {said.code[3:]} "
    assert (await ana.put("/api/contacts/phone/code", json={"code": spaced})).status_code == 204


async def test_a_code_is_for_the_address_that_it_went_to(pair: House, owner: Database) -> None:
    ana = await pair.person("ana")
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    await ana.post("/api/contacts/phone/code")
    said = pair.outside.now.codes[-1]
    await ana.put("/api/me/contacts/phone", json={"value": CLEO})
    answer = await ana.put("/api/contacts/phone/code", json={"code": said.code})
    refused(answer, 409, "contacts-wrong-code")


async def test_five_codes_a_day(pair: House, owner: Database) -> None:
    ana = await pair.person("ana")
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    for _ in range(model.CODES_PER_DAY):
        assert (await ana.post("/api/contacts/phone/code")).status_code == 204
        pair.clock.advance(timedelta(minutes=2))
    refused(await ana.post("/api/contacts/phone/code"), 429, "contacts-codes-too-often")
    # Only the newest is good.
    assert len(await pair.rows("SELECT 1 FROM contacts.verification")) == 1


async def test_old_codes_and_counts_are_forgotten(pair: House, owner: Database) -> None:
    ana = await pair.person("ana")
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    await ana.post("/api/contacts/phone/code")
    pair.clock.advance(timedelta(days=3))
    await pair.parts.queue.run_periodic("contacts.tidy")
    for table in ("verification", "sent"):
        assert await pair.rows(f"SELECT 1 FROM contacts.{table}") == []


async def test_a_code_that_does_not_leave_may_be_asked_again_at_once(
    pair: House, other: Other
) -> None:
    ana = await pair.person("ana")
    await ana.put("/api/me/contacts/phone", json={"value": BEN})
    other.is_away = True
    refused(await ana.post("/api/contacts/phone/code"), 503, "contacts-code-not-sent")
    other.is_away = False
    assert (await ana.post("/api/contacts/phone/code")).status_code == 204
