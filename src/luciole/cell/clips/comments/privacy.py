"""What comments store."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.comments.store import erasure
from luciole.kit.catalogue import Border, DataClass, Held, Owned, Removed, columns
from luciole.kit.db import Tx
from luciole.kit.exported import Exported, of

LIKES_AT_ONCE = 500
COMMENTS_AT_ONCE = 100

_WITH_COMMENT = "until its writer or the author of the clip deletes it"

HELD: tuple[Held, ...] = (
    *columns(
        "clips.comment",
        "id clip_id writer_id parent_id to_id text mentions likes replies pinned_at made_at",
        DataClass.PUBLIC,
        "the comment as its writer said it; under a clip for a narrower audience it is shared with "
        "those only",
        _WITH_COMMENT,
        Border.PUBLISHED,
    ),
    *columns(
        "clips.comment",
        "score",
        DataClass.PUBLIC,
        "orders comments by their likes and their time; made of these two alone",
        _WITH_COMMENT,
        Border.NEVER,
    ),
    *columns(
        "clips.comment",
        "held_for",
        DataClass.PERSONAL,
        "lets a comment wait for the author of the clip",
        "until it is approved or deleted",
        Border.NEVER,
    ),
    *columns(
        "clips.comment_liked",
        "comment_id person_id made_at",
        DataClass.PERSONAL,
        "likes are private: the writer is told, others see the number only",
        "until the like is taken back or the comment deleted",
        Border.NEVER,
    ),
    Held(
        "cache:comment limits",
        DataClass.PERSONAL,
        "how often somebody commented within a minute; keyed so that memory lists nobody",
        "a minute, in memory only",
        Border.NEVER,
    ),
)

# A reply goes with the head of its thread, and a like with the comment.
_HEAD = "clips.comment.id > writer_id"
_CLIP = "clips.clip.id > author_id"

OWNED: tuple[Owned, ...] = (
    Owned("clips.comment", ("writer_id", f"clip_id > {_CLIP}", f"parent_id > {_HEAD}")),
    Owned(
        "clips.comment_liked",
        (
            "person_id",
            f"comment_id > {_HEAD}",
            f"comment_id > clips.comment.id > clip_id > {_CLIP}",
            f"comment_id > clips.comment.id > parent_id > {_HEAD}",
        ),
    ),
)

_OF_HERE = "said to people of this cell, under clips that stay here"

EXPORT: tuple[Exported, ...] = (
    Exported(
        "comments",
        "what you said under clips",
        {
            **of(
                "clips.comment",
                "id clip_id parent_id to_id text mentions likes replies pinned_at made_at",
            ),
            "author": "people.person.handle",
        },
        erasure.export_written,
        whose="clips.comment.writer_id",
        stays=_OF_HERE,
    ),
    Exported(
        "comments-liked",
        "the comments that you liked; nobody but their writers was told",
        of("clips.comment_liked", "comment_id made_at"),
        erasure.export_liked,
        whose="clips.comment_liked.person_id",
        stays=_OF_HERE,
    ),
)
NOT_EXPORTED: dict[str, str] = {
    "clips.comment.score": "made of the likes and the time, which are in the list of your comments",
    "clips.comment.held_for": "what the author of a clip lets wait is their choice",
    "cache:comment limits": "a count of the last minute, in memory only",
}


async def erase(tx: Tx, person_id: UUID) -> Removed:
    """Takes back the person's likes of comments, then deletes their comments and the threads that
    these head. One kind in a step, so that two people who leave at once do not wait for each
    other."""
    if likes := await erasure.erase_likes(tx, person_id, LIKES_AT_ONCE):
        return Removed({"likes of comments": likes}, is_more=True)
    if written := await erasure.erase_written(tx, person_id, COMMENTS_AT_ONCE):
        return Removed({"comments": written}, is_more=True)
    return Removed()
