"""The route that says whether the cell goes to another operator, or has come from one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from litestar import Router, get

from luciole.cell.rights.store import sale
from luciole.kit.db import Database


class SaleBody(msgspec.Struct):
    """`announced`: the cell goes to this operator, not before `not_before`; until then everybody
    can take their data along, move to another cell, or leave. `adopted`: it has come to this
    operator, at `since`. `none`: neither."""

    state: Literal["none", "announced", "adopted"]
    operator: str | None = None
    jurisdiction: str | None = None
    not_before: datetime | None = None
    since: datetime | None = None


def routes(db: Database) -> Router:
    """For everybody, signed in or not."""

    @get("/api/cell/sale")
    async def notice() -> SaleBody:
        """Whether this cell is handed over, to whom and when."""
        async with db.read() as tx:
            found = await sale.newest(tx)
        if found is None:
            return SaleBody("none")
        if found.state == "adopted":
            return SaleBody("adopted", found.operator, found.jurisdiction, since=found.ended_at)
        return SaleBody(
            "announced", found.operator, found.jurisdiction, not_before=found.not_before
        )

    return Router("/", route_handlers=[notice], tags=["cell"])
