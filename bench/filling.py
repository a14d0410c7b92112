"""Puts a large town into an empty cell in minutes: what the product would have written row by row
is written in bulk, in several processes, and indexes are made afterwards.

Triggers stay off meanwhile. What they and the worker's indexing would have noted is written here
by the same functions (terms, keys, steps, counts); `check_index` asks the worker to index a sample
anew, and finds the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from bench import towns
from bench.towns import CLIP, PERSON, Numbers
from luciole.cell.search import indexing
from luciole.cell.search.indexing import Indexing
from luciole.kit.clock import Clock
from luciole.kit.db import Database

Say = Callable[[str], None]
AT_ONCE = 25_000
EDGES_AT_ONCE = 200_000
TERMS_AT_ONCE = 20_000
SAMPLE = 500
NO_TRIGGERS = "SET session_replication_role = replica"
# A crash throws the whole town away.
HASTY = "SET synchronous_commit = off"
ROOMY = "SET maintenance_work_mem = '512MB'"
# Keys that others refer to stay.
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made_by,
       c.conname AS is_of, pg_get_constraintdef(c.oid) AS rule
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid = $1::regclass AND NOT EXISTS (
    SELECT 1 FROM pg_constraint r WHERE r.conindid = i.indexrelid AND r.contype = 'f')
"""
# Loaded, then indexed.
TABLES = (
    "graph.follow", "clips.liked", "clips.clip",
    "search.clip", "search.person", "search.word", "search.hashtag",
)  # fmt: skip
#: For the server meanwhile: a crash throws the whole town away.
HASTY_SERVER = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "8GB"}
PERSON_COLUMNS = "id handle display_name bio avatar_key locale age_band is_private created_at"
CLIP_COLUMNS = "id author_id asset_id caption hashtags audience state likes created_at published_at"
STAGE_CLIPS = """
CREATE TEMP TABLE staged (id uuid, published_at timestamptz, likes integer, terms text)
"""
STAGE_PEOPLE = "CREATE TEMP TABLE staged (id uuid, keys text, followers integer)"
STEMS = "SELECT word, stem FROM search.stems($1::text[])"
INDEX_CLIPS = """
INSERT INTO search.clip (id, published_at, likes_step, heat, terms)
SELECT id, published_at, search.step(likes), search.heat(published_at, likes),
       array_to_tsvector(string_to_array(terms, ' ')) FROM staged
"""
INDEX_PEOPLE = """
INSERT INTO search.person (id, keys, followers_step)
SELECT id, string_to_array(keys, ' '), search.step(followers) FROM staged
"""
CLIPS_OF = "INSERT INTO clips.tally SELECT author_id, count(*) FROM clips.clip GROUP BY author_id"
FOUND = {
    "clip": "SELECT c.*, terms::text FROM search.clip c WHERE id = ANY($1) ORDER BY id",
    "person": "SELECT * FROM search.person WHERE id = ANY($1) ORDER BY id",
}
COUNTED = "SELECT md5(string_agg(w::text, ',' ORDER BY word)) FROM search.word w"
MAKE_STALE = "INSERT INTO search.stale (kind, id) SELECT $1, unnest($2::uuid[])"
STATE = b"accepted"


@dataclass(frozen=True)
class Plan:
    """What is put where. `folder` holds the arrays that the processes read."""

    url: str
    folder: Path
    seed: int
    persons: int
    films: int
    edges: int
    now: datetime

    def array(self, name: str) -> Numbers:
        found: Numbers = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return found

    def keep(self, name: str, array: NDArray[Any]) -> None:
        np.save(self.folder / f"{name}.npy", array)


async def fill(
    superuser_url: str,
    worker_url: str,
    *,
    seed: int,
    persons: int,
    films: int,
    edges: int,
    processes: int = 2,
    say: Say = print,
) -> None:
    """Fills an empty cell: persons, films by them, as many follows as likes (`edges` of each), and
    what search finds of them."""
    with tempfile.TemporaryDirectory(prefix="luciole-town-") as folder:
        plan = Plan(superuser_url, Path(folder), seed, persons, films, edges, datetime.now(UTC))
        draw(plan)
        say("drawn")
        context = multiprocessing.get_context("spawn")
        database = await Database.open(worker_url, size=2)
        try:
            with ProcessPoolExecutor(processes, mp_context=context) as pool:
                async with unindexed(plan, processes):
                    counts = await _load(plan, pool)
                    terms = iter(counts.items())
                    while some := Counter(dict(itertools.islice(terms, TERMS_AT_ONCE))):
                        async with database.tx() as tx:
                            await indexing.count(tx, some)
                    say(f"{persons:,} people, {films:,} clips, {edges:,} follows and likes")
            connection = await connected(superuser_url)
            await connection.execute(CLIPS_OF)
            await connection.execute("VACUUM (ANALYZE)")
            await connection.close()
            say("indexed")
            await check_index(superuser_url, database, persons, films)
        finally:
            await database.close()


def draw(plan: Plan) -> None:
    """Who has made what, and who follows and likes whom and what."""
    dice = np.random.default_rng(plan.seed)
    plan.keep("authors", towns.Skewed(plan.persons).many(dice, plan.films))
    if not plan.edges:  # Counts of likes that nobody gave.
        likes = np.minimum(1_000_000, dice.pareto(0.8, plan.films)).astype(np.int64)
        plan.keep("likes", likes)
        plan.keep("followers", np.zeros(plan.persons, np.int64))
        return
    one, other = towns.pairs(plan.seed + 2, plan.edges, plan.persons, plan.persons, PERSON)
    plan.keep("follow", np.stack([one, other]))
    plan.keep("followers", np.bincount(other, minlength=plan.persons))
    plan.keep("following", np.bincount(one, minlength=plan.persons))
    one, other = towns.pairs(plan.seed + 3, plan.edges, plan.persons, plan.films, CLIP)
    plan.keep("liked", np.stack([other, one]))
    plan.keep("likes", np.bincount(other, minlength=plan.films))


async def _load(plan: Plan, pool: Executor) -> Counter[str]:
    loop = asyncio.get_running_loop()
    tasks = [
        loop.run_in_executor(pool, _run, make, plan, first, min(first + AT_ONCE, count))
        for make, count in ((put_clips, plan.films), (put_people, plan.persons))
        for first in range(0, count, AT_ONCE)
    ]
    if plan.edges:
        tasks += [
            loop.run_in_executor(pool, _run, put_edges, plan, kind, 0) for kind in (PERSON, CLIP)
        ]
        tasks.append(loop.run_in_executor(pool, _run, put_tallies, plan, 0, 0))
    counts: Counter[str] = Counter()
    for done in await asyncio.gather(*tasks):
        counts.update(done)
    return counts


def _run(make: Callable[..., Any], plan: Plan, first: int, last: int) -> Counter[str]:
    found: Counter[str] = asyncio.run(make(plan, first, last))
    return found


async def connected(superuser_url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(superuser_url, command_timeout=3600)
    for setting in (NO_TRIGGERS, HASTY, ROOMY):
        await connection.execute(setting)
    return connection


@contextlib.asynccontextmanager
async def unindexed(plan: Plan, connections: int) -> AsyncIterator[None]:
    """Makes the indexes of the large tables after the block, several at once."""
    connection = await connected(plan.url)
    again: list[str] = []
    for table in TABLES:
        for row in await connection.fetch(INDEXES, table):
            if row["is_of"]:
                await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row['is_of']}")
                again.append(f"ALTER TABLE {table} ADD CONSTRAINT {row['is_of']} {row['rule']}")
            else:
                await connection.execute(f"DROP INDEX {row['name']}")
                again.append(row["made_by"])
    await connection.close()
    yield
    waiting = iter(again)

    async def line() -> None:
        mine = await connected(plan.url)
        for statement in waiting:
            await mine.execute(statement)
        await mine.close()

    # Two indexes of a table may be made at once; a key waits for those.
    await asyncio.gather(*(line() for _ in range(connections)))


async def put_people(plan: Plan, first: int, last: int) -> Counter[str]:
    """People, and what they are found by."""
    connection = await connected(plan.url)
    rows = list(towns.people(plan.seed, first, last, plan.now))
    await _copy(connection, "people", "person", PERSON_COLUMNS, rows)
    followers = plan.array("followers")[first:last].tolist()
    staged = (
        (row[0], " ".join(indexing.keys_of_person(row[1], row[2])), followed)
        for row, followed in zip(rows, followers, strict=True)
    )
    await connection.execute(STAGE_PEOPLE)
    await connection.copy_records_to_table("staged", records=staged)
    await connection.execute(INDEX_PEOPLE)
    await connection.close()
    return Counter()


async def put_clips(plan: Plan, first: int, last: int) -> Counter[str]:
    """Clips, and what they are found by; gives how many have each term."""
    connection = await connected(plan.url)
    authors, likes = plan.array("authors")[first:last], plan.array("likes")[first:last]
    rows = list(towns.clips(plan.seed + 1, first, last, plan.films, authors, likes, plan.now))
    await _copy(connection, "clips", "clip", CLIP_COLUMNS, rows)
    found = [indexing.terms_in(row[3], row[4]) for row in rows]
    counts: Counter[str] = Counter()
    for terms in found:
        counts.update(indexing.counted(terms))
    stems: dict[str, list[str]] = {}
    for word, stem in await connection.fetch(STEMS, sorted({t for terms in found for t in terms})):
        stems.setdefault(word, []).append(f"~{stem}")
    staged = (
        (row[0], row[9], row[7], " ".join([*terms, *(s for t in terms for s in stems.get(t, ()))]))
        for row, terms in zip(rows, found, strict=True)
        if terms
    )
    await connection.execute(STAGE_CLIPS)
    await connection.copy_records_to_table("staged", records=staged)
    await connection.execute(INDEX_CLIPS)
    await connection.close()
    return counts


async def put_edges(plan: Plan, kind: int, _: int) -> Counter[str]:
    """Follows (kind PERSON) or likes (kind CLIP), spread over the time that the town has had."""
    connection = await connected(plan.url)
    schema, table, columns, fields = {
        PERSON: ("graph", "follow", "follower_id followee_id made_at state",
                 [(PERSON, "one"), (PERSON, "other")]),
        CLIP: ("clips", "liked", "clip_id person_id made_at", [(CLIP, "one"), (PERSON, "other")]),
    }[kind]  # fmt: skip
    first, second = plan.array(table)
    span = timedelta(days=30 * towns.MONTHS)
    begun = int((plan.now - span - _EPOCH).total_seconds() * 1e6)
    step = int(span.total_seconds() * 1e6) / len(first)

    async def packed() -> AsyncIterator[bytes]:
        yield _BEGIN
        for at in range(0, len(first), EDGES_AT_ONCE):
            part = slice(at, min(at + EDGES_AT_ONCE, len(first)))
            values = [
                towns.ids_of(fields[0][0], first[part]),
                towns.ids_of(fields[1][0], second[part]),
                (begun + np.arange(part.start, part.stop) * step).astype(">i8"),
            ]
            if kind == PERSON:
                values.append(np.full(len(values[0]), STATE, f"V{len(STATE)}"))
            yield rows_of(values)
        yield _END

    await connection.copy_to_table(
        table, schema_name=schema, columns=columns.split(), format="binary", source=packed()
    )
    await connection.close()
    return Counter()


async def put_tallies(plan: Plan, _first: int, _last: int) -> Counter[str]:
    """How many follow each person, and whom they follow."""
    connection = await connected(plan.url)
    values = [
        towns.ids_of(PERSON, np.arange(plan.persons)),
        plan.array("followers").astype(">i4"),
        plan.array("following").astype(">i4"),
    ]

    async def packed() -> AsyncIterator[bytes]:
        yield _BEGIN
        yield rows_of(values)
        yield _END

    await connection.copy_to_table(
        "tally", schema_name="graph", columns=["person_id", "followers", "following"],
        format="binary", source=packed(),
    )  # fmt: skip
    await connection.close()
    return Counter()


# COPY, binary format (PostgreSQL's documentation, "COPY", "File Formats").
_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def rows_of(columns: list[NDArray[Any]]) -> bytes:
    """Columns of fixed width as rows of a binary COPY."""
    form: list[Any] = [("count", ">i2")]
    for number, column in enumerate(columns):
        form += [(f"size{number}", ">i4"), (f"value{number}", column.dtype)]
    table = np.empty(len(columns[0]), np.dtype(form))
    table["count"] = len(columns)
    for number, column in enumerate(columns):
        table[f"size{number}"] = column.dtype.itemsize
        table[f"value{number}"] = column
    return table.tobytes()


async def check_index(superuser_url: str, database: Database, persons: int, films: int) -> None:
    """Has the worker index some people and clips anew; raises where anything changes."""
    connection = await asyncpg.connect(superuser_url, command_timeout=3600)
    sample = {
        "person": [towns.id_of(PERSON, n) for n in range(0, persons, max(1, persons // SAMPLE))],
        "clip": [towns.id_of(CLIP, n) for n in range(0, films, max(1, films // SAMPLE))],
    }
    before = {kind: await connection.fetch(FOUND[kind], ids) for kind, ids in sample.items()}
    counted = await connection.fetchval(COUNTED)
    for kind, ids in sample.items():
        await connection.execute(MAKE_STALE, kind, ids)
    await Indexing(database, Clock()).catch_up()
    for kind, ids in sample.items():
        if before[kind] != await connection.fetch(FOUND[kind], ids):
            raise AssertionError(f"the worker would have indexed a {kind} otherwise")
    if counted != await connection.fetchval(COUNTED):
        raise AssertionError("the worker would have counted words otherwise")
    await connection.close()


async def _copy(
    connection: asyncpg.Connection, schema: str, table: str, columns: str, rows: Any
) -> None:
    await connection.copy_records_to_table(
        table, schema_name=schema, columns=columns.split(), records=rows
    )
