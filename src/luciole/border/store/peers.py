"""Peers, what our witness says of them, and signed requests that were seen."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from luciole.border.crossing import unsent_entry
from luciole.border.outward import PeerInfo, Verdict
from luciole.border.passport import Passport, key_of
from luciole.kit.db import Tx
from luciole.ledger.note import VerifierKey

PEERS = """
SELECT name, cell_id, origin, display_name, operator, jurisdiction, border_key, log_keys,
    witness_keys, verdict, verdict_code, coalesce(held_log_keys, log_keys) AS held_log_keys,
    passport_code
FROM border.peer ORDER BY name
"""
ADD = """
INSERT INTO border.peer (name, cell_id, origin, passport, display_name, operator, jurisdiction,
    border_key, log_keys, witness_keys)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING RETURNING true
"""
# What people have compared stays: `log_keys`, by which our witness knows it.
RENEW = """
UPDATE border.peer SET origin = $2, passport = $3, display_name = $4, operator = $5,
    jurisdiction = $6, border_key = $7, held_log_keys = $8, witness_keys = $9, passport_code = ''
WHERE name = $1 AND NOT EXISTS (SELECT FROM border.peer WHERE origin = $2 AND name <> $1)
RETURNING true
"""
DOUBT = "UPDATE border.peer SET passport_code = $2 WHERE name = $1"
NOTE_PEER = "SELECT border.note_peer($1)"
REMOVE = "DELETE FROM border.peer WHERE name = $1 RETURNING cell_id"
REMOVE_OFFERS = """
DELETE FROM border.offer WHERE peer = $1 RETURNING id, entry IS NOT NULL AS is_entered
"""
NOTE = "SELECT border.note($1)"
TELL = """
UPDATE border.peer SET verdict = $2, verdict_code = $3, verdict_at = now()
WHERE name = $1 AND (verdict, verdict_code) <> ($2, $3) RETURNING true
"""
CHANGED = "SELECT pg_notify('luciole_peers', '')"
SEE = "INSERT INTO border.seen (signature) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true"
TIDY_SEEN = "DELETE FROM border.seen WHERE made_at < now() - make_interval(secs => $1)"


class Known(NamedTuple):
    """A peer, and with what its requests and receipts are verified. `held_log_keys` are of who
    holds its logs now, `passport_code` says why the passport that it shows is not taken."""

    info: PeerInfo
    key: VerifierKey
    held_log_keys: tuple[str, ...]
    passport_code: str = ""

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def border_log(self) -> VerifierKey:
        """The key of its log of crossings."""
        return VerifierKey.parse(self.held_log_keys[2])

    @property
    def witness(self) -> VerifierKey:
        """The Ed25519 key of its witness."""
        return VerifierKey.parse(self.info.witness_keys[0])


async def peers(tx: Tx) -> list[Known]:
    return [
        Known(
            PeerInfo(
                name=row["name"],
                cell_id=row["cell_id"],
                origin=row["origin"],
                operator=row["operator"],
                jurisdiction=row["jurisdiction"],
                display_name=row["display_name"],
                log_keys=tuple(row["log_keys"]),
                witness_keys=tuple(row["witness_keys"]),
                verdict=row["verdict"],
                verdict_code=row["verdict_code"],
            ),
            key_of(row["cell_id"], bytes(row["border_key"])),
            tuple(row["held_log_keys"]),
            row["passport_code"],
        )
        for row in await tx.fetch(PEERS)
    ]


async def add(tx: Tx, passport: Passport, note: str) -> bool:
    """Takes a cell in as a peer; False where its name, id or origin is one already."""
    known = await tx.fetchval(
        ADD,
        passport.name,
        UUID(passport.cell_id),
        passport.origin,
        note,
        passport.display_name,
        passport.operator,
        passport.jurisdiction,
        passport.border_key.public,
        list(passport.log_keys),
        list(passport.witness_keys),
    )
    await tx.execute(CHANGED)
    return bool(known)


async def renew(tx: Tx, passport: Passport, note: str) -> bool:
    """Takes what a peer's passport says now; False where another peer has its origin."""
    known = await tx.fetchval(
        RENEW,
        passport.name,
        passport.origin,
        note,
        passport.display_name,
        passport.operator,
        passport.jurisdiction,
        passport.border_key.public,
        list(passport.log_keys),
        list(passport.witness_keys),
    )
    await tx.execute(CHANGED)
    return bool(known)


async def doubt(tx: Tx, name: str, code: str) -> None:
    """Why the passport that a peer shows is not taken; empty: it is."""
    await tx.execute(DOUBT, name, code)
    await tx.execute(CHANGED)


async def note_peer(tx: Tx, entry: bytes) -> None:
    """Puts an entry about a peer into the log of decisions."""
    await tx.execute(NOTE_PEER, entry)


async def remove(tx: Tx, name: str, at: str) -> str | None:
    """Ends a peering, with all that waits for the peer, and says of what the log has announced that
    it never left; the cell's id, None where there is no such peer."""
    for row in await tx.fetch(REMOVE_OFFERS, name):
        if row["is_entered"]:
            await tx.execute(NOTE, unsent_entry(row["id"], at, name))
    cell_id = await tx.fetchval(REMOVE, name)
    await tx.execute(CHANGED)
    return str(cell_id) if cell_id else None


async def tell(tx: Tx, name: str, verdict: Verdict, code: str) -> None:
    """What our witness says of a peer's logs."""
    if await tx.fetchval(TELL, name, verdict, code):
        await tx.execute(CHANGED)


async def see(tx: Tx, signature: bytes) -> bool:
    """Notes a signed request by the digest of its signature; False where it was seen before."""
    return bool(await tx.fetchval(SEE, signature))


async def tidy(tx: Tx, seconds: float) -> None:
    """Forgets requests whose time is over."""
    await tx.execute(TIDY_SEEN, seconds)
