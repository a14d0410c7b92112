"""The files of a bundle, in sealed blocks: rows, keys and objects.

An object never changes under its key and its file is named by a mark of that key, so what a killed
run has written stays for the next one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from luciole.copies.blocks import Layer, Writer, digest_of, framed, frames, records
from luciole.copies.model import Damaged, NotWritten, Part, TablePart
from luciole.keys import Receiver, Sealer
from luciole.kit.blobs import Blobs
from luciole.kit.copying import Connection
from luciole.kit.ids import new_id
from luciole.sale.model import BadBundle, Contents

# Objects that the tables refer to. The archive of the logs goes by itself; exports and imports are
# asked for anew.
PREFIXES = ("p/", "r/", "uploads/", "attachments/", "histories/")
PIECE_BYTES = 1024 * 1024
KEYS, OBJECTS = "keys", "objects"
# Owner's tables of the log: copied after its last entry.
LEDGER = "ledger."


def info_of(cell_id: UUID, buyer: str, about: str) -> bytes:
    """For what something is sealed to the buyer; `buyer` is the SHA-256 of their file (hex)."""
    return f"divest|{cell_id}|{buyer}|{about}".encode()


def buyer_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Layers:
    """What seals the blocks of one bundle, and of its objects."""

    def __init__(self, secret: bytes, cell_id: UUID, bundle_id: UUID) -> None:
        self.rows = Layer(secret, "sale-rows", cell_id, bundle_id)
        # Of all tries of one sale, so that objects stay.
        self.objects = Layer(secret, "sale-objects", cell_id, cell_id)


# Writing


async def write_table(
    state: Connection, table: str, columns: list[str], rows: Path, layer: Layer
) -> TablePart:
    """A table as it is."""
    writer = Writer(rows / table, layer, table)

    async def take(lines: list[bytes]) -> None:
        for line in lines:
            writer.add(line, len(line) + 5)

    listed = ", ".join(f'"{name}"' for name in columns)
    await state.copy_out(f"SELECT {listed} FROM {table}", take)  # noqa: S608 - the catalogue's
    part = writer.close()
    return TablePart(part.file, part.size_bytes, part.sha256, part.records, table, tuple(columns))


def write_keys(
    persons: Iterator[tuple[UUID, bytes, bytes]],
    rows: Path,
    layer: Layer,
    sealer: Sealer,
    buyer: str,
) -> Part:
    """Each person's data key and label key, sealed to the buyer."""
    writer = Writer(rows / KEYS, layer, KEYS)
    for person_id, data_key, label_key in persons:
        info = info_of(layer.cell_id, buyer, str(person_id))
        sealed = sealer.seal(data_key + label_key, info)
        writer.add([person_id.bytes, sealed], len(sealed) + 20)
    return writer.close()


async def write_objects(blobs: Blobs, folder: Path, rows: Path, layers: Layers) -> tuple[Part, int]:
    """All objects, those that are not there yet, and the list of them; how many bytes they have."""
    writer, total = Writer(rows / OBJECTS, layers.rows, OBJECTS), 0
    for prefix in PREFIXES:
        async for key in blobs.keys(prefix):
            size_bytes = (await blobs.stat(key)).size_bytes
            path = path_of(folder, layers.objects, key)
            if not path.exists():
                await _write_object(blobs, key, size_bytes, path, layers.objects)
            writer.add([key, size_bytes], len(key) + 10)
            total += size_bytes
    return writer.close(), total


def path_of(folder: Path, layer: Layer, key: str) -> Path:
    """Where an object lies in a bundle."""
    name = layer.mark(key.encode()).hex()
    return folder / OBJECTS / name[:2] / name


async def _write_object(blobs: Blobs, key: str, size_bytes: int, path: Path, layer: Layer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft, digest, number = path.with_suffix(".new"), hashlib.sha256(), 0
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        async for piece in _pieces(blobs, key, size_bytes):
            frame = framed(layer.seal(piece, path.name, number))
            file.write(frame)
            digest.update(frame)
            number += 1
        file.flush()
        os.fsync(file.fileno())
    if digest_of(draft) != digest.hexdigest():
        raise NotWritten
    draft.replace(path)


async def _pieces(blobs: Blobs, key: str, size_bytes: int) -> AsyncIterator[bytes]:
    gathered = bytearray()
    async for chunk in blobs.stream(key, 0, size_bytes):
        gathered += chunk
        while len(gathered) >= PIECE_BYTES:
            yield bytes(gathered[:PIECE_BYTES])
            del gathered[:PIECE_BYTES]
    if gathered:
        yield bytes(gathered)


def new_rows(folder: Path) -> tuple[UUID, Path]:
    """A fresh folder for rows."""
    bundle_id = new_id()
    rows = folder / f"rows-{bundle_id}"
    rows.mkdir(mode=0o700, parents=True)
    return bundle_id, rows


# Reading


class Opened:
    """A bundle that its buyer has opened."""

    def __init__(self, folder: Path, contents: Contents, receiver: Receiver) -> None:
        """Raises SealBroken."""
        self._folder, self._contents, self._receiver = folder, contents, receiver
        self._buyer = buyer_hash(contents.buyer)
        info = info_of(contents.cell_id, self._buyer, f"bundle {contents.id}")
        secret = receiver.open(contents.secret, info)
        self._layers = Layers(secret, contents.cell_id, contents.id)
        self._rows = folder / contents.rows_dir

    def lines(self, part: TablePart) -> Iterator[bytes]:
        """The rows of a table. Raises Damaged."""
        yield from records(self._rows, part, self._layers.rows, part.table)

    def persons(self) -> Iterator[tuple[UUID, bytes, bytes]]:
        """Each person with data key and label key. Raises Damaged, SealBroken."""
        contents = self._contents
        for whose, sealed in records(self._rows, contents.persons, self._layers.rows, KEYS):
            person_id = UUID(bytes=whose)
            info = info_of(contents.cell_id, self._buyer, str(person_id))
            both = self._receiver.open(sealed, info)
            yield person_id, both[:32], both[32:]

    def objects(self) -> Iterator[tuple[str, int]]:
        """Keys and sizes of all objects. Raises Damaged."""
        yield from records(self._rows, self._contents.objects, self._layers.rows, OBJECTS)

    def pieces(self, key: str, size_bytes: int) -> Iterator[bytes]:
        """The bytes of an object. Raises Damaged."""
        path, left = path_of(self._folder, self._layers.objects, key), size_bytes
        try:
            with path.open("rb") as file:
                for number, sealed in enumerate(frames(file)):
                    piece = self._layers.objects.open(sealed, path.name, number)
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise Damaged from error
        if left:
            raise Damaged


def check_files(folder: Path, contents: Contents, ledger: tuple[TablePart, ...] = ()) -> None:
    """That the files of the rows are those that are listed. Raises BadBundle."""
    rows = folder / contents.rows_dir
    for part in (*contents.tables, contents.persons, contents.objects, *ledger):
        try:
            if digest_of(rows / part.file) != part.sha256:
                raise BadBundle
        except OSError as error:
            raise BadBundle from error


def encoded(value: Any) -> bytes:
    """JSON as it lies in the bundle."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
