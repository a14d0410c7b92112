"""Films that come with their renditions, from an export that somebody brings along.

What our own encoder made is taken as it is, picture for picture (`recognise` decides), and packed
as our own is; everything else becomes an upload like any other and is encoded anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from luciole.cell.media import encode, fence, laying, recognise, sealing, store
from luciole.cell.media.encode import Encoded
from luciole.cell.media.model import PIECE_BYTES, Chunk, Edit, NotOurs, NotStored
from luciole.cell.media.rungs import FIRST
from luciole.cell.media.service import Media
from luciole.cell.media.store import File, adoption, unclaimed
from luciole.config import Settings
from luciole.kit.blobs import Blobs
from luciole.kit.clock import Clock
from luciole.kit.db import Database, Tx
from luciole.kit.ids import new_id, new_token

STILL = "poster"
AVATAR_SIDE = 256
# Their files carry this number, as those of a first attempt would.
ATTEMPT = 1


class Laid(msgspec.Struct, frozen=True):
    """Files that lie in the object store and belong to nothing yet."""

    token: str
    is_public: bool
    files: list[File]
    duration_ms: int
    width: int
    height: int
    has_audio: bool


class Adoption:
    """Takes films and pictures over."""

    def __init__(
        self, db: Database, media: Media, blobs: Blobs, settings: Settings, clock: Clock
    ) -> None:
        self._db = db
        self._media = media
        self._blobs = blobs
        self._settings = settings.media
        self._clock = clock

    async def lay(
        self, films: Mapping[str, Path], still: Path, work_dir: Path, *, is_public: bool
    ) -> Laid:
        """Stores the renditions (by name) and the still of a film, if all of them are ours.
        Raises NotOurs; NoFence where nothing of a stranger may be opened."""
        fence.require(fence.available(), allow_unfenced=self._settings.allow_unfenced_decoding)
        if FIRST.name not in films:
            raise NotOurs
        judged = [
            await recognise.rendition(path, name, work_dir, self._settings.max_duration_ms)
            for name, path in sorted(films.items())
        ]
        first = next(made for made, _ in judged if made.name == FIRST.name)
        sounds = {has_sound for _, has_sound in judged}
        if len(sounds) != 1 or not all(_is_same_film(first, made) for made, _ in judged):
            raise NotOurs
        await recognise.still(still, first.width, first.height, work_dir)
        size_bytes = encode.size_bytes(still)
        shown = Encoded(STILL, still, first.width, first.height, size_bytes, 0)
        token = new_token()
        prefix = f"{'p' if is_public else 'r'}/{token}/"
        made = [one for one, _ in judged]
        laid = [
            await _as_it_came(one, films, prefix)
            for one in await laying.renditions(made, prefix, ATTEMPT, work_dir, None)
        ]
        laid.append(laying.picture("poster", shown, prefix, ATTEMPT))
        files = [file for file, _ in laid]
        async with self._db.tx() as tx:
            await self._media.announce(tx, *(file.object_key for file in files))
        # If we stop here or before the claim, the sweep finds the announced objects.
        await asyncio.gather(*(self._blobs.put(file.object_key, path) for file, path in laid))
        return Laid(
            token, is_public, files, first.duration_ms, first.width, first.height, sounds.pop()
        )

    async def claim(
        self,
        tx: Tx,
        owner_id: UUID,
        laid: Laid,
        edit: Edit,
        created_at: datetime,
        *,
        is_public: bool,
    ) -> UUID:
        """Makes an asset of laid files. Where the audience is another one by now, they are
        renamed afterwards, as for any other film. Raises NotStored."""
        if not await unclaimed.claim(tx, [file.object_key for file in laid.files]):
            raise NotStored
        asset_id = new_id()
        token = laid.token if is_public == laid.is_public else new_token()
        await adoption.add_whole(
            tx,
            asset_id,
            owner_id,
            edit,
            is_public=is_public,
            token=token,
            attempt=ATTEMPT,
            duration_ms=laid.duration_ms,
            width=laid.width,
            height=laid.height,
            has_audio=laid.has_audio,
            created_at=created_at,
            now=self._clock.now(),
        )
        for file in laid.files:
            await store.add_file(tx, asset_id, file)
        await self._media.put_job(tx, "media.look", asset_id)
        if token != laid.token:
            await self._media.put_job(tx, "media.rename", asset_id)
        return asset_id

    async def upload(self, owner_id: UUID, source: Path) -> UUID:
        """The file as a finished upload of the person, for encoding. Raises what
        `Media.create_upload` raises."""
        size_bytes = encode.size_bytes(source)
        async with self._db.tx() as tx:
            upload = await self._media.create_upload(tx, owner_id, size_bytes)
        offset = 0
        with await asyncio.to_thread(source.open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                chunk = Chunk(offset, len(piece), f"uploads/{upload.id}/{offset}-{new_token()}")
                async with self._db.tx() as tx:
                    await self._media.announce(tx, chunk.object_key)
                await self._blobs.put(chunk.object_key, piece)
                async with self._db.tx() as tx:
                    offset = await self._media.accept(tx, upload, chunk)
                    upload = await self._media.upload(tx, owner_id, upload.id)
        return upload.id

    async def is_avatar(self, picture: Path, work_dir: Path) -> bool:
        """Whether a picture is as the cell makes those of people, so that it can stay as it is."""
        try:
            await recognise.still(picture, AVATAR_SIDE, AVATAR_SIDE, work_dir)
        except NotOurs:
            return False
        return True


async def _as_it_came(made: laying.Laid, films: Mapping[str, Path], prefix: str) -> laying.Laid:
    """The file that came in the place of the one that our muxer made of it, where they are the same
    but for what the cell that it comes from has signed onto it: that stays."""
    file, path = made
    source = films.get(file.name)
    if (
        file.kind != "rendition"
        or source is None
        or not await asyncio.to_thread(_same, source, path)
    ):
        return made
    row, came = await laying.exchanged(file, source, prefix, ATTEMPT)
    return msgspec.structs.replace(row, index=row.index or file.index), came


def _same(source: Path, made: Path) -> bool:
    return sealing.digest(source.read_bytes()) == sealing.digest(made.read_bytes())


def _is_same_film(first: Encoded, other: Encoded) -> bool:
    """Whether two renditions have the same length and, but for rounding, the same form."""
    slope = abs(first.width * other.height - first.height * other.width)
    return (
        abs(first.duration_ms - other.duration_ms) <= recognise.LENGTH_MS
        and slope <= 2 * max(other.width, other.height)
        and min(first.width, first.height) <= min(other.width, other.height)
    )
