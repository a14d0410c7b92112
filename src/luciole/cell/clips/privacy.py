"""What clips stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.clips import store
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Written, of

LIKES_AT_ONCE = 500
CLIPS_AT_ONCE = 100

_WITH_CLIP = "until its author deletes the clip"

HELD: tuple[Held, ...] = (
    *columns(
        "clips.clip",
        "id author_id asset_id caption hashtags audience made_with_ai captions_language "
        "captions_vtt published_at likes comments reposts favourites comments_by sound_id "
        "answers_id",
        DataClass.PUBLIC,
        "the clip as its author published it; for a narrower audience it is shared with those only",
        _WITH_CLIP,
        Border.PUBLISHED,
    ),
    *columns(
        "clips.clip",
        "state refused_code created_at",
        DataClass.PERSONAL,
        "tells the author what became of the clip",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "clips.liked",
        "clip_id person_id made_at",
        DataClass.PERSONAL,
        "likes are private: the author is told, others see the number only",
        "until the like is taken back or the clip deleted",
        Border.NEVER,
    ),
    *columns(
        "clips.preference",
        "person_id past_days comments_by mentions_by filter_words shows_likes",
        DataClass.PERSONAL,
        "what you choose about your clips and what others may do with them",
        "until you change it, or as long as the account",
        Border.NEVER,
    ),
    *columns(
        "clips.tally",
        "person_id clips",
        DataClass.PUBLIC,
        "the count on a profile",
        "as long as the account",
        Border.COUNTED,
    ),
)


async def _clips(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in store.export_clips(tx, person_id):
        vtt = row.pop("captions_vtt")
        name = f"media/{row['asset_id']}/captions.{row['captions_language']}.vtt"
        yield {**row, "captions": Written(name, vtt) if vtt is not None else None}


OWNED: tuple[Owned, ...] = (
    Owned("clips.clip", ("author_id",)),
    Owned("clips.liked", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("clips.preference", ("person_id",)),
    Owned("clips.tally", ("person_id",)),
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "clips",
        "your clips with their captions and what became of them",
        {
            **of(
                "clips.clip",
                "id author_id asset_id caption hashtags audience state refused_code made_with_ai "
                "likes comments reposts favourites comments_by sound_id answers_id "
                "captions_language created_at published_at",
            ),
            "captions": "clips.clip.captions_vtt",
        },
        _clips,
        anew=frozenset(
            {
                "id",
                "author_id",
                "asset_id",
                "likes",
                "comments",
                "reposts",
                "favourites",
                "comments_by",
                "sound_id",
                "answers_id",
            }
        ),
    ),
    Exported(
        "liked",
        "the clips that you liked; nobody but their authors was told",
        {**of("clips.liked", "clip_id made_at"), "author": "people.person.handle"},
        store.export_liked,
        whose="clips.liked.person_id",
        anew=frozenset({"clip_id"}),
    ),
    Exported(
        "preference",
        "what you chose about your clips and what others may do with them",
        of("clips.preference", "past_days comments_by mentions_by filter_words shows_likes"),
        store.export_preference,
        whose="clips.preference.person_id",
        stays="choose again where you go; the choices there may be others",
    ),
    Exported(
        "tally",
        "how many clips you have published for everyone",
        of("clips.tally", "clips"),
        store.export_tally,
        whose="clips.tally.person_id",
        stays="counted anew",
    ),
)
NOT_EXPORTED: dict[str, str] = {}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes back the person's likes, then deletes the clips; their films are media's. One kind in
    a step, so that two people who leave at once do not wait for each other."""
    if likes := await store.erase_likes(tx, person_id, LIKES_AT_ONCE):
        return Removed({"likes": likes}, is_more=True)
    if clips := await store.erase_clips(tx, person_id, CLIPS_AT_ONCE):
        return Removed({"clips": clips}, is_more=True)
    await store.drop_preference(tx, person_id)
    await store.drop_tally(tx, person_id)
    return Removed()
