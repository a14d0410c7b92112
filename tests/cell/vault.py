"""A key broker in the test's process: the real one over a real key store, without its socket."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luciole.ask.client import Custody
from luciole.custody import wire
from luciole.custody.server import NAMES
from luciole.custody.staff import StaffBroker
from luciole.keys import KeyStore, RootKey
from luciole.kit.clock import Clock
from luciole.kit.db import Database

ORIGIN = "http://localhost:8080"
PURPOSES = ("cursors", "devices", "media-links", "feed", "contacts")
_numbers = itertools.count(1)


@dataclass
class Vault:
    """The keys of a cell, and the database as the broker sees it."""

    store: KeyStore
    db: Database

    @classmethod
    def at(cls, folder: Path, db: Database, clock: Clock | None = None) -> Vault:
        root = RootKey.generate()
        store = KeyStore(folder / f"keys-{next(_numbers)}", root, clock=clock)
        return cls(store, db)

    def broker(self, clock: Clock) -> StaffBroker:
        return StaffBroker(self.store, self.db, clock, ORIGIN)

    def custody(self, clock: Clock) -> Custody:
        """What every process of the cell may ask."""
        broker = self.broker(clock)

        async def answer(asked: wire.Asked) -> Any:
            return await getattr(broker, NAMES[type(asked)])(asked)

        return Custody.within(answer)

    def derived(self) -> dict[str, bytes]:
        return {purpose: self.store.secret.derived(purpose) for purpose in PURPOSES}
