"""What servers of the Fediverse see: actors, posts, activities, and how they are found. Pure.

Posts have the shape that Loops, Pixelfed and Mastodon play: a Note with one `video/mp4` document.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit
from uuid import UUID

from luciole.border import proofs
from luciole.border.activities import (
    ACTIVITY_STREAMS,
    CONTEXT,
    MP4,
    MULTIKEY_CONTEXT,
    PUBLIC,
    WORDS,
    duration,
    moment,
)
from luciole.border.addresses import Addresses
from luciole.border.documents import Document, jcs
from luciole.border.plain import hashtags_of, html_of
from luciole.border.store.fediverse import Author, Clip, Rendition

ACTIVITY_JSON = "application/activity+json"
RFC_9421 = "https://datatracker.ietf.org/doc/html/rfc9421"
ACTOR_CONTEXT: list[Any] = [
    ACTIVITY_STREAMS,
    "https://w3id.org/security/v1",
    proofs.CONTEXT,
    "https://www.w3.org/ns/did/v1",
    MULTIKEY_CONTEXT,
    {
        "toot": WORDS["toot"],
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "implements": {"@id": "https://w3id.org/fep/844e#implements", "@type": "@id"},
    },
]
# What Loops takes, and what players of phones take everywhere.
MOST_BYTES = 100 * 1024 * 1024
MOST_WIDTH, MOST_HEIGHT = 720, 1280


class Keys(NamedTuple):
    """The public keys that an actor shows: the cell's RSA key as PEM text, and where the actor has
    one, an Ed25519 key of its own."""

    pem: str
    ed25519: bytes | None = None


class Face(NamedTuple):
    """The cell as others see it. `pages`: the origin of its pages and films."""

    at: Addresses
    pages: str
    short_name: str
    name: str
    operator: str
    version: str

    @property
    def domain(self) -> str:
        """What comes after the @ of everybody's address."""
        return urlsplit(self.at.origin).netloc

    @property
    def reader_name(self) -> str:
        """No person has a hyphen in a handle."""
        return f"readers-{self.short_name or 'here'}"

    def person(self, author: UUID) -> str:
        return self.at.of("people", author)

    def clip(self, number: UUID) -> str:
        return self.at.of("clips", number)


def main_key(actor: str) -> str:
    """The name of an actor's RSA key."""
    return f"{actor}#main-key"


def proof_key(actor: str) -> str:
    """The name of an actor's Ed25519 key."""
    return f"{actor}#ed25519-key"


# --- actors ---------------------------------------------------------------------------------------


def _actor(face: Face, uri: str, kind: str, username: str, keys: Keys) -> Document:
    made: Document = {
        "@context": ACTOR_CONTEXT,
        "id": uri,
        "type": kind,
        "preferredUsername": username,
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "endpoints": {"sharedInbox": f"{face.at.origin}/ap/inbox"},
        "publicKey": {"id": main_key(uri), "owner": uri, "publicKeyPem": keys.pem},
    }
    if keys.ed25519 is not None:
        made["assertionMethod"] = [
            {
                "id": proof_key(uri),
                "type": "Multikey",
                "controller": uri,
                "publicKeyMultibase": proofs.multikey(keys.ed25519),
            }
        ]
    return made


def person(face: Face, author: Author, keys: Keys) -> Document:
    """An author. Who follows them, and whom they follow, is nobody's business."""
    uri = face.person(author.id)
    made = _actor(face, uri, "Person", author.handle, keys) | {
        "name": author.name,
        "summary": html_of(author.bio),
        "url": f"{face.pages}/@{author.handle}",
        "published": f"{author.since:%Y-%m-%d}T00:00:00Z",
        "followers": f"{uri}/followers",
        "following": f"{uri}/following",
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "indexable": True,
    }
    if author.avatar_key:
        made["icon"] = {
            "type": "Image",
            "mediaType": "image/webp",
            "url": f"{face.pages}/media/{author.avatar_key}",
        }
    return made


def reader(face: Face, keys: Keys) -> Document:
    """The one who follows others on behalf of the cell's people. A Person, because Loops lets
    nobody else follow."""
    return _actor(face, face.at.reader, "Person", face.reader_name, keys) | {
        "name": f"Readers of {face.name}",
        "summary": html_of(
            f"I read on behalf of the people of {face.name}, run by {face.operator}."
        ),
        "url": face.pages,
        "manuallyApprovesFollowers": True,
        "discoverable": False,
        "indexable": False,
    }


def cell(face: Face, keys: Keys) -> Document:
    """The cell itself, which asks for documents of others (FEP-2677, FEP-d556, FEP-844e)."""
    return _actor(face, face.at.cell, "Application", face.domain, keys) | {
        "name": face.name,
        "url": face.pages,
        "manuallyApprovesFollowers": True,
        "implements": [
            {"href": RFC_9421, "name": "RFC-9421: HTTP Message Signatures"},
            {"href": "urn:luciole:border:1", "name": "Luciole Border Profile 1"},
        ],
    }


# --- posts ----------------------------------------------------------------------------------------


def film_of(clip: Clip) -> Rendition | None:
    """The largest film that everybody takes, else the smallest there is; None where it is longer
    than anybody would load."""
    sized = sorted(clip.films, key=lambda film: film.width * film.height)
    taken = [film for film in sized if film.size_bytes <= MOST_BYTES]
    fit = [film for film in taken if film.width <= MOST_WIDTH and film.height <= MOST_HEIGHT]
    return fit[-1] if fit else taken[0] if taken else None


def note(face: Face, clip: Clip) -> Document:
    """A clip as a post, without its context. Raises ValueError where it has no film to show."""
    film = film_of(clip)
    if film is None:
        raise ValueError("no film that others take")
    uri, author = face.clip(clip.id), face.person(clip.author)
    icon = {}
    if clip.poster_key:
        url = f"{face.pages}/media/{clip.poster_key}"
        icon = {"icon": {"type": "Image", "mediaType": "image/webp", "url": url}}

    def tag_address(tag: str) -> str:
        return f"{face.pages}/tag/{quote(tag)}"

    return {
        "id": uri,
        "type": "Note",
        "attributedTo": author,
        "content": html_of(clip.caption, tag_address),
        "url": f"{face.pages}/c/{clip.id}",
        "published": moment(clip.published_at),
        "to": [PUBLIC],
        "cc": [f"{author}/followers"],
        "sensitive": False,
        "madeWithAI": clip.made_with_ai,
        "attachment": [
            {
                "type": "Document",
                "mediaType": MP4,
                "url": f"{face.pages}/media/{film.key}",
                "width": film.width,
                "height": film.height,
                "size": film.size_bytes,
                "duration": duration(clip.duration_ms),
                **icon,
            }
        ],
        "tag": [
            {"type": "Hashtag", "name": f"#{tag}", "href": tag_address(tag)}
            for tag in hashtags_of(clip.caption)
        ],
        "likes": f"{uri}/likes",
        "shares": f"{uri}/shares",
        # Likes and shares are counted. Answers are too, but their words are not kept.
        "interactionPolicy": {
            "canLike": {"automaticApproval": [PUBLIC]},
            "canAnnounce": {"automaticApproval": [PUBLIC]},
            "canReply": {"automaticApproval": [author]},
            "canQuote": {"automaticApproval": [author]},
        },
    }


def in_context(document: Document) -> Document:
    return {"@context": CONTEXT, **document}


def create(face: Face, clip: Clip) -> Document:
    said = note(face, clip)
    return _about(said, "Create", f"{said['id']}/activity", said["published"])


def update(face: Face, clip: Clip, at: str) -> Document:
    said = note(face, clip) | {"updated": at}
    return _about(said, "Update", _change_of(said, at), at)


def _change_of(said: Document, at: str) -> str:
    """An id by what is said, too: others take an id once, and a second has room for two changes."""
    return f"{said['id']}#updates/{_short(at + jcs(said).decode())}"


def _about(said: Document, kind: str, uri: str, at: str) -> Document:
    return {
        "@context": CONTEXT,
        "id": uri,
        "type": kind,
        "actor": said["attributedTo"],
        "published": at,
        "to": said["to"],
        "cc": said["cc"],
        "object": said,
    }


def delete(face: Face, author: UUID, uri: str) -> Document:
    """Of a clip, or of the author."""
    gone: Any = uri if uri == face.person(author) else {"id": uri, "type": "Tombstone"}
    return {
        "@context": CONTEXT,
        "id": f"{uri}#delete",
        "type": "Delete",
        "actor": face.person(author),
        "to": [PUBLIC],
        "object": gone,
    }


def update_person(said: Document, at: str) -> Document:
    """Of an author, as `person` gives them."""
    context = said["@context"]
    said = {name: value for name, value in said.items() if name != "@context"}
    return {
        "@context": [*context[:-1], {**context[-1], **WORDS}],
        "id": _change_of(said, at),
        "type": "Update",
        "actor": said["id"],
        "published": at,
        "to": [PUBLIC],
        "cc": [f"{said['id']}/followers"],
        "object": said,
    }


def accept(face: Face, author: UUID, follow: str, follower: str) -> Document:
    """The answer to a follow."""
    uri = face.person(author)
    return {
        "@context": CONTEXT,
        "id": f"{uri}#accepts/{_short(follow)}",
        "type": "Accept",
        "actor": uri,
        "to": [follower],
        "object": {"id": follow, "type": "Follow", "actor": follower, "object": uri},
    }


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:24]


# --- collections ----------------------------------------------------------------------------------


def outbox(uri: str) -> Document:
    first = f"{uri}?page=1"
    return {"@context": CONTEXT, "id": uri, "type": "OrderedCollection", "first": first}


def outbox_page(
    face: Face, uri: str, before: UUID | None, clips: Sequence[Clip], *, has_more: bool
) -> Document:
    query = f"before={before}" if before else "page=1"
    made: Document = {
        "@context": CONTEXT,
        "id": f"{uri}?{query}",
        "type": "OrderedCollectionPage",
        "partOf": uri,
        "orderedItems": [
            {name: value for name, value in create(face, clip).items() if name != "@context"}
            for clip in clips
            if film_of(clip)
        ],
    }
    if has_more and clips:
        made["next"] = f"{uri}?before={clips[-1].id}"
    return made


def closed(uri: str, total: int | None = None) -> Document:
    """A collection that does not say who is in it, and how many only where ten or more may be
    told."""
    made: Document = {"@context": ACTIVITY_STREAMS, "id": uri, "type": "OrderedCollection"}
    return made if total is None else {**made, "totalItems": total}


# --- how we are found -----------------------------------------------------------------------------


def webfinger(face: Face, username: str, uri: str) -> Document:
    """RFC 7033."""
    return {
        "subject": f"acct:{username}@{face.domain}",
        "aliases": [uri],
        "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}],
    }


def cell_webfinger(face: Face) -> Document:
    """The cell by its origin (FEP-d556)."""
    rel = "https://www.w3.org/ns/activitystreams#Service"
    return {
        "subject": f"{face.at.origin}/",
        "links": [{"rel": rel, "type": ACTIVITY_JSON, "href": face.at.cell}],
    }


def nodeinfo_links(face: Face) -> Document:
    return {
        "links": [
            {
                "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
                "href": f"{face.at.origin}/nodeinfo/2.1",
            },
            {
                "rel": "https://www.w3.org/ns/activitystreams#Application",
                "href": face.at.cell,
            },
        ]
    }


def nodeinfo(face: Face) -> Document:
    """NodeInfo 2.1 (FEP-f1d5). How many people there are is left out."""
    return {
        "version": "2.1",
        "software": {"name": "luciole", "version": face.version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {}},
        "metadata": {"nodeName": face.name, "operator": face.operator},
    }
