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
    Round,
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
        self._secret = secret
        self._asker_key = hmac.digest(secret, b"luciole/contacts/asker/v1", hashlib.sha256)
        self.peer, self._outside = peer, outside
        self._others: dict[int, bytes] = {}
        # One at a time: the rest of this process answers others meanwhile.
        self._working = asyncio.Semaphore(1)

    @property
    def is_offered(self) -> bool:
        return bool(self.peer)

    def asker(self, person_id: UUID) -> bytes:
        """Under what the other cell counts a person: it says nothing to it."""
        return hmac.digest(self._asker_key, person_id.bytes, hashlib.sha256)[:ASKER_BYTES]

    def home_key(self, of: Round) -> bytes:
        """The public key of our half in a round."""
        return blind.public_key(self._key(of))

    async def keys(self, of: Round) -> Keys:
        """Raises NotOffered, OtherCellAway, OtherCellWrong."""
        other = of.other_key or self._others.get(of.number)
        if other is None:
            other = self._others[of.number] = await self.other_key(of)
        return Keys(self.home_key(of), other)

    async def other_key(self, of: Round) -> bytes:
        """The public key of the other half, asked now: the other cell draws one for a round that
        is new, and forgets those before the oldest. Raises as `keys`."""
        answer = await self._ask(Lookup(1, bytes(ASKER_BYTES), b"", of.number, of.oldest))
        if len(answer.public) != blind.POINT_BYTES:
            raise OtherCellWrong
        return answer.public

    async def other_cell(self) -> PeerInfo | None:
        """Which cell has the other half, as the gateway knows it."""
        if not self.peer:
            return None
        try:
            return next((one for one in await self._outside.peers() if one.name == self.peer), None)
        except PeerUnreachable:
            return None

    async def both(self, of: Round, asker: bytes, points: bytes) -> tuple[Half, Half]:
        """What ours and the other half made of points, each with its proof. Raises NotOffered,
        NothingAsked, AskedTooMuch, OtherCellAway, OtherCellWrong."""
        home, other = await asyncio.gather(self._home(of, points), self._asked(of, asker, points))
        return home, other

    async def value(self, of: Round, person_id: UUID, text: bytes) -> bytes:
        """The value of one text, blinded here, with the other cell's proof checked: for an address
        by which its owner wants to be found. Raises as `both`."""
        keys = await self.keys(of)
        scalar, point = blind.blind(text)
        home, other = await self.both(of, self.asker(person_id), point)
        try:
            blind.check(keys.other, point, other.answers, other.proof)
            return blind.finish(text, scalar, blind.together(home.answers, other.answers))
        except (blind.BadProof, blind.BadPoint) as error:
            log.error("the other half of a look-up was not proved")
            raise OtherCellWrong from error

    def _key(self, of: Round) -> bytes:
        told = b"luciole/contacts/home/v1"
        if of.salt:
            told = b"luciole/contacts/home/v2\0" + of.number.to_bytes(4, "big") + of.salt
        return blind.derive_key(hmac.digest(self._secret, told, hashlib.sha256), INFO)

    async def _home(self, of: Round, points: bytes) -> Half:
        async with self._working:
            try:
                return Half(*await asyncio.to_thread(blind.evaluate, self._key(of), points))
            except blind.BadPoint as error:
                raise NothingAsked from error

    async def _asked(self, of: Round, asker: bytes, points: bytes) -> Half:
        answer = await self._ask(Lookup(1, asker, points, of.number, of.oldest))
        if len(answer.answers) != len(points):
            raise OtherCellWrong
        if of.other_key not in (None, answer.public):
            log.error("the other cell has another half than it gave: rotate the key of contacts")
            raise OtherCellWrong
        return Half(answer.answers, answer.proof)

    async def _ask(self, lookup: Lookup) -> LookupAnswer:
        if not self.peer:
            raise NotOffered
        try:
            body = await self._outside.ask(self.peer, KIND, encoded(lookup), ANSWERS_WITHIN_S)
            return _answer.decode(body)
        except PeerUnreachable as error:
            raise OtherCellAway from error
        except PeerRefused as error:
            if error.said in ("asked-too-much", "too-many-askers"):
                raise AskedTooMuch from error
            if error.said == "bad-lookup":
                raise NothingAsked from error
            if error.said == "no-such-round":
                log.error("the other cell has not got this round: rotate the key of contacts")
                raise OtherCellWrong from error
            raise OtherCellAway from error
        except msgspec.DecodeError as error:
            raise OtherCellWrong from error


def encoded(lookup: Lookup) -> bytes:
    """A look-up as bytes. Of the first round it is what it was before there were rounds, so that a
    cell that knows none of them understands it."""
    return msgspec.msgpack.encode(
        lookup if lookup.round > 1 else msgspec.structs.astuple(lookup)[:3]
    )
