"""A small made-up cell: clips, and people who watch them, reproducible by a seed."""

from __future__ import annotations

import random
from uuid import UUID

import msgspec
import numpy as np

from luciole.cell.feed.ranking.model import Clip, Event, Signal, Source
from luciole.cell.feed.ranking.page import Asked, Drawn
from luciole.cell.feed.ranking.weights import PUBLIC_FEATURES
from luciole.cell.feed.ranking.world import World

DAY = 86_400.0
NOW = 1_800_000_000.0
TAGS = ("cats", "sea", "cooking", "chess", "bikes", "gardens")
LENGTHS = (6_000, 12_000, 25_000, 50_000, 100_000, 170_000)


def uuid_of(kind: int, number: int) -> UUID:
    """A reproducible id whose low bits look random, as those of a UUIDv7 do."""
    low = random.Random(kind * 1_000_003 + number).getrandbits(62)
    return UUID(int=(number << 80) | (7 << 76) | (kind << 64) | (1 << 63) | low)


def clip(number: int, **changed: object) -> Clip:
    rng = random.Random(number)
    made = Clip(
        id=uuid_of(1, number),
        author_id=uuid_of(2, number % 17),
        hashtags=(TAGS[number % 6], TAGS[(number // 6) % 6]),
        caption=f"evening light number{'abcdefghij'[number % 10]}",
        sound_id=uuid_of(3, number % 11) if number % 3 else None,
        duration_ms=rng.choice(LENGTHS),
        published_at=NOW - 5 * DAY + number * 1_200,
    )
    return msgspec.structs.replace(made, **changed)


def features(numbers: list[float] | None = None, width: int = len(PUBLIC_FEATURES)) -> bytes:
    full = np.zeros(width, "<f2")
    if numbers:
        full[: len(numbers)] = numbers
    return full.tobytes()


def event(
    at: float, session: int, of: Clip | UUID, signal: Signal, value: int = 0, **changed: object
) -> Event:
    made = Event(
        at=at,
        session=uuid_of(4, session),
        clip=of if isinstance(of, UUID) else of.id,
        signal=signal,
        value=value,
        loops=0,
        source=Source.FRESH,
        features=features(),
        trust=1.0,
    )
    return msgspec.structs.replace(made, **changed)


def log_of(clips: list[Clip], impressions: int, seed: int = 1, step_s: float = 3.0) -> list[Event]:
    """A log in which clips differ in how well they are watched and liked."""
    rng = random.Random(seed)
    found = []
    for number in range(impressions):
        at = NOW + number * step_s
        session = seed * 100_000 + number // 7 + rng.randrange(3)
        chosen = rng.choice(clips)
        quality = (chosen.id.int % 97) / 97
        trust = rng.choice((1.0, 0.5, 0.25))
        columns = features([1, quality * 4 - 2, rng.gauss(0, 1)])
        share = rng.random() * 0.4 + quality
        found.append(event(at, session, chosen, Signal.SHOWN, features=columns, trust=trust))
        value = int(share * chosen.duration_ms)
        found.append(event(at + 1, session, chosen, Signal.WATCHED, value, trust=trust))
        if rng.random() < 0.1 * quality:
            found.append(event(at + 2, session, chosen, Signal.LIKED, trust=trust))
        if rng.random() < 0.05:
            kind = rng.choice(list(Signal)[2:])
            found.append(event(at + 2, session, chosen, kind, trust=trust))
    return found


def world_of(clips: list[Clip], world: World) -> World:
    for each in clips:
        world.put(each)
    return world


def asked(seed: int = 1, limit: int = 10, **changed: object) -> Asked:
    return msgspec.structs.replace(Asked(now=NOW + DAY, seed=seed, limit=limit), **changed)


def shown(drawn: Drawn) -> list[UUID]:
    return [slot.clip for slot in drawn.slots]
