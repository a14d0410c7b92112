"""What is done to films that are finished: a sound goes, looks and segments are caught up on, and
those that are watched get AV1."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

from luciole.cell.media import av1, editing, encode, fence, laying, pictures, probe, quality
from luciole.cell.media.looks import seen
from luciole.cell.media.model import FAILURE_COUNTS, Asset
from luciole.cell.media.probe import Probe, Unreadable
from luciole.cell.media.rungs import Cut
from luciole.cell.media.seals import naming
from luciole.cell.media.soundtrack import Track
from luciole.cell.media.store import av1 as av1_store
from luciole.cell.media.store import looks as looks_store
from luciole.cell.media.store import quotes, seals, silence
from luciole.cell.media.workshop import Workshop

# AV1 takes minutes of work; it is given up as soon as somebody's film comes.
GIVES_WAY_EVERY_S = 2.0
SEALED_KINDS = ("rendition", "segments", "av1")


class Aftercare(Workshop):
    """The workshop, and the work on films that came out of it or with an export."""

    async def look(self, asset_id: UUID) -> None:
        """Looks at a finished film that came with its renditions, or from before there were
        looks."""
        async with self._ladders:
            asset = await self._attempts.start(asset_id, ("complete",), "complete")
            if asset is None:
                return
            async with self._attempts.of(asset) as folder:
                files = await self._shelf.renditions(asset.id)
                async with self._db.read() as tx:
                    is_seen = await looks_store.is_seen(tx, asset.id)
                if is_seen or not files:
                    return
                source = folder / "source"
                await self._shelf.fetch(files[-1], source)
                film = await self._own(source, folder)
                # What was cut off is not there any more.
                cover_ms = max(0, asset.edit.cover_ms - asset.edit.trim_start_ms)
                cut = Cut(0, film.duration_ms, cover_ms)
                looks = await encode.glance(source, film, cut, folder / "out")
                small = await pictures.small(source, film, cut, folder / "out")
                laid = self._hang(asset, small)
                await self._shelf.put(asset, laid)
                async with self._db.tx() as tx:
                    if await self._shelf.claim(tx, asset, laid, ("complete",)):
                        await looks_store.set_looks(tx, asset.id, looks)
                        await self._queue.put(tx, "media.looked", {"asset_id": str(asset.id)})

    async def silence(self, asset_id: UUID) -> None:
        """Takes the sound out of a film whose sound's own film is gone, from all renditions at
        once."""
        async with self._ladders:
            asset = await self._attempts.start(asset_id, ("complete",), "complete")
            if asset is None:
                return
            async with self._attempts.of(asset) as folder:
                if asset.sound is None or asset.sound.asset_id is not None:
                    return
                made = []
                for file in await self._shelf.renditions(asset.id):
                    loud = folder / f"loud-{file.name}.mp4"
                    await self._shelf.fetch(file, loud)
                    size = (file.width, file.height)
                    made.append(await encode.silenced(loud, file.name, size, folder / "out"))
                told = await self._told(asset, folder)
                laid = await self._lay(asset, made, folder, told)
                await self._shelf.put(asset, laid)
                async with self._db.tx() as tx:
                    if await self._shelf.replace(tx, asset, laid):
                        await silence.silent(tx, asset.id, self._clock.now())
                        await self.seals.leave(tx, asset.id)

    async def unquote(self, asset_id: UUID) -> None:
        """Takes out of a film what it shows of another one that is gone: all that is left is its
        own, and made anew of its best rendition, in one step. Its sound stays where the other one
        was before it, and not where both were heard at once."""
        async with self._ladders:
            asset = await self._attempts.start(asset_id, ("complete",), "complete")
            if asset is None:
                return
            async with self._attempts.of(asset) as folder:
                files = await self._shelf.renditions(asset.id)
                if asset.quote is None or asset.quote.asset_id is not None or not files:
                    return
                whole = folder / "whole.mp4"
                await self._shelf.fetch(files[-1], whole)
                fence.require(
                    fence.available(), allow_unfenced=self._settings.allow_unfenced_decoding
                )
                out_dir = folder / "out"
                try:
                    source = await editing.alone(
                        whole, await probe.probe(whole, out_dir), asset.quote, folder
                    )
                    film = await probe.probe(source, out_dir)
                except Unreadable as error:
                    raise encode.EncodingFailed("a rendition cannot be read") from error
                cut = Cut(0, film.duration_ms)
                first, still = await encode.first_playable(source, film, cut, out_dir)
                looks = await asyncio.to_thread(seen, out_dir, first.width, first.height, cut)
                track = Track(first.path, "ready") if film.has_audio else None
                made = [first, *await encode.ladder(source, film, cut, out_dir, track=track)]
                small = await pictures.small(source, film, cut, out_dir)
                hung = self._hang(asset, small)
                hung.append(laying.picture("poster", still, asset.prefix, asset.attempt))
                told = await naming(await self.seals.told(asset.id), hung)
                laid = [*await self._lay(asset, made, folder, told), *hung]
                await self._shelf.put(asset, laid)
                async with self._db.tx() as tx:
                    if await self._shelf.replace_all(tx, asset, laid):
                        await looks_store.set_looks(tx, asset.id, looks)
                        await self.seals.leave(tx, asset.id)
                        await self._queue.put(tx, "media.looked", {"asset_id": str(asset.id)})
                        await quotes.alone(
                            tx,
                            asset.id,
                            first.duration_ms,
                            first.width,
                            first.height,
                            self._clock.now(),
                            has_audio=film.has_audio,
                        )

    async def segment(self, asset_id: UUID) -> None:
        """Cuts renditions into segments that were made before there were any."""
        async with self._ladders:
            asset = await self._attempts.start(asset_id, ("complete",), "complete")
            if asset is None:
                return
            async with self._attempts.of(asset) as folder:
                made, told = [], await self._told(asset, folder)
                for file in await self._shelf.renditions(asset.id):
                    if file.index is None:
                        path = folder / "out" / f"{file.name}.mp4"
                        await self._shelf.fetch(file, path)
                        made.append(laying.stored(file, path))
                laid = await laying.cut(
                    made, asset.prefix, asset.attempt, folder / "out", self.seals.of(told)
                )
                await self._shelf.put(asset, laid)
                async with self._db.tx() as tx:
                    if await self._shelf.replace(tx, asset, laid):
                        await self.seals.leave(tx, asset.id)

    async def seal(self, asset_id: UUID) -> None:
        """Seals all files of a finished film anew, because its author's label has changed, or
        because they have no seal of this cell yet. On a machine that can seal."""
        async with self._ladders:
            asset = await self._attempts.start(asset_id, ("complete",), "complete")
            if asset is None:
                return
            async with self._attempts.of(asset) as folder:
                laid, told = [], await self._told(asset, folder)
                seal = self.seals.of(told)
                assert seal is not None
                for file in await self._shelf.files(asset.id):
                    if file.kind not in SEALED_KINDS:
                        continue
                    path = folder / "out" / file.filename
                    await self._shelf.fetch(file, path)
                    await seal(path)
                    laid.append(await laying.exchanged(file, path, asset.prefix, asset.attempt))
                laid = laying.with_index(laid)
                await self._shelf.put(asset, laid)
                async with self._db.tx() as tx:
                    if await self._shelf.exchange(tx, asset, laid):
                        await seals.sealed_anew(tx, asset.id, told)

    async def av1(self, asset_id: UUID) -> None:
        """Makes AV1 of a film that is watched. Does nothing while another film waits to be made or
        is being made, and stops when one comes; the sweep starts it anew."""
        async with self._idle:
            if await self._is_busy():
                return
            asset = await self._attempts.start(asset_id, ("complete",), "complete")
            if asset is None:
                return
            async with self._attempts.of(asset) as folder:
                if asset.crashes > FAILURE_COUNTS:
                    return
                making = asyncio.create_task(self._make_av1(asset, folder))
                try:
                    while not making.done():
                        await asyncio.wait({making}, timeout=GIVES_WAY_EVERY_S)
                        if not making.done() and await self._is_busy():
                            return
                    await making
                finally:
                    making.cancel()
                    await asyncio.gather(making, return_exceptions=True)

    async def _is_busy(self) -> bool:
        async with self._db.read() as tx:
            return await av1_store.is_busy(tx)

    async def _make_av1(self, asset: Asset, folder: Path) -> None:
        files = {file.name: file for file in await self._shelf.renditions(asset.id)}
        laid = []
        async with self._db.read() as tx:
            is_wanted = await av1_store.is_wanted(tx, asset.id)
        if not is_wanted:
            return
        if rungs := av1.rungs(files):
            smallest, *_, largest = files.values()
            source, out = folder / "source", folder / "out"
            await self._shelf.fetch(largest, source)
            film = await self._own(source, folder)
            cut = Cut(0, film.duration_ms)
            track = None
            if film.has_audio:
                track = Track(folder / "sound.mp4", "ready")
                await self._shelf.fetch(smallest, track.path)
            try:
                crf = await quality.crf_for(source, film, cut, rungs[-1], out, scale=av1.SCALE)
                made = await av1.made(source, film, cut, rungs, crf, out, track)
            except Unreadable as error:
                raise encode.EncodingFailed("a rendition takes too long") from error
            seal = self.seals.of(await self._told(asset, folder))
            laid = [
                (file, path)
                for file, path in await laying.av1(made, asset.prefix, asset.attempt, out, seal)
                if file.size_bytes < files[file.name].size_bytes
            ]
            await self._shelf.put(asset, laid)
        async with self._db.tx() as tx:
            if await self._shelf.claim(tx, asset, laid, ("complete",)):
                await av1_store.set_made(tx, asset.id, self._clock.now())
                await self.seals.leave(tx, asset.id)

    async def _own(self, source: Path, folder: Path) -> Probe:
        """What a rendition is. Raises EncodingFailed; NoFence where nothing may be opened."""
        fence.require(fence.available(), allow_unfenced=self._settings.allow_unfenced_decoding)
        try:
            return await probe.probe(source, folder / "out")
        except Unreadable as error:
            raise encode.EncodingFailed("a rendition cannot be read") from error
