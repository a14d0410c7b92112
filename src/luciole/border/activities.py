"""What crosses between cells, as ActivityPub documents: Border Profile 1 (FEDERATION.md).

Strict: `luciole.border.understood` takes exactly what `document_of` makes. Whatever a document says
beyond that, or says otherwise, is refused; so no field crosses that is not declared in
`luciole.border.wire`.
Pure: the caller signs, verifies and knows the time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from luciole.border import proofs
from luciole.border.addresses import Addresses
from luciole.border.documents import Document, jcs_plain
from luciole.border.plain import hashtags_of, html_of
from luciole.border.wire import (
    Clip,
    Comment,
    Crossing,
    File,
    Follow,
    Gone,
    Move,
    Person,
    Totals,
    Unfollow,
)

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ACTIVITY_STREAMS = "https://www.w3.org/ns/activitystreams"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
# Words beyond ActivityStreams. Written out, so that nobody has to fetch anything to read us. Those
# of the context of proofs, such as digestMultibase, are protected: to say them again is an error.
WORDS: Document = {
    "luciole": "urn:luciole:border:1:",
    "toot": "http://joinmastodon.org/ns#",
    "gts": "https://gotosocial.org/ns#",
    "Hashtag": "as:Hashtag",
    "sensitive": "as:sensitive",
    "size": "https://joinpeertube.org/ns#size",
    "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
    "canLike": {"@id": "gts:canLike", "@type": "@id"},
    "canReply": {"@id": "gts:canReply", "@type": "@id"},
    "canAnnounce": {"@id": "gts:canAnnounce", "@type": "@id"},
    "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
    "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
    "manualApproval": {"@id": "gts:manualApproval", "@type": "@id"},
    "madeWithAI": "luciole:madeWithAI",
    "rung": "luciole:rung",
    "language": "luciole:language",
    "recalls": "luciole:recalls",
    "InteractionDigest": "luciole:InteractionDigest",
    "day": "luciole:day",
    "shown": "luciole:shown",
    "likesTotal": "luciole:likesTotal",
    "sharesTotal": "luciole:sharesTotal",
    "followersTotal": "luciole:followersTotal",
}
CONTEXT: list[Any] = [ACTIVITY_STREAMS, proofs.CONTEXT, WORDS]
MP4 = "video/mp4"


class Unsealed(NamedTuple):
    """A crossing as a document that lacks its proof: `message` is what that signs."""

    document: Document
    options: Document
    message: bytes

    def sealed(self, signature: bytes) -> bytes:
        """The bytes that cross."""
        return jcs_plain(proofs.with_proof(self.document, self.options, signature))


def unsealed(crossing: Crossing, cell: Addresses, number: str, at: datetime) -> Unsealed:
    """A crossing as it goes to another cell, to be proved by the cell's border key. The same
    crossing, number and time give the same bytes. Raises ValueError for a push."""
    document = document_of(crossing, cell, number, at)
    options = proofs.options_of(document, cell.cell_key, at)
    return Unsealed(document, options, proofs.to_sign(document, options, jcs_plain))


def document_of(crossing: Crossing, cell: Addresses, number: str, at: datetime) -> Document:
    """The activity by which a cell tells another of a crossing, without its proof. Raises
    ValueError for a kind that is not told in documents (a push)."""
    activity: Document = {
        "@context": CONTEXT,
        "id": cell.crossing(number),
        "published": moment(at),
        "to": [PUBLIC],
    }
    match crossing:
        case Person():
            return activity | {
                "type": "Update",
                "actor": crossing.uri,
                "object": _person(crossing, cell),
            }
        case Clip():
            return activity | {
                "type": "Create",
                "actor": crossing.by,
                "object": clip_note(crossing, cell.origin),
            }
        case Comment():
            return activity | {"type": "Create", "actor": crossing.by, "object": _reply(crossing)}
        case Gone():
            recalls = {"recalls": list(crossing.recalls)} if crossing.recalls else {}
            return (
                activity
                | recalls
                | {
                    "type": "Delete",
                    "actor": cell.cell,
                    "object": crossing.uri,
                }
            )
        case Follow():
            return activity | _follow(crossing, cell) | {"day": crossing.on}
        case Unfollow():
            return activity | {
                "type": "Undo",
                "actor": cell.reader,
                "object": _follow(crossing, cell),
                "day": crossing.on,
            }
        case Totals():
            totals = {
                "likesTotal": crossing.likes,
                "sharesTotal": crossing.shares,
                "followersTotal": crossing.followers,
            }
            return activity | {
                "type": "InteractionDigest",
                "actor": cell.cell,
                "object": crossing.uri,
                "day": crossing.on,
                **{name: value for name, value in totals.items() if value is not None},
            }
        case Move():
            return activity | _move(crossing)
        case _:
            raise ValueError("this kind is not told in documents")


def _follow(crossing: Follow | Unfollow, cell: Addresses) -> Document:
    return {"type": "Follow", "actor": cell.reader, "object": crossing.uri}


def _move(move: Move) -> Document:
    """Said by the old address, or by the new one, which says who is there."""
    made: Document = {
        "type": "Move",
        "actor": move.uri,
        "object": move.uri,
        "target": move.to,
        "day": move.on,
        "shown": move.is_shown,
    }
    if move.who is not None:
        made |= {
            "actor": move.to,
            "preferredUsername": move.who.handle,
            "name": move.who.name,
        }
    return made


def _person(person: Person, cell: Addresses) -> Document:
    made: Document = {
        "id": person.uri,
        "type": "Person",
        "preferredUsername": person.handle,
        "name": person.name,
        "summary": html_of(person.bio),
        "source": _source(person.bio),
        "inbox": cell.inbox,
        "outbox": f"{person.uri}/outbox",
    }
    if person.avatar is not None:
        made["icon"] = _file(person.avatar, cell.origin, "Image")
    return made


def clip_note(clip: Clip, origin: str) -> Document:
    """The object of a clip: a Note with its films, as Loops, Pixelfed and Mastodon play it."""
    attachments = [
        _file(film.file, origin, "Document")
        | {
            "mediaType": MP4,
            "rung": film.name,
            "width": film.width,
            "height": film.height,
            "duration": duration(clip.duration_ms),
        }
        for film in clip.films
    ]
    if clip.captions is not None:
        attachments.append(
            {
                "type": "Document",
                "mediaType": "text/vtt",
                "language": clip.captions.language,
                "content": clip.captions.vtt,
            }
        )
    who = [PUBLIC] if clip.comments else [clip.by]
    return {
        "id": clip.uri,
        "type": "Note",
        "attributedTo": clip.by,
        "content": html_of(clip.caption),
        "source": _source(clip.caption),
        "published": clip.published_at,
        "to": [PUBLIC],
        "sensitive": False,
        "madeWithAI": clip.made_with_ai,
        "icon": _file(clip.still, origin, "Image"),
        "attachment": attachments,
        "tag": [{"type": "Hashtag", "name": f"#{tag}"} for tag in hashtags_of(clip.caption)],
        "interactionPolicy": {
            "canLike": {"automaticApproval": [PUBLIC]},
            "canAnnounce": {"automaticApproval": [PUBLIC]},
            "canReply": {"automaticApproval": who},
            "canQuote": {"automaticApproval": [clip.by]},
        },
    }


def _reply(comment: Comment) -> Document:
    return {
        "id": comment.uri,
        "type": "Note",
        "attributedTo": comment.by,
        "content": html_of(comment.text),
        "source": _source(comment.text),
        "published": comment.said_at,
        "to": [PUBLIC],
        "inReplyTo": comment.to or comment.on,
        "context": comment.on,
    }


def _source(text: str) -> Document:
    return {"content": text, "mediaType": "text/plain"}


def _file(file: File, origin: str, kind: str) -> Document:
    return {
        "type": kind,
        "url": origin + file.path,
        "size": file.size_bytes,
        "digestMultibase": proofs.digest_multibase(bytes.fromhex(file.sha256)),
    }


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration(milliseconds: int) -> str:
    """As XML Schema writes it, always in seconds: PT12.345S."""
    return f"PT{milliseconds // 1000}.{milliseconds % 1000:03}S"
