"""What media stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from uuid import UUID

from luciole.cell.media.store import erasure, exports, unclaimed
from luciole.kit import queue
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Stored, of

FILMS_AT_ONCE = 50
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_WITH_CLIP = "until its author deletes the clip"
_UPLOAD = "until the clip's last rendition is made, else 24 hours"

HELD: tuple[Held, ...] = (
    *columns(
        "media.upload",
        "id owner_id size_bytes offset_bytes chunks asset_id created_at expires_at",
        DataClass.PERSONAL,
        "lets a person go on with an upload; no file name and no device is kept",
        _UPLOAD,
        Border.NEVER,
    ),
    *columns(
        "media.chunk",
        "upload_id offset_bytes size_bytes object_key",
        DataClass.PERSONAL,
        "where the pieces of an upload are",
        _UPLOAD,
        Border.NEVER,
    ),
    *columns(
        "media.asset",
        "id owner_id is_public token progress duration_ms width height has_audio thumbhash ai",
        DataClass.SHARED,
        "what a player needs to know of a film; its addresses for those who may see the clip",
        _WITH_CLIP,
        Border.PUBLISHED,
    ),
    *columns(
        "media.asset",
        "credentials credentials_code credentials_signer",
        DataClass.SHARED,
        "whether the content credentials of a film are sound, and who signed them, as they say",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "media.asset",
        "upload_id state refused_code trim_start_ms trim_end_ms cover_ms attempt crashes "
        "author_says_ai is_edited sealed_says_ai "
        "created_at changed_at sound_asset_id sound_mode turn started_at waits_for av1 pieces "
        "is_muted quoted_asset_id quote_how quote_start_ms quote_end_ms",
        DataClass.PERSONAL,
        "the work on a film, and why it was refused",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "media.layer",
        "asset_id place png start_ms end_ms",
        DataClass.PERSONAL,
        "text that its author lays over a film, as pictures; then it is part of the film",
        "until the clip's last rendition is made",
        Border.NEVER,
    ),
    *columns(
        "media.file",
        "asset_id kind name filename object_key mime width height bitrate_bps size_bytes index",
        DataClass.SHARED,
        "the renditions, the posters and the preview of a film",
        _WITH_CLIP,
        Border.PUBLISHED,
    ),
    *columns(
        "media.still",
        "asset_id at_ms pdq quality",
        DataClass.PERSONAL,
        "finds copies of a film, and stills that are on a list of what must not be shown",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "media.pace",
        "is_only first_ms",
        DataClass.TELEMETRY,
        "how long films take at present, so that authors can be told; one mean of all films",
        "for ever, changed with each film",
        Border.NEVER,
    ),
    *columns(
        "media.unclaimed",
        "object_key since is_doomed",
        DataClass.TELEMETRY,
        "objects to delete",
        "two hours and a minute",
        Border.NEVER,
    ),
    Held(
        "blob:uploads/",
        DataClass.PERSONAL,
        "an upload in pieces, as the person's device made it, with its metadata",
        _UPLOAD,
        Border.NEVER,
    ),
    Held(
        "blob:p/",
        DataClass.PUBLIC,
        "renditions and posters that everybody may see, and avatars; no metadata",
        _WITH_CLIP,
        Border.PUBLISHED,
    ),
    Held(
        "blob:r/",
        DataClass.SHARED,
        "renditions and posters for those whom the author chose; no metadata",
        _WITH_CLIP,
        Border.ADDRESSED,
    ),
)


async def _files(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in exports.files(tx, person_id):
        ending = PurePosixPath(row["filename"]).suffix
        path = f"media/{row['asset_id']}/{row['name']}{ending}"
        yield {**row, "file": Stored(path, (row["object_key"],), row["size_bytes"])}


async def _uploads(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in exports.uploads(tx, person_id):
        keys = tuple(row.pop("object_keys"))
        path = f"media/uploads/{row['id']}.film"
        yield {**row, "file": Stored(path, keys, row["offset_bytes"]) if keys else None}


OWNED: tuple[Owned, ...] = (
    Owned("media.upload", ("owner_id",)),
    Owned(
        "media.chunk",
        ("upload_id > media.upload.id > owner_id",),
        objects="object_key",
        again=("upload_id", "offset_bytes"),
    ),
    Owned("media.asset", ("owner_id",)),
    Owned("media.layer", ("asset_id > media.asset.id > owner_id",)),
    Owned(
        "media.file",
        ("asset_id > media.asset.id > owner_id",),
        objects="object_key",
        again=("asset_id", "filename"),
    ),
    Owned(
        "media.still",
        ("asset_id > media.asset.id > owner_id",),
    ),
    Owned("media.pace", stays="a mean of all films; it begins anew"),
    Owned("media.unclaimed", stays="objects without a row are not copied"),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "films",
        "your films as a player needs to know them, and the work on them",
        of(
            "media.asset",
            "id is_public token progress duration_ms width height has_audio upload_id state "
            "refused_code trim_start_ms trim_end_ms cover_ms attempt crashes created_at changed_at "
            "sound_asset_id sound_mode turn started_at waits_for thumbhash av1 ai pieces is_muted "
            "credentials credentials_code credentials_signer "
            "quoted_asset_id quote_how quote_start_ms quote_end_ms",
        ),
        exports.assets,
        whose="media.asset.owner_id",
        anew=frozenset(
            {
                "id",
                "token",
                "upload_id",
                "attempt",
                "crashes",
                "changed_at",
                "sound_asset_id",
                "sound_mode",
                "thumbhash",
                "turn",
                "started_at",
                "waits_for",
                "av1",
                "ai",
                "credentials",
                "credentials_code",
                "credentials_signer",
                "pieces",
                "is_muted",
                "quoted_asset_id",
                "quote_how",
                "quote_start_ms",
                "quote_end_ms",
            }
        ),
    ),
    Exported(
        "layers",
        "the text that you lay over films which are not finished yet, as pictures",
        {
            **of("media.layer", "asset_id place start_ms end_ms"),
            "png": "media.layer.png",
        },
        exports.layers,
        stays="it is part of the film, which comes along",
    ),
    Exported(
        "files",
        "the files of your films with their bytes: each rendition, and the poster",
        {
            **of(
                "media.file",
                "asset_id kind name filename object_key mime width height bitrate_bps size_bytes",
            ),
            "file": "blob:p/ blob:r/",
        },
        _files,
        anew=frozenset({"asset_id", "filename", "object_key"}),
    ),
    Exported(
        "stills",
        "hashes of stills of your films, by which copies are found",
        of("media.still", "asset_id at_ms pdq quality"),
        exports.stills,
        stays="the new cell looks at the films itself",
    ),
    Exported(
        "uploads",
        "films that are on their way in, with the bytes that have arrived",
        {
            **of(
                "media.upload",
                "id size_bytes offset_bytes chunks asset_id created_at expires_at",
            ),
            "file": "blob:uploads/ media.chunk.upload_id media.chunk.offset_bytes "
            "media.chunk.size_bytes media.chunk.object_key",
        },
        _uploads,
        whose="media.upload.owner_id",
        stays="a film that is not published yet is sent again",
    ),
)
NOT_EXPORTED: dict[str, str] = {
    "media.asset.author_says_ai": "the label of the clip says the same",
    "media.asset.is_edited": "what the seals on the files say; the new cell makes its own",
    "media.asset.sealed_says_ai": "what the seals on the files say; the new cell makes its own",
    "media.file.index": "where each second of a file begins; found anew in its bytes",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Removes the person's films, then the uploads; their objects go with the next sweep. Work
    that is under way finds no row when it is done, and gives up what it has written."""
    gone = await erasure.erase_assets(tx, person_id, FILMS_AT_ONCE)
    is_more = len(gone.assets) == FILMS_AT_ONCE
    if not gone.assets:
        gone = await erasure.erase_uploads(tx, person_id, FILMS_AT_ONCE)
        is_more = len(gone.uploads) == FILMS_AT_ONCE
    await unclaimed.announce(tx, gone.object_keys, LONG_AGO)
    await queue.forget(tx, [str(asset_id) for asset_id in gone.assets])
    counts = {"films": len(gone.assets), "files": len(gone.object_keys)}
    return Removed(counts, tuple(gone.prefixes), is_more)
