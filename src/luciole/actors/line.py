"""The way from a process of the cell to the process of ranking: questions over one Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec

from luciole.actors import wire
from luciole.kit import unix

CONNECTED_WITHIN_S = 2.0
# The process of ranking keeps the time itself; this is for the case that it hangs.
GRACE_S = 1.0


class Lost(Exception):
    """A replica, or the way to it, does not answer."""


class Line:
    """Asks; connects anew where the connection was lost."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._number = 0

    async def ask(self, replica: int, question: str, body: bytes, within_s: float) -> bytes:
        """The answer of a replica. Raises Lost."""
        self._number += 1
        number = self._number
        try:
            writer = await self._connected()
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._waiting[number] = answer
            writer.write(wire.frame(wire.Asked(number, replica, question, body, within_s)))
            async with asyncio.timeout(within_s + GRACE_S):
                await writer.drain()
                return await answer
        except (OSError, TimeoutError) as error:
            raise Lost(f"{question}: {type(error).__name__}") from error
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                async with asyncio.timeout(CONNECTED_WITHIN_S):
                    with unix.address_of(self._place) as address:
                        reader, self._writer = await asyncio.open_unix_connection(address)
                self._reading = asyncio.create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                answered = msgspec.msgpack.decode(await wire.read(reader), type=wire.Answered)
                waiting = self._waiting.get(answered.number)
                if waiting is None or waiting.done():
                    continue
                if answered.body is None:
                    waiting.set_exception(Lost("replica away"))
                else:
                    waiting.set_result(answered.body)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writer = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(Lost("connection ended"))
