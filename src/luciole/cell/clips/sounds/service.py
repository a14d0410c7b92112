"""Sounds: whose they are, who may use them, and which clips have them."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.model import Card
from luciole.cell.clips.service import Clips
from luciole.cell.clips.sounds_model import (
    Borrowed,
    NoSuchSound,
    Sound,
    SoundMode,
    SoundNotReusable,
    UsePlace,
    clean_name,
)
from luciole.cell.clips.store import sounds as store
from luciole.cell.graph.service import Graph
from luciole.kit.cursor import Cursors
from luciole.kit.db import Tx


class Sounds:
    """The front door of sounds."""

    def __init__(self, clips: Clips, graph: Graph, cursors: Cursors) -> None:
        self._clips = clips
        self._graph = graph
        self._cursors = cursors

    async def see(self, tx: Tx, sound_id: UUID, viewer_id: UUID | None) -> Sound:
        """A sound that is there for everybody, or the viewer's own. Raises NoSuchSound."""
        sound = (await store.sounds(tx, [sound_id])).get(sound_id)
        if sound is None:
            raise NoSuchSound
        if sound.owner_id == viewer_id:
            return sound
        if not sound.is_open or await self._graph.is_apart(tx, viewer_id, sound.owner_id):
            raise NoSuchSound
        if not await self._clips.seen(tx, [sound.clip_id], viewer_id):
            raise NoSuchSound
        return sound

    async def borrow(self, tx: Tx, me: UUID, sound_id: UUID, mode: SoundMode) -> Borrowed:
        """A sound to make a clip with. It stays reusable until the transaction ends. Raises
        NoSuchSound, SoundNotReusable."""
        await store.lock(tx, sound_id)
        sound = await self.see(tx, sound_id, me)
        if not sound.is_open:
            raise NoSuchSound
        if not sound.is_reusable and sound.owner_id != me:
            raise SoundNotReusable
        return Borrowed(sound.id, sound.asset_id, mode)

    async def change(
        self, tx: Tx, me: UUID, sound_id: UUID, *, name: str | None, is_reusable: bool | None
    ) -> Sound:
        """Changes what is given of an own sound. Raises NoSuchSound, BadSoundName."""
        await store.lock(tx, sound_id)
        sound = await self.see(tx, sound_id, me)
        if sound.owner_id != me:
            raise NoSuchSound
        await store.change(
            tx,
            sound_id,
            sound.name if name is None else clean_name(name),
            sound.is_reusable if is_reusable is None else is_reusable,
        )
        return await self.see(tx, sound_id, me)

    async def uses(
        self, tx: Tx, sound: Sound, viewer_id: UUID | None, cursor: str | None, limit: int
    ) -> tuple[list[Card], str | None]:
        """Clips for everybody with this sound, newest first, and the next cursor."""
        scope = f"sound:{sound.id}"
        place = self._cursors.read(scope, cursor, UsePlace)
        found = await store.uses(tx, sound.id, place, limit + 1)
        following = None
        if len(found) > limit:
            found = found[:limit]
            last_id, published_at = found[-1]
            following = self._cursors.make(scope, UsePlace(published_at, last_id))
        return await self._clips.seen(tx, [clip_id for clip_id, _ in found], viewer_id), following
