"""What contact discovery knows of a person is in their export, and goes with them."""

from __future__ import annotations

from tests.cell.contacts.conftest import findable
from tests.cell.contacts.device import look
from tests.cell.house import House

from luciole.cell.contacts import privacy

BEN, ANA = "+33612345678", "+12025550123"
TABLES = ("verification", "sent", "verified", "findable", "asked")


async def test_what_is_exported_names_no_contact(pair: House) -> None:
    await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", ANA)
    await look(ana, [f"phone:{BEN}", "phone:+6591234567"])
    ana_id = await pair.person_id("ana")
    rows = {}
    async with pair.db.tx() as tx:
        for one in privacy.EXPORT:
            rows[one.name] = [row async for row in one.rows(tx, ana_id)]
            for row in rows[one.name]:
                assert set(row) == set(one.fields)
    (verified,) = rows["verified-addresses"]
    assert (verified["kind"], verified["is_findable"]) == ("phone", True)
    assert rows["contacts-asked"][0]["points"] == 2
    assert rows["codes-sent"][0]["codes"] == 1
    assert "ben" not in str(rows)
    assert BEN not in str(rows)


async def test_nothing_is_left_of_who_is_erased(pair: House) -> None:
    await findable(pair, "ben", BEN)
    ana = await findable(pair, "ana", ANA)
    await look(ana, [f"phone:{BEN}"])
    ben_id = await pair.person_id("ben")
    async with pair.db.tx() as tx:
        await privacy.erase(tx, ben_id)
        again = await privacy.erase(tx, ben_id)
    assert again.counts == {"found by": 0}
    for table in TABLES:
        left = await pair.rows(f"SELECT 1 FROM contacts.{table} WHERE person_id = $1", ben_id)
        assert left == [], table
    pair.parts.discovery.shelf.forget()
    assert (await look(ana, [f"phone:{BEN}"])).handles == {}
