"""Whether a cell may start: not once its logs go to another operator's keys."""

from __future__ import annotations

from luciole.kit.db import Database
from luciole.kit.errors import Conflict
from luciole.sale import store
from luciole.sale.model import PastReturn


class Divested(Conflict):
    code = "sale-divested"
    sentence = "This cell was handed over to another operator and does not start here any more."
    next_step = "Run ./luciole prove-removal when you have the buyer's receipt."


async def require_ours(owner_url: str) -> None:
    """Raises PastReturn, Divested."""
    database = await Database.open(owner_url, size=1)
    try:
        async with database.read() as tx:
            sale = await store.open_sale(tx)
    finally:
        await database.close()
    if sale is not None and sale.state == "handing-over":
        raise PastReturn
    if sale is not None and sale.state == "divested":
        raise Divested(f"This cell was handed over to {sale.operator} and does not start here.")
