"""What an import does with clips: films of our own making stay as they are, byte for byte; all
others are encoded anew, as if they had just been uploaded."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

from luciole.cell.clips.model import MAX_VTT_BYTES, Brought
from luciole.cell.media.model import (
    DiskFull,
    Edit,
    NotOurs,
    TooManyHeld,
    TooManyUploads,
    UploadTooLarge,
)
from luciole.cell.rights.imports.going import Later, Taking
from luciole.cell.rights.imports.rows import ClipRow, FileRow, FilmRow
from luciole.cell.rights.model import Outcome, Unimportable
from luciole.kit.db import Tx
from luciole.kit.errors import Invalid


class _Film:
    """The files of one film in the archive, by name."""

    def __init__(self) -> None:
        self.row: FilmRow | None = None
        self.renditions: dict[str, str] = {}
        self.still = ""


async def take(taking: Taking, start: int, end: int) -> None:
    """Takes every clip that was published, the oldest first; shows progress between two percents.
    Raises Later."""
    films: dict[UUID, _Film] = {}
    async for row in taking.lists.rows("data/media/films.json", FilmRow):
        films.setdefault(row.id, _Film()).row = row
    async for file in taking.lists.rows("data/media/files.json", FileRow):
        film = films.setdefault(file.asset_id, _Film())
        if file.kind == "rendition" and file.name not in film.renditions:
            film.renditions[file.name] = file.file
        elif file.kind == "poster":
            film.still = file.file
    done = 0
    async for clip in taking.lists.rows("data/clips/clips.json", ClipRow):
        if await _take_one(taking, clip, films.get(clip.asset_id, _Film())):
            taking.give_way()
        done += 1
        await taking.show(start + (end - start) * done // max(len(films), done))


async def _take_one(taking: Taking, clip: ClipRow, film: _Film) -> bool:
    """Takes a clip in; False where that has been done before."""
    cell, subject = taking.cell, str(clip.id)
    if await taking.is_done("clip", subject):
        return False
    async with cell.db.read() as tx:
        is_private = (await cell.people.account(tx, taking.person_id)).is_private
    folder = taking.folder / "clip"
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    folder.mkdir()
    renditions = {}
    for number, (name, path) in enumerate(sorted(film.renditions.items())):
        place = folder / f"{number}.mp4"
        if await taking.unpack(path, place):
            renditions[name] = place
    still = folder / "poster.webp"
    if clip.state != "published" or clip.published_at is None or not renditions:
        await taking.note("clip", subject, "left")
        return True
    brought = Brought(
        clip.caption,
        clip.audience_here,
        # What the film's file once said comes along as the word of whoever brings it.
        clip.made_with_ai or (film.row is not None and film.row.says_ai),
        await _captions(taking, clip),
        clip.created_at,
        clip.published_at,
    )
    is_public = clip.audience_here == "everyone" and not is_private
    try:
        if not await taking.unpack(film.still, still):
            raise NotOurs
        laid = await cell.films.lay(renditions, still, taking.folder / "out", is_public=is_public)
    except NotOurs:
        await _encode(taking, subject, brought, max(renditions.values(), key=_size), film)
    else:
        await _adopt(taking, subject, brought, laid, film)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return True


async def _adopt(taking: Taking, subject: str, brought: Brought, laid: Any, film: _Film) -> None:
    """A clip whose files stay as they are."""
    cell = taking.cell
    created_at = film.row.created_at if film.row else brought.created_at

    async def write(brought: Brought) -> None:
        async with cell.db.tx() as tx:
            is_private = await cell.people.hold_privacy(tx, taking.person_id)
            asset_id = await cell.films.claim(
                tx,
                taking.person_id,
                laid,
                _edit(film.row),
                created_at,
                is_public=brought.audience == "everyone" and not is_private,
            )
            clip_id = await cell.clips.bring(
                tx, taking.person_id, asset_id, brought, is_playable=True
            )
            await _noted(tx, taking, subject, "taken", clip_id)

    await _written(taking, subject, brought, write)


async def _encode(
    taking: Taking, subject: str, brought: Brought, source: Path, film: _Film
) -> None:
    """A clip whose best file becomes an upload."""
    cell = taking.cell
    try:
        upload_id = await cell.films.upload(taking.person_id, source)
    except (TooManyHeld, TooManyUploads, DiskFull) as error:
        raise Later from error
    except UploadTooLarge:
        await taking.note("clip", subject, "left")
        return
    # What was cut off is not there any more; the cover counts from the start of what is.
    edit = _edit(film.row)
    edit = Edit(cover_ms=max(0, edit.cover_ms - edit.trim_start_ms))

    async def write(brought: Brought) -> None:
        async with cell.db.tx() as tx:
            is_private = await cell.people.hold_privacy(tx, taking.person_id)
            asset_id = await cell.media.begin(
                tx,
                taking.person_id,
                upload_id,
                edit,
                is_public=brought.audience == "everyone" and not is_private,
            )
            clip_id = await cell.clips.bring(
                tx, taking.person_id, asset_id, brought, is_playable=False
            )
            await _noted(tx, taking, subject, "encoding", clip_id)

    await _written(taking, subject, brought, write)


async def _written(taking: Taking, subject: str, brought: Brought, write: Any) -> None:
    """Writes the clip; without captions where these are refused; not at all where the caption
    is."""
    try:
        await write(brought)
    except Invalid:
        bare = Brought(
            brought.caption,
            brought.audience,
            brought.made_with_ai,
            None,
            brought.created_at,
            brought.published_at,
        )
        try:
            await write(bare)
        except Invalid:
            await taking.note("clip", subject, "left")


async def _captions(taking: Taking, clip: ClipRow) -> tuple[str, str] | None:
    if clip.captions is None:
        return None
    try:
        text = await taking.lists.text(clip.captions, MAX_VTT_BYTES)
    except Unimportable:
        return None
    return None if text is None else (text, clip.captions_language or "en")


def _edit(row: FilmRow | None) -> Edit:
    if row is None:
        return Edit()
    end_ms = row.trim_end_ms
    return Edit(
        row.trim_start_ms,
        end_ms if end_ms is not None and end_ms > row.trim_start_ms else None,
        row.cover_ms,
    )


async def _noted(tx: Tx, taking: Taking, subject: str, outcome: Outcome, clip_id: UUID) -> None:
    if not await taking.add(tx, "clip", subject, outcome, clip_id):
        # Another attempt was faster; nothing of this one stays.
        raise Later


def _size(path: Path) -> int:
    return path.stat().st_size
