"""From a table's rule to the query that copies it: the owners first, then the row."""

from __future__ import annotations

from collections.abc import Sequence

from luciole.kit.catalogue import Owned


def query(rule: Owned, columns: Sequence[str]) -> str:
    """Rows with their owners, and with the key of the object that hangs on them where the rule
    names one. Owners and key come first; names are the catalogue's, never a stranger's."""
    joins, owners = [], []
    for number, owner in enumerate(rule.owners):
        first, *steps = owner.split(" > ")
        at = f"t.{_quoted(first)}"
        for step, (found, column) in enumerate(zip(steps[::2], steps[1::2], strict=True)):
            table, _, key = found.rpartition(".")
            name = f"o{number}_{step}"
            joins.append(f" LEFT JOIN {table} {name} ON {name}.{_quoted(key)} = {at}")
            at = f"{name}.{_quoted(column)}"
        owners.append(at)
    if rule.objects:
        owners.append(f"t.{_quoted(rule.objects)}")
    wanted = [*owners, *(f"t.{_quoted(column)}" for column in columns)]
    return f"SELECT {', '.join(wanted)} FROM {rule.table} t{''.join(joins)}"  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
