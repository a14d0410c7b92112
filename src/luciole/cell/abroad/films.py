"""Films and pictures of other cells: fetched by the gateway, looked at in the fence, kept as ours.

A clip gets its row in the transaction that claims its stored film, so nobody sees one without.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from luciole.border import wire
from luciole.cell.abroad.model import Peer
from luciole.cell.abroad.store import elsewhere
from luciole.cell.clips.model import Brought
from luciole.cell.clips.service import Clips
from luciole.cell.media.model import BadPicture, Edit, NotOurs
from luciole.cell.media.service import Media
from luciole.cell.people.service import People
from luciole.kit.blobs import Blobs
from luciole.kit.db import Database, Tx
from luciole.kit.errors import Problem
from luciole.kit.ids import new_id, new_token
from luciole.kit.workplace import open_folder, sweep_folders

MAX_AVATAR_BYTES = 5 * 1024 * 1024
WHOLE = Edit(0, None, 0)

MakeAvatar = Callable[[bytes], Awaitable[bytes]]


class Fetching(Protocol):
    """The way to the bytes of public files of other cells (`luciole.ask.gateway.Outward`)."""

    async def media(self, peer: str, path: str, sha256: str, size_bytes: int) -> None: ...


class Adopting(Protocol):
    """What media does with films that come encoded (`media.adoption.Adoption`)."""

    async def lay(
        self, films: Mapping[str, Path], still: Path, work_dir: Path, *, is_public: bool
    ) -> Any: ...

    async def claim(
        self,
        tx: Tx,
        owner_id: UUID,
        laid: Any,
        edit: Edit,
        created_at: datetime,
        *,
        is_public: bool,
    ) -> UUID: ...

    async def upload(self, owner_id: UUID, source: Path) -> UUID: ...


class Waits(Exception):
    """It cannot have its place yet: what it belongs to, or its film, is not here."""


class Films:
    """Gives clips and pictures their place. `incoming` is where the gateway puts fetched files."""

    def __init__(
        self,
        db: Database,
        people: People,
        clips: Clips,
        media: Media,
        adopting: Adopting,
        make_avatar: MakeAvatar,
        blobs: Blobs,
        *,
        fetching: Fetching,
        incoming: Path,
        work_dir: Path,
    ) -> None:
        self._db, self._people, self._clips, self._media = db, people, clips, media
        self._adopting, self._make_avatar, self._blobs = adopting, make_avatar, blobs
        self._fetching, self._incoming, self._work_dir = fetching, incoming, work_dir
        sweep_folders(work_dir)

    async def avatar(self, peer: Peer, person_id: UUID, file: wire.File | None) -> None:
        """Shows their picture, made anew in the fence as those of ours are. One that is none is
        left out. Raises Waits."""
        key = None
        if file is not None:
            if file.size_bytes > MAX_AVATAR_BYTES:
                return
            picture = await self._fetched(peer, file)
            try:
                made = await self._make_avatar(picture.read_bytes())
            except BadPicture:
                return
            finally:
                picture.unlink(missing_ok=True)
            key = f"p/{new_token()}/avatar.webp"
            async with self._db.tx() as tx:
                await self._people.announce_avatar(tx, key)
            # If we stop here or below, the announced job finds the object unused and deletes it.
            await self._blobs.put(key, made)
        async with self._db.tx() as tx:
            await self._people.set_avatar(tx, person_id, key)
            await elsewhere.set_avatar(tx, person_id, bytes.fromhex(file.sha256) if file else None)

    async def add(self, peer: Peer, author_id: UUID, body: wire.Clip, arrival_id: UUID) -> None:
        """Gives a clip its place, unless it was taken back meanwhile. Raises Waits."""
        async with self._folder() as folder:
            fetched = [await self._fetched(peer, file) for file in wire.files_of(body)]
            films = {
                film.name.removesuffix("p"): _named(path, folder / f"{film.name}.mp4")
                for film, path in zip(body.films, fetched[:-1], strict=True)
            }
            still = _named(fetched[-1], folder / "poster.webp")
            try:
                laid = await self._adopting.lay(films, still, folder, is_public=True)
            except NotOurs:
                # Made by another encoder: it becomes an upload like any other.
                largest = max(body.films, key=lambda one: one.height * one.width)
                film = films[largest.name.removesuffix("p")]
                upload_id = await self._adopting.upload(author_id, film)
                await self._encode(peer, author_id, body, arrival_id, upload_id)
            else:
                async with self._db.tx() as tx:
                    if await elsewhere.take(tx, arrival_id):
                        at = _moment(body.published_at)
                        asset_id = await self._adopting.claim(
                            tx, author_id, laid, WHOLE, at, is_public=True
                        )
                        await self._bring(tx, peer, author_id, body, asset_id, is_playable=True)
        for path in fetched:
            path.unlink(missing_ok=True)

    async def _encode(
        self, peer: Peer, author_id: UUID, body: wire.Clip, arrival_id: UUID, upload_id: UUID
    ) -> None:
        async with self._db.tx() as tx:
            if not await elsewhere.take(tx, arrival_id):
                await self._media.cancel_upload(tx, author_id, upload_id)
                return
            asset_id = await self._media.begin(tx, author_id, upload_id, WHOLE, is_public=True)
            await self._bring(tx, peer, author_id, body, asset_id, is_playable=False)

    async def _bring(
        self,
        tx: Tx,
        peer: Peer,
        author_id: UUID,
        body: wire.Clip,
        asset_id: UUID,
        *,
        is_playable: bool,
    ) -> None:
        at = _moment(body.published_at)
        brought = Brought(
            caption=body.caption,
            audience="everyone",
            made_with_ai=body.made_with_ai,
            captions=(body.captions.vtt, body.captions.language) if body.captions else None,
            created_at=at,
            published_at=at,
        )
        clip_id = await self._clips.bring(tx, author_id, asset_id, brought, is_playable=is_playable)
        await elsewhere.add_clip(tx, clip_id, author_id, peer.name, body.uri)
        if not body.comments:
            await self.change(tx, clip_id, author_id, body)

    async def change(self, tx: Tx, clip_id: UUID, author_id: UUID, body: wire.Clip) -> None:
        """Makes a clip say what it says now; its film stays what it was."""
        await self._clips.change(
            tx,
            author_id,
            clip_id,
            caption=body.caption,
            audience=None,
            made_with_ai=body.made_with_ai,
            comments_by="preferred" if body.comments else "nobody",
        )
        captions = (body.captions.vtt, body.captions.language) if body.captions else None
        await self._clips.set_captions(tx, author_id, clip_id, captions)

    async def _fetched(self, peer: Peer, file: wire.File) -> Path:
        """The file, as the gateway has fetched it. Raises Waits."""
        path = self._incoming / file.sha256
        if not path.is_file():
            try:
                await self._fetching.media(peer.name, file.path, file.sha256, file.size_bytes)
            except Problem as error:
                raise Waits from error
        # The gateway has checked it; it is another process, and this costs little.
        is_there = path.is_file() and path.stat().st_size == file.size_bytes
        if not is_there or _sha(path) != file.sha256:
            path.unlink(missing_ok=True)
            raise Waits
        return path

    @contextlib.asynccontextmanager
    async def _folder(self) -> AsyncIterator[Path]:
        folder = self._work_dir / f"arriving-{new_id()}"
        lock = open_folder(folder)
        try:
            yield folder / "out"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _named(fetched: Path, name: Path) -> Path:
    """The same file under the name that those of ours have."""
    shutil.copyfile(fetched, name)
    return name


def _sha(path: Path) -> str:
    hashed = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hashed.update(chunk)
    return hashed.hexdigest()


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
