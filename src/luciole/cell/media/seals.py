"""What the workshop's machine says of films in the name of the cell: with a way to the key it signs
what it makes, without one it leaves that to another machine, which finds it when it sweeps."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.cell.media.laying import PICTURES, Laid, Seal
from luciole.cell.media.manifest import Told
from luciole.cell.media.sealing import Sealer
from luciole.cell.media.store import seals as store
from luciole.kit.db import Database, Tx


async def naming(told: Told, pictures: Sequence[Laid]) -> Told:
    """The same, with the hashes of these pictures; of two of a kind, of the latter."""
    found = {
        file.kind: hashlib.sha256(await asyncio.to_thread(path.read_bytes)).digest()
        for file, path in pictures
        if file.kind in PICTURES
    }
    return msgspec.structs.replace(told, pictures=tuple(sorted(found.items())))


class Seals:
    """The credentials of a machine's films; without a sealer they get none here."""

    def __init__(self, db: Database, sealer: Sealer | None) -> None:
        self._db = db
        self._sealer = sealer

    @property
    def can_seal(self) -> bool:
        """Whether this machine signs files."""
        return self._sealer is not None

    async def told(self, asset_id: UUID) -> Told:
        """What is said of a film by now."""
        async with self._db.read() as tx:
            return await store.told(tx, asset_id)

    def of(self, told: Told) -> Seal | None:
        """What signs files with these words, where that can be done here."""
        sealer = self._sealer
        if sealer is None:
            return None

        async def seal(path: Path) -> None:
            await sealer.seal(path, told)

        return seal

    async def leave(self, tx: Tx, asset_id: UUID) -> None:
        """Notes that what was just stored is not signed, where this machine cannot."""
        if self._sealer is None:
            await store.set_unsealed(tx, asset_id)
