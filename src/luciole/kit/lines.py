"""Questions and answers between the processes of one machine, over Unix sockets.

Frames of a length (4 bytes, big-endian) and MessagePack; many questions at once on one connection,
each with a number. Who asks is told by the socket: its folder and its file (mode 0600) are the
operator's to give away.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from luciole.kit import unix
from luciole.kit.errors import Problem, Unavailable
from luciole.kit.logs import log

# A full bundle of the largest entries of a log, 17 MiB, is the largest thing that is asked for.
MAX_FRAME_BYTES = 20 * 1024 * 1024
LENGTH = struct.Struct(">I")
CONNECTS_WITHIN_S = 2.0
BACKLOG = 64
# Questions of one connection that are worked on at the same time.
MAX_AT_ONCE = 256

Handler = Callable[[bytes], Awaitable[Any]]


class LineLost(OSError):
    """Nobody answers there, or not in time."""


class LineRefused(Exception):
    """The other side does not do that; `code` is stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A numbered question."""

    number: int
    asked: msgspec.Raw


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """Its result, or the code of a refusal."""

    number: int
    result: msgspec.Raw = msgspec.Raw(b"\xc0")
    refused: str = ""


_call = msgspec.msgpack.Decoder(Call)
_answer = msgspec.msgpack.Decoder(Answer)


def frame(message: Call | Answer) -> bytes:
    """The bytes of a message. Raises ValueError for one that is too large."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError("a message between processes is too large")
    return LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The body of the next message, None at the end. Raises ValueError where one is too large."""
    try:
        (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        if size > MAX_FRAME_BYTES:
            raise ValueError("a message between processes is too large")
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


class Line:
    """The asking side: one connection, made with the first question and anew when it is lost."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, asked: Any, within_s: float) -> bytes:
        """The result, as MessagePack. Raises LineLost, LineRefused."""
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        said = frame(Call(number, msgspec.Raw(msgspec.msgpack.encode(asked))))
        try:
            async with asyncio.timeout(within_s):
                writer = await self._connected()
                self._waiting[number] = answer
                writer.write(said)
                await writer.drain()
                found = await answer
        except (OSError, TimeoutError) as error:
            raise LineLost(str(self._place.name)) from error
        finally:
            self._waiting.pop(number, None)
        if found.refused:
            raise LineRefused(found.refused)
        return bytes(found.result)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                async with asyncio.timeout(CONNECTS_WITHIN_S):
                    with unix.address_of(self._place) as address:
                        reader, self._writer = await asyncio.open_unix_connection(address)
                self._reading = asyncio.create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hands answers to who waits for them; at the end of the connection, tells them so."""
        try:
            while (body := await read_frame(reader)) is not None:
                answer = _answer.decode(body)
                waiting = self._waiting.pop(answer.number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        finally:
            self._writer = None
            writer.close()
            for each in [each for each in self._waiting.values() if not each.done()]:
                each.set_exception(ConnectionResetError())
            self._waiting.clear()


@contextlib.asynccontextmanager
async def listening(place: Path, handler: Handler) -> AsyncIterator[None]:
    """Answers on a socket until the block ends: `handler` gets a question as MessagePack, and
    gives a result or raises a Problem."""
    os.makedirs(place.parent, mode=0o700, exist_ok=True)
    connections: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await _serve(handler, reader, writer)
        finally:
            connections.discard(task)

    # Whoever was killed leaves its socket; the lock of the data folder says that we are the only
    # one.
    _remove(place)
    former = os.umask(0o177)
    try:
        with unix.address_of(place) as address:
            server = await asyncio.start_unix_server(connected, address, backlog=BACKLOG)
    finally:
        os.umask(former)
    try:
        yield
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        _remove(place)


def _remove(place: Path) -> None:
    place.unlink(missing_ok=True)


async def _serve(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    room = asyncio.Semaphore(MAX_AT_ONCE)
    working: set[asyncio.Task[None]] = set()

    async def work(call: Call) -> None:
        try:
            writer.write(frame(await _answered(handler, call)))
        except ValueError:
            writer.write(frame(Answer(call.number, refused=Unavailable.code)))
        finally:
            room.release()

    try:
        while (body := await read_frame(reader)) is not None:
            call = _call.decode(body)
            await room.acquire()
            task = asyncio.create_task(work(call))
            working.add(task)
            task.add_done_callback(working.discard)
            await writer.drain()
    except (ValueError, ConnectionError):
        # Not our protocol: whoever it is gets no answer.
        log.warning("a process was asked in a strange form")
    finally:
        for task in working:
            task.cancel()
        writer.close()


async def _answered(handler: Handler, call: Call) -> Answer:
    try:
        result = await handler(bytes(call.asked))
    except Problem as problem:
        return Answer(call.number, refused=problem.code)
    except msgspec.MsgspecError:
        return Answer(call.number, refused="not-understood")
    except Exception as error:
        log.error("a question failed", error=type(error).__name__, exc_info=True)
        return Answer(call.number, refused=Unavailable.code)
    return Answer(call.number, msgspec.Raw(msgspec.msgpack.encode(result)))
