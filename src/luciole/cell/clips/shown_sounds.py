"""Which sounds a viewer is told of beside clips."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.model import Card
from luciole.cell.clips.sounds_model import Sound
from luciole.cell.clips.store import sounds as sound_store
from luciole.cell.graph.service import Graph
from luciole.kit.db import Tx


async def of(tx: Tx, graph: Graph, viewer_id: UUID | None, cards: list[Card]) -> dict[UUID, Sound]:
    """The sounds of clips: those that are there for everybody, and the viewer's own."""
    wanted = {card.sound_id for card in cards if card.sound_id is not None}
    found = await sound_store.sounds(tx, wanted) if wanted else {}
    # Who may see a clip is not kept apart from its author; a borrowed sound has another owner.
    authors = {card.author_id for card in cards}
    others = {one.owner_id for one in found.values()} - authors
    apart: frozenset[UUID] = frozenset()
    if viewer_id is not None and others:
        apart = await graph.apart_among(tx, viewer_id, others)
    return {
        one.id: one
        for one in found.values()
        if (one.is_open or one.owner_id == viewer_id) and one.owner_id not in apart
    }
