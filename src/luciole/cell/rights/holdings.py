"""What is held about a person, as the catalogue declares it, and how much of it there is."""

from __future__ import annotations

from uuid import UUID

import msgspec

from luciole.kit.catalogue import Catalogue, DataClass
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, Stored

# Rows that are counted of one list; beyond that it is "so many or more".
MOST_COUNTED = 1_000
SAYS = {
    DataClass.PUBLIC: "you published it",
    DataClass.SHARED: "for the people whom you chose",
    DataClass.PERSONAL: "the service needs it, nobody else sees it",
    DataClass.SECRET: "what proves that you are you; it is shown to nobody, not even to you",
}


class Declared(msgspec.Struct, frozen=True):
    """Things that are held for one purpose, alike in all else too."""

    where: list[str]
    purpose: str
    retention: str
    border: str


class OfClass(msgspec.Struct, frozen=True):
    """Everything of one class that concerns persons."""

    name: str
    says: str
    items: list[Declared]


class Kept(msgspec.Struct, frozen=True):
    """How much of one list is there. `is_more`: at least so much."""

    list: str
    says: str
    rows: int
    is_more: bool
    size_bytes: int


class Holdings:
    """Reads the catalogue for one person."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def declared(self) -> list[OfClass]:
        """What may be held about anybody, by class."""
        return [OfClass(name.value, says, self._items(name)) for name, says in SAYS.items()]

    async def kept(self, tx: Tx, person_id: UUID) -> list[Kept]:
        """What there is of one person, list by list; `tx` is a transaction."""
        return [
            await _counted(tx, person_id, f"{slice_name}/{each.name}", each)
            for slice_name, lists in self._catalogue.exported.items()
            for each in lists
        ]

    def _items(self, data_class: DataClass) -> list[Declared]:
        alike: dict[tuple[str, str, str], list[str]] = {}
        for held in self._catalogue.held:
            if held.data_class is data_class:
                said = (held.purpose, held.retention, held.border.value)
                alike.setdefault(said, []).append(held.where)
        return [Declared(where, *said) for said, where in alike.items()]


async def _counted(tx: Tx, person_id: UUID, name: str, each: Exported) -> Kept:
    rows = size_bytes = 0
    async for row in each.rows(tx, person_id):
        if rows == MOST_COUNTED:
            return Kept(name, each.says, rows, True, size_bytes)
        rows += 1
        size_bytes += sum(v.size_bytes for v in row.values() if isinstance(v, Stored))
    return Kept(name, each.says, rows, False, size_bytes)
