"""What crosses is an entry of its person's own journal, and so of the log."""

from __future__ import annotations

from uuid import UUID

from luciole.ask.client import Custody
from luciole.border import wire
from luciole.cell.abroad.model import Kind, Peer
from luciole.custody.model import KeyGone, NoGrant
from luciole.kit.db import Tx


async def note(
    custody: Custody,
    tx: Tx,
    person_id: UUID,
    kind: Kind,
    crossing_id: UUID,
    peer: Peer,
    sha256: str,
) -> None:
    """Notes that something of a person goes to another cell, why, and under which law."""
    reason = wire.KINDS[kind].reason
    try:
        await custody.note(
            tx,
            person_id,
            kind="crossing",
            cls="automated",
            purpose=reason,
            crossing=str(crossing_id),
            wire=kind,
            to=peer.name,
            law=wire.LAWS[reason],
            jurisdiction=peer.jurisdiction,
            sha256=sha256,
        )
    except (KeyGone, NoGrant):
        # Of somebody who is just being erased: their journal ends, and this goes with them.
        return
