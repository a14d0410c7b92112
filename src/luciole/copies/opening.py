"""What a backup says under the keys of today: of whom it can still be read.

For each person in today's key store the mark is made that they would have in the backup. Whoever
is in the backup and not found so has been erased since, and stays closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from luciole.copies import objects
from luciole.copies.blocks import Layer, records
from luciole.copies.model import Damaged, Manifest, TablePart
from luciole.copies.persons import OBJECT_FIELD, ROWS_FIELD, VERSION, row_place
from luciole.keys import KeyStore, NoKey, SealBroken, open_field


class Opening:
    """A backup in `folder`, opened with a key store."""

    def __init__(self, folder: Path, manifest: Manifest, keys: KeyStore, secret: bytes) -> None:
        """Raises Damaged."""
        self.manifest, self._keys, self._folder = manifest, keys, folder
        cell_id = manifest.cell_id
        self._layer = Layer(secret, "rows", cell_id, manifest.id)
        self._around = Layer(secret, "objects", cell_id, cell_id)
        self._rows = folder / manifest.rows_dir
        marks = {self._layer.mark(one.bytes): one for one in keys.everybody()}
        # By number: the person and the key of their rows; None for who was erased.
        self._persons = [
            self._person(marks.get(mark), sealed)
            for mark, sealed in records(self._rows, manifest.persons, self._layer, "persons")
        ]
        self._owners = {self._around.mark(one[0].bytes): one[0] for one in self._persons if one}
        self.skipped_rows = self.skipped_objects = 0

    @property
    def persons(self) -> list[UUID]:
        """Who can be read."""
        return [one[0] for one in self._persons if one]

    @property
    def erased(self) -> int:
        """How many cannot any more."""
        return sum(one is None for one in self._persons)

    def lines(self, part: TablePart) -> Iterator[bytes]:
        """The rows of a table that can be read. Raises Damaged."""
        for numbers, sealed, bare in records(self._rows, part, self._layer, part.table):
            owners = [self._persons[number] for number in numbers]
            if None not in owners:
                line = sealed
                for owner in owners:
                    assert owner is not None
                    line = self._opened(
                        owner[1], line, row_place(self._layer, owner[0], part.table)
                    )
                yield line
            elif bare is not None:
                yield bare
            else:
                self.skipped_rows += 1

    def values(self, table: str, *columns: str) -> Iterator[tuple[str, ...]]:
        """Some columns of a table that hold plain words and numbers. Raises Damaged."""
        part = next(part for part in self.manifest.tables if part.table == table)
        at = [part.columns.index(column) for column in columns]
        before = self.skipped_rows
        for line in self.lines(part):
            values = line.split(b"\t")
            yield tuple(values[index].decode() for index in at)
        self.skipped_rows = before

    def close(self, person_id: UUID) -> None:
        """Whoever was erased since, although their key is here: from now on nothing opens."""
        self._persons = [None if one and one[0] == person_id else one for one in self._persons]
        self._owners = {mark: one for mark, one in self._owners.items() if one != person_id}

    def object_keys(self) -> Iterator[str]:
        """The keys of all objects in the backup. Raises Damaged."""
        name = f"objects-{self.manifest.id}"
        yield from records(self._rows, self.manifest.objects, self._around, name)

    def pieces(self, object_key: str) -> Iterator[bytes] | None:
        """The bytes of an object; None where its owner was erased. Raises Damaged."""
        path = objects.path_of(self._folder, self._around, object_key)
        header = objects.header_of(path, self._around)
        owner = self._owners.get(header.owner)
        if owner is None:
            self.skipped_objects += 1
            return None
        place = self._place(owner, OBJECT_FIELD)
        key = self._opened(self._keys.data_key(owner), header.sealed_key, place)
        return objects.pieces(path, self._around, header, key)

    def _person(self, person_id: UUID | None, sealed: bytes) -> tuple[UUID, bytes] | None:
        if person_id is None:
            return None
        try:
            data_key = self._keys.data_key(person_id)
        except NoKey:
            return None
        return person_id, self._opened(data_key, sealed, self._place(person_id, ROWS_FIELD))

    def _place(self, person_id: UUID, field_id: str) -> Any:
        return {
            "cell_id": self.manifest.cell_id,
            "person_id": person_id,
            "field_id": field_id,
            "version": VERSION,
        }

    @staticmethod
    def _opened(key: bytes, sealed: bytes, place: Any) -> bytes:
        try:
            return open_field(key, sealed, **place)
        except SealBroken:
            raise Damaged from None
