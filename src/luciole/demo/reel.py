"""The clips of the demo, in the order in which they are made: the short ones first."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

from luciole.demo.cast import BY_HANDLE, PEOPLE, are_friends, follows

Audience = Literal["everyone", "friends", "only-me"]
Cue = tuple[float, float, str]
"""Begin and end in seconds, and what is read between them."""

OPENING = 8
"""So many clips make a demo that is worth opening."""


@dataclass(frozen=True)
class Clip:
    """A clip of the demo: who publishes it, what is drawn and played, and its words."""

    key: str
    author: str
    scene: str
    mood: str
    seconds: float
    caption: str
    look: str = ""
    audience: Audience = "everyone"
    language: str = "en"
    cues: tuple[Cue, ...] = ()
    cover_part: float = 0.5
    """Where in the clip its cover is, 0..1."""

    @property
    def seed(self) -> int:
        return zlib.crc32(self.key.encode()) % 10_000

    @property
    def captions_vtt(self) -> str | None:
        if not self.cues:
            return None
        parts = [f"{_stamp(begin)} --> {_stamp(end)}\n{text}\n" for begin, end, text in self.cues]
        return "WEBVTT\n\n" + "\n".join(parts)

    def is_seen_by(self, handle: str) -> bool:
        if handle == self.author or self.audience == "only-me":
            return handle == self.author
        if self.audience == "friends":
            return are_friends(handle, self.author)
        return not BY_HANDLE[self.author].is_private or follows(handle, self.author)

    def likers(self) -> list[str]:
        """Who likes the clip: always the same people, and only those who may see it."""
        chosen = []
        for person in PEOPLE:
            luck = zlib.crc32(f"{self.key} {person.handle}".encode()) % 100
            fond = 65 if follows(person.handle, self.author) else 30
            if person.handle != self.author and luck < fond and self.is_seen_by(person.handle):
                chosen.append(person.handle)
        return chosen


def _stamp(seconds: float) -> str:
    return f"00:{int(seconds) // 60:02d}:{seconds % 60:06.3f}"


CLIPS: tuple[Clip, ...] = (
    Clip("rain", "marcus_b", "rain", "rain", 6, "Night bus, front row. #rain #lofi #citylights"),
    Clip(
        "dunes",
        "dolores",
        "dunes",
        "guitar",
        5,
        "Cinco camellos y una luna enorme. Five camels, no hurry. #desierto #moon #slow",
    ),
    Clip(
        "bubbles",
        "juno.park",
        "bubbles",
        "birds",
        5,
        "Sunday, no plans, one bottle of soap. #bubbles #garden",
    ),
    Clip(
        "waves",
        "tariq",
        "waves",
        "sea",
        6,
        "Il y a des soirs où la mer fait tout le travail. #mer #crépuscule #sea",
        "dusk",
        language="fr",
    ),
    Clip(
        "train-evening",
        "theo",
        "train",
        "train",
        6,
        "18 h 42, côté fenêtre. #train #soir #paysage",
        "evening",
        language="fr",
    ),
    Clip(
        "aurora",
        "ingrid",
        "aurora",
        "space",
        5,
        "The lake was so still that we got two for one. #aurora #nordlys #tromsø",
    ),
    Clip(
        "cat", "mina", "cat", "bells", 6, "She has been on watch since nine. #cat #firefly #window"
    ),
    Clip(
        "fireflies",
        "solene",
        "fireflies",
        "bells",
        6,
        "La prairie derrière chez nous, vers onze heures. The meadow behind our house. "
        "#lucioles #fireflies #nuit",
    ),
    Clip(
        "boat",
        "kofi_paper",
        "boat",
        "kalimba",
        7,
        "One sheet for the boat, six for the sea. #paper #papercut #boat",
    ),
    Clip(
        "lanterns",
        "yuki.t",
        "lanterns",
        "harp",
        7,
        "願いごとは一つだけ。One wish each. #lanterns #night",
    ),
    Clip(
        "perseids",
        "ingrid",
        "perseids",
        "space",
        9,
        "Counted eleven, wished twice. #perseids #stars #camping",
    ),
    Clip(
        "haiku",
        "yuki.t",
        "haiku",
        "guitar",
        10,
        "small light in the grass #haiku #ink #poem",
        cues=(
            (0.6, 3.2, "small light in the grass"),
            (3.4, 6.8, "the whole night leans in to look"),
            (7.0, 9.6, "then it is not there"),
        ),
        cover_part=0.9,
    ),
    Clip(
        "candle",
        "anneliese",
        "candle",
        "guitar",
        6,
        "Der Strom war weg. Schön war's. #kerze #abend",
        language="de",
    ),
    Clip(
        "starlings",
        "juno.park",
        "starlings",
        "harp",
        8,
        "Thirteen hundred birds, one mind. #murmuration #starlings #dusk",
    ),
    Clip(
        "mountains",
        "kofi_paper",
        "mountains",
        "harp",
        7,
        "A whole day from seven sheets of paper. #papercut #timelapse #mountains",
        cover_part=0.75,
    ),
    Clip(
        "jellyfish",
        "juno.park",
        "jellyfish",
        "deep",
        7,
        "They have no brain and look how well it goes. #jellyfish #deepsea",
    ),
    Clip(
        "kaleidoscope",
        "priya_r",
        "kaleidoscope",
        "kalimba",
        6,
        "Two mirrors and the school garden. #kaleidoscope #flowers #symmetry",
        "peony",
    ),
    Clip(
        "moonlit",
        "tariq",
        "waves",
        "sea",
        6,
        "Pour les amis seulement : la crique, hier, sans personne. #mer #lune",
        "moon",
        audience="friends",
        language="fr",
    ),
    Clip(
        "skyline",
        "marcus_b",
        "skyline",
        "lofi",
        9,
        "Everybody is home. #city #evening #lofi",
        cover_part=0.8,
    ),
    Clip(
        "coral",
        "priya_r",
        "coral",
        "deep",
        8,
        "Two chemicals, one rule, and it wants to be a coral. Gray and Scott, 1984. "
        "#science #turing #patterns",
        cover_part=0.8,
    ),
    Clip(
        "globe",
        "anneliese",
        "globe",
        "bells",
        7,
        "Für Emil, der sie immer schütteln will. #schneekugel #winter",
        language="de",
    ),
    Clip(
        "train",
        "theo",
        "train",
        "train",
        6,
        "Et le matin, dans l'autre sens. #train #campagne #matin",
        "day",
        language="fr",
    ),
    Clip(
        "rosee",
        "theo",
        "rosee",
        "harp",
        10,
        "Un haïku pour le petit déjeuner. #rosée #haïku #matin",
        language="fr",
        cues=(
            (0.5, 2.2, "rosée du matin"),
            (2.4, 5.0, "le monde tient dans la goutte"),
            (5.4, 9.0, "puis la goutte tombe"),
        ),
    ),
    Clip(
        "fireworks",
        "dolores",
        "fireworks",
        "fireworks",
        7,
        "¡La verbena! Best seats are across the river. #fireworks #verbena #río",
    ),
    Clip(
        "seasons",
        "juno.park",
        "seasons",
        "birds",
        9,
        "I asked the tree what it did all year. #tree #seasons #timelapse",
    ),
    Clip(
        "pendulums",
        "priya_r",
        "pendulums",
        "pendulum",
        12,
        "Fifteen pendulums, each a little faster than the last. Wait for the end. "
        "#physics #pendulumwave",
        cues=(
            (0.4, 2.6, "[bells, one for each pendulum]"),
            (2.8, 5.4, "They drift apart: each is a little faster."),
            (5.6, 7.6, "Half way, every other one is opposite."),
            (10.2, 11.9, "And home again."),
        ),
        cover_part=0.3,
    ),
    Clip(
        "luciole",
        "solene",
        "luciole",
        "bells",
        7,
        "Elles savent écrire, mais un seul mot. They can write, but only one word. "
        "#luciole #fireflies",
        cover_part=0.62,
    ),
)
