"""Who a cell is, signed by itself: served at `/.well-known/luciole-cell`.

A signed note (C2SP signed-note) whose text is one line of canonical JSON, so that whoever reads a
log's heads reads it too. It says nothing by itself about who should be believed: the operators of
two cells compare the key's fingerprint by another way, once (`luciole peer add`).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from luciole.ledger.entry import BadEntry, canonical, parse_canonical
from luciole.ledger.merkle import Refused
from luciole.ledger.note import KeyKind, Note, VerifierKey, to_base64

PATH = ".well-known/luciole-cell"
PROFILE = "luciole:border/1"
MAX_BYTES = 16 * 1024
MAX_CHARS = 200
LOGS = ("access", "decisions", "border")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_ORIGIN = re.compile(r"https?://[^\s/?#@]+")

Sign = Callable[[bytes], Awaitable[bytes]]
# A signature for each message, in their order.
SignAll = Callable[[Sequence[bytes]], Awaitable[list[bytes]]]


class BadPassport(Exception):
    """Bytes that are no passport, or one that does not fit its own key. The text says why."""


class Passport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a cell says of itself. Keys are verifier keys (vkeys): `key` of the border, `log_keys`
    of its three logs, `witness_keys` of its witness (Ed25519, then ML-DSA-44)."""

    v: int
    name: str
    display_name: str
    cell_id: str
    origin: str
    operator: str
    jurisdiction: str
    key: str
    log_keys: tuple[str, ...]
    witness_keys: tuple[str, ...]
    profile: str
    made_at: str

    @property
    def border_key(self) -> VerifierKey:
        """The key that signs requests, receipts and this."""
        return VerifierKey.parse(self.key)

    def log_key(self, log: str) -> VerifierKey:
        """The key of one of its logs."""
        return VerifierKey.parse(self.log_keys[LOGS.index(log)])

    @property
    def fingerprint(self) -> str:
        """Of the key, for people to compare: 16 bytes in groups of four digits."""
        return fingerprint(self.border_key.public)


def fingerprint(public: bytes) -> str:
    """16 bytes of a key's SHA-256, in groups that can be read to each other."""
    digits = sha256(public).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def key_of(cell_id: UUID | str, public: bytes) -> VerifierKey:
    """The border key of a cell under its name."""
    return VerifierKey(f"luciole/{cell_id}/cell", KeyKind.ED25519, public)


async def signed(text: bytes, key: VerifierKey, sign: Sign) -> str:
    """A note of one line, signed by a cell."""
    return noted(text, key, await sign(line_of(text)))


def line_of(text: bytes) -> bytes:
    """What the signature of a note of one line is over."""
    return text + b"\n"


def noted(text: bytes, key: VerifierKey, signature: bytes) -> str:
    """A note of one line with its signature."""
    return f"{line_of(text).decode()}\n— {key.name} {to_base64(key.id + signature)}\n"


async def made(passport: Passport, sign: Sign) -> str:
    """The passport, signed."""
    said = canonical(msgspec.to_builtins(passport))
    return await signed(said, passport.border_key, sign)


def opened(note: bytes | str, key: VerifierKey) -> dict[str, object]:
    """What a cell has signed as one line of canonical JSON. Raises BadPassport."""
    try:
        parsed = Note.parse(note)
        parsed.verify([key])
        return parse_canonical(parsed.text.removesuffix("\n").encode())
    except Refused as error:
        raise BadPassport(str(error)) from error


def read(note: bytes) -> Passport:
    """A passport that is signed by the key that it names. Whose that is, people have to compare.
    Raises BadPassport."""
    if len(note) > MAX_BYTES:
        raise BadPassport("A passport is not that long.")
    try:
        said = parse_canonical(Note.parse(note).text.removesuffix("\n").encode())
        found = msgspec.convert(said, Passport)
        cell_id = str(UUID(found.cell_id))
        keys = [VerifierKey.parse(key) for key in (*found.log_keys, *found.witness_keys)]
        key = found.border_key
    except (Refused, BadEntry, ValueError, msgspec.ValidationError) as error:
        raise BadPassport(f"This is no passport: {error}") from error
    opened(note, key)
    logs, witness = keys[: len(LOGS)], keys[len(LOGS) :]
    texts = (found.display_name, found.operator, found.jurisdiction)
    fits = (
        found.v == 1,
        found.profile == PROFILE,
        found.cell_id == cell_id,
        key.name == f"luciole/{cell_id}/cell" and key.kind is KeyKind.ED25519,
        [one.name for one in logs] == [f"luciole/{cell_id}/{log}" for log in LOGS],
        [one.kind for one in witness] == [KeyKind.COSIGNATURE, KeyKind.SUBTREE],
        _NAME.fullmatch(found.name) is not None,
        _ORIGIN.fullmatch(found.origin) is not None and urlsplit(found.origin).hostname,
        all(len(text) <= MAX_CHARS and text.isprintable() for text in texts),
    )
    if not all(fits):
        raise BadPassport("What this passport says does not fit together.")
    return found
