"""Who may read and write what: every role by every column by every verb, on a real database.

`docs/reference/rights.md` holds what is allowed today, and changes with the migrations. The rules
here hold whatever that page says. Then each combination is tried for real.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from tests.rules.forbidden import FORBIDDEN
from tests.rules.source import SLICES

from luciole import catalogue
from luciole.audit import rights
from luciole.audit.rights import PUBLIC, WRITING, Rights
from luciole.kit.catalogue import DataClass
from luciole.kit.postgres_logins import REPLICATION

pytestmark = pytest.mark.asyncio

PROCESSES = ("luciole_api", "luciole_worker")
# Processes that stand apart, each a member of one role and of nothing else.
APART = {
    "luciole_custody_process": "luciole_custody",
    "luciole_ledger_process": "luciole_ledger",
    "luciole_gateway_process": "luciole_border",
}
# The process of machines that only encode, and all that it acts as.
FILMS = {"luciole_films_process": {"luciole_media", "luciole_queue"}}
OWN = {
    f"luciole_{name}": name for name in (*SLICES, "custody", "ledger", "border", "rights", "queue")
}
# What a role may write outside its own schema, and why. Nothing today.
WRITES_ELSEWHERE: dict[str, set[str]] = {}
# All that the key broker may read besides its own tables.
CUSTODY_READS = {
    # It checks session tokens by itself, and names the device in the journal.
    *(
        f"people.session_claim.{name}"
        for name in ["id", "token_hash", "person_id", "label", "expires_at"]
    ),
    # Who becomes staff brings the passkeys that they have then.
    *(
        f"people.passkey_claim.{name}"
        for name in [
            *("person_id", "handle", "credential_id", "public_key", "sign_count", "former_host")
        ]
    ),
    # Wraps of the first version move into its store.
    *(f"people.first_wrap.{name}" for name in ["person_id", "wrapped"]),
    # It proves to the guardian that an entry is in the log, under a head that was published.
    *(f"ledger.placed.{name}" for name in ["ref", "idx"]),
    *(f"ledger.shown.{name}" for name in ["log", "size", "note"]),
}
# A role that nobody granted anything, to try what everybody may.
ANYBODY = "luciole_test_anybody"
# PostgreSQL writes into no view that joins or counts, and no column that it makes itself, whoever
# asks.
UNWRITABLE = {"55000", "42809", "0A000", "428C9"}


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_url, statement_cache_size=0)
    yield connection
    await connection.close()


@pytest.fixture
async def known(owner: asyncpg.Connection) -> Rights:
    return await rights.read(owner)


async def test_all_roles_and_tables_are_in_the_net(known: Rights) -> None:
    assert {role.name for role in known.roles} == {*OWN, *PROCESSES, *APART, *FILMS, REPLICATION}
    assert {relation.schema for relation in known.relations} <= {*OWN.values(), "house"}
    assert len(known.relations) > 25


async def test_slice_writes_its_own_schema_only(known: Rights) -> None:
    for role, written in rights.reach(known, WRITING).items():
        if role in OWN:
            elsewhere = {name for name in written if name.partition(".")[0] != OWN[role]}
            assert elsewhere <= WRITES_ELSEWHERE.get(role, set()), role


async def test_slice_reads_others_through_views_only(known: Rights) -> None:
    views = {relation.name for relation in known.relations if relation.is_view}
    for role, readable in rights.reach(known, {"SELECT"}).items():
        if role in OWN and role != "luciole_custody":
            tables = {name for name in readable - views if name.partition(".")[0] != OWN[role]}
            assert not tables, f"{role} reads tables of others: offer it a view instead."


async def test_ledger_sees_no_personal_column(known: Rights) -> None:
    classes = {held.where: held.data_class for held in catalogue.ALL}
    seen = {
        f"{relation.name}.{column}"
        for relation in known.relations
        for column, verbs in relation.columns.items()
        if {"luciole_ledger", "luciole_ledger_process"} & set(verbs.get("SELECT", ()))
    }
    assert {where.partition(".")[0] for where in seen} <= {"ledger"}
    assert {classes[where] for where in seen} <= {DataClass.TELEMETRY, DataClass.PUBLIC}


SHOWN = {
    "border.public_author": (
        *("id", "handle", "display_name", "bio", "avatar_key"),
        *("operator", "jurisdiction", "given_at"),
    ),
    "border.public_clip": (
        *("id", "author", "caption", "made_with_ai", "published_at"),
        *("duration_ms", "renditions", "poster_key"),
    ),
    # Where they went and came from, as they said it to be shown (0047_moves.sql).
    "border.public_move": ("id", "operator", "jurisdiction", "moved_to", "came_from"),
    "border.fediverse_totals": ("clip_id", "likes", "shares", "answers"),
}


async def test_gateway_sees_what_was_offered_and_no_personal_column(known: Rights) -> None:
    classes = {held.where: held.data_class for held in catalogue.ALL}
    seen = {
        f"{relation.name}.{column}"
        for relation in known.relations
        for column, verbs in relation.columns.items()
        if {"luciole_border", "luciole_gateway_process"} & set(verbs.get("SELECT", ()))
    }
    assert {where.partition(".")[0] for where in seen} == {"border"}
    # Of people who asked to be shown to the Fediverse, through views that show nobody else.
    shown = {where for where in seen if where.rpartition(".")[0] in SHOWN}
    assert shown == {f"{view}.{column}" for view, columns in SHOWN.items() for column in columns}
    # The only other columns of a person's are what they asked to have sent, what people of other
    # cells have sent here, and where those who follow from the Fediverse have their letter-box.
    personal = {where for where in seen - shown if classes[where] is not DataClass.TELEMETRY}
    fediverse = {where for where in personal if where.startswith("border.fedi_")}
    assert {where.rpartition(".")[0] for where in fediverse} == {
        f"border.fedi_{name}"
        for name in ("shown", "follower", "key", "delivery", "reaction", "moved")
    }
    assert personal - fediverse == {
        "border.offer.body",
        "border.offer.payload",
        "border.arrival.body",
    }
    assert classes["border.offer.body"] is DataClass.SHARED


async def test_broker_sees_only_what_it_needs(known: Rights) -> None:
    seen = {
        f"{relation.name}.{column}"
        for relation in known.relations
        for column, verbs in relation.columns.items()
        if {"luciole_custody", "luciole_custody_process"} & set(verbs.get("SELECT", ()))
    }
    elsewhere = {where for where in seen if not where.startswith("custody.")}
    assert elsewhere == CUSTODY_READS, "The broker reads no more than it needs: say what for."


async def test_processes_act_as_slices_and_slices_as_nobody(known: Rights) -> None:
    acts_as = {role.name: set(role.member_of) for role in known.roles}
    slices = {f"luciole_{name}" for name in (*SLICES, "rights", "queue")}
    for process in PROCESSES:
        assert acts_as[process] == slices
    for process, role in APART.items():
        assert acts_as[process] == {role}
    for process, roles in FILMS.items():
        assert acts_as[process] == roles
    for role in OWN:
        assert acts_as[role] == set()


async def test_no_role_has_powers_beyond_tables(known: Rights) -> None:
    # Where a backup abroad is made. It reads the files of the cluster, and no table.
    assert {role.name: role.powers for role in known.roles if role.powers} == {
        REPLICATION: ("replication",)
    }


async def test_no_role_makes_truncates_refers_or_triggers(known: Rights) -> None:
    for schema, verbs in known.schemas.items():
        assert set(verbs) <= {"USAGE"}, schema
    assert set(known.database) <= {"CONNECT"}
    for relation in known.relations:
        for verbs in (relation.verbs, *relation.columns.values()):
            assert set(verbs) & set(rights.NEVER_VERBS) == set(), relation.name


async def test_everybody_has_no_right(known: Rights) -> None:
    assert rights.reach(known, {*WRITING, "SELECT"})[PUBLIC] == set()
    for found in (known.schemas, known.sequences, {"database": known.database}):
        for place, verbs in found.items():
            assert PUBLIC not in {role for roles in verbs.values() for role in roles}, place
    for function in known.functions:
        assert PUBLIC not in function.roles, f"{function.name}: name those who may call it."


async def test_new_functions_are_closed_to_everybody(owner: asyncpg.Connection) -> None:
    async with rolled_back(owner):
        await owner.execute("CREATE FUNCTION feed.test_open() RETURNS int LANGUAGE sql RETURN 1")
        made = {one.name: one.roles for one in (await rights.read(owner)).functions}
    assert made["feed.test_open()"] == ()


async def test_functions_of_the_owner_look_names_up_nowhere_else(known: Rights) -> None:
    """Otherwise its caller could put a table of the same name in front."""
    for function in known.functions:
        if function.runs_as_owner:
            places = {part.strip(' "') for part in function.search_path.split(",")}
            assert places - {""} <= {"pg_catalog", "pg_temp", *OWN.values()}, function.name
            assert function.search_path, f"{function.name}: SET search_path = pg_catalog"


async def test_nobody_may_hand_rights_on(owner: asyncpg.Connection) -> None:
    handed = await owner.fetch(
        "SELECT c.relname, g.grantee::regrole FROM pg_class c, aclexplode(c.relacl) g "
        "WHERE g.is_grantable AND g.grantee <> c.relowner"
    )
    assert handed == []
    lent = await owner.fetch(
        "SELECT member::regrole, roleid::regrole FROM pg_auth_members "
        "WHERE admin_option AND starts_with(member::regrole::text, 'luciole_') "
        "AND member::regrole::text <> $1",
        rights.OWNER,
    )
    assert lent == []


# For real


class rolled_back:
    """A transaction of which nothing stays."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._transaction = connection.transaction()

    async def __aenter__(self) -> None:
        await self._transaction.start()

    async def __aexit__(self, *_: object) -> None:
        await self._transaction.rollback()


# Runs one statement as a role and undoes it, whatever it did.
ATTEMPT = """
CREATE FUNCTION pg_temp.attempt(acting text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('role', acting, true);
    EXECUTE statement;
    RAISE SQLSTATE 'LU001';
EXCEPTION
    WHEN SQLSTATE 'LU001' THEN RETURN 'done';
    WHEN insufficient_privilege THEN RETURN 'refused';
    WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM;
END
$$
"""


async def attempts(
    owner: asyncpg.Connection, wanted: list[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """(role, statement, what came of it) for each (role, statement)."""
    async with rolled_back(owner):
        await owner.execute(f"CREATE ROLE {ANYBODY}")
        await owner.execute(f"GRANT {ANYBODY} TO CURRENT_USER")
        await owner.execute(ATTEMPT)
        said = await owner.fetch(
            "SELECT pg_temp.attempt(role, statement) FROM unnest($1::text[], $2::text[]) "
            "AS t (role, statement)",
            [ANYBODY if role == PUBLIC else role for role, _ in wanted],
            [statement for _, statement in wanted],
        )
    return [(*one, row[0]) for one, row in zip(wanted, said, strict=True)]


def combinations(known: Rights) -> Iterator[tuple[str, str, bool, bool]]:
    """(role, statement, whether it is allowed, whether it is about a view). REFERENCES and TRIGGER
    take a table or a function of one's own, which nobody can make."""
    for relation in known.relations:
        name = relation.name
        for role in known.names():
            for column, verbs in relation.columns.items():
                for verb, statement in (
                    ("SELECT", f'SELECT "{column}" FROM {name} WHERE false'),
                    ("INSERT", f'INSERT INTO {name} ("{column}") OVERRIDING SYSTEM VALUE '
                               f'SELECT (NULL::{name})."{column}" WHERE false'),
                    ("UPDATE", f'UPDATE {name} SET "{column}" = DEFAULT WHERE false'),
                ):  # fmt: skip
                    yield role, statement, role in verbs.get(verb, ()), relation.is_view
            for verb, statement in (
                ("DELETE", f"DELETE FROM {name} WHERE false"),
                ("TRUNCATE", f"TRUNCATE {name} CASCADE"),
            ):
                yield role, statement, role in relation.verbs.get(verb, ()), relation.is_view


async def test_every_combination_does_for_real_what_the_page_says(
    owner: asyncpg.Connection, known: Rights
) -> None:
    wanted = list(combinations(known))
    said = await attempts(owner, [(role, statement) for role, statement, _, _ in wanted])
    wrong = [
        f"{role}: {statement}: {result}, and the page says {'yes' if is_allowed else 'no'}"
        for (role, statement, result), (_, _, is_allowed, is_view) in zip(said, wanted, strict=True)
        if result != ("done" if is_allowed else "refused")
        and not (is_view and not is_allowed and result[:5] in UNWRITABLE)
    ]
    assert not wrong, "\n".join(wrong[:20])
    assert sum(is_allowed for _, _, is_allowed, _ in wanted) > 500
    assert len(wanted) > 5000


async def test_functions_are_refused_to_all_who_are_not_named(
    owner: asyncpg.Connection, known: Rights
) -> None:
    wanted = [
        (role, call(function.name))
        for function in known.functions
        for role in known.names()
        if role not in function.roles and not function.is_trigger
    ]
    said = await attempts(owner, wanted)
    assert [one for one in said if one[2] != "refused"] == []


def call(function: str) -> str:
    """A call with NULL for every argument of `schema.name(argument type, …)`."""
    name, _, arguments = function.removesuffix(")").partition("(")
    types = [part.strip().partition(" ")[2] or part.strip() for part in arguments.split(",")]
    return f"SELECT {name}({', '.join(f'NULL::{one}' for one in types if one)})"


async def test_no_role_steps_out_of_its_place(owner: asyncpg.Connection, known: Rights) -> None:
    said = await attempts(
        owner, [(role, statement) for role in known.names() for statement in FORBIDDEN]
    )
    allowed = [one for one in said if one[2] == "done"]
    assert allowed == []
    # Nearly all are refused for want of a right, and not for something else in the statement.
    other = {(statement, result) for _, statement, result in said if result != "refused"}
    assert {statement for statement, _ in other} <= {"CREATE EXTENSION dblink"}, other


async def test_no_role_becomes_another(owner: asyncpg.Connection, known: Rights) -> None:
    others = [rights.OWNER, "postgres", *(role.name for role in known.roles)]
    for role in known.roles:
        # `SET ROLE` asks who came in, and here that is always the owner; so PostgreSQL is asked.
        member = await owner.fetchval(
            "SELECT array_agg(o) FROM unnest($2::text[]) AS o WHERE pg_has_role($1, o, 'MEMBER')",
            role.name,
            others,
        )
        assert set(member) == {role.name, *role.member_of}, role.name


async def test_right_that_is_too_much_is_caught(owner: asyncpg.Connection) -> None:
    """The net itself: a grant, a function, a right of everybody and a role in a role."""
    async with rolled_back(owner):
        await owner.execute("GRANT SELECT (locale) ON people.person TO luciole_feed")
        await owner.execute("GRANT USAGE ON SCHEMA people TO luciole_feed")
        await owner.execute("GRANT TRUNCATE ON clips.clip TO luciole_clips")
        await owner.execute("GRANT USAGE ON SCHEMA feed TO PUBLIC")
        await owner.execute("GRANT luciole_people TO luciole_feed")
        found = await rights.read(owner)
    before = await rights.read(owner)
    assert "luciole_feed" in columns(found, "people.person")["locale"]["SELECT"]
    assert "luciole_feed" not in columns(before, "people.person")["locale"]["SELECT"]
    clip = next(one for one in found.relations if one.name == "clips.clip")
    assert "luciole_clips" in clip.verbs["TRUNCATE"]
    assert PUBLIC in found.schemas["feed"]["USAGE"]
    assert rights.page(found, catalogue.ALL) != rights.page(before, catalogue.ALL)
    assert re.search(r"Not in order:.*luciole_clips may TRUNCATE", rights.page(found, ()))


def columns(known: Rights, name: str) -> dict[str, rights.Verbs]:
    return next(one.columns for one in known.relations if one.name == name)
