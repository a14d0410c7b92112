"""Every table says whose its rows are, so that a backup seals each under the right keys."""

from __future__ import annotations

import re
from collections import Counter

from tests.rules.database import Described

from luciole import catalogue
from luciole.kit.catalogue import DataClass, Owned

PERSON = re.compile(r"FOREIGN KEY \((\w+)\) REFERENCES people\.person\(id\)(.*)")
# Columns that name objects.
OBJECTS = re.compile(r"(object|avatar)_key")


def test_every_table_has_a_rule(described: Described) -> None:
    stored = {table.full_name for table in described.tables()}
    declared = Counter(one.table for one in catalogue.OWNED)
    assert stored - set(declared) == set(), (
        "Whose are the rows of these tables? Add them to OWNED in the slice's privacy.py: a backup "
        "seals each row under the data keys of its owners, or says why the table stays behind."
    )
    assert set(declared) - stored == set(), "Declared, but not in the database."
    assert [table for table, count in declared.items() if count > 1] == []


def test_whoever_a_row_names_owns_it(described: Described) -> None:
    rules = {one.table: one for one in catalogue.OWNED}
    for table in described.tables():
        rule = rules[table.full_name]
        for constraint in table.constraints:
            found = PERSON.search(constraint)
            if found and not rule.stays:
                column, on_delete = found.groups()
                assert column in rule.owners, f"{table.full_name}.{column} names a person"
                assert (rule.outlives == column) == ("SET NULL" in on_delete), table.full_name


def test_ways_to_an_owner_exist(described: Described) -> None:
    names = {table.full_name: set(table.names) for table in described.tables()}
    for rule in catalogue.OWNED:
        for owner in rule.owners:
            table = rule.table
            first, *steps = owner.split(" > ")
            assert first in names[table], owner
            for found, column in zip(steps[::2], steps[1::2], strict=True):
                table, _, key = found.rpartition(".")
                assert {key, column} <= names[table], owner


def test_what_names_an_object_is_declared(described: Described) -> None:
    rules = {one.table: one for one in catalogue.OWNED}
    for table in described.tables():
        rule = rules[table.full_name]
        for name in table.names:
            if OBJECTS.fullmatch(name) and not rule.stays:
                assert rule.objects == name, f"{table.full_name}.{name}"


def test_rows_of_nobody_say_nothing_about_anybody() -> None:
    nobodys = {one.table for one in catalogue.OWNED if not one.owners and not one.stays}
    telling = {
        held.where
        for held in catalogue.ALL
        if held.where.rpartition(".")[0] in nobodys
        and held.data_class not in (DataClass.TELEMETRY, DataClass.PUBLIC)
    }
    assert telling == set()


def test_table_without_a_rule_is_caught(described: Described) -> None:
    rules = {one.table for one in catalogue.OWNED} - {"clips.liked"}
    assert {table.full_name for table in described.tables()} - rules == {"clips.liked"}


def test_reasons_are_given() -> None:
    for one in catalogue.OWNED:
        assert isinstance(one, Owned)
        assert not (one.stays and one.owners), one
        assert not one.stays or len(one.stays) > 10, one
