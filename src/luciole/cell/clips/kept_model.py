"""Favourites, collections, reposts and shown likes, and the rules about them."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany

MAX_COLLECTIONS = 100
MAX_NAME_CHARS = 60
COVERS = 3


class NoSuchCollection(NotFound):
    code = "no-such-collection"
    sentence = "This collection does not exist, or is not shown to you."
    next_step = "Check the link, or ask the person who made it."


class BadName(Invalid):
    code = "bad-collection-name"
    sentence = f"A collection has a name of 1 to {MAX_NAME_CHARS} characters."
    next_step = "Give it a short name."


class NameTaken(Conflict):
    code = "collection-name-taken"
    sentence = "You have a collection of this name already."
    next_step = "Use that one, or choose another name."


class KeepsTooOften(TooMany):
    code = "keeps-too-often"
    sentence = "You keep clips faster than anybody watches them: 120 in a minute at most."
    next_step = "Wait a moment, then go on."


class RepostsTooOften(TooMany):
    code = "reposts-too-often"
    sentence = "You have passed on 60 clips within an hour, as many as one may."
    next_step = "Wait some minutes; what you have passed on stays."


class TooManyCollections(TooMany):
    code = "too-many-collections"
    sentence = f"You have {MAX_COLLECTIONS} collections, which is as many as this cell keeps."
    next_step = "Delete one that you do not need, then make this one."


class CannotRepost(NotAllowed):
    code = "cannot-repost"
    sentence = "Only clips that everybody may see can be passed on, and no own ones."
    next_step = "Send the link to those who may see it."


class LikesNotShown(NotAllowed):
    code = "likes-not-shown"
    sentence = "This person does not show what they like."
    next_step = "Look at their clips instead."


class Kept(msgspec.Struct, frozen=True):
    """A clip in a list of a person, and since when."""

    clip_id: UUID
    made_at: datetime


class KeptPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of such a list ended."""

    made_at: datetime
    id: UUID


class Collection(msgspec.Struct, frozen=True):
    """A named collection; `has` says whether the clip that was asked about is in it, and `newest`
    are some of its clips."""

    id: UUID
    owner_id: UUID
    name: str
    is_public: bool
    has: bool = False
    newest: list[UUID] = []


def clean_name(name: str, most: int) -> str:
    """The name in NFC on one line, without characters that cannot be seen. Raises BadName."""
    text = unicodedata.normalize("NFC", name)
    if "\0" in text:
        raise BadName
    kept = "".join(
        c
        for c in re.sub(r"\s+", " ", text)
        if c == "\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    ).strip()
    if not 1 <= len(kept) <= most:
        raise BadName
    return kept
