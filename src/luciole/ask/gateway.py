"""The way out of a cell as its processes see it: all they ask of other cells goes through here.

What a process may ask, the gateway decides by the socket (`luciole.border.door`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from luciole.border import outward
from luciole.border.outward import Answered, PeerInfo, Verdict
from luciole.border.wire import Code, NoticeMail
from luciole.kit.errors import Conflict, Unavailable
from luciole.kit.lines import Line, LineLost, LineRefused

__all__ = ["Answered", "Outward", "PeerInfo", "PeerRefused", "PeerUnreachable"]

TIMEOUT_S = 10.0
# The gateway gives up before we do.
GRACE_S = 2.0
# No answer, or the word of a peer that the part of it which would answer is down.
AWAY = (0, 503)

_answered = msgspec.msgpack.Decoder(Answered)
_peers = msgspec.msgpack.Decoder(list[PeerInfo])


class PeerUnreachable(Unavailable):
    """Another cell, or our own gateway, gave no answer."""

    code = "peer-away"
    sentence = "Another cell that is needed for this does not answer."
    next_step = "Try again in a minute. If it goes on, tell the operator of this cell."


class PeerRefused(Conflict):
    """Another cell, or our own gateway, does not do that: `said` is its stable code, `status` the
    HTTP status and `body` what came with it."""

    code = "peer-refused"
    sentence = "Another cell does not do this for us."
    next_step = "Ask the operator of this cell, who can ask theirs."

    def __init__(self, said: str = "refused", status: int = 0, body: bytes = b"") -> None:
        super().__init__()
        self.said, self.status, self.body = said, status, body


class Outward:
    """What a process may ask of other cells."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @classmethod
    def at(cls, place: Path) -> Outward:
        """Over the socket of this process; connects with the first question."""
        return cls(Line(place))

    async def close(self) -> None:
        await self._line.close()

    async def ask(self, peer: str, kind: str, body: bytes, timeout_s: float = TIMEOUT_S) -> bytes:
        """One immediate exchange with a peer cell: what it answered. Raises PeerUnreachable,
        PeerRefused."""
        return await self._answer(outward.Exchange(peer, kind, body, timeout_s), timeout_s)

    async def get(self, peer: str, path: str, most: int, timeout_s: float = TIMEOUT_S) -> bytes:
        """A public file of a peer, by its path below its origin: logs, passport. Raises
        PeerUnreachable, PeerRefused (`missing` where it has none)."""
        return await self._answer(outward.Fetch(peer, path, most), timeout_s)

    async def media(
        self, peer: str, path: str, sha256: str, size_bytes: int, timeout_s: float = 120.0
    ) -> None:
        """Has a public file of a clip fetched, once for the whole cell: it lies in
        `Settings.incoming_dir` under its SHA-256 then. Raises PeerUnreachable, PeerRefused."""
        await self._answer(outward.Media(peer, path, sha256, size_bytes), timeout_s)

    async def peers(self) -> list[PeerInfo]:
        """The cells that this one exchanges with. Raises PeerUnreachable."""
        return _peers.decode(await self._ask(outward.Peers(), TIMEOUT_S))

    async def witnessing(
        self, url: str, method: Literal["GET", "POST"], path: str, body: bytes = b""
    ) -> Answered:
        """A request to a witness outside, by its URL of the file of witnesses; whatever it
        answered. Raises PeerUnreachable, PeerRefused (`not-listed`)."""
        asked = outward.Witnessing(url, method, path, body)
        answer = _heard(_answered.decode(await self._ask(asked, TIMEOUT_S)))
        if answer.code:
            # Of our own gateway: a witness has no code.
            raise PeerRefused(answer.code, answer.status)
        return answer

    async def send_code(self, code: Code) -> None:
        """Has the operator's sender of mail and text messages send a code. Raises PeerUnreachable,
        PeerRefused (`no-sender`, `not-sent`)."""
        await self._answer(outward.SendCode(msgspec.json.encode(code)), TIMEOUT_S)

    async def send_notice(self, mail: NoticeMail) -> None:
        """Has the operator's mail server send a mail to who sent a notice. Raises PeerUnreachable,
        PeerRefused (`no-sender`, `not-sent`)."""
        await self._answer(outward.SendNotice(msgspec.json.encode(mail)), TIMEOUT_S)

    async def look(self, origin: str) -> bytes:
        """The passport of a cell that is no peer yet. Raises PeerUnreachable, PeerRefused."""
        return await self._answer(outward.Look(origin), TIMEOUT_S)

    async def tell(self, peer: str, verdict: Verdict, code: str) -> None:
        """What the cell's witness says of a peer's logs. Raises PeerUnreachable."""
        await self._ask(outward.Tell(peer, verdict, code), TIMEOUT_S)

    async def _answer(self, asked: outward.Asked, timeout_s: float) -> bytes:
        answer = _heard(_answered.decode(await self._ask(asked, timeout_s)))
        if answer.status != 200:
            raise PeerRefused(answer.code or "refused", answer.status, answer.body)
        return answer.body

    async def _ask(self, asked: outward.Asked, timeout_s: float) -> bytes:
        try:
            return await self._line.ask(asked, timeout_s + GRACE_S)
        except LineLost as error:
            raise PeerUnreachable from error
        except LineRefused as refused:
            raise PeerRefused(refused.code) from refused


def _heard(answer: Answered) -> Answered:
    if answer.status in AWAY:
        raise PeerUnreachable
    return answer
