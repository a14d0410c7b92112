"""What people see of a sale before and after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.cell.sale.support import Town, fetch, sign_in

from luciole.cell.abroad.store import consents
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.sale import announcing


async def said(town: Town) -> dict[str, Any]:
    return dict((await town.house.visitor().get("/api/cell/sale")).json())


async def test_everybody_is_told_before_and_may_see_until_when(town: Town) -> None:
    ana = await town.house.person("ana")
    assert await said(town) == {
        "state": "none",
        "operator": None,
        "jurisdiction": None,
        "not_before": None,
        "since": None,
    }
    assert await town.announce(days=30) == 1
    found = await said(town)
    assert (found["state"], found["operator"]) == ("announced", "Nouvelle Maison SAS")
    assert found["jurisdiction"] == "FR"
    until = town.house.clock.now() + timedelta(days=30)
    assert found["not_before"].startswith(f"{until:%Y-%m-%dT%H:%M}")
    (line,) = (await ana.get("/api/notifications")).json()["items"]
    assert (line["kind"], line["by"]) == ("operator-change", None)
    database = await Database.open(town.owner_url, size=1)
    await announcing.cancel(database, town.house.clock.now())
    await database.close()
    assert (await said(town))["state"] == "none"
    kinds = [
        row["entry"].decode().partition('"kind":"')[2].partition('"')[0]
        for row in await fetch(
            town.owner_url, "SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id"
        )
    ]
    assert kinds == ["sale-announced", "sale-cancelled"]


async def test_consents_of_before_a_sale_are_asked_again(town: Town) -> None:
    await town.house.person("ana")
    person_id, now = await town.house.person_id("ana"), town.house.clock.now()
    peers = '[{"name": "sg", "operator": "S", "jurisdiction": "SG"}]'
    async with town.house.db.tx() as tx:
        # The same name as the new operator's: only the day of the sale tells them apart.
        await tx.execute(
            consents.ADD,
            *(new_id(), person_id, "clip", 1, b"x" * 32, "en", "House", "FR", peers, now),
        )
        before = (await consents.in_force(tx, person_id))["clip"]
    assert before.operator == "House"
    await fetch(
        town.owner_url,
        "INSERT INTO house.sale (id, state, operator, jurisdiction, keys, announced_at, not_before,"
        " ended_at) VALUES ($1, 'adopted', 'House', 'FR', 'k', $2, $2, $2)",
        new_id(),
        now + timedelta(days=1),
    )
    async with town.house.db.tx() as tx:
        after = (await consents.in_force(tx, person_id))["clip"]
    assert after.operator == "House (before)"


async def test_new_operator_is_said_and_consents_of_before_are_known_as_such(
    town: Town, tiny_film: bytes, elsewhere: str
) -> None:
    query = "SELECT house.operator_since() AS since"
    assert await fetch(town.owner_url, query) == [(None,)]
    await town.sell(tiny_film)
    await town.adopt(elsewhere)
    assert await fetch(elsewhere, query) == [(town.house.clock.now(),)]
    buyer = await town.boot(elsewhere)
    try:
        found = (await buyer.visitor().get("/api/cell/sale")).json()
        assert (found["state"], found["operator"]) == ("adopted", "Nouvelle Maison SAS")
        assert found["since"] is not None
        ana = await sign_in(buyer, "ana")
        lines = (await ana.get("/api/notifications")).json()["items"]
        assert [one["kind"] for one in lines][:2] == ["operator-change"] * 2
        # Each slice that keeps consents may ask since when the operator is the one of today.
        async with buyer.db.tx() as tx:
            for role in ("luciole_people", "luciole_rights", "luciole_clips", "luciole_notify"):
                await tx.execute(f"SET LOCAL ROLE {role}")
                assert await tx.fetchval(query) is not None
    finally:
        await town.shut(buyer)
