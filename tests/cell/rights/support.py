"""What the tests of erasure share: asking for one, doing it step by step, looking for remains."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from tests.cell.house import Browser, House

from luciole import catalogue
from luciole.cell.media.aftercare import Aftercare
from luciole.cell.media.sealing import Sealer
from luciole.cell.rights.erasing import Erasing
from luciole.kit.db import Tx


async def leave(person: Browser, *, now: bool = False) -> str:
    """Asks to be erased; gives the ticket."""
    answer = await person.post("/api/me/erasure", json={"now": now})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


async def report(house: House, ticket: str) -> dict[str, Any]:
    """What a stranger with the ticket is told."""
    answer = await house.visitor().get(f"/api/erasures/{ticket}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def forget(house: House, person: Browser) -> dict[str, Any]:
    """Erases a person at once; gives the report."""
    ticket = await leave(person, now=True)
    await house.work()
    return await report(house, ticket)


class Killed(BaseException):
    """The worker is gone at this point."""


class Cut:
    """Counts the points at which a worker may be killed, and kills it at the chosen one."""

    def __init__(self, at: int) -> None:
        self._left = at

    def point(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed

    @property
    def is_over(self) -> bool:
        """Whether the work ended before it could be killed."""
        return self._left > 0


class _Database:
    def __init__(self, house: House, cut: Cut) -> None:
        self._db = house.db
        self._cut = cut

    @contextlib.asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        async with self._db.tx() as tx:
            yield tx
            self._cut.point()  # all of it is rolled back
        self._cut.point()  # all of it is there, and nobody was told

    def read(self) -> Any:
        return self._db.read()


class _Around:
    """Another object, with a point after each call of the named methods."""

    def __init__(self, inner: Any, cut: Cut, *names: str) -> None:
        self._inner, self._cut, self._names = inner, cut, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            given = await found(*args, **kwargs)
            self._cut.point()
            return given

        return wrapped


def workshop_of(house: House) -> Aftercare:
    parts = house.parts
    return Aftercare(
        parts.db,
        parts.media,
        parts.blobs,
        parts.queue,
        parts.settings,
        parts.clock,
        parts.clips.outcomes.show_progress,
        Sealer(parts.custody, "0"),
    )


def erasing_of(house: House, cut: Cut | None = None) -> Erasing:
    """The work of the job, which may be cut off."""
    cut = cut or Cut(0)
    parts: Any = house.parts
    return Erasing(
        _Database(house, cut),  # type: ignore[arg-type]
        _Around(parts.blobs, cut, "delete"),  # type: ignore[arg-type]
        parts.people,
        parts.media,
        _Around(parts.custody, cut, "automated_grant", "note", "shred"),  # type: ignore[arg-type]
        parts.clock,
        catalogue.ERASE,
        workshop_of(house).sweep_objects,
    )
