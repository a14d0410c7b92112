"""What can a cell see of the people whose backup it keeps, and how long is the way back?

Expected: no field is found or opened: what is abroad is sealed to a key that is not there.
250,000 people with four fields each are 100 MB of tables; compressing and sealing them at 60 MB a
second on one core takes some seconds, and so does opening. The floor is `pg_basebackup` of the same
database into a file, and PostgreSQL's own start on it.

    PYTHONPATH=src .venv/bin/python -m bench.abroad --fields 1000000

All that the other cell holds is looked through for the canary in each field, in the forms of
`tests/canary.py`, and pieces are tried with every key that the other cell has, its real root and
all that this opens (`tests/keeper_keys.py`). The fields that come back are compared one by one.
Results are written to bench/results/abroad.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from tests import canary, keeper_keys

from bench import machine
from bench.towns import PERSON, id_of
from luciole.abroad import fetching, recovery
from luciole.abroad.keeper import Keeper
from luciole.abroad.server import Tools
from luciole.abroad.shipping import Shipping
from luciole.abroad.spool import Spool
from luciole.abroad.state import State
from luciole.border.kept import PIECE_BYTES
from luciole.config import CellSettings, Settings
from luciole.keys import KeyStore, RootKey, open_field, seal_field
from luciole.kit import migrate, postgres
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.postgres_logins import REPLICATION, Logins
from luciole.kit.postgres_programs import wheel_bin_dir
from luciole.trustee.backups import Backups

RESULTS = Path(__file__).with_name("results") / "abroad.md"
STEM = "quetzalcanary"
FIELDS_EACH = 4
# Handle, name, biography in the clear for the cell; an address sealed under the person's key.
PEOPLE = "SELECT id, handle, display_name, bio FROM people.person ORDER BY id"
CONTACTS = "SELECT person_id, sealed FROM people.contact ORDER BY person_id"
# What is tried with each key of the other cell: all pieces up to so many, then one in so many.
TRIED_AT_MOST = 200


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--fields", type=int, default=1_000_000)
    words.add_argument("--results", type=Path, default=RESULTS)
    said = words.parse_args()
    (machine.ROOT / ".cache").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=machine.ROOT / ".cache") as place:
        rows = asyncio.run(measured(Path(place), said.fields // FIELDS_EACH))
    text = (
        f"# Backup abroad\n\n{machine.described()}\n\n"
        f"{said.fields // FIELDS_EACH * FIELDS_EACH} personal fields.\n\n"
        f"{machine.table(['what', 'result'], rows)}"
    )
    said.results.write_text(text, encoding="utf-8")
    print(text)


async def measured(place: Path, people: int) -> list[list[str]]:
    root = RootKey.generate()
    rows: list[list[str]] = []
    settings = {"synchronous_commit": "off", "max_wal_size": "4GB"}
    logins = Logins(has_replication=True)
    with contextlib.closing(KeyStore(place / "keys", root)) as keys:
        async with postgres.embedded_async(
            place / "postgres", logins, settings=settings, log=place / "log"
        ) as server:
            await migrate.apply(server.url())
            await fill(server.url(), keys, people)
            before = await fields(server.url(), keys)
            assert len(before) == people * FIELDS_EACH
            rows.append(["pg_basebackup into a file (floor)", f"{floor(server, place):.1f} s"])
            keeper = Settings(data_dir=str(place / "sg"), cell=CellSettings(short_name="sg"))
            keeper_keys.settle(keeper, keys.cell_id)
            sg = Backups(keeper.trustee_dir, 1 << 50, Clock())
            sent_s = await send(place, server, sg, keys.cell_id)
            rows.append(
                ["base backup and log sent, with a disk of the other cell", f"{sent_s:.1f} s"]
            )
        await look(place, keeper, keys.cell_id, rows)
        again_s, found = await come_back(place, sg, keys)
        assert found == before, "a field came back changed, or not at all"
        rows.append(["fetched, opened, verified, recovered", f"{again_s:.1f} s"])
        rows.append(["fields that came back as they were", f"{len(found)} of {len(before)}"])
    return rows


async def fill(url: str, keys: KeyStore, people: int) -> None:
    owner = await asyncpg.connect(url)
    for start in range(0, people, 10_000):
        ids = [id_of(PERSON, n) for n in range(start, min(start + 10_000, people))]
        persons: list[tuple[Any, ...]] = []
        contacts: list[tuple[Any, ...]] = []
        for n, each in enumerate(ids, start):
            keys.enrol(each)
            word = f"{STEM}{n:07}"
            persons.append((each, word[-24:], f"name {word}", f"bio {word}"))
            sealed = seal_field(
                keys.data_key(each),
                f"{word}@example.org".encode(),
                cell_id=keys.cell_id,
                person_id=each,
                field_id="contact.email",
                version=1,
            )
            contacts.append((each, sealed, os.urandom(32)))
        await owner.executemany(
            "INSERT INTO people.person (id, handle, display_name, bio, locale, age_band, "
            "is_private, created_at) VALUES ($1, $2, $3, $4, 'en', '18+', false, now())",
            persons,
        )
        await owner.executemany(
            "INSERT INTO people.contact (person_id, kind, sealed, version, address_index) "
            "VALUES ($1, 'email', $2, 1, $3)",
            contacts,
        )
    await owner.close()


async def fields(url: str, keys: KeyStore) -> dict[tuple[UUID, str], str]:
    """Every field, opened."""
    owner = await asyncpg.connect(url)
    found: dict[tuple[UUID, str], str] = {}
    for row in await owner.fetch(PEOPLE):
        for name in ("handle", "display_name", "bio"):
            found[row["id"], name] = row[name]
    for row in await owner.fetch(CONTACTS):
        whose = row["person_id"]
        found[whose, "email"] = open_field(
            keys.data_key(whose),
            row["sealed"],
            cell_id=keys.cell_id,
            person_id=whose,
            field_id="contact.email",
            version=1,
        ).decode()
    await owner.close()
    return found


def floor(server: postgres.Server, place: Path) -> float:
    began = time.monotonic()
    tools = Tools(wheel_bin_dir(), server.url(REPLICATION))
    with (place / "floor.tar").open("wb") as file:
        subprocess.run(
            [
                wheel_bin_dir() / "pg_basebackup",
                *("-D", "-", "-F", "tar", "-X", "none", "-c", "fast", "-w", "-d", tools._url),
            ],
            stdout=file,
            env=tools._environment,
            check=True,
        )
    (place / "floor.tar").unlink()
    return time.monotonic() - began


async def send(place: Path, server: postgres.Server, sg: Backups, cell_id: UUID) -> float:
    recovery.make(place / "recovery.key", place / "abroad", cell_id)
    began = time.monotonic()
    tools = Tools(wheel_bin_dir(), server.url(REPLICATION))
    tools.make_slot()
    spool, state = Spool(place / "abroad" / "wal"), State(place / "abroad")
    shipping = Shipping(
        Keeper(lambda body: sg.answer(cell_id, body)),
        state,
        recovery.public_of(place / "abroad"),
        tools,
        Blobs.open(str(place / "blobs")),
        spool,
        Clock(),
        days=7,
    )
    receiving = asyncio.create_task(tools.receive(spool.folder))
    await shipping.send_base()
    while not shipping.whole_bases() or shipping._new(shipping._position)[0]:
        await shipping.round()
        await asyncio.sleep(0.05)
    await shipping.round()
    took_s = time.monotonic() - began
    receiving.cancel()
    await asyncio.gather(receiving, return_exceptions=True)
    state.close()
    return took_s


async def look(place: Path, keeper: Settings, home: UUID, rows: list[list[str]]) -> None:
    """All that the other cell holds, with all that it has: its real root and what that opens."""
    marks = {"stem": STEM.encode()}
    database = canary.search(canary.files(place / "postgres" / "data" / "base"), marks)
    assert database, "the search is blind"
    files = list(canary.files(keeper.data))
    pieces = [path for path in files if path.stat().st_size in PIECE_BYTES]
    size = sum(path.stat().st_size for path in pieces)
    rows.append(["pieces, bytes", f"{len(pieces)}, {size / 1024**2:.1f} MiB"])
    rows.append(["canaries found with the other cell", str(len(canary.search(files, marks)))])
    own = keeper_keys.keys_in(keeper, home)
    assert keeper_keys.is_blind(own, min(PIECE_BYTES)) == []
    some = pieces[:: -(-len(pieces) // TRIED_AT_MOST)]
    tried = keeper_keys.tried((path.read_bytes() for path in some), own)
    assert tried.tries == len(some) * len(own)
    rows.append(["keys of the other cell", str(len(own))])
    said = f"{len(tried.opened)} of {tried.tries} tries"
    rows.append(["pieces opened with the other cell's keys", said])


async def come_back(
    place: Path, sg: Backups, keys: KeyStore
) -> tuple[float, dict[tuple[UUID, str], str]]:
    began = time.monotonic()
    whole = recovery.load(place / "recovery.key")
    keeper = Keeper(lambda body: sg.answer(keys.cell_id, body))
    found = await fetching.look(keeper, whole, Clock())
    base, home = found.base(None), place / "again"
    home.mkdir()
    await found.extract(base, home / "data")
    Tools(wheel_bin_dir(), "").verify(home / "data")
    await found.log(base, home / "data" / "pg_wal")
    (home / "data" / "recovery.signal").touch()
    settings = {"restore_command": "false", "hot_standby": "off"}
    postgres.Server(home, place / "log", settings=settings).recover()
    took_s = time.monotonic() - began
    async with postgres.embedded_async(home, log=place / "log") as server:
        return took_s, await fields(server.url(), keys)


if __name__ == "__main__":
    main()
