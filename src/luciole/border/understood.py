"""What another cell has said in a document, strictly: exactly what `luciole.border.activities`
makes is taken, proved by the key that was agreed with that cell. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from luciole.border import proofs
from luciole.border.activities import MP4, PUBLIC, document_of, moment
from luciole.border.addresses import Addresses, is_same_origin
from luciole.border.documents import BadDocument, Document, jcs_plain, parsed_plain
from luciole.border.proofs import BadProof
from luciole.border.wire import Clip, Comment, Crossing, Gone, Move, Person

_DURATION = re.compile(r"PT([0-9]{1,4})\.([0-9]{3})S")


class BadActivity(Exception):
    """A document that is not of the profile, or not of who brought it. `code` says how."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def opened(
    raw: bytes, cell: Addresses, verifies: Callable[[bytes, bytes], bool]
) -> tuple[str, datetime, Crossing]:
    """What the cell at these addresses sent: the crossing's number, when it was made, and what it
    is. `verifies(signature, message)` is of the border key that was agreed with that cell. Raises
    BadActivity."""
    try:
        document = parsed_plain(raw)
        if proofs.method_of(document) != cell.cell_key:
            raise BadActivity("another-key")
        proofs.verify(document, verifies, written=jcs_plain)
    except (BadDocument, BadProof) as error:
        raise BadActivity(error.code) from error
    proof = document.pop("proof")
    number, at, crossing = crossing_of(document, cell)
    options = proofs.options_of(document, cell.cell_key, at)
    if proof != options | {"proofValue": proof["proofValue"]}:
        raise BadActivity("proof-says-more")
    return number, at, crossing


def crossing_of(document: Document, cell: Addresses) -> tuple[str, datetime, Crossing]:
    """The number, the time and the crossing that a document of the cell at these addresses tells.
    Raises BadActivity."""
    try:
        number, at = _number(document["id"], cell), _time(document["published"])
        said = _SAID[document["type"]](document, cell)
        crossing = msgspec.convert(said, Crossing)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, BadProof):
        # msgspec.ValidationError is a ValueError.
        raise BadActivity("not-of-the-profile") from None
    # Bytes, because Python takes 1, 1.0 and True for the same.
    if jcs_plain(document_of(crossing, cell, number, at)) != jcs_plain(document):
        raise BadActivity("says-more-or-other")
    for uri in _own(crossing):
        if not is_same_origin(uri, cell.cell):
            raise BadActivity("of-another-origin")
    return number, at, crossing


def _own(crossing: Crossing) -> tuple[str, ...]:
    """The addresses that have to be the sender's own (FEP-fe34)."""
    match crossing:
        case Clip() | Comment():
            return (crossing.uri, crossing.by)
        case Person() | Gone():
            return (crossing.uri,)
        case Move():
            return (crossing.uri if crossing.who is None else crossing.to,)
        case _:
            return ()


def _number(uri: str, cell: Addresses) -> str:
    text = uri.removeprefix(cell.crossing(""))
    if cell.crossing(str(UUID(text))) != uri:
        raise ValueError
    return text


def _time(text: str) -> datetime:
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if moment(at) != text:
        raise ValueError
    return at


def _said_update(document: Document, cell: Addresses) -> Document:
    said = document["object"]
    made = {
        "kind": "person",
        "uri": said["id"],
        "handle": said["preferredUsername"],
        "name": said["name"],
        "bio": said["source"]["content"],
    }
    if "icon" in said:
        made["avatar"] = _said_file(said["icon"], cell)
    return made


def _said_create(document: Document, cell: Addresses) -> Document:
    said = document["object"]
    if "inReplyTo" in said:
        on, to = said["context"], said["inReplyTo"]
        return {
            "kind": "comment",
            "uri": said["id"],
            "by": said["attributedTo"],
            "on": on,
            "text": said["source"]["content"],
            "said_at": said["published"],
            "to": None if to == on else to,
        }
    films = [one for one in said["attachment"] if one["mediaType"] == MP4]
    texts = [one for one in said["attachment"] if one["mediaType"] != MP4]
    captions = {"language": texts[0]["language"], "vtt": texts[0]["content"]} if texts else None
    return {
        "kind": "clip",
        "uri": said["id"],
        "by": said["attributedTo"],
        "caption": said["source"]["content"],
        "films": [
            {
                "name": film["rung"],
                "file": _said_file(film, cell),
                "width": film["width"],
                "height": film["height"],
            }
            for film in films
        ],
        "still": _said_file(said["icon"], cell),
        "duration_ms": _milliseconds(films[0]["duration"]),
        "made_with_ai": said["madeWithAI"],
        "comments": said["interactionPolicy"]["canReply"]["automaticApproval"] == [PUBLIC],
        "published_at": said["published"],
        "captions": captions,
    }


def _said_gone(document: Document, cell: Addresses) -> Document:
    return {"kind": "gone", "uri": document["object"], "recalls": document.get("recalls", [])}


def _said_follow(document: Document, cell: Addresses) -> Document:
    return {"kind": "follow", "uri": document["object"], "on": document["day"]}


def _said_undo(document: Document, cell: Addresses) -> Document:
    return {"kind": "unfollow", "uri": document["object"]["object"], "on": document["day"]}


def _said_totals(document: Document, cell: Addresses) -> Document:
    return {
        "kind": "totals",
        "uri": document["object"],
        "on": document["day"],
        "likes": document.get("likesTotal"),
        "shares": document.get("sharesTotal"),
        "followers": document.get("followersTotal"),
    }


def _said_move(document: Document, cell: Addresses) -> Document:
    made = {
        "kind": "move",
        "uri": document["object"],
        "to": document["target"],
        "on": document["day"],
        "is_shown": document["shown"],
    }
    if "name" in document:
        made["who"] = {"handle": document["preferredUsername"], "name": document["name"]}
    return made


def _said_file(said: Document, cell: Addresses) -> Document:
    return {
        "path": said["url"].removeprefix(cell.origin),
        "sha256": proofs.digest_in(said["digestMultibase"]).hex(),
        "size_bytes": said["size"],
    }


def _milliseconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError
    return int(found[1]) * 1000 + int(found[2])


_SAID: dict[str, Callable[[Document, Addresses], Document]] = {
    "Update": _said_update,
    "Create": _said_create,
    "Delete": _said_gone,
    "Follow": _said_follow,
    "Undo": _said_undo,
    "InteractionDigest": _said_totals,
    "Move": _said_move,
}
