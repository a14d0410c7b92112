"""What becomes of a clip's film, as media tells it: how far it is, that it plays, that it is
refused."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips import store
from luciole.cell.clips.mentions.telling import Telling
from luciole.cell.clips.model import is_counted
from luciole.cell.clips.store import sounds as sound_store
from luciole.cell.media.service import Media
from luciole.cell.notify.service import Notify
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

SETTLED_AT_ONCE = 100


class Outcomes:
    """Publishes or refuses clips, and shows their authors how far they are."""

    def __init__(self, media: Media, notify: Notify, telling: Telling, clock: Clock) -> None:
        self._media, self._notify, self._telling, self._clock = media, notify, telling, clock

    async def settle(self, tx: Tx, asset_id: UUID, refused_code: str | None) -> None:
        """Publishes or refuses the clip of an asset whose outcome is known; safe to repeat."""
        if refused_code is not None:
            refused = await store.refuse(tx, asset_id, refused_code)
            if refused:
                await self._show_state(tx, *refused, {"state": "refused", "progress": 100})
            return
        published = await store.publish(tx, asset_id, self._clock.now())
        if published is None:
            return
        clip_id, author_id, audience, kind, is_new = published
        await sound_store.give(tx, asset_id, new_id())
        if is_counted(audience, kind is not None):
            await store.tally_add(tx, author_id, 1)
        await self._show_state(tx, clip_id, author_id, {"state": "published", "progress": 100})
        card = await store.card(tx, clip_id)
        if is_new and card:
            await self._telling.published(tx, card)

    async def settle_lost(self, tx: Tx) -> int:
        """Settles clips whose news got lost; gives how many."""
        lost = await store.unsettled(tx, SETTLED_AT_ONCE)
        for asset_id, refused_code in lost:
            await self.settle(tx, asset_id, refused_code)
        return len(lost)

    async def show_progress(self, tx: Tx, asset_id: UUID, percent: int) -> None:
        """Shows the author how far a clip is, how long it takes, or what it waits for."""
        found = await store.by_asset(tx, asset_id)
        way = await self._media.way(tx, asset_id)
        if found:
            body: dict[str, object] = {"state": "processing", "progress": percent}
            if way:
                body |= {"ahead": way.ahead, "left_s": way.left_s, "waits_for": way.waits_for}
            await self._show_state(tx, *found, body)

    async def _show_state(self, tx: Tx, clip: UUID, author: UUID, body: dict[str, object]) -> None:
        await self._notify.show(tx, "clip", to=author, clip_id=clip, body=body)
