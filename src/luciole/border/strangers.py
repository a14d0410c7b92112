"""What the wider Fediverse says, read leniently: what we know is taken, the rest is dropped.

Whatever comes out is plain text and checked addresses. Pure: the caller has verified who signed
(`luciole.border.signatures`, or a proof), and hands in that actor's address. Nobody speaks for
another origin (FEP-fe34): an activity, its object and its actor are of one origin, and an object is
attributed to the actor.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from luciole.border import proofs
from luciole.border.addresses import is_same_origin
from luciole.border.documents import Document
from luciole.border.lenient import (
    NotTaken,
    id_of,
    is_public,
    listed,
    need_context,
    single,
    string,
    type_of,
)
from luciole.border.plain import cleaned
from luciole.border.posts import Note, note_in
from luciole.border.proofs import BadProof

__all__ = ["Heard", "NotTaken", "Note", "Stranger", "heard", "id_of", "stranger"]

Act = Literal[
    "follow", "unfollow", "like", "unlike", "announce", "unannounce", "accept", "reject", "create",
    "update", "delete", "move",
]  # fmt: skip
ACTORS = ("Person", "Service", "Application", "Group", "Organization")
MAX_NAME_CHARS = 50
MAX_KEYS = 8
_NAME = re.compile(r"[\w][\w.-]{0,62}")


class Heard(NamedTuple):
    """An activity: who did what to what. `note` comes with create and update of a post."""

    act: Act
    uri: str
    actor: str
    object: str
    note: Note | None = None
    target: str | None = None


class Stranger(NamedTuple):
    """An actor elsewhere: where to write to, and with what to verify what it signs. Of each key
    either the PEM text of an RSA key or the 32 bytes of an Ed25519 key."""

    uri: str
    type: str
    username: str
    name: str
    inbox: str
    shared_inbox: str | None
    keys: dict[str, str | bytes]
    is_locked: bool
    moved_to: str | None


def heard(document: Document, signer: str) -> Heard:
    """The activity that `signer` has signed. Raises NotTaken."""
    need_context(document)
    actor = id_of(document.get("actor"))
    if actor is None or actor != signer:
        raise NotTaken("not-by-its-signer")
    uri = id_of(document.get("id"))
    if uri is None:
        raise NotTaken("no-id")
    if not is_same_origin(uri, actor):
        raise NotTaken("id-of-another-origin")
    reader = _ACTS.get(type_of(document, tuple(_ACTS)))
    if reader is None:
        raise NotTaken("activity-not-taken")
    return reader(document, uri, actor)


# --- activities -----------------------------------------------------------------------------------


def _pointing(act: Act) -> Callable[[Document, str, str], Heard]:
    """Of activities that only point at something: its address is taken, never what is embedded."""

    def read(document: Document, uri: str, actor: str) -> Heard:
        return Heard(act, uri, actor, _pointed(document))

    return read


def _pointed(document: Document) -> str:
    uri = id_of(document.get("object"))
    if uri is None:
        raise NotTaken("no-object")
    return uri


def _announce(document: Document, uri: str, actor: str) -> Heard:
    if not is_public(document):
        raise NotTaken("not-public")
    embedded = single(document.get("object"))
    # PeerTube's and Lemmy's groups announce the activity; what it is about is what counts.
    if isinstance(embedded, dict) and "object" in embedded:
        return Heard("announce", uri, actor, _pointed(embedded))
    return Heard("announce", uri, actor, _pointed(document))


def _posting(act: Act) -> Callable[[Document, str, str], Heard]:
    def read(document: Document, uri: str, actor: str) -> Heard:
        said = single(document.get("object"))
        if not isinstance(said, dict):
            raise NotTaken("object-not-embedded")
        if act == "update" and type_of(said, ACTORS) in ACTORS:
            if id_of(said.get("id")) != actor:
                raise NotTaken("of-another-actor")
            return Heard("update", uri, actor, actor)
        note = note_in(said, actor)
        if not is_public(said) and not is_public(document):
            raise NotTaken("not-public")
        if not note.films and note.answers is None:
            raise NotTaken("neither-film-nor-answer")
        return Heard(act, uri, actor, note.uri, note)

    return read


def _delete(document: Document, uri: str, actor: str) -> Heard:
    gone = _pointed(document)
    if not is_same_origin(gone, actor):
        raise NotTaken("object-of-another-origin")
    return Heard("delete", uri, actor, gone)


def _undo(document: Document, uri: str, actor: str) -> Heard:
    undone = single(document.get("object"))
    if not isinstance(undone, dict):
        raise NotTaken("object-not-embedded")
    if id_of(undone.get("actor")) != actor:
        raise NotTaken("of-another-actor")
    acts: dict[str, Act] = {"Follow": "unfollow", "Like": "unlike", "Announce": "unannounce"}
    act = acts.get(type_of(undone, tuple(acts)))
    if act is None:
        raise NotTaken("activity-not-taken")
    return Heard(act, uri, actor, _pointed(undone))


def _answer(act: Act) -> Callable[[Document, str, str], Heard]:
    """Accept and Reject: of a follow, by its address; only the one who was asked may answer."""

    def read(document: Document, uri: str, actor: str) -> Heard:
        asked = single(document.get("object"))
        if isinstance(asked, dict):
            if type_of(asked, ("Follow",)) != "Follow":
                raise NotTaken("activity-not-taken")
            if id_of(asked.get("object")) != actor:
                raise NotTaken("of-another-actor")
        return Heard(act, uri, actor, _pointed(document))

    return read


def _move(document: Document, uri: str, actor: str) -> Heard:
    target = id_of(document.get("target"))
    if _pointed(document) != actor or target is None:
        raise NotTaken("of-another-actor")
    return Heard("move", uri, actor, actor, target=target)


_ACTS: dict[str, Callable[[Document, str, str], Heard]] = {
    "Follow": _pointing("follow"),
    "Like": _pointing("like"),
    "Announce": _announce,
    "Create": _posting("create"),
    "Update": _posting("update"),
    "Delete": _delete,
    "Undo": _undo,
    "Accept": _answer("accept"),
    "Reject": _answer("reject"),
    "Move": _move,
}


# --- actors ---------------------------------------------------------------------------------------


def stranger(document: Document, uri: str) -> Stranger:
    """The actor at an address, from the document that its own server gave there. Raises
    NotTaken."""
    need_context(document)
    kind = type_of(document, ACTORS)
    if kind not in ACTORS:
        raise NotTaken("no-actor")
    if id_of(document.get("id")) != uri:
        raise NotTaken("another-id")
    inbox = id_of(document.get("inbox"))
    if inbox is None or not is_same_origin(inbox, uri):
        raise NotTaken("no-inbox")
    endpoints = document.get("endpoints")
    shared = id_of(endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else None
    username = string(document.get("preferredUsername"))
    name = cleaned(string(document.get("name")), MAX_NAME_CHARS)
    return Stranger(
        uri=uri,
        type=kind,
        username=username if _NAME.fullmatch(username) else "",
        name=name or username[:MAX_NAME_CHARS],
        inbox=inbox,
        shared_inbox=shared if shared and is_same_origin(shared, uri) else None,
        keys=_keys(document, uri),
        is_locked=document.get("manuallyApprovesFollowers") is True,
        moved_to=id_of(document.get("movedTo")),
    )


def _keys(document: Document, uri: str) -> dict[str, str | bytes]:
    found: dict[str, str | bytes] = {}
    for one in listed(document.get("publicKey"))[:MAX_KEYS]:
        if isinstance(one, dict) and id_of(one.get("owner")) == uri:
            name, pem = id_of(one.get("id")), one.get("publicKeyPem")
            if name and is_same_origin(name, uri) and isinstance(pem, str):
                found[name] = pem
    for one in listed(document.get("assertionMethod"))[:MAX_KEYS]:
        if isinstance(one, dict) and id_of(one.get("controller")) == uri:
            name = id_of(one.get("id"))
            try:
                key = proofs.key_in(string(one.get("publicKeyMultibase")))
            except BadProof:
                continue
            if name and is_same_origin(name, uri) and key is not None:
                found[name] = key
    return found
