"""How For You looks in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from luciole.cell.clips.present import ClipBody, SoundBody
from luciole.cell.feed.model import MAX_HIDDEN_CHARS, MAX_SIGNALS
from luciole.cell.feed.ranking.model import Mode

SignalKind = Literal[
    "shown",
    "watched",
    "replayed",
    "liked",
    "commented",
    "shared",
    "followed",
    "not-interested",
    "hid-author",
    "hid-hashtag",
    "hid-sound",
    "reported",
]
HiddenName = Literal["author", "hashtag", "sound", "clips"]
BecauseKind = Literal["hashtag", "clip", "author"]
Lever = Literal[
    "hide-author",
    "hide-hashtag",
    "not-interested",
    "switch-to-public",
    "switch-to-learning",
    "reset",
]


class ForYouPage(msgspec.Struct):
    """A page of For You. `slots` numbers the items for signals and for "Why this clip?"; `next` is
    null where nothing new is worth showing, and `resume` brings later what is new since."""

    page: UUID
    mode: Mode
    items: list[ClipBody]
    slots: list[int]
    next: str | None
    resume: str


class SignalBody(msgspec.Struct, forbid_unknown_fields=True):
    """`ms` (in view, of `watched`) and `loops` with it; `hashtag` with `hid-hashtag`."""

    page: UUID
    slot: Annotated[int, Meta(ge=0, le=1000)]
    kind: SignalKind
    ms: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    loops: Annotated[int, Meta(ge=0, le=2**31)] = 0
    hashtag: Annotated[str, Meta(max_length=MAX_HIDDEN_CHARS)] | None = None


class SignalsBody(msgspec.Struct, forbid_unknown_fields=True):
    signals: Annotated[list[SignalBody], Meta(min_length=1, max_length=MAX_SIGNALS)]


class RefusedSignal(msgspec.Struct):
    at: int
    code: str


class TakenBody(msgspec.Struct):
    """How many signals were taken in, those known before among them, and which were not."""

    taken: int
    refused: list[RefusedSignal]


class Because(msgspec.Struct):
    kind: BecauseKind
    text: str


class PartBody(msgspec.Struct):
    """A part of the score: a public name, what it adds, and its share of all that was added or
    taken away."""

    name: str
    adds: float
    share: float


class WhyBody(msgspec.Struct):
    """Why a clip is where it is. `chance` is that with which it was drawn there; `parts` add up to
    `score`."""

    clip_id: UUID
    source: str
    because: Because | None
    exploring: bool
    chance: float
    score: float
    parts: list[PartBody]
    mode: Mode
    weights_version: int
    levers: list[Lever]


class HiddenAuthor(msgspec.Struct):
    handle: str
    display_name: str


class HiddenBody(msgspec.Struct):
    authors: list[HiddenAuthor]
    hashtags: list[str]
    sounds: list[SoundBody]
    clips: int


class SettingsBody(msgspec.Struct):
    """What the person chose, and how much is kept of them for how many days."""

    mode: Mode
    may_learn: bool
    since: datetime | None
    keeps_days: int
    events_kept: int
    hidden: HiddenBody


class ModeWish(msgspec.Struct, forbid_unknown_fields=True):
    mode: Mode


class BudgetBody(msgspec.Struct):
    """Whether the cell has impressions enough to show each new clip `floor` times."""

    new_clips_a_day: int
    impressions_a_day: int
    explore_share: float
    floor: float
    is_met: bool


class HowBody(msgspec.Struct):
    """How For You decides, in public names."""

    version: int
    sources: list[str]
    heads: dict[str, float]
    budget: BudgetBody
