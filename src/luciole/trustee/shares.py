"""What a cell and its guardian say to each other: the bodies of the wire kind `share`.

A handle is 16 random bytes and names nobody. `label_key` lets the guardian recompute the label of
an entry; with it, it can tell which entries of the public log belong to one handle, and no more.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

MOST_DEPOSITS = 200
MOST_HANDLES = 1_000
MOST_TOLD = 1_000

_16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_number = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Question(msgspec.Struct, tag_field="ask", frozen=True, forbid_unknown_fields=True):
    """One question to a guardian."""


class Deposited(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A half to be kept, under its handle, with the label key of its person."""

    handle: _16
    secret: _32
    label_key: _32


class Deposit(Question, tag="deposit", frozen=True):
    """Halves to be kept. Asked again, the same ones are kept as they are."""

    halves: Annotated[list[Deposited], msgspec.Meta(max_length=MOST_DEPOSITS)]


class Release(Question, tag="release", frozen=True):
    """A half, against entry `n` of the log `access` and the proof that it is there."""

    handle: _16
    n: _number
    leaf: Annotated[bytes, msgspec.Meta(max_length=128)]
    proof: Annotated[str, msgspec.Meta(max_length=16_384)]


class Forget(Question, tag="forget", frozen=True):
    """Halves to be destroyed, because the keys are: a Counted."""

    handles: Annotated[list[_16], msgspec.Meta(max_length=MOST_HANDLES)]


class Counts(Question, tag="counts", frozen=True):
    """How many halves are held, were given, were refused: a Counted."""


class Told(Question, tag="told", frozen=True):
    """Which halves were ever given, after a handle: a list of Given."""

    after: Annotated[bytes, msgspec.Meta(max_length=16)]


class Destroy(Question, tag="destroy", frozen=True):
    """All halves of the asking cell, for good: it is sold, or leaves this guardian. A Counted."""


class Counted(msgspec.Struct, frozen=True):
    """`given_persons` are halves that were given at least once; times are POSIX seconds."""

    held: int
    given: int
    refused: int
    given_persons: int
    destroyed: int
    since: int
    first_given_at: int = 0


class Given(msgspec.Struct, frozen=True):
    """A half that has left the guardian; nothing can call it back. `is_held`: it is there, too."""

    handle: bytes
    times: int
    first_at: int
    last_at: int
    is_held: bool


Asked = Deposit | Release | Forget | Counts | Told | Destroy
asked = msgspec.msgpack.Decoder(Asked)
encode = msgspec.msgpack.encode
