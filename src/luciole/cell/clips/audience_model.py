"""Lists of people that narrow an audience, and the rules about them."""

from __future__ import annotations

import unicodedata
from typing import Literal
from uuid import UUID

import msgspec

from luciole.cell.clips.model import Audience, ListKind
from luciole.kit.errors import Invalid, NotFound, TooMany

MAX_LISTED = 200
MAX_CIRCLES = 50
MAX_NAME_CHARS = 50

#: How many days back others see one's clips; None: all of them.
PastDays = Literal[3, 30, 183] | None


class ListDoesNotFit(Invalid):
    code = "list-does-not-fit"
    sentence = "This list does not go with this audience."
    next_step = (
        "Share with some people among your friends, or hide a clip for everyone or for friends "
        "from some."
    )


class ListTooLong(Invalid):
    code = "list-too-long"
    sentence = f"A list has at most {MAX_LISTED} people."
    next_step = "Take some off it, or choose a wider audience."


class ListEmpty(Invalid):
    code = "list-empty"
    sentence = "There is nobody on this list."
    next_step = "Put somebody on it, or choose the audience without a list."


class BadCircleName(Invalid):
    code = "bad-circle-name"
    sentence = f"A circle has a name of 1 to {MAX_NAME_CHARS} characters."
    next_step = "Choose a short name; only you see it."


class NoSuchCircle(NotFound):
    code = "no-such-circle"
    sentence = "You have no such circle."
    next_step = "Reload the list; you may have deleted it elsewhere."


class CirclesTooMany(TooMany):
    code = "circles-too-many"
    sentence = f"You have {MAX_CIRCLES} circles, which is as many as this cell keeps."
    next_step = "Delete one that you no longer use first."


class ClipList(msgspec.Struct, frozen=True):
    """Those for whom a clip is, or those for whom it is not."""

    kind: ListKind
    people: tuple[UUID, ...]


class Circle(msgspec.Struct, frozen=True):
    """People under a name, for their owner only."""

    id: UUID
    name: str
    people: tuple[UUID, ...]


def check_list(audience: Audience, wanted: ClipList, author_id: UUID) -> ClipList:
    """The list with each person once and without the author. Raises ListDoesNotFit, ListTooLong,
    ListEmpty."""
    if not fits(audience, wanted.kind):
        raise ListDoesNotFit
    people = tuple(one for one in dict.fromkeys(wanted.people) if one != author_id)
    if not people:
        raise ListEmpty
    if len(people) > MAX_LISTED:
        raise ListTooLong
    return ClipList(wanted.kind, people)


def fits(audience: Audience, kind: ListKind) -> bool:
    """Whether a list of this kind narrows this audience: what is shared with some is shared with
    friends, and what nobody sees is hidden from nobody in particular."""
    return audience == "friends" or (audience == "everyone" and kind == "hide-from")


def clean_name(name: str) -> str:
    """The name of a circle in NFC, on one line. Raises BadCircleName."""
    kept = "".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", name))
    clean = " ".join(kept.split())
    if not 1 <= len(clean) <= MAX_NAME_CHARS or not clean.isprintable():
        raise BadCircleName
    return clean
