"""SQL of what a person takes along: films, their files, and uploads that are under way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.kit.db import Tx
from luciole.kit.exported import ExportedRow, listed

ASSETS = """
SELECT id, is_public, token, progress, duration_ms, width, height, has_audio, upload_id, state,
       refused_code, trim_start_ms, trim_end_ms, cover_ms, attempt, crashes, created_at, changed_at,
       sound_asset_id, sound_mode, turn, started_at, waits_for, av1, ai,
       credentials, credentials_code, credentials_signer,
       encode(thumbhash, 'hex') AS thumbhash, pieces, is_muted,
       quoted_asset_id, quote_how, quote_start_ms, quote_end_ms
FROM media.asset WHERE owner_id = $1 ORDER BY created_at, id
"""
LAYERS = """
SELECT l.asset_id, l.place, l.start_ms, l.end_ms, encode(l.png, 'base64') AS png
FROM media.asset a JOIN media.layer l ON l.asset_id = a.id
WHERE a.owner_id = $1 ORDER BY a.created_at, a.id, l.place
"""
# What is drawn out of these (segments, AV1, the poster as AVIF, a preview) a new cell draws again.
FILES = """
SELECT f.asset_id, f.kind, f.name, f.filename, f.object_key, f.mime, f.width, f.height,
       f.bitrate_bps, f.size_bytes
FROM media.asset a JOIN media.file f ON f.asset_id = a.id
WHERE a.owner_id = $1 AND f.kind IN ('rendition', 'poster')
ORDER BY a.created_at, a.id, f.kind, f.name
"""
UPLOADS = """
SELECT u.id, u.size_bytes, u.offset_bytes, u.chunks, u.asset_id, u.created_at, u.expires_at,
       ARRAY(SELECT c.object_key FROM media.chunk c
             WHERE c.upload_id = u.id ORDER BY c.offset_bytes) AS object_keys
FROM media.upload u WHERE u.owner_id = $1 ORDER BY u.created_at, u.id
"""
STILLS = """
SELECT s.asset_id, s.at_ms, encode(s.pdq, 'hex') AS pdq, s.quality
FROM media.asset a JOIN media.still s ON s.asset_id = a.id
WHERE a.owner_id = $1 ORDER BY a.created_at, a.id, s.at_ms
"""


def assets(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(ASSETS, person_id))


def layers(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(LAYERS, person_id))


def files(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(FILES, person_id))


def uploads(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(UPLOADS, person_id))


def stills(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(STILLS, person_id))
