"""The key of contact discovery in its two halves: ours, and that of the other cell."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from luciole import blind
from luciole.ask.gateway import PeerInfo, PeerRefused, PeerUnreachable
from luciole.border.wire import Code, Lookup, LookupAnswer
from luciole.cell.contacts.model import (
    INFO,
    AskedTooMuch,
    NothingAsked,
    NotOffered,
    OtherCellAway,
    OtherCellWrong,
)
from luciole.kit.logs import log

KIND = "lookup"
ASKER_BYTES = 16
ANSWERS_WITHIN_S = 10.0

_answer = msgspec.msgpack.Decoder(LookupAnswer)


class Outside(Protocol):
    """What of `ask.gateway.Outward` is needed here."""

    async def ask(self, peer: str, kind: str, body: bytes, timeout_s: float = ...) -> bytes: ...

    async def peers(self) -> list[PeerInfo]: ...

    async def send_code(self, code: Code) -> None: ...


class Half(NamedTuple):
    """What a half of the key made of blinded points."""

    answers: bytes
    proof: bytes


class Keys(NamedTuple):
    """The public keys of both halves."""

    home: bytes
    other: bytes


class Halves:
    """Evaluates blinded points with both halves. Offered only with a cell beside this one: with
    both halves in one cell it could try all numbers by itself."""

    def __init__(self, secret: bytes, peer: str, outside: Outside) -> None:
        """`secret`: 32 bytes of this process, the same at each start. `peer`: the short name of
        the cell with the other half; empty: none."""
        seed = hmac.digest(secret, b"luciole/contacts/home/v1", hashlib.sha256)
        self._key = blind.derive_key(seed, INFO)
        self._asker_key = hmac.digest(secret, b"luciole/contacts/asker/v1", hashlib.sha256)
        self.peer, self._outside = peer, outside
        self._other: bytes | None = None
        # One at a time: the rest of this process answers others meanwhile.
        self._working = asyncio.Semaphore(1)

    @property
    def is_offered(self) -> bool:
        return bool(self.peer)

    def asker(self, person_id: UUID) -> bytes:
        """Under what the other cell counts a person: it says nothing to it."""
        return hmac.digest(self._asker_key, person_id.bytes, hashlib.sha256)[:ASKER_BYTES]

    async def keys(self) -> Keys:
        """Raises NotOffered, OtherCellAway, OtherCellWrong."""
        if self._other is None:
            answer = await self._ask(Lookup(1, bytes(ASKER_BYTES), b""))
            if len(answer.public) != blind.POINT_BYTES:
                raise OtherCellWrong
            self._other = answer.public
        return Keys(blind.public_key(self._key), self._other)

    async def other_cell(self) -> PeerInfo | None:
        """Which cell has the other half, as the gateway knows it."""
        if not self.peer:
            return None
        try:
            return next((one for one in await self._outside.peers() if one.name == self.peer), None)
        except PeerUnreachable:
            return None

    async def both(self, asker: bytes, points: bytes) -> tuple[Half, Half]:
        """What ours and the other half made of points, each with its proof. Raises NotOffered,
        NothingAsked, AskedTooMuch, OtherCellAway, OtherCellWrong."""
        home, other = await asyncio.gather(self._home(points), self._others(asker, points))
        return home, other

    async def value(self, person_id: UUID, text: bytes) -> bytes:
        """The value of one text, blinded here, with the other cell's proof checked: for an address
        by which its owner wants to be found. Raises as `both`."""
        keys = await self.keys()
        scalar, point = blind.blind(text)
        home, other = await self.both(self.asker(person_id), point)
        try:
            blind.check(keys.other, point, other.answers, other.proof)
            return blind.finish(text, scalar, blind.together(home.answers, other.answers))
        except (blind.BadProof, blind.BadPoint) as error:
            log.error("the other half of a look-up was not proved")
            raise OtherCellWrong from error

    async def _home(self, points: bytes) -> Half:
        async with self._working:
            try:
                return Half(*await asyncio.to_thread(blind.evaluate, self._key, points))
            except blind.BadPoint as error:
                raise NothingAsked from error

    async def _others(self, asker: bytes, points: bytes) -> Half:
        answer = await self._ask(Lookup(1, asker, points))
        if len(answer.answers) != len(points):
            raise OtherCellWrong
        return Half(answer.answers, answer.proof)

    async def _ask(self, lookup: Lookup) -> LookupAnswer:
        if not self.peer:
            raise NotOffered
        try:
            body = await self._outside.ask(
                self.peer, KIND, msgspec.msgpack.encode(lookup), ANSWERS_WITHIN_S
            )
            return _answer.decode(body)
        except PeerUnreachable as error:
            raise OtherCellAway from error
        except PeerRefused as error:
            if error.said in ("asked-too-much", "too-many-askers"):
                raise AskedTooMuch from error
            if error.said == "bad-lookup":
                raise NothingAsked from error
            raise OtherCellAway from error
        except msgspec.DecodeError as error:
            raise OtherCellWrong from error
