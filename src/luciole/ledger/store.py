"""The log's SQL: the inbox that acts fill, and what the sequencer knows. All of it runs as
luciole_ledger; `put` and `cosign` also as the slices that may."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from luciole.kit.db import Tx
from luciole.ledger.entry import SealEntry, decode
from luciole.ledger.merkle import HASH_BYTES, Frontier
from luciole.ledger.note import Checkpoint

PUT = "SELECT ledger.put($1, $2, $3)"
BEGIN = "INSERT INTO ledger.state (log) VALUES ($1) ON CONFLICT (log) DO NOTHING"
# One sequencer at a time: whoever is second waits here for the first one's transaction.
STATE = "SELECT size, frontier, unsealed_minute FROM ledger.state WHERE log = $1 FOR UPDATE"
SAVE = "UPDATE ledger.state SET size = $2, frontier = $3, unsealed_minute = $4 WHERE log = $1"
IS_WAITING = "SELECT EXISTS (SELECT FROM ledger.inbox WHERE log = $1)"
# Only the holder of the state's row deletes, so rows need no locks of their own. What commits
# later with a smaller id is taken by a later drain.
DRAIN = """
DELETE FROM ledger.inbox WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ledger.inbox WHERE log = $1 ORDER BY id LIMIT $2
)) RETURNING id, entry, ref
"""
PLACE = """
INSERT INTO ledger.place (ref, idx) SELECT r, i FROM unnest($1::bigint[], $2::bigint[]) AS t (r, i)
ON CONFLICT (ref) DO NOTHING
"""
COVER = "SELECT idx, entry FROM ledger.seal ORDER BY idx"
ADD_SEAL = "INSERT INTO ledger.seal (idx, entry) VALUES ($1, $2) ON CONFLICT DO NOTHING"
DROP_SEALS = "DELETE FROM ledger.seal WHERE NOT idx = ANY ($1::bigint[])"
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
UPDATE ledger.checkpoint SET note = $3, published_at = coalesce(published_at, $4)
WHERE log = $1 AND size = $2
"""
COSIGN = "SELECT ledger.cosign($1, $2, $3, $4, $5)"
COSIGNATURES = """
SELECT size, line FROM ledger.cosignature WHERE log = $1 AND size >= $2 ORDER BY size DESC, signer
"""
HEADS = """
SELECT size, note FROM ledger.checkpoint
WHERE log = $1 AND size >= $2 AND note IS NOT NULL ORDER BY size DESC LIMIT $3
"""
TIDY = "DELETE FROM ledger.checkpoint WHERE log = $1 AND size < $2 AND made_at < $3"
# For recovery
LOCK_INBOX = "SELECT ledger.lock_inbox()"
WAITING = "SELECT id, entry, ref FROM ledger.inbox WHERE log = $1 ORDER BY id"
DROP_WAITING = "DELETE FROM ledger.inbox WHERE log = $1 AND id = ANY ($2::bigint[])"
DROP_STAGED = "DELETE FROM ledger.staged WHERE log = $1"
DROP_CHECKPOINTS = "DELETE FROM ledger.checkpoint WHERE log = $1"
TAKE = """
INSERT INTO ledger.taken (label, leaf, idx)
SELECT substr(leaf, 8, 32), leaf, idx FROM unnest($1::bytea[], $2::bigint[]) AS t (leaf, idx)
ON CONFLICT (label) DO UPDATE SET leaf = excluded.leaf, idx = excluded.idx
"""

Cover = dict[int, SealEntry]


class Waiting(NamedTuple):
    """An entry in the inbox; `ref` finds its journal's row."""

    id: int
    entry: bytes
    ref: int | None


class State(NamedTuple):
    """How far a log is: its frontier, and the minute of its oldest unsealed person entry."""

    frontier: Frontier
    unsealed_minute: int | None


async def put(tx: Tx, log: str, entry: bytes, ref: int | None = None) -> None:
    """Hands an entry to a log, in the transaction of the act. Raises UniqueViolation for a label
    that may not come again."""
    await tx.execute(PUT, log, entry, ref)


async def state(tx: Tx, log: str) -> State:
    """The state of a log, which nobody else changes until the transaction ends."""
    await tx.execute(BEGIN, log)
    size, joined, minute = await tx.fetchrow(STATE, log) or (0, b"", None)
    hashes = (joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))
    return State(Frontier(size, tuple(hashes)), minute)


async def save(tx: Tx, log: str, state: State) -> None:
    """Moves the log on to a size, and notes its head."""
    size, hashes = state.frontier.size, state.frontier.hashes
    await tx.execute(SAVE, log, size, b"".join(hashes), state.unsealed_minute)
    await tx.execute(ADD_CHECKPOINT, log, size, state.frontier.root())


async def is_waiting(tx: Tx, log: str) -> bool:
    """Whether entries wait for a log."""
    return bool(await tx.fetchval(IS_WAITING, log))


async def drain(tx: Tx, log: str, most: int) -> list[Waiting]:
    """Takes entries out, the smallest ids first."""
    return sorted([Waiting(*row) for row in await tx.fetch(DRAIN, log, most)])


async def place(tx: Tx, placed: Mapping[int, int]) -> None:
    """Notes the index of journals' entries, by ref."""
    if placed:
        await tx.execute(PLACE, list(placed), list(placed.values()))


async def cover(tx: Tx) -> Cover:
    """The seals of the log `access` that make up its cover, in order, by index."""
    rows = await tx.fetch(COVER)
    decoded = {row["idx"]: decode(row["entry"]) for row in rows}
    return {idx: seal for idx, seal in decoded.items() if isinstance(seal, SealEntry)}


async def save_cover(tx: Tx, cover: Cover) -> None:
    """Puts a cover in the place of the former."""
    for idx, seal in cover.items():
        await tx.execute(ADD_SEAL, idx, seal.encode())
    await tx.execute(DROP_SEALS, list(cover))


async def stage(tx: Tx, log: str, objects: Mapping[str, bytes]) -> None:
    """Keeps objects until they are in the object store."""
    await tx.execute(STAGE, log, list(objects), list(objects.values()))


async def staged(tx: Tx, log: str) -> dict[str, bytes]:
    """The objects that are kept, by path."""
    return {row["path"]: row["content"] for row in await tx.fetch(STAGED, log)}


async def unstage(tx: Tx, log: str, paths: Iterable[str]) -> None:
    """Forgets objects that are in the object store under a signed head."""
    await tx.execute(UNSTAGE, log, list(paths))


async def signed(tx: Tx, log: str, size: int, note: str) -> None:
    """Keeps the signed head of a size."""
    await tx.execute(SIGNED, log, size, note)


async def published(tx: Tx, log: str, size: int, note: str, at: datetime) -> None:
    """Keeps a head with its cosignatures, from the moment when it was published."""
    await tx.execute(PUBLISHED, log, size, note, at)


async def cosign(tx: Tx, log: str, head: Checkpoint, signer: str, line: str) -> bool:
    """Keeps a cosignature that the caller has verified; False where that head is not ours, or no
    longer of interest."""
    return bool(await tx.fetchval(COSIGN, log, head.size, head.root, signer, line))


async def cosignatures(tx: Tx, log: str, least: int) -> dict[int, list[str]]:
    """Cosignatures on heads of at least a size, the largest first."""
    found: dict[int, list[str]] = {}
    for row in await tx.fetch(COSIGNATURES, log, least):
        found.setdefault(row["size"], []).append(row["line"])
    return found


async def heads(tx: Tx, log: str, least: int = 0, most: int = 1) -> dict[int, str]:
    """The newest signed heads of at least a size, the largest first."""
    return {row["size"]: row["note"] for row in await tx.fetch(HEADS, log, least, most)}


async def tidy(tx: Tx, log: str, size: int, until: datetime) -> None:
    """Forgets heads below a size that are older than a moment."""
    await tx.execute(TIDY, log, size, until)


async def lock_inbox(tx: Tx) -> None:
    """Waits for all who are handing entries over, and lets nobody begin until the end."""
    await tx.execute(LOCK_INBOX)


async def waiting(tx: Tx, log: str) -> list[Waiting]:
    """Everything in the inbox of a log."""
    return [Waiting(*row) for row in await tx.fetch(WAITING, log)]


async def forget(tx: Tx, log: str, ids: Collection[int], lost: Mapping[int, bytes]) -> None:
    """Before a log is moved on to what its archive holds: drops entries that are there already,
    objects and heads of the database's own, and lets the label of none of the lost entries (by
    their index) come again."""
    await tx.execute(DROP_WAITING, log, list(ids))
    await tx.execute(DROP_STAGED, log)
    await tx.execute(DROP_CHECKPOINTS, log)
    await tx.execute(TAKE, list(lost.values()), list(lost))
