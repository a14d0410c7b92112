"""Telling everybody that a cell goes to somebody else, and taking that back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from luciole.custody.broker import said
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.ledger.entry import canonical
from luciole.sale import store
from luciole.sale.buyer import Buyer
from luciole.sale.model import NotAnnounced, PastReturn, SaleUnderWay
from luciole.sale.store import Sale


async def announce(
    database: Database, buyer: Buyer, sale_id: UUID, now: datetime, not_before: datetime
) -> int:
    """Tells everybody and the log, in one transaction; how many people. Raises SaleUnderWay."""
    async with database.tx() as tx:
        if await store.open_sale(tx):
            raise SaleUnderWay
        await tx.execute(
            store.ANNOUNCE,
            sale_id,
            buyer.operator,
            buyer.jurisdiction,
            buyer.text,
            now,
            not_before,
        )
        people = await store.people(tx)
        await tx.execute(store.TELL, [new_id() for _ in people], people)
        entry = {
            "v": 1,
            "kind": "sale-announced",
            "at": said(now),
            "to": buyer.operator,
            "jurisdiction": buyer.jurisdiction,
            "keys": {log: str(key) for log, key in buyer.logs.items()},
            "not_before": said(not_before),
        }
        await tx.execute(store.PUT, canonical(entry))
    return len(people)


async def cancel(database: Database, now: datetime) -> Sale:
    """Takes an announced sale back. Raises NotAnnounced, PastReturn."""
    async with database.tx() as tx:
        sale = await store.open_sale(tx)
        if sale is None:
            raise NotAnnounced
        if sale.state != "announced":
            raise PastReturn
        await tx.execute(store.CANCEL, sale.id, now)
        entry = {"v": 1, "kind": "sale-cancelled", "at": said(now), "to": sale.operator}
        await tx.execute(store.PUT, canonical(entry))
    return sale
