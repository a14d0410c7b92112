"""The front door of media: uploads, assets, addresses."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from luciole.cell.media import fence, playlists, sealing, store, turns
from luciole.cell.media.edit_list import BadPieces, check_pieces, checked_layers
from luciole.cell.media.links import Links, Verdict
from luciole.cell.media.model import (
    MAX_PIECES,
    Asset,
    BadTrim,
    Chunk,
    DiskFull,
    Edit,
    NoSuchUpload,
    Quote,
    Rendition,
    Shown,
    SoundOf,
    TooManyHeld,
    TooManyPieces,
    TooManyUploads,
    Upload,
    UploadNotFinished,
    UploadTooLarge,
    UploadUsed,
    Way,
    WrongOffset,
)
from luciole.cell.media.quota import Quota
from luciole.cell.media.store import (
    File,
    av1,
    erasure,
    layers,
    looks,
    quotes,
    seals,
    unclaimed,
    waiting,
)
from luciole.cell.media.store.waiting import Late
from luciole.config import Settings
from luciole.kit.clock import Clock
from luciole.kit.db import Tx
from luciole.kit.ids import new_id, new_token
from luciole.kit.queue import QUICK, Queue

# After every film that waits for anything.
LAST = -2_000_000_000
PRIORITIES = {"media.look": LAST, "media.segment": LAST, "media.av1": LAST - 1}
# Of those before a waiting film, and of those that are being made, so many are counted.
COUNTED = 1_000
# Of which nothing was heard for so long, on that nobody works.
HEARD_WITHIN = timedelta(minutes=2)
# An announced object that was not claimed within this time belongs to something that died.
CLAIM_WITHIN = timedelta(hours=2)


class Room:
    """Keeps as much of the disk free as uploads of films do."""

    def __init__(self, settings: Settings) -> None:
        self._folder = "" if "://" in settings.blobs_place else settings.blobs_place
        self._min_free_bytes = settings.media.min_free_bytes

    def require(self, size_bytes: int) -> None:
        """Raises DiskFull. An object store elsewhere has its own limits."""
        if self._folder:
            # Before the first object the folder itself is not there yet.
            place = Path(self._folder).absolute()
            place = next(each for each in (place, *place.parents) if each.is_dir())
            free_bytes = shutil.disk_usage(place).free
            if free_bytes - size_bytes < self._min_free_bytes:
                raise DiskFull


class Media:
    """What other slices may ask of media. `signing_key` signs addresses of restricted files."""

    def __init__(self, settings: Settings, signing_key: bytes, clock: Clock, queue: Queue) -> None:
        self._settings = settings.media
        self.quota = Quota(settings.media, clock)
        self._data = settings.data
        self._links = Links(signing_key, settings.media.signed_url_s, settings.media.delivery_url)
        self._clock = clock
        self._queue = queue

    # Uploads

    async def digest(self, content: bytes) -> bytes:
        """SHA-256 of a stored file without the credentials that were signed onto it: the same for
        the same film."""
        return await asyncio.to_thread(sealing.digest, content)

    async def create_upload(self, tx: Tx, owner_id: UUID, size_bytes: int) -> Upload:
        """Opens an upload of that size.

        Raises UploadTooLarge, TooManyUploads, TooManyHeld, DiskFull, NoFence.
        """
        if size_bytes > self._settings.max_upload_bytes:
            raise UploadTooLarge
        self._require_fence()
        self._require_room(size_bytes)
        now = self._clock.now()
        most = self._settings.max_open_uploads
        if await store.open_uploads(tx, owner_id, now, most) >= most:
            raise TooManyUploads
        # Else one person could fill the disk with films that nobody ever publishes.
        most = self._settings.max_held_uploads
        if await store.held_uploads(tx, owner_id, most) >= most:
            raise TooManyHeld
        upload_id = new_id()
        expires_at = now + timedelta(hours=self._settings.upload_hours)
        await store.add_upload(tx, upload_id, owner_id, size_bytes, now, expires_at)
        return Upload(upload_id, owner_id, size_bytes, 0, 0, None, expires_at)

    async def upload(self, tx: Tx, owner_id: UUID, upload_id: UUID) -> Upload:
        """The person's own upload. Raises NoSuchUpload."""
        return self._own(await store.upload(tx, upload_id), owner_id)

    async def announce(self, tx: Tx, *keys: str) -> None:
        """Notes objects that are about to be written, so that they are found if nobody comes back
        for them."""
        await unclaimed.announce(tx, keys, self._clock.now())

    async def disown(self, tx: Tx, *keys: str) -> None:
        """Gives objects up: the next sweep deletes them."""
        await unclaimed.announce(tx, keys, self._clock.now() - CLAIM_WITHIN)

    async def accept(self, tx: Tx, upload: Upload, chunk: Chunk) -> int:
        """Takes a stored piece in and gives the new offset. Raises WrongOffset where another
        writer was faster, TooManyPieces."""
        if upload.chunks >= MAX_PIECES:
            raise TooManyPieces
        offset = await store.move_offset(tx, upload.id, chunk.offset_bytes, chunk.size_bytes)
        if offset is None or not await unclaimed.claim(tx, [chunk.object_key]):
            raise WrongOffset
        await store.add_chunk(tx, upload.id, chunk)
        return offset

    async def cancel_upload(self, tx: Tx, owner_id: UUID, upload_id: UUID) -> None:
        """Forgets an upload of which no clip was made. Raises NoSuchUpload."""
        self._own(await store.lock_upload(tx, upload_id), owner_id)
        await self.drop_upload(tx, upload_id)

    async def drop_upload(self, tx: Tx, upload_id: UUID) -> None:
        """Removes an upload's rows, and its objects with the next sweep."""
        pieces = await store.chunks(tx, upload_id)
        await self.disown(tx, *(piece.object_key for piece in pieces))
        await store.drop_upload(tx, upload_id)

    # Assets

    async def say_ai(self, tx: Tx, asset_id: UUID, says_ai: bool) -> None:
        """The author's label on the clip, for the seals on its film; what is sealed already is
        sealed anew with the next sweep."""
        await seals.set_author_says(tx, asset_id, says_ai)

    async def begin(
        self,
        tx: Tx,
        owner_id: UUID,
        upload_id: UUID,
        edit: Edit,
        *,
        is_public: bool,
        sound: SoundOf | None = None,
        quote: Quote | None = None,
    ) -> UUID:
        """Makes an asset of a finished upload, once, and queues the work; with `sound`, it gets the
        sound of another film, with `quote` it is made from one. The jobs
        `media.playable` and `media.refused` tell how it went.

        Raises NoSuchUpload, UploadNotFinished, UploadUsed, BadTrim, BadPieces, BadLayer, NoFence.
        """
        self._require_fence()
        if edit.trim_end_ms is not None and edit.trim_end_ms <= edit.trim_start_ms:
            raise BadTrim
        if edit.pieces and (edit.trim_start_ms or edit.trim_end_ms is not None):
            raise BadPieces
        check_pieces(edit.pieces, self._settings.max_duration_ms)
        laid = checked_layers(edit.layers)
        upload = await store.lock_upload(tx, upload_id)
        if upload is not None and upload.owner_id == owner_id and upload.asset_id is not None:
            raise UploadUsed
        upload = self._own(upload, owner_id)
        if upload.offset_bytes < upload.size_bytes:
            raise UploadNotFinished
        asset_id = new_id()
        now = self._clock.now()
        await store.add_asset(
            tx,
            asset_id,
            owner_id,
            upload_id,
            edit,
            now,
            is_public=is_public,
            token=new_token(),
            sound=sound,
            quote=quote,
            turn=turns.turn(await waiting.now(tx), await waiting.authors_last(tx, owner_id)),
        )
        await layers.add(tx, asset_id, laid)
        await store.use_upload(tx, upload_id, asset_id)
        await self.put_job(tx, "media.prepare", asset_id)
        return asset_id

    async def put_job(self, tx: Tx, name: str, asset_id: UUID) -> None:
        """Queues work on an asset, unless the same is waiting or running."""
        key = f"{name}/{asset_id}"
        priority = PRIORITIES.get(name, QUICK)
        if name in turns.BANDS:
            priority = turns.priority(name, await waiting.turn(tx, asset_id))
        body = {"asset_id": str(asset_id)}
        await self._queue.put(tx, name, body, priority=priority, once=key)

    async def late(self, tx: Tx, after: timedelta, most: int) -> list[Late]:
        """Films that wait for something to be mended, or cannot be played so long after they were
        begun."""
        now = self._clock.now()
        return await waiting.late(tx, now - after, now, most)

    async def want_av1(self, tx: Tx, asset_ids: Sequence[UUID]) -> None:
        """Has AV1 made of films that are watched, once nothing else waits to be made."""
        await av1.want(tx, asset_ids)

    async def way(self, tx: Tx, asset_id: UUID) -> Way | None:
        """How far a film is that cannot be played yet; None for others."""
        film = await waiting.work(tx, asset_id)
        if film is None:
            return None
        now = self._clock.now()
        ahead = 0
        if film.state == "queued":
            ahead = await waiting.ahead(tx, film.turn, asset_id, COUNTED)
        at_work = await waiting.at_work(tx, now - HEARD_WITHIN, COUNTED)
        left_s = turns.left_s(film, ahead, at_work, await waiting.pace(tx), now)
        return Way(film.progress, ahead, None if film.waits_for else left_s, film.waits_for)

    async def narrow(self, tx: Tx, asset_id: UUID) -> None:
        """Only signed addresses are good from here on; all earlier ones are dead at once."""
        asset = await store.lock_asset(tx, asset_id)
        if asset is not None:
            await self._place(tx, asset, is_public=False)

    async def widen(self, tx: Tx, asset_id: UUID) -> None:
        """Everybody may fetch its files, at new addresses."""
        asset = await store.lock_asset(tx, asset_id)
        if asset is not None and not asset.is_public:
            await self._place(tx, asset, is_public=True)

    async def lose_quote(self, tx: Tx, asset_id: UUID) -> None:
        """Has what a film shows of another one taken out of it."""
        await quotes.lose(tx, asset_id)
        await self.put_job(tx, "media.unquote", asset_id)

    async def delete(self, tx: Tx, asset_id: UUID) -> None:
        """Removes the asset; its objects go with the next sweep. No error where there is none."""
        asset = await store.lock_asset(tx, asset_id)
        if asset is None:
            return
        await self.disown(tx, *(file.object_key for file in await store.files(tx, asset_id)))
        if asset.upload_id is not None:
            await self.drop_upload(tx, asset.upload_id)
        # A job that works on it finds no row when it is done, and leaves its objects unclaimed.
        await store.delete_asset(tx, asset_id)

    async def shown(self, tx: Tx, asset_ids: Sequence[UUID]) -> dict[UUID, Shown]:
        """What stands for the films before they play."""
        return await looks.shown(tx, asset_ids)

    async def is_awaited(self, tx: Tx, prefix: str) -> bool:
        """Whether an object below `prefix` was announced and may still be written, or is given up
        and not yet deleted."""
        return await erasure.is_awaited(tx, [prefix])

    # Addresses

    def url(self, key: str, session_id: UUID | None) -> str:
        """The address of a key of `media.playable`, signed for the session where it has to be."""
        return self._links.url(key, session_id, self._clock.now())

    def check(self, key: str, expires: int, signature: str, session_id: UUID | None) -> Verdict:
        """What a signature under a restricted address is worth."""
        return self._links.check(key, expires, signature, session_id, self._clock.now())

    async def find(self, tx: Tx, key: str) -> File | None:
        """The file at an address as it is now; None for one that never was or is no more."""
        prefix, _, rest = key.partition("/")
        token, _, filename = rest.partition("/")
        if prefix not in ("p", "r") or not filename:
            return None
        return await store.find_file(tx, token, filename, is_public=prefix == "p")

    def playlist_key(self, renditions: Sequence[Rendition]) -> str | None:
        """The key of the playlist of a clip with these renditions, if it has one."""
        return playlists.master_key(renditions)

    async def playlist(self, tx: Tx, key: str, session_id: UUID | None) -> str | None:
        """The playlist at an address, with addresses for that session; None where there is none."""
        prefix, _, rest = key.partition("/")
        token, _, _ = rest.partition("/")
        renditions = await store.renditions(tx, token, is_public=prefix == "p")
        return playlists.written(key, renditions, lambda one: self.url(one, session_id))

    async def _place(self, tx: Tx, asset: Asset, *, is_public: bool) -> None:
        await store.set_place(tx, asset.id, new_token(), is_public=is_public)
        await self.put_job(tx, "media.rename", asset.id)

    def _own(self, upload: Upload | None, owner_id: UUID) -> Upload:
        if (
            upload is None
            or upload.owner_id != owner_id
            or upload.asset_id is not None
            or upload.expires_at <= self._clock.now()
        ):
            raise NoSuchUpload
        return upload

    def _require_fence(self) -> None:
        fence.require(fence.available(), allow_unfenced=self._settings.allow_unfenced_decoding)

    def _require_room(self, size_bytes: int) -> None:
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        free_bytes = shutil.disk_usage(self._data).free
        if free_bytes - size_bytes < self._settings.min_free_bytes:
            raise DiskFull
