"""Recalls that another cell refused: asked for again each day, for a month.

A refusal is an entry of both logs, and says nothing about what is there: so what is called back
counts as being there until the cell has taken a recall. Who is erased is called back the same way;
of them nothing is left here but the address that they had there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from luciole.border import wire
from luciole.cell.abroad.model import RECALLED_EVERY_DAYS, RECALLED_FOR_DAYS, ref_of
from luciole.cell.abroad.service import Knowing
from luciole.cell.abroad.store import crossings, recalls
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

AT_ONCE = 50


async def settle(tx: Tx, crossing: UUID, now: datetime, is_taken: bool) -> None:
    """Notes what another cell said to a recall."""
    if is_taken:
        await recalls.end(tx, crossing)
        return
    again_at = now + timedelta(days=RECALLED_EVERY_DAYS)
    since = again_at - timedelta(days=RECALLED_FOR_DAYS)
    await recalls.refused(tx, crossing, now, again_at, since)


async def call_back(tx: Tx, peer: str, uri: str) -> None:
    """Calls somebody back who leaves for good: nothing of them is in it but that address."""
    crossing = new_id()
    await crossings.put(tx, "gone", ref_of(uri), crossing, peer, wire.encode(wire.Gone(uri)))
    await recalls.begin(tx, peer, uri, crossing, None)


async def ask_again(
    tx: Tx, now: datetime, peers: Knowing, look: Callable[[Tx, str, UUID], Awaitable[None]]
) -> int:
    """Asks again for recalls whose time has come; gives of how many. `look` decides whether
    something is still to be called back."""
    due = await recalls.due(tx, now, AT_ONCE)
    names = {one.name for one in await peers(tx)} if due else set()
    for one in due:
        await recalls.begin_again(tx, one.crossing)
        if one.subject_kind is not None and one.subject_id is not None:
            await look(tx, one.subject_kind, one.subject_id)
        elif one.peer in names:
            await call_back(tx, one.peer, one.uri)
        # What was asked for again has another number by now.
        await recalls.end(tx, one.crossing)
    return len(due)
