"""The broker on its sockets: one socket for each process of the cell, each with its own rights.

The socket says who asks: the folder and the files are the operator's to give away (mode 0600, so
by default to the account that runs the cell). A process can only ask what its socket allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from luciole.custody import purposes, wire
from luciole.custody.broker import Broker
from luciole.custody.model import CustodyAway
from luciole.kit import unix
from luciole.kit.errors import Problem
from luciole.kit.logs import log

Process = Literal["api", "worker", "ledger", "copies", "gateway", "trustee", "operator"]
PROCESSES: tuple[Process, ...] = get_args(Process)
BACKLOG = 64
# Requests of one connection that are worked on at the same time.
MAX_AT_ONCE = 256

_COMMON: tuple[type[wire.Request], ...] = (
    wire.Derived,
    wire.Index,
    wire.SessionGrant,
    wire.Seal,
    wire.Open,
    wire.Draw,
    wire.LabelKey,
    wire.OpenJournal,
    wire.PublicKeyOf,
    wire.CertificatesOf,
)
_STAFF = (wire.AskRead, wire.LookAtReads, wire.ApproveRead, wire.OpenRead, wire.SignerOf)
ALLOWED: dict[Process, tuple[type[wire.Request], ...]] = {
    "api": (*_COMMON, wire.Enrol, wire.Verify, wire.AutomatedGrant, *_STAFF),
    "worker": (*_COMMON, wire.AutomatedGrant, wire.Sign, wire.Shred),
    "ledger": (wire.Derived, wire.PublicKeyOf),
    # Who makes backups seals, and opens nothing.
    "copies": (wire.Derived, wire.PublicKeyOf, wire.AutomatedGrant, wire.Seal),
    "gateway": (wire.Sign, wire.SignAll, wire.PublicKeyOf),
    "trustee": (wire.Derived,),
    # Who stands at the machine.
    "operator": (wire.Guardian,),
}
# For what a process may have something signed: what speaks to other cells signs nothing else.
SIGNS: dict[Process, tuple[str, ...]] = {
    "worker": ("export", "push", "credentials"),
    "gateway": ("border", "actor", "fediverse"),
}

_call = msgspec.msgpack.Decoder(wire.Call)


class NotForYou(Problem):
    """The socket of this process does not allow the request."""

    code = "not-for-this-process"
    sentence = "This process of the cell may not ask that."
    next_step = "Tell the operator of this cell: two of its parts are of different versions."


async def answer(broker: Broker, asked: wire.Asked, process: Process) -> Any:
    """What the broker says to a process. Raises refusals."""
    if not isinstance(asked, ALLOWED[process]):
        raise NotForYou
    if isinstance(asked, wire.Derived) and asked.purpose not in purposes.DERIVED[process]:
        raise NotForYou
    match asked:
        case wire.AutomatedGrant(_, purpose):
            if process == "api" and purpose not in purposes.BY_API:
                raise NotForYou
        case wire.Sign(purpose) | wire.SignAll(purpose):
            if purpose.partition("/")[0] not in SIGNS[process]:
                raise NotForYou
    handler: Callable[[Any], Awaitable[Any]] = getattr(broker, NAMES[type(asked)])
    return await handler(asked)


NAMES: dict[type, str] = {
    kind: str(kind.__struct_config__.tag).replace("-", "_")
    for kind in (
        wire.Derived,
        wire.Index,
        wire.Enrol,
        wire.SessionGrant,
        wire.AutomatedGrant,
        wire.Seal,
        wire.Open,
        wire.Draw,
        wire.LabelKey,
        wire.OpenJournal,
        wire.Sign,
        wire.SignAll,
        wire.PublicKeyOf,
        wire.CertificatesOf,
        wire.Verify,
        wire.Shred,
        wire.Guardian,
        *_STAFF,
    )
}


@contextlib.asynccontextmanager
async def listening(broker: Broker, folder: Path) -> AsyncIterator[None]:
    """Answers on `folder/<process>.sock` until the block ends."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        for process in PROCESSES:
            await stack.enter_async_context(_listening(broker, folder / f"{process}.sock", process))
        yield


@contextlib.asynccontextmanager
async def _listening(broker: Broker, place: Path, process: Process) -> AsyncIterator[None]:
    connections: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await _serve(broker, process, reader, writer)
        finally:
            connections.discard(task)

    # A broker that was killed leaves its socket; the store's lock says that we are the only one.
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
    broker: Broker, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    room = asyncio.Semaphore(MAX_AT_ONCE)
    working: set[asyncio.Task[None]] = set()

    async def work(call: wire.Call) -> None:
        try:
            said = await _answered(broker, process, call)
            writer.write(wire.frame(said))
        except ValueError:
            writer.write(wire.frame(wire.Answer(call.number, refused=CustodyAway.code)))
        finally:
            room.release()

    try:
        while (body := await wire.read_frame(reader)) is not None:
            call = _call.decode(body)
            await room.acquire()
            task = asyncio.create_task(work(call))
            working.add(task)
            task.add_done_callback(working.discard)
            await writer.drain()
    except (ValueError, ConnectionError):
        # Not our protocol: whoever it is gets no answer.
        log.warning("key broker was asked in a strange form")
    finally:
        for task in working:
            task.cancel()
        writer.close()


async def _answered(broker: Broker, process: Process, call: wire.Call) -> wire.Answer:
    try:
        result = await answer(broker, call.asked, process)
    except Problem as problem:
        return wire.Answer(call.number, refused=problem.code)
    except Exception as error:
        log.error("key broker failed", error=type(error).__name__, exc_info=True)
        return wire.Answer(call.number, refused=CustodyAway.code)
    return wire.Answer(call.number, msgspec.Raw(msgspec.msgpack.encode(result)))
