"""The town of `bench.social`, which is made once and kept: people, clips, follows and likes, and
readers who are signed in, threads, notifications."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from bench import filling, towns
from luciole.kit import migrate, postgres, postgres_logins
from luciole.kit.queue import Queue

READERS = 400
TALKED = 400
EDGES_A_PERSON = 10
COMMENTS = 60
LINES = 60
PUBLISHED = 30
SESSIONS = """
INSERT INTO people.session
    (id, person_id, token_hash, label, created_at, last_seen_on, expires_at, proved_at)
SELECT gen_random_uuid(), p, t, 'bench', now(), current_date, now() + interval '30 days', now()
FROM unnest($1::uuid[], $2::bytea[]) AS r (p, t)
"""
THREADS = """
INSERT INTO clips.comment (id, clip_id, writer_id, text, score)
SELECT gen_random_uuid(), c, w, 'Comment ' || n, random()
FROM unnest($1::uuid[]) AS c,
LATERAL (SELECT n, ($2::uuid[])[1 + (random() * 390)::int] AS w FROM generate_series(1, $3) n) s
"""
COUNTED = "UPDATE clips.clip SET comments = $2 WHERE id = ANY($1::uuid[])"
NOTIFIED = """
WITH made AS (
    SELECT gen_random_uuid() AS id, r, ($2::uuid[])[1 + n % cardinality($2)] AS c,
           ($1::uuid[])[1 + n * 7 % cardinality($1)] AS a
    FROM unnest($1::uuid[]) AS r, generate_series(1, $3) n
), line AS (
    INSERT INTO notify.line (id, person_id, kind, clip_id, top_id)
    SELECT id, r, 'like', c, id FROM made
)
INSERT INTO notify.notification (id, person_id, kind, actor_id, clip_id, line_id)
SELECT id, r, 'like', a, c, id FROM made
"""
SEED_OF_WORDS = 20261128
ALL_FOLLOW = """
INSERT INTO graph.follow (follower_id, followee_id, state)
SELECT id, $1, 'accepted' FROM people.person WHERE id <> $1 ON CONFLICT DO NOTHING
"""
COUNT_ALL = "UPDATE graph.tally SET followers = $2 WHERE person_id = $1"
NO_TRIGGERS_HERE = "SET LOCAL session_replication_role = replica"
MAKE_READY = """
UPDATE clips.clip SET author_id = $2, state = 'processing', published_at = NULL
WHERE id = $1 RETURNING asset_id
"""
IS_PUBLISHED = "SELECT state = 'published' FROM clips.clip WHERE id = $1"
JOB = "media.playable"


@dataclass(frozen=True)
class Reader:
    """Somebody of the town who is signed in."""

    id: UUID
    token: str


@dataclass(frozen=True)
class Town:
    people: int
    clips: int
    readers: Sequence[Reader]
    talked: Sequence[UUID]
    words: Sequence[str]

    def known(self, dice: random.Random) -> int:
        """Somebody, the well-known often."""
        return towns.Skewed(self.people).draw(dice)


def _words() -> list[str]:
    """Words that are in captions, as frequent as there."""
    drawn = towns.Captions(SEED_OF_WORDS)
    found = [drawn.word(dice) for dice in ("en", "fr", "es") for _ in range(400)]
    return [word for word in found if word.isascii() and word.isalpha()]


async def made(home: Path, people: int, seed: int) -> Town:
    """The town of so many people in the cluster `home`, which is filled where it is not there yet:
    as many clips as people, ten times as many follows and likes."""
    town = _town(people)
    mark = home.parent / "made"
    if _is_made(home, mark):
        return town
    async with postgres.embedded_async(home, settings=filling.HASTY_SERVER) as server:
        await asyncio.to_thread(lambda: asyncio.run(migrate.apply(server.url())))
        superuser = server.url(postgres_logins.SUPERUSER)
        began = time.monotonic()

        def say(text: str) -> None:
            print(f"{time.monotonic() - began:.0f} s: {text}", flush=True)

        await filling.fill(
            superuser, server.url("luciole_worker"), seed=seed,
            persons=people, films=people, edges=EDGES_A_PERSON * people, say=say,
        )  # fmt: skip
        await _furnish(superuser, town)
        say("furnished")
        mark.write_text(f"{time.monotonic() - began:.0f}\n")
    return town


def _is_made(home: Path, mark: Path) -> bool:
    if home.exists() and not mark.exists():
        raise SystemExit(f"A town was left unfinished in {home.parent}: remove that folder.")
    return mark.exists()


def _town(people: int) -> Town:
    step = max(1, people // READERS)
    readers = [
        Reader(towns.id_of(towns.PERSON, number * step), f"reader-{number}-{'x' * 30}")
        for number in range(min(READERS, people))
    ]
    step = max(1, people // TALKED)
    talked = [towns.id_of(towns.CLIP, number * step) for number in range(min(TALKED, people))]
    return Town(people, people, readers, talked, _words())


async def _furnish(superuser_url: str, town: Town) -> None:
    """Signs readers in, lets them talk under clips, and tells them of likes."""
    connection = await filling.connected(superuser_url)
    hashes = [hashlib.sha256(reader.token.encode()).digest() for reader in town.readers]
    ids = [reader.id for reader in town.readers]
    await connection.execute(SESSIONS, ids, hashes)
    await connection.execute(THREADS, town.talked, ids, COMMENTS)
    await connection.execute(COUNTED, town.talked, COMMENTS)
    await connection.execute(NOTIFIED, ids, town.talked, LINES)
    await connection.execute("VACUUM (ANALYZE)")  # As after a quiet night.
    await connection.close()


async def publishing(superuser_url: str, metrics_port: int, people: int) -> list[float]:
    """Milliseconds of each job that publishes a clip of the one whom everybody follows, as the
    worker counts them: the clip, what its author is told, and what feeds and search note of it."""
    star = towns.id_of(towns.PERSON, 0)
    connection = await asyncpg.connect(superuser_url, command_timeout=3600)
    taken = []
    try:
        async with connection.transaction():
            await connection.execute(NO_TRIGGERS_HERE)
            await connection.execute(ALL_FOLLOW, star)
            await connection.execute(COUNT_ALL, star, people - 1)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{metrics_port}") as client:
            before = await _spent(client)
            for number in range(PUBLISHED):
                clip = towns.id_of(towns.CLIP, number)
                asset = await connection.fetchval(MAKE_READY, clip, star)
                async with connection.transaction():
                    await Queue().put(connection, JOB, {"asset_id": str(asset)})
                after = await _next(client, before)
                assert await connection.fetchval(IS_PUBLISHED, clip)
                taken.append((after[1] - before[1]) * 1000)
                before = after
    finally:
        await connection.close()
    return taken


async def _next(client: httpx.AsyncClient, before: tuple[int, float]) -> tuple[int, float]:
    """What the worker has counted once it has done one more."""
    for _ in range(6000):
        after = await _spent(client)
        if after[0] > before[0]:
            return after
        await asyncio.sleep(0.01)
    raise AssertionError("the worker does not publish")


async def _spent(client: httpx.AsyncClient) -> tuple[int, float]:
    """How many jobs of the kind the worker has done, and in how many seconds."""
    text = (await client.get("/metrics")).text
    found = re.findall(rf'luciole_job_duration_seconds_(count|sum){{job="{JOB}",.*?}} (\S+)', text)
    told = {name: float(value) for name, value in found}
    return int(told.get("count", 0)), told.get("sum", 0.0)
