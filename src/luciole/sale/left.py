"""What other servers still hold of a cell that was removed, as they answer themselves: the
catalogue of a database that is not in the data folder, the list of a bucket."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from luciole.config import Settings
from luciole.kit.blobs import AWAY, Blobs
from luciole.kit.db import LOST, Database
from luciole.sale import store
from luciole.sale.removing import LEDGER

SHOWN = 5

# Takes the name and the bytes of an object.
Take = Callable[[str, bytes], None]


class Left(msgspec.Struct):
    """What is there. `tables` and `objects` are the cell's; `others` are tables in the schema
    `public`, which may be anybody's; `copiers` are who copies what the database writes. `unasked`
    says why a server (`database`, `objects`) gave no answer."""

    tables: list[str] = []
    others: list[str] = []
    copiers: list[str] = []
    objects: list[str] = []
    unasked: dict[str, str] = {}


async def look(settings: Settings, take: Take | None = None) -> Left:
    """Asks each server outside of the data folder; nothing where there is none. `take` gets every
    object that is still in the bucket, the public log too."""
    left = Left()
    if settings.database.url:
        try:
            await _catalogue(settings.database.url, left)
        except (*LOST, TimeoutError) as error:
            left.unasked["database"] = type(error).__name__
    if is_bucket(settings):
        try:
            await _bucket(settings.blobs_place, left, take)
        except AWAY as error:
            left.unasked["objects"] = type(error).__name__
    return left


def is_bucket(settings: Settings) -> bool:
    """Whether objects are not in a folder of this machine."""
    return "://" in settings.blobs_place


def place_of(url: str) -> str:
    """A database as people may read it: without a password."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'this machine'}{parts.path}"


def some(names: list[str]) -> str:
    """The first of many."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


async def _catalogue(url: str, left: Left) -> None:
    database = await Database.open(url, size=1)
    try:
        async with database.read() as tx:
            found = await store.relations(tx)
            left.tables = [name for name, is_ours in found if is_ours]
            left.tables += [] if left.tables else await store.schemas(tx)
            left.others = [name for name, is_ours in found if not is_ours]
            left.copiers = await store.copiers(tx)
    finally:
        await database.close()


async def _bucket(place: str, left: Left, take: Take | None) -> None:
    blobs = Blobs.open(place)
    async for key in blobs.keys(""):
        if not key.startswith(LEDGER):
            left.objects.append(key)
        if take is not None:
            take(key, await blobs.get(key))
