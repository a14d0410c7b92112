"""SQL that takes away all films of a person."""

from __future__ import annotations

from uuid import UUID

import msgspec

from luciole.kit.db import Tx

LOCK_ASSETS = """
SELECT id, token, upload_id FROM media.asset WHERE owner_id = $1 ORDER BY id LIMIT $2 FOR UPDATE
"""
LOCK_UPLOADS = """
SELECT id FROM media.upload WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""
LOCK_OWN_UPLOADS = """
SELECT id FROM media.upload WHERE owner_id = $1 ORDER BY id LIMIT $2 FOR UPDATE
"""
FILE_KEYS = "SELECT object_key FROM media.file WHERE asset_id = ANY($1::uuid[])"
CHUNK_KEYS = "SELECT object_key FROM media.chunk WHERE upload_id = ANY($1::uuid[])"
DELETE_ASSETS = "DELETE FROM media.asset WHERE id = ANY($1::uuid[])"
DELETE_UPLOADS = "DELETE FROM media.upload WHERE id = ANY($1::uuid[])"
# Below a prefix there may be an object that somebody has just announced and not written yet.
IS_AWAITED = """
SELECT EXISTS (
    SELECT 1 FROM media.unclaimed u
    JOIN unnest($1::text[]) AS prefix ON starts_with(u.object_key, prefix))
"""


class Gone(msgspec.Struct, frozen=True):
    """Films and uploads whose rows are gone, the keys of their objects, and the prefixes below
    which work that is under way may still write."""

    assets: list[UUID]
    uploads: list[UUID]
    object_keys: list[str]
    prefixes: list[str]


async def erase_assets(tx: Tx, owner_id: UUID, most: int) -> Gone:
    """Removes the rows of some of a person's films, with their uploads."""
    found = await tx.fetch(LOCK_ASSETS, owner_id, most)
    assets = [row["id"] for row in found]
    uploads = await tx.fetch(LOCK_UPLOADS, [row["upload_id"] for row in found if row["upload_id"]])
    gone = await _removed(tx, assets, [row["id"] for row in uploads])
    tokens = [row["token"] for row in found]
    prefixes = [f"{audience}/{token}/" for token in tokens for audience in ("p", "r")]
    return msgspec.structs.replace(gone, prefixes=[*gone.prefixes, *prefixes])


async def erase_uploads(tx: Tx, owner_id: UUID, most: int) -> Gone:
    """Removes the rows of some of a person's uploads of which there is no film."""
    found = await tx.fetch(LOCK_OWN_UPLOADS, owner_id, most)
    return await _removed(tx, [], [row["id"] for row in found])


async def is_awaited(tx: Tx, prefixes: list[str]) -> bool:
    """Whether an object below one of the prefixes was announced and has not been dealt with."""
    return bool(await tx.fetchval(IS_AWAITED, prefixes))


async def _removed(tx: Tx, assets: list[UUID], uploads: list[UUID]) -> Gone:
    keys = [row["object_key"] for row in await tx.fetch(FILE_KEYS, assets)]
    keys += [row["object_key"] for row in await tx.fetch(CHUNK_KEYS, uploads)]
    await tx.execute(DELETE_ASSETS, assets)
    await tx.execute(DELETE_UPLOADS, uploads)
    places = {f"{key.rpartition('/')[0]}/" for key in keys}
    places |= {f"uploads/{upload}/" for upload in uploads}
    return Gone(assets, uploads, keys, sorted(places))
