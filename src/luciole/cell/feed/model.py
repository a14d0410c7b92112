"""Which feeds there are, and the words of For You."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from luciole.cell.clips.model import Card
from luciole.cell.feed.ranking.model import Event, Mode, Signal, Slot
from luciole.kit.errors import Invalid, NotAllowed, NotFound

HiddenKind = Literal["author", "clip", "hashtag", "sound"]

# Says that the log has grown; written down in the triggers of the tables, too.
CHANNEL = "luciole_feed"
# A session, its pages and its rows of the log live so long; then only totals are left.
SESSION_LIFE = timedelta(hours=24)
# So long is kept what happened in the feed of somebody who lets the cell learn.
KEPT_DAYS = 90
EVENTS_A_PART = 100
PARTS_A_DAY = 20
# Sessions of an account in a day that may weigh; those after them weigh nothing.
SESSIONS_A_DAY = 50
MEMBER_TRUST = 1.0
VISITOR_TRUST = 0.25
MAX_SIGNALS = 100
MAX_SIGNALS_BYTES = 64 * 1024
LONGEST_MS = 3_600_000
MOST_LOOPS = 1_000
# The client's clock and ours may begin to count a page at different moments.
SLACK_MS = 2_000
MOST_HIDDEN = 5_000
MAX_HIDDEN_CHARS = 60

# Names of sealed fields in the associated data. They outlive tables: never change or reuse one.
PAGE_FIELD = "feed.page"
SESSION_FIELD = "feed.session"
TASTE_FIELD = "feed.taste"

KINDS: dict[str, Signal] = {
    "shown": Signal.SHOWN,
    "watched": Signal.WATCHED,
    "replayed": Signal.REPLAYED,
    "liked": Signal.LIKED,
    "commented": Signal.COMMENTED,
    "shared": Signal.SHARED,
    "followed": Signal.FOLLOWED,
    "not-interested": Signal.NOT_INTERESTED,
    "hid-author": Signal.HID_AUTHOR,
    "hid-hashtag": Signal.HID_HASHTAG,
    "hid-sound": Signal.HID_SOUND,
    "reported": Signal.REPORTED,
}
# Whoever reports a clip does not see it again, and where the cell learns of them, their own taste
# knows of it. It goes into no log, so it moves no count and no score of anybody else: what comes of
# a report is decided by people, in the open, and not by the ranking.
OWN_ONLY = frozenset({Signal.REPORTED})


class FeedPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the clip published then, with this id."""

    published_at: datetime
    id: UUID


class Passed(msgspec.Struct, frozen=True):
    """A line of Following: its place in the list, the clip (None: it is left out for this viewer),
    and who passed it on, if it is there for that."""

    place: FeedPlace
    card: Card | None
    reposter_id: UUID | None


class ForYouPlace(msgspec.Struct, frozen=True, array_like=True):
    """A page of a session, by its number. `is_kept` is False where the pages of the walk are drawn
    and not kept any more."""

    session_id: UUID
    n: int
    is_kept: bool = True


class Session(msgspec.Struct, frozen=True):
    """A walk through For You. It names nobody."""

    id: UUID
    mode: Mode
    trust: float
    made_at: datetime
    hidden_authors: tuple[UUID, ...] = ()
    hidden_hashtags: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True):
    """A page as it was given out. `inputs` holds what each of its draws was computed from, as
    MessagePack; both it and `slots` are sealed in sessions of learners."""

    id: UUID
    session_id: UUID
    n: int
    made_at: datetime
    weights_version: int
    seed: int
    is_end: bool
    slots: bytes
    inputs: bytes


class Served(msgspec.Struct, frozen=True):
    """A page of which signals speak: its session, and what was in it."""

    page_id: UUID
    session: Session
    person_id: UUID | None
    made_at: datetime
    weights_version: int
    slots: bytes


class Given(msgspec.Struct, frozen=True):
    """What is given to who asks: cards by the number of their slot, and how to go on. `following`
    is None where nothing new is worth showing; `resume` may be asked later."""

    page_id: UUID
    mode: Mode
    cards: list[tuple[int, Card]]
    following: str | None
    resume: str


class Mark(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A row of the log; the log is read in this order."""

    xid: int
    seq: int


class NewEvent(msgspec.Struct, frozen=True):
    """An event on its way into the log. With the same `once` it is noted once."""

    once: bytes | None
    event: Event
    propensity: float


class Snapshot(msgspec.Struct, frozen=True):
    """What came of the log up to a row of it."""

    taken_at: datetime
    mark: Mark
    weights_version: int
    digest: str
    data: bytes


class Profile(msgspec.Struct, frozen=True):
    """Whether a person lets the cell learn, and since when."""

    mode: Mode
    since: datetime


class TastePart(msgspec.Struct, frozen=True):
    """A part of a day of what happened, as it is stored."""

    day: date
    part: int
    version: int
    events: int
    sealed: bytes


class Kept(msgspec.Struct):
    """What a seal holds: the names of the columns, and a row for each event."""

    columns: tuple[str, ...]
    events: list[Event]


class Hidden(msgspec.Struct, frozen=True):
    kind: HiddenKind
    value: str


class Why(msgspec.Struct, frozen=True):
    """A slot with the page that it is in, for who asks why the clip is there."""

    slot: Slot
    mode: Mode
    weights_version: int


class NotServed(NotFound):
    code = "not-served"
    sentence = "The cell has not given out this place of this page, or its day is over."
    next_step = "Load the feed again."


class NotOfThisClip(Invalid):
    code = "not-of-this-clip"
    sentence = "This clip has no such hashtag or sound."
    next_step = "Choose one that is shown at the clip."


class ImpossibleWatch(Invalid):
    code = "impossible-watch"
    sentence = "Nobody can have watched for so long."
    next_step = "Send the time for which the clip was in view."


class NotForMinors(NotAllowed):
    code = "learning-not-for-minors"
    sentence = "This cell learns nothing from what people under 18 watch."
    next_step = "For You without a profile is there for you, and just as well kept."


class TooMuchHidden(Invalid):
    code = "too-much-hidden"
    sentence = f"You have hidden {MOST_HIDDEN} things, which is as many as this cell keeps."
    next_step = "Show some of them again in the settings of the feed."
