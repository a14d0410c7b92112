"""Who belongs to the staff of a cell: added, removed and listed by its operator, at the machine.

Each change is an entry of the log `decisions`, under a random id: everybody can see that there are
staff and when one came, and nobody who they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from luciole import reach
from luciole.config import Settings
from luciole.custody import store
from luciole.custody.broker import said
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.errors import Conflict, NotFound
from luciole.kit.ids import new_id
from luciole.ledger import store as ledger
from luciole.ledger.entry import canonical

Change = Literal["add", "remove", "list"]
# An operator signs reads and notices; a moderator reviews what was reported; an auditor reads what
# was done, and does nothing.
ROLES = ("operator", "moderator", "auditor")


class CannotBeStaff(Conflict):
    code = "cannot-be-staff"
    sentence = (
        "Nobody of this handle has an account with a passkey for the cell's name as it is, or they "
        "are staff already."
    )
    next_step = "Let them add a passkey in their settings; ./luciole staff list shows who is staff."


class NoSuchStaff(NotFound):
    code = "no-such-staff"
    sentence = "Nobody of this handle is staff."
    next_step = "./luciole staff list shows who is."


async def change(
    settings: Settings,
    act: Change,
    handle: str,
    clock: Clock,
    roles: Sequence[str] = ("operator",),
) -> list[str]:
    """Does it, and gives lines for the console. Raises CannotBeStaff, NoSuchStaff, NoCell."""
    async with reach.reached(settings) as place:
        database = await Database.open(place.owner_url, role="luciole_custody", size=1)
        try:
            return await _changed(database, act, handle, clock, roles)
        finally:
            await database.close()


async def _changed(
    database: Database, act: Change, handle: str, clock: Clock, roles: Sequence[str]
) -> list[str]:
    async with database.tx() as tx:
        if act == "list":
            return [
                f"{staff_id}  {name}  {', '.join(held)}"
                for staff_id, name, held in await store.staff(tx)
            ]
        staff_id: UUID | None = new_id()
        if act == "add":
            assert staff_id is not None
            if not await store.add_staff(tx, staff_id, handle, clock.now(), roles):
                raise CannotBeStaff
        else:
            staff_id = await store.drop_staff(tx, handle)
            if staff_id is None:
                raise NoSuchStaff
        told = "added" if act == "add" else "removed"
        entry: dict[str, Any] = {
            "v": 1,
            "kind": "staff",
            "at": said(clock.now()),
            "staff": str(staff_id),
            "change": told,
        }
        if act == "add":
            entry["roles"] = sorted(set(roles))
        await ledger.put(tx, "decisions", canonical(entry))
    return [f"{handle} was {told}; in the log as {staff_id}."]
