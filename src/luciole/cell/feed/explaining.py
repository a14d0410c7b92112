"""Puts what ranking says of a slot into a form that a person can read."""

from __future__ import annotations

from uuid import UUID

from luciole.cell.clips.model import NoSuchClip
from luciole.cell.clips.service import Clips
from luciole.cell.feed.model import Why
from luciole.cell.feed.ranking.explain import SOURCES, explained
from luciole.cell.feed.ranking.model import Slot
from luciole.cell.feed.shapes import Because, Lever, PartBody, WhyBody
from luciole.cell.people.model import Viewer
from luciole.cell.people.service import People
from luciole.kit.db import Tx

SHORT_CHARS = 80


class Explaining:
    """Explains slots to one viewer at a time."""

    def __init__(self, people: People, clips: Clips) -> None:
        self._people = people
        self._clips = clips

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
        try:
            subject = UUID(slot.because)
        except ValueError:
            return Because("hashtag", slot.because.removeprefix("#"))
        found = (await self._people.cards(tx, [subject])).get(subject)
        if found is not None:
            return Because("author", found.handle)
        try:
            card = await self._clips.see(tx, subject, viewer.person_id if viewer else None)
        except NoSuchClip:
            return None
        return Because("clip", card.caption[:SHORT_CHARS] or f"@{card.handle}")


def _levers(why: Why, viewer: Viewer | None) -> list[Lever]:
    levers: list[Lever] = ["not-interested", "hide-author", "hide-hashtag"]
    if why.mode == "learning":
        levers += ["switch-to-public", "reset"]
    elif viewer is not None and not viewer.is_minor:
        levers.append("switch-to-learning")
    return levers
