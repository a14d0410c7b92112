"""SQL of what people chose: whether the cell may learn of them, and what they hid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from luciole.cell.feed.model import Hidden, HiddenKind, Profile
from luciole.kit.db import Tx

PROFILE = "SELECT mode, since FROM feed.profile WHERE person_id = $1"
SET_MODE = """
INSERT INTO feed.profile (person_id, mode, since) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO UPDATE SET mode = excluded.mode, since = excluded.since
"""
HIDDEN = "SELECT kind, value FROM feed.hidden WHERE person_id = $1 ORDER BY kind, value"
HIDE = """
INSERT INTO feed.hidden (person_id, kind, value, hidden_on)
SELECT $1, kind, value, $4 FROM unnest($2::text[], $3::text[]) AS n (kind, value)
ON CONFLICT DO NOTHING
RETURNING kind, value
"""
SHOW = "DELETE FROM feed.hidden WHERE person_id = $1 AND kind = $2 AND ($3 = '' OR value = $3)"
COUNT_SESSION = """
INSERT INTO feed.allowance AS a (person_id, day, sessions) VALUES ($1, $2, 1)
ON CONFLICT (person_id, day) DO UPDATE SET sessions = least(a.sessions + 1, $3)
RETURNING sessions
"""
DROP_ALLOWANCES = "DELETE FROM feed.allowance WHERE day < $1"
FOLLOWED = "SELECT followee_id FROM graph.accepted WHERE follower_id = $1"


async def profile(tx: Tx, person_id: UUID) -> Profile | None:
    row = await tx.fetchrow(PROFILE, person_id)
    return Profile(row["mode"], row["since"]) if row else None


async def set_mode(tx: Tx, person_id: UUID, profile: Profile) -> None:
    await tx.execute(SET_MODE, person_id, profile.mode, profile.since)


async def hidden(tx: Tx, person_id: UUID) -> list[Hidden]:
    """All that a person has hidden."""
    return [Hidden(row["kind"], row["value"]) for row in await tx.fetch(HIDDEN, person_id)]


async def hide(tx: Tx, person_id: UUID, things: Sequence[Hidden], on: date) -> set[Hidden]:
    """Hides things; gives those that were not hidden before."""
    kinds, values = [one.kind for one in things], [one.value for one in things]
    return {
        Hidden(row["kind"], row["value"])
        for row in await tx.fetch(HIDE, person_id, kinds, values, on)
    }


async def show(tx: Tx, person_id: UUID, kind: HiddenKind, value: str) -> None:
    """Shows a thing again, or, without a value, all of a kind."""
    await tx.execute(SHOW, person_id, kind, value)


async def count_session(tx: Tx, person_id: UUID, day: date, most: int) -> int:
    """The number of this session among those of the account that day; counts no further than
    `most`."""
    return int(await tx.fetchval(COUNT_SESSION, person_id, day, most))


async def drop_allowances(tx: Tx, before_day: date) -> None:
    await tx.execute(DROP_ALLOWANCES, before_day)


async def followed(tx: Tx, person_id: UUID) -> list[UUID]:
    """The people whom a person follows."""
    return [row["followee_id"] for row in await tx.fetch(FOLLOWED, person_id)]
