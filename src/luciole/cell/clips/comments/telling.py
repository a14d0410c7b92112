"""Who hears of what is said under a clip: a line in their list, and the open page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from luciole.cell.clips.comments.model import Comment
from luciole.cell.clips.mentions.model import Mentioned
from luciole.cell.notify.model import NotificationKind, Shown
from luciole.cell.notify.service import Notify
from luciole.kit.db import Tx

# Whether a person may see a comment.
IsSeenBy = Callable[[Tx, Comment, UUID], Awaitable[bool]]


class Telling:
    """Tells each person once of a comment, by what concerns them most."""

    def __init__(self, notify: Notify, is_seen_by: IsSeenBy) -> None:
        self._notify = notify
        self._is_seen_by = is_seen_by

    async def said(
        self,
        tx: Tx,
        comment: Comment,
        to: Comment | None,
        mentioned: Iterable[Mentioned],
        *,
        is_seen_by_author: bool | None = None,
    ) -> None:
        """A comment that everybody may see now. `to`: what it replies to. `is_seen_by_author`:
        whether the author of the clip sees it, where that is known."""
        body = {
            "comment_id": str(comment.id),
            "parent_id": str(comment.parent_id) if comment.parent_id else None,
        }
        for person_id, kind in _recipients(comment, to, mentioned).items():
            is_seen = is_seen_by_author if person_id == comment.author_id else None
            if is_seen is None:
                is_seen = await self._is_seen_by(tx, comment, person_id)
            if is_seen:
                await self._notify.tell(
                    tx,
                    kind,
                    to=person_id,
                    by=comment.writer_id,
                    clip_id=comment.clip_id,
                    about_id=comment.id,
                    shows=Shown("comment", {**body, "kind": kind}),
                )

    async def held(self, tx: Tx, comment: Comment) -> None:
        """Tells the author of the clip of a comment that waits because of a word in it. Whom they
        restrict, they do not want to hear from."""
        if comment.held_for != "words":
            return
        await self._notify.tell(
            tx,
            "comment-held",
            to=comment.author_id,
            by=comment.writer_id,
            clip_id=comment.clip_id,
            about_id=comment.id,
        )

    async def held_no_more(self, tx: Tx, comment: Comment) -> None:
        """The author has let it through, so it waits no more."""
        await self._notify.withdraw(
            tx,
            "comment-held",
            to=comment.author_id,
            by=comment.writer_id,
            clip_id=comment.clip_id,
            about_id=comment.id,
        )

    async def unsaid(
        self, tx: Tx, comment: Comment, to: Comment | None, mentioned: Iterable[Mentioned]
    ) -> None:
        """A comment is gone, with what was told of it, to its writer too."""
        for person_id in (comment.writer_id, *_recipients(comment, to, mentioned)):
            await self._notify.forget_about(tx, person_id, comment.id)

    async def liked(self, tx: Tx, comment: Comment, by: UUID) -> None:
        await self._notify.tell(
            tx,
            "comment-like",
            to=comment.writer_id,
            by=by,
            clip_id=comment.clip_id,
            about_id=comment.id,
        )

    async def unliked(self, tx: Tx, comment: Comment, by: UUID) -> None:
        await self._notify.withdraw(
            tx,
            "comment-like",
            to=comment.writer_id,
            by=by,
            clip_id=comment.clip_id,
            about_id=comment.id,
        )


def _recipients(
    comment: Comment, to: Comment | None, mentioned: Iterable[Mentioned]
) -> dict[UUID, NotificationKind]:
    """Who is told of a comment, and as what: a reply before a mention before the clip's author."""
    found: dict[UUID, NotificationKind] = {comment.author_id: "comment"}
    found.update({one.person_id: "mention" for one in mentioned})
    if to is not None:
        found[to.writer_id] = "comment-reply"
    found.pop(comment.writer_id, None)
    return found
