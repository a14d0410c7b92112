"""What crosses to other cells and what came from them: the rules. Pure: no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from luciole.kit.errors import Conflict, Invalid, NotAllowed, NotFound

# What a person may say yes to.
Act = Literal["clip", "comment", "fediverse"]
Reach = Literal["region", "cells", "fediverse"]
Subject = Literal["person", "clip", "comment"]
Kind = Literal["person", "clip", "comment", "gone", "move"]
State = Literal["offered", "replaced", "crossed", "refused"]
Locale = Literal["en", "fr"]

ACTS: tuple[Act, ...] = ("clip", "comment", "fediverse")
# The kinds of the wire that this slice offers and takes.
OFFERED = ["person", "clip", "comment", "gone", "follow", "unfollow", "totals", "move"]
TAKEN = OFFERED
# Totals over fewer people are not told.
FEWEST = 10
# A cell stops reading somebody so many days after the last follower has gone: drawn anew each time.
ENDS_AFTER_DAYS = (1, 14)
# A recall that another cell refused is asked for again so often, for so long.
RECALLED_EVERY_DAYS = 1
RECALLED_FOR_DAYS = 30
# The same for a move that was refused, or that nobody answered, from when it was told first.
MOVE_TOLD_EVERY_DAYS = 1
MOVE_TOLD_FOR_DAYS = 30
# Nobody moves twice within so many days.
MOVES_EVERY_DAYS = 30

SUBJECT_OF = {"people": "person", "clips": "clip", "comments": "comment"}
PLACE_OF: dict[Subject, str] = {"person": "people", "clip": "clips", "comment": "comments"}
_ADDRESS = re.compile(r"/ap/(people|clips|comments)/([0-9a-f-]{36})")


class ConsentNeeded(NotAllowed):
    code = "consent-needed"
    sentence = "You have not said yet that this may leave your region."
    next_step = "Read what leaves and who gets it, then say yes, or keep it in your region."


class SheetChanged(Conflict):
    code = "sheet-changed"
    sentence = "What you were shown is not what holds now: a cell came, went or changed hands."
    next_step = "Read it again."


class NotForOutside(Conflict):
    code = "not-for-outside"
    sentence = "Only what everybody may see here can go to other cells."
    next_step = "Set the clip's audience to everyone, without a list, and your account to public."


class QuoteStays(Conflict):
    code = "quote-stays"
    sentence = "This clip shows a part of somebody else's, who has not agreed to its leaving."
    next_step = "Keep it in this region, or publish your own part as a clip of its own."


class NoPeers(Conflict):
    code = "no-peers"
    sentence = "This cell exchanges with no other one."
    next_step = "Keep it in your region; the operator decides with whom the cell exchanges."


class NotFromElsewhere(Conflict):
    code = "not-from-elsewhere"
    sentence = "This comment is on a clip of this cell, so it has nowhere to go."
    next_step = "Nothing has to be done; everybody who sees the clip here sees it."


class NoSuchCrossing(NotFound):
    code = "no-such-crossing"
    sentence = "There is no such crossing of yours."
    next_step = "Reload the list."


class NoReceipt(NotFound):
    code = "no-crossing-receipt"
    sentence = "The other cell has not signed a receipt for this."
    next_step = "Wait until it has arrived there."


class BadFormerAddress(Invalid):
    code = "bad-former-address"
    sentence = "This is no address under which another cell knows somebody."
    next_step = "Take it from the other cell: `luciole move` does it for you."


class MovedLately(Conflict):
    code = "moved-lately"
    sentence = "A move was said less than 30 days ago, and other cells take no second one so soon."
    next_step = "Say it again when 30 days are over; the address on your profile can change now."


class MoveLoops(Conflict):
    code = "move-loops"
    sentence = "This move leads back to where it began."
    next_step = "Nothing has to be done: it has no effect."


class Peer(msgspec.Struct, frozen=True):
    """A cell that this one exchanges with, as far as people are told."""

    name: str
    operator: str
    jurisdiction: str
    display_name: str = ""
    origin: str = ""


class Named(msgspec.Struct, frozen=True):
    """A cell as a consent names it."""

    name: str
    operator: str
    jurisdiction: str


class Consent(msgspec.Struct, frozen=True):
    """What a person has said yes to, and to whom what then goes."""

    id: UUID
    act: Act
    text_version: int
    text_sha256: bytes
    locale: Locale
    operator: str
    jurisdiction: str
    peers: list[Named]
    given_at: datetime
    ended_at: datetime | None


class Here(msgspec.Struct, frozen=True):
    """Who runs this cell, under which law, and where others find it."""

    name: str
    operator: str
    jurisdiction: str
    origin: str


class Live(msgspec.Struct, frozen=True):
    """The newest crossing of something to a cell."""

    id: UUID
    peer: str
    kind: Kind
    subject_kind: Subject
    state: State
    uri: str
    body_sha256: bytes

    @property
    def is_there(self) -> bool:
        """Whether the other cell has it, or may get it any moment."""
        return self.kind != "gone" and self.state in ("offered", "crossed")


class Crossing(msgspec.Struct, frozen=True):
    """One row of *My crossings*. Of the Fediverse, `peer` is the origin of a server, of which
    nobody knows the operator nor the law."""

    id: UUID
    kind: Kind
    subject_kind: Subject
    subject_id: UUID
    peer: str
    operator: str
    jurisdiction: str
    state: State
    refusal: str | None
    has_receipt: bool
    offered_at: datetime
    settled_at: datetime | None
    is_newest: bool
    """Whether nothing newer about the same thing went to the same cell."""
    is_owed: bool = False
    """A recall that the other cell has not taken for a week; it is sent until it does."""
    again_at: datetime | None = None
    """When a recall or a move that was refused is sent again; None where it is not."""
    refusals: int = 0
    """How often it was refused until now, where it is sent again."""


class CrossingPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of crossings ended."""

    id: UUID


class Total(msgspec.Struct, frozen=True):
    """What another cell counts of something of ours; None: a few, or none."""

    peer: str
    subject_id: UUID
    likes: int | None
    shares: int | None
    followers: int | None


def covered(consent: Consent | None, here: Here, peers: Iterable[Peer]) -> list[Peer]:
    """The cells that a consent holds for now: those that it names, while they and this cell have
    the operator and the law that it names."""
    if consent is None or is_suspended(consent, here):
        return []
    named = {(one.name, one.operator, one.jurisdiction) for one in consent.peers}
    return [one for one in peers if (one.name, one.operator, one.jurisdiction) in named]


def countries(cells: Iterable[Peer | Named]) -> list[str]:
    """The countries whose law holds in these cells, as ISO 3166 codes: what their signed passports
    name, without the part of the country."""
    return sorted({one.jurisdiction[:2].upper() for one in cells})


def asks_again(consent: Consent, version: int, peers: Iterable[Peer]) -> bool:
    """Whether a person is asked before the next thing leaves: they have read another text, or one
    with other countries."""
    return consent.text_version != version or countries(consent.peers) != countries(peers)


def named(consent: Consent | None) -> set[str]:
    """The cells that a consent names, also where it is suspended: what is there stays as it is."""
    return {one.name for one in consent.peers} if consent else set()


def is_suspended(consent: Consent, here: Here) -> bool:
    """Whether this cell has changed hands, or law, since the person said yes."""
    return (consent.operator, consent.jurisdiction) != (here.operator, here.jurisdiction)


def address(here: Here, subject: Subject, number: UUID) -> str:
    """Where other cells know something of ours."""
    return f"{here.origin}/ap/{PLACE_OF[subject]}/{number}"


def own(here: Here, uri: str) -> tuple[Subject, UUID] | None:
    """What of ours an address means; None for what is none of ours."""
    found = _ADDRESS.fullmatch(uri.removeprefix(here.origin)) if uri != here.origin else None
    if found is None or not uri.startswith(f"{here.origin}/"):
        return None
    subject: Subject = SUBJECT_OF[found[1]]  # type: ignore[assignment]
    try:
        return subject, UUID(found[2])
    except ValueError:
        return None


def ref_of(uri: str) -> UUID:
    """Under which number something of ours waits at the border: the one in its address, which is
    public. The account's own says nothing to the gateway, since it is not there."""
    return UUID(uri.rpartition("/")[2])


def move_ref_of(uri: str) -> UUID:
    """The same for a person's move, which takes the place of nothing else about them."""
    return UUID(int=ref_of(uri).int ^ 2)


def is_of(peer: Peer, uri: str) -> bool:
    """Whether an address is one that this cell may speak for: at its own origin, and plain."""
    return uri.startswith(f"{peer.origin.rstrip('/')}/") and uri.isascii() and uri.isprintable()


def rounded(count: int) -> int | None:
    """A total as it may be told: None below FEWEST, else two digits, rounded down; below a hundred
    to tens."""
    if count < FEWEST:
        return None
    step = 10
    while count >= step * 100:
        step *= 10
    return count // step * step
