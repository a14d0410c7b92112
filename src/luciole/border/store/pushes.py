"""Pushes that were offered, and the crossings of an hour that the log is to tell."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from luciole.kit.db import Tx

# Claimed for a while: who takes some and ends before saying what became of them leaves them to the
# next round after that.
TAKE = """
UPDATE border.offer SET due_at = now() + make_interval(secs => $1), attempts = attempts + 1
WHERE id IN (
    SELECT id FROM border.offer WHERE peer IS NULL AND due_at <= now() ORDER BY due_at, id LIMIT $2
    FOR UPDATE SKIP LOCKED)
RETURNING ref, id, body, attempts, extract(epoch FROM now() - made_at)::integer AS age_s
"""
# By its own id: a newer offer under the same ref stays.
END = "DELETE FROM border.offer WHERE id = $1"
LATER = "UPDATE border.offer SET due_at = now() + make_interval(secs => $2) WHERE id = $1"
GONE = "INSERT INTO border.gone (ref) VALUES ($1) ON CONFLICT (ref) DO NOTHING"
CROSSED = "INSERT INTO border.crossing (kind, service) VALUES ($1, $2)"
# Of hours that are over: the log is public, and shall not tell when a device was woken.
TAKE_CROSSED = """
DELETE FROM border.crossing WHERE id IN (
    SELECT id FROM border.crossing WHERE made_at < date_trunc('hour', now()) ORDER BY id LIMIT $1)
RETURNING kind, service
"""
NOTE = "SELECT border.note($1)"
TIDY_GONE = "DELETE FROM border.gone WHERE made_at < now() - make_interval(days => $1)"


class Offer(NamedTuple):
    """Something that waits to leave: `attempts` counts this one, `age_s` since it was offered."""

    ref: UUID
    id: UUID
    body: bytes
    attempts: int
    age_s: int


async def take(tx: Tx, lease_s: float, most: int) -> list[Offer]:
    return [
        Offer(row["ref"], row["id"], bytes(row["body"]), row["attempts"], row["age_s"])
        for row in await tx.fetch(TAKE, lease_s, most)
    ]


async def end(tx: Tx, offer: Offer, *, is_gone: bool = False) -> None:
    """It waits no more. `is_gone`: its far end exists no more, which its slice is told."""
    await tx.execute(END, offer.id)
    if is_gone:
        await tx.execute(GONE, offer.ref)


async def later(tx: Tx, offer: Offer, seconds: float) -> None:
    await tx.execute(LATER, offer.id, seconds)


async def crossed(tx: Tx, kind: str, service: str) -> None:
    """Something of this kind has left the cell."""
    await tx.execute(CROSSED, kind, service)


async def take_crossed(tx: Tx, most: int) -> list[tuple[str, str]]:
    """Crossings of hours that are over: (kind, service)."""
    return [(row["kind"], row["service"]) for row in await tx.fetch(TAKE_CROSSED, most)]


async def note(tx: Tx, entry: bytes) -> None:
    """Puts an entry into the log of crossings."""
    await tx.execute(NOTE, entry)


async def tidy(tx: Tx, gone_days: int) -> None:
    await tx.execute(TIDY_GONE, gone_days)
