"""How comments look on their way to a client."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.clips.comments.model import Comment, HeldFor, Marks
from luciole.cell.clips.comments.store.choices import Suggested
from luciole.cell.clips.model import WhoMay
from luciole.cell.clips.present import AuthorBody
from luciole.cell.people.model import Viewer

AvatarUrl = Callable[[str | None], str | None]


class AnswerBody(msgspec.Struct):
    clip_id: UUID
    handle: str


class CommentViewer(msgspec.Struct):
    liked: bool
    is_writer: bool
    is_author: bool


class CommentBody(msgspec.Struct):
    """A comment as the client sees it. `parent_id` is the head of its thread; `mentions` are the
    handles in `text` that are links; `held_for` says why it waits for the author of the clip."""

    id: UUID
    clip_id: UUID
    parent_id: UUID | None
    by: AuthorBody
    text: str
    mentions: list[str]
    held_for: HeldFor | None
    likes: int
    replies: int
    is_pinned: bool
    is_by_author: bool
    liked_by_author: bool
    answers: list[AnswerBody]
    created_at: datetime
    viewer: CommentViewer | None


class CommentPage(msgspec.Struct):
    items: list[CommentBody]
    next: str | None


class Conversation(msgspec.Struct):
    """A page of the comments on a clip, how many there are, and who may add to them."""

    items: list[CommentBody]
    next: str | None
    comments: int
    comments_by: WhoMay
    may_comment: bool


class Suggestions(msgspec.Struct):
    items: list[AuthorBody]


class CommentPresenter:
    """Makes bodies out of comments, for one viewer at a time."""

    def __init__(self, avatar_url: AvatarUrl) -> None:
        self._avatar_url = avatar_url

    def comment(self, comment: Comment, viewer: Viewer | None, marks: Marks) -> CommentBody:
        person_id = viewer.person_id if viewer else None
        return CommentBody(
            id=comment.id,
            clip_id=comment.clip_id,
            parent_id=comment.parent_id,
            by=self._by(comment),
            text=comment.text,
            mentions=comment.mentions,
            held_for=_told(comment, person_id),
            likes=comment.likes,
            replies=comment.replies,
            is_pinned=comment.pinned_at is not None,
            is_by_author=comment.writer_id == comment.author_id,
            liked_by_author=comment.id in marks.liked_by_author,
            answers=[
                AnswerBody(answer.clip_id, answer.handle)
                for answer in marks.answers.get(comment.id, ())
            ],
            created_at=comment.made_at,
            viewer=CommentViewer(
                comment.id in marks.liked,
                comment.writer_id == person_id,
                comment.author_id == person_id,
            )
            if viewer
            else None,
        )

    def comments(
        self, comments: Iterable[Comment], viewer: Viewer | None, marks: Marks
    ) -> list[CommentBody]:
        return [self.comment(comment, viewer, marks) for comment in comments]

    def suggestions(self, found: Iterable[Suggested]) -> Suggestions:
        return Suggestions([self._by(one) for one in found])

    def _by(self, one: Comment | Suggested) -> AuthorBody:
        return AuthorBody(one.handle, one.display_name, self._avatar_url(one.avatar_key))


def _told(comment: Comment, person_id: UUID | None) -> HeldFor | None:
    """Why it waits, for its author; for its writer only if a word was the reason: nobody is told
    that somebody restricts them."""
    if person_id == comment.author_id:
        return comment.held_for
    return "words" if comment.held_for == "words" else None
