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
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.cell.media import (
    credentials,
    editing,
    encode,
    fence,
    laying,
    pictures,
    probe,
    quality,
    store,
    turns,
)
from luciole.cell.media.attempts import Attempts, ShowProgress
from luciole.cell.media.editing import Quoted
from luciole.cell.media.encode import Encoded
from luciole.cell.media.held import Held, holding, require_room, storing
from luciole.cell.media.laying import Laid
from luciole.cell.media.looks import seen
from luciole.cell.media.manifest import Told
from luciole.cell.media.model import FAILURE_COUNTS, MAX_CRASHES, Asset, Chunk, Quote, State
from luciole.cell.media.probe import Probe, Unreadable
from luciole.cell.media.rungs import Cut
from luciole.cell.media.sealing import Sealer
from luciole.cell.media.seals import Seals, naming
from luciole.cell.media.service import CLAIM_WITHIN, Media
from luciole.cell.media.shelf import Shelf
from luciole.cell.media.soundtrack import Track
from luciole.cell.media.store import av1 as av1_store
from luciole.cell.media.store import layers as layers_store
from luciole.cell.media.store import looks as looks_store
from luciole.cell.media.store import quotes, seals, segments, silence, unclaimed, waiting
from luciole.config import Settings
from luciole.kit.blobs import Blobs, Missing
from luciole.kit.clock import Clock
from luciole.kit.db import LOST, Database, Tx
from luciole.kit.logs import log
from luciole.kit.queue import Queue
from luciole.kit.workplace import sweep_folders

PROGRESS_EVERY_S = 0.5
STUCK_AFTER = timedelta(minutes=2)
SWEPT_AT_ONCE = 500
LOOKED_AT_ONCE = 20
SEGMENTED_AT_ONCE = 20
SEALED_AT_ONCE = 20
AV1_AT_ONCE = 4
# Of the rendition that another film quotes.
MOST_QUOTED = 720
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
        sealer: Sealer | None,
    ) -> None:
        """Without a sealer files are left without this cell's credentials, and another machine of
        the cell signs them when it sweeps."""
        self._db = db
        self._media = media
        self._blobs = blobs
        self._queue = queue
        self._settings = settings.media
        self._shelf = Shelf(db, media, blobs, clock)
        self._folder = settings.work_dir / "media"
        self._clock = clock
        self.seals = Seals(db, sealer)
        self._attempts = Attempts(db, self._folder, clock, show_progress)
        encoders = max(1, settings.worker.encoders)
        self._benches = asyncio.Semaphore(encoders)
        self._idle = asyncio.Semaphore(1)
        # A new clip waits for no other clip's better quality: those have benches of their own.
        self._ladders = asyncio.Semaphore(max(1, encoders - 1))

    async def prepare(self, asset_id: UUID) -> None:
        """Probes the file and makes the first playable and the poster, or refuses it."""
        async with self._benches:
            asset = await self._attempts.start(asset_id, WORKING, "probing")
            if asset is None:
                return
            if asset.crashes > MAX_CRASHES:
                await self._refuse(asset, "cannot-be-read")
                return
            async with self._attempts.of(asset) as folder:
                try:
                    await self._first(asset, folder)
                except Unreadable as reason:
                    await self._refuse(asset, reason.code)

    async def climb(self, asset_id: UUID) -> None:
        """Makes the renditions above the first and the small pictures, then lets go of the
        upload."""
        async with self._ladders:
            asset = await self._attempts.start(asset_id, ("playable",), "playable")
            if asset is None:
                return
            if asset.crashes > MAX_CRASHES:
                # It plays already; a ladder that cannot be climbed does not take that back.
                await self._finish(asset, [], [], Path())
                return
            async with self._attempts.of(asset) as folder:
                made: list[Encoded] = []
                small: list[Encoded] = []
                with contextlib.suppress(Unreadable):
                    source, film, cut = await self._film(asset, folder)
                    try:
                        with holding():
                            small = await pictures.small(source, film, cut, folder / "out")
                    except encode.EncodingFailed:
                        # The clip does without them, and has its renditions all the same.
                        log.warning("no small pictures", attempt=asset.attempt, exc_info=True)
                    track = await self._finished_track(asset, film, folder)
                    crf = None
                    if rungs := encode.rungs_above(film):
                        # On the lowest of them: the higher one looks no worse with the same CRF,
                        # and trying it costs twice as much.
                        crf = await quality.crf_for(source, film, cut, rungs[-1], folder / "out")
                    made = await encode.ladder(
                        source, film, cut, folder / "out", track=track, crf=crf
                    )
                await self._finish(asset, made, small, folder)

    async def rename(self, asset_id: UUID) -> None:
        """Brings the objects to where the asset's addresses say they are."""
        await self._shelf.rename(asset_id)

    async def sweep(self) -> None:
        """Removes what is left of expired uploads and dead attempts, and wakes stuck assets."""
        now = self._clock.now()
        async with self._db.tx() as tx:
            for upload_id in await store.expired_uploads(tx, now, SWEPT_AT_ONCE):
                await self._media.drop_upload(tx, upload_id)
            for asset_id, state in await store.stuck(tx, now - STUCK_AFTER, SWEPT_AT_ONCE):
                # What cannot go on yet finds that out soon, and waits for the next sweep.
                name = "media.ladder" if state == "playable" else "media.prepare"
                await self._media.put_job(tx, name, asset_id)
            for asset_id in await silence.bereft(tx, SWEPT_AT_ONCE):
                await self._media.put_job(tx, "media.silence", asset_id)
            for asset_id in await quotes.lost(tx, SWEPT_AT_ONCE):
                await self._media.put_job(tx, "media.unquote", asset_id)
            for asset_id in await looks_store.unseen(tx, MAX_CRASHES, LOOKED_AT_ONCE):
                await self._media.put_job(tx, "media.look", asset_id)
            for asset_id in await segments.without(tx, SEGMENTED_AT_ONCE, FAILURE_COUNTS):
                await self._media.put_job(tx, "media.segment", asset_id)
            for asset_id in await seals.without(tx, SEALED_AT_ONCE, FAILURE_COUNTS):
                await self._media.put_job(tx, "media.seal", asset_id)
            if not await av1_store.is_busy(tx):
                for asset_id in await av1_store.wanted(tx, AV1_AT_ONCE, FAILURE_COUNTS):
                    await self._media.put_job(tx, "media.av1", asset_id)
        await self.sweep_objects()
        await asyncio.to_thread(sweep_folders, self._folder)

    async def sweep_objects(self) -> None:
        """Deletes the objects that were given up, or that nobody came back for."""
        while True:
            async with self._db.tx() as tx:
                keys = await unclaimed.doom(tx, self._clock.now() - CLAIM_WITHIN, SWEPT_AT_ONCE)
            if not keys:
                break
            # If we stop here, the rows stay doomed and the next sweep deletes the objects.
            await self._blobs.delete(*keys)
            async with self._db.tx() as tx:
                await unclaimed.forget(tx, keys)

    async def _first(self, asset: Asset, folder: Path) -> None:
        began = self._clock.now()
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
                        await self._attempts.tell(asset, percent)
                await asyncio.sleep(PROGRESS_EVERY_S)

        brought = None
        if film.facts.has_credentials:
            brought = await credentials.check(folder / "source", folder / "out", self._anchors())
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
        looks = await asyncio.to_thread(seen, folder / "out", first.width, first.height, cut)
        told = await self.seals.told(asset.id)
        edit = asset.edit
        is_edited = source != folder / "source" or edit.is_muted or edit.trim_start_ms > 0
        is_edited = is_edited or edit.trim_end_ms is not None or track is not None
        told = msgspec.structs.replace(
            told, file_says_ai=film.facts.ai, came_with=brought, is_edited=is_edited
        )
        poster = laying.picture("poster", still, asset.prefix, asset.attempt)
        told = await naming(told, [poster])
        laid = [*await self._lay(asset, [first], folder, told), poster]
        await self._shelf.put(asset, laid)
        async with self._db.tx() as tx:
            if not await self._shelf.claim(tx, asset, laid, WORKING):
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
            await looks_store.set_looks(tx, asset.id, looks)
            await looks_store.set_credentials(tx, asset.id, film.facts.ai, brought)
            await seals.set_sealed(tx, asset.id, told)
            await self.seals.leave(tx, asset.id)
            took_ms = int((self._clock.now() - began).total_seconds() * 1000)
            await waiting.set_pace(tx, turns.mean_ms(await waiting.pace(tx), took_ms))
            await self._queue.put(tx, "media.playable", {"asset_id": str(asset.id)})
            await self._queue.put(tx, "media.looked", {"asset_id": str(asset.id)})
            await self._media.put_job(tx, "media.ladder", asset.id)

    async def _film(self, asset: Asset, folder: Path) -> tuple[Path, Probe, Cut]:
        """The assembled source, or what its author's edits make of it; what that is, and the part
        of it that is kept."""
        fence.require(fence.available(), allow_unfenced=self._settings.allow_unfenced_decoding)
        source = folder / "source"
        async with self._db.read() as tx:
            chunks = await store.chunks(tx, asset.upload_id) if asset.upload_id else []
            expires_at = None
            if asset.upload_id and (upload := await store.upload(tx, asset.upload_id)):
                expires_at = upload.expires_at
        await asyncio.to_thread(require_room, folder, sum(each.size_bytes for each in chunks))
        try:
            await self._assemble(chunks, source)
        except Missing as error:
            # A store that was put elsewhere, or that is not mounted, has none of our objects.
            if expires_at is not None and self._clock.now() < expires_at:
                raise Held("store") from error
            raise Unreadable("cannot-be-read") from error
        film = await probe.probe(source, folder / "out")
        if asset.edit.is_muted:
            film = film.without_sound()
        kept = editing.cuts(film, asset.edit, self._settings.max_duration_ms)
        cover_ms = editing.cover_ms(asset.edit)
        async with self._db.read() as tx:
            layers = await layers_store.layers(tx, asset.id)
        if editing.is_plain(asset.edit, layers) and asset.quote is None:
            return source, film, Cut(kept[0].start_ms, kept[0].length_ms, cover_ms)
        quoted = await self._quoted(asset.quote, folder) if asset.quote else None
        if quoted and quoted.how == "stitch":
            cover_ms += quoted.length_ms
        source = await editing.edited(source, film, kept, layers, folder, quoted)
        edited = await probe.probe(source, folder / "out")
        return source, edited.with_credentials_of(film), Cut(0, edited.duration_ms, cover_ms)

    def _anchors(self) -> Path | None:
        """The operator's list of whom to trust."""
        path = Path(self._settings.trust_anchors)
        if not self._settings.trust_anchors:
            return None
        if path.is_file() and path.stat().st_size <= credentials.MOST_ANCHORS_BYTES:
            return path.resolve()
        log.error("the list of trusted signers cannot be read")
        return None

    async def _quoted(self, quote: Quote, folder: Path) -> Quoted:
        """The other film that this one is made from. Raises Unreadable where it is gone."""
        files = await self._shelf.renditions(quote.asset_id) if quote.asset_id else []
        async with self._db.read() as tx:
            first = await store.asset(tx, quote.asset_id) if quote.asset_id else None
        if not files or first is None:
            raise Unreadable("first-gone")
        fitting = [each for each in files if min(each.width, each.height) <= MOST_QUOTED]
        path = folder / "quoted.mp4"
        await self._shelf.fetch((fitting or files[:1])[-1], path)
        film = await probe.probe(path, folder / "out")
        if first.sound is not None:
            # That sound is somebody else's, who was not asked.
            film = film.without_sound()
        start_ms = min(quote.start_ms, film.duration_ms)
        length_ms = min(quote.end_ms, film.duration_ms) - start_ms
        return Quoted(path, film, quote.how, start_ms, length_ms)

    async def _track(self, asset: Asset, folder: Path) -> Track | None:
        """The sound of another film, where this one is to have it. Raises Unreadable where that
        film is gone."""
        if asset.sound is None:
            return None
        return Track(await self._sound_of(asset.sound.asset_id, folder), asset.sound.mode)

    async def _finished_track(self, asset: Asset, film: Probe, folder: Path) -> Track | None:
        """The sound that the first rendition has got already. Raises Unreadable where the film was
        deleted meanwhile."""
        if asset.sound is None and not film.has_audio:
            return None
        return Track(await self._sound_of(asset.id, folder), "ready")

    async def _sound_of(self, asset_id: UUID | None, folder: Path) -> Path:
        files = await self._shelf.renditions(asset_id) if asset_id else []
        if not files:
            raise Unreadable("sound-gone")
        path = folder / "sound.mp4"
        await self._shelf.fetch(files[0], path)
        return path

    async def _assemble(self, chunks: list[Chunk], source: Path) -> None:
        offset = 0
        with await asyncio.to_thread(source.open, "wb") as file:
            for chunk in chunks:
                with storing():
                    data = await self._blobs.get(chunk.object_key)
                if chunk.offset_bytes != offset or len(data) != chunk.size_bytes:
                    raise Unreadable("cannot-be-read")
                await asyncio.to_thread(file.write, data)
                offset += len(data)

    async def _told(self, asset: Asset, folder: Path, new: Sequence[Laid] = ()) -> Told:
        """What is said of a film by now, and of its pictures: those that it has, and new ones."""
        pictures = await self._shelf.pictures(asset.id, folder)
        return await naming(await self.seals.told(asset.id), [*pictures, *new])

    async def _lay(self, asset: Asset, made: list[Encoded], folder: Path, told: Told) -> list[Laid]:
        return await laying.renditions(
            made, asset.prefix, asset.attempt, folder / "out", self.seals.of(told)
        )

    def _hang(self, asset: Asset, small: list[Encoded]) -> list[Laid]:
        return [laying.picture(each.name, each, asset.prefix, asset.attempt) for each in small]

    async def _finish(
        self, asset: Asset, made: list[Encoded], small: list[Encoded], folder: Path
    ) -> None:
        hung = self._hang(asset, small)
        laid = list(hung)
        told = Told()
        if made:
            told = await self._told(asset, folder, hung)
            laid = [*await self._lay(asset, made, folder, told), *hung]
        await self._shelf.put(asset, laid)
        async with self._db.tx() as tx:
            if await self._shelf.claim(tx, asset, laid, ("playable",)):
                if made:
                    await seals.also_sealed(tx, asset.id, told)
                    await self.seals.leave(tx, asset.id)
                await self._complete(tx, asset)

    async def _complete(self, tx: Tx, asset: Asset) -> None:
        await store.set_complete(tx, asset.id, self._clock.now())
        await layers_store.drop(tx, asset.id)
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
