"""What search stores. No query is among it."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.search import indexing
from luciole.cell.search.store import index as store
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported

_WITH_CLIP = "as long as the clip is there for everybody"
_MADE = "made anew from clips, people and sounds"
_MOMENT = "until the worker has read it, a moment later"

HELD: tuple[Held, ...] = (
    *columns(
        "search.clip",
        "id published_at likes_step heat terms",
        DataClass.PUBLIC,
        "finds clips that everybody may see by their words; no others are in it",
        _WITH_CLIP,
        Border.NEVER,
    ),
    *columns(
        "search.word",
        "word near clips",
        DataClass.PUBLIC,
        "words of clips that everybody may see, for who misspells one",
        "until no such clip has the word",
        Border.NEVER,
    ),
    *columns(
        "search.hashtag",
        "tag keys clips",
        DataClass.PUBLIC,
        "finds hashtags, and counts the clips for everybody that have them",
        "until no such clip has the hashtag",
        Border.COUNTED,
    ),
    *columns(
        "search.person",
        "id keys followers_step",
        DataClass.PUBLIC,
        "finds people by pieces of their handle and name",
        "as long as the account",
        Border.NEVER,
    ),
    *columns(
        "search.sound",
        "id keys uses_step",
        DataClass.PUBLIC,
        "finds sounds by pieces of their name and their owner's",
        "as long as the sound can be used",
        Border.NEVER,
    ),
    *columns(
        "search.stale",
        "n kind id",
        DataClass.PERSONAL,
        "which clip, person or sound has changed",
        _MOMENT,
        Border.NEVER,
    ),
    *columns(
        "search.gone",
        "n terms",
        DataClass.PERSONAL,
        "words of a clip that went, to be taken off the counts",
        _MOMENT,
        Border.NEVER,
    ),
    *columns(
        "search.trend",
        "tag authors clips authors_before usual score made_at",
        DataClass.PUBLIC,
        "which hashtags more people use than is usual, and the numbers that say so",
        "ten minutes",
        Border.COUNTED,
    ),
    Held(
        "cache:searches",
        DataClass.PERSONAL,
        "how often somebody searched within a minute, under a key of the process; not what for",
        "minutes; in memory only",
        Border.NEVER,
    ),
)

OWNED: tuple[Owned, ...] = tuple(
    Owned(f"search.{table}", stays=_MADE)
    for table in ("clip", "word", "hashtag", "person", "sound", "stale", "gone", "trend")
)

EXPORT: tuple[Exported, ...] = ()
_IN_CLIPS = "made from your public clips, which are in the export"
_IN_ACCOUNT = "made from your handle and name, which are in the export"
NOT_EXPORTED: dict[str, str] = {
    **dict.fromkeys(
        (f"search.clip.{one}" for one in ("id", "published_at", "likes_step", "heat", "terms")),
        _IN_CLIPS,
    ),
    **dict.fromkeys((f"search.word.{one}" for one in ("word", "near", "clips")), _IN_CLIPS),
    **dict.fromkeys((f"search.hashtag.{one}" for one in ("tag", "keys", "clips")), _IN_CLIPS),
    **dict.fromkeys(
        (f"search.person.{one}" for one in ("id", "keys", "followers_step")), _IN_ACCOUNT
    ),
    **dict.fromkeys((f"search.sound.{one}" for one in ("id", "keys", "uses_step")), _IN_CLIPS),
    **dict.fromkeys((f"search.stale.{one}" for one in ("n", "kind", "id")), "ids, for a moment"),
    **dict.fromkeys((f"search.gone.{one}" for one in ("n", "terms")), "words, for a moment"),
    **dict.fromkeys(
        (
            f"search.trend.{one}"
            for one in ("tag", "authors", "clips", "authors_before", "usual", "score", "made_at")
        ),
        "counts of several people's public clips",
    ),
    "cache:searches": "a number, for minutes, in memory only",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Removes what a person is found by. Their clips went with those of `clips`; here their words
    come off the counts, so that a word of theirs alone is nowhere."""
    await store.drop_people(tx, [person_id])
    await store.forget_stale(tx, person_id)
    await indexing.settle_gone(tx)
    return Removed()
