"""Work that a device does before it may ask for an account: many hashes, one after the other.

The function is PBKDF2-HMAC-SHA256 (RFC 8018), because a browser has it in its own machine code
(WebCrypto): a program in its place gains little. Whoever sets the work draws a number below `tries`
and tells half of its hash; whoever does it looks for the number and gives the other half back. So
the work has an end: `tries` hashes, half of that on average.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

ITERATIONS = 4_000
SALT_BYTES = 16
HALF_BYTES = 16
# The most that is asked for. A telephone that does a million rounds of SHA-256 in a second, as
# those of 2015 without instructions for it, needs 8 ms for each and so 2.8 s for all.
MAX_TRIES = 350


def hashed(salt: bytes, number: int) -> tuple[bytes, bytes]:
    """Both halves (16 bytes each) of a number's hash: what is told, and what is looked for."""
    found = hashlib.pbkdf2_hmac(
        "sha256", number.to_bytes(4, "big"), salt, ITERATIONS, 2 * HALF_BYTES
    )
    return found[:HALF_BYTES], found[HALF_BYTES:]


def done(salt: bytes, told: bytes, tries: int) -> bytes:
    """The half that was looked for. Raises ValueError where no number below `tries` fits."""
    for number in range(tries):
        first, second = hashed(salt, number)
        if first == told:
            return second
    raise ValueError("No number fits.")


def answered(work: Mapping[str, Any]) -> dict[str, str] | None:
    """What a client sends for work as `POST /api/sign-up/work` gave it; None where none was asked
    for."""
    if not work["tries"]:
        return None
    found = done(_bytes(work["salt"]), _bytes(work["told"]), work["tries"])
    answer = base64.urlsafe_b64encode(found).decode().rstrip("=")
    return {"challenge": work["challenge"], "answer": answer}


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
