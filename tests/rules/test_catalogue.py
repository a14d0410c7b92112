"""Nothing is stored that is not declared, and roles may do what their slice owns, no more."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.rules import source
from tests.rules.database import SAFE_RIGHTS, Described
from tests.rules.source import OWNERS, SLICES

from luciole import catalogue
from luciole.kit.catalogue import Border, DataClass

PROCESSES = ("luciole_api", "luciole_worker")
# Of the house's tables, what not every process may read.
HOUSE: dict[str, dict[str, tuple[str, ...]]] = {
    "house.sale": {},
    "house.sale_notice": {"luciole_rights": ("SELECT",)},
}
# Who may use a schema for its functions only.
CALLERS = {
    "border": {"luciole_abroad", "luciole_notify"},
    "custody": {
        "luciole_abroad",
        "luciole_messages",
        "luciole_notify",
        "luciole_people",
        "luciole_rights",
    },
    "ledger": {
        "luciole_console",
        "luciole_contacts",
        "luciole_custody",
        "luciole_messages",
        "luciole_notices",
        "luciole_people",
        "luciole_rights",
        "luciole_safety",
    },
}
# Slices of which a process is a member; the broker and the log hold one each.
HELD_BY = {
    **dict.fromkeys(PROCESSES, (*SLICES, "queue")),
    "luciole_custody_process": ("custody",),
    "luciole_ledger_process": ("ledger",),
    "luciole_gateway_process": ("border",),
    "luciole_films_process": ("media", "queue"),
}
KINDS = {"blob", "cache", "file", "log"}


def declared_columns() -> list[str]:
    return [held.where for held in catalogue.ALL if held.where.partition(":")[0] not in KINDS]


def test_every_column_is_declared(described: Described) -> None:
    stored = {f"{table.full_name}.{name}" for table in described.tables() for name in table.names}
    assert stored - set(declared_columns()) == set(), (
        "These columns are stored and not declared. Add them to HELD in the slice's privacy.py: "
        "what class, what for, how long, and whether they may leave the cell."
    )


def test_every_declared_column_is_stored(described: Described) -> None:
    stored = {f"{table.full_name}.{name}" for table in described.tables() for name in table.names}
    assert set(declared_columns()) - stored == set(), "Declared, but not in the database."


def test_nothing_is_declared_twice() -> None:
    counted = Counter(held.where for held in catalogue.ALL)
    assert [where for where, count in counted.items() if count > 1] == []


def test_declarations_are_sentences_that_an_auditor_can_use() -> None:
    for held in catalogue.ALL:
        assert len(held.purpose) > 10, held
        assert held.retention.strip(), held
        assert held.purpose == held.purpose.strip(" ."), held


def test_secrets_never_leave_and_personal_data_stays() -> None:
    for held in catalogue.ALL:
        if held.data_class in (DataClass.SECRET, DataClass.PERSONAL):
            assert held.border is Border.NEVER, held


def test_each_slice_declares_its_own_tables_only() -> None:
    for slice_name in SLICES:
        held = getattr(catalogue, slice_name).HELD
        schemas = {
            one.where.split(".")[0] for one in held if one.where.partition(":")[0] not in KINDS
        }
        assert schemas <= {slice_name}


def test_every_prefix_of_objects_is_declared() -> None:
    """Keys of objects are put together from literals; each begins with a declared prefix."""
    declared = {
        held.where.removeprefix("blob:").split("/")[0]
        for held in catalogue.ALL
        if held.where.startswith("blob:")
    }
    written = set()
    for module in source.modules():
        if module.name.startswith(("luciole.cell.", "luciole.ledger")):
            text = Path(source.ROOT, module.path).read_text(encoding="utf-8")
            written |= set(re.findall(r"f\"(p|r|ledger|[a-z]+s)/\{", text))
            if "'p' if" in text and "else 'r'" in text:
                written |= {"p", "r"}
    assert {"p", "r", "uploads"} <= written, "the search above has gone blind"
    assert written == declared


def test_slice_role_writes_its_own_tables_only(described: Described) -> None:
    for relation in described.relations:
        if relation.schema not in OWNERS:
            continue
        own = f"luciole_{relation.schema}"
        for role, rights in relation.grants.items():
            if relation.is_view:
                assert rights == ("SELECT",), f"{role} on the view {relation.full_name}: {rights}"
            else:
                assert role == own, (
                    f"{role} may touch the table {relation.full_name}; offer it a view instead."
                )
        if not relation.is_view and relation.schema not in SLICES:
            assert set(relation.grants.get(own, ())) <= set(SAFE_RIGHTS), relation.full_name
        elif not relation.is_view:
            assert relation.grants.get(own) == SAFE_RIGHTS, (
                f"{own} should read and write {relation.full_name}, and never truncate it."
            )


def test_queue_is_written_by_its_role_and_history_by_nobody(described: Described) -> None:
    for relation in described.relations:
        if relation.schema == "queue":
            assert relation.grants == {"luciole_queue": SAFE_RIGHTS}, relation.full_name
        if relation.schema == "house":
            wanted = HOUSE.get(relation.full_name, dict.fromkeys(PROCESSES, ("SELECT",)))
            assert relation.grants == wanted, relation.full_name


def test_nothing_is_granted_to_everybody(described: Described) -> None:
    known = {f"luciole_{name}" for name in (*OWNERS, "queue")} | set(HELD_BY)
    for relation in described.relations:
        assert set(relation.grants) <= known, relation.full_name
    for schema, roles in described.users.items():
        assert set(roles) <= known, schema
    assert described.column_grants == []


def test_processes_are_members_of_all_slices_and_slices_of_nothing(described: Described) -> None:
    wanted = {(process, f"luciole_{name}") for process, held in HELD_BY.items() for name in held}
    assert set(described.members) == wanted


def test_tables_lie_in_known_schemas(described: Described) -> None:
    known = {*OWNERS, "house", "queue"}
    assert {relation.schema for relation in described.relations} <= known


def test_offered_views_are_used(described: Described) -> None:
    texts: dict[str, str] = {}
    for query in source.queries():
        slice_name = query.module.slice_name
        texts[slice_name] = texts.get(slice_name, "") + query.sql
    unused = {
        (role, relation.full_name)
        for relation in described.relations
        if relation.is_view
        for role in relation.grants
        if role != f"luciole_{relation.schema}"
        and relation.full_name not in texts.get(role.removeprefix("luciole_"), "")
    }
    assert not unused, "A slice reads no more than it needs: revoke the grant, in a new migration."


def test_schemas_are_open_to_those_who_are_offered_something(described: Described) -> None:
    for schema in OWNERS:
        offered = {
            role
            for relation in described.relations
            if relation.schema == schema
            for role in relation.grants
        }
        callers = CALLERS.get(schema, set())
        assert set(described.users[schema]) == offered | callers | {f"luciole_{schema}"}, schema
