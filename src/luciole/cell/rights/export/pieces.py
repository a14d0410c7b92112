"""A long file in the object store, sealed piece by piece under a person's data key.

The pieces hold PIECE_BYTES each, the last one less, and are numbered from 0. The number is bound
into each as the version of the field, so that pieces cannot change places.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from luciole.ask.client import Custody
from luciole.cell.rights.model import PIECE_BYTES
from luciole.custody.model import Field, Grant
from luciole.kit.blobs import Blobs

# Versions of sealed fields count from 1.
FIRST_VERSION = 1
# A grant that ends this soon is asked for anew.
SOON = timedelta(minutes=1)

Lend = Callable[[], Awaitable[Grant]]


class Lending:
    """A grant that is asked for anew before it ends: work may last longer than any one grant."""

    def __init__(self, lend: Lend, now: Callable[[], datetime]) -> None:
        self._lend = lend
        self._now = now
        self._grant: Grant | None = None

    async def grant(self) -> Grant:
        """A grant that is good for a while."""
        if self._grant is None or self._grant.expires_at <= self._now() + SOON:
            self._grant = await self._lend()
        return self._grant


class SealedFile:
    """A file in pieces under one prefix; `field_id` says what it is, in the associated data."""

    def __init__(self, blobs: Blobs, custody: Custody, prefix: str, field_id: str) -> None:
        self._blobs = blobs
        self._custody = custody
        self._prefix = prefix
        self._field_id = field_id

    def key(self, number: int) -> str:
        return f"{self._prefix}{number:06}"

    def keys(self, pieces: int) -> Sequence[str]:
        return [self.key(number) for number in range(pieces)]

    async def put(self, lending: Lending, number: int, data: bytes) -> None:
        """Seals and stores a piece; in place of the one that an attempt before has left."""
        field = Field(self._field_id, number + FIRST_VERSION, data)
        (sealed,) = await self._custody.seal(await lending.grant(), [field])
        await self._blobs.put(self.key(number), sealed)

    async def get(self, lending: Lending, number: int) -> bytes:
        """A piece in the clear. Raises Missing, NotOpened."""
        sealed = await self._blobs.get(self.key(number))
        field = Field(self._field_id, number + FIRST_VERSION, sealed)
        (data,) = await self._custody.open(await lending.grant(), [field])
        return data

    async def stream(self, lending: Lending, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end) of the file."""
        for number in range(start // PIECE_BYTES, -(-end // PIECE_BYTES)):
            data = await self.get(lending, number)
            offset = number * PIECE_BYTES
            yield data[max(0, start - offset) : end - offset]


class PieceWriter:
    """Cuts what comes into pieces and stores them; call `close` at the end."""

    def __init__(self, file: SealedFile, lending: Lending) -> None:
        self._file = file
        self._lending = lending
        self._gathered = bytearray()
        self.pieces = 0
        self.size_bytes = 0

    async def write(self, data: bytes) -> None:
        self._gathered += data
        self.size_bytes += len(data)
        while len(self._gathered) >= PIECE_BYTES:
            await self._put(bytes(self._gathered[:PIECE_BYTES]))
            del self._gathered[:PIECE_BYTES]

    async def close(self) -> None:
        if self._gathered:
            await self._put(bytes(self._gathered))
            self._gathered.clear()

    async def _put(self, piece: bytes) -> None:
        await self._file.put(self._lending, self.pieces, piece)
        self.pieces += 1
