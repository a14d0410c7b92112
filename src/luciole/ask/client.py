"""The broker as the other processes of a cell see it.

One connection with many requests under way, made anew when it is lost. Never ask for a grant
inside a transaction that has taken a number of the same person (`note`): the broker would wait for
that transaction, and the transaction for the broker.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

import msgspec

from luciole.custody import store, wire
from luciole.custody.model import (
    REFUSALS,
    ApprovalRefused,
    Certificates,
    Class,
    CustodyAway,
    Drawn,
    Field,
    Grant,
    GuardianState,
    Kind,
    OpenedEntry,
    Opening,
    PublicKey,
    StaffRead,
)
from luciole.kit import unix
from luciole.kit.db import Tx
from luciole.kit.errors import NotSignedIn

T = TypeVar("T")

ANSWERS_WITHIN_S = 5.0
CONNECTS_WITHIN_S = 2.0
# A passkey's answer has a few hundred bytes.
MOST_OF_A_CREDENTIAL_BYTES = 64 * 1024

_answer = msgspec.msgpack.Decoder(wire.Answer)


class Line(Protocol):
    """A way to the broker."""

    async def ask(self, asked: wire.Asked, expected: type[T]) -> T: ...

    async def close(self) -> None: ...


class Custody:
    """What a process may ask the broker. Raises CustodyAway where it does not answer."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @classmethod
    def at(cls, place: Path) -> Custody:
        """Over the socket of this process; connects with the first question."""
        return cls(_Socket(place))

    @classmethod
    def within(cls, answer: Callable[[wire.Asked], Awaitable[Any]]) -> Custody:
        """Over a broker in this process."""
        return cls(_Within(answer))

    async def close(self) -> None:
        await self._line.close()

    async def derived(self, purpose: str) -> bytes:
        """A 256-bit key for one purpose of this process, the same at each start."""
        return await self._line.ask(wire.Derived(purpose), bytes)

    async def index(self, kind: str, text: str) -> bytes:
        """Where a sealed value is found again."""
        return await self._line.ask(wire.Index(kind, text), bytes)

    async def enrol(self, person_id: UUID, label_key: bytes | None) -> Drawn:
        """Keys for a new person, and entry 0 of their journal (`store.record` notes it)."""
        return await self._line.ask(wire.Enrol(person_id, label_key), Drawn)

    async def session_grant(self, token: str) -> Grant:
        """The grant of a session. Raises NotSignedIn. The session must be committed."""
        return await self._line.ask(wire.SessionGrant(token), Grant)

    async def automated_grant(self, person_id: UUID, purpose: str) -> Grant:
        """Today's grant for a declared purpose (`custody.purposes`). Raises NoGrant."""
        return await self._line.ask(wire.AutomatedGrant(person_id, purpose), Grant)

    async def seal(self, grant: Grant, fields: Sequence[Field]) -> list[bytes]:
        """Raises NoGrant, KeyGone."""
        return await self._line.ask(wire.Seal(grant.id, list(fields)), list[bytes])

    async def open(self, grant: Grant, fields: Sequence[Field]) -> list[bytes]:
        """Raises NoGrant, KeyGone, NotOpened."""
        return await self._line.ask(wire.Open(grant.id, list(fields)), list[bytes])

    async def label_key(self, grant: Grant) -> bytes:
        """The person's label key. Raises NoGrant, KeyGone."""
        return await self._line.ask(wire.LabelKey(grant.id), bytes)

    async def open_journal(
        self, grant: Grant, entries: Sequence[tuple[int, bytes]]
    ) -> list[OpenedEntry]:
        """What entries of the journal mean. Raises NoGrant, KeyGone, NotOpened."""
        return await self._line.ask(wire.OpenJournal(grant.id, list(entries)), list[OpenedEntry])

    async def sign(self, purpose: str, message: bytes) -> bytes:
        """A signature (64 bytes) by the cell's key for a purpose: Ed25519, or ES256 for pushes.
        Raises NoGrant."""
        return await self._line.ask(wire.Sign(purpose, message), bytes)

    async def sign_all(self, purpose: str, messages: Sequence[bytes]) -> list[bytes]:
        """The same for each of at most 256 messages, in one question. Raises NoGrant."""
        return await self._line.ask(wire.SignAll(purpose, list(messages)), list[bytes])

    async def public_key(self, purpose: str) -> PublicKey:
        """With what signatures for a purpose are verified, and whose they are. Raises NoGrant."""
        return await self._line.ask(wire.PublicKeyOf(purpose), PublicKey)

    async def certificates(self) -> Certificates:
        """Under which the cell signs content credentials."""
        return await self._line.ask(wire.CertificatesOf(), Certificates)

    async def verify(self, public_key: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the holder of an Ed25519 key signed a message."""
        return await self._line.ask(wire.Verify(public_key, signature, message), bool)

    async def shred(self, person_id: UUID) -> None:
        """Destroys a person's keys for good."""
        await self._line.ask(wire.Shred(person_id), None)  # type: ignore[arg-type]

    async def guardian(
        self, act: Literal["status", "on", "off", "told", "destroy"], after: bytes = b""
    ) -> GuardianState:
        """Who guards keys. Raises NoGuardian, GuardianAway."""
        return await self._line.ask(wire.Guardian(act, after), GuardianState)

    async def ask_read(
        self,
        token: str,
        person_id: UUID,
        purpose: str,
        columns: Sequence[str],
        minutes: int,
        reason: str,
    ) -> StaffRead:
        """A request of staff to read of a person. Raises NotStaff, ReadRefused."""
        asked = wire.AskRead(token, person_id, purpose, list(columns), minutes, reason)
        return await self._line.ask(asked, StaffRead)

    async def reads(self, token: str) -> list[StaffRead]:
        """Requests of staff that wait or may be used. Raises NotStaff."""
        return await self._line.ask(wire.LookAtReads(token), list[StaffRead])

    async def approve_read(self, read_id: UUID, credential: dict[str, Any]) -> StaffRead:
        """A passkey's signature over a request. Raises NoSuchRead, ApprovalRefused."""
        return await self._line.ask(wire.ApproveRead(read_id, _carried(credential)), StaffRead)

    async def signer_of(
        self, text: bytes, credential: dict[str, Any], role: str = "operator"
    ) -> UUID:
        """Which of the staff, in this role, has signed a text with a passkey. Raises
        ApprovalRefused."""
        return await self._line.ask(wire.SignerOf(text, _carried(credential), role), UUID)

    async def open_read(self, token: str, read_id: UUID, fields: Sequence[Field]) -> list[bytes]:
        """Fields of the person of an approved request. Raises NotStaff, NoSuchRead, NotApproved,
        NoGrant, KeyGone, NotOpened."""
        return await self._line.ask(wire.OpenRead(token, read_id, list(fields)), list[bytes])

    async def note(
        self,
        tx: Tx,
        person_id: UUID,
        *,
        kind: Kind,
        cls: Class,
        purpose: str,
        actor: str = "luciole",
        **opening: Any,
    ) -> Drawn:
        """Notes an act about a person in `tx`, the transaction of the act: it is in the log if,
        and only if, `tx` commits. Numbers of the person wait for `tx`, so note late in it.

        The one call to another process that is made inside a transaction: the broker answers from
        memory, on the same machine, or the act is refused.
        """
        said: Opening = {"actor": actor, "purpose": purpose, **opening}

        async def draw(n: int) -> Drawn:
            return await self._line.ask(wire.Draw(person_id, n, kind, cls, said), Drawn)

        n = await store.take_number(tx, person_id)
        return await store.record_next(tx, person_id, n, draw)


def _carried(credential: dict[str, Any]) -> dict[str, Any]:
    """What a browser gave as a passkey's answer, if the wire can carry it; JSON has numbers that
    it cannot. Raises ApprovalRefused, for no passkey gives such an answer."""
    try:
        size = len(msgspec.msgpack.encode(credential))
    except OverflowError:
        raise ApprovalRefused from None
    if size > MOST_OF_A_CREDENTIAL_BYTES:
        raise ApprovalRefused
    return credential


class _Within:
    def __init__(self, answer: Callable[[wire.Asked], Awaitable[Any]]) -> None:
        self._answer = answer

    async def ask(self, asked: wire.Asked, expected: type[T]) -> T:
        # Both ways through the wire's form, so that tests meet what it cannot carry.
        call = wire.Call(1, asked)
        carried = msgspec.msgpack.decode(wire.frame(call)[wire.LENGTH.size :], type=wire.Call)
        result = msgspec.msgpack.encode(await self._answer(carried.asked))
        return msgspec.msgpack.decode(result, type=expected)

    async def close(self) -> None:
        """Nothing to close."""


class _Socket:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[wire.Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, asked: wire.Asked, expected: type[T]) -> T:
        number = next(self._numbers)
        answer: asyncio.Future[wire.Answer] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                writer = await self._connected()
                self._waiting[number] = answer
                writer.write(wire.frame(wire.Call(number, asked)))
                await writer.drain()
                return decoded(await answer, expected)
        except (OSError, TimeoutError) as error:
            raise CustodyAway(retry_after_s=1) from error
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                async with asyncio.timeout(CONNECTS_WITHIN_S):
                    with unix.address_of(self._place) as address:
                        reader, self._writer = await asyncio.open_unix_connection(address)
                self._reading = asyncio.create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hands answers to who waits for them; at the end of the connection, tells them so."""
        try:
            while (body := await wire.read_frame(reader)) is not None:
                answer = _answer.decode(body)
                waiting = self._waiting.pop(answer.number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        finally:
            self._writer = None
            writer.close()
            for each in [each for each in self._waiting.values() if not each.done()]:
                each.set_exception(ConnectionResetError())
            self._waiting.clear()


def decoded(answer: wire.Answer, expected: type[T]) -> T:
    """The result of an answer, or its refusal, raised."""
    if answer.refused:
        if answer.refused == NotSignedIn.code:
            raise NotSignedIn
        raise REFUSALS.get(answer.refused, CustodyAway)()
    return msgspec.msgpack.decode(answer.result, type=expected)
