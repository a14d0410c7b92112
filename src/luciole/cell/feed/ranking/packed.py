"""Arrays as bytes, and many clips as arrays: a start makes no object for each clip."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

CLIP_COLUMNS = ("alive", "author", "sound", "topics", "duration_ms", "published_at")


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """An array."""

    type: str
    shape: tuple[int, ...]
    data: bytes

    @staticmethod
    def of(array: NDArray[Any]) -> Packed:
        data = zlib.compress(np.ascontiguousarray(array).tobytes(), 1)
        return Packed(array.dtype.str, array.shape, data)

    def array(self) -> NDArray[Any]:
        data = np.frombuffer(bytearray(zlib.decompress(self.data)), np.dtype(self.type))
        return data.reshape(self.shape)


class Clips(msgspec.Struct, frozen=True):
    """Clips in the order of their rows: the 16 bytes of each id, the CLIP_COLUMNS, and the names
    that the numbers of authors, sounds and topics stand for."""

    ids: bytes
    columns: list[Packed]
    authors: list[str]
    sounds: list[str]
    topics: list[str]


def wide(numbers: list[int]) -> bytes:
    """Ids as 16 bytes each."""
    return b"".join(number.to_bytes(16, "big") for number in numbers)


def numbers_of(data: bytes) -> list[int]:
    """The ids as whole numbers."""
    return [int.from_bytes(data[at : at + 16], "big") for at in range(0, len(data), 16)]
