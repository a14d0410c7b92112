"""Puts what came from other cells in its place, so that it works here as ours does.

What comes was let in by the gateway: the cell is a peer, the shape is declared, the entry is in its
log. Here it is asked what that cell may speak for: its own people and clips, and comments of theirs
on ours. Everything else is dropped. A clip has its place only when its film is here, has been
looked at in the fence, and is stored: until then it waits, and nobody sees anything of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from luciole.border import wire
from luciole.cell.abroad.films import Films, Waits
from luciole.cell.abroad.model import TAKEN, Peer, is_of, own
from luciole.cell.abroad.moving.movers import Movers, is_word_of
from luciole.cell.abroad.service import Abroad
from luciole.cell.abroad.store import consents, crossings, elsewhere
from luciole.cell.abroad.store.elsewhere import Arrival
from luciole.cell.clips.comments.model import BadComment, MayNotComment, NoSuchComment
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.model import NoSuchClip, NotPublishedYet
from luciole.cell.clips.service import Clips
from luciole.cell.people.service import People
from luciole.kit.catalogue import Erase
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.errors import Problem, TooMany, Unavailable
from luciole.kit.ids import new_id
from luciole.kit.logs import log

AT_ONCE = 50
# What waits for something is tried again after so long, twice as long each time, and given up.
FIRST_RETRY_S = 2.0
MAX_RETRY_S = 3600.0
KEPT_DAYS = 7
CLIPS_AT_ONCE = 20
# Of these, a newer word about the same thing takes the older one's place.
REPLACED = (("person", "clip", "comment", "gone"), ("follow", "unfollow"), ("totals",), ("move",))


class Arriving:
    """Takes in what came. `slices` are the steps by which a person's things are removed, as for an
    erasure."""

    def __init__(
        self,
        db: Database,
        abroad: Abroad,
        people: People,
        clips: Clips,
        comments: Comments,
        films: Films,
        clock: Clock,
        slices: Sequence[Erase],
        movers: Movers,
    ) -> None:
        self._db, self._abroad, self._clock = db, abroad, clock
        self._people, self._clips, self._comments = people, clips, comments
        self._films, self._slices, self._movers = films, tuple(slices), movers

    async def catch_up(self) -> int:
        """Takes in all that is due; gives how much."""
        done = 0
        while taken := await self._take_over():
            done += taken
        async with self._db.read() as tx:
            due = await elsewhere.due(tx, self._clock.now(), AT_ONCE)
        while due:
            for arrival in due:
                await self._place(arrival)
            done += len(due)
            async with self._db.read() as tx:
                due = await elsewhere.due(tx, self._clock.now(), AT_ONCE)
        return done

    async def _take_over(self) -> int:
        async with self._db.tx() as tx:
            taken = await elsewhere.take_arrivals(tx, TAKEN, AT_ONCE)
            for arrival in taken:
                try:
                    body = wire.decode(arrival.body)
                except wire.BadCrossing:
                    continue
                if not isinstance(body, wire.Push):
                    await elsewhere.keep(tx, arrival, body.uri, self._clock.now())
                    older = next(kinds for kinds in REPLACED if arrival.kind in kinds)
                    await elsewhere.drop_older(tx, arrival.peer, body.uri, arrival.id, older)
            return len(taken)

    async def _place(self, arrival: Arrival) -> None:
        """Gives one thing its place, or a later turn. What a cell may not say is dropped."""
        body = wire.decode(arrival.body)
        async with self._db.read() as tx:
            peers = {one.name: one for one in await self._abroad.peers(tx)}
        peer = peers.get(arrival.peer)
        try:
            if peer is not None:
                await self._put(arrival, peer, body)
            async with self._db.tx() as tx:
                await elsewhere.take(tx, arrival.id)
        except (Waits, TooMany, Unavailable):
            await self._wait(arrival)
        except Problem as refusal:
            log.warning("a crossing has no place here", code=refusal.code)
            async with self._db.tx() as tx:
                await elsewhere.take(tx, arrival.id)
        except Exception as error:
            # A fault of ours: others have their turn, and this one again.
            log.error("a crossing cannot have its place", exc_info=error)
            await self._wait(arrival)

    async def _wait(self, arrival: Arrival) -> None:
        now = self._clock.now()
        async with self._db.tx() as tx:
            if now - arrival.came_at > timedelta(days=KEPT_DAYS):
                await elsewhere.take(tx, arrival.id)
                return
            after = min(FIRST_RETRY_S * 2 ** min(arrival.tries, 20), MAX_RETRY_S)
            await elsewhere.try_later(tx, arrival.id, now + timedelta(seconds=after))

    async def _put(self, arrival: Arrival, peer: Peer, body: wire.Crossing) -> None:
        match body:
            case wire.Person() if is_of(peer, body.uri):
                await self._person(peer, body)
            case wire.Clip() if is_of(peer, body.uri) and is_of(peer, body.by):
                await self._clip(arrival, peer, body)
            case wire.Comment() if is_of(peer, body.uri) and is_of(peer, body.by):
                await self._comment(peer, body)
            case wire.Gone() if is_of(peer, body.uri):
                await self._gone(peer, body.uri)
            case wire.Follow() | wire.Unfollow():
                await self._reader(peer, body)
            case wire.Totals():
                await self._totals(peer, body)
            case wire.Move() if is_word_of(peer, body):
                await self._movers.place(peer, body)
            case _:
                log.warning("a crossing speaks for what is not its cell's")

    # --- people --------------------------------------------------------------------------------

    async def _person(self, peer: Peer, body: wire.Person) -> None:
        async with self._db.tx() as tx:
            person_id = await elsewhere.person(tx, body.uri, peer.name)
            is_new = person_id is None
            person_id = person_id or new_id()
            await self._people.put_of_elsewhere(
                tx,
                person_id,
                home=peer.name,
                handle=body.handle,
                display_name=body.name,
                bio=body.bio,
            )
            if is_new:
                await elsewhere.add_person(tx, person_id, peer.name, body.uri)
            known = await elsewhere.avatar(tx, person_id)
            # What waited for them has its turn now.
            await elsewhere.hurry(tx, peer.name, self._clock.now())
        wanted = bytes.fromhex(body.avatar.sha256) if body.avatar else None
        if wanted != known:
            await self._films.avatar(peer, person_id, body.avatar)

    # --- clips ---------------------------------------------------------------------------------

    async def _clip(self, arrival: Arrival, peer: Peer, body: wire.Clip) -> None:
        async with self._db.tx() as tx:
            author_id = await elsewhere.person(tx, body.by, peer.name)
            if author_id is None:
                raise Waits
            known = await elsewhere.clip(tx, body.uri, peer.name)
            if known is not None:
                if known[1] == author_id:
                    await self._films.change(tx, *known, body)
                return
        await self._films.add(peer, author_id, body, arrival.id)

    # --- comments ------------------------------------------------------------------------------

    async def _comment(self, peer: Peer, body: wire.Comment) -> None:
        on = own(self._abroad.here, body.on)
        if on is None or on[0] != "clip":
            return
        async with self._db.tx() as tx:
            writer_id = await elsewhere.person(tx, body.by, peer.name)
            if writer_id is None:
                raise Waits
            if await elsewhere.comment(tx, body.uri, peer.name) is not None:
                return
            if await consents.reach(tx, on[1]) == "region":
                return
            to_id = await self._answered(tx, peer, body.to)
            try:
                made = await self._comments.write(tx, writer_id, on[1], body.text, to_id)
            except (NoSuchClip, NoSuchComment, NotPublishedYet, MayNotComment, BadComment):
                # What the author of the clip does not take is not told to who wrote it.
                return
            await elsewhere.add_comment(tx, made.id, writer_id, peer.name, body.uri)

    async def _answered(self, tx: Tx, peer: Peer, uri: str | None) -> UUID | None:
        if uri is None:
            return None
        found = own(self._abroad.here, uri)
        if found is not None:
            return found[1] if found[0] == "comment" else None
        theirs = await elsewhere.comment(tx, uri, peer.name)
        return theirs[0] if theirs else None

    # --- what is taken back --------------------------------------------------------------------

    async def _gone(self, peer: Peer, uri: str) -> None:
        async with self._db.tx() as tx:
            clip = await elsewhere.clip(tx, uri, peer.name)
            if clip is not None:
                await self._clips.delete(tx, clip[1], clip[0])
                return
            comment = await elsewhere.comment(tx, uri, peer.name)
            if comment is not None:
                with contextlib.suppress(NoSuchComment):
                    await self._comments.remove(tx, comment[1], comment[0])
                return
            person_id = await elsewhere.person(tx, uri, peer.name)
        if person_id is not None:
            await self._forget(person_id)

    async def _forget(self, person_id: UUID) -> None:
        """Removes a person of elsewhere and all that is theirs here. If we stop in between, it is
        begun again: what came stays until it is done."""
        more = True
        while more:
            async with self._db.tx() as tx:
                clips = await elsewhere.clips_of(tx, person_id, CLIPS_AT_ONCE)
                for clip_id in clips:
                    await self._clips.delete(tx, person_id, clip_id)
                more = bool(clips)
        async with self._db.tx() as tx:
            await self._people.set_avatar(tx, person_id, None)
        for erase in self._slices:
            more = True
            while more:
                async with self._db.tx() as tx:
                    more = (await erase(tx, person_id)).is_more
        async with self._db.tx() as tx:
            if await self._people.lock_out_all(tx, person_id):
                for erase in self._slices:
                    while (await erase(tx, person_id)).is_more:
                        continue
                await self._people.drop(tx, person_id)

    # --- who reads ours, and what is counted there ---------------------------------------------

    async def _reader(self, peer: Peer, body: wire.Follow | wire.Unfollow) -> None:
        async with self._db.tx() as tx:
            person_id = await self._whose(tx, body.uri)
            if person_id is not None:
                reads = isinstance(body, wire.Follow)
                await elsewhere.set_reader(
                    tx, person_id, peer.name, date.fromisoformat(body.on), reads=reads
                )

    async def _totals(self, peer: Peer, body: wire.Totals) -> None:
        found = own(self._abroad.here, body.uri)
        if found is None:
            return
        async with self._db.tx() as tx:
            if found[0] == "person":
                subject_id = person_id = await consents.who(tx, found[1])
            else:
                card = await crossings.card(tx, found[1]) if found[0] == "clip" else None
                subject_id, person_id = (card.id, card.author_id) if card else (None, None)
            if subject_id is not None and person_id is not None:
                await elsewhere.set_total(
                    tx,
                    subject_id,
                    peer.name,
                    person_id,
                    body.likes,
                    body.shares,
                    body.followers,
                    date.fromisoformat(body.on),
                )

    async def _whose(self, tx: Tx, uri: str) -> UUID | None:
        found = own(self._abroad.here, uri)
        return await consents.who(tx, found[1]) if found and found[0] == "person" else None
