"""SQL of a person's journal: what the log has about them, and where in it."""

from __future__ import annotations

from uuid import UUID

import msgspec

from luciole.kit.db import Tx

NEWEST = """
SELECT j.n, j.leaf, j.sealed, p.idx
FROM custody.entry j LEFT JOIN ledger.placed p ON p.ref = j.ref
WHERE j.person_id = $1 AND j.n < $2 ORDER BY j.n DESC LIMIT $3
"""
OLDEST = """
SELECT j.n, j.leaf, j.sealed, p.idx
FROM custody.entry j LEFT JOIN ledger.placed p ON p.ref = j.ref
WHERE j.person_id = $1 AND j.n > $2 ORDER BY j.n LIMIT $3
"""
ONE = """
SELECT j.n, j.leaf, j.sealed, p.idx
FROM custody.entry j LEFT JOIN ledger.placed p ON p.ref = j.ref
WHERE j.person_id = $1 AND j.n = $2
"""


class Noted(msgspec.Struct, frozen=True):
    """An entry as it is kept: the published leaf, its sealed opening, its index in the log, which
    is None until the log has taken it."""

    n: int
    leaf: bytes
    sealed: bytes
    index: int | None


async def newest(tx: Tx, person_id: UUID, before: int, limit: int) -> list[Noted]:
    """Entries below a number, the newest first."""
    return [Noted(*row) for row in await tx.fetch(NEWEST, person_id, before, limit)]


async def oldest(tx: Tx, person_id: UUID, after: int, limit: int) -> list[Noted]:
    """Entries above a number, the oldest first."""
    return [Noted(*row) for row in await tx.fetch(OLDEST, person_id, after, limit)]


async def one(tx: Tx, person_id: UUID, n: int) -> Noted | None:
    row = await tx.fetchrow(ONE, person_id, n)
    return Noted(*row) if row else None
