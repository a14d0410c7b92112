"""Whom a text mentions."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.mentions import store
from luciole.cell.clips.mentions.model import MAX_MENTIONS, Mentioned, handles_of
from luciole.kit.db import Tx


async def mentioned_in(tx: Tx, writer_id: UUID, text: str) -> list[Mentioned]:
    """Those whom a text of this writer mentions and who allow that, in their order in the text. A
    handle of somebody else stays plain words, and so do those beyond MAX_MENTIONS in what was
    brought along."""
    handles = handles_of(text)[:MAX_MENTIONS]
    if not handles:
        return []
    found = await store.mentioned(tx, writer_id, handles)
    return [found[handle] for handle in handles if handle in found]
