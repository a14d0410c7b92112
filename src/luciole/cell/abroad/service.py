"""What a person decides about what of theirs may leave, and what they see of what did."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import msgspec

from luciole.cell.abroad import sheets
from luciole.cell.abroad.model import (
    Act,
    Consent,
    ConsentNeeded,
    Crossing,
    CrossingPlace,
    Here,
    Locale,
    NoPeers,
    NoReceipt,
    NoSuchCrossing,
    NotForOutside,
    NotFromElsewhere,
    Peer,
    QuoteStays,
    Reach,
    SheetChanged,
    Subject,
    Total,
    asks_again,
    covered,
    is_suspended,
    rounded,
)
from luciole.cell.abroad.sheets import Sheet
from luciole.cell.abroad.store import consents, crossings, elsewhere, moves
from luciole.cell.clips.comments.model import NoSuchComment
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.model import is_for_all
from luciole.cell.clips.service import Clips
from luciole.kit.clock import Clock
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import new_id

SCOPE = "crossings"
# The name under which its totals are shown, beside those of cells.
FEDIVERSE = "fediverse"


class Knowing(Protocol):
    """Says which cells this one exchanges with."""

    async def __call__(self, tx: Tx) -> list[Peer]: ...


class Place(msgspec.Struct, frozen=True):
    """How far a clip goes, where it is, and what is counted there."""

    reach: Reach
    cells: list[tuple[str, str]]
    """Name, and `offered` or `crossed`."""
    totals: list[Total]


class Abroad:
    """The front door: consents, reach, crossings."""

    def __init__(
        self,
        clips: Clips,
        comments: Comments,
        here: Here,
        clock: Clock,
        cursors: Cursors,
        *,
        has_fediverse: bool = False,
        peers: Knowing = consents.peers,
    ) -> None:
        self._clips, self._comments = clips, comments
        self.here = here
        self._clock, self._cursors = clock, cursors
        self.has_fediverse = has_fediverse
        self.peers = peers

    # --- saying yes ----------------------------------------------------------------------------

    async def sheet(self, tx: Tx, act: Act, locale: Locale) -> Sheet:
        """What a person reads before they say yes. Raises NoPeers."""
        peers = await self.peers(tx)
        if not peers and not (act == "fediverse" and self.has_fediverse):
            raise NoPeers
        return sheets.sheet(act, locale, self.here, peers)

    async def consents(self, tx: Tx, person_id: UUID) -> dict[Act, Consent]:
        """What a person has said yes to and has not taken back."""
        return await consents.in_force(tx, person_id)

    async def holds(self, tx: Tx, person_id: UUID, act: Act) -> list[Peer]:
        """The cells to which something of this kind may go now."""
        found = (await consents.in_force(tx, person_id)).get(act)
        return covered(found, self.here, await self.peers(tx))

    async def agree(self, tx: Tx, person_id: UUID, act: Act, locale: Locale, sha256: str) -> None:
        """Notes that a person has read the sheet and said yes. Raises NoPeers, SheetChanged where
        it is not the one that holds now."""
        shown = await self.sheet(tx, act, locale)
        if shown.sha256().hex() != sha256:
            raise SheetChanged
        now = self._clock.now()
        await consents.lock(tx, person_id)
        await consents.add(
            tx,
            new_id(),
            person_id,
            act,
            shown.version,
            shown.sha256(),
            locale,
            shown.operator,
            shown.jurisdiction,
            shown.peers,
            now,
        )
        await consents.add_persona(tx, person_id, new_id(), now)
        await self._look_at_all(tx, person_id)

    async def take_back(self, tx: Tx, person_id: UUID, act: Act) -> None:
        """Takes back a yes: what crossed on its ground is called back. Doing it twice is no
        error."""
        await consents.lock(tx, person_id)
        if await consents.end(tx, person_id, act, self._clock.now()):
            await self._look_at_all(tx, person_id)

    async def _look_at_all(self, tx: Tx, person_id: UUID) -> None:
        await consents.note(tx, "person", person_id)

    # --- how far a thing goes ------------------------------------------------------------------

    async def reach(self, tx: Tx, person_id: UUID, clip_id: UUID) -> Place:
        """How far a clip of this person goes. Raises NoSuchClip."""
        await self._clips.own(tx, clip_id, person_id)
        found = await crossings.live(tx, clip_id)
        totals = await elsewhere.totals(tx, clip_id)
        if (counted := await elsewhere.of_fediverse(tx, clip_id)) is not None:
            likes, shares = map(rounded, counted)
            totals.append(Total(FEDIVERSE, clip_id, likes, shares, None))
        return Place(
            await consents.reach(tx, clip_id),
            [(one.peer, one.state) for one in found if one.is_there],
            totals,
        )

    async def set_reach(self, tx: Tx, person_id: UUID, clip_id: UUID, reach: Reach) -> None:
        """Lets a clip go so far, or calls it back. Raises NoSuchClip, NotForOutside, QuoteStays,
        ConsentNeeded."""
        card = await self._clips.own(tx, clip_id, person_id)
        if reach not in ("region", await consents.reach(tx, clip_id)):
            if not is_for_all(card):
                raise NotForOutside
            if await self._clips.is_made_from(tx, clip_id):
                raise QuoteStays
            await self._require_read(tx, person_id, "fediverse" if reach == "fediverse" else "clip")
            if not await self.holds(tx, person_id, "clip") and reach == "cells":
                raise ConsentNeeded
            if reach == "fediverse" and not await self._is_open_to_all(tx, person_id):
                raise ConsentNeeded
        await consents.set_reach(tx, clip_id, person_id, reach, self._clock.now())
        await consents.note(tx, "clip", clip_id)

    async def _require_read(self, tx: Tx, person_id: UUID, act: Act) -> None:
        """Raises ConsentNeeded where a person has said yes to another text than holds now, or when
        the cells were in other countries."""
        said = (await consents.in_force(tx, person_id)).get(act)
        if said is None or asks_again(said, sheets.VERSION, await self.peers(tx)):
            raise ConsentNeeded

    async def _is_open_to_all(self, tx: Tx, person_id: UUID) -> bool:
        found = await consents.in_force(tx, person_id)
        said = found.get("fediverse")
        return self.has_fediverse and said is not None and not is_suspended(said, self.here)

    async def set_said(self, tx: Tx, person_id: UUID, comment_id: UUID, *, crosses: bool) -> None:
        """Lets a comment go to the cell of the clip that it is on, or calls it back. Raises
        NoSuchComment, NotFromElsewhere, ConsentNeeded."""
        comment = await self._comments.see(tx, comment_id, person_id)
        if comment.writer_id != person_id:
            raise NoSuchComment
        if crosses:
            of = await elsewhere.clip_is_of(tx, comment.clip_id)
            if of is None:
                raise NotFromElsewhere
            await self._require_read(tx, person_id, "comment")
            if of[0] not in {one.name for one in await self.holds(tx, person_id, "comment")}:
                raise ConsentNeeded
        await consents.set_said(tx, comment_id, person_id, self._clock.now(), is_said=crosses)
        await consents.note(tx, "comment", comment_id)

    # --- my crossings --------------------------------------------------------------------------

    async def crossings(
        self, tx: Tx, person_id: UUID, cursor: str | None, limit: int
    ) -> tuple[list[Crossing], str | None]:
        """What left, the newest first, and the next cursor."""
        place = self._cursors.read(SCOPE, cursor, CrossingPlace)
        found = await crossings.page(tx, person_id, place.id if place else None, limit + 1)
        if len(found) <= limit:
            return found, None
        found = found[:limit]
        return found, self._cursors.make(SCOPE, CrossingPlace(found[-1].id))

    async def receipt(self, tx: Tx, person_id: UUID, crossing_id: UUID) -> str:
        """What the other cell signed. Raises NoSuchCrossing, NoReceipt."""
        found = await crossings.one(tx, crossing_id, person_id)
        if found is None:
            raise NoSuchCrossing
        if not found[2]:
            raise NoReceipt
        return found[2]

    async def revoke(self, tx: Tx, person_id: UUID, crossing_id: UUID) -> None:
        """Calls back from everywhere what a crossing was about; of who they are, all that is
        theirs. Raises NoSuchCrossing."""
        found = await crossings.one(tx, crossing_id, person_id)
        if found is None:
            raise NoSuchCrossing
        subject, subject_id, _ = found
        await self._revoke(tx, person_id, subject, subject_id)

    async def _revoke(self, tx: Tx, person_id: UUID, subject: Subject, subject_id: UUID) -> None:
        now = self._clock.now()
        if subject == "clip":
            await consents.set_reach(tx, subject_id, person_id, "region", now)
            await consents.note(tx, "clip", subject_id)
        elif subject == "comment":
            await consents.set_said(tx, subject_id, person_id, now, is_said=False)
            await consents.note(tx, "comment", subject_id)
        else:
            for act in ("clip", "comment", "fediverse"):
                await self.take_back(tx, person_id, act)
            for side in moves.SIDES:
                await moves.end(tx, person_id, side, now)
            await self._look_at_all(tx, person_id)

    async def totals(self, tx: Tx, person_id: UUID) -> list[Total]:
        """What other cells count of who follows a person there."""
        return await elsewhere.totals(tx, person_id)
