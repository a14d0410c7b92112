"""Clips and the rules about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import takewhile
from typing import Any, Literal
from uuid import UUID

import msgspec

from luciole.cell.clips.quotes_model import How
from luciole.cell.clips.sounds_model import Sound
from luciole.cell.graph.model import Follows, Relation
from luciole.cell.media.model import Rendition, Shown
from luciole.cell.notices.model import Label
from luciole.kit.errors import Conflict, Invalid, NotFound

Audience = Literal["everyone", "friends", "only-me"]
#: What the list of a clip says: those for whom it is, or those for whom it is not.
ListKind = Literal["share-with", "hide-from"]
State = Literal["processing", "in_review", "published", "refused"]
#: Who may comment on a clip, or mention a person.
WhoMay = Literal["everyone", "followers", "friends", "nobody"]

MAX_CAPTION_CHARS = 2200
MAX_HASHTAGS = 30
MAX_HASHTAG_CHARS = 60
MAX_VTT_BYTES = 262_144
_BEFORE_HASH = re.compile(r"(?<![\w#&/])#(?=[^\W_])")
_MARKS = ("Mn", "Mc")  # vowel signs and accents: part of the word, though \w leaves them out
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
# Line breaks, what joins emoji and parts letters (Persian words need it), flags of regions.
_KEPT_CONTROLS = {"\n", "\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}


class NoSuchClip(NotFound):
    code = "no-such-clip"
    sentence = "This clip does not exist, or is not shared with you."
    next_step = "Check the link, or sign in with the account it was shared with."


class BadCaption(Invalid):
    code = "bad-caption"
    sentence = f"A caption has at most {MAX_CAPTION_CHARS} characters."
    next_step = "Shorten it."


class TooManyHashtags(Invalid):
    code = "too-many-hashtags"
    sentence = f"A caption has at most {MAX_HASHTAGS} hashtags."
    next_step = "Keep the ones that say most."


class BadCaptions(Invalid):
    code = "bad-captions"
    sentence = "This is not a WebVTT captions file."
    next_step = "Choose a .vtt file that begins with WEBVTT and is smaller than 262 kB."


class NoCaptions(NotFound):
    code = "no-captions"
    sentence = "This clip has no captions."
    next_step = "Watch it without."


class NotPublishedYet(Conflict):
    code = "not-published-yet"
    sentence = "This clip is not published yet."
    next_step = "Wait until it is; its author sees the progress."


class Card(msgspec.Struct, frozen=True):
    """A clip as feeds and profiles show it; the same for every viewer."""

    id: UUID
    author_id: UUID
    asset_id: UUID
    caption: str
    hashtags: list[str]
    audience: Audience
    state: State
    refused_code: str | None
    made_with_ai: bool
    likes: int
    captions_language: str | None
    created_at: datetime
    published_at: datetime | None
    handle: str
    display_name: str
    avatar_key: str | None
    is_private: bool
    duration_ms: int | None
    width: int | None
    height: int | None
    progress: int | None
    renditions: list[Rendition]
    poster_key: str | None
    has_audio: bool
    comments: int
    reposts: int
    favourites: int
    comments_by: WhoMay | None
    sound_id: UUID | None
    answers_id: UUID | None
    audience_list: ListKind | None
    is_past: bool
    """Older than its author lets others look back."""


_RENDITIONS = msgspec.json.Decoder(list[Rendition])
_RENDITIONS_AT = Card.__struct_fields__.index("renditions")
_HAS_AUDIO_AT = Card.__struct_fields__.index("has_audio")


def card_of(row: Iterable[Any]) -> Card:
    """A Card from a row of the view `clips.card`, columns in the order of the struct."""
    values = list(row)
    renditions = values[_RENDITIONS_AT]
    values[_RENDITIONS_AT] = _RENDITIONS.decode(renditions) if renditions else []
    values[_HAS_AUDIO_AT] = bool(values[_HAS_AUDIO_AT])
    return Card(*values)


class Brought(msgspec.Struct, frozen=True):
    """A clip that its author brings along from an export. Captions are text and language."""

    caption: str
    audience: Audience
    made_with_ai: bool
    captions: tuple[str, str] | None
    created_at: datetime
    published_at: datetime


class Credit(msgspec.Struct, frozen=True):
    """The clip that another one is made from, and how."""

    how: How
    first: Card


class Marks(msgspec.Struct, frozen=True):
    """What one viewer did with a page of clips, and what else of these is kept elsewhere: looks,
    and the sounds that the viewer may see."""

    liked: frozenset[UUID] = frozenset()
    follows: dict[UUID, Follows] = {}
    likes: dict[UUID, int] = {}
    """Likes that the viewer sees, where that is not all of them."""
    favourites: frozenset[UUID] = frozenset()
    reposts: frozenset[UUID] = frozenset()
    sounds: dict[UUID, Sound] = {}
    shown: dict[UUID, Shown] = {}
    """By asset: what stands for each film before it plays."""
    labels: dict[UUID, list[Label]] = {}
    """What decisions of moderators have put on them."""
    credits: dict[UUID, Credit] = {}
    """Of those that are made from others: from which."""
    quotable: frozenset[UUID] = frozenset()
    """Of which the viewer may make a duet or a stitch."""


class GridPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of a profile's grid ended."""

    id: UUID


def is_visible(card: Card, viewer_id: UUID | None, relation: Relation, *, is_open: bool) -> bool:
    """Whether a viewer may see a clip. `relation` is the viewer's towards the author; `is_open`
    whether the clip's list, if it has one, lets the viewer see it (SQL: `clips.is_open_to`)."""
    if viewer_id == card.author_id:
        return True
    if card.state != "published" or card.is_past or relation.is_apart or not is_open:
        return False
    if card.audience == "everyone":
        return not card.is_private or relation.follows == "yes"
    return card.audience == "friends" and relation.is_friend


def is_counted(audience: Audience, has_list: bool) -> bool:
    """Whether a profile counts a clip: those for everyone, and not those with a list, for whoever
    is on it would find one more than they see."""
    return audience == "everyone" and not has_list


def is_for_all(card: Card) -> bool:
    """Whether everybody may fetch the files of a clip, visitors too."""
    return (
        card.audience == "everyone"
        and card.audience_list is None
        and not card.is_private
        and not card.is_past
    )


def is_seen_among_friends(
    viewer_id: UUID | None, doer_id: UUID, author_id: UUID, friends: Collection[UUID]
) -> bool:
    """Whether a viewer sees what somebody did (a like, a comment) under a clip for friends: only
    who is a friend of both does. `friends` are the viewer's, as far as they did something there
    (`Graph.friends_among`). The author sees all; what one did oneself one sees; what the author
    does is seen by all who see the clip, since they are the author's friends.
    In SQL: `EXISTS (SELECT 1 FROM graph.friends WHERE a = viewer AND b = doer)`."""
    if viewer_id is None:
        return False
    return viewer_id in (doer_id, author_id) or doer_id == author_id or doer_id in friends


def clean_caption(text: str) -> str:
    """The caption in NFC, without control characters and without space at its ends.

    Raises BadCaption above MAX_CAPTION_CHARS.
    """
    text = re.sub(r"\n{3,}", "\n\n", without_controls(text)).strip()
    if len(text) > MAX_CAPTION_CHARS:
        raise BadCaption
    return text


def without_controls(text: str) -> str:
    """A text in NFC with plain line breaks, without control characters and lone surrogates."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )


def hashtags_of(caption: str) -> list[str]:
    """The hashtags of a caption, case-folded, each once, in order of appearance.

    Raises TooManyHashtags above MAX_HASHTAGS; a longer tag than MAX_HASHTAG_CHARS is plain text.
    """
    found: dict[str, None] = {}
    for match in _BEFORE_HASH.finditer(caption):
        tag = "".join(takewhile(_is_of_word, caption[match.end() :])).casefold()
        if len(tag) <= MAX_HASHTAG_CHARS:
            found[tag] = None
    if len(found) > MAX_HASHTAGS:
        raise TooManyHashtags
    return list(found)


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character) in _MARKS


def clean_captions(vtt: str, language: str) -> tuple[str, str]:
    """A WebVTT text (W3C WebVTT, section 4.1: the signature, then a blank or the end of the line)
    and its language tag, checked. Raises BadCaptions."""
    text = vtt.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_VTT_BYTES or "\0" in text:
        raise BadCaptions
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise BadCaptions
    if not re.match(r"WEBVTT(?=[ \t\n]|$)", text) or "-->" not in text:
        raise BadCaptions
    if not _LANGUAGE.fullmatch(language):
        raise BadCaptions(
            "The language of the captions is not a language tag.",
            next_step="Use a tag such as en, fr or pt-BR.",
        )
    return text, language
