"""The work that is asked of a device before an account: set by a keyed hash, so that nothing is
kept of it until it was done.

A bot pays it for each account; a person while they fill the form in. It gets more with the accounts
of the last hour, and has a bound that an old telephone can live with (`luciole.effort`).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from datetime import datetime, timedelta

import msgspec

from luciole import effort
from luciole.cell.people.joining import refusals

GOOD_FOR = timedelta(hours=1)
_HEAD = struct.Struct(f">{effort.SALT_BYTES}sI")
_MAC_BYTES = 32


class Work(msgspec.Struct, frozen=True):
    """What a device is to do. `challenge` comes back with the answer; bytes are in base64url."""

    challenge: str
    salt: str
    told: str
    iterations: int
    tries: int


class Done(msgspec.Struct, forbid_unknown_fields=True):
    """Work that was done: the challenge as it was given, and the half that was found."""

    challenge: str
    answer: str


def tries(base: int, usual: int, lately: int) -> int:
    """How many hashes are asked for, at a present rate of so many accounts in an hour: `base`
    below the usual one, twice that at it, and so on to the bound. 0: none."""
    return min(effort.MAX_TRIES, base * (1 + lately // max(usual, 1)))


def set_work(key: bytes, now: datetime, count: int) -> Work:
    """New work of `count` hashes at most. Slow by one of them."""
    salt = secrets.token_bytes(effort.SALT_BYTES)
    told, sought = effort.hashed(salt, secrets.randbelow(count))
    head = _HEAD.pack(salt, int((now + GOOD_FOR).timestamp()))
    challenge = head + _mac(key, head, sought)
    return Work(_text(challenge), _text(salt), _text(told), effort.ITERATIONS, count)


def check(key: bytes, now: datetime, done: Done | None) -> bytes:
    """The mark (16 bytes) by which work that was done is known; whoever acts on it spends the mark.
    Raises WorkNeeded."""
    if done is None:
        raise refusals.WorkNeeded
    try:
        challenge, sought = _bytes(done.challenge), _bytes(done.answer)
    except ValueError:
        raise refusals.WorkNeeded from None
    if len(challenge) != _HEAD.size + _MAC_BYTES or len(sought) != effort.HALF_BYTES:
        raise refusals.WorkNeeded
    head, mac = challenge[: _HEAD.size], challenge[_HEAD.size :]
    salt, ends = _HEAD.unpack(head)
    if not hmac.compare_digest(mac, _mac(key, head, sought)) or ends <= now.timestamp():
        raise refusals.WorkNeeded
    return bytes(salt)


def _mac(key: bytes, head: bytes, sought: bytes) -> bytes:
    return hmac.digest(key, head + sought, "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
