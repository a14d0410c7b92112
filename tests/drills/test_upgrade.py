"""Data of the version before, brought to this one; and back where that does not work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from luciole import upgrading
from luciole.kit import migrate, postgres
from luciole.kit.db import Database
from luciole.kit.keeper import FolderLock
from luciole.kit.migrate import Migration

# The first one that the version before did not have.
FIRST_OF_THIS = "0037"
PERSON = """
INSERT INTO people.person (id, handle, display_name, locale, age_band, is_private, created_at)
VALUES (gen_random_uuid(), 'ana', 'Ana', 'en', '18+', false, now())
"""
pytestmark = [pytest.mark.timeout(300)]


@contextlib.asynccontextmanager
async def database(data: Path) -> AsyncIterator[tuple[str, Database]]:
    async with postgres.embedded_async(data / "postgres", log=data / "log" / "pg.log") as server:
        db = await Database.open(server.url(), size=1)
        try:
            yield server.url(), db
        finally:
            await db.close()


async def before(data: Path) -> None:
    """A cell as the version before left it, with somebody in it."""
    (data / "log").mkdir(parents=True)
    old = [one for one in migrate.load() if one.name < FIRST_OF_THIS]
    assert len(old) == 36
    async with database(data) as (url, db):
        assert len(await migrate.apply(url, old)) == 36
        async with db.tx() as tx:
            await tx.execute(PERSON)


async def look(data: Path) -> tuple[list[str], list[str], Any]:
    """Which migrations there are, who is there, and whether a table of this version is."""
    async with database(data) as (_, db), db.read() as tx:
        names = [
            row["name"] for row in await tx.fetch("SELECT name FROM house.migration ORDER BY name")
        ]
        handles = [row["handle"] for row in await tx.fetch("SELECT handle FROM people.person")]
        return names, handles, await tx.fetchval("SELECT to_regclass('people.invitation')")


def environment(data: Path) -> dict[str, str]:
    return {"LUCIOLE_DATA_DIR": str(data)}


async def test_data_of_the_version_before_is_brought_here_and_back_where_it_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "var"
    data.mkdir()
    with pytest.raises(upgrading.NothingHere):
        await upgrading.run(environment(data))
    await before(data)

    # A migration of this version loses somebody: everything is as it was, and can start again.
    bad = Migration("9999_bad.sql", "DELETE FROM people.person", "0" * 64)
    with pytest.raises(upgrading.WentBack):
        await upgrading.run(environment(data), migrations=[*migrate.load(), bad])
    assert "not as many people.person as before" in capsys.readouterr().out
    names, handles, table = await look(data)
    assert (len(names), handles, table) == (36, ["ana"], None)
    assert not (data / "upgrade").exists()

    # One cannot be applied at all.
    broken = Migration("9999_broken.sql", "SELECT nothing FROM nowhere", "0" * 64)
    with pytest.raises(upgrading.WentBack):
        await upgrading.run(environment(data), migrations=[*migrate.load(), broken])
    assert len((await look(data))[0]) == 36

    # As it is, it works, once and again.
    for _ in range(2):
        assert await upgrading.run(environment(data)) == 0
    said = capsys.readouterr().out
    assert "Checked: people.person 1" in said
    assert "The database is up to date." in said
    names, handles, table = await look(data)
    assert names == [one.name for one in migrate.load()]
    assert (handles, str(table)) == (["ana"], "people.invitation")
    assert not (data / "upgrade").exists()


async def test_an_upgrade_that_was_cut_off_is_put_back_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "var"
    await before(data)
    # As a kill in the middle of the migrations leaves it: the copy, and a database half way.
    await asyncio.to_thread(upgrading._save, data / "postgres", data / "upgrade" / "postgres")
    async with database(data) as (_, db), db.tx() as tx:
        await tx.execute("DELETE FROM people.person")
    assert await upgrading.run(environment(data)) == 0
    assert "cut off" in capsys.readouterr().out
    assert (await look(data))[1] == ["ana"]


async def test_a_running_cell_and_an_outside_database_are_left_alone(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path / "run")
    assert lock.take()
    try:
        with pytest.raises(upgrading.Running):
            await upgrading.run(environment(tmp_path))
    finally:
        lock.release()
    outside = {**environment(tmp_path), "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    with pytest.raises(upgrading.OutsideDatabase):
        await upgrading.run(outside)
