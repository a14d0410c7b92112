"""Who may make a clip from another, and until when it stays so."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.quotes_model import (
    BadQuote,
    How,
    MadeFrom,
    NotQuotable,
    QuotesClosed,
    part_of,
)
from luciole.cell.clips.service import Clips
from luciole.cell.clips.store import quotes as store
from luciole.cell.media.service import Media
from luciole.kit.db import Tx

LAPSED_AT_ONCE = 100


class Quotes:
    """The front door of duets and stitches."""

    def __init__(self, clips: Clips, media: Media) -> None:
        self._clips, self._media = clips, media

    async def take(
        self,
        tx: Tx,
        me: UUID,
        first_id: UUID,
        how: How,
        start_ms: int,
        end_ms: int | None,
        *,
        has_sound: bool,
    ) -> MadeFrom:
        """A clip to make one from; it stays quotable until the transaction ends. Raises NoSuchClip,
        Withheld, NotQuotable, BadQuote."""
        card = await self._clips.see(tx, first_id, me)
        found = await store.quotable(tx, first_id)
        if found is None or not (found.lets_quote or found.author_id == me):
            raise NotQuotable
        if has_sound:
            raise BadQuote
        start_ms, end_ms = part_of(how, start_ms, end_ms, card.duration_ms or 0)
        return MadeFrom(first_id, found.asset_id, how, start_ms, end_ms)

    async def set_lets(
        self, tx: Tx, me: UUID, clip_id: UUID, lets: bool | None, *, is_minor: bool
    ) -> None:
        """Whether others may quote an own clip; None: as one prefers. What was made from it loses
        it within a minute or two. Raises NoSuchClip, QuotesClosed."""
        await self._clips.own(tx, clip_id, me)
        if is_minor and lets is not False:
            raise QuotesClosed
        await store.set_lets(tx, clip_id, lets)

    async def lets(self, tx: Tx, me: UUID, clip_id: UUID) -> bool | None:
        """What was said of an own clip. Raises NoSuchClip."""
        await self._clips.own(tx, clip_id, me)
        return await store.lets(tx, clip_id)

    async def prefers(self, tx: Tx, me: UUID, *, is_minor: bool) -> bool:
        """Whether others may quote clips of which nothing else was said."""
        return not is_minor and await store.prefers(tx, me)

    async def prefer(self, tx: Tx, me: UUID, lets: bool, *, is_minor: bool) -> None:
        """Raises QuotesClosed."""
        if is_minor and lets:
            raise QuotesClosed
        await store.prefer(tx, me, lets)

    async def lapse(self, tx: Tx) -> int:
        """Has the quoted part taken out of clips that must not show it any more; gives how many."""
        found = await store.lapsed(tx, LAPSED_AT_ONCE)
        for clip_id, asset_id in found:
            await store.let_go(tx, clip_id)
            await self._media.lose_quote(tx, asset_id)
        return len(found)
