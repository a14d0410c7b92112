"""Immediate exchanges with peers: what they ask of us, what we ask of them. Each is counted with
the digests of what was asked and answered, and an hour later both logs tell them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

import msgspec

from luciole.border import asked, wire
from luciole.border.asked import Request, Response, refused
from luciole.border.cells import Cell
from luciole.border.outward import Answered
from luciole.border.peers import Answer, Peer, PeerAway
from luciole.border.receiving import Receiving, Refused
from luciole.border.store import crossings as store
from luciole.border.store.peers import Known
from luciole.border.trustee import AskedOf, Trustee
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.lines import LineLost, LineRefused
from luciole.kit.rates import Buckets, Rate
from luciole.ledger.entry import canonical

ASK = "border/ask/"
# A piece of a backup is the largest.
MAX_ASKED_BYTES = 8 * 1024 * 1024
MAX_ANSWER_BYTES = 8 * 1024 * 1024
TRUSTEE_WITHIN_S = 30.0
ASKS = Rate("asks", 2000, 10.0)
NOTED_AT_ONCE = 400

_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
# The local witness, by what it answers to a head: so far only cosigning goes past the trustee.
ToWitness = Callable[[bytes], Awaitable[Answer]]


class Exchanging:
    """Both directions of immediate exchanges."""

    def __init__(
        self,
        db: Database,
        receiving: Receiving,
        witness: Peer,
        trustee: Trustee,
        clock: Clock,
    ) -> None:
        self._db, self._receiving, self._clock = db, receiving, clock
        self._witness, self._trustee = witness, trustee
        self._buckets = Buckets()

    # --- what peers ask of us --------------------------------------------------------------------

    async def answer(self, request: Request) -> Response:
        """What this cell answers to a peer."""
        kind = request.path.removeprefix(f"/{ASK}")
        try:
            known = self._receiving.sender(request)
            if wait_s := self._buckets.wait_s(ASKS, known.name):
                return refused(429, "too-many", {"retry-after": str(wait_s)})
            await self._receiving.once(request)
        except Refused as error:
            return error.response
        declared = wire.KINDS.get(kind)
        if declared is None or not declared.is_immediate:
            return refused(404, "kind-unknown")
        response = await self._done(known, kind, request.body)
        # Before it leaves: an answer that nobody counts is none.
        await self.count(known.name, kind, request.body, response.body, is_ours=False)
        return response

    async def _done(self, known: Known, kind: str, body: bytes) -> Response:
        try:
            if kind == "cosign":
                said = await self._witness.ask("POST", "add-checkpoint", body)
                return Response(said.status, said.body, asked.TEXT)
            of = AskedOf(known.name, known.info.cell_id, kind, body)
            return Response(200, await self._trustee.ask(of, TRUSTEE_WITHIN_S))
        except LineRefused as error:
            return refused(422, error.code)
        except (LineLost, PeerAway):
            return refused(503, "unavailable")

    # --- what we ask of peers --------------------------------------------------------------------

    async def ask(self, cell: Cell, kind: str, body: bytes, timeout_s: float) -> Answered:
        """What a peer answers to us."""
        declared = wire.KINDS.get(kind)
        if declared is None or not declared.is_immediate:
            return Answered(404, b"", "kind-unknown")
        if cell.is_away:
            return Answered(0, b"")
        answer = Answer(0, b"")
        with contextlib.suppress(PeerAway):
            answer = await cell.post(
                f"{ASK}{kind}", body, asked.BYTES, most=MAX_ANSWER_BYTES, timeout_s=timeout_s
            )
        # Something may have crossed: it is counted as if it had.
        await self.count(cell.name, kind, body, answer.body, is_ours=True)
        return Answered(answer.status, answer.body, code_of(answer))

    # --- what the log tells ----------------------------------------------------------------------

    async def count(
        self, peer: str, kind: str, body: bytes, answer: bytes, *, is_ours: bool
    ) -> None:
        """Notes one exchange by digests."""
        digests = sha256(body).digest(), sha256(answer).digest()
        async with self._db.tx() as tx:
            await store.exchanged(tx, peer, kind, *digests, is_ours=is_ours)

    async def note(self) -> int:
        """Puts entries into the log for the exchanges of hours that are over; gives how many."""
        return await told_of(self._db, self._clock)


async def told_of(db: Database, clock: Clock, *, are_over: bool = True) -> int:
    """The same, over any login that may; without `are_over` for this hour's, too, because the log
    ends."""
    at, count = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}", 0
    while True:
        async with db.tx() as tx:
            found = await store.take_exchanged(tx, NOTED_AT_ONCE, are_over=are_over)
            if found is None:
                return count
            bodies = [[one.hex(), other.hex()] for one, other in found.bodies]
            whom = "to" if found.is_ours else "from"
            said: Mapping[str, object] = {
                "v": 1,
                "kind": "workings",
                "at": at,
                whom: found.peer,
                "of": found.kind,
                "bodies": bodies,
            }
            await store.note(tx, canonical(said))
        count += 1


def code_of(answer: Answer) -> str:
    """The stable code of a refusal, where the answer has one."""
    if answer.status in (0, 200):
        return ""
    try:
        code = msgspec.json.decode(answer.body, type=dict[str, str]).get("code", "")
    except msgspec.MsgspecError:
        code = ""
    return code if _CODE.fullmatch(code) else f"status-{answer.status}"
