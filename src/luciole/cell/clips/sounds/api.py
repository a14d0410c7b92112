"""Routes of sounds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get, patch
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from luciole.cell.clips.model import Marks
from luciole.cell.clips.present import AuthorBody, ClipPage, Presenter
from luciole.cell.clips.service import Clips
from luciole.cell.clips.sounds.service import Sounds
from luciole.cell.clips.sounds_model import MAX_NAME_CHARS, Sound
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Database, Tx
from luciole.kit.web import AnyRequest

Limit = Annotated[int, QueryParameter(ge=1, le=50)]
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME_CHARS * 4)]


class SoundPage(msgspec.Struct):
    """A sound. `audio_url` plays it: the smallest rendition of the clip that it comes from."""

    id: UUID
    name: str
    by: AuthorBody
    clip_id: UUID
    uses: int
    is_reusable: bool
    may_use: bool
    is_mine: bool
    audio_url: str | None
    poster_url: str | None
    duration_ms: int | None


class SoundChange(msgspec.Struct, forbid_unknown_fields=True):
    name: Name | None = None
    is_reusable: bool | None = None


def routes(
    db: Database, people: People, clips: Clips, sounds: Sounds, presenter: Presenter
) -> Router:
    """The routes of sounds over their collaborators."""

    async def body(tx: Tx, sound: Sound, viewer: Viewer | None) -> SoundPage:
        viewer_id = viewer.person_id if viewer else None
        shown = presenter.sound(sound)
        is_mine = sound.owner_id == viewer_id
        found = await clips.seen(tx, [sound.clip_id], viewer_id)
        origin = presenter.clip(found[0], viewer, Marks()) if found else None
        renditions = origin.renditions if origin else []
        return SoundPage(
            id=shown.id,
            name=shown.name,
            by=shown.by,
            clip_id=shown.clip_id,
            uses=sound.uses,
            is_reusable=sound.is_reusable,
            may_use=sound.is_open and (sound.is_reusable or is_mine),
            is_mine=is_mine,
            audio_url=renditions[0].url if renditions else None,
            poster_url=origin.poster_url if origin else None,
            duration_ms=origin.duration_ms if origin else None,
        )

    @get("/sounds/{sound_id:uuid}")
    async def sound(request: AnyRequest, sound_id: FromPath[UUID]) -> SoundPage:
        """A sound, whose it is, and whether the viewer may use it."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            found = await sounds.see(tx, sound_id, viewer.person_id if viewer else None)
            return await body(tx, found, viewer)

    @get("/sounds/{sound_id:uuid}/clips")
    async def uses(
        request: AnyRequest,
        sound_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: Limit = 24,
    ) -> ClipPage:
        """Clips for everybody that have this sound, newest first."""
        async with db.read() as tx:
            viewer = await people.whoever(tx, request)
            viewer_id = viewer.person_id if viewer else None
            found = await sounds.see(tx, sound_id, viewer_id)
            cards, following = await sounds.uses(tx, found, viewer_id, cursor, limit)
            marks = await clips.marks(tx, viewer_id, cards)
            return presenter.page(cards, following, viewer, marks)

    @patch("/sounds/{sound_id:uuid}")
    async def change(
        request: AnyRequest, sound_id: FromPath[UUID], data: JSONBody[SoundChange]
    ) -> SoundPage:
        """Names an own sound, or lets others use it or not. Clips made with it keep it."""
        async with db.tx() as tx:
            me = await people.require(tx, request)
            changed = await sounds.change(
                tx, me.person_id, sound_id, name=data.name, is_reusable=data.is_reusable
            )
            return await body(tx, changed, me)

    return Router("/api", route_handlers=[sound, uses, change], tags=["clips"])
