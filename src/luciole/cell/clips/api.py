"""Routes of clips and profiles."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from luciole.cell.clips.api_audience import ListWish, clip_list
from luciole.cell.clips.comments.service import Comments
from luciole.cell.clips.kept.service import Keeping
from luciole.cell.clips.model import MAX_CAPTION_CHARS, MAX_VTT_BYTES, Audience, WhoMay
from luciole.cell.clips.present import ClipBody, ClipPage, Presenter
from luciole.cell.clips.quotes.service import Quotes
from luciole.cell.clips.quotes_model import How
from luciole.cell.clips.service import Clips
from luciole.cell.clips.sounds.service import Sounds
from luciole.cell.clips.sounds_model import SoundMode
from luciole.cell.graph.model import Follows, Tally
from luciole.cell.graph.service import Graph
from luciole.cell.media.model import Edit, Layer, Piece
from luciole.cell.notices.service import Notices
from luciole.cell.people.model import NoSuchPerson, Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

DAY_MS = 86_400_000
Caption = Annotated[str, msgspec.Meta(max_length=MAX_CAPTION_CHARS * 2)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=DAY_MS)]
Vtt = Annotated[str, msgspec.Meta(max_length=MAX_VTT_BYTES)]
Language = Annotated[str, msgspec.Meta(min_length=2, max_length=20)]
Limit = Annotated[int, QueryParameter(ge=1, le=50)]


class PieceWish(msgspec.Struct, forbid_unknown_fields=True):
    """A part of the uploaded film, from `start_ms` to `end_ms` of it."""

    start_ms: Milliseconds
    end_ms: Milliseconds


class LayerWish(msgspec.Struct, forbid_unknown_fields=True):
    """A picture over the whole film (PNG in base64, red, green, blue and alpha), from `start_ms` to
    `end_ms` of what is made of it; no end: to the end."""

    png: bytes
    start_ms: Milliseconds = 0
    end_ms: Milliseconds | None = None


class EditWish(msgspec.Struct, forbid_unknown_fields=True):
    """What is made of the uploaded film: these pieces of it, in the order in which they play (none:
    all of it, or the trim), without its sound, under these pictures, the lowest first. With pieces,
    `cover_ms` is counted in what they make together."""

    pieces: list[PieceWish] = []
    is_muted: bool = False
    layers: list[LayerWish] = []


class MadeFromWish(msgspec.Struct, forbid_unknown_fields=True):
    """A clip to make one from: all of it beside one's own, or a part of it before it, which has at
    most five seconds (no end: as much as may be)."""

    clip_id: UUID
    how: How
    start_ms: Milliseconds = 0
    end_ms: Milliseconds | None = None


class NewClip(msgspec.Struct, forbid_unknown_fields=True):
    upload_id: UUID
    audience: Audience
    audience_list: ListWish | None = None
    caption: Caption = ""
    trim_start_ms: Milliseconds = 0
    trim_end_ms: Milliseconds | None = None
    cover_ms: Milliseconds = 0
    edit: EditWish | None = None
    made_with_ai: bool = False
    captions_vtt: Vtt | None = None
    captions_language: Language = "en"
    sound_id: UUID | None = None
    """A sound of another clip, in the place of the film's own or mixed with it."""
    sound_mode: SoundMode = "replace"
    lets_reuse: bool | None = None
    """Whether others may use the sound; without a word: those of adults."""
    made_from: MadeFromWish | None = None
    lets_quote: bool | None = None
    """Whether others may make duets and stitches with it; without a word: as one prefers. Never
    those of minors."""
    comments_by: WhoMay | None = None
    answers: UUID | None = None
    """The comment that the clip replies to."""


class ClipChange(msgspec.Struct, forbid_unknown_fields=True):
    caption: Caption | None = None
    audience: Audience | None = None
    audience_list: ListWish | UnsetType | None = UNSET
    """Null: no list any more."""
    made_with_ai: bool | None = None
    comments_by: WhoMay | Literal["preferred"] | None = None


class NewCaptions(msgspec.Struct, forbid_unknown_fields=True):
    captions_vtt: Vtt
    language: Language = "en"


class LikeBody(msgspec.Struct):
    liked: bool
    likes: int


class ProfileViewer(msgspec.Struct):
    follows: Follows
    follows_you: bool
    is_friend: bool
    is_me: bool
    has_blocked: bool
    mutes: bool
    restricts: bool


class Profile(msgspec.Struct):
    id: UUID
    handle: str
    display_name: str
    bio: str
    avatar_url: str | None
    is_private: bool
    followers: int
    following: int
    clips: int
    viewer: ProfileViewer | None
    can_see_clips: bool
    shows_likes: bool
    # Their address in another cell, where they said that they went there.
    moved_to: str | None = None


def routes(
    db: Database,
    people: People,
    graph: Graph,
    clips: Clips,
    notices: Notices,
    keeping: Keeping,
    sounds: Sounds,
    quotes: Quotes,
    comments: Comments,
    presenter: Presenter,
) -> Router:
    """The routes of clips over their collaborators."""

    async def body(tx: Tx, clip_id: UUID, viewer: Viewer | None) -> ClipBody:
        viewer_id = viewer.person_id if viewer else None
        card = await clips.see(tx, clip_id, viewer_id)
        shown = presenter.clip(card, viewer, await clips.marks(tx, viewer_id, [card]))
        shown.way = await presenter.way(tx, card, viewer)
        shown.author_moved_to = await people.moved_to(tx, card.author_id)
        return shown

    @post("/clips")
    async def publish(request: AnyRequest, data: JSONBody[NewClip]) -> ClipBody:
        """Makes a clip out of a finished upload; `GET /api/live` tells when it is published."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            is_private = await people.hold_privacy(tx, me.person_id)
            sound = None
            if data.sound_id is not None:
                sound = await sounds.borrow(tx, me.person_id, data.sound_id, data.sound_mode)
            first = None
            if (wish := data.made_from) is not None:
                first = await quotes.take(
                    tx,
                    me.person_id,
                    wish.clip_id,
                    wish.how,
                    wish.start_ms,
                    wish.end_ms,
                    has_sound=sound is not None,
                )
            if data.answers is not None:
                await comments.require_answerable(tx, me.person_id, data.answers)
            clip_id = await clips.publish(
                tx,
                me.person_id,
                upload_id=data.upload_id,
                edit=_edit(data),
                caption=data.caption,
                audience=data.audience,
                audience_list=await clip_list(people, tx, data.audience_list),
                is_author_private=is_private,
                made_with_ai=data.made_with_ai,
                captions=(data.captions_vtt, data.captions_language)
                if data.captions_vtt is not None
                else None,
                sound=sound,
                lets_reuse=not me.is_minor if data.lets_reuse is None else data.lets_reuse,
                comments_by=data.comments_by,
                answers_id=data.answers,
                made_from=first,
                lets_quote=False if me.is_minor else data.lets_quote,
            )
            return await body(tx, clip_id, me)

    @get("/clips/{clip_id:uuid}")
    async def see(request: AnyRequest, clip_id: FromPath[UUID]) -> ClipBody:
        """One clip, for those who may see it."""
        async with db.read() as tx:
            return await body(tx, clip_id, await people.whoever(tx, request))

    @get("/clips/{clip_id:uuid}/captions.vtt", media_type="text/vtt")
    async def captions(request: AnyRequest, clip_id: FromPath[UUID]) -> Response[str]:
        """The captions of a clip, as WebVTT."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            vtt = await clips.captions(tx, clip_id, viewer.person_id if viewer else None)
        return Response(vtt, media_type="text/vtt", headers={"cache-control": "private, no-store"})

    @patch("/clips/{clip_id:uuid}")
    async def change(
        request: AnyRequest, clip_id: FromPath[UUID], data: JSONBody[ClipChange]
    ) -> ClipBody:
        """Changes caption, audience, label or who may comment, of an own clip."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await people.hold_privacy(tx, me.person_id)
            await clips.change(
                tx,
                me.person_id,
                clip_id,
                caption=data.caption,
                audience=data.audience,
                made_with_ai=data.made_with_ai,
                audience_list=UNSET
                if data.audience_list is UNSET
                else await clip_list(people, tx, data.audience_list),
                comments_by=data.comments_by,
            )
            return await body(tx, clip_id, me)

    @put("/clips/{clip_id:uuid}/captions")
    async def set_captions(
        request: AnyRequest, clip_id: FromPath[UUID], data: JSONBody[NewCaptions]
    ) -> ClipBody:
        """Sets the captions of an own clip."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await clips.set_captions(tx, me.person_id, clip_id, (data.captions_vtt, data.language))
            return await body(tx, clip_id, me)

    @delete("/clips/{clip_id:uuid}/captions", status_code=200)
    async def remove_captions(request: AnyRequest, clip_id: FromPath[UUID]) -> ClipBody:
        """Removes the captions of an own clip."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await clips.set_captions(tx, me.person_id, clip_id, None)
            return await body(tx, clip_id, me)

    @delete("/clips/{clip_id:uuid}")
    async def remove(request: AnyRequest, clip_id: FromPath[UUID]) -> None:
        """Deletes an own clip with its files and likes."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            await clips.delete(tx, me.person_id, clip_id)

    @put("/clips/{clip_id:uuid}/like")
    async def like(request: AnyRequest, clip_id: FromPath[UUID]) -> LikeBody:
        """Likes a clip; twice is once."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return LikeBody(True, await clips.like(tx, me.person_id, clip_id))

    @delete("/clips/{clip_id:uuid}/like", status_code=200)
    async def unlike(request: AnyRequest, clip_id: FromPath[UUID]) -> LikeBody:
        """Takes a like back."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            return LikeBody(False, await clips.unlike(tx, me.person_id, clip_id))

    @get("/people/{handle:str}")
    async def profile(request: AnyRequest, handle: FromPath[str]) -> Profile:
        """A person's public face, with counts."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            person = await people.by_handle(tx, handle)
            viewer_id = viewer.person_id if viewer else None
            relation = await graph.relation(tx, viewer_id, person.id)
            if relation.is_blocked and not relation.has_blocked:
                raise NoSuchPerson
            await notices.refuse_person(tx, person.id, viewer_id)
            tally = await graph.tally(tx, person.id)
            is_me = viewer_id == person.id
            if relation.has_blocked:
                # Enough to know who it is, and to end it.
                person = msgspec.structs.replace(person, bio="")
                tally = Tally(0, 0)
            return Profile(
                id=person.id,
                handle=person.handle,
                display_name=person.display_name,
                bio=person.bio,
                avatar_url=people.avatar_url(person.avatar_key),
                is_private=person.is_private,
                followers=tally.followers,
                following=tally.following,
                clips=0 if relation.has_blocked else await clips.tally(tx, person.id),
                viewer=ProfileViewer(
                    relation.follows,
                    relation.follows_you,
                    relation.is_friend,
                    is_me,
                    relation.has_blocked,
                    relation.mutes,
                    relation.restricts,
                )
                if viewer
                else None,
                can_see_clips=not relation.is_apart
                and (is_me or not person.is_private or relation.follows == "yes"),
                shows_likes=not relation.is_apart and await keeping.shows_likes(tx, person.id),
                moved_to=await people.moved_to(tx, person.id),
            )

    @get("/people/{handle:str}/clips")
    async def grid(
        request: AnyRequest,
        handle: FromPath[str],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 24,
    ) -> ClipPage:
        """A person's clips that the viewer may see, newest first; one's own in every state."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            person = await people.by_handle(tx, handle)
            viewer_id = viewer.person_id if viewer else None
            relation = await graph.relation(tx, viewer_id, person.id)
            if relation.is_apart:
                raise NoSuchPerson
            await notices.refuse_person(tx, person.id, viewer_id)
            cards, following = await clips.grid(
                tx,
                person.id,
                viewer_id,
                relation,
                is_private=person.is_private,
                cursor=cursor,
                limit=limit,
            )
            marks = await clips.marks(tx, viewer_id, cards)
            return presenter.page(cards, following, viewer, marks)

    return Router(
        "/api",
        route_handlers=[
            publish,
            see,
            captions,
            change,
            set_captions,
            remove_captions,
            remove,
            like,
            unlike,
            profile,
            grid,
        ],
        tags=["clips"],
    )


def _edit(data: NewClip) -> Edit:
    wish = data.edit or EditWish()
    return Edit(
        data.trim_start_ms,
        data.trim_end_ms,
        data.cover_ms,
        tuple(Piece(one.start_ms, one.end_ms) for one in wish.pieces),
        wish.is_muted,
        tuple(Layer(one.png, one.start_ms, one.end_ms) for one in wish.layers),
    )
