"""Servers of the Fediverse, played without a network: actors with keys, and what is brought to
them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from luciole.border import proofs, signatures
from luciole.border.activities import ACTIVITY_STREAMS
from luciole.border.documents import Document
from luciole.border.fediverse.hearing import public
from luciole.border.fediverse.web import Answer, Unreachable
from luciole.keys.rsa import RsaKey
from luciole.keys.signing import Algorithm, SigningKey
from luciole.kit.clock import Clock

RSA = RsaKey(RsaKey.generate())
OTHER_RSA = RsaKey(RsaKey.generate())
ED25519 = SigningKey(Algorithm.ED25519, b"7" * 32)


@dataclass
class Actor:
    """Somebody elsewhere."""

    uri: str
    rsa: RsaKey = RSA
    shared_inbox: bool = True

    @property
    def key_id(self) -> str:
        return f"{self.uri}#main-key"

    @property
    def document(self) -> Document:
        origin = "/".join(self.uri.split("/")[:3])
        shared = {"endpoints": {"sharedInbox": f"{origin}/inbox"}} if self.shared_inbox else {}
        return {
            "@context": ACTIVITY_STREAMS,
            "id": self.uri,
            "type": "Person",
            "preferredUsername": self.uri.rpartition("/")[2],
            "inbox": f"{self.uri}/inbox",
            **shared,
            "publicKey": {
                "id": self.key_id,
                "owner": self.uri,
                "publicKeyPem": self.rsa.public.decode(),
            },
            "assertionMethod": [
                {
                    "id": f"{self.uri}#ed",
                    "type": "Multikey",
                    "controller": self.uri,
                    "publicKeyMultibase": proofs.multikey(ED25519.public),
                }
            ],
        }

    def act(self, kind: str, about: Any, number: int = 1, **words: Any) -> Document:
        return {
            "@context": ACTIVITY_STREAMS,
            "id": f"{self.uri}#acts/{kind}/{number}",
            "type": kind,
            "actor": self.uri,
            "object": about,
            **words,
        }


@dataclass
class Sent:
    """A request that the cell made."""

    url: str
    headers: Mapping[str, str]
    document: Document

    @property
    def is_new(self) -> bool:
        """Signed by RFC 9421, rather than the older way."""
        return "signature-input" in self.headers


@dataclass
class Servers:
    """The rest of the Fediverse, in the place of `luciole.border.fediverse.web.Web`."""

    clock: Clock
    documents: dict[str, Document] = field(default_factory=dict)
    gets: list[str] = field(default_factory=list)
    posts: list[Sent] = field(default_factory=list)
    refused: list[Sent] = field(default_factory=list)
    # What an inbox answers instead of 202; hosts that verify the older signatures only.
    answers: dict[str, int] = field(default_factory=dict)
    old: set[str] = field(default_factory=set)
    # The keys of our cell that they have learned, by their names.
    keys: dict[str, str | bytes] = field(default_factory=dict)

    def add(self, actor: Actor) -> Actor:
        self.documents[actor.uri] = actor.document
        return actor

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        if method == "GET":
            self.gets.append(url)
            found = self.documents.get(url)
            return Answer(200, json.dumps(found).encode()) if found else Answer(410, b"")
        sent = Sent(url, headers, json.loads(body))
        status = self.answers.get(url, 202)
        if status == 0:
            raise Unreachable("TimeoutError")
        if sent.is_new and urlsplit(url).hostname in self.old:
            status = 401
        else:
            self.verify(sent, body)
        (self.posts if status < 300 else self.refused).append(sent)
        return Answer(status, b"")

    def verify(self, sent: Sent, body: bytes) -> None:
        """As a strict server would: signed just now, by the key that the actor shows."""
        name = signatures.verified(
            "POST",
            sent.url,
            sent.headers,
            body,
            lambda name: public(self.keys[name]) if name in self.keys else None,
            int(self.clock.now().timestamp()),
            schemes=("rfc9421", "cavage"),
        )
        assert name.partition("#")[0] == sent.document["actor"]
