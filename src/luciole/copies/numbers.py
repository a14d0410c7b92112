"""Which entries about persons the log has, and a restored database does not know of.

The log survives what the database does not. So it tells also whom the database has to forget: a
key store that was put back from its copy of yesterday may hold keys of people who were erased
since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from luciole.keys import CellSecret
from luciole.kit.blobs import Blobs
from luciole.ledger.archive import PENDING, Archive
from luciole.ledger.entry import Kind, PersonEntry, decode, label_of
from luciole.ledger.note import KeyKind, Signer

LOG = "access"


class Missed(NamedTuple):
    """An entry of the log: where it is, its bytes, and whether it is about an erasure."""

    at: int
    leaf: bytes
    is_erasure: bool


async def missed(blobs: Blobs, secret: CellSecret, size: int) -> dict[bytes, Missed]:
    """All entries about persons from index `size` on, by label. Raises Missing where the archive
    lacks a tile."""
    archive = Archive(blobs, LOG)
    signer = Signer(
        f"luciole/{secret.cell_id}/{LOG}", KeyKind.ED25519, secret.derived(f"ledger/{LOG}")
    )
    head = await archive.head(PENDING, signer.verifier)
    found: dict[bytes, Missed] = {}
    if head is None or head.checkpoint.size <= size:
        return found
    index = size
    async for entries in archive.entries(size, head.checkpoint.size):
        for leaf in entries:
            known = decode(leaf)
            if isinstance(known, PersonEntry):
                found[known.label] = Missed(index, leaf, known.kind is Kind.ERASE)
            index += 1
    return found


def after(label_key: bytes, n: int, missed: Mapping[bytes, Missed]) -> Iterator[Missed]:
    """The entries about a person from number `n` on."""
    while found := missed.get(label_of(label_key, n)):
        yield found
        n += 1
