"""How long does it take to sell a cell, and does the buyer open all of it and the seller nothing?

Expected for 100,000 people and 1,000,000 rows of each of five kinds: an entry about each person
costs some 150 µs at both ends (two statements for 500 people, one commitment each): 15 s twice; a
data key sealed by the hybrid HPKE 190 µs, opened 185 µs: 19 s and 19 s; 5 million rows of 100 bytes
are 500 MB, by COPY and AES-GCM-SIV at 50 MB a second 10 s out, and with the indexes at 10 MB a
second 50 s in; taking the entries into the log 5 s. Together 2 to 3 minutes; the promise is 10. The
floor is the COPY of the same tables from one database into the other, sealed by nobody.

    PYTHONPATH=src:. .venv/bin/python -m bench.sale --people 100000 --rows 1000000

Results are written to bench/results/sale.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from bench import machine
from luciole.config import CellSettings, Settings
from luciole.custody import store as custody
from luciole.keys import KeyFileRefused, KeyStore, NoKey, SealBroken, open_field, seal_field
from luciole.kit import copying, migrate, postgres
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock, SetClock
from luciole.kit.db import Database
from luciole.kit.ids import new_id
from luciole.kit.postgres_logins import SUPERUSER
from luciole.roots.choose import open_root
from luciole.sale import announcing, removing
from luciole.sale.adopt import Adopt
from luciole.sale.buyer import BuyerKey
from luciole.sale.divest import Divest, carried

RESULTS = Path(__file__).with_name("results") / "sale.md"
AT_ONCE = 2_000
OBJECTS, OBJECT_BYTES = 200, 1 << 20
FIELD = "contact.email"
PEOPLE = """
INSERT INTO people.person (id, handle, display_name, locale, age_band, is_private, created_at)
SELECT p, 'person' || n, 'Person ' || n, 'en', '18+', false, now()
FROM unnest($1::uuid[], $2::bigint[]) AS t (p, n)
"""
CONTACTS = """
INSERT INTO people.contact (person_id, kind, sealed, version, address_index)
SELECT p, 'email', s, 1, i FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS t (p, s, i)
"""
# Rows of each kind are spread over people and clips by two primes.
SETUP = "CREATE TEMP TABLE who AS SELECT row_number() OVER () - 1 AS n, id FROM people.person"
SETUP_INDEX = "CREATE INDEX ON who (n)"
FILL = (
    """
INSERT INTO media.asset (id, owner_id, state, trim_start_ms, cover_ms, is_public, token, progress,
    duration_ms, width, height, has_audio, created_at, changed_at)
SELECT md5('asset' || i)::uuid, w.id, 'complete', 0, 0, true, md5('token' || i), 100, 5000, 540,
    960, true, now(), now()
FROM generate_series(1, $1::bigint / 10) i JOIN who w ON w.n = i % $2""",
    """
INSERT INTO clips.clip (id, author_id, asset_id, caption, hashtags, audience, state, created_at,
    published_at)
SELECT md5('clip' || i)::uuid, w.id, md5('asset' || i)::uuid, 'Clip ' || i, '{}', 'everyone',
    'published', now(), now()
FROM generate_series(1, $1::bigint / 10) i JOIN who w ON w.n = i % $2""",
    """
INSERT INTO graph.follow (follower_id, followee_id, state)
SELECT a.id, b.id, 'accepted' FROM generate_series(1, $1::bigint) i
JOIN who a ON a.n = i % $2 JOIN who b ON b.n = (i * 7919 + i / $2 + 1) % $2
WHERE a.id <> b.id ON CONFLICT DO NOTHING""",
    """
INSERT INTO clips.liked (clip_id, person_id)
SELECT md5('clip' || 1 + (i * 7907 + i / $2) % ($1 / 10))::uuid, w.id
FROM generate_series(1, $1::bigint) i JOIN who w ON w.n = i % $2 ON CONFLICT DO NOTHING""",
    """
INSERT INTO clips.favourite (clip_id, person_id)
SELECT md5('clip' || 1 + (i * 7901 + i / $2) % ($1 / 10))::uuid, w.id
FROM generate_series(1, $1::bigint) i JOIN who w ON w.n = i % $2 ON CONFLICT DO NOTHING""",
    """
INSERT INTO clips.comment (id, clip_id, writer_id, text, score)
SELECT md5('comment' || i)::uuid, md5('clip' || 1 + i % ($1 / 10))::uuid, w.id,
    'Comment ' || i || ' about what one sees', 0
FROM generate_series(1, $1::bigint) i JOIN who w ON w.n = (i * 31) % $2""",
)
NO_TRIGGERS_HERE = "SET session_replication_role = replica"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--people", type=int, default=100_000)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--results", type=Path, default=RESULTS)
    said = words.parse_args()
    (machine.ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=machine.ROOT / ".cache") as place:
        home = Path(place)
        with postgres.embedded(home / "old") as old, postgres.embedded(home / "new") as new:
            found = asyncio.run(measured(home, old, new, said.people, said.rows))
    said.results.write_text(page(said.people, said.rows, found), encoding="utf-8")
    print(said.results.read_text(encoding="utf-8"))


async def measured(
    home: Path, old: postgres.Server, new: postgres.Server, people: int, rows: int
) -> list[tuple[str, str]]:
    """What was timed and counted, in words."""
    clock, url = SetClock(Clock().now()), old.url()
    cell = CellSettings(operator="Old House", jurisdiction="FR", demo=True)
    seller = Settings(data_dir=str(home / "seller"), cell=cell)
    buyer = Settings(data_dir=str(home / "buyer"), cell=cell)
    for one in (seller, buyer):
        one.data.mkdir(mode=0o700)
    await migrate.apply(url)
    keys = KeyStore(seller.keys_dir, open_root(**seller.key_place), clock=clock)
    blobs = Blobs.open(seller.blobs_place)
    began = time.monotonic()
    ids = await fill(url, old, keys, people, rows)
    for number in range(OBJECTS):
        await blobs.put(f"p/{number:06}/film", os.urandom(OBJECT_BYTES))
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    buyer_key = BuyerKey.make(home / "buyer.key", keys.cell_id)
    public = buyer_key.public("New House", "FR")

    steps = [("announce", await timed(announce(url, public, clock)))]
    clock.advance(timedelta(days=1))
    bundle = home / "bundle"
    steps.append(
        ("divest", await timed(Divest(bundle, url, blobs, keys, seller, clock, say).run(public)))
    )
    keys.close()
    adopting = Adopt(bundle, buyer_key, buyer, new.url(), clock, say=say)
    steps.append(("adopt", await timed(adopting.run())))
    opened = await opens(buyer, new.url(), ids)
    steps.append(("destroy at the seller", await timed(removing.destroy(seller))))
    left = await opens(seller, url, ids)
    floor = await timed(plain_copy(url, home))
    total = sum(seconds for _, seconds in steps)
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    count = await in_tables(new.url())
    return [
        *((name, f"{seconds:.1f} s") for name, seconds in steps),
        ("**together**", f"**{total:.1f} s** (promised: 600 s)"),
        ("floor: the same tables by COPY into a file, sealed by nobody", f"{floor:.1f} s"),
        ("rows at the buyer", f"{count:,}"),
        ("bundle", f"{size / 1024**2:,.0f} MiB, of them {OBJECTS} MiB objects"),
        ("addresses that the buyer opens", f"{opened:,} of {len(ids):,}"),
        ("addresses that open with what is left at the seller", f"{left:,} of {len(ids):,}"),
    ]


def say(line: str) -> None:
    print(line, flush=True)


async def timed(work: object) -> float:
    began = time.monotonic()
    await work  # type: ignore[misc]
    return time.monotonic() - began


async def fill(
    url: str, server: postgres.Server, keys: KeyStore, people: int, rows: int
) -> list[UUID]:
    """People with keys and a sealed address each, and rows of five kinds."""
    superuser = await asyncpg.connect(server.url(SUPERUSER, server.logins.database), timeout=30)
    ids = [new_id() for _ in range(people)]
    try:
        await superuser.execute(NO_TRIGGERS_HERE)
        for start in range(0, people, AT_ONCE):
            some = ids[start : start + AT_ONCE]
            await superuser.execute(PEOPLE, some, list(range(start, start + len(some))))
            keys.take((one, os.urandom(32), os.urandom(32)) for one in some)
            addresses = [f"person{n}@example.org" for n in range(start, start + len(some))]
            sealed = [
                seal_field(
                    keys.data_key(one),
                    address.encode(),
                    cell_id=keys.cell_id,
                    person_id=one,
                    field_id=FIELD,
                    version=1,
                )
                for one, address in zip(some, addresses, strict=True)
            ]
            indexes = [keys.secret.index("email", address) for address in addresses]
            await superuser.execute(CONTACTS, some, sealed, indexes)
        await superuser.execute(SETUP)
        await superuser.execute(SETUP_INDEX)
        await superuser.execute("ANALYZE who")
        for query in FILL:
            values = (rows, people) if "$2" in query else (rows,)
            await superuser.execute(query, *values, timeout=3600)
    finally:
        await superuser.close()
    database = await Database.open(url, size=1)
    async with database.tx() as tx:
        await custody.add_cell(tx, keys.cell_id, keys.secret.derived("database"))
    await database.close()
    return ids


async def announce(url: str, public: object, clock: SetClock) -> None:
    database = await Database.open(url, size=1)
    await announcing.announce(database, public, new_id(), clock.now(), clock.now())  # type: ignore[arg-type]
    await database.close()


async def opens(settings: Settings, url: str, ids: list[UUID]) -> int:
    """How many addresses open with the keys in a data folder."""
    try:
        if not (settings.keys_dir / "current").exists():
            return 0
        keys = KeyStore(settings.keys_dir, open_root(**settings.key_place))
    except KeyFileRefused:
        return 0
    count, connection = 0, await asyncpg.connect(url)
    try:
        for row in await connection.fetch("SELECT person_id, sealed FROM people.contact"):
            try:
                open_field(
                    keys.data_key(row["person_id"]),
                    row["sealed"],
                    cell_id=keys.cell_id,
                    person_id=row["person_id"],
                    field_id=FIELD,
                    version=1,
                )
                count += 1
            except (NoKey, SealBroken):
                continue
    finally:
        await connection.close()
        keys.close()
    return count


async def plain_copy(url: str, home: Path) -> None:
    """The same rows, as they are, into one file."""
    with (home / "floor").open("wb") as file:

        async def write(lines: list[bytes]) -> None:
            file.writelines(lines)

        async with copying.snapshot(url) as state:
            for table in carried():
                await state.copy_out(f"SELECT * FROM {table}", write)


async def in_tables(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return sum(
            [await connection.fetchval(f"SELECT count(*) FROM {table}") for table in carried()]
        )
    finally:
        await connection.close()


def page(people: int, rows: int, found: list[tuple[str, str]]) -> str:
    return (
        f"# Selling a cell\n\n{machine.described()} {people:,} people, {rows:,} rows each of "
        f"follows, likes, favourites and comments, {rows // 10:,} clips, a sealed address each.\n\n"
        + machine.table(["what", "found"], found)
        + "\nQuestion and estimate: the head of [sale.py](../sale.py).\n"
    )


if __name__ == "__main__":
    main()
