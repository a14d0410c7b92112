"""Fair chances are a budget: floor x new clips a day <= share for exploring x impressions a day."""

from __future__ import annotations

import msgspec

from .counting import Count
from .fold import Fold
from .order import Bools, Ints
from .shelf import age_key

DAY_S = 86_400.0


class Budget(msgspec.Struct, frozen=True):
    """What new clips can be promised, from the last 24 hours."""

    new_clips_a_day: int
    impressions_a_day: int
    explore_share: float
    floor_wanted: int
    floor: int
    """Impressions that each new clip gets: as wanted, or what the equation leaves."""

    @property
    def is_met(self) -> bool:
        """Whether the impressions suffice for the floor that is wanted."""
        return self.floor >= self.floor_wanted


def floor_of(new_clips: int, impressions: int, share: float, wanted: int) -> int:
    """The largest floor that fits, at most as wanted; 1 at least, as otherwise a cell that begins
    would never show a new clip."""
    if new_clips <= 0:
        return wanted
    return max(1, min(wanted, int(share * impressions / new_clips)))


def budget(world: Fold, now: float) -> Budget:
    """The equation as it stands at a time (Unix seconds)."""
    shelf, rule = world.shelf, world.weights.budget
    new = shelf.by_age.count(age_key(now - DAY_S), shelf.alive[: shelf.size])
    impressions = world.impressions_a_day(now)
    floor = floor_of(new, impressions, rule.explore_share, rule.floor_wanted)
    return Budget(new, impressions, rule.explore_share, rule.floor_wanted, floor)


def under_floor(world: Fold, allowed: Bools, now: float, most: int) -> tuple[Ints, Ints]:
    """Rows of new clips that lack impressions, the longest waiting first, and how many each
    lacks."""
    shelf, rule = world.shelf, world.weights.budget
    since = age_key(now - rule.floor_hours * 3600)
    new = shelf.by_age.best(shelf.size, allowed, since)[::-1]
    lacking = budget(world, now).floor - world.counts[new, Count.SEEN]
    waiting = (lacking > 0) & (shelf.published_at[new] <= now)
    return new[waiting][:most], lacking[waiting][:most]
