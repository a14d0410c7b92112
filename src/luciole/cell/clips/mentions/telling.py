"""Who hears that a clip mentions or answers them: as far as they may see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from luciole.cell.clips.mentions import store
from luciole.cell.clips.mentions.model import handles_of
from luciole.cell.clips.mentions.service import mentioned_in
from luciole.cell.clips.model import Card, NoSuchClip, is_for_all
from luciole.cell.notify.model import NotificationKind
from luciole.cell.notify.service import Notify
from luciole.kit.db import Tx

# A clip that a person may see; raises NoSuchClip.
See = Callable[[Tx, UUID, UUID], Awaitable[Card]]


class Telling:
    """Tells of published clips."""

    def __init__(self, notify: Notify, see: See) -> None:
        self._notify = notify
        self._see = see

    async def published(self, tx: Tx, card: Card) -> None:
        """Tells the writer of the comment that the clip answers, those whom it mentions, and, where
        everybody may see it, the open pages."""
        writer_id = await store.writer(tx, card.answers_id) if card.answers_id else None
        if writer_id is not None:
            await self._tell(tx, "clip-reply", writer_id, card)
        await self._mentioned(tx, card, card.caption)
        if is_for_all(card):
            await self._notify.show(tx, "new-clip", to=None, by=card.author_id, clip_id=card.id)

    async def edited(self, tx: Tx, before: Card, caption: str) -> None:
        """Tells those whom the words mention now, and did not before."""
        if before.state == "published":
            await self._mentioned(tx, before, caption, handles_of(before.caption))

    async def _mentioned(self, tx: Tx, card: Card, text: str, known: Collection[str] = ()) -> None:
        for one in await mentioned_in(tx, card.author_id, text):
            if one.handle not in known:
                await self._tell(tx, "mention", one.person_id, card)

    async def _tell(self, tx: Tx, kind: NotificationKind, to: UUID, card: Card) -> None:
        try:
            await self._see(tx, card.id, to)
        except NoSuchClip:
            return
        await self._notify.tell(tx, kind, to=to, by=card.author_id, clip_id=card.id)
