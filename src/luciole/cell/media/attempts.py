"""One attempt at a film: how it begins, how it ends, and what that counts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

from luciole.cell.media import encode, store
from luciole.cell.media.held import Held, holding
from luciole.cell.media.looks import NoLooks
from luciole.cell.media.model import FAILURE_COUNTS, Asset, State
from luciole.cell.media.store import waiting
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.kit.workplace import open_folder

# Tells whom it concerns how far an asset is, in percent.
ShowProgress = Callable[[Tx, UUID, int], Awaitable[None]]


class Attempts:
    """Attempts at films, each in a folder of its own below `folder`."""

    def __init__(
        self, db: Database, folder: Path, clock: Clock, show_progress: ShowProgress
    ) -> None:
        self._db = db
        self._folder = folder
        self._clock = clock
        self._show_progress = show_progress

    async def start(self, asset_id: UUID, states: tuple[State, ...], state: State) -> Asset | None:
        """Takes the asset for a new attempt; None where there is nothing to do any more."""
        async with self._db.tx() as tx:
            asset = await store.lock_asset(tx, asset_id)
            if asset is None or asset.state not in states:
                return None
            await store.start(tx, asset_id, state, self._clock.now())
            return await store.asset(tx, asset_id)

    @contextlib.asynccontextmanager
    async def of(self, asset: Asset) -> AsyncIterator[Path]:
        """A folder for this attempt, gone afterwards. An attempt that ends by itself, even badly,
        is no crash; only FFmpeg's own failures count, for several, since they will come again. One
        that cannot go on before the operator has mended something ends here without an error; each
        sweep starts another."""
        try:
            async with self._folder_of(asset) as folder:
                yield folder
        except Held as held:
            log.warning("film waits", cause=held.cause, attempt=asset.attempt)
            async with self._db.tx() as tx:
                now = self._clock.now()
                is_held = await waiting.hold(tx, asset.id, asset.attempt, held.cause, now)
                # Of a film that plays already nobody waits for the rest.
                if is_held and asset.state == "probing":
                    await self._show_progress(tx, asset.id, 0)

    async def tell(self, asset: Asset, percent: int) -> None:
        """Shows how far the attempt is, if it is still the current one."""
        async with self._db.tx() as tx:
            now = self._clock.now()
            if await store.set_progress(tx, asset.id, asset.attempt, percent, now):
                await self._show_progress(tx, asset.id, percent)

    @contextlib.asynccontextmanager
    async def _folder_of(self, asset: Asset) -> AsyncIterator[Path]:
        folder = self._folder / f"{asset.id}-{asset.attempt}"
        lock = None
        try:
            with holding():
                lock = await asyncio.to_thread(open_folder, folder)
                yield folder
        except (encode.EncodingFailed, NoLooks):
            log.warning("encoding failed", attempt=asset.attempt, exc_info=True)
            with contextlib.suppress(*LOST, TimeoutError):
                async with self._db.tx() as tx:
                    await store.blame(tx, asset.id, asset.attempt, FAILURE_COUNTS - 1)
            raise
        except BaseException:
            await self._pardon(asset)
            raise
        else:
            await self._pardon(asset)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)

    async def _pardon(self, asset: Asset) -> None:
        with contextlib.suppress(*LOST, TimeoutError):
            async with self._db.tx() as tx:
                await store.pardon(tx, asset.id, asset.attempt)
