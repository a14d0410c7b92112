"""A large town of people out of a seed: names, follows, clips with captions, likes.

Who is followed and what is liked is skewed as in real networks: the n-th of N is chosen in
proportion to n^-0.8, which gives the first of 1,000,000 people about one follow in sixteen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from bench.captions import Captions, captions

SKEW = 0.8
MONTHS = 24
DAY = timedelta(days=1)
Say = Callable[[str], None]
# What the cell's triggers would do for each row is done for all at once.
NO_TRIGGERS = "SET session_replication_role = replica"
TALLIES = """
INSERT INTO graph.tally (person_id, followers, following)
SELECT p.id, coalesce(i.n, 0), coalesce(o.n, 0) FROM people.person p
LEFT JOIN (SELECT followee_id AS id, count(*) AS n FROM graph.follow GROUP BY 1) i ON i.id = p.id
LEFT JOIN (SELECT follower_id AS id, count(*) AS n FROM graph.follow GROUP BY 1) o ON o.id = p.id
WHERE p.handle LIKE 'townsman%' ON CONFLICT DO NOTHING
"""
LIKES = """
UPDATE clips.clip c SET likes = l.n
FROM (SELECT clip_id, count(*) AS n FROM clips.liked GROUP BY 1) l WHERE l.clip_id = c.id
"""


def id_of(kind: int, number: int) -> UUID:
    """The id of the n-th thing of a kind: it begins with the time, as the cell's own do."""
    mixed = (number * 0x9E3779B97F4A7C15 + kind) & ((1 << 62) - 1)
    at = 1_700_000_000_000 + number * 60
    return UUID(int=at << 80 | 7 << 76 | kind << 64 | 2 << 62 | mixed)


PERSON, CLIP, ASSET = 1, 2, 3


class Skewed:
    """Draws 0 … n-1, the first the most often."""

    def __init__(self, n: int) -> None:
        self._n = n

    def draw(self, dice: random.Random) -> int:
        # The inverse of the cumulative share x^(1 - SKEW).
        return min(self._n - 1, int(self._n * dice.random() ** (1 / (1 - SKEW))))


def people(seed: int, count: int) -> Iterator[tuple[Any, ...]]:
    """Rows of people.person."""
    words = Captions(seed)
    now = datetime.now(UTC)
    for number in range(count):
        name = f"{words.word('fr').title()} {words.word('es').title()}"[:50]
        yield (
            id_of(PERSON, number), f"townsman{number}", name, "", None, "en", "18+", False,
            now - DAY * 700,
        )  # fmt: skip


def clips(seed: int, count: int, authors: int, likes: bool) -> Iterator[tuple[Any, ...]]:
    """Rows of clips.clip; with `likes`, counts of likes that nobody gave."""
    dice = random.Random(seed)
    now = datetime.now(UTC)
    whose = Skewed(authors)
    for number, caption in enumerate(captions(seed, count, MONTHS)):
        at = now - DAY * 30 * MONTHS * (count - number) / count
        liked = min(1_000_000, int(dice.paretovariate(0.8)) - 1) if likes else 0
        yield (
            id_of(CLIP, number), id_of(PERSON, whose.draw(dice)), id_of(ASSET, number),
            caption.text[:2200], caption.hashtags, "everyone", "published", liked, at, at,
        )  # fmt: skip


def pairs(seed: int, count: int, first: int, second: int, kind: int) -> Iterator[tuple[UUID, UUID]]:
    """Who follows whom (kind PERSON), or who likes what (kind CLIP): each pair once."""
    dice = random.Random(seed)
    known = Skewed(second)
    seen: set[int] = set()
    while len(seen) < count:
        one, other = dice.randrange(first), known.draw(dice)
        key = one * second + other
        if key in seen or (kind == PERSON and one == other):
            continue
        seen.add(key)
        yield id_of(PERSON, one), id_of(kind, other)


async def _copy(
    connection: asyncpg.Connection, schema: str, table: str, columns: str, rows: Any
) -> None:
    await connection.copy_records_to_table(
        table, schema_name=schema, columns=columns.split(), records=rows
    )


async def settle(
    superuser_url: str, *, seed: int, persons: int, films: int, edges: int, say: Say = print
) -> None:
    """Fills an empty cell: persons, films by them, as many follows as likes (`edges` of each)."""
    connection = await asyncpg.connect(superuser_url, command_timeout=3600)
    try:
        await connection.execute(NO_TRIGGERS)
        await _copy(
            connection, "people", "person",
            "id handle display_name bio avatar_key locale age_band is_private created_at",
            people(seed, persons),
        )  # fmt: skip
        say(f"{persons:,} people")
        await _copy(
            connection, "clips", "clip",
            "id author_id asset_id caption hashtags audience state likes created_at published_at",
            clips(seed + 1, films, persons, likes=edges == 0),
        )  # fmt: skip
        say(f"{films:,} clips")
        if edges:
            follows = pairs(seed + 2, edges, persons, persons, PERSON)
            await _copy(
                connection, "graph", "follow", "follower_id followee_id state",
                ((one, other, "accepted") for one, other in follows),
            )  # fmt: skip
            say(f"{edges:,} follows")
            liked = pairs(seed + 3, edges, persons, films, CLIP)
            await _copy(
                connection, "clips", "liked", "person_id clip_id made_at",
                ((one, other, datetime.now(UTC)) for one, other in liked),
            )  # fmt: skip
            await connection.execute(LIKES)
            say(f"{edges:,} likes")
            await connection.execute(TALLIES)
        await connection.execute(
            "INSERT INTO search.stale (kind, id) SELECT 'person', id FROM people.person"
        )
        await connection.execute(
            "INSERT INTO search.stale (kind, id) SELECT 'clip', id FROM clips.clip ORDER BY id"
        )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
