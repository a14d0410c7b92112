"""From the pieces of an upload to files that play: what the jobs of media do.

Each act has three parts: a short transaction that takes the asset and counts the attempt, work
without a transaction (reading, probing, encoding, storing), and a short transaction that states
the outcome if the attempt is still the current one. Whatever the middle wrote is announced
beforehand and claimed by the last part, so that a kill anywhere leaves only objects that the
sweep finds, and an asset that the next attempt takes up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from luciole.cell.media import encode, fence, probe, store
from luciole.cell.media.encode import Encoded
from luciole.cell.media.model import FAILURE_COUNTS, MAX_CRASHES, Asset, Chunk, NotStored, State
from luciole.cell.media.probe import Probe, Unreadable
from luciole.cell.media.rungs import Cut
from luciole.cell.media.service import CLAIM_WITHIN, Media
from luciole.cell.media.soundtrack import Track
from luciole.cell.media.store import File, silence
from luciole.config import Settings
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.kit.queue import Queue
from luciole.kit.workplace import open_folder, sweep_folders

# Tells whom it concerns how far an asset is, in percent.
ShowProgress = Callable[[Tx, UUID, int], Awaitable[None]]

PROGRESS_EVERY_S = 0.5
STUCK_AFTER = timedelta(minutes=2)
SWEPT_AT_ONCE = 500
MIME = {"rendition": "video/mp4", "poster": "image/webp"}
WORKING: tuple[State, ...] = ("queued", "probing", "encoding")


class Workshop:
    """Does the work of media's jobs."""

    def __init__(
        self,
        db: Database,
        media: Media,
        blobs: Blobs,
        queue: Queue,
        settings: Settings,
        clock: Clock,
        show_progress: ShowProgress,
    ) -> None:
        self._db = db
        self._media = media
        self._blobs = blobs
        self._queue = queue
        self._settings = settings.media
        self._folder = settings.work_dir / "media"
        self._clock = clock
        self._show_progress = show_progress
        encoders = max(1, settings.worker.encoders)
        self._benches = asyncio.Semaphore(encoders)
        # One bench stays free of ladders: a new clip waits for no other clip's better quality.
        self._ladders = asyncio.Semaphore(max(1, encoders - 1))

    async def prepare(self, asset_id: UUID) -> None:
        """Probes the file and makes the first playable and the poster, or refuses it."""
        async with self._benches:
            asset = await self._start(asset_id, WORKING, "probing")
            if asset is None:
                return
            if asset.crashes > MAX_CRASHES:
                await self._refuse(asset, "cannot-be-read")
                return
            async with self._attempt(asset) as folder:
                try:
                    await self._first(asset, folder)
                except Unreadable as reason:
                    await self._refuse(asset, reason.code)

    async def climb(self, asset_id: UUID) -> None:
        """Makes the renditions above the first, then lets go of the upload."""
        async with self._ladders, self._benches:
            asset = await self._start(asset_id, ("playable",), "playable")
            if asset is None:
                return
            if asset.crashes > MAX_CRASHES:
                # It plays already; a ladder that cannot be climbed does not take that back.
                await self._finish(asset, [], Path())
                return
            async with self._attempt(asset) as folder:
                made: list[Encoded] = []
                with contextlib.suppress(Unreadable):
                    source, film, cut = await self._film(asset, folder)
                    track = await self._finished_track(asset, folder)
                    made = await encode.ladder(source, film, cut, folder / "out", track=track)
                await self._finish(asset, made, folder)

    async def silence(self, asset_id: UUID) -> None:
        """Takes the sound out of a film whose sound's own film is gone, from all renditions at
        once."""
        async with self._ladders, self._benches:
            asset = await self._start(asset_id, ("complete",), "complete")
            if asset is None or asset.sound is None or asset.sound.asset_id is not None:
                return
            async with self._attempt(asset) as folder:
                made = []
                for file in await self._renditions(asset.id):
                    loud = folder / f"loud-{file.name}.mp4"
                    await self._fetch(file, loud)
                    size = (file.width, file.height)
                    made.append(await encode.silenced(loud, file.name, size, folder / "out"))
                files = [self._file(asset, "rendition", each) for each in made]
                await self._put(asset, files, [each.path for each in made])
            async with self._db.tx() as tx:
                now = await store.lock_asset(tx, asset.id)
                if now is None or now.attempt != asset.attempt:
                    await self._media.disown(tx, *(file.object_key for file in files))
                    return
                if not await store.claim(tx, [file.object_key for file in files]):
                    raise NotStored
                old = await silence.replace(tx, asset.id, files, self._clock.now())
                await self._media.disown(tx, *old)
                if now.prefix != asset.prefix:
                    await self._media.put_job(tx, "media.rename", asset.id)

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
                        if not await store.claim(tx, [new_key]):
                            raise NotStored
                        await self._media.disown(tx, file.object_key)
                    elif await store.asset(tx, asset_id) is None:
                        # The film was deleted meanwhile. (Otherwise another run was faster, and
                        # the copy is the asset's.)
                        await self._media.disown(tx, new_key)

    async def sweep(self) -> None:
        """Removes what is left of expired uploads and dead attempts, and wakes stuck assets."""
        now = self._clock.now()
        async with self._db.tx() as tx:
            for upload_id in await store.expired_uploads(tx, now, SWEPT_AT_ONCE):
                await self._media.drop_upload(tx, upload_id)
            for asset_id, state in await store.stuck(tx, now - STUCK_AFTER, SWEPT_AT_ONCE):
                name = "media.ladder" if state == "playable" else "media.prepare"
                await self._media.put_job(tx, name, asset_id)
            for asset_id in await silence.bereft(tx, SWEPT_AT_ONCE):
                await self._media.put_job(tx, "media.silence", asset_id)
        await self.sweep_objects()
        await asyncio.to_thread(sweep_folders, self._folder)

    async def sweep_objects(self) -> None:
        """Deletes the objects that were given up, or that nobody came back for."""
        while True:
            async with self._db.tx() as tx:
                keys = await store.doom(tx, self._clock.now() - CLAIM_WITHIN, SWEPT_AT_ONCE)
            if not keys:
                break
            # If we stop here, the rows stay doomed and the next sweep deletes the objects.
            await self._blobs.delete(*keys)
            async with self._db.tx() as tx:
                await store.forget(tx, keys)

    async def _start(self, asset_id: UUID, states: tuple[State, ...], state: State) -> Asset | None:
        """Takes the asset for a new attempt; None where there is nothing to do any more."""
        async with self._db.tx() as tx:
            asset = await store.lock_asset(tx, asset_id)
            if asset is None or asset.state not in states:
                return None
            await store.start(tx, asset_id, state, self._clock.now())
            return await store.asset(tx, asset_id)

    @contextlib.asynccontextmanager
    async def _attempt(self, asset: Asset) -> AsyncIterator[Path]:
        """A folder for this attempt, gone afterwards. An attempt that ends by itself, even badly,
        is no crash; only FFmpeg's own failures count, for several, since they will come again."""
        folder = self._folder / f"{asset.id}-{asset.attempt}"
        lock = await asyncio.to_thread(open_folder, folder)
        try:
            yield folder
        except encode.EncodingFailed:
            log.warning("encoding failed", attempt=asset.attempt, exc_info=True)
            with contextlib.suppress(*LOST, TimeoutError):
                async with self._db.tx() as tx:
                    await store.blame(tx, asset.id, asset.attempt, FAILURE_COUNTS - 1)
            raise
        except BaseException:
            with contextlib.suppress(*LOST, TimeoutError):
                async with self._db.tx() as tx:
                    await store.pardon(tx, asset.id, asset.attempt)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    async def _first(self, asset: Asset, folder: Path) -> None:
        source, film, cut = await self._film(asset, folder)
        percent = 5

        def follow(of_encoding: int) -> None:
            nonlocal percent
            percent = 5 + of_encoding * 9 // 10

        async def show() -> None:
            shown = 0
            while True:
                if percent != shown:
                    shown = percent
                    with contextlib.suppress(*LOST, TimeoutError):
                        await self._tell(asset, percent)
                await asyncio.sleep(PROGRESS_EVERY_S)

        track = await self._track(asset, folder)
        async with self._db.tx() as tx:
            await store.set_state(tx, asset.id, asset.attempt, "encoding", self._clock.now())
        showing = asyncio.create_task(show())
        try:
            first, still = await encode.first_playable(
                source, film, cut, folder / "out", follow, track
            )
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        has_more = bool(encode.rungs_above(film))
        files = [self._file(asset, "rendition", first), self._file(asset, "poster", still)]
        await self._put(asset, files, [first.path, still.path])
        async with self._db.tx() as tx:
            if not await self._claim(tx, asset, files, WORKING):
                return
            await store.set_playable(
                tx,
                asset.id,
                first.duration_ms,
                first.width,
                first.height,
                self._clock.now(),
                has_audio=film.has_audio or track is not None,
            )
            await self._queue.put(tx, "media.playable", {"asset_id": str(asset.id)})
            if has_more:
                await self._media.put_job(tx, "media.ladder", asset.id)
            else:
                await self._complete(tx, asset)

    async def _film(self, asset: Asset, folder: Path) -> tuple[Path, Probe, Cut]:
        """The assembled source, what it is, and the part of it that the author keeps."""
        fence.require(fence.available(), allow_unfenced=self._settings.allow_unfenced_decoding)
        source = folder / "source"
        async with self._db.read() as tx:
            chunks = await store.chunks(tx, asset.upload_id) if asset.upload_id else []
        await self._assemble(chunks, source)
        film = await probe.probe(source, folder / "out")
        start_ms, length_ms = probe.check_length(film, asset.edit, self._settings.max_duration_ms)
        return source, film, Cut(start_ms, length_ms, max(0, asset.edit.cover_ms - start_ms))

    async def _track(self, asset: Asset, folder: Path) -> Track | None:
        """The sound of another film, where this one is to have it. Raises Unreadable where that
        film is gone."""
        if asset.sound is None:
            return None
        files = await self._renditions(asset.sound.asset_id) if asset.sound.asset_id else []
        if not files:
            raise Unreadable("sound-gone")
        path = folder / "sound.mp4"
        await self._fetch(files[0], path)
        return Track(path, asset.sound.mode)

    async def _finished_track(self, asset: Asset, folder: Path) -> Track | None:
        """The sound that the first rendition has got already, where another film's is in it."""
        if asset.sound is None:
            return None
        path = folder / "sound.mp4"
        await self._fetch((await self._renditions(asset.id))[0], path)
        return Track(path, "ready")

    async def _renditions(self, asset_id: UUID) -> list[File]:
        """The renditions of a film, smallest first."""
        async with self._db.read() as tx:
            files = await store.files(tx, asset_id)
        return sorted(
            (file for file in files if file.kind == "rendition"),
            key=lambda file: file.width * file.height,
        )

    async def _fetch(self, file: File, path: Path) -> None:
        data = await self._blobs.get(file.object_key)
        await asyncio.to_thread(path.write_bytes, data)

    async def _assemble(self, chunks: list[Chunk], source: Path) -> None:
        offset = 0
        with await asyncio.to_thread(source.open, "wb") as file:
            for chunk in chunks:
                try:
                    data = await self._blobs.get(chunk.object_key)
                except Missing as error:
                    raise Unreadable("cannot-be-read") from error
                if chunk.offset_bytes != offset or len(data) != chunk.size_bytes:
                    raise Unreadable("cannot-be-read")
                await asyncio.to_thread(file.write, data)
                offset += len(data)

    async def _put(self, asset: Asset, files: list[File], paths: list[Path]) -> None:
        """Stores the files; nothing of a film that was deleted while it was encoded."""
        async with self._db.tx() as tx:
            if await store.asset(tx, asset.id) is None:
                return
            await self._media.announce(tx, *(file.object_key for file in files))
        puts = (
            self._blobs.put(file.object_key, each) for file, each in zip(files, paths, strict=True)
        )
        await asyncio.gather(*puts)

    async def _claim(
        self, tx: Tx, asset: Asset, files: list[File], states: tuple[State, ...]
    ) -> bool:
        """Makes the stored files the asset's, if this attempt is still the current one; gives them
        up where another has overtaken it, or the film is gone."""
        now = await store.lock_asset(tx, asset.id)
        if now is None or now.attempt != asset.attempt or now.state not in states:
            await self._media.disown(tx, *(file.object_key for file in files))
            return False
        if not await store.claim(tx, [file.object_key for file in files]):
            raise NotStored
        for file in files:
            await store.add_file(tx, asset.id, file)
        if now.prefix != asset.prefix:
            # The audience changed meanwhile: these lie under the old name.
            await self._media.put_job(tx, "media.rename", asset.id)
        return True

    async def _finish(self, asset: Asset, made: list[Encoded], folder: Path) -> None:
        files = [self._file(asset, "rendition", each) for each in made]
        await self._put(asset, files, [each.path for each in made])
        async with self._db.tx() as tx:
            if await self._claim(tx, asset, files, ("playable",)):
                await self._complete(tx, asset)

    async def _complete(self, tx: Tx, asset: Asset) -> None:
        await store.set_complete(tx, asset.id, self._clock.now())
        if asset.upload_id is not None:
            await self._media.drop_upload(tx, asset.upload_id)

    async def _refuse(self, asset: Asset, code: str) -> None:
        async with self._db.tx() as tx:
            now = await store.lock_asset(tx, asset.id)
            if now is None or now.attempt != asset.attempt or now.state not in WORKING:
                return
            await store.refuse(tx, asset.id, code, self._clock.now())
            if asset.upload_id is not None:
                await self._media.drop_upload(tx, asset.upload_id)
            body = {"asset_id": str(asset.id), "code": code}
            await self._queue.put(tx, "media.refused", body)

    async def _tell(self, asset: Asset, percent: int) -> None:
        async with self._db.tx() as tx:
            now = self._clock.now()
            if await store.set_progress(tx, asset.id, asset.attempt, percent, now):
                await self._show_progress(tx, asset.id, percent)

    def _file(self, asset: Asset, kind: str, made: Encoded) -> File:
        filename = f"{made.name}-{asset.attempt}{made.path.suffix}"
        return File(
            kind,
            made.name,
            filename,
            asset.prefix + filename,
            MIME[kind],
            made.width,
            made.height,
            made.bitrate_bps,
            made.size_bytes,
        )
