"""Comments and the rules about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from luciole.cell.clips.model import Audience, WhoMay, without_controls
from luciole.cell.graph.model import Relation
from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound

Order = Literal["best", "new"]
HeldFor = Literal["words", "restricted"]

MAX_COMMENT_CHARS = 500
MAX_PINNED = 3
MAX_FILTER_WORDS = 200
MAX_FILTER_WORD_CHARS = 50
# Clips that answer a comment, as far as the comment itself shows them.
SHOWN_ANSWERS = 3


class NoSuchComment(NotFound):
    code = "no-such-comment"
    sentence = "This comment does not exist, or is not shown to you."
    next_step = "Reload the comments; it may have been deleted."


class BadComment(Invalid):
    code = "bad-comment"
    sentence = f"A comment has between 1 and {MAX_COMMENT_CHARS} characters."
    next_step = "Shorten it, or write a second one."


class MayNotComment(NotAllowed):
    code = "may-not-comment"
    sentence = "The author of this clip does not take comments from you."
    next_step = "Follow each other, if it takes comments from friends, or like the clip instead."


class NotPinnable(Invalid):
    code = "not-pinnable"
    sentence = "Only a comment at the head of a thread that everybody sees can be pinned."
    next_step = "Approve it first, or pin the comment that it replies to."


class TooManyPinned(Conflict):
    code = "too-many-pinned"
    sentence = f"A clip has at most {MAX_PINNED} pinned comments."
    next_step = "Take one of the pins away first."


class BadFilterWords(Invalid):
    code = "bad-filter-words"
    sentence = (
        f"The filter takes up to {MAX_FILTER_WORDS} words or phrases of up to "
        f"{MAX_FILTER_WORD_CHARS} characters."
    )
    next_step = "Take some away, or shorten them."


class Comment(msgspec.Struct, frozen=True):
    """A comment with its writer; the same for every viewer. `parent_id` None: head of a thread."""

    id: UUID
    clip_id: UUID
    writer_id: UUID
    parent_id: UUID | None
    to_id: UUID | None
    text: str
    mentions: list[str]
    held_for: HeldFor | None
    likes: int
    replies: int
    score: float
    pinned_at: datetime | None
    made_at: datetime
    handle: str
    display_name: str
    avatar_key: str | None
    author_id: UUID
    audience: Audience


def comment_of(row: Iterable[Any]) -> Comment:
    """A Comment from a row of `clips.comments_for`, columns in the order of the struct."""
    return Comment(*row)


class Answer(msgspec.Struct, frozen=True):
    """A clip that answers a comment."""

    clip_id: UUID
    handle: str


class Marks(msgspec.Struct, frozen=True):
    """What the viewer and the author of the clip did with a page of comments."""

    liked: frozenset[UUID]
    liked_by_author: frozenset[UUID]
    answers: dict[UUID, list[Answer]]


NO_MARKS = Marks(frozenset(), frozenset(), {})


class Rule(msgspec.Struct, frozen=True):
    """What holds for comments on a clip: who may, and what makes one wait."""

    comments_by: WhoMay
    filter_words: list[str]
    is_restricted: bool
    """Whether the author restricts the one who asks. They are not told."""


class Choices(msgspec.Struct, frozen=True):
    """What a person chose about conversation; None: what goes with their age."""

    comments_by: WhoMay | None
    mentions_by: WhoMay | None
    filter_words: list[str]


class BestPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of the best comments ended."""

    score: float
    id: UUID


class IdPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page in the order of time ended."""

    id: UUID


def may_comment(who: WhoMay, person_id: UUID, author_id: UUID, relation: Relation) -> bool:
    """Whether a person who sees a clip may comment on it. `relation` is theirs to the author."""
    if person_id == author_id or who == "everyone":
        return True
    if who == "followers":
        return relation.follows == "yes"
    return who == "friends" and relation.is_friend


def clean_comment(text: str) -> str:
    """The text in NFC, without control characters, in as many lines as it needs.

    Raises BadComment where nothing is left, above MAX_COMMENT_CHARS, and for what nobody types.
    """
    if "\0" in text:
        raise BadComment
    text = re.sub(r"\n{2,}", "\n", without_controls(text)).strip()
    if not 0 < len(text) <= MAX_COMMENT_CHARS:
        raise BadComment
    return text


def clean_filter_words(words: Iterable[str]) -> list[str]:
    """Words and phrases as they are compared, each once. Raises BadFilterWords."""
    words = list(words)
    if any("\0" in word for word in words):
        raise BadFilterWords
    cleaned = dict.fromkeys(" ".join(_folded(without_controls(w)).split()) for w in words)
    cleaned.pop("", None)
    if len(cleaned) > MAX_FILTER_WORDS or any(len(w) > MAX_FILTER_WORD_CHARS for w in cleaned):
        raise BadFilterWords
    return list(cleaned)


def has_filtered(text: str, words: Iterable[str]) -> bool:
    """Whether one of the words (as `clean_filter_words` leaves them) is in a text as a whole word,
    whatever its case and accents. Scripts that put no blanks between words: anywhere."""
    folded = " ".join(_folded(text).split())
    return any(_stands_in(word, folded) for word in words)


def _folded(text: str) -> str:
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parted if unicodedata.category(c) != "Mn").casefold()


# Han, kana, Thai, Lao, Khmer, Burmese: a word's end cannot be told by what follows.
_WITHOUT_BLANKS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def _stands_in(word: str, folded: str) -> bool:
    if _WITHOUT_BLANKS.search(word):
        return word in folded
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", folded) is not None
