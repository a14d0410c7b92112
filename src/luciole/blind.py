"""The blinded function by which people find each other: RFC 9497, VOPRF(ristretto255, SHA-512).

The key is split: two cells hold `k1` and `k2`, each evaluates the same blinded points, and the sum
of their answers is the answer of `k1 + k2`, which nobody holds. What comes of it is a function of a
telephone number or mail address that neither cell can compute alone.

The group is libsodium's (`rbcl`), which only this module imports; the rest is the RFC, with its
names. Everything here is bytes in, bytes out: it knows no person, no file and no clock.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import rbcl

POINT_BYTES = 32
SCALAR_BYTES = 32
PROOF_BYTES = 2 * SCALAR_BYTES
OUTPUT_BYTES = 64
# RFC 9497, section 2.2: positions in a batch have two bytes.
MAX_POINTS = 0xFFFF

# Section 3.1, mode 1 (VOPRF).
CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
_BLOCK_BYTES = 128


class BadPoint(Exception):
    """Bytes that are no point of the group other than its neutral one."""


class BadProof(Exception):
    """Who evaluated did not use the key that they have published."""


def derive_key(seed: bytes, info: bytes) -> bytes:
    """A private key out of 32 secret bytes (section 3.2.1)."""
    told = seed + _sized(info)
    for counter in range(256):
        key = _to_scalar(told + bytes([counter]), b"DeriveKeyPair" + CONTEXT)
        if any(key):
            return key
    raise ValueError("no key comes of this seed")  # one seed in 2^64000


def public_key(key: bytes) -> bytes:
    """With what proofs of a key's holder are verified."""
    return bytes(rbcl.crypto_scalarmult_ristretto255_base(key))


def hash_to_group(text: bytes) -> bytes:
    """The point of a text (section 4.1; RFC 9380, appendix B)."""
    wide = _expanded(text, b"HashToGroup-" + CONTEXT, 64)
    return bytes(rbcl.crypto_core_ristretto255_from_hash(wide))


def blind(text: bytes) -> tuple[bytes, bytes]:
    """What undoes the blinding, and the blinded point: to others as good as random."""
    scalar = bytes(rbcl.crypto_core_ristretto255_scalar_random())
    return scalar, _multiplied(scalar, hash_to_group(text))


def evaluate(key: bytes, points: bytes) -> tuple[bytes, bytes]:
    """The answers to blinded points (each 32 bytes), and one proof that all are the key's
    (section 3.3.2). Raises BadPoint."""
    asked = _split(points)
    answers = [_multiplied(key, point) for point in asked]
    return b"".join(answers), _prove(key, asked, answers)


def check(public: bytes, points: bytes, answers: bytes, proof: bytes) -> None:
    """Whether answers are those of a published key (section 2.2.2). Raises BadPoint, BadProof."""
    asked, answered = _split(points), _split(answers)
    if len(asked) != len(answered) or len(proof) != PROOF_BYTES:
        raise BadProof
    c, s = proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]
    if not (_is_scalar(c) and _is_scalar(s)):
        raise BadProof
    weights = _weights(public, asked, answered)
    m, z = _weighted(weights, asked), _weighted(weights, answered)
    try:
        t2 = _added(_multiplied(s), _multiplied(c, public))
        t3 = _added(_multiplied(s, m), _multiplied(c, z))
    except BadPoint as error:
        # Nobody who knows the key makes a proof of nought.
        raise BadProof from error
    if not hmac.compare_digest(c, _challenge(public, m, z, t2, t3)):
        raise BadProof


def together(answers: bytes, others: bytes) -> bytes:
    """The answers of both halves of a key as those of the whole. Raises BadPoint."""
    mine, theirs = _split(answers), _split(others)
    if len(mine) != len(theirs):
        raise BadPoint
    return b"".join(map(_added, mine, theirs))


def finish(text: bytes, scalar: bytes, answer: bytes) -> bytes:
    """The function's value (64 bytes) of a text (section 3.3.2). Raises BadPoint."""
    undo = bytes(rbcl.crypto_core_ristretto255_scalar_invert(scalar))
    told = _sized(text) + _sized(_multiplied(undo, answer)) + b"Finalize"
    return hashlib.sha512(told).digest()


def _prove(key: bytes, asked: Sequence[bytes], answers: Sequence[bytes]) -> bytes:
    # The order of section 2.2.1; `ComputeCompositesFast`, since who proves knows the key.
    public = public_key(key)
    m = _weighted(_weights(public, asked, answers), asked)
    z = _multiplied(key, m)
    r = bytes(rbcl.crypto_core_ristretto255_scalar_random())
    t2, t3 = bytes(rbcl.crypto_scalarmult_ristretto255_base(r)), _multiplied(r, m)
    c = _challenge(public, m, z, t2, t3)
    used = rbcl.crypto_core_ristretto255_scalar_mul(c, key)
    return c + bytes(rbcl.crypto_core_ristretto255_scalar_sub(r, used))


def _weights(public: bytes, asked: Sequence[bytes], answers: Sequence[bytes]) -> list[bytes]:
    seed = hashlib.sha512(_sized(public) + _sized(b"Seed-" + CONTEXT)).digest()
    start, place = _sized(seed), b"HashToScalar-" + CONTEXT
    return [
        _to_scalar(
            start + i.to_bytes(2, "big") + _sized(point) + _sized(answer) + b"Composite", place
        )
        for i, (point, answer) in enumerate(zip(asked, answers, strict=True))
    ]


def _weighted(weights: Sequence[bytes], points: Sequence[bytes]) -> bytes:
    total = b""
    for weight, point in zip(weights, points, strict=True):
        one = _multiplied(weight, point)
        total = _added(total, one) if total else one
    return total


def _challenge(public: bytes, *points: bytes) -> bytes:
    told = b"".join(map(_sized, (public, *points))) + b"Challenge"
    return _to_scalar(told, b"HashToScalar-" + CONTEXT)


def _split(points: bytes) -> list[bytes]:
    number, rest = divmod(len(points), POINT_BYTES)
    if rest or not 0 < number <= MAX_POINTS:
        raise BadPoint
    return [points[i : i + POINT_BYTES] for i in range(0, len(points), POINT_BYTES)]


def _multiplied(scalar: bytes, point: bytes | None = None) -> bytes:
    """Of the generator, where no point is given."""
    # libsodium refuses what is no canonical point, and a product that is the neutral one.
    try:
        if point is None:
            return bytes(rbcl.crypto_scalarmult_ristretto255_base(scalar))
        return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, point))
    except (RuntimeError, ValueError, TypeError) as error:
        raise BadPoint from error


def _added(one: bytes, other: bytes) -> bytes:
    try:
        return bytes(rbcl.crypto_core_ristretto255_add(one, other))
    except (RuntimeError, ValueError, TypeError) as error:
        raise BadPoint from error


def _is_scalar(scalar: bytes) -> bool:
    """Whether it is a scalar in its one form."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_reduce(scalar + bytes(32))) == scalar


def _to_scalar(told: bytes, place: bytes) -> bytes:
    return bytes(rbcl.crypto_core_ristretto255_scalar_reduce(_expanded(told, place, 64)))


def _expanded(told: bytes, place: bytes, size: int) -> bytes:
    """expand_message_xmd with SHA-512 (RFC 9380, section 5.3.1), for at most 64 bytes."""
    tail = place + bytes([len(place)])
    first = hashlib.sha512(
        bytes(_BLOCK_BYTES) + told + size.to_bytes(2, "big") + b"\0" + tail
    ).digest()
    return hashlib.sha512(first + b"\1" + tail).digest()[:size]


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part
