"""How what slices offer is said to another cell, and how what comes from one is understood: as
ActivityPub documents of the strict profile, proved by the sending cell's key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from luciole.border import activities, understood, wire
from luciole.border.addresses import Addresses
from luciole.border.crossing import Out
from luciole.border.passport import Sign
from luciole.border.understood import BadActivity
from luciole.border.wire import BadCrossing

T = TypeVar("T")


async def by(sign: Sign, make: Callable[[Callable[[bytes], bytes]], T]) -> T:
    """What `make` makes with a signature. The key broker signs, which takes a moment: so it is made
    twice, first to learn what is to be signed."""
    messages = list[bytes]()

    def keep(message: bytes) -> bytes:
        messages.append(message)
        return b""

    make(keep)
    signature = await sign(messages[-1])
    return make(lambda _: signature)


def said(kind: str, body: bytes, id: UUID, at: datetime, origin: str) -> activities.Unsealed:
    """What crosses for an offer of a kind of our cell at `origin`, to be signed. Raises
    BadCrossing."""
    crossing = wire.decode(body)
    if _kind(crossing) != kind or isinstance(crossing, wire.Push):
        raise BadCrossing
    return activities.unsealed(crossing, Addresses(origin), str(id), at)


def heard(out: Out, body: bytes, origin: str, verifies: Callable[[bytes, bytes], bool]) -> bytes:
    """What the slice gets of bytes that came from the cell at `origin`. Raises BadActivity."""
    number, at, crossing = understood.opened(body, Addresses(origin), verifies)
    if (number, activities.moment(at), _kind(crossing)) != (str(out.id), out.at, out.wire):
        raise BadActivity("another-crossing")
    return wire.encode(crossing)


def _kind(crossing: wire.Crossing) -> str:
    return str(crossing.__struct_config__.tag)


def moment(now: datetime) -> datetime:
    """To the second, as entries and documents name it."""
    return now.astimezone(UTC).replace(microsecond=0)
