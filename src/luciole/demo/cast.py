"""The people of the demo: all invented, all of age, and who follows whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GUEST = "mina"
"""The account that is ready for whoever tries the demo."""


@dataclass(frozen=True)
class Person:
    """A person of the demo, as sign-up and profile need them."""

    handle: str
    display_name: str
    bio: str
    locale: Literal["en", "fr"]
    motif: str
    """What the avatar shows; see `avatar`."""
    colours: tuple[str, str, str]
    """Background above, background below, motif."""
    follows: tuple[str, ...]
    is_private: bool = False
    age_band: Literal["18+"] = "18+"


PEOPLE: tuple[Person, ...] = (
    Person(
        "mina",
        "Mina Okafor-Lind",
        "New here. I like small lights and long train rides. This account is yours to try.",
        "en",
        "face",
        ("#ffb36b", "#d9486a", "#3a1c3f"),
        ("solene", "yuki.t", "kofi_paper", "ingrid", "tariq", "juno.park", "theo", "anneliese"),
    ),
    Person(
        "solene",
        "Solène Marchetti",
        "Je dessine la nuit. Lyon, puis la lisière du bois. / I draw the night.",
        "fr",
        "firefly",
        ("#0d2138", "#1d4a55", "#e8ff7a"),
        ("mina", "yuki.t", "tariq", "theo", "ingrid", "dolores", "juno.park"),
    ),
    Person(
        "tariq",
        "Tariq Benali",
        "Marées, phares, patience. Tides, lighthouses, patience. Tanger ↔ Brest.",
        "fr",
        "wave",
        ("#ffb26b", "#6b3a6e", "#2a1f4f"),
        ("mina", "solene", "kofi_paper", "dolores", "ingrid"),
    ),
    Person(
        "kofi_paper",
        "Kofi Mensah",
        "Scissors, glue, one lamp. Paper landscapes from Accra.",
        "en",
        "mountain",
        ("#fff1d0", "#8fd3e8", "#155e7a"),
        ("solene", "tariq", "priya_r", "yuki.t", "juno.park"),
    ),
    Person(
        "yuki.t",
        "Yuki Tanabe 田辺ゆき",
        "言葉は少なめ。Few words, sometimes seventeen syllables.",
        "en",
        "sun",
        ("#f6ecd8", "#e6d2b2", "#d8392e"),
        ("mina", "solene", "theo", "kofi_paper", "anneliese"),
    ),
    Person(
        "ingrid",
        "Ingrid Solberg",
        "Tromsø. Dark half the year, and that is the good half. Nordlys, telt, kaffe.",
        "en",
        "aurora",
        ("#020512", "#123f4c", "#2bff9a"),
        ("solene", "tariq", "marcus_b", "anneliese", "priya_r"),
    ),
    Person(
        "dolores",
        "Dolores Ibáñez",
        "Cuento historias de arena y de verbena. Sand stories, village fairs.",
        "en",
        "moon",
        ("#2b1145", "#e2705a", "#ffeecb"),
        ("tariq", "solene", "juno.park", "marcus_b"),
    ),
    Person(
        "theo",
        "Théo Rousseau",
        "Côté fenêtre, toujours. Trains, rosée, carnets.",
        "fr",
        "train",
        ("#8a5a93", "#ff9f7d", "#20265e"),
        ("mina", "solene", "yuki.t", "anneliese", "ingrid"),
    ),
    Person(
        "priya_r",
        "Priya Raman",
        "Physics teacher. Everything is a pendulum if you wait. Pune / Leicester.",
        "en",
        "petal",
        ("#2a0a2e", "#6a1450", "#ff8fa8"),
        ("kofi_paper", "ingrid", "marcus_b", "juno.park"),
    ),
    Person(
        "marcus_b",
        "Marcus Bell",
        "Beats for rainy windows. Night bus regular.",
        "en",
        "drop",
        ("#0a1026", "#2d2450", "#4fc3ff"),
        ("priya_r", "ingrid", "dolores", "anneliese"),
    ),
    Person(
        "anneliese",
        "Anneliese Vogt",
        "Nur für Freunde und die Enkel. Just for friends, and the grandchildren.",
        "en",
        "flame",
        ("#1d0f18", "#3a1c1c", "#ffb14a"),
        ("mina", "theo", "yuki.t", "solene"),
        is_private=True,
    ),
    Person(
        "juno.park",
        "Juno Park 박주노",
        "Things that float: jellyfish, bubbles, birds, leaves, me on Sundays.",
        "en",
        "jelly",
        ("#1c7f9c", "#0a2350", "#8fd8ff"),
        ("mina", "solene", "kofi_paper", "priya_r", "dolores"),
    ),
)

ACCEPTED: dict[str, tuple[str, ...]] = {"anneliese": ("mina", "theo", "yuki.t", "ingrid")}
"""Whom a private person lets in; the others of their followers keep waiting (marcus_b does)."""

BY_HANDLE: dict[str, Person] = {person.handle: person for person in PEOPLE}


def follows(follower: str, followee: str) -> bool:
    """Whether the first sees what the second shares with followers."""
    if followee not in BY_HANDLE[follower].follows:
        return False
    return not BY_HANDLE[followee].is_private or follower in ACCEPTED[followee]


def are_friends(one: str, other: str) -> bool:
    return follows(one, other) and follows(other, one)
