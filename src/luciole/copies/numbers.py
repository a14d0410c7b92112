"""Which entries about persons the log has, and a restored database does not know of."""

from __future__ import annotations

from typing import NamedTuple

from luciole.keys import CellSecret
from luciole.kit.blobs import Blobs
from luciole.ledger.archive import PENDING, Archive
from luciole.ledger.entry import PersonEntry, decode
from luciole.ledger.note import KeyKind, Signer

LOG = "access"


class Missed(NamedTuple):
    """An entry of the log: where it is, and its bytes."""

    at: int
    leaf: bytes


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
                found[known.label] = Missed(index, leaf)
            index += 1
    return found
