"""SQL of how films look: hints, hashes of stills, small pictures."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from luciole.cell.media.looks import Looks
from luciole.cell.media.model import Ai, Credentials, Shown
from luciole.kit.db import Tx

SET_CREDENTIALS = """
UPDATE media.asset
SET ai = $2, credentials = $3, credentials_code = $4, credentials_signer = $5
WHERE id = $1
"""
SET_HINT = "UPDATE media.asset SET thumbhash = $2 WHERE id = $1"
FORGET_STILLS = "DELETE FROM media.still WHERE asset_id = $1"
ADD_STILLS = """
INSERT INTO media.still (asset_id, at_ms, pdq, quality)
SELECT $1, still.at_ms, still.pdq, still.quality
FROM unnest($2::integer[], $3::bytea[], $4::smallint[]) AS still (at_ms, pdq, quality)
"""
# Those first that were tried the least: what cannot be had any more keeps nobody waiting.
UNSEEN = """
SELECT id FROM media.asset WHERE thumbhash IS NULL AND state = 'complete' AND crashes < $1
ORDER BY attempt, id LIMIT $2
"""
IS_SEEN = "SELECT thumbhash IS NOT NULL FROM media.asset WHERE id = $1"
SHOWN = """
SELECT a.id, a.thumbhash, a.ai, a.credentials, a.credentials_code, a.credentials_signer,
       CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END || a.token || '/' AS prefix,
       (SELECT f.filename FROM media.file f
        WHERE f.asset_id = a.id AND f.kind = 'avif-poster') AS avif_poster,
       (SELECT f.filename FROM media.file f
        WHERE f.asset_id = a.id AND f.kind = 'preview') AS preview
FROM media.asset a WHERE a.id = ANY($1::uuid[])
"""


async def set_looks(tx: Tx, asset_id: UUID, seen: Looks) -> None:
    """Keeps what was seen of a film, in the place of what was seen before."""
    await tx.execute(SET_HINT, asset_id, seen.thumbhash)
    await tx.execute(FORGET_STILLS, asset_id)
    await tx.execute(
        ADD_STILLS,
        asset_id,
        [still.at_ms for still in seen.stills],
        [still.pdq for still in seen.stills],
        [still.quality for still in seen.stills],
    )


async def set_credentials(tx: Tx, asset_id: UUID, ai: Ai | None, found: Credentials | None) -> None:
    """Keeps what the uploaded file says about AI, and how sound that is; the file itself goes."""
    state, code, signer = (found.state, found.code, found.signer) if found else (None, None, None)
    await tx.execute(SET_CREDENTIALS, asset_id, ai, state, code, signer)


async def is_seen(tx: Tx, asset_id: UUID) -> bool:
    """Whether somebody has looked at the film."""
    return await tx.fetchval(IS_SEEN, asset_id) is True


async def unseen(tx: Tx, most_crashes: int, most: int) -> list[UUID]:
    """Finished films that nobody has looked at, and that have not failed too often."""
    return [row["id"] for row in await tx.fetch(UNSEEN, most_crashes, most)]


async def shown(tx: Tx, asset_ids: Sequence[UUID]) -> dict[UUID, Shown]:
    """What stands for the films before they play."""

    def key(prefix: str, filename: str | None) -> str | None:
        return prefix + filename if filename else None

    return {
        row["id"]: Shown(
            row["thumbhash"],
            key(row["prefix"], row["avif_poster"]),
            key(row["prefix"], row["preview"]),
            row["ai"],
            Credentials(row["credentials"], row["credentials_code"], row["credentials_signer"])
            if row["credentials"]
            else None,
        )
        for row in await tx.fetch(SHOWN, list(asset_ids))
    }
