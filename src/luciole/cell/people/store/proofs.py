"""SQL of passwords, passkeys, recovery codes and passkey challenges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from luciole.cell.people.model import (
    Challenge,
    ChallengeKind,
    Passkey,
    StoredPasskey,
    StoredPassword,
)
from luciole.kit.db import Tx

HASH_BY_HANDLE = """
SELECT w.person_id, w.hash
FROM people.password w JOIN people.person p ON p.id = w.person_id
WHERE p.handle = $1
"""
HASH_OF = "SELECT hash FROM people.password WHERE person_id = $1"
SET_HASH = """
INSERT INTO people.password (person_id, hash) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash
"""
ADD_PASSKEY = """
INSERT INTO people.passkey (id, person_id, credential_id, public_key, sign_count, name, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (credential_id) DO NOTHING
"""
PASSKEYS = """
SELECT id, name, created_at, last_used_on, former_host FROM people.passkey
WHERE person_id = $1 ORDER BY created_at, id
"""
CREDENTIAL_IDS = "SELECT credential_id FROM people.passkey WHERE person_id = $1"
PASSKEY_BY_CREDENTIAL = """
SELECT id, person_id, public_key, sign_count FROM people.passkey
WHERE credential_id = $1 FOR UPDATE
"""
USE_PASSKEY = "UPDATE people.passkey SET sign_count = $2, last_used_on = $3 WHERE id = $1"
REMOVE_PASSKEY = "DELETE FROM people.passkey WHERE person_id = $1 AND id = $2"
HAS_WAY_IN = """
SELECT EXISTS (SELECT 1 FROM people.password WHERE person_id = $1)
    OR EXISTS (SELECT 1 FROM people.passkey WHERE person_id = $1 AND former_host IS NULL)
"""
DROP_RECOVERY_CODES = "DELETE FROM people.recovery_code WHERE person_id = $1"
ADD_RECOVERY_CODES = """
INSERT INTO people.recovery_code (person_id, code_hash) SELECT $1, unnest($2::bytea[])
"""
USE_RECOVERY_CODE = """
DELETE FROM people.recovery_code c USING people.person p
WHERE p.id = c.person_id AND p.handle = $1 AND c.code_hash = $2
RETURNING c.person_id
"""
SPEND_RECOVERY_CODE = "DELETE FROM people.recovery_code WHERE person_id = $1 AND code_hash = $2"
ADD_CHALLENGE = """
INSERT INTO people.challenge (id, kind, subject_id, challenge_hash, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""
TAKE_CHALLENGE = """
DELETE FROM people.challenge WHERE id = $1 AND kind = $2 AND expires_at > $3
RETURNING subject_id, challenge_hash
"""
TIDY_CHALLENGES = "DELETE FROM people.challenge WHERE expires_at <= $1"


async def password_by_handle(tx: Tx, handle: str) -> StoredPassword | None:
    row = await tx.fetchrow(HASH_BY_HANDLE, handle)
    return StoredPassword(row["person_id"], row["hash"]) if row else None


async def password(tx: Tx, person_id: UUID) -> str | None:
    hashed: str | None = await tx.fetchval(HASH_OF, person_id)
    return hashed


async def set_password(tx: Tx, person_id: UUID, hashed: str) -> None:
    await tx.execute(SET_HASH, person_id, hashed)


async def add_passkey(
    tx: Tx,
    passkey_id: UUID,
    person_id: UUID,
    credential_id: bytes,
    public_key: bytes,
    sign_count: int,
    name: str,
    now: datetime,
) -> bool:
    """False when the credential is registered already, by whomever."""
    done = await tx.execute(
        ADD_PASSKEY, passkey_id, person_id, credential_id, public_key, sign_count, name, now
    )
    return done.endswith(" 1")


async def passkeys(tx: Tx, person_id: UUID) -> list[Passkey]:
    return [Passkey(**row) for row in await tx.fetch(PASSKEYS, person_id)]


async def credential_ids(tx: Tx, person_id: UUID) -> list[bytes]:
    return [row["credential_id"] for row in await tx.fetch(CREDENTIAL_IDS, person_id)]


async def passkey_by_credential(tx: Tx, credential_id: bytes) -> StoredPasskey | None:
    """Locks the row: two sign-ins with one signature counter must not pass each other."""
    row = await tx.fetchrow(PASSKEY_BY_CREDENTIAL, credential_id)
    return StoredPasskey(**row) if row else None


async def use_passkey(tx: Tx, passkey_id: UUID, sign_count: int, today: date) -> None:
    await tx.execute(USE_PASSKEY, passkey_id, sign_count, today)


async def remove_passkey(tx: Tx, person_id: UUID, passkey_id: UUID) -> bool:
    """False when the person has no such passkey."""
    return (await tx.execute(REMOVE_PASSKEY, person_id, passkey_id)).endswith(" 1")


async def has_way_in(tx: Tx, person_id: UUID) -> bool:
    """Whether a password is left, or a passkey of the cell's present name."""
    return bool(await tx.fetchval(HAS_WAY_IN, person_id))


async def set_recovery_codes(tx: Tx, person_id: UUID, hashes: Sequence[bytes]) -> None:
    """Replaces all codes."""
    await tx.execute(DROP_RECOVERY_CODES, person_id)
    await tx.execute(ADD_RECOVERY_CODES, person_id, list(hashes))


async def use_recovery_code(tx: Tx, handle: str, code_hash: bytes) -> UUID | None:
    """Takes the code away and says whose it was."""
    person_id: UUID | None = await tx.fetchval(USE_RECOVERY_CODE, handle, code_hash)
    return person_id


async def spend_recovery_code(tx: Tx, person_id: UUID, code_hash: bytes) -> bool:
    """False when the person has no such code."""
    return (await tx.execute(SPEND_RECOVERY_CODE, person_id, code_hash)).endswith(" 1")


async def add_challenge(
    tx: Tx,
    challenge_id: UUID,
    kind: ChallengeKind,
    subject_id: UUID | None,
    challenge_hash: bytes,
    expires_at: datetime,
) -> None:
    await tx.execute(ADD_CHALLENGE, challenge_id, kind, subject_id, challenge_hash, expires_at)


async def take_challenge(
    tx: Tx, challenge_id: UUID, kind: ChallengeKind, now: datetime
) -> Challenge | None:
    """Takes the challenge away: it serves once."""
    row = await tx.fetchrow(TAKE_CHALLENGE, challenge_id, kind, now)
    return Challenge(**row) if row else None


async def tidy_challenges(tx: Tx, now: datetime) -> None:
    await tx.execute(TIDY_CHALLENGES, now)
