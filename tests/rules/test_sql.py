"""The SQL net: each query of each store runs under its slice's rights, and keeps to the rules."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.rules import source
from tests.rules.source import Query

pytestmark = pytest.mark.asyncio

# Where no slice's table is touched: the kit's own tables, what a server says about itself, and
# the key store and the trustee's files, which are no PostgreSQL.
SQL_ELSEWHERE = {
    "luciole.keys.wraps",
    "luciole.trustee.book",
    "luciole.trustee.lookups",
    "luciole.trustee.backups",
    "luciole.abroad.state",
    "luciole.kit.postgres_logins",
    # One function of a session: where it asks from.
    "luciole.kit.db",
    "luciole.kit.migrate",
    "luciole.kit.postgres",
    "luciole.kit.queue",
    "luciole.kit.queue_look",
    "luciole.kit.copying",
    "luciole.kit.upkeep",
    "luciole.database_console",
    # At the machine, as the owner: counts of what there is, before and after.
    "luciole.upgrading",
    "luciole.room",
    "luciole.rehoming",
    "luciole.upkeep",
    "luciole.statements",
    # Reads the view of peers for everybody.
    "luciole.glass",
    # Copy all slices' tables as the owner.
    "luciole.copies.backup",
    "luciole.copies.owners",
    "luciole.copies.restore",
    "luciole.copies.settling",
    "luciole.abroad.restore",
    "luciole.sale.bundle",
    "luciole.sale.store",
    "luciole.audit.rights",
    "luciole.audit.pack",
    # Looks into the canary's own database as its owner, and tampers with it.
    "luciole.audit.canary.watch",
    "luciole.audit.canary.tamper",
    # Plays another cell, as the owner of the canary's own database.
    "luciole.audit.canary.play_abroad",
    # Leaves a job there that is stuck.
    "luciole.audit.canary.play_console",
}
# "Are you there?"
PING = "SELECT 1"
LOOKS_LIKE_SQL = re.compile(
    r"\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|TRUNCATE|CREATE|ALTER|DROP|GRANT|REVOKE|"
    r"LISTEN|NOTIFY|SHOW|SET|COPY|LOCK|MERGE|CALL)\s"
)
RUNS_SQL = {"fetch", "fetchrow", "fetchval", "execute", "executemany", "prepare", "cursor"}
# Lists whose order nobody sees, with the reason.
UNORDERED = {
    "FOLLOWS_AT_LEAST": "only counted, up to a bound",
    "OPEN_UPLOADS": "only counted, up to a bound",
    "UNSETTLED": "each run takes some of those that are left",
    "HELD_UPLOADS": "only counted, up to a bound",
    "BLOCKS_AT_LEAST": "only counted, up to a bound",
    "MUTES_AT_LEAST": "only counted, up to a bound",
    "RESTRICTIONS_AT_LEAST": "only counted, up to a bound",
    "CIRCLES_AT_LEAST": "only counted, up to a bound",
    **dict.fromkeys(
        (
            "ERASE_LISTED",
            "ERASE_IN_CIRCLES",
            "ERASE_HUSHED",
            "LIKED_NEXT",
            "WRITTEN_NEXT",
            "ERASE_FOLLOWING",
            "ERASE_FOLLOWERS",
            "ERASE_BLOCKS",
            "ERASE_MUTES",
            "ERASE_RESTRICTIONS",
            "ERASE_LINES",
            "ERASE_NOTIFICATIONS",
            "ERASE_EVENTS",
        ),
        "each step of an erasure takes some of those that are left",
    ),
}


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_url, statement_cache_size=0)
    # Nobody knows a parameter's value here; a plan for NULL would be simpler than the real one.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    yield connection
    await connection.close()


async def plan(connection: asyncpg.Connection, role: str, sql: str) -> None:
    """Plans and begins the query as `role` without running it. PREPARE alone checks names and
    types; rights are checked when a plan begins."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL ROLE {role}")
        if sql.startswith("LOCK "):
            await connection.execute(sql)
            return
        await connection.execute(f"PREPARE tried AS {sql}")
        count = await connection.fetchval(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'tried'"
        )
        arguments = f"({', '.join(['NULL'] * count)})" if count else ""
        await connection.execute(f"EXPLAIN EXECUTE tried{arguments}")
    finally:
        await transaction.rollback()
        # Prepared statements outlive a rollback.
        await connection.execute("DEALLOCATE ALL")


async def fault(connection: asyncpg.Connection, role: str, sql: str) -> str:
    """What is wrong with a query under a role, or nothing."""
    try:
        await plan(connection, role, sql)
    except asyncpg.PostgresError as error:
        return str(error)
    return ""


async def test_every_query_runs_with_its_slices_rights(owner: asyncpg.Connection) -> None:
    wrong = []
    for query in source.queries():
        said = await fault(owner, f"luciole_{query.module.slice_name}", query.sql)
        if said:
            wrong.append(f"{query.label} as luciole_{query.module.slice_name}: {said}")
    assert not wrong, (
        "\n".join(wrong)
        + "\nA slice writes its own schema only and reads others through the views "
        "that they offer; a new view or grant belongs into a new migration."
    )


async def test_all_stores_are_in_the_net() -> None:
    assert {query.module.slice_name for query in source.queries()} == set(source.OWNERS)
    assert len(source.queries()) > 100


@pytest.mark.parametrize(
    ("role", "sql", "said"),
    [
        ("luciole_feed", "SELECT locale FROM people.person WHERE id = $1", "permission denied"),
        ("luciole_clips", "UPDATE graph.tally SET followers = 0", "permission denied"),
        ("luciole_graph", "SELECT hash FROM people.password", "permission denied"),
        ("luciole_people", "SELECT handel FROM people.person", "does not exist"),
        ("luciole_media", "SELEC id FROM media.asset", "syntax error"),
        ("luciole_notify", "SELECT body FROM notify.events", "does not exist"),
    ],
)
async def test_bad_query_is_caught(
    owner: asyncpg.Connection, role: str, sql: str, said: str
) -> None:
    assert said in await fault(owner, role, sql)


async def test_sql_is_written_in_stores_only() -> None:
    wrong = []
    for module in source.modules():
        if module.is_store or module.name in SQL_ELSEWHERE:
            continue
        skipped = source.docstrings(module.tree)
        for node in ast.walk(module.tree):
            text = source.text_of(node) if isinstance(node, ast.expr) else None
            if text and text != PING and id(node) not in skipped and LOOKS_LIKE_SQL.match(text):
                wrong.append(f"{module.at(node)}: {' '.join(text.split())[:60]}")
    assert not wrong, (
        "\n".join(wrong)
        + "\nSQL belongs into the slice's store, as an UPPER_CASE constant with one "
        "function that runs it, so that the net can try it under the slice's rights."
    )


async def test_stores_run_their_constants_only() -> None:
    wrong = []
    for module in source.stores():
        known = {query.name for query in source.queries() if query.module is module}
        used = set()
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in RUNS_SQL
            ):
                first = node.args[0]
                if isinstance(first, ast.Name) and first.id in known:
                    used.add(first.id)
                else:
                    wrong.append(f"{module.at(node)}: {ast.unparse(first)[:60]}")
        wrong.extend(f"{module.path}: {name} is run by no function" for name in known - used)
    assert not wrong, (
        "\n".join(wrong) + "\nA store runs UPPER_CASE constants of its own module: what is put "
        "together at run time cannot be checked, and may be put together by a stranger."
    )


FORBIDDEN = (
    (
        re.compile(r"\bOFFSET\b", re.I),
        "OFFSET reads and throws away what it skips. Use a keyset: WHERE (a, id) < ($1, $2).",
    ),
    (
        re.compile(r"\bcount\s*\(", re.I),
        "count() reads every row. Keep a tally as it happens, or ask EXISTS.",
    ),
    (
        re.compile(r"\bSELECT\s+(DISTINCT\s+)?\*|\b\w+\.\*|,\s*\*", re.I),
        "SELECT * changes its meaning with the next migration. Name the columns.",
    ),
    (
        re.compile(r"\b(NATURAL\s+JOIN|SELECT\s+DISTINCT)\b", re.I),
        "Say what joins, and why rows would come twice.",
    ),
)


def broken_rules(sql: str) -> list[str]:
    return [says for pattern, says in FORBIDDEN if pattern.search(sql)]


async def test_queries_scale() -> None:
    wrong = [
        f"{query.label}: {says}" for query in source.queries() for says in broken_rules(query.sql)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM clips.clip ORDER BY id LIMIT 10 OFFSET $1",
        "SELECT count(*) FROM clips.clip",
        "SELECT COUNT (id) FROM clips.clip",
        "SELECT * FROM clips.clip",
        "SELECT c.* FROM clips.clip c",
        "SELECT id, * FROM clips.clip",
    ],
)
async def test_query_that_does_not_scale_is_caught(sql: str) -> None:
    assert broken_rules(sql)


async def test_limited_lists_are_ordered() -> None:
    wrong = [
        f"{query.label}: LIMIT without ORDER BY gives any rows it likes. Order it, or say in "
        "UNORDERED why nobody sees the order."
        for query in source.queries()
        if re.search(r"\bLIMIT\b", query.sql)
        and not re.search(r"\bORDER BY\b", query.sql)
        and query.name not in UNORDERED
    ]
    assert not wrong, "\n".join(wrong)
    names = {query.name for query in source.queries()}
    assert set(UNORDERED) <= names, "UNORDERED names a query that is gone: take it out."


# A page begins where the last one ended: a parameter with one of these names, or of a type …Place.
PLACES = {"before", "after", "place", "horizon", "since_id"}


def paged(query: Query) -> bool:
    """Whether the function that runs the query takes the place of a page."""
    for node in ast.walk(query.module.tree):
        if isinstance(node, ast.AsyncFunctionDef):
            runs = any(
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "fetch"
                and ast.unparse(call.args[0]) == query.name
                for call in ast.walk(node)
            )
            names = {argument.arg for argument in node.args.args}
            if runs and "limit" in names and names & PLACES:
                return True
    return False


def keyset_fault(sql: str) -> str:
    """What is wrong with the order of a page, or nothing: it must be total, and the place must be
    compared by the same columns."""
    *_, order = re.findall(r"\bORDER BY\s+(.+?)(?=\bLIMIT\b|\)|\Z)", sql, re.S) or [""]
    columns = [re.sub(r"\s+(ASC|DESC)\b", "", part.strip()) for part in order.split(",")]
    names = [column.rsplit(".", 1)[-1] for column in columns]
    if not names[-1].endswith("id") and names != ["n"]:  # a person's entries are numbered
        return f"ordered by {', '.join(names)}, which two rows can share; end with an id"
    rows = [
        [part.strip().rsplit(".", 1)[-1] for part in found.split(",")]
        for found in re.findall(r"\(([\w., ]+)\)\s*[<>]\s*\(", sql)
    ]
    single = re.findall(r"([\w.]+)\s*(?:[<>]=?)\s*\(?\$\d", sql)
    if names in rows or (len(names) == 1 and names[0] in [s.rsplit(".", 1)[-1] for s in single]):
        return ""
    # Inclusive by the first column: some rows come again, and the reader drops them by id.
    if re.search(rf"\b{names[0]}\s*>=", sql):
        return ""
    return f"ordered by {', '.join(names)}, but the place is not compared by these columns"


async def test_pages_go_by_keyset() -> None:
    pages = [query for query in source.queries() if paged(query)]
    wrong = [f"{query.label}: {said}" for query in pages if (said := keyset_fault(query.sql))]
    assert not wrong, "\n".join(wrong)
    # The three feeds, the grid, the three lists of people, the notifications, the live events.
    assert len(pages) >= 9


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t WHERE made_at < $1 ORDER BY made_at DESC LIMIT $2",
        "SELECT id FROM t WHERE id < $1 ORDER BY made_at DESC, id DESC LIMIT $2",
        "SELECT id FROM t WHERE (id, made_at) < ($1, $2) ORDER BY made_at DESC, id DESC LIMIT $3",
        "SELECT id FROM t LIMIT $1",
    ],
)
async def test_page_that_repeats_or_skips_is_caught(sql: str) -> None:
    assert keyset_fault(sql)
