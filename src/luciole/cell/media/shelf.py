"""Where made files go: into the object store, and then, in one transaction, to their film."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import UUID

from luciole.cell.media import store
from luciole.cell.media.held import Held, storing
from luciole.cell.media.laying import PICTURES, Laid
from luciole.cell.media.model import Asset, NotStored, State
from luciole.cell.media.service import Media
from luciole.cell.media.store import File, quotes, seals, segments, unclaimed
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx


class Shelf:
    """The stored files of films, for those who work on them."""

    def __init__(self, db: Database, media: Media, blobs: Blobs, clock: Clock) -> None:
        self._db, self._media, self._blobs, self._clock = db, media, blobs, clock

    async def rename(self, asset_id: UUID) -> None:
        """Brings the objects to where the asset's addresses say they are."""
        async with self._db.tx() as tx:
            asset = await store.asset(tx, asset_id)
            if asset is None:
                return
            moves = [
                (file, asset.prefix + file.filename)
                for file in await store.files(tx, asset_id)
                if file.object_key != asset.prefix + file.filename
            ]
            await self._media.announce(tx, *(new_key for _, new_key in moves))
        for file, new_key in moves:
            with contextlib.suppress(Missing):  # another run of this job moved it
                await self._blobs.copy(file.object_key, new_key)
                async with self._db.tx() as tx:
                    moved = await store.move_file(
                        tx, asset_id, file.filename, file.object_key, new_key
                    )
                    if moved:
                        if not await unclaimed.claim(tx, [new_key]):
                            raise NotStored
                        await self._media.disown(tx, file.object_key)
                    elif await store.asset(tx, asset_id) is None:
                        # The film was deleted meanwhile. (Otherwise another run was faster, and
                        # the copy is the asset's.)
                        await self._media.disown(tx, new_key)

    async def renditions(self, asset_id: UUID) -> list[File]:
        """The renditions of a film, smallest first."""
        async with self._db.read() as tx:
            files = await store.files(tx, asset_id)
        return sorted(
            (file for file in files if file.kind == "rendition"),
            key=lambda file: file.width * file.height,
        )

    async def pictures(self, asset_id: UUID, folder: Path) -> list[Laid]:
        """The stored pictures of a film, fetched into the folder. Raises Held."""
        found = []
        for file in await self.files(asset_id):
            if file.kind in PICTURES:
                path = folder / f"stored-{file.filename}"
                await self.fetch(file, path)
                found.append((file, path))
        return found

    async def fetch(self, file: File, path: Path) -> None:
        """Writes the file to `path`. Raises Held where the store does not have it: it was put
        elsewhere, or the file has just been moved, and the next attempt finds it."""
        try:
            with storing():
                data = await self._blobs.get(file.object_key)
        except Missing as error:
            raise Held("store") from error
        await asyncio.to_thread(path.write_bytes, data)

    async def put(self, asset: Asset, laid: list[Laid]) -> None:
        """Stores the files; nothing of a film that was deleted while it was encoded."""
        async with self._db.tx() as tx:
            if await store.asset(tx, asset.id) is None:
                return
            await self._media.announce(tx, *(file.object_key for file, _ in laid))
        with storing():
            await asyncio.gather(*(self._blobs.put(file.object_key, path) for file, path in laid))

    async def claim(
        self, tx: Tx, asset: Asset, laid: list[Laid], states: tuple[State, ...]
    ) -> bool:
        """Makes the stored files the asset's; False, and gives them up, as `_is_current` says."""
        if not await self._is_current(tx, asset, laid, states):
            return False
        for file, _ in laid:
            await store.add_file(tx, asset.id, file)
        return True

    async def replace(self, tx: Tx, asset: Asset, laid: list[Laid]) -> bool:
        """The same, and gives up the renditions in whose place they are."""
        if not await self._is_current(tx, asset, laid, ("complete",)):
            return False
        files = [file for file, _ in laid]
        old = await segments.replace(tx, asset.id, files, self._clock.now())
        await self._media.disown(tx, *old)
        return True

    async def exchange(self, tx: Tx, asset: Asset, laid: list[Laid]) -> bool:
        """The same, file by file: the film stays the same film."""
        if not await self._is_current(tx, asset, laid, ("complete",)):
            return False
        old = await seals.exchange(tx, asset.id, [file for file, _ in laid])
        await self._media.disown(tx, *old)
        return True

    async def files(self, asset_id: UUID) -> list[File]:
        """All that is stored of a film."""
        async with self._db.read() as tx:
            return await store.files(tx, asset_id)

    async def replace_all(self, tx: Tx, asset: Asset, laid: list[Laid]) -> bool:
        """The same, with all files of the film."""
        if not await self._is_current(tx, asset, laid, ("complete",)):
            return False
        old = await quotes.replace_all(tx, asset.id, [file for file, _ in laid])
        await self._media.disown(tx, *old)
        return True

    async def _is_current(
        self, tx: Tx, asset: Asset, laid: list[Laid], states: tuple[State, ...]
    ) -> bool:
        """Whether this attempt is still the current one; then the stored files are claimed. Gives
        them up where another has overtaken it, or the film is gone."""
        keys = [file.object_key for file, _ in laid]
        now = await store.lock_asset(tx, asset.id)
        if now is None or now.attempt != asset.attempt or now.state not in states:
            await self._media.disown(tx, *keys)
            return False
        if not await unclaimed.claim(tx, keys):
            raise NotStored
        if now.prefix != asset.prefix:
            # The audience changed meanwhile: these lie under the old name.
            await self._media.put_job(tx, "media.rename", asset.id)
        return True
