"""What the wider Fediverse is told of authors who moved: `alsoKnownAs`, `movedTo` and `Move`.

Others act on a `Move` only if the new actor names the former one; so none is sent before it does,
and none twice within 30 days, since others would not take it.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from luciole.border import strangers
from luciole.border.activities import CONTEXT, moment
from luciole.border.documents import Document
from luciole.border.fediverse.shown import Face
from luciole.border.fediverse.speaking import Speaking
from luciole.border.fediverse.web import Unreachable
from luciole.border.store import fedi_moves, fediverse
from luciole.border.store.fedi_moves import Moves
from luciole.border.store.fediverse import Terms
from luciole.kit.clock import Clock
from luciole.kit.db import Database

APART_DAYS = 30
AT_ONCE = 20
WORDS: Document = {
    "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
}


def with_moves(actor: Document, moves: Moves) -> Document:
    """An actor that says where they went and came from."""
    said: Document = {}
    if moves.came_from:
        said["alsoKnownAs"] = list(moves.came_from)
    if moves.moved_to:
        said["movedTo"] = moves.moved_to
    if not said:
        return actor
    context = actor["@context"]
    return {**actor, **said, "@context": [*context[:-1], {**context[-1], **WORDS}]}


def activity(face: Face, author: UUID, to: str, at: str) -> Document:
    """What followers are told."""
    uri = face.person(author)
    return {
        "@context": CONTEXT,
        "id": f"{uri}#moves/{sha256(to.encode()).hexdigest()[:16]}",
        "type": "Move",
        "actor": uri,
        "published": at,
        "to": [f"{uri}/followers"],
        "object": uri,
        "target": to,
    }


class Moved:
    """Tells followers elsewhere of authors who moved, once the new actor confirms it."""

    def __init__(self, speaking: Speaking, db: Database, terms: Terms, clock: Clock) -> None:
        self._speaking, self._db, self._terms, self._clock = speaking, db, terms, clock
        self._face = speaking.face

    async def look(self) -> int:
        """Tells of those whose new actor names the former one; gives of how many."""
        async with self._db.tx() as tx:
            waiting = await fedi_moves.untold(tx, self._terms, APART_DAYS, AT_ONCE)
        told = 0
        for author in waiting:
            async with self._db.tx() as tx:
                to = (await fedi_moves.of(tx, author, self._terms)).moved_to
            if to is None or not await self._is_confirmed(self._face.person(author), to):
                continue
            said = activity(self._face, author, to, moment(self._clock.now()))
            body = await self._speaking.proved(said, author)
            async with self._db.tx() as tx:
                now = await fedi_moves.of(tx, author, self._terms)
                if now.moved_to != to:
                    continue
                await fedi_moves.tell(tx, author, to)
                for inbox in await fediverse.inboxes(tx, author):
                    await fediverse.put(tx, author, inbox, body)
            told += 1
        return told

    async def _is_confirmed(self, former: str, to: str) -> bool:
        """Whether the actor at the new address says that they were at the former one, and have not
        gone on from there."""
        try:
            document = await self._speaking.get(to)
        except Unreachable:
            return False
        named = document.get("alsoKnownAs")
        named = named if isinstance(named, list) else [named]
        return (
            strangers.id_of(document.get("id")) == to
            and former in [strangers.id_of(one) for one in named]
            and strangers.id_of(document.get("movedTo")) is None
        )
