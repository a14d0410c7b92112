"""SQL of trends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from luciole.cell.search.model import Trend, Use
from luciole.kit.db import Tx

USES = """
SELECT author_id, published_at, hashtags FROM clips.findable
WHERE published_at > $1 AND hashtags <> '{}'
"""
DROP = "DELETE FROM search.trend"
ADD = """
INSERT INTO search.trend (tag, authors, clips, authors_before, usual, score, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
TRENDS = """
SELECT tag, authors, clips, authors_before, usual, score FROM search.trend ORDER BY score DESC, tag
"""


async def uses(tx: Tx, since: datetime) -> AsyncIterator[Use]:
    """Uses of hashtags in public clips since a time."""
    async for row in tx.cursor(USES, since):
        yield Use(*row)


async def put(tx: Tx, trends: Sequence[Trend], now: datetime) -> None:
    """These instead of those before."""
    await tx.execute(DROP)
    await tx.executemany(ADD, [(*_values(trend), now) for trend in trends])


async def trends(tx: Tx) -> list[Trend]:
    """The hashtags on the rise, the most unusual first."""
    return [Trend(*row) for row in await tx.fetch(TRENDS)]


def _values(trend: Trend) -> tuple[object, ...]:
    return (
        trend.tag,
        trend.authors,
        trend.clips,
        trend.authors_before,
        trend.usual,
        trend.score,
    )
