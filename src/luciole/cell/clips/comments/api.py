"""Routes of comments."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.clips.comments.model import (
    MAX_COMMENT_CHARS,
    MAX_FILTER_WORD_CHARS,
    MAX_FILTER_WORDS,
    NO_MARKS,
    Choices,
    Comment,
    Order,
)
from luciole.cell.clips.comments.present import (
    CommentBody,
    CommentPage,
    CommentPresenter,
    Conversation,
    Suggestions,
)
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.model import WhoMay
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

Text = Annotated[str, msgspec.Meta(max_length=MAX_COMMENT_CHARS * 2)]
Word = Annotated[str, msgspec.Meta(max_length=MAX_FILTER_WORD_CHARS * 2)]
Words = Annotated[list[Word], msgspec.Meta(max_length=MAX_FILTER_WORDS * 2)]
Limit = Annotated[int, QueryParameter(ge=1, le=50)]


class NewComment(msgspec.Struct, forbid_unknown_fields=True):
    """`reply_to` is the comment that it replies to, at the head of a thread or in it."""

    text: Text
    reply_to: UUID | None = None


class CommentLike(msgspec.Struct):
    liked: bool
    likes: int


class ConversationChoices(msgspec.Struct):
    """Who may comment on one's clips and who may mention one; comments with one of the words wait
    for approval."""

    comments_by: WhoMay
    mentions_by: WhoMay
    filter_words: list[str]


class ConversationChange(msgspec.Struct, forbid_unknown_fields=True):
    comments_by: WhoMay | None = None
    mentions_by: WhoMay | None = None
    filter_words: Words | None = None


def routes(db: Database, people: People, comments: Comments, presenter: CommentPresenter) -> Router:
    """The routes of comments over their collaborators."""

    def person_of(viewer: Viewer | None) -> UUID | None:
        return viewer.person_id if viewer else None

    async def body(tx: Tx, comment: Comment, viewer: Viewer | None) -> CommentBody:
        marks = await comments.marks(tx, person_of(viewer), [comment])
        return presenter.comment(comment, viewer, marks)

    async def bodies(tx: Tx, found: list[Comment], viewer: Viewer | None) -> list[CommentBody]:
        marks = await comments.marks(tx, person_of(viewer), found)
        return presenter.comments(found, viewer, marks)

    @get("/clips/{clip_id:uuid}/comments")
    async def page(
        request: AnyRequest,
        clip_id: FromPath[UUID],
        order: FromQuery[Order] = "best",
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> Conversation:
        """The comments on a clip: pinned ones, then the best liked or the newest."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            card, found, following = await comments.page(
                tx, clip_id, person_of(viewer), order=order, cursor=cursor, limit=limit
            )
            comments_by, may = await comments.allowed(tx, card, person_of(viewer))
            items = await bodies(tx, found, viewer)
            return Conversation(items, following, card.comments, comments_by, may)

    @get("/clips/{clip_id:uuid}/comments/since/{comment_id:uuid}")
    async def since(
        request: AnyRequest, clip_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> CommentPage:
        """What was said on a clip after a comment, for a page that is open."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            found = await comments.since(tx, clip_id, person_of(viewer), comment_id)
            return CommentPage(await bodies(tx, found, viewer), None)

    @post("/clips/{clip_id:uuid}/comments")
    async def write(
        request: AnyRequest, clip_id: FromPath[UUID], data: JSONBody[NewComment]
    ) -> CommentBody:
        """Comments on a clip, or replies to a comment on it."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            made = await comments.write(tx, me.person_id, clip_id, data.text, data.reply_to)
            return presenter.comment(made, me, NO_MARKS)  # Nobody has seen it yet.

    @get("/comments/{comment_id:uuid}")
    async def see(request: AnyRequest, comment_id: FromPath[UUID]) -> CommentBody:
        """One comment."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            found = await comments.see(tx, comment_id, person_of(viewer))
            return await body(tx, found, viewer)

    @get("/comments/{comment_id:uuid}/replies")
    async def replies(
        request: AnyRequest,
        comment_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 20,
    ) -> CommentPage:
        """What was said under a comment, in that order."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            found, following = await comments.replies(
                tx, comment_id, person_of(viewer), cursor=cursor, limit=limit
            )
            return CommentPage(await bodies(tx, found, viewer), following)

    @delete("/comments/{comment_id:uuid}")
    async def remove(request: AnyRequest, comment_id: FromPath[UUID]) -> None:
        """Deletes an own comment, or one under an own clip, with the replies to it."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await comments.remove(tx, me.person_id, comment_id)

    @put("/comments/{comment_id:uuid}/like")
    async def like(request: AnyRequest, comment_id: FromPath[UUID]) -> CommentLike:
        """Likes a comment; twice is once."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return CommentLike(True, await comments.like(tx, me.person_id, comment_id))

    @delete("/comments/{comment_id:uuid}/like", status_code=200)
    async def unlike(request: AnyRequest, comment_id: FromPath[UUID]) -> CommentLike:
        """Takes a like of a comment back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return CommentLike(False, await comments.unlike(tx, me.person_id, comment_id))

    @put("/comments/{comment_id:uuid}/pin")
    async def pin(request: AnyRequest, comment_id: FromPath[UUID]) -> CommentBody:
        """Puts a comment under an own clip at the top; three at most."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return await body(tx, await comments.pin(tx, me.person_id, comment_id), me)

    @delete("/comments/{comment_id:uuid}/pin", status_code=200)
    async def unpin(request: AnyRequest, comment_id: FromPath[UUID]) -> CommentBody:
        """Takes a pin away."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return await body(tx, await comments.unpin(tx, me.person_id, comment_id), me)

    @put("/comments/{comment_id:uuid}/approval")
    async def approve(request: AnyRequest, comment_id: FromPath[UUID]) -> CommentBody:
        """Shows a comment under an own clip that waited for that."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return await body(tx, await comments.approve(tx, me.person_id, comment_id), me)

    @get("/me/comments")
    async def written(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> CommentPage:
        """The person's own comments, the newest first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found, following = await comments.written(tx, me.person_id, cursor, limit)
            return CommentPage(await bodies(tx, found, me), following)

    @get("/me/comments/held")
    async def held(
        request: AnyRequest, cursor: FromQuery[str | None] = None, limit: Limit = 20
    ) -> CommentPage:
        """Comments under the person's clips that wait for approval, the newest first."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found, following = await comments.held(tx, me.person_id, cursor, limit)
            return CommentPage(await bodies(tx, found, me), following)

    @get("/me/conversation")
    async def choices(request: AnyRequest) -> ConversationChoices:
        """Who may comment and mention, and the words that make a comment wait."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            return _choices(await comments.choices(tx, me.person_id))

    @patch("/me/conversation")
    async def choose(
        request: AnyRequest, data: JSONBody[ConversationChange]
    ) -> ConversationChoices:
        """Changes who may comment and mention, and the words."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            chosen = await comments.choose(
                tx,
                me.person_id,
                comments_by=data.comments_by,
                mentions_by=data.mentions_by,
                filter_words=data.filter_words,
            )
            return _choices(chosen)

    @get("/me/mentionable")
    async def suggest(
        request: AnyRequest,
        begins: Annotated[str, QueryParameter(max_length=50)] = "",
        clip_id: FromQuery[UUID | None] = None,
    ) -> Suggestions:
        """People whom the person may want to mention: those they follow, and who has spoken."""
        async with db.read() as tx:
            me = await people.require(tx, request)
            found = await comments.suggest(tx, me.person_id, begins, clip_id)
            return presenter.suggestions(found)

    return Router(
        "/api",
        route_handlers=[
            page,
            since,
            write,
            see,
            replies,
            remove,
            like,
            unlike,
            pin,
            unpin,
            approve,
            written,
            held,
            choices,
            choose,
            suggest,
        ],
        tags=["comments"],
    )


def _choices(chosen: Choices) -> ConversationChoices:
    return ConversationChoices(
        chosen.comments_by or "nobody", chosen.mentions_by or "nobody", chosen.filter_words
    )
