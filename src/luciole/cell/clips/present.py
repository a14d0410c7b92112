"""How a clip looks on its way to a client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.clips.model import Audience, Card, Marks, State, WhoMay
from luciole.cell.graph.model import Follows
from luciole.cell.media.model import refusal
from luciole.cell.media.service import Media
from luciole.cell.people.model import Viewer

AvatarUrl = Callable[[str | None], str | None]


class AuthorBody(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None


class RenditionBody(msgspec.Struct):
    name: str
    width: int
    height: int
    bitrate_bps: int
    size_bytes: int
    mime: str
    url: str


class CaptionsBody(msgspec.Struct):
    url: str
    language: str


class RefusalBody(msgspec.Struct):
    code: str
    sentence: str
    next_step: str


class ViewerMarks(msgspec.Struct):
    liked: bool
    follows: Follows
    is_author: bool


class ClipBody(msgspec.Struct):
    """A clip as the client sees it. Renditions come lowest first."""

    id: UUID
    author: AuthorBody
    caption: str
    hashtags: list[str]
    audience: Audience
    state: State
    made_with_ai: bool
    published_at: datetime | None
    created_at: datetime
    likes: int
    comments: int
    reposts: int
    favourites: int
    comments_by: WhoMay | None
    sound_id: UUID | None
    answers_id: UUID | None
    duration_ms: int | None
    width: int | None
    height: int | None
    renditions: list[RenditionBody]
    poster_url: str | None
    captions: CaptionsBody | None
    has_audio: bool
    progress: int | None
    refusal: RefusalBody | None
    viewer: ViewerMarks | None


class ClipPage(msgspec.Struct):
    items: list[ClipBody]
    next: str | None


class Presenter:
    """Makes bodies out of cards, for one viewer at a time."""

    def __init__(self, media: Media, avatar_url: AvatarUrl) -> None:
        self._media = media
        self._avatar_url = avatar_url

    def clip(self, card: Card, viewer: Viewer | None, marks: Marks) -> ClipBody:
        """The body of one clip. Addresses of restricted files are signed for the viewer's
        session and end soon."""
        session_id = viewer.session_id if viewer else None
        url = self._media.url
        renditions = [
            RenditionBody(
                r.name,
                r.width,
                r.height,
                r.bitrate_bps,
                r.size_bytes,
                "video/mp4",
                url(r.key, session_id),
            )
            for r in card.renditions
        ]
        is_author = viewer is not None and viewer.person_id == card.author_id
        return ClipBody(
            id=card.id,
            author=AuthorBody(card.handle, card.display_name, self._avatar_url(card.avatar_key)),
            caption=card.caption,
            hashtags=card.hashtags,
            audience=card.audience,
            state=card.state,
            made_with_ai=card.made_with_ai,
            published_at=card.published_at,
            created_at=card.created_at,
            likes=card.likes,
            comments=card.comments,
            reposts=card.reposts,
            favourites=card.favourites,
            comments_by=card.comments_by,
            sound_id=card.sound_id,
            answers_id=card.answers_id,
            duration_ms=card.duration_ms,
            width=card.width,
            height=card.height,
            renditions=renditions,
            poster_url=url(card.poster_key, session_id) if card.poster_key else None,
            captions=CaptionsBody(f"/api/clips/{card.id}/captions.vtt", card.captions_language)
            if card.captions_language
            else None,
            has_audio=card.has_audio,
            progress=card.progress if is_author and card.state == "processing" else None,
            refusal=_refusal(card.refused_code) if is_author and card.refused_code else None,
            viewer=ViewerMarks(
                card.id in marks.liked, marks.follows.get(card.author_id, "no"), is_author
            )
            if viewer
            else None,
        )

    def page(
        self, cards: list[Card], following: str | None, viewer: Viewer | None, marks: Marks
    ) -> ClipPage:
        return ClipPage([self.clip(card, viewer, marks) for card in cards], following)


def _refusal(code: str) -> RefusalBody:
    problem = refusal(code)
    return RefusalBody(problem.code, problem.sentence, problem.next_step)
