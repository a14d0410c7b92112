"""What people bring along from another network: handles to look for, and links.

The archive itself is read in the person's browser and never comes here. Nothing here is followed,
looked up or fetched: a handle of there says nothing about who is who here, and a link would tell
the other network who asked.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

import msgspec

from luciole.ask.client import Custody
from luciole.cell.rights.imported_model import (
    FIELD_OF,
    Carried,
    Favourites,
    Kind,
    SealedList,
    Suggestions,
    check_links,
)
from luciole.cell.rights.store import imported as store
from luciole.custody.model import Field, Grant
from luciole.kit.db import Tx

T = TypeVar("T", Suggestions, Favourites, Carried)


class Imported:
    """Lists that people brought along, sealed with their keys."""

    def __init__(self, custody: Custody) -> None:
        self._custody = custody

    async def of(self, tx: Tx, grant: Grant, kind: Kind, shape: type[T]) -> T | None:
        """The list of the grant's person, if there is one. Raises what `Custody.open` raises."""
        found = await store.one(tx, grant.person_id, kind)
        if found is None:
            return None
        field = Field(FIELD_OF[kind], found.version, found.sealed)
        (opened,) = await self._custody.open(grant, [field])
        return msgspec.json.decode(opened, type=shape)

    async def put(self, tx: Tx, grant: Grant, kind: Kind, given: Suggestions | Favourites) -> None:
        """Seals a list in place of the former one, and notes it in the person's journal. Raises
        BadLink, and what `Custody.seal` raises."""
        if isinstance(given, Favourites):
            check_links(given)
        count = len(given.handles if isinstance(given, Suggestions) else given.items)
        await self.keep(tx, grant, kind, given)
        await self._custody.note(
            tx,
            grant.person_id,
            kind="import",
            cls="self",
            actor="you",
            purpose="bring-along",
            columns=[FIELD_OF[kind]],
            note=f"{count} from TikTok",
        )

    async def keep(
        self, tx: Tx, grant: Grant, kind: Kind, given: Suggestions | Favourites | Carried
    ) -> None:
        """Seals a list in place of the former one; for an act that notes itself. Raises what
        `Custody.seal` raises."""
        await store.lock(tx, grant.person_id)
        former = await store.one(tx, grant.person_id, kind)
        version = former.version + 1 if former else 1
        field = Field(FIELD_OF[kind], version, msgspec.json.encode(given))
        (sealed,) = await self._custody.seal(grant, [field])
        await store.put(tx, grant.person_id, kind, SealedList(version, sealed))

    async def drop(self, tx: Tx, person_id: UUID, kind: Kind) -> None:
        """Forgets a list, if there is one."""
        await store.lock(tx, person_id)
        await store.drop(tx, person_id, kind)
