"""What the slices give, written down: lists as JSON, texts as files, and a note of every film."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec

from luciole.cell.rights.export.archive import Archive
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Sealed, Stored, Written

# Opens sealed fields of the person, in the same order.
Open = Callable[[list[Sealed]], Awaitable[list[bytes]]]


class ListOf(msgspec.Struct, frozen=True):
    """A list in the archive: where it is, whose it is, how many rows it has."""

    path: str
    slice: str
    name: str
    rows: int


class Contents:
    """Goes through the lists of the slices, in one state of the database."""

    def __init__(
        self,
        exported: Mapping[str, tuple[Exported, ...]],
        tx: Tx,
        person_id: UUID,
        open_: Open,
    ) -> None:
        self._exported = exported
        self._tx = tx
        self._person_id = person_id
        self._open = open_
        self.lists: list[ListOf] = []
        self.stored: dict[str, Stored] = {}
        self._with_texts: list[Exported] = []

    async def rows(self, slice_name: str, name: str) -> AsyncIterator[ExportedRow]:
        """The rows of one list, with markers."""
        (found,) = (each for each in self._exported[slice_name] if each.name == name)
        async for row in found.rows(self._tx, self._person_id):
            yield row

    async def write_lists(self, archive: Archive) -> None:
        """Every list as `data/SLICE/NAME.json`, a row a line."""
        for slice_name, lists in self._exported.items():
            for each in lists:
                path = f"data/{slice_name}/{each.name}.json"
                count, has_texts = 0, False
                async with archive.file(path) as entry:
                    async for row in each.rows(self._tx, self._person_id):
                        has_texts |= any(isinstance(value, Written) for value in row.values())
                        await entry.write(b",\n" if count else b"[\n")
                        await entry.write(msgspec.json.encode(await self._plain(row)))
                        count += 1
                    await entry.write(b"\n]\n" if count else b"[]\n")
                self.lists.append(ListOf(path, slice_name, each.name, count))
                if has_texts:
                    self._with_texts.append(each)

    async def write_texts(self, archive: Archive) -> None:
        """The texts that the lists name. A second look, so that they are not held meanwhile."""
        for each in self._with_texts:
            async for row in each.rows(self._tx, self._person_id):
                for value in row.values():
                    if isinstance(value, Written):
                        await archive.text(value.path, value.text)

    async def _plain(self, row: ExportedRow) -> dict[str, Any]:
        """A row as JSON can hold it; files that it names are noted in `stored`."""
        sealed = [value for value in row.values() if isinstance(value, Sealed)]
        opened = iter(await self._open(sealed) if sealed else ())
        plain = {}
        for name, value in row.items():
            if isinstance(value, Sealed):
                plain[name] = next(opened).decode()
            elif isinstance(value, Stored):
                self.stored[value.path] = value
                plain[name] = value.path
            else:
                plain[name] = value.path if isinstance(value, Written) else value
        return plain


async def stored_now(
    exported: Mapping[str, tuple[Exported, ...]], tx: Tx, person_id: UUID
) -> dict[str, Stored]:
    """The files of a person as they are now, by their path in the export."""
    return {
        value.path: value
        for lists in exported.values()
        for each in lists
        async for row in each.rows(tx, person_id)
        for value in row.values()
        if isinstance(value, Stored)
    }
