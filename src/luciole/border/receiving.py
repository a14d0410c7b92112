"""What peers send: who it is from, whether it may come in, and what our log says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import msgspec

from luciole.border import asked, batch, crossing, passport, signatures, speech
from luciole.border.asked import Request, Response, refused
from luciole.border.batch import Answer, Answers, Carried
from luciole.border.cells import Us
from luciole.border.crossing import ACCEPTED, BadCrossing, Out
from luciole.border.measures import arrivals
from luciole.border.signatures import BadSignature, PublicKey
from luciole.border.store import crossings as store
from luciole.border.store import peers
from luciole.border.store.peers import Known
from luciole.border.understood import BadActivity
from luciole.keys.signing import Algorithm, verifies
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.kit.rates import Buckets, Rate
from luciole.ledger.note import Checkpoint

MAX_BODY_BYTES = 64 * 1024
# Crossings of one peer: bursts, and what it may go on with.
CROSSINGS = Rate("crossings", 6000, 10.0)
# Requests whose signature is wrong, by network: so that trying costs little here.
STRANGERS = Rate("strangers", 60, 60.0)
# Others have their turn after so many of a batch.
YIELDS_AFTER = 16


class Refused(Exception):
    """A request of nobody whom we know, or not as it has to be."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Taken(NamedTuple):
    """A crossing that is proven to be in the sender's log, at `place`."""

    out: Out
    place: int
    body: bytes


class Receiving:
    """The inbox of a cell."""

    def __init__(self, us: Us, db: Database, clock: Clock) -> None:
        self._us, self._db, self._clock = us, db, clock
        self._buckets = Buckets()
        self.known: Mapping[str, Known] = {}
        # Peers in whose name somebody has signed by another key.
        self.doubted = set[str]()

    def sender(self, request: Request) -> Known:
        """Which peer has signed a request, by the name of its key. Raises Refused."""
        by_key = {one.key.name: one for one in self.known.values()}

        def key_of(key_id: str) -> PublicKey | None:
            known = by_key.get(key_id)
            return known and PublicKey("ed25519", verifier(known.key.public))

        try:
            key_id = signatures.verified(
                request.method,
                request.url,
                request.headers,
                request.body,
                key_of,
                int(self._clock.now().timestamp()),
            )
        except BadSignature as error:
            if (claimed := by_key.get(claimed_by(request.headers))) is not None:
                self.doubted.add(claimed.name)
            self._slow(STRANGERS, request.network)
            raise Refused(refused(401, error.code)) from error
        known = by_key[key_id]
        if known.info.verdict == "RED":
            raise Refused(refused(403, "log-red"))
        return known

    async def once(self, request: Request) -> None:
        """Raises Refused for a signed request that was seen before."""
        digest = sha256(request.headers.get("signature", "").encode()).digest()
        async with self._db.tx() as tx:
            if not await peers.see(tx, digest):
                raise Refused(refused(409, "replayed"))

    def _slow(self, rate: Rate, whom: str, acts: int = 1) -> None:
        if wait_s := self._buckets.wait_s(rate, whom, acts):
            raise Refused(refused(429, "too-many", {"retry-after": str(wait_s)}))

    async def inbox(self, request: Request) -> Response:
        """Takes one crossing in, as peers send it that know no other way. What a peer has sent as
        it has to be is an entry of our log, also where it is refused; the receipt says which."""
        try:
            known = self.sender(request)
            self._slow(CROSSINGS, known.name)
            out, entry, proof = crossing.taken(request.headers, self._us.name)
            crossing.check_proof(entry, proof, known.border_log, self._us.witness)
            crossing.check_body(out, request.body)
        except Refused as error:
            return error.response
        except BadCrossing as error:
            status = self._status(error.code)
            return refused(status, error.code)
        answer = (await self._receive(known, [Taken(out, proof.index, request.body)]))[out.id]
        if answer.receipt:
            return Response(200, answer.receipt.encode(), asked.TEXT)
        return refused(answer.status, answer.code)

    async def crossings(self, request: Request) -> Response:
        """Takes many crossings in, each for itself: its answer is what it would get alone."""
        try:
            known = self.sender(request)
            await self.once(request)
            load = batch.decode(request.body)
            self._slow(CROSSINGS, known.name, len(load.crossings))
            head = crossing.head_of(load.checkpoint, known.border_log, self._us.witness)
        except Refused as error:
            return error.response
        except BadCrossing as error:
            return refused(self._status(error.code), error.code)
        taken = list[Taken | Answer]()
        seen = set[UUID]()
        for one in load.crossings:
            try:
                each = self._taken(one, head)
                if each.out.id in seen:
                    raise BadCrossing("twice")
                seen.add(each.out.id)
                taken.append(each)
            except BadCrossing as error:
                taken.append(Answer(status=self._status(error.code), code=error.code))
        decided = await self._receive(known, [one for one in taken if isinstance(one, Taken)])
        answers = [decided[one.out.id] if isinstance(one, Taken) else one for one in taken]
        return Response(200, msgspec.json.encode(Answers(answers)), asked.JSON)

    def _taken(self, one: Carried, head: Checkpoint) -> Taken:
        """A crossing that may come in. Raises BadCrossing."""
        body, entry = bytes(one.body), bytes(one.entry)
        if len(body) > MAX_BODY_BYTES:
            raise BadCrossing("too-large")
        out = crossing.read(entry, self._us.name)
        crossing.check_place(entry, one.index, one.hashes, head)
        crossing.check_body(out, body)
        return Taken(out, one.index, body)

    def _status(self, code: str) -> int:
        """The status of a refusal that gets no entry, which is counted."""
        arrivals.labels(code).inc()
        # Our witness may be slower than theirs is to show its word.
        return {"not-proven": 503, "too-large": 413}.get(code, 400)

    async def _receive(self, known: Known, taken: Sequence[Taken]) -> dict[UUID, Answer]:
        """Decides on crossings, whose ids differ, and writes that; the answers by id."""
        origin, verifies = known.info.origin, verifier(known.key.public)
        at = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"
        heard = list[tuple[Taken, bytes | None, str, bytes]]()
        for turn, one in enumerate(taken):
            verdict, shape = ACCEPTED, None
            try:
                shape = speech.heard(one.out, one.body, origin, verifies)
            except BadActivity as error:
                verdict = error.code
            entry = crossing.in_entry(one.out, at, known.name, verdict)
            heard.append((one, shape, verdict, entry))
            if turn % YIELDS_AFTER == YIELDS_AFTER - 1:
                await asyncio.sleep(0)
        texts = [crossing.receipt_text(entry) for *_, entry in heard]
        signatures = await self._us.sign_all([passport.line_of(text) for text in texts])
        came = [
            store.Came(
                one.out.id,
                one.out.wire,
                sha256(one.body).digest(),
                passport.noted(text, self._us.key, signature),
                entry,
                one.place,
                shape,
            )
            for (one, shape, _, entry), text, signature in zip(
                heard, texts, signatures, strict=True
            )
        ]
        async with self._db.tx() as tx:
            new = await store.receive(tx, known.name, came)
            former = await store.receipts(tx, [one.id for one in came if one.id not in new])
        for one, _, verdict, _ in heard:
            if one.out.id in new:
                arrivals.labels(verdict).inc()
        return {
            one.id: Answer(one.receipt) if one.id in new else again(known, one, former.get(one.id))
            for one in came
        }


def claimed_by(headers: Mapping[str, str]) -> str:
    """By which key a request says that it was signed; empty where it does not say."""
    try:
        return signatures.claim_of(headers).key_id
    except BadSignature:
        return ""


def again(known: Known, came: store.Came, former: tuple[str, bytes, str] | None) -> Answer:
    """What came twice gets the same receipt; another body under the same id is a replay."""
    if former is None or former[:2] != (known.name, came.digest):
        arrivals.labels("replayed").inc()
        return Answer(status=409, code="replayed")
    return Answer(former[2])


def verifier(public: bytes) -> Callable[[bytes, bytes], bool]:
    """Checks Ed25519 signatures by a key."""
    return lambda signature, message: verifies(Algorithm.ED25519, public, signature, message)
