"""What the processes of a cell and the process of ranking say to each other, on a Unix socket."""

from __future__ import annotations

import asyncio
import struct

import msgspec

LENGTH = struct.Struct(">Q")


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A question for one replica. `body` and the answer are the replica's business alone."""

    number: int
    replica: int
    question: str
    body: bytes
    within_s: float


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """`body` is None where the replica could not be reached in time."""

    number: int
    body: bytes | None


def frame(message: Asked | Answered) -> bytes:
    data = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(data)) + data


async def read(reader: asyncio.StreamReader) -> bytes:
    """The next frame. Raises asyncio.IncompleteReadError at the end."""
    (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    return await reader.readexactly(size)
