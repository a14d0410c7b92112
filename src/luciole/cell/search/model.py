"""What is looked for, what is found, and the arithmetic of trends."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from luciole.cell.clips.model import hashtags_of
from luciole.cell.graph.model import Follows
from luciole.cell.search import words
from luciole.kit.errors import Invalid, NotFound

Order = Literal["best", "new", "liked"]
CHANNEL = "luciole_search"
MOST_NEAR_WORDS = 5
# A sound that was used by nobody else is found by its name only, where it has one.
LEAST_USES = 2

# Trends: the last day against each of the seven days before.
TREND_DAYS = 7
LEAST_AUTHORS = 3
LEAST_SCORE = 1.0
MOST_TRENDS = 30


class NothingToLookFor(Invalid):
    code = "nothing-to-look-for"
    sentence = "There is no word in this that can be looked for."
    next_step = "Type a word, a name, a handle or a hashtag."


class NoSuchHashtag(NotFound):
    code = "no-such-hashtag"
    sentence = "No clip for everybody has this hashtag."
    next_step = "Check how it is spelt, or look for it."


class Terms(msgspec.Struct, frozen=True):
    """A word of a query and what stands for it in the index."""

    word: str
    also: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of clips ended: in which phase of the search, and at which row of the index."""

    phase: int
    heat: float
    likes_step: int
    published_at: datetime
    id: UUID


class NamePlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of people ended."""

    step: int
    id: UUID


class Ref(msgspec.Struct, frozen=True):
    """A row of the index of clips."""

    id: UUID
    heat: float
    likes_step: int
    published_at: datetime

    def place(self, phase: int) -> Place:
        return Place(phase, self.heat, self.likes_step, self.published_at, self.id)


class FoundPerson(msgspec.Struct, frozen=True):
    """A person as search shows them."""

    id: UUID
    handle: str
    display_name: str
    avatar_key: str | None
    followers: int
    follows: Follows


class FoundHashtag(msgspec.Struct, frozen=True):
    """A hashtag and how many public clips have it."""

    tag: str
    clips: int


class FoundSound(msgspec.Struct, frozen=True):
    """A sound as search shows it; without a name it is the original sound of its owner."""

    id: UUID
    name: str
    handle: str
    display_name: str
    avatar_key: str | None
    uses: int


class Findable(msgspec.Struct, frozen=True):
    """A clip as the index takes it in."""

    id: UUID
    caption: str
    hashtags: list[str]
    published_at: datetime
    likes: int


class Use(msgspec.Struct, frozen=True):
    """That somebody used hashtags in a public clip."""

    author_id: UUID
    published_at: datetime
    hashtags: list[str]


class Trend(msgspec.Struct, frozen=True):
    """A hashtag on the rise, with the numbers that say so.

    `usual` is `authors_before / 7`; `score` is `(authors - usual) / sqrt(usual + 1)`.
    """

    tag: str
    authors: int
    clips: int
    authors_before: int
    usual: float
    score: float


def tag_of(text: str) -> str:
    """The hashtag that a page is asked of. Raises NoSuchHashtag."""
    found = hashtags_of("#" + text.removeprefix("#"))
    if len(found) != 1:
        raise NoSuchHashtag
    return found[0]


def expression(asked: Sequence[Terms], besides: Sequence[Terms] = ()) -> str:
    """A query for `tsquery`: rows that have, for every word, the word or what stands for it,
    without those that would be found by `besides`."""
    wanted = " & ".join(_any(one) for one in asked)
    if not besides:
        return wanted
    return f"{wanted} & !({' & '.join(_any(one) for one in besides)})"


def _any(one: Terms) -> str:
    return f"({' | '.join(_quoted(term) for term in (one.word, *one.also))})"


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def nearest(word: str, known: Mapping[str, int]) -> list[str]:
    """Which of the known words may be meant by one: the fewest slips first, then the frequent."""
    fits = [(words.slips(word, one), -clips, one) for one, clips in known.items()
            if one != word and words.is_near(word, one)]  # fmt: skip
    return [one for _, _, one in sorted(fits)[:MOST_NEAR_WORDS]]


def trends_of(uses: Iterable[Use], now: datetime) -> list[Trend]:
    """The hashtags that more people used within the last day than is usual for them, the most
    unusual first. Every author counts once a day, however much they publish.

    The count of authors in a day, if nothing is going on, varies about its mean by about its
    square root, as counts of independent events do; one is added, so that what was never used
    before is not on top with two authors.
    """
    day = timedelta(days=1)
    authors: dict[str, set[UUID]] = defaultdict(set)
    before: dict[str, set[tuple[int, UUID]]] = defaultdict(set)
    clips: dict[str, int] = defaultdict(int)
    for use in uses:
        ago = (now - use.published_at) // day
        for tag in use.hashtags:
            if ago <= 0:
                authors[tag].add(use.author_id)
                clips[tag] += 1
            elif ago <= TREND_DAYS:
                before[tag].add((ago, use.author_id))
    found = []
    for tag, those in authors.items():
        usual = len(before[tag]) / TREND_DAYS
        score = (len(those) - usual) / math.sqrt(usual + 1)
        if len(those) >= LEAST_AUTHORS and score >= LEAST_SCORE:
            found.append(Trend(tag, len(those), clips[tag], len(before[tag]), usual, score))
    return sorted(found, key=lambda trend: (-trend.score, trend.tag))[:MOST_TRENDS]
