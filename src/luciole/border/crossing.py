"""One crossing between two cells: what their logs say of it, and what goes along with its bytes.

    1. the sender puts an entry `out` into its log of crossings
    2. a published head covers it that the receiving cell's witness has cosigned
    3. the sender posts the bytes with the entry and its proof, signed (RFC 9421)
    4. the receiver checks all that, puts an entry `in` into its own log, and answers with a receipt
    5. the sender keeps the receipt

So both logs tell of every crossing before its first byte has left, and anybody can match them.
Nothing here is about a person: ids of crossings are drawn, bodies appear as digests.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import msgspec

from luciole.border import wire
from luciole.border.passport import BadPassport, opened
from luciole.ledger.entry import canonical, parse_canonical
from luciole.ledger.merkle import Refused, leaf_hash, verify_inclusion
from luciole.ledger.note import Checkpoint, VerifierKey
from luciole.ledger.policy import Party, Policy
from luciole.ledger.proof import Proof

# Headers of a crossing, in lower case.
ENTRY, PROOF = "luciole-entry", "luciole-proof"
MAX_HEADER_BYTES = 8192
ACCEPTED = "accepted"

_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_CODE = re.compile(r"[a-z][a-z-]{0,39}")


class BadCrossing(Exception):
    """Not a crossing as it has to be; `code` is stable and stands in the answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Out(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sender's entry."""

    v: Literal[1]
    kind: Literal["out"]
    id: UUID
    at: str
    to: str
    wire: str
    reason: str
    law: str
    bytes: int
    sha256: str


def out_entry(
    id: UUID, at: str, to: str, kind: str, size_bytes: int, digest: str, law: str = ""
) -> bytes:
    """The entry of something that is about to leave."""
    reason = wire.KINDS[kind].reason
    return canonical(
        {
            "v": 1,
            "kind": "out",
            "id": str(id),
            "at": at,
            "to": to,
            "wire": kind,
            "reason": reason,
            "law": law or wire.LAWS[reason],
            "bytes": size_bytes,
            "sha256": digest,
        }
    )


def unsent_entry(id: UUID, at: str, to: str) -> bytes:
    """That something which the log has announced was given up before it left."""
    return canonical({"v": 1, "kind": "unsent", "id": str(id), "at": at, "to": to})


def in_entry(out: Out, at: str, sender: str, verdict: str) -> bytes:
    """The receiver's entry of the same crossing."""
    return canonical(
        {
            "v": 1,
            "kind": "in",
            "id": str(out.id),
            "at": at,
            "from": sender,
            "wire": out.wire,
            "bytes": out.bytes,
            "sha256": out.sha256,
            "verdict": verdict,
        }
    )


def receipt_text(entry: bytes) -> bytes:
    """What a receiver signs: its own entry, as a receipt."""
    return canonical({**parse_canonical(entry), "kind": "receipt"})


def verdict_of(receipt: bytes, key: VerifierKey, out: bytes) -> str:
    """What a receiver has decided, by its signed receipt for an entry `out`. Raises BadCrossing for
    a receipt that is not of this crossing, or not signed."""
    try:
        said, sent = opened(receipt, key), parse_canonical(out)
    except (BadPassport, Refused) as error:
        raise BadCrossing("receipt-not-signed") from error
    same = ("id", "wire", "bytes", "sha256")
    verdict = said.get("verdict")
    if said.get("kind") != "receipt" or any(said.get(name) != sent[name] for name in same):
        raise BadCrossing("receipt-of-another")
    if not isinstance(verdict, str) or not _CODE.fullmatch(verdict):
        raise BadCrossing("receipt-not-understood")
    return verdict


def headers(entry: bytes, proof: Proof) -> dict[str, str]:
    """What goes along with a body."""
    return {ENTRY: _base64(entry), PROOF: _base64(str(proof).encode())}


def taken(given: Mapping[str, str], us: str) -> tuple[Out, bytes, Proof]:
    """The entry and the proof of a request, not verified yet. Raises BadCrossing."""
    try:
        entry = _unbase64(given.get(ENTRY, ""))
        proof = Proof.parse(_unbase64(given.get(PROOF, "")).decode())
    except (Refused, ValueError) as error:
        raise BadCrossing("entry-not-read") from error
    return read(entry, us), entry, proof


def read(entry: bytes, us: str) -> Out:
    """An entry of a crossing to us. Raises BadCrossing."""
    try:
        said: dict[str, Any] = parse_canonical(entry)
        out = msgspec.convert(said, Out)
    except (Refused, ValueError, msgspec.ValidationError) as error:
        raise BadCrossing("entry-not-read") from error
    if not _AT.fullmatch(out.at) or out.to != us:
        raise BadCrossing("entry-not-ours")
    return out


def check_proof(entry: bytes, proof: Proof, log: VerifierKey, witness: VerifierKey) -> None:
    """Raises BadCrossing unless the sender's log has the entry, under a head that our own witness
    has cosigned: it continues all that we have seen of that log."""
    check_place(entry, proof.index, proof.path, head_of(proof.checkpoint, log, witness))


def head_of(checkpoint: str, log: VerifierKey, witness: VerifierKey) -> Checkpoint:
    """A head of the sender's log. Raises BadCrossing unless our own witness has cosigned it."""
    policy = Policy([Party(log, None)], {"own": Party(witness, None)}, {}, "own")
    try:
        return policy.check(checkpoint).checkpoint
    except Refused as error:
        raise BadCrossing("not-proven") from error


def check_place(entry: bytes, index: int, path: Sequence[bytes], head: Checkpoint) -> None:
    """Raises BadCrossing unless the log of a head has the entry there."""
    try:
        verify_inclusion(index, head.size, leaf_hash(entry), path, head.root)
    except Refused as error:
        raise BadCrossing("not-proven") from error


def check_body(out: Out, body: bytes) -> None:
    """Raises BadCrossing unless the body is what the entry says, of a kind that is offered."""
    if len(body) != out.bytes or sha256(body).hexdigest() != out.sha256:
        raise BadCrossing("body-of-another")
    known = wire.KINDS.get(out.wire)
    if known is None or known.is_immediate or known.reason != out.reason:
        raise BadCrossing("kind-unknown")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(text: str) -> bytes:
    if len(text) > MAX_HEADER_BYTES:
        raise ValueError("too long")
    return base64.b64decode(text, validate=True)
