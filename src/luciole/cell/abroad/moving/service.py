"""People who move from one cell to another, as the two cells and those that know them see it.

A move holds only by the words of both cells. The person says in the old one where they go, in the
new one where they come from; each tells the cells that knew them, and those take it when they have
heard both. Then the follows of their people go over: who follows stays in their cell, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from luciole.border import wire
from luciole.border.addresses import Addresses, origin_of
from luciole.cell.abroad.model import (
    MOVES_EVERY_DAYS,
    BadFormerAddress,
    Here,
    Live,
    MovedLately,
    Peer,
    address,
    is_of,
)
from luciole.cell.abroad.service import Abroad
from luciole.cell.abroad.store import consents, crossings, moves
from luciole.cell.people.model import Person
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id


class Known(NamedTuple):
    """Under which address other cells know a person, and which do."""

    uri: str | None
    cells: list[str]


class Moving:
    """What a person says of their own move."""

    def __init__(self, abroad: Abroad, clock: Clock) -> None:
        self._abroad, self._clock = abroad, clock

    async def known(self, tx: Tx, person_id: UUID) -> Known:
        """How other cells know a person of ours."""
        persona = await consents.persona(tx, person_id)
        if persona is None:
            return Known(None, [])
        live = await crossings.live(tx, person_id)
        cells = await _knowing(tx, person_id, live)
        return Known(address(self._abroad.here, "person", persona), sorted(cells))

    async def leave(self, tx: Tx, person_id: UUID, uri: str, *, is_shown: bool) -> None:
        """They are at that address of another cell from now on: those that know them are told.
        Raises BadFormerAddress, MovedLately."""
        await self._say(tx, person_id, "left", uri, (), is_shown=is_shown)

    async def come(self, tx: Tx, person_id: UUID, uri: str, cells: Sequence[str]) -> str:
        """They were at that address of another cell, where these know them; gives the address
        that they have from here. Raises BadFormerAddress, MovedLately."""
        await consents.add_persona(tx, person_id, new_id(), self._clock.now())
        persona = await consents.persona(tx, person_id)
        assert persona is not None
        await self._say(tx, person_id, "came", uri, cells, is_shown=True)
        return address(self._abroad.here, "person", persona)

    async def gone(self, tx: Tx, person_id: UUID) -> tuple[str, UUID] | None:
        """Where a person of ours is by the words of both cells, if they want it shown: the address
        for other cells, and who stands for them here. None as long as one cell alone says it."""
        persona = await consents.persona(tx, person_id)
        if persona is None:
            return None
        return await moves.gone(tx, person_id, address(self._abroad.here, "person", persona))

    async def take_back(self, tx: Tx, person_id: UUID, side: moves.Side) -> None:
        """It does not hold any more. Cells that have heard both words have acted on them."""
        await moves.end(tx, person_id, side, self._clock.now())
        await consents.note(tx, "person", person_id)

    async def came_from(self, tx: Tx, person_id: UUID) -> list[str]:
        """The addresses that a person has said they had elsewhere."""
        return [one.uri for one in await moves.said(tx, person_id) if one.side == "came"]

    async def _say(
        self,
        tx: Tx,
        person_id: UUID,
        side: moves.Side,
        uri: str,
        cells: Sequence[str],
        *,
        is_shown: bool,
    ) -> None:
        if not _is_address(self._abroad.here, uri):
            raise BadFormerAddress
        now = self._clock.now()
        await consents.lock(tx, person_id)
        if await moves.said_lately(tx, person_id, side, uri, now - APART):
            raise MovedLately
        await moves.say(tx, person_id, side, uri, now, cells=cells, is_shown=is_shown)
        await consents.note(tx, "person", person_id)


class Words(NamedTuple):
    """What a cell has to be told of a person's move, who is at `mine` here."""

    peer: Peer
    mine: str
    body: wire.Move


async def to_tell(
    tx: Tx,
    here: Here,
    card: Person,
    live: Sequence[Live],
    peers: Sequence[Peer],
    now: datetime,
) -> list[Words]:
    """What cells are to be told now of what a person has said of their move: for the first time,
    or once more where they refused it or did not answer."""
    persona = await consents.persona(tx, card.id)
    found = list[Words]()
    if persona is None:
        return found
    mine = address(here, "person", persona)
    for one in await moves.said(tx, card.id):
        on = f"{one.said_at:%Y-%m-%d}"
        if one.side == "left":
            cells = await _knowing(tx, card.id, live)
            body = wire.Move(mine, one.uri, on, is_shown=one.is_shown)
        else:
            cells = {*one.cells, *(peer.name for peer in peers if is_of(peer, one.uri))}
            who = wire.Newcomer(card.handle, card.display_name)
            body = wire.Move(one.uri, mine, on, who)
        for peer in peers:
            is_meant = peer.name in cells or (one.side == "left" and is_of(peer, one.uri))
            told = await moves.is_told(tx, card.id, peer.name, mine, one.said_at, now)
            if is_meant and not told:
                found.append(Words(peer, mine, body))
    return found


async def told(tx: Tx, person_id: UUID, peers: Sequence[Peer]) -> set[str]:
    """The cells that know somebody because they moved: what is there stays."""
    cells = set[str]()
    for one in await moves.said(tx, person_id):
        cells |= {*one.cells, *(peer.name for peer in peers if is_of(peer, one.uri))}
    return cells


async def _knowing(tx: Tx, person_id: UUID, live: Sequence[Live]) -> set[str]:
    return {one.peer for one in live if one.is_there} | await moves.readers(tx, person_id)


def is_page_of(page: str, uri: str, handle: str) -> bool:
    """Whether a person's page, as they named it themselves, is that of who is at `uri` under this
    handle: at the same host, or at one of which the cell's door for other cells is a part, as
    `border.cell.example` is of `cell.example`."""
    at, border = urlsplit(page), urlsplit(uri)
    host, door = at.hostname or "", border.hostname or ""
    is_one_machine = {host, door} <= LOOPBACK  # cells of a demo
    is_theirs = host == door or is_one_machine or ("." in host and door.endswith(f".{host}"))
    return is_theirs and (at.path, at.query) == (f"/@{handle.partition('@')[0]}", "")


LOOPBACK = {"localhost", "127.0.0.1", "::1"}
APART = timedelta(days=MOVES_EVERY_DAYS)


def _is_address(here: Here, uri: str) -> bool:
    """Whether it is one that a cell gives a person, and not this cell."""
    origin = origin_of(uri)
    at, slash, _ = uri.partition("/ap/people/")
    read = Addresses(at).read(uri) if origin and slash else None
    return read is not None and read[0] == "people" and origin_of(here.origin) != origin
