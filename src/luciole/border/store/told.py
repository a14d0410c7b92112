"""What servers of the wider Fediverse were brought, for the people whose it is."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from luciole.kit.db import Tx
from luciole.kit.ids import new_id

TELL = "SELECT border.tell_fedi($1, $2, $3, $4, $5, $6)"


class About(NamedTuple):
    """What a delivery tells of: a clip or the page of its author, or that it is gone."""

    kind: str
    subject: UUID
    is_gone: bool


async def tell(tx: Tx, author_id: UUID, about: About, server: str) -> None:
    """Something of an author was brought to a server: they see it among their crossings."""
    await tx.execute(TELL, new_id(), author_id, about.kind, about.subject, server, about.is_gone)
