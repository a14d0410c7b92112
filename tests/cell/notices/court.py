"""What a court asks for in the tests, and how the operator does it."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.cell.house import House

from luciole.cell.notices import model
from luciole.cell.notices.model import Notice, What, Wish
from luciole.kit.db import Database

FR = {"x-country": "FR"}
DE = {"x-country": "DE"}
COURT = Wish(
    countries=("FR",),
    ground="court",
    ordered_by="Tribunal judiciaire de Paris",
    law="Loi n° 2004-575, article 6-I.8; case 26/01234",
    reason="The court found the caption to be defamatory.",
    appeal="Cour d'appel de Paris, until 2026-12-15",
)
SETTLE = "notices.settle"
DECISIONS = "SELECT entry FROM ledger.inbox WHERE log = 'decisions' ORDER BY id"
Pools = tuple[Database, Database]


async def withhold(house: House, what: What, name: str, **wish: Any) -> Notice:
    """Something withheld, in France where the wish says nothing else."""
    async with house.db.tx() as tx:
        subject = await house.parts.notices.find(tx, what, name)
        asked = msgspec.structs.replace(COURT, **wish)
        return await house.parts.notices.withhold(tx, subject, asked)


async def lift(house: House, notice: Notice, why: str = "The court has changed its mind.") -> None:
    async with house.db.tx() as tx:
        await house.parts.notices.lift(tx, notice.id, why)


async def decisions(pools: Pools) -> list[dict[str, Any]]:
    """What the log of decisions was given, in order."""
    async with pools[0].read() as tx:
        return [msgspec.json.decode(row["entry"]) for row in await tx.fetch(DECISIONS)]


async def report(house: House) -> dict[str, Any]:
    return dict((await house.visitor().get("/api/notices/report")).json())


async def order(house: House, **fields: Any) -> model.Request:
    asked: dict[str, Any] = {
        "authority": "Police nationale",
        "country": "FR",
        "law": "Code de procédure pénale, article 60-1",
        "asks_for": "data",
        "persons": 2,
        "received_on": house.clock.now().date(),
        "gag_until": None,
    }
    async with house.db.tx() as tx:
        return await house.parts.notices.add_order(tx, **{**asked, **fields})


async def settle(house: House, one: model.Request, outcome: model.Settled) -> None:
    async with house.db.tx() as tx:
        await house.parts.notices.settle_order(tx, one.id, outcome)
