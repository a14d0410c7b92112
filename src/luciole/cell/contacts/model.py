"""What contact discovery is made of: numbers, refusals, and how a value is cut and used."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import date
from typing import Literal

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany, Unavailable

Kind = Literal["email", "phone"]
KINDS: tuple[Kind, ...] = ("email", "phone")
Why = Literal["first", "operator", "period"]

# --- how much may be asked ---------------------------------------------------------------------

# Published in `GET /api/contacts/terms`; the other cell counts by the same numbers.
FIRST_POINTS = 1_000
POINTS_PER_DAY = 50
MAX_POINTS_AT_ONCE = 1_000
POINT_BYTES = 32

# --- codes -------------------------------------------------------------------------------------

CODE_DIGITS = 6
CODE_MINUTES = 10
CODE_TRIES = 5
CODES_PER_DAY = 5
CODE_AGAIN_S = 60

# --- filter and book ---------------------------------------------------------------------------

# One in 2^8 of those who are not here seems to be, until no record of their bucket opens. A bit
# more costs everybody an eighth of a byte for each person; each false one costs two buckets, and
# hides which were wanted. ADR 48 has the sum.
FALSE_BITS = 8
PEOPLE_PER_PART = 100
PEOPLE_PER_BUCKET = 48
MAX_BUCKETS_AT_ONCE = 64
MAX_PARTS_AT_ONCE = 2_048

# --- a value of the blinded function -----------------------------------------------------------

INFO = b"luciole/contacts/v1"
VALUE_BYTES = 64
MARK_BYTES = 16
KEY_BYTES = 32
HANDLE_BYTES = 24
NONCE_BYTES = 8
TAG_BYTES = 16
RECORD_BYTES = NONCE_BYTES + HANDLE_BYTES + TAG_BYTES
_STREAM = b"luciole/contacts/stream/v1"
_CHECK = b"luciole/contacts/check/v1"


def said(kind: Kind, address: str) -> bytes:
    """What of an address goes into the function: its one form, apart by kind."""
    return f"{kind}:{address}".encode()


def cut(value: bytes) -> tuple[bytes, bytes]:
    """A value of the function: its mark (16 bytes, for everybody to see), and the key of its
    record, which only who knows the address can have."""
    return value[:MARK_BYTES], value[-KEY_BYTES:]


def round_of(day: date) -> int:
    """The number of a round that begins on a day: one a day, always a higher one, also in a cell
    that was put back from an old copy."""
    return (day - date(1970, 1, 1)).days


def new_nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)


def sealed_handle(key: bytes, nonce: bytes, handle: str) -> bytes:
    """A record: 8 bytes of nonce, the handle filled up with zeros under one block of HMAC-SHA-512
    as a stream, and 16 bytes of HMAC-SHA-256 over both. A key has a new nonce for each handle."""
    text = handle.encode("ascii").ljust(HANDLE_BYTES, b"\0")
    if len(text) != HANDLE_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("no handle")
    stream = hmac.digest(key, _STREAM + nonce, hashlib.sha512)
    hidden = nonce + bytes(a ^ b for a, b in zip(text, stream, strict=False))
    return hidden + hmac.digest(key, _CHECK + hidden, hashlib.sha256)[:TAG_BYTES]


# --- shapes ------------------------------------------------------------------------------------


class Asked(msgspec.Struct, frozen=True):
    """How much somebody has asked, and since when."""

    since: date
    points: int

    def allowed(self, today: date) -> int:
        """How many points in all until now."""
        return FIRST_POINTS + POINTS_PER_DAY * max((today - self.since).days, 0)

    def left(self, today: date) -> int:
        return max(self.allowed(today) - self.points, 0)


class Mine(msgspec.Struct, frozen=True):
    """An address of a person, and what it is good for; the address itself is not in it."""

    kind: Kind
    is_verified: bool
    is_findable: bool


class Findable(msgspec.Struct, frozen=True):
    """By what a person is found, and with what the record is made, sealed."""

    kind: Kind
    opening: bytes


class Round(msgspec.Struct, frozen=True):
    """One key of contact discovery, in two halves. `salt` makes ours, with the cell's secret;
    `other_key` is the public key that the other cell has given for it, None where it was not asked.
    `oldest`: the number of the round that is in use now."""

    number: int
    salt: bytes
    other_key: bytes | None
    why: Why
    since: date | None
    oldest: int


FIRST_ROUND = Round(1, b"", None, "first", None, 1)


class State(msgspec.Struct, frozen=True):
    """How often what is findable has changed, and under which round of the key it is."""

    number: int
    round: int


class Opening(msgspec.Struct, frozen=True):
    """By what somebody is found in one round of the key: the value, and with it the address,
    sealed."""

    round: int
    value: bytes
    sealed: bytes


class Waiting(msgspec.Struct, frozen=True):
    """A code that was sent."""

    version: int
    address_index: bytes | None
    code_hash: bytes
    tries: int
    age_s: int


class Day(msgspec.Struct, frozen=True):
    """What was asked on a day, by all together."""

    day: date
    points: int


# --- refusals ----------------------------------------------------------------------------------


class NotOffered(NotFound):
    code = "contacts-not-offered"
    sentence = (
        "This cell cannot look for people whom you know: the key of that needs a half in another "
        "cell, and it has no such cell."
    )
    next_step = "Look for people by their name or handle."


class OtherCellAway(Unavailable):
    code = "contacts-other-cell-away"
    sentence = "The cell that holds the other half of the key does not answer; nothing was counted."
    next_step = "Try again in a few minutes."


class OtherCellWrong(Unavailable):
    code = "contacts-other-cell-wrong"
    sentence = "The cell that holds the other half of the key did not prove that it used it."
    next_step = "Tell the operator of this cell; do not try again before."


class AskedTooMuch(TooMany):
    code = "contacts-asked-too-much"
    sentence = (
        f"You may look for {FIRST_POINTS:,} contacts at first, and for {POINTS_PER_DAY} more each "
        "day."
    )
    next_step = "Choose fewer contacts, or come back tomorrow."


class NothingAsked(Invalid):
    code = "contacts-bad-points"
    sentence = "This is not a list of blinded contacts."
    next_step = "Reload the page and try again; if it goes on, tell the operator of this cell."


class TooManyAtOnce(Invalid):
    code = "contacts-too-many-at-once"
    sentence = "That is more than the cell answers at once."
    next_step = "Ask for it in several parts."


class FilterChanged(Conflict):
    code = "contacts-filter-changed"
    sentence = "Who can be found has changed since you fetched the filter."
    next_step = "Fetch it anew and look once more; the contacts count only once."


class KeysChanged(Conflict):
    code = "contacts-keys-changed"
    sentence = "The key by which people find each other has been changed just now."
    next_step = "Do it once more; the new key is used by itself."


class VerifyFirst(NotAllowed):
    code = "contacts-verify-first"
    sentence = "Whoever looks for others, or wants to be found, shows first whose address it is."
    next_step = "Have a code sent to your own number or mail address, and type it here."


class NoAddress(NotFound):
    code = "contacts-no-address"
    sentence = "Your account has no such address."
    next_step = "Give it in your settings first."


class NoCodes(Unavailable):
    code = "contacts-no-codes"
    sentence = "This cell can send no codes of that kind, so it can verify no such address."
    next_step = "Ask the operator of this cell, or use the other kind of address."


class CodeNotSent(Unavailable):
    code = "contacts-code-not-sent"
    sentence = "The code could not be sent."
    next_step = "Try again in a minute. If it goes on, tell the operator of this cell."


class CodesTooOften(TooMany):
    code = "contacts-codes-too-often"
    sentence = f"A code is sent once a minute and {CODES_PER_DAY} times a day at most."
    next_step = "Wait for the one that was sent, or try again later."


class WrongCode(Conflict):
    code = "contacts-wrong-code"
    sentence = "This is not the code that was sent last, or it has ended."
    next_step = f"Type the newest one within {CODE_MINUTES} minutes, or have another one sent."
