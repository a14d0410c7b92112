"""What clips stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from luciole.cell.clips import store
from luciole.cell.clips.comments import privacy as comments
from luciole.cell.clips.store import audience, kept, quotes, sounds
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, ExportedRow, Written, of

LIKES_AT_ONCE = 500
CLIPS_AT_ONCE = 100

_OTHERS = "these are clips of others, which are not there in another cell"
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
        "clips.clip",
        "audience_list",
        DataClass.PERSONAL,
        "whether a clip is for the people on a list, or not for them; only its author sees that",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "clips.audience_member",
        "clip_id person_id",
        DataClass.PERSONAL,
        "the people for whom a clip is, or is not; only its author sees them",
        "until the list changes, the clip is deleted, or one of the two erases the account",
        Border.NEVER,
    ),
    *columns(
        "clips.circle",
        "id owner_id name made_at",
        DataClass.PERSONAL,
        "people under a name, to share clips with or to hide clips from; only its owner sees it",
        "until its owner deletes it",
        Border.NEVER,
    ),
    *columns(
        "clips.circle_member",
        "circle_id person_id",
        DataClass.PERSONAL,
        "who is in a circle; only its owner sees it",
        "until its owner takes them out, or one of the two erases the account",
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
        "person_id past_days comments_by mentions_by filter_words shows_likes lets_quote",
        DataClass.PERSONAL,
        "what you choose about your clips and what others may do with them",
        "until you change it, or as long as the account",
        Border.NEVER,
    ),
    *columns(
        "clips.clip",
        "lets_reuse",
        DataClass.PERSONAL,
        "whether others may use the sound that the clip is about to have",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "clips.clip",
        "lets_quote",
        DataClass.PERSONAL,
        "whether others may make duets and stitches with the clip",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "clips.made_from",
        "clip_id first_id how made_at",
        DataClass.PUBLIC,
        "which clip a duet or a stitch is made from, for its credit, and until when it may be",
        "until one of the two clips is deleted",
        Border.NEVER,
    ),
    *columns(
        "clips.favourite",
        "person_id clip_id made_at",
        DataClass.PERSONAL,
        "what you keep for yourself: nobody is told, others see the number only",
        "until you let go of it or the clip is deleted",
        Border.NEVER,
    ),
    *columns(
        "clips.collection",
        "id owner_id name is_public made_at",
        DataClass.PERSONAL,
        "names under which you keep favourites; others see those that you make public",
        "until you delete it, or as long as the account",
        Border.NEVER,
    ),
    *columns(
        "clips.collected",
        "collection_id person_id clip_id made_at",
        DataClass.PERSONAL,
        "which favourites are in which collection",
        "until you take it out, let go of it, or the clip is deleted",
        Border.NEVER,
    ),
    *columns(
        "clips.repost",
        "person_id clip_id made_at",
        DataClass.PUBLIC,
        "what you passed on to your followers",
        "until you take it back or the clip is deleted",
        Border.PUBLISHED,
    ),
    *columns(
        "clips.sound",
        "id clip_id owner_id name is_reusable uses made_at",
        DataClass.PUBLIC,
        "the sound of a clip, whose it is, and whether others may use it",
        _WITH_CLIP,
        Border.PUBLISHED,
    ),
    *columns(
        "clips.tally",
        "person_id clips",
        DataClass.PUBLIC,
        "the count on a profile",
        "as long as the account",
        Border.COUNTED,
    ),
    *comments.HELD,
)


async def _clips(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in store.export_clips(tx, person_id):
        vtt = row.pop("captions_vtt")
        name = f"media/{row['asset_id']}/captions.{row['captions_language']}.vtt"
        yield {**row, "captions": Written(name, vtt) if vtt is not None else None}


OWNED: tuple[Owned, ...] = (
    Owned("clips.clip", ("author_id",)),
    Owned("clips.audience_member", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("clips.circle", ("owner_id",)),
    Owned("clips.circle_member", ("person_id", "circle_id > clips.circle.id > owner_id")),
    Owned("clips.liked", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("clips.made_from", ("clip_id > clips.clip.id > author_id",)),
    Owned("clips.favourite", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("clips.collection", ("owner_id",)),
    Owned("clips.collected", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("clips.repost", ("person_id", "clip_id > clips.clip.id > author_id")),
    Owned("clips.sound", ("owner_id",)),
    Owned("clips.preference", ("person_id",)),
    Owned("clips.tally", ("person_id",)),
    *comments.OWNED,
)

EXPORT: tuple[Exported, ...] = (
    Exported(
        "clips",
        "your clips with their captions and what became of them",
        {
            **of(
                "clips.clip",
                "id author_id asset_id caption hashtags audience audience_list state refused_code "
                "made_with_ai likes comments reposts favourites comments_by sound_id lets_reuse "
                "answers_id lets_quote "
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
                "lets_reuse",
                "answers_id",
                "lets_quote",
            }
        ),
    ),
    Exported(
        "audience",
        "the people on the lists of your clips: for whom a clip is, or is not",
        {
            **of("clips.audience_member", "clip_id person_id"),
            "kind": "clips.clip.audience_list",
            "handle": "people.person.handle",
        },
        audience.export_members,
        whose="clips.clip.author_id",
        stays="a handle alone does not say who is who in another cell",
    ),
    Exported(
        "circles",
        "your circles and who is in them",
        {
            **of("clips.circle", "id name made_at"),
            "person_id": "clips.circle_member.person_id",
            "handle": "people.person.handle",
        },
        audience.export_circles,
        whose="clips.circle.owner_id clips.circle_member.circle_id",
        stays="a handle alone does not say who is who in another cell",
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
        "made-from",
        "which clips your duets and stitches are made from",
        of("clips.made_from", "clip_id first_id how made_at"),
        quotes.export_made_from,
        whose="clips.clip.author_id",
        stays=_OTHERS,
    ),
    Exported(
        "favourites",
        "the clips that you keep; nobody was told",
        {**of("clips.favourite", "clip_id made_at"), "author": "people.person.handle"},
        kept.export_favourites,
        whose="clips.favourite.person_id",
        stays=_OTHERS,
    ),
    Exported(
        "collections",
        "the collections that you made",
        of("clips.collection", "id name is_public made_at"),
        kept.export_collections,
        whose="clips.collection.owner_id",
        stays=_OTHERS,
    ),
    Exported(
        "collected",
        "which favourites are in which collection",
        of("clips.collected", "collection_id clip_id made_at"),
        kept.export_collected,
        whose="clips.collected.person_id",
        stays=_OTHERS,
    ),
    Exported(
        "reposts",
        "the clips that you passed on to your followers",
        {**of("clips.repost", "clip_id made_at"), "author": "people.person.handle"},
        kept.export_reposts,
        whose="clips.repost.person_id",
        stays=_OTHERS,
    ),
    Exported(
        "sounds",
        "the sounds of your clips, and whether others may use them",
        of("clips.sound", "id clip_id name is_reusable uses made_at"),
        sounds.export_sounds,
        whose="clips.sound.owner_id",
        stays="each clip gets its sound anew, and you are asked again who may use it",
    ),
    Exported(
        "preference",
        "what you chose about your clips and what others may do with them",
        of(
            "clips.preference",
            "past_days comments_by mentions_by filter_words shows_likes lets_quote",
        ),
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
    *comments.EXPORT,
)
NOT_EXPORTED: dict[str, str] = {**comments.NOT_EXPORTED}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes away the person's comments and likes, then deletes the clips; their films are media's.
    One kind in a step, so that two people who leave at once do not wait for each other."""
    if (gone := await comments.erase(tx, person_id)).is_more:
        return gone
    if likes := await store.erase_likes(tx, person_id, LIKES_AT_ONCE):
        return Removed({"likes": likes}, is_more=True)
    if favourites := await kept.erase_favourites(tx, person_id, LIKES_AT_ONCE):
        return Removed({"favourites": favourites}, is_more=True)
    if reposts := await kept.erase_reposts(tx, person_id, LIKES_AT_ONCE):
        return Removed({"reposts": reposts}, is_more=True)
    await kept.erase_collections(tx, person_id)
    if clips := await store.erase_clips(tx, person_id, CLIPS_AT_ONCE):
        return Removed({"clips": clips}, is_more=True)
    if listed := await audience.erase_listed(tx, person_id, LIKES_AT_ONCE):
        return Removed({"places on lists": listed}, is_more=True)
    await audience.erase_circles(tx, person_id)
    await store.drop_preference(tx, person_id)
    await store.drop_tally(tx, person_id)
    return Removed()
