"""Many crossings in one signed request: what the body of it is, and what its answer says of each.

The signature of the request, one head of the sender's log and its cosignature hold for all of them.
Each has its entry and the path from that to the head, and gets an answer of its own. Bodies and
entries stand in the JSON as they are, byte for byte.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated

import msgspec

from luciole.border.crossing import BadCrossing
from luciole.ledger.proof import MAX_PATH

PATH = "border/crossings"
MOST = 128
MAX_BYTES = 1024 * 1024
# Of an answer: a receipt has some hundred bytes.
MAX_ANSWER_BYTES = MOST * 2048
# What a hash takes in base64, with its marks.
_HASH_CHARS = 47


class Carried(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One crossing: its body and its entry, where that stands in the sender's log, and the path
    from there to the head (base64)."""

    body: msgspec.Raw
    entry: msgspec.Raw
    index: Annotated[int, msgspec.Meta(ge=0)]
    path: Annotated[list[str], msgspec.Meta(max_length=MAX_PATH)]

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The path. Raises BadCrossing."""
        try:
            return tuple(base64.b64decode(one, validate=True) for one in self.path)
        except ValueError as error:
            raise BadCrossing("proof-not-read") from error


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Crossings of one peer, in the order of their entries, under one head of its log
    (`checkpoint`, a signed note with our witness's cosignature)."""

    checkpoint: Annotated[str, msgspec.Meta(max_length=4096)]
    crossings: Annotated[list[Carried], msgspec.Meta(min_length=1, max_length=MOST)]


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of one crossing: its signed receipt, which may be of a refusal; or, where it got no entry in
    the receiver's log, the status and the code that it would have got alone."""

    receipt: str = ""
    status: int = 0
    code: str = ""


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One for each crossing, in their order."""

    answers: list[Answer]


def carried(body: bytes, entry: bytes, index: int, path: Sequence[bytes]) -> Carried:
    """A crossing to be sent."""
    hashes = [base64.b64encode(one).decode() for one in path]
    return Carried(msgspec.Raw(body), msgspec.Raw(entry), index, hashes)


def size_of(one: Carried) -> int:
    """About how many bytes it takes in a request, rather more than fewer."""
    return len(one.body) + len(one.entry) + len(one.path) * _HASH_CHARS + 100


def encode(load: Load) -> bytes:
    return msgspec.json.encode(load)


def decode(body: bytes) -> Load:
    """Raises BadCrossing."""
    try:
        return msgspec.json.decode(body, type=Load)
    except msgspec.DecodeError as error:
        raise BadCrossing("not-understood") from error


def answers_in(body: bytes, count: int) -> list[Answer]:
    """What a peer says of so many crossings. Raises BadCrossing."""
    try:
        found = msgspec.json.decode(body, type=Answers).answers
    except msgspec.DecodeError as error:
        raise BadCrossing("answer-not-understood") from error
    if len(found) != count:
        raise BadCrossing("answer-not-understood")
    return found
