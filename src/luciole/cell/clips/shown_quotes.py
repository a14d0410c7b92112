"""Which clip a clip is made from, for those who may see both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from luciole.cell.clips.model import Card, Credit
from luciole.cell.clips.store import quotes
from luciole.kit.db import Tx

Seen = Callable[[Tx, Sequence[UUID], UUID | None], Awaitable[list[Card]]]


async def of(
    tx: Tx, viewer_id: UUID | None, cards: Sequence[Card], seen: Seen
) -> dict[UUID, Credit]:
    """The credits of clips; `seen` gives those of the first ones that the viewer may see."""
    made = await quotes.made_from(tx, [card.id for card in cards])
    if not made:
        return {}
    firsts = {
        card.id: card for card in await seen(tx, [first for _, first in made.values()], viewer_id)
    }
    return {
        clip_id: Credit(how, firsts[first_id])
        for clip_id, (how, first_id) in made.items()
        if first_id in firsts
    }
