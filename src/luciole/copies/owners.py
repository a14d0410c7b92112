"""From a table's rule to the query that copies it, and to what a copied line says of its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from luciole.kit.catalogue import Owned

NULL = b"\\N"


@dataclass(frozen=True)
class Line:
    """A row as it was copied: its owners, the row itself, the key of its object (None: it has
    none), and the values by which it is found again."""

    owners: tuple[UUID, ...]
    row: bytes
    object_key: str | None
    again: tuple[str, ...]


class Table:
    """A table under its rule, with its columns in order."""

    def __init__(self, rule: Owned, columns: Sequence[str]) -> None:
        self.rule, self.name, self.columns = rule, rule.table, tuple(columns)
        self._before = len(rule.owners) + bool(rule.objects) + len(rule.again)

    @property
    def query(self) -> str:
        """Its rows, with their owners and their objects before them. Names are the catalogue's,
        never a stranger's."""
        joins, before = [], []
        for number, owner in enumerate(self.rule.owners):
            first, *steps = owner.split(" > ")
            at = f"t.{_quoted(first)}"
            for step, (found, column) in enumerate(zip(steps[::2], steps[1::2], strict=True)):
                table, _, key = found.rpartition(".")
                name = f"o{number}_{step}"
                joins.append(f" LEFT JOIN {table} {name} ON {name}.{_quoted(key)} = {at}")
                at = f"{name}.{_quoted(column)}"
            before.append(at)
        named = [self.rule.objects] if self.rule.objects else []
        wanted = [f"t.{_quoted(name)}" for name in (*named, *self.rule.again, *self.columns)]
        listed = ", ".join((*before, *wanted))
        return f"SELECT {listed} FROM {self.name} t{''.join(joins)}"  # noqa: S608

    @property
    def again(self) -> str:
        """The query for the key that an object has now, by the values of `Line.again`."""
        found = " AND ".join(
            f"{_quoted(name)}::text = ${number}" for number, name in enumerate(self.rule.again, 1)
        )
        return f"SELECT {_quoted(self.rule.objects)} FROM {self.name} WHERE {found}"  # noqa: S608

    def line(self, copied: bytes) -> Line:
        """What stands before the row, and the row. Keys and values found again have no escapes."""
        *before, row = copied.split(b"\t", self._before)
        count = len(self.rule.owners)
        owners = tuple(UUID(bytes.decode(each)) for each in before[:count] if each != NULL)
        rest = [None if each == NULL else each.decode() for each in before[count:]]
        key = rest[0] if self.rule.objects else None
        again = tuple(each or "" for each in rest[bool(self.rule.objects) :])
        return Line(owners, row, key, again)

    def without(self, row: bytes) -> bytes:
        """The row with the column emptied that goes with its person."""
        values = row.split(b"\t")
        values[self.columns.index(self.rule.outlives)] = NULL
        return b"\t".join(values)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
