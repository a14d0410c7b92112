"""Commenting, answering, liking, pinning, approving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from luciole.cell.clips.comments import store
from luciole.cell.clips.comments.model import (
    MAX_PINNED,
    NO_MARKS,
    SHOWN_ANSWERS,
    Answer,
    BestPlace,
    Choices,
    Comment,
    HeldFor,
    IdPlace,
    Marks,
    MayNotComment,
    NoSuchComment,
    NotPinnable,
    Order,
    Rule,
    TooManyPinned,
    clean_comment,
    clean_filter_words,
    has_filtered,
    may_comment,
)
from luciole.cell.clips.comments.store import choices
from luciole.cell.clips.comments.store.choices import Suggested
from luciole.cell.clips.comments.telling import Telling
from luciole.cell.clips.mentions.model import check_mentions
from luciole.cell.clips.mentions.service import mentioned_in
from luciole.cell.clips.model import Card, NoSuchClip, NotPublishedYet, WhoMay, without_controls
from luciole.cell.clips.service import Clips
from luciole.cell.graph.model import STRANGERS
from luciole.cell.graph.service import Graph
from luciole.cell.notify.service import Notify
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx
from luciole.kit.ids import new_id
from luciole.kit.rates import Buckets, Rate

COMMENTING = Rate("comment", 20, 60)
LIKING = Rate("comment-like", 120, 60)
SUGGESTING = Rate("suggest", 120, 60)
MOST_SUGGESTED = 8
MOST_SINCE = 50

Listed = tuple[list[Comment], str | None]


class Comments:
    """The front door of conversation under clips."""

    def __init__(self, clips: Clips, graph: Graph, notify: Notify, cursors: Cursors) -> None:
        self._clips = clips
        self._graph = graph
        self._telling = Telling(notify, self.is_seen_by)
        self._cursors = cursors
        self._buckets = Buckets()

    # Reading

    async def page(
        self,
        tx: Tx,
        clip_id: UUID,
        viewer_id: UUID | None,
        *,
        order: Order,
        cursor: str | None,
        limit: int,
    ) -> tuple[Card, list[Comment], str | None]:
        """The clip, the heads of threads that the viewer may see, and the next cursor. The first
        page begins with those that the author pinned. Raises NoSuchClip."""
        card = await self._clips.see(tx, clip_id, viewer_id)
        scope = f"comments:{clip_id}:{order}"
        pinned: list[Comment] = []
        if order == "new":
            read = self._newest(tx, clip_id, viewer_id)
            found, following = await self._by_id(scope, cursor, limit, read)
            pinned = [] if cursor else await store.pinned(tx, viewer_id, clip_id)
            return card, [*pinned, *found], following
        place = self._cursors.read(scope, cursor, BestPlace)
        if place is None:
            pinned, found = await store.first_best(tx, viewer_id, clip_id, limit + 1)
        else:
            found = await store.best(tx, viewer_id, clip_id, place, limit + 1)
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = self._cursors.make(scope, BestPlace(found[-1].score, found[-1].id))
        return card, [*pinned, *found], following

    async def replies(
        self, tx: Tx, comment_id: UUID, viewer_id: UUID | None, *, cursor: str | None, limit: int
    ) -> Listed:
        """What was said under a comment, in that order. Raises NoSuchComment."""
        await self.see(tx, comment_id, viewer_id)

        async def read(after: UUID | None, most: int) -> list[Comment]:
            return await store.replies(tx, viewer_id, comment_id, after, most)

        return await self._by_id(f"replies:{comment_id}", cursor, limit, read)

    async def since(
        self, tx: Tx, clip_id: UUID, viewer_id: UUID | None, after: UUID
    ) -> list[Comment]:
        """What came under a clip after a comment, for an open page. Raises NoSuchClip."""
        await self._clips.see(tx, clip_id, viewer_id)
        return await store.since(tx, viewer_id, clip_id, after, MOST_SINCE)

    async def see(self, tx: Tx, comment_id: UUID, viewer_id: UUID | None) -> Comment:
        """A comment that the viewer may see, under a clip that they may see. Raises
        NoSuchComment."""
        comment = await store.comment(tx, viewer_id, comment_id)
        if comment is None:
            raise NoSuchComment
        try:
            await self._clips.see(tx, comment.clip_id, viewer_id)
        except NoSuchClip as error:
            raise NoSuchComment from error
        return comment

    async def is_seen_by(self, tx: Tx, comment: Comment, person_id: UUID) -> bool:
        """Whether a comment that somebody else sees is seen by this person too."""
        if person_id == comment.author_id:  # Who always sees the clip.
            return await store.comment(tx, person_id, comment.id) is not None
        try:
            await self.see(tx, comment.id, person_id)
        except NoSuchComment:
            return False
        return True

    async def held(self, tx: Tx, me: UUID, cursor: str | None, limit: int) -> Listed:
        """What waits for me under my clips, the newest first."""

        async def read(before: UUID | None, most: int) -> list[Comment]:
            return await store.held(tx, me, before, most)

        return await self._by_id(f"held:{me}", cursor, limit, read)

    async def written(self, tx: Tx, me: UUID, cursor: str | None, limit: int) -> Listed:
        """My own comments, the newest first."""

        async def read(before: UUID | None, most: int) -> list[Comment]:
            return await store.written(tx, me, before, most)

        return await self._by_id(f"written:{me}", cursor, limit, read)

    async def marks(self, tx: Tx, viewer_id: UUID | None, comments: list[Comment]) -> Marks:
        """What the viewer and the author did with these comments, and the clips that answer."""
        if not comments:
            return NO_MARKS
        ids = [comment.id for comment in comments]
        authors = {comment.author_id for comment in comments}
        people = {*authors, *([viewer_id] if viewer_id else [])}
        liked, answers = await store.marked_among(tx, ids, people)
        by_author = {
            comment.id for comment in comments if comment.id in liked.get(comment.author_id, ())
        }
        return Marks(
            liked.get(viewer_id, frozenset()) if viewer_id else frozenset(),
            frozenset(by_author),
            await self._answers(tx, answers, viewer_id),
        )

    async def _answers(
        self, tx: Tx, answers: list[UUID], viewer_id: UUID | None
    ) -> dict[UUID, list[Answer]]:
        """Those of the clips that answer comments that the viewer may see, by comment."""
        found: dict[UUID, list[Answer]] = {}
        for card in await self._clips.seen(tx, answers, viewer_id):
            if card.answers_id is not None:
                found.setdefault(card.answers_id, []).append(Answer(card.id, card.handle))
        return {comment: clips[:SHOWN_ANSWERS] for comment, clips in found.items()}

    async def allowed(self, tx: Tx, card: Card, person_id: UUID | None) -> tuple[WhoMay, bool]:
        """Who may comment on a clip, and whether this person may."""
        rule = await choices.rule(tx, card.id, person_id)
        return rule.comments_by, await self._may(tx, rule, card, person_id)

    # Writing

    async def write(
        self, tx: Tx, me: UUID, clip_id: UUID, text: str, to_id: UUID | None
    ) -> Comment:
        """Comments on a clip, or replies to a comment on it. With a word of the author's filter,
        or by somebody whom the author restricts, it waits for the author.

        Raises NoSuchClip, NoSuchComment, NotPublishedYet, MayNotComment, BadComment,
        TooManyMentions, TooMany.
        """
        self._buckets.take(COMMENTING, str(me))
        text = clean_comment(text)
        check_mentions(text)
        # First the clip, then its comments, as deleting it does.
        await self._clips.hold(tx, clip_id)
        card = await self._clips.see(tx, clip_id, me)
        if card.state != "published":
            raise NotPublishedYet
        rule = await choices.rule(tx, clip_id, me)
        if not await self._may(tx, rule, card, me):
            raise MayNotComment
        to = await self.see(tx, to_id, me) if to_id else None
        if to and to.clip_id != clip_id:
            raise NoSuchComment
        if to and to.held_for and me == card.author_id:
            await self.approve(tx, me, to.id)
        mentioned = await mentioned_in(tx, me, text)
        handles = [one.handle for one in mentioned]
        waits = _held_for(rule, card, me, text, to)
        added = await store.add(tx, new_id(), card, me, to, text, handles, waits)
        if added is None:
            raise NoSuchComment
        made, is_shown = added
        if made.held_for is None:
            await self._telling.said(tx, made, to, mentioned, is_seen_by_author=is_shown)
        await self._telling.held(tx, made)
        return made

    async def remove(self, tx: Tx, me: UUID, comment_id: UUID) -> None:
        """Deletes my comment, or anybody's under my clip, with the thread that it heads. Raises
        NoSuchComment."""
        comment = await self._held_fast(tx, me, comment_id)
        if me not in (comment.writer_id, comment.author_id):
            raise NoSuchComment
        await store.remove(tx, comment_id)
        mentioned = await mentioned_in(tx, comment.writer_id, comment.text)
        to = await store.comment(tx, comment.author_id, comment.to_id) if comment.to_id else None
        await self._telling.unsaid(tx, comment, to, mentioned)

    async def like(self, tx: Tx, me: UUID, comment_id: UUID) -> int:
        """Likes a comment, once; gives its likes. Raises NoSuchComment, TooMany."""
        self._buckets.take(LIKING, str(me))
        await store.lock(tx, comment_id)
        comment = await self.see(tx, comment_id, me)
        if not await store.like(tx, comment_id, me):
            return comment.likes
        likes = await store.add_likes(tx, comment_id, 1)
        await self._telling.liked(tx, comment, me)
        return likes

    async def unlike(self, tx: Tx, me: UUID, comment_id: UUID) -> int:
        """Takes a like back; gives the likes. Raises NoSuchComment."""
        await store.lock(tx, comment_id)
        comment = await self.see(tx, comment_id, me)
        if not await store.unlike(tx, comment_id, me):
            return comment.likes
        likes = await store.add_likes(tx, comment_id, -1)
        await self._telling.unliked(tx, comment, me)
        return likes

    # What the author of the clip decides

    async def pin(self, tx: Tx, me: UUID, comment_id: UUID) -> Comment:
        """Puts a comment at the top. Raises NoSuchComment, NotPinnable, TooManyPinned."""
        comment = await self._under_mine(tx, me, comment_id)
        if comment.parent_id is not None or comment.held_for is not None:
            raise NotPinnable
        pins = await store.pins(tx, comment.clip_id)
        if comment_id not in pins and len(pins) >= MAX_PINNED:
            raise TooManyPinned
        await store.pin(tx, comment_id)
        return await self._known(tx, comment_id, me)

    async def unpin(self, tx: Tx, me: UUID, comment_id: UUID) -> Comment:
        """Raises NoSuchComment."""
        await self._under_mine(tx, me, comment_id)
        await store.unpin(tx, comment_id)
        return await self._known(tx, comment_id, me)

    async def approve(self, tx: Tx, me: UUID, comment_id: UUID) -> Comment:
        """Shows a comment that waited, and the one that it stands under. Raises NoSuchComment."""
        comment = await self._under_mine(tx, me, comment_id)
        head = None
        if comment.parent_id is not None:
            head = await self._known(tx, comment.parent_id, me)
        for one in (head, comment):
            if one is not None and one.held_for is not None and await store.approve(tx, one.id):
                await store.count(tx, one.clip_id, one.parent_id, 1)
                to = await store.comment(tx, me, one.to_id) if one.to_id else None
                mentioned = await mentioned_in(tx, one.writer_id, one.text)
                await self._telling.held_no_more(tx, one)
                await self._telling.said(tx, one, to, mentioned)
        return await self._known(tx, comment_id, me)

    # Answers by clip

    async def require_answerable(self, tx: Tx, me: UUID, comment_id: UUID) -> None:
        """Raises NoSuchComment and MayNotComment: a clip answers what one could reply to."""
        comment = await self.see(tx, comment_id, me)
        if comment.held_for is not None:
            raise NoSuchComment
        card = await self._clips.see(tx, comment.clip_id, me)
        if not (await self.allowed(tx, card, me))[1]:
            raise MayNotComment

    # Choices

    async def choices(self, tx: Tx, me: UUID) -> Choices:
        """What I chose, or what holds for my age."""
        chosen = await choices.choices(tx, me)
        comments_by, mentions_by = await choices.holding(tx, me)
        return Choices(comments_by, mentions_by, chosen.filter_words)

    async def choose(
        self,
        tx: Tx,
        me: UUID,
        *,
        comments_by: WhoMay | None,
        mentions_by: WhoMay | None,
        filter_words: list[str] | None,
    ) -> Choices:
        """Changes what is given. Raises BadFilterWords."""
        before = await choices.choices(tx, me)
        chosen = Choices(
            comments_by or before.comments_by,
            mentions_by or before.mentions_by,
            before.filter_words if filter_words is None else clean_filter_words(filter_words),
        )
        await choices.choose(tx, me, chosen)
        return await self.choices(tx, me)

    async def suggest(
        self, tx: Tx, me: UUID, written: str, clip_id: UUID | None
    ) -> list[Suggested]:
        """People whom I follow, or who have spoken under the clip, whose handle or name begins so.
        Raises NoSuchClip, TooMany."""
        self._buckets.take(SUGGESTING, str(me))
        if clip_id is not None:
            await self._clips.see(tx, clip_id, me)
        begins = without_controls(written).strip().removeprefix("@").lower()
        for special in "\\%_":
            begins = begins.replace(special, f"\\{special}")
        return await choices.suggested(tx, me, f"{begins}%", clip_id, MOST_SUGGESTED)

    async def _may(self, tx: Tx, rule: Rule, card: Card, person_id: UUID | None) -> bool:
        if person_id is None or card.state != "published":
            return False
        relation = STRANGERS
        if rule.comments_by in ("followers", "friends"):
            relation = await self._graph.relation(tx, person_id, card.author_id)
        return may_comment(rule.comments_by, person_id, card.author_id, relation)

    async def _held_fast(self, tx: Tx, me: UUID, comment_id: UUID) -> Comment:
        """A comment that I may see, with its clip locked before it."""
        comment = await self.see(tx, comment_id, me)
        await self._clips.hold(tx, comment.clip_id)
        return await self.see(tx, comment_id, me)

    async def _under_mine(self, tx: Tx, me: UUID, comment_id: UUID) -> Comment:
        comment = await self._held_fast(tx, me, comment_id)
        if comment.author_id != me:
            raise NoSuchComment
        return comment

    async def _known(self, tx: Tx, comment_id: UUID, viewer_id: UUID) -> Comment:
        comment = await store.comment(tx, viewer_id, comment_id)
        if comment is None:
            raise NoSuchComment
        return comment

    def _newest(
        self, tx: Tx, clip_id: UUID, viewer_id: UUID | None
    ) -> Callable[[UUID | None, int], Awaitable[list[Comment]]]:
        return lambda before, most: store.newest(tx, viewer_id, clip_id, before, most)

    async def _by_id(
        self,
        scope: str,
        cursor: str | None,
        limit: int,
        read: Callable[[UUID | None, int], Awaitable[list[Comment]]],
    ) -> Listed:
        place = self._cursors.read(scope, cursor, IdPlace)
        found = await read(place.id if place else None, limit + 1)
        if len(found) <= limit:
            return found, None
        found = found[:limit]
        return found, self._cursors.make(scope, IdPlace(found[-1].id))


def _held_for(
    rule: Rule, card: Card, writer_id: UUID, text: str, to: Comment | None
) -> HeldFor | None:
    """Why a new comment waits. What is said under one that waits waits with it."""
    if writer_id == card.author_id:
        return None
    if rule.is_restricted:
        return "restricted"
    if has_filtered(text, rule.filter_words):
        return "words"
    return to.held_for if to else None
