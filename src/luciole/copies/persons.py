"""The keys of persons in a backup, while it is made.

A person's rows are sealed under a key that is drawn for them and this backup, and that key under
their data key, which the key broker alone has. In the backup stands, for each person, a mark that
only the cell can make out of the person's id, and the sealed key. So who holds the backup, and even
the cell once the person is erased, finds no id in it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from luciole.ask.client import Custody
from luciole.copies.blocks import Layer, Writer
from luciole.custody.model import Field, Grant, KeyGone, NoGrant
from luciole.keys import seal_field

PURPOSE = "backup"
ROWS_FIELD = "backup.rows"
OBJECT_FIELD = "backup.object"
VERSION = 1
KEY_BYTES = 32
ASKS_AT_ONCE = 16


@dataclass(frozen=True)
class Owner:
    """A person in this backup: their number in it, and the key of their rows."""

    number: int
    person_id: UUID
    key: bytes
    grant: Grant


class Persons:
    """Draws and keeps the keys, and writes them down sealed."""

    def __init__(self, custody: Custody, layer: Layer, writer: Writer) -> None:
        self._custody, self._layer, self._writer = custody, layer, writer
        self._known: dict[UUID, Owner | None] = {}
        self._next = 0

    async def prepare(self, person_ids: Iterable[UUID]) -> None:
        """Asks for many, some at once: each costs an entry in the log."""
        gate = asyncio.Semaphore(ASKS_AT_ONCE)

        async def ask(person_id: UUID) -> tuple[UUID, tuple[Grant, bytes, bytes] | None]:
            async with gate:
                return person_id, await self._asked(person_id)

        for person_id, given in await asyncio.gather(*map(ask, person_ids)):
            self._add(person_id, given)

    def leave_out(self, person_ids: Iterable[UUID]) -> None:
        """Gives these people no key: what is theirs stays behind."""
        self._known.update(dict.fromkeys(person_ids))

    async def owner(self, person_id: UUID) -> Owner | None:
        """None for a person who has no key, or who has gone meanwhile."""
        if person_id not in self._known:
            self._add(person_id, await self._asked(person_id))
        return self._known[person_id]

    def sealed(self, line: bytes, owners: Iterable[Owner], table: str) -> bytes:
        """A row under the keys of all its owners, the last one's innermost."""
        for owner in reversed(list(owners)):
            line = seal_field(owner.key, line, **row_place(self._layer, owner.person_id, table))
        return line

    async def sealed_for(self, owner: Owner, key: bytes) -> bytes:
        """A key under the person's data key itself: for what outlives one backup. Raises KeyGone,
        NoGrant."""
        field = Field(OBJECT_FIELD, VERSION, key)
        (sealed,) = await self._custody.seal(owner.grant, [field])
        return sealed

    async def _asked(self, person_id: UUID) -> tuple[Grant, bytes, bytes] | None:
        key = os.urandom(KEY_BYTES)
        try:
            grant = await self._custody.automated_grant(person_id, PURPOSE)
            (sealed,) = await self._custody.seal(grant, [Field(ROWS_FIELD, VERSION, key)])
        except (KeyGone, NoGrant):
            return None
        return grant, key, sealed

    def _add(self, person_id: UUID, given: tuple[Grant, bytes, bytes] | None) -> None:
        if person_id in self._known:
            return
        if given is None:
            self._known[person_id] = None
            return
        grant, key, sealed = given
        self._writer.add([self._layer.mark(person_id.bytes), sealed], len(sealed) + 20)
        self._known[person_id] = Owner(self._next, person_id, key, grant)
        self._next += 1


def row_place(layer: Layer, person_id: UUID, table: str) -> Any:
    """Where a row belongs, for its seal."""
    return {
        "cell_id": layer.cell_id,
        "person_id": person_id,
        "field_id": f"{ROWS_FIELD}/{table}",
        "version": VERSION,
    }
