"""The SQL of media."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.media.model import (
    Asset,
    Chunk,
    Edit,
    Piece,
    Quote,
    Rendition,
    SoundOf,
    State,
    Upload,
)
from luciole.kit.db import Row, Tx


class File(msgspec.Struct, frozen=True):
    """A stored file of an asset and where its bytes are."""

    kind: str
    name: str
    filename: str
    object_key: str
    mime: str
    width: int
    height: int
    bitrate_bps: int
    size_bytes: int
    index: str | None = None
    """Of a rendition in segments: the index of its bytes, as JSON."""


_RENDITIONS = msgspec.json.Decoder(list[Rendition])

ADD_UPLOAD = """
INSERT INTO media.upload (id, owner_id, size_bytes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""
LOCK_OWNER = (
    "SELECT pg_advisory_xact_lock(hashtextextended('media.upload/' || ($1::uuid)::text, 0))"
)
OPEN_UPLOADS = """
SELECT id FROM media.upload
WHERE owner_id = $1 AND asset_id IS NULL AND offset_bytes < size_bytes AND expires_at > $2 LIMIT $3
"""
HELD_UPLOADS = "SELECT id FROM media.upload WHERE owner_id = $1 LIMIT $2"
UPLOAD = """
SELECT id, owner_id, size_bytes, offset_bytes, chunks, asset_id, expires_at
FROM media.upload WHERE id = $1
"""
LOCK_UPLOAD = """
SELECT id, owner_id, size_bytes, offset_bytes, chunks, asset_id, expires_at
FROM media.upload WHERE id = $1 FOR UPDATE
"""
MOVE_OFFSET = """
UPDATE media.upload SET offset_bytes = offset_bytes + $3, chunks = chunks + 1
WHERE id = $1 AND offset_bytes = $2 AND asset_id IS NULL
RETURNING offset_bytes
"""
ADD_CHUNK = """
INSERT INTO media.chunk (upload_id, offset_bytes, size_bytes, object_key) VALUES ($1, $2, $3, $4)
"""
CHUNKS = """
SELECT offset_bytes, size_bytes, object_key FROM media.chunk
WHERE upload_id = $1 ORDER BY offset_bytes
"""
USE_UPLOAD = "UPDATE media.upload SET asset_id = $2 WHERE id = $1"
DROP_UPLOAD = "DELETE FROM media.upload WHERE id = $1"
EXPIRED_UPLOADS = """
SELECT id FROM media.upload WHERE asset_id IS NULL AND expires_at <= $1
ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
ADD_ASSET = """
INSERT INTO media.asset (id, owner_id, upload_id, trim_start_ms, trim_end_ms, cover_ms, is_public,
                         token, created_at, changed_at, sound_asset_id, sound_mode, turn, pieces,
                         is_muted, quoted_asset_id, quote_how, quote_start_ms, quote_end_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
ASSET = """
SELECT id, owner_id, upload_id, state, trim_start_ms, trim_end_ms, cover_ms, is_public, token,
       attempt, crashes, sound_asset_id, sound_mode, pieces, is_muted,
       quoted_asset_id, quote_how, quote_start_ms, quote_end_ms
FROM media.asset WHERE id = $1
"""
LOCK_ASSET = """
SELECT id, owner_id, upload_id, state, trim_start_ms, trim_end_ms, cover_ms, is_public, token,
       attempt, crashes, sound_asset_id, sound_mode, pieces, is_muted,
       quoted_asset_id, quote_how, quote_start_ms, quote_end_ms
FROM media.asset WHERE id = $1 FOR UPDATE
"""
START = """
UPDATE media.asset
SET attempt = attempt + 1, crashes = crashes + 1, state = $2, changed_at = $3, started_at = $3,
    waits_for = NULL, progress = CASE WHEN $2 IN ('probing', 'encoding') THEN 0 ELSE progress END
WHERE id = $1
"""
PARDON = """
UPDATE media.asset SET crashes = greatest(crashes - 1, 0) WHERE id = $1 AND attempt = $2
"""
BLAME = "UPDATE media.asset SET crashes = crashes + $3 WHERE id = $1 AND attempt = $2"
SET_STATE = """
UPDATE media.asset SET state = $3, changed_at = $4 WHERE id = $1 AND attempt = $2
"""
SET_PROGRESS = """
UPDATE media.asset SET progress = $3, changed_at = $4
WHERE id = $1 AND attempt = $2 AND state IN ('probing', 'encoding')
RETURNING id
"""
PLAYABLE = """
UPDATE media.asset
SET state = 'playable', progress = 100, crashes = 0, duration_ms = $2, width = $3, height = $4,
    has_audio = $5, changed_at = $6
WHERE id = $1
"""
COMPLETE = """
UPDATE media.asset SET state = 'complete', upload_id = NULL, crashes = 0, changed_at = $2
WHERE id = $1
"""
REFUSE = """
UPDATE media.asset SET state = 'refused', refused_code = $2, upload_id = NULL, changed_at = $3
WHERE id = $1
"""
SET_PLACE = "UPDATE media.asset SET is_public = $2, token = $3 WHERE id = $1"
DELETE_ASSET = "DELETE FROM media.asset WHERE id = $1"
STUCK = """
SELECT id, state FROM media.asset
WHERE state IN ('queued', 'probing', 'encoding', 'playable')
  AND (changed_at < $1 OR waits_for IS NOT NULL)
ORDER BY changed_at LIMIT $2
"""
ADD_FILE = """
INSERT INTO media.file (asset_id, kind, name, filename, object_key, mime, width, height,
                        bitrate_bps, size_bytes, index)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
FILES = """
SELECT kind, name, filename, object_key, mime, width, height, bitrate_bps, size_bytes, index
FROM media.file WHERE asset_id = $1 ORDER BY kind, name
"""
FIND_FILE = """
SELECT f.kind, f.name, f.filename, f.object_key, f.mime, f.width, f.height, f.bitrate_bps,
       f.size_bytes, f.index
FROM media.asset a
JOIN media.file f ON f.asset_id = a.id
JOIN people.card p ON p.id = a.owner_id
WHERE a.token = $1 AND a.is_public = $2 AND f.filename = $3
"""
RENDITIONS = """
SELECT m.renditions
FROM media.asset a
JOIN media.playable m ON m.asset_id = a.id
JOIN people.card p ON p.id = a.owner_id
WHERE a.token = $1 AND a.is_public = $2
"""
MOVE_FILE = """
UPDATE media.file SET object_key = $4 WHERE asset_id = $1 AND filename = $2 AND object_key = $3
RETURNING asset_id
"""


async def add_upload(
    tx: Tx, upload_id: UUID, owner_id: UUID, size_bytes: int, now: datetime, expires_at: datetime
) -> None:
    await tx.execute(ADD_UPLOAD, upload_id, owner_id, size_bytes, now, expires_at)


async def open_uploads(tx: Tx, owner_id: UUID, now: datetime, most: int) -> int:
    """How many unfinished uploads the person has, `most` at most; others of the same person wait
    until this transaction ends."""
    await tx.execute(LOCK_OWNER, owner_id)
    return len(await tx.fetch(OPEN_UPLOADS, owner_id, now, most))


async def held_uploads(tx: Tx, owner_id: UUID, most: int) -> int:
    """How many uploads of the person there are in whatever state, `most` at most."""
    return len(await tx.fetch(HELD_UPLOADS, owner_id, most))


async def upload(tx: Tx, upload_id: UUID) -> Upload | None:
    return _upload(await tx.fetchrow(UPLOAD, upload_id))


async def lock_upload(tx: Tx, upload_id: UUID) -> Upload | None:
    return _upload(await tx.fetchrow(LOCK_UPLOAD, upload_id))


async def move_offset(tx: Tx, upload_id: UUID, expected: int, by: int) -> int | None:
    """The new offset, or None where the upload is at another place than expected."""
    offset: int | None = await tx.fetchval(MOVE_OFFSET, upload_id, expected, by)
    return offset


async def add_chunk(tx: Tx, upload_id: UUID, chunk: Chunk) -> None:
    await tx.execute(ADD_CHUNK, upload_id, chunk.offset_bytes, chunk.size_bytes, chunk.object_key)


async def chunks(tx: Tx, upload_id: UUID) -> list[Chunk]:
    rows = await tx.fetch(CHUNKS, upload_id)
    return [Chunk(row["offset_bytes"], row["size_bytes"], row["object_key"]) for row in rows]


async def use_upload(tx: Tx, upload_id: UUID, asset_id: UUID) -> None:
    await tx.execute(USE_UPLOAD, upload_id, asset_id)


async def drop_upload(tx: Tx, upload_id: UUID) -> None:
    await tx.execute(DROP_UPLOAD, upload_id)


async def expired_uploads(tx: Tx, now: datetime, most: int) -> list[UUID]:
    return [row["id"] for row in await tx.fetch(EXPIRED_UPLOADS, now, most)]


async def add_asset(
    tx: Tx,
    asset_id: UUID,
    owner_id: UUID,
    upload_id: UUID,
    edit: Edit,
    now: datetime,
    *,
    is_public: bool,
    token: str,
    sound: SoundOf | None,
    quote: Quote | None,
    turn: int,
) -> None:
    await tx.execute(
        ADD_ASSET,
        asset_id,
        owner_id,
        upload_id,
        edit.trim_start_ms,
        edit.trim_end_ms,
        edit.cover_ms,
        is_public,
        token,
        now,
        sound.asset_id if sound else None,
        sound.mode if sound else None,
        turn,
        [moment for piece in edit.pieces for moment in (piece.start_ms, piece.end_ms)],
        edit.is_muted,
        *((quote.asset_id, quote.how, quote.start_ms, quote.end_ms) if quote else [None] * 4),
    )


async def asset(tx: Tx, asset_id: UUID) -> Asset | None:
    return _asset(await tx.fetchrow(ASSET, asset_id))


async def lock_asset(tx: Tx, asset_id: UUID) -> Asset | None:
    return _asset(await tx.fetchrow(LOCK_ASSET, asset_id))


async def start(tx: Tx, asset_id: UUID, state: State, now: datetime) -> None:
    await tx.execute(START, asset_id, state, now)


async def pardon(tx: Tx, asset_id: UUID, attempt: int) -> None:
    """Takes back that this attempt counts as a crash."""
    await tx.execute(PARDON, asset_id, attempt)


async def blame(tx: Tx, asset_id: UUID, attempt: int, more: int) -> None:
    """Lets this attempt count for more than one crash."""
    await tx.execute(BLAME, asset_id, attempt, more)


async def set_state(tx: Tx, asset_id: UUID, attempt: int, state: State, now: datetime) -> None:
    await tx.execute(SET_STATE, asset_id, attempt, state, now)


async def set_progress(tx: Tx, asset_id: UUID, attempt: int, percent: int, now: datetime) -> bool:
    """Whether the attempt is still the current one."""
    return await tx.fetchval(SET_PROGRESS, asset_id, attempt, percent, now) is not None


async def set_playable(
    tx: Tx,
    asset_id: UUID,
    duration_ms: int,
    width: int,
    height: int,
    now: datetime,
    *,
    has_audio: bool,
) -> None:
    await tx.execute(PLAYABLE, asset_id, duration_ms, width, height, has_audio, now)


async def set_complete(tx: Tx, asset_id: UUID, now: datetime) -> None:
    await tx.execute(COMPLETE, asset_id, now)


async def refuse(tx: Tx, asset_id: UUID, code: str, now: datetime) -> None:
    await tx.execute(REFUSE, asset_id, code, now)


async def set_place(tx: Tx, asset_id: UUID, token: str, *, is_public: bool) -> None:
    await tx.execute(SET_PLACE, asset_id, is_public, token)


async def delete_asset(tx: Tx, asset_id: UUID) -> None:
    await tx.execute(DELETE_ASSET, asset_id)


async def stuck(tx: Tx, before: datetime, most: int) -> list[tuple[UUID, State]]:
    """Films that are not done, and of which nothing was heard since, or that had to wait."""
    return [(row["id"], row["state"]) for row in await tx.fetch(STUCK, before, most)]


async def add_file(tx: Tx, asset_id: UUID, file: File) -> None:
    await tx.execute(ADD_FILE, asset_id, *msgspec.structs.astuple(file))


async def files(tx: Tx, asset_id: UUID) -> list[File]:
    return [_file(row) for row in await tx.fetch(FILES, asset_id)]


async def find_file(tx: Tx, token: str, filename: str, *, is_public: bool) -> File | None:
    row = await tx.fetchrow(FIND_FILE, token, is_public, filename)
    return _file(row) if row else None


async def renditions(tx: Tx, token: str, *, is_public: bool) -> list[Rendition]:
    """The renditions of the film with this token, lowest first; none where there is none."""
    return _RENDITIONS.decode(await tx.fetchval(RENDITIONS, token, is_public) or "[]")


async def move_file(tx: Tx, asset_id: UUID, filename: str, old_key: str, new_key: str) -> bool:
    return await tx.fetchval(MOVE_FILE, asset_id, filename, old_key, new_key) is not None


def _upload(row: Row | None) -> Upload | None:
    if row is None:
        return None
    return Upload(
        row["id"],
        row["owner_id"],
        row["size_bytes"],
        row["offset_bytes"],
        row["chunks"],
        row["asset_id"],
        row["expires_at"],
    )


def _asset(row: Row | None) -> Asset | None:
    if row is None:
        return None
    return Asset(
        row["id"],
        row["owner_id"],
        row["upload_id"],
        row["state"],
        Edit(
            row["trim_start_ms"],
            row["trim_end_ms"],
            row["cover_ms"],
            tuple(map(Piece, row["pieces"][::2], row["pieces"][1::2])),
            row["is_muted"],
        ),
        row["is_public"],
        row["token"],
        row["attempt"],
        row["crashes"],
        SoundOf(row["sound_asset_id"], row["sound_mode"]) if row["sound_mode"] else None,
        Quote(row["quoted_asset_id"], row["quote_how"], row["quote_start_ms"], row["quote_end_ms"])
        if row["quote_how"]
        else None,
    )


def _file(row: Row) -> File:
    return File(
        row["kind"],
        row["name"],
        row["filename"],
        row["object_key"],
        row["mime"],
        row["width"],
        row["height"],
        row["bitrate_bps"],
        row["size_bytes"],
        row["index"],
    )
