"""What goes over the broker's socket: frames of a length (4 bytes, big-endian) and MessagePack.

A caller numbers its requests and may send many before the first answer. Every limit is here.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from luciole.custody.model import Class, Field, Kind, Opening

MAX_FRAME_BYTES = 4 * 1024 * 1024
MAX_FIELDS = 512
MAX_SIGNED_AT_ONCE = 256
LENGTH = struct.Struct(">I")


class Request(msgspec.Struct, tag_field="ask", frozen=True):
    """One question to the broker."""


class Derived(Request, tag="derived", frozen=True):
    """A key of the asking process for one purpose."""

    purpose: str


class Index(Request, tag="index", frozen=True):
    """Where a sealed value is found again."""

    kind: str
    text: str


class Enrol(Request, tag="enrol", frozen=True):
    """Keys for a new person, and entry 0."""

    person_id: UUID
    label_key: bytes | None


class SessionGrant(Request, tag="session-grant", frozen=True):
    """The grant of a session, by its token."""

    token: str


class AutomatedGrant(Request, tag="automated-grant", frozen=True):
    """Today's grant for a declared purpose."""

    person_id: UUID
    purpose: str


class Seal(Request, tag="seal", frozen=True):
    """Fields in the clear, to be sealed under a grant."""

    grant_id: UUID
    fields: list[Field]


class Open(Request, tag="open", frozen=True):
    """Sealed fields, to be opened under a grant."""

    grant_id: UUID
    fields: list[Field]


class Draw(Request, tag="draw", frozen=True):
    """Entry `n` about a person, for an act of the caller."""

    person_id: UUID
    n: int
    kind: Kind
    cls: Class
    opening: Opening


class LabelKey(Request, tag="label-key", frozen=True):
    """The label key of the grant's person."""

    grant_id: UUID


class OpenJournal(Request, tag="open-journal", frozen=True):
    """What entries of the journal mean."""

    grant_id: UUID
    entries: list[tuple[int, bytes]]


class Sign(Request, tag="sign", frozen=True):
    """A signature by a key of the cell."""

    purpose: str
    message: bytes


class SignAll(Request, tag="sign-all", frozen=True):
    """A signature for each of these, by one key of the cell."""

    purpose: str
    messages: Annotated[list[bytes], msgspec.Meta(max_length=MAX_SIGNED_AT_ONCE)]


class PublicKeyOf(Request, tag="public-key", frozen=True):
    """With what signatures of the cell for a purpose are verified."""

    purpose: str


class CertificatesOf(Request, tag="certificates", frozen=True):
    """The certificates under which the cell signs content credentials."""


class Verify(Request, tag="verify", frozen=True):
    """Whether the holder of an Ed25519 key signed a message."""

    public_key: bytes
    signature: bytes
    message: bytes


class Shred(Request, tag="shred", frozen=True):
    """The end of a person's keys."""

    person_id: UUID


class AskRead(Request, tag="ask-read", frozen=True):
    """What staff want to read of one person, and why."""

    token: str
    person_id: UUID
    purpose: str
    columns: list[str]
    minutes: int
    reason: str


class LookAtReads(Request, tag="look-at-reads", frozen=True):
    """Requests of staff that wait or may be used."""

    token: str


class ApproveRead(Request, tag="approve-read", frozen=True):
    """A signature of staff, as a browser's passkey gives it."""

    read_id: UUID
    credential: dict[str, Any]


class SignerOf(Request, tag="signer-of", frozen=True):
    """A text that one of the staff has signed, and the signature; and as what they have to have."""

    text: bytes
    credential: dict[str, Any]
    role: str = "operator"


class OpenRead(Request, tag="open-read", frozen=True):
    """Sealed fields, to be opened under an approved request."""

    token: str
    read_id: UUID
    fields: list[Field]


class Guardian(Request, tag="guardian", frozen=True):
    """Who guards keys: how that stands, or put in office (`on`), or relieved of it (`off`); whose
    halves were given (`told`), from a handle on; or all halves destroyed there (`destroy`)."""

    act: Literal["status", "on", "off", "told", "destroy"]
    after: bytes = b""


Asked = (
    Derived
    | Index
    | Enrol
    | SessionGrant
    | AutomatedGrant
    | Seal
    | Open
    | Draw
    | LabelKey
    | OpenJournal
    | Sign
    | SignAll
    | PublicKeyOf
    | CertificatesOf
    | Verify
    | Shred
    | AskRead
    | LookAtReads
    | ApproveRead
    | OpenRead
    | SignerOf
    | Guardian
)


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A numbered request."""

    number: int
    asked: Asked


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """Its result, or the code of a refusal."""

    number: int
    result: msgspec.Raw = msgspec.Raw(b"\xc0")
    refused: str = ""


def frame(message: Call | Answer) -> bytes:
    """The bytes of a message on the wire."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError("a message to the key broker is too large")
    return LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The body of the next message, None at the end. Raises ValueError where one is too large."""
    try:
        (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        if size > MAX_FRAME_BYTES:
            raise ValueError("a message is too large")
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
