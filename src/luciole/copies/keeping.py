"""The key broker for a backup: the running one, or one in this process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from luciole.ask.client import Custody
from luciole.config import ROLES, Settings
from luciole.custody import wire
from luciole.custody.broker import Broker
from luciole.custody.server import answer
from luciole.keys import KeyStore
from luciole.kit.clock import Clock
from luciole.kit.db import Database
from luciole.reach import Reached
from luciole.roots.choose import open_root

# The cell's own key around backups.
PURPOSE = "backup"


@contextlib.asynccontextmanager
async def custody(settings: Settings, place: Reached, clock: Clock) -> AsyncIterator[Custody]:
    """What a backup may ask. Raises what opening the key store does."""
    if place.is_cell_running:
        line = Custody.at(settings.custody_dir / "copies.sock")
        try:
            yield line
        finally:
            await line.close()
        return
    keys = KeyStore(settings.keys_dir, open_root(**settings.key_place))
    database = await Database.open(place.owner_url, role=ROLES["custody"], size=4)
    broker = Broker(keys, database, clock)

    async def ask(asked: wire.Asked) -> Any:
        return await answer(broker, asked, "copies")

    try:
        yield Custody.within(ask)
    finally:
        await database.close()
        keys.close()
