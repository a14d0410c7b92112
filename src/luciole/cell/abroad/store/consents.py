"""SQL of what people have said yes to, and of how far their things go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.cell.abroad.model import Act, Consent, Locale, Named, Peer, Reach
from luciole.kit.db import Row, Tx
from luciole.kit.exported import ExportedRow, listed

PEERS = """
SELECT name, operator, jurisdiction, display_name, origin FROM border.peers ORDER BY name
"""
# Others who change what the same person has said yes to wait until this transaction ends.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('abroad.person/' || $1::uuid::text, 0))"
# What was said before a sale was said to somebody else, also where the new one has kept the name.
IN_FORCE = """
SELECT id, act, text_version, text_sha256, locale,
       CASE WHEN given_at < house.operator_since() THEN operator || ' (before)' ELSE operator END
           AS operator,
       jurisdiction, peers, given_at, ended_at
FROM abroad.consent WHERE person_id = $1 AND ended_at IS NULL ORDER BY act
"""
ADD = """
INSERT INTO abroad.consent
    (id, person_id, act, text_version, text_sha256, locale, operator, jurisdiction, peers, given_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10)
"""
END = """
UPDATE abroad.consent SET ended_at = $3 WHERE person_id = $1 AND act = $2 AND ended_at IS NULL
"""
PERSONA = "SELECT id FROM abroad.persona WHERE person_id = $1"
WHO = "SELECT person_id FROM abroad.persona WHERE id = $1"
ADD_PERSONA = """
INSERT INTO abroad.persona (person_id, id, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
REACH = "SELECT reach FROM abroad.reach WHERE clip_id = $1"
SET_REACH = """
INSERT INTO abroad.reach (clip_id, person_id, reach, chosen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (clip_id) DO UPDATE SET reach = excluded.reach, chosen_at = excluded.chosen_at
"""
DROP_REACH = "DELETE FROM abroad.reach WHERE clip_id = $1"
IS_SAID = "SELECT EXISTS (SELECT 1 FROM abroad.said WHERE comment_id = $1)"
ADD_SAID = """
INSERT INTO abroad.said (comment_id, person_id, chosen_at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
"""
DROP_SAID = "DELETE FROM abroad.said WHERE comment_id = $1"
NOTE = "SELECT abroad.note($1, $2)"

EXPORT_PERSONA = "SELECT id, made_at FROM abroad.persona WHERE person_id = $1"
EXPORT_CONSENTS = """
SELECT id, act, text_version, text_sha256, locale, operator, jurisdiction, peers, given_at, ended_at
FROM abroad.consent WHERE person_id = $1 ORDER BY given_at, id
"""
EXPORT_REACH = """
SELECT clip_id, reach, chosen_at FROM abroad.reach WHERE person_id = $1 ORDER BY clip_id
"""
EXPORT_SAID = """
SELECT comment_id, chosen_at FROM abroad.said WHERE person_id = $1 ORDER BY comment_id
"""
ERASE_CONSENTS = "DELETE FROM abroad.consent WHERE person_id = $1"
ERASE_REACH = "DELETE FROM abroad.reach WHERE person_id = $1"
ERASE_SAID = "DELETE FROM abroad.said WHERE person_id = $1"
ERASE_PERSONA = "DELETE FROM abroad.persona WHERE person_id = $1"

_named = msgspec.json.Decoder(list[Named])


async def peers(tx: Tx) -> list[Peer]:
    """The cells that this one exchanges with."""
    return [Peer(**row) for row in await tx.fetch(PEERS)]


async def lock(tx: Tx, person_id: UUID) -> None:
    await tx.execute(LOCK, person_id)


async def in_force(tx: Tx, person_id: UUID) -> dict[Act, Consent]:
    """What a person has said yes to and has not taken back."""
    return {row["act"]: _consent(row) for row in await tx.fetch(IN_FORCE, person_id)}


async def add(
    tx: Tx,
    consent_id: UUID,
    person_id: UUID,
    act: Act,
    text_version: int,
    text_sha256: bytes,
    locale: Locale,
    operator: str,
    jurisdiction: str,
    peers: list[Named],
    now: datetime,
) -> None:
    """In the place of the one that was in force."""
    await tx.execute(END, person_id, act, now)
    await tx.execute(
        ADD,
        consent_id,
        person_id,
        act,
        text_version,
        text_sha256,
        locale,
        operator,
        jurisdiction,
        msgspec.json.encode(peers).decode(),
        now,
    )


async def end(tx: Tx, person_id: UUID, act: Act, now: datetime) -> bool:
    """False where there was none."""
    return not (await tx.execute(END, person_id, act, now)).endswith(" 0")


async def persona(tx: Tx, person_id: UUID) -> UUID | None:
    """Under which number other cells know a person, where they do."""
    found: UUID | None = await tx.fetchval(PERSONA, person_id)
    return found


async def who(tx: Tx, persona_id: UUID) -> UUID | None:
    """Whose number it is."""
    found: UUID | None = await tx.fetchval(WHO, persona_id)
    return found


async def add_persona(tx: Tx, person_id: UUID, persona_id: UUID, now: datetime) -> None:
    await tx.execute(ADD_PERSONA, person_id, persona_id, now)


async def reach(tx: Tx, clip_id: UUID) -> Reach:
    found: Reach | None = await tx.fetchval(REACH, clip_id)
    return found or "region"


async def set_reach(tx: Tx, clip_id: UUID, person_id: UUID, reach: Reach, now: datetime) -> None:
    if reach == "region":
        await tx.execute(DROP_REACH, clip_id)
    else:
        await tx.execute(SET_REACH, clip_id, person_id, reach, now)


async def is_said(tx: Tx, comment_id: UUID) -> bool:
    """Whether a comment is to go to the cell of the clip that it is on."""
    return bool(await tx.fetchval(IS_SAID, comment_id))


async def set_said(
    tx: Tx, comment_id: UUID, person_id: UUID, now: datetime, *, is_said: bool
) -> None:
    if is_said:
        await tx.execute(ADD_SAID, comment_id, person_id, now)
    else:
        await tx.execute(DROP_SAID, comment_id)


async def note(tx: Tx, kind: str, subject_id: UUID) -> None:
    """Has something looked at: whether it is where it is to be."""
    await tx.execute(NOTE, kind, subject_id)


def export_persona(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_PERSONA, person_id))


async def export_consents(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    async for row in tx.cursor(EXPORT_CONSENTS, person_id):
        yield {
            **dict(row),
            "text_sha256": row["text_sha256"].hex(),
            "peers": msgspec.json.decode(row["peers"]),
        }


def export_reach(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_REACH, person_id))


def export_said(tx: Tx, person_id: UUID) -> AsyncIterator[ExportedRow]:
    return listed(tx.cursor(EXPORT_SAID, person_id))


async def erase(tx: Tx, person_id: UUID) -> int:
    """Removes what a person has chosen and said yes to; gives how many consents there were."""
    await tx.execute(ERASE_REACH, person_id)
    await tx.execute(ERASE_SAID, person_id)
    await tx.execute(ERASE_PERSONA, person_id)
    return int((await tx.execute(ERASE_CONSENTS, person_id)).rpartition(" ")[2])


def _consent(row: Row) -> Consent:
    return Consent(**{**dict(row), "peers": _named.decode(row["peers"])})
