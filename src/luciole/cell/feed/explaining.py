"""Puts what ranking says of a slot into a form that a person can read."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.model import Card, NoSuchClip
from luciole.cell.clips.service import Clips
from luciole.cell.feed.model import Why
from luciole.cell.feed.ranking.explain import SOURCES, explained
from luciole.cell.feed.ranking.model import Clip, Slot
from luciole.cell.feed.shapes import Because, Lever, PartBody, WhyBody
from luciole.cell.feed.veil import Veil
from luciole.cell.people.model import Viewer
from luciole.kit.db import Tx

SHORT_CHARS = 80


class Explaining:
    """Explains slots to one viewer at a time."""

    def __init__(self, clips: Clips, veil: Veil) -> None:
        self._clips = clips
        self._veil = veil

    @staticmethod
    def sources() -> list[str]:
        """Where clips come from, by their codes."""
        return list(SOURCES.values())

    async def body(self, tx: Tx, why: Why, viewer: Viewer | None) -> WhyBody:
        said = explained(why.slot)
        return WhyBody(
            clip_id=why.slot.clip,
            source=said.source,
            because=await self._because(tx, why.slot, viewer),
            exploring=said.exploring,
            chance=said.chance,
            score=said.score,
            parts=[PartBody(one.name, one.adds, one.share) for one in said.reasons],
            mode=why.mode,
            weights_version=why.weights_version,
            levers=_levers(why, viewer),
        )

    async def _because(self, tx: Tx, slot: Slot, viewer: Viewer | None) -> Because | None:
        """What the source went by; None where that is gone, or not for this viewer any more."""
        if not slot.because:
            return None
        viewer_id = viewer.person_id if viewer else None
        try:
            card = await self._clips.see(tx, slot.clip, viewer_id)
            if slot.because == str(self._veil.author(card.author_id)):
                return Because("author", card.handle)
            word = self._veil.unveiled(slot.because, _clip_of(card))
            if word is not None:
                return Because("hashtag", word)
            other = await self._clips.see(tx, UUID(slot.because), viewer_id)
        except (NoSuchClip, ValueError):
            return None
        return Because("clip", other.caption[:SHORT_CHARS] or f"@{other.handle}")


def _clip_of(card: Card) -> Clip:
    return Clip(card.id, card.author_id, tuple(card.hashtags), card.caption, None, 0, 0.0)


def _levers(why: Why, viewer: Viewer | None) -> list[Lever]:
    levers: list[Lever] = ["not-interested", "hide-author", "hide-hashtag"]
    if why.mode == "learning":
        levers += ["switch-to-public", "reset"]
    elif viewer is not None and not viewer.is_minor:
        levers.append("switch-to-learning")
    return levers
