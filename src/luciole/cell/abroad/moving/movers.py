"""Takes what cells say of people who move, and lets follows go over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from luciole.border import wire
from luciole.cell.abroad.films import Waits
from luciole.cell.abroad.model import (
    MovedLately,
    MoveLoops,
    Peer,
    is_of,
    own,
)
from luciole.cell.abroad.moving.service import APART
from luciole.cell.abroad.service import Abroad
from luciole.cell.abroad.store import consents, elsewhere, moves
from luciole.cell.graph.model import ApartTooMany, CannotFollowYourself, FollowsTooMany
from luciole.cell.graph.service import Graph
from luciole.cell.people.model import NoSuchPerson
from luciole.cell.people.service import People
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id


class Movers:
    """Takes what cells say of people who move, and lets follows go over."""

    def __init__(
        self, db: Database, abroad: Abroad, people: People, graph: Graph, clock: Clock
    ) -> None:
        self._db, self._abroad, self._people = db, abroad, people
        self._graph, self._clock = graph, clock

    async def place(self, peer: Peer, body: wire.Move) -> None:
        """A cell has said its word about a move: it holds if the other has said the same. Raises
        Waits, MoveLoops, MovedLately."""
        async with self._db.tx() as tx:
            peers = await self._abroad.peers(tx)
            if body.uri == body.to:
                raise MoveLoops
            before = await moves.moved(tx, body.uri)
            if before is not None and before[0] == body.to:
                return
            now = self._clock.now()
            if await moves.moved_since(tx, body.uri, body.to, now - APART):
                raise MovedLately
            if before is not None and now - before[1] < APART:
                raise MovedLately
            both = await self._both(tx, peer, body, peers)
            if both is None:
                raise Waits
            old, new = both
            await self._move(tx, old, new, peers, now)

    async def _both(
        self, tx: Tx, peer: Peer, body: wire.Move, peers: Sequence[Peer]
    ) -> tuple[wire.Move, wire.Move] | None:
        """The words of the old cell and of the new one; None where one is missing."""
        other = await self._own_word(tx, body) or await self._waiting_word(tx, peer, body, peers)
        if other is None:
            return None
        return (body, other) if body.who is None else (other, body)

    async def _own_word(self, tx: Tx, body: wire.Move) -> wire.Move | None:
        """This cell's own, where the move is from or to it, by what the person said."""
        here = self._abroad.here
        ours, side, elsewhere_uri = (
            (own(here, body.to), "came", body.uri)
            if body.who is None
            else (own(here, body.uri), "left", body.to)
        )
        if ours is None or ours[0] != "person":
            return None
        person_id = await consents.who(tx, ours[1])
        if person_id is None:
            return None
        card = (await self._people.cards(tx, [person_id])).get(person_id)
        for one in await moves.said(tx, person_id):
            if card is not None and (one.side, one.uri) == (side, elsewhere_uri):
                who = wire.Newcomer(card.handle, card.display_name) if side == "came" else None
                return wire.Move(body.uri, body.to, body.on, who, is_shown=one.is_shown)
        return None

    async def _waiting_word(
        self, tx: Tx, peer: Peer, body: wire.Move, peers: Sequence[Peer]
    ) -> wire.Move | None:
        """The other cell's, which came before."""
        by_name = {one.name: one for one in peers}
        for arrival in await moves.other_words(tx, body.uri, peer.name):
            said = wire.decode(arrival.body)
            speaker = by_name.get(arrival.peer)
            if not isinstance(said, wire.Move) or speaker is None or not is_word_of(speaker, said):
                continue
            if said.to == body.to and (said.who is None) != (body.who is None):
                await elsewhere.take(tx, arrival.id)
                return said
        return None

    async def _move(
        self, tx: Tx, old: wire.Move, new: wire.Move, peers: Sequence[Peer], now: datetime
    ) -> None:
        former = await self._person(tx, old.uri, peers)
        if former is None:
            # Nobody here knows them by the former address.
            return
        person_id, _ = former
        found = await self._person(tx, new.to, peers)
        assert new.who is not None
        if found is not None:
            to_id, origin = found
        else:
            home = next((one for one in peers if is_of(one, new.to)), None)
            if home is None:
                return
            to_id, origin = new_id(), home.origin
            await self._people.put_of_elsewhere(
                tx, to_id, home=home.name, handle=new.who.handle, display_name=new.who.name, bio=""
            )
            await elsewhere.add_person(tx, to_id, home.name, new.to)
        if to_id == person_id:
            raise MoveLoops
        await moves.add_moved(tx, old.uri, new.to, person_id, to_id, now)
        if own(self._abroad.here, old.uri) is None:
            at = f"{origin.rstrip('/')}/@{new.who.handle}"
            await self._people.show_move(tx, person_id, at, is_shown=old.is_shown)

    async def _person(self, tx: Tx, uri: str, peers: Sequence[Peer]) -> tuple[UUID, str] | None:
        """Who here is at an address, of ours or of another cell, and the origin of their pages."""
        ours = own(self._abroad.here, uri)
        if ours is not None:
            person_id = await consents.who(tx, ours[1]) if ours[0] == "person" else None
            return (person_id, self._people.origin) if person_id else None
        peer = next((one for one in peers if is_of(one, uri)), None)
        found = await elsewhere.person(tx, uri, peer.name) if peer else None
        return (found, peer.origin) if peer and found else None

    async def carry(self) -> int:
        """Lets follows, and what keeps people away, go over to new addresses: one person in each
        transaction. Gives how many went. If we stop in between, the rest goes the next time."""
        went = 0
        while True:
            async with self._db.tx() as tx:
                going = await moves.next_going(tx)
                if going is None:
                    return went
                keepers = await self._graph.keepers(tx, going.person_id)
                followers = await self._graph.some_followers(tx, going.person_id)
                card = (await self._people.cards(tx, [going.to_id])).get(going.to_id)
            for distance, me in keepers:
                async with self._db.tx() as tx:
                    await self._kept_away(tx, distance, me, going.to_id)
            if not followers or card is None:
                async with self._db.tx() as tx:
                    await moves.carried(tx, going.uri)
                continue
            for me in followers:
                async with self._db.tx() as tx:
                    await self._over(tx, me, going, is_private=card.is_private)
                went += 1

    async def _kept_away(self, tx: Tx, distance: str, me: UUID, other: UUID) -> None:
        try:
            await self._graph.keep_away(tx, distance, me, other)  # type: ignore[arg-type]
        except ApartTooMany:
            return

    async def _over(self, tx: Tx, me: UUID, going: moves.Going, *, is_private: bool) -> None:
        """One follow goes over. Who is at odds with the new address follows neither."""
        await self._graph.unfollow(tx, me, going.person_id)
        try:
            if me != going.to_id:
                await self._graph.follow(tx, me, going.to_id, is_private=is_private)
        except (NoSuchPerson, FollowsTooMany, CannotFollowYourself):
            return


def is_word_of(peer: Peer, body: wire.Move) -> bool:
    """Whether a cell may say this: the old one of its own person, the new one of who came."""
    return is_of(peer, body.uri if body.who is None else body.to)
