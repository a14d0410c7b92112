"""What servers of the Fediverse tell the cell: who signed it, and what comes of it.

Follows of authors are kept as addresses to deliver to. Likes, shares and answers are counted, by
digests. No words and no names of strangers are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from luciole.border import proofs, signatures, strangers
from luciole.border.addresses import is_same_origin, origin_of
from luciole.border.asked import Request, Response, refused
from luciole.border.documents import BadDocument, Document, parsed
from luciole.border.fediverse import shown
from luciole.border.fediverse.speaking import Speaking
from luciole.border.fediverse.web import Unreachable
from luciole.border.proofs import BadProof
from luciole.border.signatures import FEDIVERSE_SKEW_S, BadSignature, PublicKey
from luciole.border.store import fediverse as store
from luciole.border.store.fediverse import Key, Terms
from luciole.border.strangers import Heard, NotTaken
from luciole.keys.rsa import rsa_verifies
from luciole.keys.signing import Algorithm, verifies
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.metrics import Counter
from luciole.kit.rates import Buckets, Rate

MAX_BODY_BYTES = 256 * 1024
KEYS_KEPT = timedelta(days=1)
# Requests of one network, and documents asked of one server because somebody wrote to us.
ARRIVALS = Rate("fediverse", 600, 60.0)
LOOKUPS = Rate("fediverse-lookups", 60, 60.0)
# An actor whose keys were asked is not asked again at once, whatever comes in its name.
ASKED_AGAIN = timedelta(minutes=1)
ASKED_KEPT = 10_000
KINDS = {"like": "like", "announce": "share"}
UNDONE = {"unlike": "like", "unannounce": "share"}

heard_from = Counter(
    "luciole_fediverse_activities_total",
    "Activities of the wider Fediverse. The outcome is taken, twice, dropped (nothing for us) or "
    "refused (not signed as it has to be).",
    ["outcome"],
)


class Hearing:
    """The inbox toward the Fediverse."""

    def __init__(self, speaking: Speaking, db: Database, terms: Terms, clock: Clock) -> None:
        self._speaking, self._db, self._terms, self._clock = speaking, db, terms, clock
        self._face = speaking.face
        self._buckets = Buckets()
        self._asked: OrderedDict[str, float] = OrderedDict()

    async def inbox(self, request: Request) -> Response:
        """Takes an activity. 202 also for what comes to nothing: who sends it need not know."""
        if wait_s := self._buckets.wait_s(ARRIVALS, request.network):
            return refused(429, "too-many", {"retry-after": str(wait_s)})
        try:
            document = parsed(request.body)
        except BadDocument as error:
            return refused(400, error.code)
        try:
            signer = await self._signer(request, document)
        except BadSignature as error:
            if _is_farewell(document):
                # Servers tell everybody of an account that is gone, and its key with it.
                heard_from.labels("dropped").inc()
                return Response(202)
            heard_from.labels("refused").inc()
            return refused(401, error.code)
        try:
            heard = strangers.heard(document, signer.actor)
        except NotTaken:
            heard_from.labels("dropped").inc()
            return Response(202)
        answer = await self._answer_to(heard)
        async with self._db.tx() as tx:
            is_new = await store.see(tx, sha256(heard.uri.encode()).digest())
            if is_new:
                await self._take(tx, heard, signer, answer)
        heard_from.labels("taken" if is_new else "twice").inc()
        return Response(202)

    # --- who it is from -----------------------------------------------------------------------

    async def _signer(self, request: Request, document: Document) -> Key:
        """Whose word it is: of who signed the request, or else of who has put a proof into the
        document that somebody passes on. Raises BadSignature."""
        claim = signatures.claim_of(request.headers)
        key = await self._key(claim.key_id)
        try:
            self._verify(request, claim.key_id, key)
        except BadSignature as error:
            # The actor may have other keys by now: asked once more.
            if error.code not in ("wrong-signature", "unknown-key", "another-algorithm"):
                raise
            key = await self._key(claim.key_id, is_anew=True)
            self._verify(request, claim.key_id, key)
        assert key is not None
        if strangers.id_of(document.get("actor")) == key.actor:
            return key
        return await self._prover(document)

    def _verify(self, request: Request, key_id: str, key: Key | None) -> None:
        known: Mapping[str, PublicKey] = {key_id: public(key.key)} if key else {}
        signatures.verified(
            request.method,
            request.url,
            request.headers,
            request.body,
            known.get,
            int(self._clock.now().timestamp()),
            skew_s=FEDIVERSE_SKEW_S,
            schemes=("rfc9421", "cavage"),
        )

    async def _prover(self, document: Document) -> Key:
        try:
            method = proofs.method_of(document)
            key = await self._key(method)
            if key is None or not isinstance(key.key, bytes):
                raise BadSignature("unknown-key")
            proofs.verify(document, public(key.key).verifies, self._clock.now(), FEDIVERSE_SKEW_S)
        except BadProof as error:
            raise BadSignature(error.code) from error
        if strangers.id_of(document.get("actor")) != key.actor:
            raise BadSignature("not-by-its-signer")
        return key

    async def _key(self, name: str, *, is_anew: bool = False) -> Key | None:
        """A key by its name: of those that we know, or asked of the server whose it is. Raises
        BadSignature where the server must not be asked now."""
        now = self._clock.now()
        if not is_anew:
            async with self._db.tx() as tx:
                known = await store.key(tx, name, now - KEYS_KEPT)
            if known is not None:
                return known
        actor = name.partition("#")[0]
        origin = origin_of(actor)
        if origin is None or is_same_origin(actor, self._face.at.origin):
            return None
        if self._has_asked(actor) or self._buckets.wait_s(LOOKUPS, origin):
            return None
        try:
            found = await self._stranger(actor)
        except (Unreachable, NotTaken):
            return None
        async with self._db.tx() as tx:
            await store.forget_keys(tx, found.uri)
            for each, key in found.keys.items():
                made = Key(found.uri, found.shared_inbox or found.inbox, key)
                await store.put_key(tx, each, made, now)
            return await store.key(tx, name, now - KEYS_KEPT)

    async def _stranger(self, uri: str) -> strangers.Stranger:
        document = await self._speaking.get(uri)
        # Some name a key by an address of its own, where its owner is said.
        owner = strangers.id_of(document.get("owner"))
        if owner and owner != uri and is_same_origin(owner, uri):
            document, uri = await self._speaking.get(owner), owner
        return strangers.stranger(document, uri)

    def _has_asked(self, actor: str) -> bool:
        """Whether it was asked within the last minute; from now on it was."""
        now = self._clock.now().timestamp()
        last = self._asked.get(actor, 0.0)
        if now - last < ASKED_AGAIN.total_seconds():
            return True
        self._asked[actor] = now
        self._asked.move_to_end(actor)
        while len(self._asked) > ASKED_KEPT:
            self._asked.popitem(last=False)
        return False

    # --- what comes of it ----------------------------------------------------------------------

    async def _answer_to(self, heard: Heard) -> bytes:
        """The signed Accept of a follow of somebody who is shown; nothing else is answered."""
        author = self._number(heard.object, "people")
        if heard.act != "follow" or author is None:
            return b""
        async with self._db.tx() as tx:
            if await store.author(tx, author, self._terms) is None:
                return b""
        said = shown.accept(self._face, author, heard.uri, heard.actor)
        return await self._speaking.proved(said, author)

    async def _take(self, tx: Tx, heard: Heard, signer: Key, answer: bytes) -> None:
        author = self._number(heard.object, "people")
        match heard.act:
            case "follow" if author is not None and answer:
                now = self._clock.now()
                await store.follow(tx, author, heard.actor, signer.inbox, now)
                await store.put(tx, author, signer.inbox, answer)
            case "unfollow" if author is not None:
                await store.unfollow(tx, author, heard.actor)
            case "like" | "announce" | "unlike" | "unannounce":
                await self._react(tx, heard)
            case "create":
                if heard.note and heard.note.answers:
                    await self._answered(tx, heard.note.answers, heard.note.uri)
            case "delete" if heard.object == heard.actor:
                await store.forget_actor(tx, heard.actor)
            case "delete":
                await store.forget_answer(tx, sha256(heard.object.encode()).digest())
            case "update" if heard.object == heard.actor:
                await store.forget_keys(tx, heard.actor)
            case "move":
                await store.forget_actor(tx, heard.actor)
            case _:
                pass

    async def _react(self, tx: Tx, heard: Heard) -> None:
        clip = self._number(heard.object, "clips")
        if clip is None or await store.shown(tx, "clip", clip) is None:
            return
        what = sha256(heard.actor.encode()).digest()
        if heard.act in KINDS:
            await store.react(tx, clip, KINDS[heard.act], what, self._clock.now().date())
        else:
            await store.unreact(tx, clip, UNDONE[heard.act], what)

    async def _answered(self, tx: Tx, on: str, uri: str) -> None:
        clip = self._number(on, "clips")
        if clip is not None and await store.shown(tx, "clip", clip) is not None:
            what = sha256(uri.encode()).digest()
            await store.react(tx, clip, "answer", what, self._clock.now().date())

    def _number(self, uri: str, thing: str) -> UUID | None:
        read = self._face.at.read(uri)
        return read[1] if read and read[0] == thing else None


def public(key: str | bytes) -> PublicKey:
    """A key of somebody elsewhere, as signatures are checked with it."""
    if isinstance(key, bytes):
        return PublicKey("ed25519", lambda s, m: verifies(Algorithm.ED25519, key, s, m))
    return PublicKey("rsa-v1_5-sha256", lambda s, m: rsa_verifies(key, s, m))


def _is_farewell(document: Document) -> bool:
    """Whether it says that its own actor is gone."""
    actor = strangers.id_of(document.get("actor"))
    return document.get("type") == "Delete" and strangers.id_of(document.get("object")) == actor
