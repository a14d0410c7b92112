"""What other cells may ask, by kind: one handler each, with the most that a question may be.

A handler gets the id of the cell that asks, which the gateway has verified, and the body; it
answers bytes or refuses with a code. Register one in `trustee_process`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from luciole.border.trustee import AskedOf
from luciole.kit import lines
from luciole.kit.errors import Conflict

Handler = Callable[[UUID, bytes], Awaitable[bytes]]
MOST_BYTES = 4 * 1024 * 1024


class Refused(Conflict):
    """The question is not answered. `code` is stable, and says nothing about a person."""

    sentence = "The trustee does not do this."
    next_step = "Ask the operator of this cell, who can ask theirs."

    def __init__(self, code: str = "not-done") -> None:
        super().__init__(code=code)


_asked_of = msgspec.msgpack.Decoder(AskedOf)


class _Kind(NamedTuple):
    handler: Handler
    most_bytes: int


class Asked:
    """The registry of a trustee process."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def register(self, kind: str, handler: Handler, *, most_bytes: int = 64 * 1024) -> None:
        """Questions of a kind go to a handler from now on. Raises ValueError for a second one."""
        if kind in self._kinds or not 0 < most_bytes <= MOST_BYTES:
            raise ValueError(f"{kind} has a handler, or may not be that large")
        self._kinds[kind] = _Kind(handler, most_bytes)

    async def answer(self, peer: UUID, kind: str, body: bytes) -> bytes:
        """What a cell gets for its question. Raises Refused."""
        known = self._kinds.get(kind)
        if known is None:
            raise Refused("unknown-kind")
        if len(body) > known.most_bytes:
            raise Refused("too-large")
        return await known.handler(peer, body)

    def listening(self, place: Path) -> AbstractAsyncContextManager[None]:
        """Answers the gateway on a socket, until the block ends."""

        async def handler(said: bytes) -> bytes:
            question = _asked_of.decode(said)
            return await self.answer(question.cell_id, question.kind, question.body)

        return lines.listening(place, handler)
