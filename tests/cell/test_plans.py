"""How far a page of a list has to read: from its place on, not from the top.

After some calls PostgreSQL keeps one plan for all places; that is the plan that is looked at.
"""

from __future__ import annotations

import re

import pytest

from luciole.cell.clips import store as clips
from luciole.cell.clips.comments import store as comments
from luciole.cell.clips.store import audience, kept, sounds
from luciole.cell.feed import store as feed
from luciole.cell.graph import store as graph
from luciole.cell.graph.store import apart
from luciole.cell.notices import store as notices
from luciole.cell.notify.store import lines as notify
from luciole.cell.search.store import clips as search
from luciole.cell.search.store import names
from luciole.kit.db import Database

# Query, and the numbers of the parameters that say where the page begins.
PAGED = {
    "latest": (feed.LATEST, (1, 2)),
    "following": (feed.FOLLOWING, (2, 3)),
    "friends": (feed.FRIENDS, (2, 3)),
    "grid": (clips.GRID, (2,)),
    "best comments": (comments.BEST, (3, 4)),
    "newest comments": (comments.NEWEST, (3,)),
    "replies": (comments.REPLIES, (3,)),
    "own comments": (comments.WRITTEN, (2,)),
    "place": (audience.MISPLACED, (2,)),
    "favourites": (kept.FAVOURITES, (2, 3)),
    "reposts": (kept.REPOSTS, (2, 3)),
    "liked": (kept.LIKED, (2, 3)),
    "collected": (kept.COLLECTED, (2, 3)),
    "clips with a sound": (sounds.USES, (2, 3)),
    "followers": (graph.FOLLOWERS, (3, 4)),
    "followed": (graph.FOLLOWING, (3, 4)),
    "found clips, newest": (search.WALK_NEW, (2, 3)),
    "found clips, most liked": (search.WALK_LIKED, (2, 3, 4)),
    "found clips, best": (search.WALK_BEST, (2, 3)),
    "found people": (names.WALK_PEOPLE, (2, 3)),
    "friends of one": (graph.FRIENDS, (2, 3)),
    "requests": (graph.REQUESTS, (2, 3)),
    "blocked": (apart.BLOCKED, (2, 3)),
    "muted": (apart.MUTED, (2, 3)),
    "restricted": (apart.RESTRICTED, (2, 3)),
    "notifications": (notify.PAGE, (2,)),
}
ONLY_INDEXES = """
SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off
"""


@pytest.mark.parametrize("name", PAGED)
async def test_page_begins_at_its_place_in_an_index(db: Database, name: str) -> None:
    query, place = PAGED[name]
    count = max(int(number) for number in re.findall(r"\$(\d+)", query))
    async with db.tx() as tx:
        await tx.execute(ONLY_INDEXES)
        await tx.execute(f"PREPARE paged AS {query}")
        nulls = ", ".join(["NULL"] * count)
        plan = [row[0] for row in await tx.fetch(f"EXPLAIN EXECUTE paged({nulls})")]
        await tx.execute("DEALLOCATE paged")
    conditions = [line for line in plan if "Index Cond" in line]
    assert any(all(f"${number}" in line for number in place) for line in conditions), plan


SHORT = {
    "withheld here": (notices.AMONG, "{0}, {0}"),
    "relations": (graph.RELATIONS, "'00000000-0000-0000-0000-000000000002', {0}"),
}


@pytest.mark.parametrize("name", SHORT)
async def test_list_of_one_is_not_planned_anew_each_time(db: Database, name: str) -> None:
    """Planning them takes longer than all the rest of a request."""
    query, shape = SHORT[name]
    given = shape.format("ARRAY['00000000-0000-0000-0000-000000000001']::uuid[]")
    async with db.tx() as tx:
        await tx.execute(f"PREPARE short AS {query}")
        for _ in range(7):
            await tx.fetch(f"EXECUTE short({given})")
        row = await tx.fetchrow(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'short'"
        )
        await tx.execute("DEALLOCATE short")
    assert row is not None
    assert tuple(row) == (2, 5)
