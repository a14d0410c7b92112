"""What the cell says to servers of the Fediverse, signed: by RFC 9421, and to those that refuse it,
by the older way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from uuid import UUID

from luciole.border import cavage, proofs, signatures
from luciole.border.addresses import origin_of
from luciole.border.documents import BadDocument, Document, jcs, parsed
from luciole.border.fediverse import shown
from luciole.border.fediverse.shown import ACTIVITY_JSON, Face, Keys
from luciole.border.fediverse.web import Answer, Unreachable, Web
from luciole.border.store import fediverse as store
from luciole.kit.clock import Clock
from luciole.kit.db import Database

T = TypeVar("T")

# (purpose, message): a signature by the key broker. (purpose): the public key.
SignFor = Callable[[str, bytes], Awaitable[bytes]]
KeyFor = Callable[[str], Awaitable[bytes]]

PURPOSE = "fediverse"
# What servers answer to a signature that they cannot verify.
NOT_VERIFIED = (400, 401, 403)
ACCEPTS = f'{ACTIVITY_JSON}, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


class Speaking:
    """Requests in the names of the cell and of its authors."""

    def __init__(
        self,
        face: Face,
        db: Database,
        web: Web,
        sign: SignFor,
        key: KeyFor,
        clock: Clock,
        user_agent: str,
    ) -> None:
        self.face = face
        self._db, self._web, self._sign, self._key = db, web, sign, key
        self._clock, self._user_agent = clock, user_agent
        self._pem = ""

    async def keys(self, author: UUID | None = None) -> Keys:
        """The keys that an author shows, or the cell's own actors."""
        if not self._pem:
            self._pem = (await self._key(PURPOSE)).decode()
        return Keys(self._pem, await self._key(f"actor/{author}") if author else None)

    async def proved(self, document: Document, author: UUID) -> bytes:
        """The bytes of an activity, with a proof by its author's key (FEP-8b32)."""
        method, now = shown.proof_key(self.face.person(author)), self._clock.now()

        def build(sign: Callable[[bytes], bytes]) -> Document:
            return proofs.proved(document, method, sign, now)

        return jcs(await self._made(f"actor/{author}", build))

    async def get(self, url: str) -> Document:
        """A document of somebody's server, asked in the name of the cell, never of a person. Raises
        Unreachable, also with `gone` for what is there no more."""
        answer = await self._ask("GET", url, {"accept": ACCEPTS}, b"", self.face.at.cell)
        if answer.status in (404, 410):
            raise Unreachable("gone")
        if answer.status != 200:
            raise Unreachable(f"status-{answer.status}")
        try:
            return parsed(answer.body)
        except BadDocument as error:
            raise Unreachable(error.code) from error

    async def post(self, inbox: str, body: bytes, actor: str) -> int:
        """The status of an inbox's answer. Raises Unreachable."""
        headers = {"content-type": ACTIVITY_JSON, "accept": ACTIVITY_JSON}
        return (await self._ask("POST", inbox, headers, body, actor)).status

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, actor: str
    ) -> Answer:
        origin = origin_of(url)
        if origin is None:
            raise Unreachable("no-address")
        async with self._db.tx() as tx:
            is_old = await store.is_old(tx, origin)
        sent = {**headers, "user-agent": self._user_agent, "accept-encoding": "identity"}
        if not is_old:
            made = await self._signed(method, url, sent, body, actor)
            answer = await self._web.ask(method, url, made, body)
            if answer.status not in NOT_VERIFIED:
                return answer
        made = await self._signed_as_before(method, url, sent, body, actor)
        answer = await self._web.ask(method, url, made, body)
        if not is_old and answer.status < 300:
            async with self._db.tx() as tx:
                await store.set_old(tx, origin)
        return answer

    async def _signed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, actor: str
    ) -> dict[str, str]:
        now, name = int(self._clock.now().timestamp()), shown.main_key(actor)

        def build(sign: Callable[[bytes], bytes]) -> dict[str, str]:
            return signatures.signed(method, url, headers, body, name, sign, now, "rsa-v1_5-sha256")

        return await self._made(PURPOSE, build)

    async def _signed_as_before(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, actor: str
    ) -> dict[str, str]:
        now, name = int(self._clock.now().timestamp()), shown.main_key(actor)

        def build(sign: Callable[[bytes], bytes]) -> dict[str, str]:
            return cavage.signed(method, url, headers, body, name, sign, now)

        return await self._made(PURPOSE, build)

    async def _made(self, purpose: str, build: Callable[[Callable[[bytes], bytes]], T]) -> T:
        """What `build` makes with a signature: it is asked once for what is to be signed, and, once
        the key broker has signed that, for the whole."""
        message = bytearray()

        def keep(said: bytes) -> bytes:
            message.extend(said)
            return b""

        build(keep)
        signature = await self._sign(purpose, bytes(message))
        return build(lambda _: signature)
