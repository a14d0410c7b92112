"""Erasure of what the cell learnt: the events of a person who is being erased are taken back."""

from __future__ import annotations

from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.feed.learning import Learning
from luciole.cell.feed.model import OWN_ONLY, NewEvent
from luciole.cell.feed.store import log
from luciole.cell.feed.store import taste as store
from luciole.custody.model import KeyGone, NoGrant, NotOpened
from luciole.kit.catalogue import Removed
from luciole.kit.clock import Clock
from luciole.kit.db import Tx

PARTS_AT_ONCE = 20
PURPOSE = "erasure"


class TakingBack:
    """A step of an erasure (`kit.catalogue.Erase`), between that of people, which takes the ways in
    away, and that of feed, which drops what this has left."""

    def __init__(self, custody: Custody, clock: Clock) -> None:
        self._custody = custody
        self._learning = Learning(custody, clock, log.clips)

    async def erase(self, tx: Tx, person_id: UUID) -> Removed:
        """Notes some of the events once more with the sign -1, under the name that the session has
        in the log, which leads to nobody; and drops what they were kept in. Where the key is gone
        already there is nothing to read, and what was learnt stays a total.

        Both in one transaction, so none is taken back twice.
        """
        if not await store.versions(tx, person_id):
            return Removed()
        try:
            # Nothing of the person is locked yet: the broker notes the grant in the journal.
            grant = await self._custody.automated_grant(person_id, PURPOSE)
            parts = await store.next_parts(tx, person_id, PARTS_AT_ONCE)
            events = await self._learning.events_of(grant, parts)
        except (KeyGone, NoGrant, NotOpened):
            return Removed()
        # What only this person's own taste knew is in no total.
        back = [
            NewEvent(None, msgspec.structs.replace(one, sign=-one.sign), 0.0)
            for one in events
            if one.signal not in OWN_ONLY
        ]
        if back:
            await log.add(tx, back)
            await log.announce(tx)
        await store.drop_parts(tx, person_id, [part.version for part in parts])
        return Removed({"signals taken back": len(back)}, is_more=len(parts) == PARTS_AT_ONCE)
