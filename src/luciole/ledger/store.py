"""The log's SQL: the inbox that acts fill, and what the sequencer knows. All of it runs as
luciole_ledger; `put`, `cosign`, `head` and `near` also as slices."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from luciole.kit.db import Tx
from luciole.ledger.merkle import HASH_BYTES, Frontier

PUT = "SELECT ledger.put($1, $2, $3)"
BEGIN = "INSERT INTO ledger.state (log) VALUES ($1) ON CONFLICT (log) DO NOTHING"
STATE = """
SELECT size, frontier, sealed_end, sealed_minute, month_first, year_first, unsealed_minute
FROM ledger.state WHERE log = $1
"""
# One sequencer at a time: whoever is second waits here for the first one's transaction.
STATE_ALONE = """
SELECT size, frontier, sealed_end, sealed_minute, month_first, year_first, unsealed_minute
FROM ledger.state WHERE log = $1 FOR UPDATE
"""
SAVE = """
UPDATE ledger.state SET size = $2, frontier = $3, sealed_end = $4, sealed_minute = $5,
    month_first = $6, year_first = $7, unsealed_minute = $8
WHERE log = $1
"""
IS_WAITING = "SELECT EXISTS (SELECT FROM ledger.inbox WHERE log = $1)"
# Only the holder of the state's row deletes, so rows need no locks of their own. What commits later
# with a smaller id is taken by a later drain.
DRAIN = """
DELETE FROM ledger.inbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ledger.inbox WHERE log = $1 ORDER BY id LIMIT $2
)) RETURNING id, entry, ref
"""
PLACE = """
INSERT INTO ledger.place (ref, idx) SELECT r, i FROM unnest($1::bigint[], $2::bigint[]) AS t (r, i)
ON CONFLICT (ref) DO NOTHING
"""
STAGE = """
INSERT INTO ledger.staged (log, path, content)
SELECT $1, p, c FROM unnest($2::text[], $3::bytea[]) AS t (p, c)
"""
STAGED = "SELECT path, content FROM ledger.staged WHERE log = $1"
UNSTAGE = "DELETE FROM ledger.staged WHERE log = $1 AND path = ANY ($2::text[])"
ADD_CHECKPOINT = """
INSERT INTO ledger.checkpoint (log, size, root) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
SIGNED = "UPDATE ledger.checkpoint SET note = $3 WHERE log = $1 AND size = $2 AND note IS NULL"
PUBLISHED = """
UPDATE ledger.checkpoint SET note = $3, published_at = coalesce(published_at, now())
WHERE log = $1 AND size = $2
"""
NEWEST_PUBLISHED = """
SELECT size FROM ledger.checkpoint
WHERE log = $1 AND published_at IS NOT NULL ORDER BY size DESC LIMIT 1
"""
COSIGNED = """
SELECT c.size, k.note, c.line FROM ledger.cosignature c
JOIN ledger.checkpoint k ON k.log = c.log AND k.size = c.size
WHERE c.log = $1 AND c.size >= $2 ORDER BY c.size DESC, c.signer
"""
COSIGN = "SELECT ledger.cosign($1, $2, $3, $4)"
HEADS = """
SELECT size, note FROM ledger.head WHERE log = $1 AND size >= $2 ORDER BY size DESC LIMIT $3
"""
TIDY = """
DELETE FROM ledger.checkpoint
WHERE log = $1 AND size < $2 AND made_at < now() - make_interval(mins => $3)
"""
# For recovery
LOCK_INBOX = "LOCK TABLE ledger.inbox IN SHARE ROW EXCLUSIVE MODE"
WAITING = "SELECT id, entry, ref FROM ledger.inbox WHERE log = $1 ORDER BY id"
DROP_WAITING = "DELETE FROM ledger.inbox WHERE log = $1 AND id = ANY ($2::bigint[])"
DROP_STAGED = "DELETE FROM ledger.staged WHERE log = $1"
DROP_CHECKPOINTS = "DELETE FROM ledger.checkpoint WHERE log = $1"
TAKE = """
INSERT INTO ledger.taken (label) SELECT unnest($1::bytea[]) ON CONFLICT (label) DO NOTHING
"""


class Waiting(NamedTuple):
    """An entry in the inbox; `ref` finds its journal's row."""

    id: int
    entry: bytes
    ref: int | None


class State(msgspec.Struct, frozen=True):
    """How far a log is, and how far its seals are."""

    size: int = 0
    frontier: bytes = b""
    sealed_end: int = 0
    sealed_minute: int = 0
    month_first: int = 0
    year_first: int = 0
    unsealed_minute: int | None = None

    @property
    def root(self) -> bytes:
        hashes = range(0, len(self.frontier), HASH_BYTES)
        return Frontier(
            self.size, tuple(self.frontier[at : at + HASH_BYTES] for at in hashes)
        ).root()


async def put(tx: Tx, log: str, entry: bytes, ref: int | None = None) -> None:
    """Hands an entry to a log, in the transaction of the act. Raises UniqueViolation for a label
    that may not come again."""
    await tx.execute(PUT, log, entry, ref)


async def state(tx: Tx, log: str, *, alone: bool = False) -> State:
    """The state of a log; with `alone`, nobody else changes it until the transaction ends."""
    await tx.execute(BEGIN, log)
    row = await tx.fetchrow(STATE_ALONE, log) if alone else await tx.fetchrow(STATE, log)
    return msgspec.convert(row, State, from_attributes=False) if row else State()
