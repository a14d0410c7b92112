"""The migrations make the same tables on every PostgreSQL that a cell may run on."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import NOT_DURABLE
from tests.rules import database
from tests.rules.database import Described
from tests.rules.source import PACKAGE

from luciole.kit import migrate, postgres, postgres_logins
from luciole.kit.db import Database
from luciole.kit.postgres import Server

# Where Debian keeps version 15; the setting names another.
DEBIAN = Path(os.environ.get("LUCIOLE_TEST_POSTGRES_15", "/usr/lib/postgresql/15/bin"))


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The oldest version that we run on, with all migrations."""
    if not (DEBIAN / "postgres").exists():
        pytest.skip(
            f"NO POSTGRESQL 15 in {DEBIAN}: the migrations are tried on the wheel's version only. "
            "Install Debian's postgresql-15, or set LUCIOLE_TEST_POSTGRES_15 to its bin folder."
        )
    home = tmp_path_factory.mktemp("postgres-15")
    with postgres.embedded(home, settings=NOT_DURABLE, bin_dir=DEBIAN) as server:
        assert server.major == 15
        applied = asyncio.run(migrate.apply(server.url()))
        assert applied == [migration.name for migration in migrate.load()]
        yield server


def test_second_apply_does_nothing(owner_url: str) -> None:
    assert asyncio.run(migrate.apply(owner_url)) == []


def test_oldest_version_gets_the_same_tables(oldest: Server, described: Described) -> None:
    assert asyncio.run(migrate.apply(oldest.url())) == []
    old = asyncio.run(database.describe(oldest.url()))
    assert database.without_taste(database.as_sql(old)) == database.without_taste(
        database.as_sql(described)
    )


def test_schema_file_makes_the_same_tables(oldest: Server, described: Described) -> None:
    """docs/reference/schema.sql is whole: on an empty database it makes what it describes."""
    again = oldest.url(postgres_logins.SUPERUSER, "again")

    async def make() -> Described:
        first = await asyncpg.connect(oldest.url(postgres_logins.SUPERUSER))
        await first.execute("CREATE DATABASE again")
        await first.close()
        second = await asyncpg.connect(again)
        await second.execute(database.as_sql(described))
        await second.close()
        return await database.describe(again)

    made = asyncio.run(make())
    assert database.without_taste(database.as_sql(made)) == database.without_taste(
        database.as_sql(described)
    )


async def test_processes_own_nothing_and_cannot_change_tables(db: Database) -> None:
    for statement in ("CREATE TABLE people.more (id int)", "DROP TABLE clips.liked"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.tx() as tx:
                await tx.execute(statement)


# In the body of a function; a lock of the transaction ends with it.
SETS = re.compile(
    r"\bset_config\s*\(|(?:^|;|\b(?:BEGIN|THEN|ELSE|LOOP)\b)\s*(?:SET|RESET|LISTEN)\b"
    r"|\bpg_(?:try_)?advisory_lock",
    re.IGNORECASE,
)
FUNCTIONS = """
SELECT n.nspname || '.' || p.proname AS name, p.prosrc FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


async def test_no_function_sets_what_lasts_on_a_connection(db: Database) -> None:
    async with db.tx() as tx:
        functions = await tx.fetch(FUNCTIONS)
    assert len(functions) > 5
    wrong = [row["name"] for row in functions if SETS.search(row["prosrc"])]
    assert not wrong, (
        f"{', '.join(wrong)}: `kit.db` clears a connection for the next who asks when the text of "
        "a query says that it sets something. It does not look into functions: say it in the "
        "query."
    )


def test_migrations_are_numbered_without_gaps() -> None:
    names = [migration.name for migration in migrate.load()]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        assert re.fullmatch(r"\d{4}_[a-z_]+\.sql", name), name


def test_migrations_run_on_the_oldest_version_without_extensions() -> None:
    """Also where version 15 is not at hand."""
    for path in sorted((PACKAGE / "migrations").glob("*.sql")):
        code = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        for word in ("uuidv7", "gen_random_uuid", "pgcrypto", "CREATE EXTENSION", "VIRTUAL"):
            assert word.lower() not in code.lower(), f"{path.name}: {word}"
