"""What may be brought along from another network, and the rules of it. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from luciole.kit.errors import Invalid

Kind = Literal["suggestions", "favourites", "carried"]
FavouriteKind = Literal["video", "sound", "hashtag", "effect", "like"]

MAX_HANDLES = 10_000
MAX_FAVOURITES = 5_000
MAX_CARRIED = 10_000
MAX_LINK_CHARS = 300
MAX_BODY_BYTES = 2 * 1024 * 1024
# Names of sealed fields in the associated data. They outlive tables: never change or reuse one.
FIELD_OF: dict[Kind, str] = {
    "suggestions": "imported.suggestions",
    "favourites": "imported.favourites",
    "carried": "imported.carried",
}
_LINK = re.compile(r"https://(?:[a-z0-9-]+\.)*tiktokv?\.com/[!$-;=@-Z_a-z~]*")


class BadLink(Invalid):
    code = "bad-import-link"
    sentence = "One of these links is not a plain address at TikTok."
    next_step = "Choose your archive anew on the page for it; it sends only links that fit."


Handle = Annotated[str, Meta(pattern=r"\A[a-z0-9_.]{2,24}\Z", description="without `@`")]
Link = Annotated[str, Meta(max_length=MAX_LINK_CHARS, description="to TikTok, without a query")]


class Suggestions(msgspec.Struct, forbid_unknown_fields=True):
    """Handles that the person followed elsewhere, to look for here."""

    handles: Annotated[list[Handle], Meta(max_length=MAX_HANDLES)]


class Favourite(msgspec.Struct, forbid_unknown_fields=True):
    """A link that the person kept elsewhere, and the day on which they did."""

    kind: FavouriteKind
    link: Link
    day: date | None = None


class Favourites(msgspec.Struct, forbid_unknown_fields=True):
    items: Annotated[list[Favourite], Meta(max_length=MAX_FAVOURITES)]


class CarriedItem(msgspec.Struct, frozen=True):
    """`what` is an account (`ana@example.org`) or the address of a clip."""

    what: Annotated[str, Meta(max_length=MAX_LINK_CHARS)]
    made_at: datetime


class Carried(msgspec.Struct):
    """What came along from another cell of Luciole and is not in force here: follows of people
    and likes of clips who are elsewhere."""

    follows: Annotated[list[CarriedItem], Meta(max_length=MAX_CARRIED)] = []
    likes: Annotated[list[CarriedItem], Meta(max_length=MAX_CARRIED)] = []


class SealedList(msgspec.Struct, frozen=True):
    """A list as it is stored."""

    version: int
    sealed: bytes


def check_links(given: Favourites) -> None:
    """Raises BadLink for an address elsewhere, or one that may hold a token."""
    if not all(_LINK.fullmatch(item.link) for item in given.items):
        raise BadLink
