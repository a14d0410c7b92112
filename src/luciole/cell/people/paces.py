"""How often one account may do something that others meet: by the requests that do it.

Counted in the database, so that it holds over all processes and their restarts, and says until
when. What is refused is not counted, but for codes that are guessed at; what is taken back does
not give anything back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Self

import msgspec

from luciole.cell.people.model import Counted, Pace, PacedAct
from luciole.cell.people.store import paces as store
from luciole.config import PacesSettings
from luciole.kit.db import Tx
from luciole.kit.errors import TooMany

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Codes of families that one person may enter in an hour: 31^8 codes are there to guess.
FAMILY_CODES = 6
ACTS: tuple[tuple[PacedAct, str, re.Pattern[str]], ...] = (
    ("like", "PUT", re.compile(r"/api/(clips|comments)/[^/]+/like$")),
    ("follow", "PUT", re.compile(r"/api/people/[^/]+/follow$")),
    ("comment", "POST", re.compile(r"/api/clips/[^/]+/comments$")),
    ("repost", "PUT", re.compile(r"/api/clips/[^/]+/repost$")),
    ("clip", "POST", re.compile(r"/api/clips$")),
    ("conversation", "POST", re.compile(r"/api/messages/conversations$")),
    ("report", "POST", re.compile(r"/api/reports$")),
    ("message-report", "POST", re.compile(r"/api/messages/reports$")),
    ("family-code", "POST", re.compile(r"/api/me/family/claims$")),
)


class Limit(msgspec.Struct, frozen=True):
    """So many, from the first one on until the time is over; none where `most` is 0."""

    most: int
    per: timedelta


class PaceReached(TooMany):
    """What, how many, in what time, and until when. The client says the same in its language, from
    the header."""

    said: ClassVar[str] = "done this"
    besides: ClassVar[str] = ""
    code = "pace"
    sentence = "You have done this as often as one account may here."
    next_step = "Wait until it is possible again, then go on."

    http_headers: Mapping[str, str] = {}

    @classmethod
    def at(cls, limit: Limit, until: datetime, now: datetime) -> Self:
        """The refusal of one who has reached a limit."""
        per = "an hour" if limit.per == HOUR else "a day"
        told = cls(
            f"You have {cls.said.format(most=f'{limit.most:,}')} in {per}, which is as many as "
            "one account may here.",
            next_step=f"Go on from {until:%H:%M} UTC on {until:%d %B}.{cls.besides}",
            retry_after_s=max(1, int((until - now).total_seconds()) + 1),
        )
        told.http_headers = {
            "x-pace": f"most={limit.most};per_s={int(limit.per.total_seconds())}"
            f";until={until:%Y-%m-%dT%H:%M:%SZ}"
        }
        return told


class LikedOften(PaceReached):
    said = "liked {most} times"
    code = "pace-like"
    sentence = "You have liked as often as one account may here."


class FollowedOften(PaceReached):
    said = "followed {most} people"
    code = "pace-follow"
    sentence = "You have followed as many people as one account may here."


class CommentedOften(PaceReached):
    said = "written {most} comments"
    code = "pace-comment"
    sentence = "You have written as many comments as one account may here."


class RepostedOften(PaceReached):
    said = "reposted {most} clips"
    code = "pace-repost"
    sentence = "You have reposted as many clips as one account may here."


class PublishedOften(PaceReached):
    said = "published {most} clips"
    code = "pace-clip"
    sentence = "You have published as many clips as one account may here."


class WroteToMany(PaceReached):
    said = "begun {most} conversations"
    code = "pace-conversation"
    sentence = "You have begun as many conversations as one account may here."


class ReportedOften(PaceReached):
    said = "sent {most} reports"
    besides = " In danger, call the emergency number of your country."
    code = "pace-report"
    sentence = "You have sent as many reports as one account may here."


class ReportedMessagesOften(PaceReached):
    said = "reported messages {most} times"
    besides = " In danger, call the emergency number of your country."
    code = "pace-message-report"
    sentence = "You have reported messages as often as one account may here."


class EnteredCodesOften(PaceReached):
    said = "entered {most} codes"
    code = "pace-family-code"
    sentence = "You have entered as many codes of families as one account may here."


REFUSALS: dict[PacedAct, type[PaceReached]] = {
    "like": LikedOften,
    "follow": FollowedOften,
    "comment": CommentedOften,
    "repost": RepostedOften,
    "clip": PublishedOften,
    "conversation": WroteToMany,
    "report": ReportedOften,
    "message-report": ReportedMessagesOften,
    "family-code": EnteredCodesOften,
}


class Paces:
    """The limits of a cell."""

    def __init__(self, settings: PacesSettings) -> None:
        self._limits: dict[PacedAct, Limit] = {
            "like": Limit(settings.likes_per_hour, HOUR),
            "follow": Limit(settings.follows_per_day, DAY),
            "comment": Limit(settings.comments_per_hour, HOUR),
            "repost": Limit(settings.reposts_per_day, DAY),
            "clip": Limit(settings.clips_per_day, DAY),
            "conversation": Limit(settings.conversations_per_day, DAY),
            "report": Limit(settings.reports_per_day, DAY),
            "message-report": Limit(settings.message_reports_per_day, DAY),
            # No setting: codes are guessed at.
            "family-code": Limit(FAMILY_CODES, HOUR),
        }

    def counted(self, method: str, path: str, now: datetime) -> Counted | None:
        """What a request does that is counted, and since when at the earliest."""
        act = act_of(method, path)
        return (act, now - self._limits[act].per) if act else None

    def keep(self, pace: Pace, now: datetime) -> None:
        """Raises a PaceReached, which takes the count back with the transaction."""
        limit = self._limits[pace.act]
        if pace.done > limit.most:
            raise REFUSALS[pace.act].at(limit, pace.begun_at + limit.per, now)


def act_of(method: str, path: str) -> PacedAct | None:
    """What a request does that is counted."""
    if method not in ("POST", "PUT"):
        return None
    for act, wanted, pattern in ACTS:
        if method == wanted and pattern.match(path):
            return act
    return None


async def tidy(tx: Tx, now: datetime) -> None:
    """Forgets what counts no more."""
    await store.tidy(tx, now - DAY)
