"""Every shape that may cross the border of a cell, and nothing else.

A slice of the cell makes one of these, as bytes, and offers it through `border.put`; the gateway
reads what was offered. This module is the only one of the border that a slice may import.

There are six reasons to cross, and no other. Each kind names its own, and who offers one takes no
part in that. What is not sent is not a kind; a reason without a kind says why (`NO_KIND`).
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec

MAX_ENDPOINT_CHARS = 1024
MAX_TTL_S = 28 * 24 * 3600
MAX_URI_CHARS = 2048
MAX_RECALLS = 64
MAX_TEXT_CHARS = 2200
MAX_VTT_CHARS = 32_768
MAX_FILE_BYTES = 100 * 1024 * 1024
HANDLE = r"^[a-z0-9_.]{3,24}$"

Reason = Literal["published", "addressed", "moving", "court-order", "aggregate", "workings"]
# What each reason means, in one sentence.
REASONS: dict[Reason, str] = {
    "published": "The person published it, and wants it to be seen elsewhere.",
    "addressed": "The person addressed it to somebody elsewhere.",
    "moving": "The person moves to another cell, or takes their data along.",
    "court-order": "A court ordered it whose orders hold at home.",
    "aggregate": "It is a total over at least ten people.",
    "workings": "The network needs it to work. It holds no content, and tells no other cell who "
    "somebody of this one is; `code` alone tells an address, to the operator's own sender.",
}
# Those without a kind, and why.
NO_KIND: dict[Reason, str] = {
    "court-order": "An order is carried out at home: what it withholds is withheld there, and what "
    "it asks for the operator gives to whoever may have it, not through the gateway; the log "
    "counts the order.",
}
# On what each stands in law, where the offer names nothing else.
LAWS: dict[Reason, str] = {
    "published": "consent",
    "addressed": "consent",
    "moving": "request",
    "court-order": "order",
    "aggregate": "legitimate-interest",
    "workings": "legitimate-interest",
}


class Kind(NamedTuple):
    """A declared kind: why it may cross, what it says, and whether it is an immediate exchange
    between two cells (counted by digests) rather than something offered (an entry of its own)."""

    reason: Reason
    says: str
    is_immediate: bool = False


# All kinds; the gateway knows no other. Each is a row of docs/reference/border.md.
KINDS: dict[str, Kind] = {
    "push": Kind("workings", "Wake a device that asked for it, without saying what for."),
    "code": Kind(
        "workings",
        "A code for an address that its owner wants verified, through the operator's "
        "sender of mail and text messages.",
    ),
    "notice": Kind(
        "workings",
        "A mail to who sent a notice without an account and wanted one: that it has come, or what "
        "became of it; through the operator's mail server.",
    ),
    "person": Kind("published", "The public page of a person who publishes elsewhere."),
    "clip": Kind("published", "A public clip: caption, tags, where its film is and its digest."),
    "gone": Kind("published", "Something that crossed before is taken back."),
    "comment": Kind("addressed", "A public comment on a clip of another cell."),
    "follow": Kind("workings", "The cell's reader follows somebody; who reads there stays home."),
    "unfollow": Kind("workings", "The cell's reader follows somebody no more."),
    "totals": Kind("aggregate", "Likes, shares or followers of something, rounded, ten or more."),
    "move": Kind("moving", "A person lives in another cell now."),
    "fediverse": Kind(
        "published",
        "A public clip, its author's page, or their end, to a server of the wider Fediverse from "
        "which somebody follows; an hour later the log tells which server.",
    ),
    "media": Kind("published", "The bytes of a public clip, fetched once by the other cell."),
    "cosign": Kind("workings", "A head of a public log, to be cosigned by a witness.", True),
    "share": Kind("workings", "A guardian's share of a key, by a random handle.", True),
    "lookup": Kind(
        "workings", "Blinded points of a contact look-up: numbers without meaning.", True
    ),
    "backup": Kind("workings", "Pieces of a sealed backup, which only home can open.", True),
}


class Push(msgspec.Struct, frozen=True, tag_field="kind", tag="push", forbid_unknown_fields=True):
    """A request that a push service wakes one device (RFC 8030). It has no body: nothing of what
    happened crosses, and every push of a cell looks like every other.

    `authorization` is the header by which the service knows the cell (VAPID, RFC 8292); `topic`
    makes a later push take the place of one that is not delivered yet.
    """

    endpoint: str
    authorization: str
    topic: str
    ttl_s: int


class Gone(msgspec.Struct, frozen=True, tag_field="kind", tag="gone", forbid_unknown_fields=True):
    """Takes back what crossed before: a clip, a comment or a person, by its public address.

    `recalls` are the ids of the crossings that brought it. Who receives this deletes it, and says
    so in its receipt.
    """

    uri: Annotated[str, msgspec.Meta(max_length=MAX_URI_CHARS)]
    recalls: Annotated[list[str], msgspec.Meta(max_length=MAX_RECALLS)] = []


class Code(msgspec.Struct, frozen=True, tag_field="kind", tag="code", forbid_unknown_fields=True):
    """Of the kind `code`: a request that the operator's sender of mail and text messages sends a
    code to an address, whose owner asked for that. `to` is the address, `channel` what it is,
    `cell` the name of the cell as people see it. Nothing says which account it is for. It goes from
    one process to the other and out; no disk has it."""

    channel: Literal["email", "phone"]
    to: Annotated[str, msgspec.Meta(max_length=320)]
    code: Annotated[str, msgspec.Meta(max_length=12)]
    cell: Annotated[str, msgspec.Meta(max_length=200)]
    locale: Annotated[str, msgspec.Meta(max_length=12)]
    minutes: int


class NoticeMail(
    msgspec.Struct, frozen=True, tag_field="kind", tag="notice", forbid_unknown_fields=True
):
    """Of the kind `notice`: a request that the operator's mail server sends a mail to who sent a
    notice of something illegal without an account. `to` is their address, `what` what they are
    told, `page` where to read more and to appeal, `until` the last day for that; `cell` is the
    cell's name. Nothing says whom or what the notice was about, and no word of it is anybody's. It
    goes from one process to the other and out; no disk has it."""

    to: Annotated[str, msgspec.Meta(max_length=254)]
    what: Literal["received", "acted", "no-violation", "gone", "upheld", "reversed"]
    cell: Annotated[str, msgspec.Meta(max_length=200)]
    locale: Annotated[str, msgspec.Meta(max_length=12)]
    page: Annotated[str, msgspec.Meta(max_length=500)]
    until: Annotated[str, msgspec.Meta(max_length=10)] = ""


class Lookup(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Of the immediate kind `lookup`, as MessagePack: blinded points (each 32 bytes), which are as
    good as random, for the asked cell's half of a key (RFC 9497). `asker` is a pseudonym of 16
    bytes for counting; without points the question is for the public key, and draws a new one for a
    round that is higher than all before. `oldest`: rounds before it are over, and their halves are
    destroyed. The last two are left out in the first round."""

    v: int
    asker: bytes
    points: bytes
    round: int = 1
    oldest: int = 1


class LookupAnswer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The answer to a `Lookup`: the half's public key, the evaluated points, and one proof (64
    bytes) that they are the key's."""

    public: bytes
    answers: bytes = b""
    proof: bytes = b""


Uri = Annotated[str, msgspec.Meta(max_length=MAX_URI_CHARS)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Path = Annotated[str, msgspec.Meta(pattern="^/[!-~]{1,500}$")]
Size = Annotated[int, msgspec.Meta(ge=1, le=MAX_FILE_BYTES)]
Side = Annotated[int, msgspec.Meta(ge=16, le=8192)]
Day = Annotated[str, msgspec.Meta(pattern="^\\d{4}-\\d\\d-\\d\\d$")]
# In UTC, to the second.
Moment = Annotated[str, msgspec.Meta(pattern="^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$")]
Total = Annotated[int, msgspec.Meta(ge=10, le=10**12)]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public file of the sending cell, by its path there. Its bytes cross on their own, once for
    each cell that fetches them, and are good only if their digest is this."""

    path: Path
    sha256: Sha256
    size_bytes: Size


class Film(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rendition of a clip. `name` is its rung, such as 540p."""

    name: Annotated[str, msgspec.Meta(pattern="^[0-9]{3,4}p$")]
    file: File
    width: Side
    height: Side


class Captions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said in a clip, as WebVTT."""

    language: Annotated[str, msgspec.Meta(max_length=20)]
    vtt: Annotated[str, msgspec.Meta(max_length=MAX_VTT_CHARS)]


class Person(
    msgspec.Struct, frozen=True, tag_field="kind", tag="person", forbid_unknown_fields=True
):
    """Who somebody is to everybody: the persona under which they publish elsewhere, by an address
    with a number of its own. Nothing of their account is in it."""

    uri: Uri
    handle: Annotated[str, msgspec.Meta(pattern=HANDLE)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    bio: Annotated[str, msgspec.Meta(max_length=300)] = ""
    avatar: File | None = None


class Clip(msgspec.Struct, frozen=True, tag_field="kind", tag="clip", forbid_unknown_fields=True):
    """A public clip by the persona `by`, new or changed. `comments`: whether comments may come from
    other cells."""

    uri: Uri
    by: Uri
    caption: Text
    films: Annotated[list[Film], msgspec.Meta(min_length=1, max_length=4)]
    still: File
    duration_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)]
    made_with_ai: bool
    comments: bool
    published_at: Moment
    captions: Captions | None = None


class Comment(
    msgspec.Struct, frozen=True, tag_field="kind", tag="comment", forbid_unknown_fields=True
):
    """What the persona `by` said in public about a clip of the receiving cell (`on`), perhaps in
    answer to a comment there (`to`)."""

    uri: Uri
    by: Uri
    on: Uri
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    said_at: Moment
    to: Uri | None = None


class Follow(
    msgspec.Struct, frozen=True, tag_field="kind", tag="follow", forbid_unknown_fields=True
):
    """From now on the cell reads somebody of the receiving cell, on behalf of its people: of whom,
    and of how many, it does not say."""

    uri: Uri
    on: Day


class Unfollow(
    msgspec.Struct, frozen=True, tag_field="kind", tag="unfollow", forbid_unknown_fields=True
):
    """The cell does not read somebody any more. It says so days after that has come about."""

    uri: Uri
    on: Day


class Totals(
    msgspec.Struct, frozen=True, tag_field="kind", tag="totals", forbid_unknown_fields=True
):
    """How many of the sending cell like or share a clip, or follow a person, of the receiving one:
    rounded down, and nothing below ten. At most once a day for each."""

    uri: Uri
    on: Day
    likes: Total | None = None
    shares: Total | None = None
    followers: Total | None = None


class Newcomer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who somebody is to everybody in the cell that they moved to."""

    handle: Annotated[str, msgspec.Meta(pattern=HANDLE)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class Move(msgspec.Struct, frozen=True, tag_field="kind", tag="move", forbid_unknown_fields=True):
    """A person who was under one address is under another from now on. Both cells say it, to those
    that knew the person, else it does not hold: the old one by this alone, the new one with `who`
    they are there. `is_shown`: the person wants others to see where they went."""

    uri: Uri
    to: Uri
    on: Day
    who: Newcomer | None = None
    is_shown: bool = True


# The shapes of what is offered; the gateway takes nothing else.
Crossing = Push | Gone | Person | Clip | Comment | Follow | Unfollow | Totals | Move
CROSSINGS: tuple[type[msgspec.Struct], ...] = (
    Push, Gone, Person, Clip, Comment, Follow, Unfollow, Totals, Move,
)  # fmt: skip

_decoder: msgspec.json.Decoder[Crossing] = msgspec.json.Decoder(Crossing)


class BadCrossing(Exception):
    """Bytes that are none of the declared shapes."""


def encode(crossing: Crossing) -> bytes:
    return msgspec.json.encode(crossing)


def decode(body: bytes) -> Crossing:
    """Raises BadCrossing."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise BadCrossing from error


def files_of(crossing: Crossing) -> tuple[File, ...]:
    """The files that a crossing names."""
    match crossing:
        case Person(avatar=File() as avatar):
            return (avatar,)
        case Clip(films=films, still=still):
            return (*(film.file for film in films), still)
        case _:
            return ()


class Services:
    """The push services that a cell may speak to, by origin: `https://push.example`, or
    `https://*.push.example` for everything below."""

    def __init__(self, text: str) -> None:
        """From a list parted by blanks. Raises ValueError for what is no origin."""
        self._exact = set[str]()
        self._below = list[tuple[str, str]]()
        for word in text.split():
            parts = urlsplit(word)
            is_origin = word == f"{parts.scheme}://{parts.netloc}" and parts.hostname
            if parts.scheme not in ("https", "http") or not is_origin or "@" in word:
                raise ValueError(f"{word} is no origin such as https://push.example.")
            if parts.netloc.startswith("*."):
                self._below.append((parts.scheme, parts.netloc[1:]))
            else:
                self._exact.add(word)

    def of(self, endpoint: str) -> str | None:
        """The origin of a device's address, None where the cell may not speak to it."""
        parts = _parts(endpoint)
        if parts is None:
            return None
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self._exact:
            return origin
        for scheme, tail in self._below:
            if parts.scheme == scheme and parts.netloc.endswith(tail):
                return origin
        return None


def _parts(endpoint: str) -> SplitResult | None:
    """The parts of an address in one form only: visible ASCII, lower-case host, a path."""
    if len(endpoint) > MAX_ENDPOINT_CHARS or not endpoint.isascii():
        return None
    if any(not 0x21 <= ord(sign) <= 0x7E for sign in endpoint):
        return None
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    is_plain = host and parts.netloc == parts.netloc.lower() and "@" not in parts.netloc
    return parts if is_plain and parts.path.startswith("/") and not parts.fragment else None
