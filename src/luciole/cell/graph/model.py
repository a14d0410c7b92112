"""Follows and what they mean."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Invalid, NotAllowed, NotFound, TooMany

Follows = Literal["no", "pending", "yes"]
# What a person may do about another without a word to them.
Distance = Literal["block", "mute", "restriction"]
MAX_FOLLOWING = 5_000
MAX_APART = 10_000


class CannotFollowYourself(Invalid):
    code = "cannot-follow-yourself"
    sentence = "That is your own account."
    next_step = "Follow somebody else; your own clips are on your profile."


class FollowsTooMany(TooMany):
    code = "follows-too-many"
    sentence = (
        f"You follow or ask to follow {MAX_FOLLOWING} people, which is as many as this cell allows."
    )
    next_step = "Stop following somebody, or take a request back, first."


class NotYourself(Invalid):
    code = "not-yourself"
    sentence = "That is your own account."
    next_step = "Choose somebody else."


class ApartTooMany(TooMany):
    code = "apart-too-many"
    sentence = f"You keep {MAX_APART} people away like this, which is as many as this cell allows."
    next_step = "Take somebody off the list in your settings first."


class NoSuchRequest(NotFound):
    code = "no-such-request"
    sentence = "There is no open follow request from this person."
    next_step = "Reload the list; it may have been taken back."


class ListNotShown(NotAllowed):
    code = "list-not-shown"
    sentence = "This account is private: only its followers see who follows it."
    next_step = "Ask to follow it; its owner decides."


class Relation(msgspec.Struct, frozen=True):
    """How a viewer and another person stand to each other."""

    follows: Follows
    follows_you: bool
    has_blocked: bool = False
    is_blocked: bool = False
    mutes: bool = False
    restricts: bool = False

    @property
    def is_friend(self) -> bool:
        return self.follows == "yes" and self.follows_you

    @property
    def is_apart(self) -> bool:
        """Whether one of the two blocks the other: to each other they are nobody."""
        return self.has_blocked or self.is_blocked


STRANGERS = Relation("no", False)


class Tally(msgspec.Struct, frozen=True):
    """Counts that a profile shows."""

    followers: int
    following: int


class Listed(msgspec.Struct, frozen=True):
    """A person in a list, with what the viewer follows of them."""

    id: UUID
    handle: str
    display_name: str
    avatar_key: str | None
    follows: Follows
    made_at: datetime


class ListPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of followers ended."""

    made_at: datetime
    id: UUID
