"""SQL of objects that no row refers to: announced before they are written, claimed by the
transaction that refers to them, announced again when that ends; old ones are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from luciole.kit.db import Tx

ANNOUNCE = """
INSERT INTO media.unclaimed (object_key, since) SELECT unnest($1::text[]), $2
ON CONFLICT (object_key) DO UPDATE SET since = $2 WHERE NOT media.unclaimed.is_doomed
"""
CLAIM = """
DELETE FROM media.unclaimed WHERE object_key = ANY($1::text[]) AND NOT is_doomed
RETURNING object_key
"""
DOOM = """
UPDATE media.unclaimed SET is_doomed = true
WHERE object_key IN (
    SELECT object_key FROM media.unclaimed WHERE is_doomed OR since <= $1
    ORDER BY since LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING object_key
"""
FORGET = "DELETE FROM media.unclaimed WHERE object_key = ANY($1::text[]) AND is_doomed"


async def announce(tx: Tx, keys: Sequence[str], since: datetime) -> None:
    """Notes objects that nothing refers to: not yet, or no more."""
    if keys:
        await tx.execute(ANNOUNCE, list(keys), since)


async def claim(tx: Tx, keys: Sequence[str]) -> bool:
    """Takes objects off the list, in the transaction that refers to them. False: one of them is
    being deleted already."""
    return len(await tx.fetch(CLAIM, list(keys))) == len(keys)


async def doom(tx: Tx, before: datetime, most: int) -> list[str]:
    """Objects that may be deleted now; from here on nobody can claim them."""
    return [row["object_key"] for row in await tx.fetch(DOOM, before, most)]


async def forget(tx: Tx, keys: Sequence[str]) -> None:
    await tx.execute(FORGET, list(keys))
