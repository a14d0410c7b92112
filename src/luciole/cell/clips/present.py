"""How a clip looks on its way to a client."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.clips.model import Audience, Card, Credit, ListKind, Marks, State, WhoMay
from luciole.cell.clips.quotes_model import How
from luciole.cell.clips.sounds_model import Sound
from luciole.cell.graph.model import Follows
from luciole.cell.media.model import Ai, Segments, Shown, Soundness, Way, refusal
from luciole.cell.media.service import Media
from luciole.cell.notices.model import LabelKind
from luciole.cell.people.model import Person, Viewer
from luciole.kit.db import Tx

NOT_SHOWN = Shown(None, None, None)
AvatarUrl = Callable[[str | None], str | None]


class AuthorBody(msgspec.Struct):
    handle: str
    display_name: str
    avatar_url: str | None


class SegmentsBody(msgspec.Struct):
    """A rendition cut into seconds: after `init_bytes` one segment follows the other to the end of
    the file, each with a size in bytes. `codecs` is as RFC 6381 has it."""

    url: str
    size_bytes: int
    init_bytes: int
    sizes: list[int]
    durations_ms: list[int]
    codecs: str


class Av1Body(SegmentsBody):
    """The same rendition in AV1, in segments only; fewer bytes, for players that decode it
    smoothly."""

    bitrate_bps: int


class RenditionBody(msgspec.Struct):
    """An encoded version. Where `segments` has the same address, the file is fragmented; else it
    plays from its beginning in every player. `av1` is there for some clips that many watch."""

    name: str
    width: int
    height: int
    bitrate_bps: int
    size_bytes: int
    mime: str
    url: str
    segments: SegmentsBody | None
    av1: Av1Body | None


class CaptionsBody(msgspec.Struct):
    url: str
    language: str


class RefusalBody(msgspec.Struct):
    code: str
    sentence: str
    next_step: str


class SoundBody(msgspec.Struct):
    """A sound with whom it is of; without a name it is the original sound of that person."""

    id: UUID
    name: str
    by: AuthorBody
    clip_id: UUID


class MadeFromBody(msgspec.Struct):
    """The clip that a clip is made from: beside it (`duet`), or after a part of it (`stitch`)."""

    how: How
    clip_id: UUID
    by: AuthorBody


class ViewerMarks(msgspec.Struct):
    liked: bool
    favourited: bool
    reposted: bool
    follows: Follows
    is_author: bool
    may_quote: bool = False


class CredentialsBody(msgspec.Struct):
    """Content credentials (C2PA) that the uploaded file carried. `trusted`: sound, by a signer of
    this cell's list; `valid`: sound, by whoever it may be; `invalid`: not sound, so that what they
    say counts as no fact; `unchecked`: read before this cell checked any."""

    state: Soundness
    code: str | None
    """The reason in the standard's words."""
    signer: str | None
    """As the certificate has the name."""
    says_ai: Ai | None
    """What they say of AI, sound or not."""


class LabelBody(msgspec.Struct):
    """A label that a decision of moderators has put on a clip, and the statement that says why."""

    label: LabelKind
    statement: UUID


class ClipBody(msgspec.Struct):
    """A clip as the client sees it. Renditions come lowest first."""

    id: UUID
    author: AuthorBody
    caption: str
    hashtags: list[str]
    audience: Audience
    audience_list: ListKind | None
    """For the author only: nobody else learns that there is a list."""
    state: State
    made_with_ai: bool
    """The label of its author."""
    ai_in_file: Ai | None
    """What sound content credentials (C2PA) in the uploaded file said."""
    credentials: CredentialsBody | None
    published_at: datetime | None
    created_at: datetime
    likes: int
    comments: int
    reposts: int
    favourites: int
    comments_by: WhoMay | None
    sound_id: UUID | None
    sound: SoundBody | None
    answers_id: UUID | None
    duration_ms: int | None
    width: int | None
    height: int | None
    renditions: list[RenditionBody]
    playlist_url: str | None
    """The same renditions as HLS has them, for players that bring their own."""
    poster_url: str | None
    poster_avif_url: str | None
    """The same picture in fewer bytes, a while after the clip was published."""
    preview_url: str | None
    """Two seconds of it as a small moving AVIF picture, a while after the clip was published."""
    thumbhash: str | None
    """Its looks before the poster has come, in base64 (evanw.github.io/thumbhash)."""
    captions: CaptionsBody | None
    has_audio: bool
    progress: int | None
    refusal: RefusalBody | None
    viewer: ViewerMarks | None
    reposted_by: AuthorBody | None = None
    """Who passed it on, in the feed of a follower of theirs."""
    way: Way | None = None
    """For the author of a clip that cannot be played yet, where it is asked for by itself."""
    labels: list[LabelBody] = []
    made_from: MadeFromBody | None = None
    author_moved_to: str | None = None
    """Where the author is now, as they show it, where the clip is asked for by itself."""


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
                SegmentsBody(*_parts(r.segments, url(r.segments.key, session_id)))
                if r.segments
                else None,
                Av1Body(*_parts(r.av1, url(r.av1.key, session_id)), r.av1.bitrate_bps)
                if r.av1
                else None,
            )
            for r in card.renditions
        ]
        playlist = self._media.playlist_key(card.renditions)
        sound = marks.sounds.get(card.sound_id) if card.sound_id else None
        is_author = viewer is not None and viewer.person_id == card.author_id
        shown = marks.shown.get(card.asset_id, NOT_SHOWN)
        return ClipBody(
            id=card.id,
            author=AuthorBody(card.handle, card.display_name, self._avatar_url(card.avatar_key)),
            caption=card.caption,
            hashtags=card.hashtags,
            audience=card.audience,
            audience_list=card.audience_list if is_author else None,
            state=card.state,
            made_with_ai=card.made_with_ai,
            ai_in_file=shown.ai if shown.credentials and shown.credentials.count else None,
            credentials=_credentials(shown),
            published_at=card.published_at,
            created_at=card.created_at,
            likes=marks.likes.get(card.id, card.likes),
            comments=card.comments,
            reposts=card.reposts,
            favourites=card.favourites,
            comments_by=card.comments_by,
            sound_id=sound.id if sound else None,
            sound=self.sound(sound) if sound else None,
            answers_id=card.answers_id,
            duration_ms=card.duration_ms,
            width=card.width,
            height=card.height,
            renditions=renditions,
            playlist_url=url(playlist, session_id) if playlist else None,
            poster_url=self.poster(card, viewer),
            poster_avif_url=url(shown.avif_poster_key, session_id)
            if shown.avif_poster_key
            else None,
            preview_url=url(shown.preview_key, session_id) if shown.preview_key else None,
            thumbhash=base64.b64encode(shown.thumbhash).decode() if shown.thumbhash else None,
            captions=CaptionsBody(f"/api/clips/{card.id}/captions.vtt", card.captions_language)
            if card.captions_language
            else None,
            has_audio=card.has_audio,
            progress=card.progress if is_author and card.state == "processing" else None,
            refusal=_refusal(card.refused_code) if is_author and card.refused_code else None,
            viewer=ViewerMarks(
                card.id in marks.liked,
                card.id in marks.favourites,
                card.id in marks.reposts,
                marks.follows.get(card.author_id, "no"),
                is_author,
                card.id in marks.quotable,
            )
            if viewer
            else None,
            labels=[LabelBody(one.label, one.decision_id) for one in marks.labels.get(card.id, ())],
            made_from=self._credit(marks.credits.get(card.id)),
        )

    def _credit(self, credit: Credit | None) -> MadeFromBody | None:
        if credit is None:
            return None
        first = credit.first
        by = AuthorBody(first.handle, first.display_name, self._avatar_url(first.avatar_key))
        return MadeFromBody(credit.how, first.id, by)

    async def way(self, tx: Tx, card: Card, viewer: Viewer | None) -> Way | None:
        """How far a clip is that cannot be played yet, for its author."""
        if card.state != "processing" or viewer is None or viewer.person_id != card.author_id:
            return None
        return await self._media.way(tx, card.asset_id)

    def author(self, person: Person) -> AuthorBody:
        """A person as an author is shown."""
        return AuthorBody(person.handle, person.display_name, self._avatar_url(person.avatar_key))

    def poster(self, card: Card, viewer: Viewer | None) -> str | None:
        """The address of a clip's still, signed for the viewer's session where it has to be."""
        session_id = viewer.session_id if viewer else None
        return self._media.url(card.poster_key, session_id) if card.poster_key else None

    def sound(self, sound: Sound) -> SoundBody:
        """A sound as it is shown at a clip."""
        by = AuthorBody(sound.handle, sound.display_name, self._avatar_url(sound.avatar_key))
        return SoundBody(sound.id, sound.name, by, sound.clip_id)

    def page(
        self, cards: list[Card], following: str | None, viewer: Viewer | None, marks: Marks
    ) -> ClipPage:
        return ClipPage([self.clip(card, viewer, marks) for card in cards], following)


def _parts(segments: Segments, url: str) -> tuple[str, int, int, list[int], list[int], str]:
    return (
        url,
        segments.size_bytes,
        segments.init_bytes,
        segments.sizes,
        segments.durations_ms,
        segments.codecs,
    )


def _refusal(code: str) -> RefusalBody:
    problem = refusal(code)
    return RefusalBody(problem.code, problem.sentence, problem.next_step)


def _credentials(shown: Shown) -> CredentialsBody | None:
    found = shown.credentials
    return CredentialsBody(found.state, found.code, found.signer, shown.ai) if found else None
