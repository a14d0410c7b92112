"""The words in which each slice declares what it gives a person who takes their data along.

A slice says what its files hold and reads their rows; it opens nothing and writes nothing. Values
are what JSON can hold, besides UUIDs, times, bytes, and the three kinds of markers below, which
stand for what somebody else has to fetch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from luciole.kit.db import Row, Tx

ExportedRow: TypeAlias = dict[str, Any]
Rows = Callable[[Tx, UUID], AsyncIterator[ExportedRow]]


class Sealed(msgspec.Struct, frozen=True):
    """A sealed text; the key broker opens it under a grant."""

    field_id: str
    version: int
    data: bytes


class Stored(msgspec.Struct, frozen=True):
    """A file: its name in the export, and the objects that make it up, in their order. A size of
    0 is not known."""

    path: str
    object_keys: tuple[str, ...]
    size_bytes: int = 0


class Written(msgspec.Struct, frozen=True):
    """A text file: its name in the export, and what is in it."""

    path: str
    text: str


class Exported(msgspec.Struct, frozen=True):
    """One list of a person's export, read row by row in an order that stays the same.

    `fields` names for each key of a row the columns (parted by blanks) or objects that its value
    comes from, as `Held.where` does; `whose` the columns by which a row is the person's.
    """

    name: str
    says: str
    fields: Mapping[str, str]
    rows: Rows
    whose: str = ""
    anew: frozenset[str] = frozenset()
    """Keys that an import fills by itself: identifiers, addresses, counts."""
    stays: str = ""
    """Why an import leaves the whole list behind; empty: it comes along."""

    def covers(self) -> set[str]:
        """Everything declared that is in this list."""
        return {name for names in (*self.fields.values(), self.whose) for name in names.split()}


def of(table: str, names: str) -> dict[str, str]:
    """Fields that are called as their columns (names parted by blanks)."""
    return {name: f"{table}.{name}" for name in names.split()}


async def listed(cursor: AsyncIterator[Row]) -> AsyncIterator[ExportedRow]:
    """Rows of a query, as they are asked for."""
    async for row in cursor:
        yield dict(row)
