"""How much of the room that films, and files of messages, may take is taken, for the doctor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from luciole.cell.messages.model import KEPT_DAYS
from luciole.config import Settings
from luciole.finding import Finding
from luciole.kit import postgres
from luciole.kit.db import Database

# From here on room is running out.
NEARLY = 0.8
TAKEN = """
SELECT coalesce((SELECT sum(size_bytes) FROM media.file), 0)::bigint
     + coalesce((SELECT sum(size_bytes) FROM media.upload), 0)::bigint
"""
# How many people are near their limit; nobody is named.
NEAR_THEIR_LIMIT = """
SELECT count(*) FROM (
    SELECT owner_id FROM (
        SELECT a.owner_id, f.size_bytes FROM media.asset a JOIN media.file f ON f.asset_id = a.id
        UNION ALL SELECT owner_id, size_bytes FROM media.upload
    ) taken GROUP BY owner_id HAVING sum(size_bytes) >= $1
) near
"""
MESSAGES_TAKEN = """
SELECT coalesce((SELECT sum(size_bytes) FROM messages.attachment), 0)::bigint
     + coalesce((SELECT sum(size_bytes) FROM messages.backup), 0)::bigint
"""
NEAR_THEIR_MONTH = """
SELECT count(*) FROM messages.files_sent
WHERE size_bytes >= $1 AND begun_at > $2
"""


class Taken(NamedTuple):
    """Bytes that are taken, and how many people are near their own limit."""

    size_bytes: int
    near: int


def looked(settings: Settings, now: datetime | None = None) -> Iterator[Finding]:
    """What films take of what they may, and what files of messages do. Only of a database that
    runs."""
    media, messages = settings.media, settings.messages
    since = (now or datetime.now(UTC)) - timedelta(days=KEPT_DAYS)
    try:
        films, files = asyncio.run(_taken(settings, since))
    except Exception:  # it does not run, or other checks say what is wrong with it
        return
    step = "Raise LUCIOLE_MEDIA_CELL_BYTES where the disk has the room, or close registration."
    yield _said("room", "films take", films, media.cell_bytes, media.person_bytes, step)
    step = "Raise LUCIOLE_MESSAGES_CELL_BYTES where the disk has the room, or people send no files."
    subject, says = "room of messages", "sealed files and backups of messages take"
    yield _said(subject, says, files, messages.cell_bytes, messages.person_bytes, step)


def _said(subject: str, says: str, taken: Taken, cell: int, person: int, step: str) -> Finding:
    says += f" {taken.size_bytes / 10**9:.1f} GB"
    says += f" of {cell / 10**9:.1f}" if cell else "; the disk is their only limit"
    if person:
        says += f"; people near their own limit: {taken.near}"
    is_near = bool(cell) and taken.size_bytes >= NEARLY * cell
    return Finding("WARN", subject, says, step) if is_near else Finding("OK", subject, says)


async def _taken(settings: Settings, since: datetime) -> tuple[Taken, Taken]:
    database = await Database.open(_url(settings), size=1)
    try:
        async with database.read() as tx:
            near = int(NEARLY * settings.media.person_bytes)
            films = Taken(
                int(await tx.fetchval(TAKEN)),
                int(await tx.fetchval(NEAR_THEIR_LIMIT, near)) if near else 0,
            )
            near = int(NEARLY * settings.messages.person_bytes)
            files = Taken(
                int(await tx.fetchval(MESSAGES_TAKEN)),
                int(await tx.fetchval(NEAR_THEIR_MONTH, near, since)) if near else 0,
            )
            return films, files
    finally:
        await database.close()


def _url(settings: Settings) -> str:
    home, log = settings.data / "postgres", settings.data / "log" / "postgresql.log"
    return settings.database.url or postgres.Server(home, log).url()
