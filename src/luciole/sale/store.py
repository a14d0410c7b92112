"""The sale's SQL: how far it is, what everybody's journal gets, and telling people. It all runs as
the owner of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from luciole.custody.model import Drawn
from luciole.kit.db import Row, Tx

OPEN = """
SELECT id, state, operator, jurisdiction, keys, announced_at, not_before, is_noted, contents
FROM house.sale WHERE state IN ('announced', 'handing-over', 'divested')
"""
ANNOUNCE = """
INSERT INTO house.sale (id, state, operator, jurisdiction, keys, announced_at, not_before)
VALUES ($1, 'announced', $2, $3, $4, $5, $6)
"""
CANCEL = "UPDATE house.sale SET state = 'cancelled', ended_at = $2 WHERE id = $1"
NOTED = "UPDATE house.sale SET is_noted = true WHERE id = $1"
BEGIN = "UPDATE house.sale SET state = 'handing-over', contents = $2 WHERE id = $1"
END = "UPDATE house.sale SET state = 'divested', ended_at = $2 WHERE id = $1"
ADOPT = """
INSERT INTO house.sale
    (id, state, operator, jurisdiction, keys, announced_at, not_before, is_noted, contents,
     ended_at)
VALUES ($1, 'adopted', $2, $3, $4, $5, $5, true, $6, $5)
"""
ADOPTED = "SELECT contents FROM house.sale WHERE state = 'adopted' ORDER BY ended_at DESC LIMIT 1"
HAS_SALE = "SELECT to_regclass('house.sale') IS NOT NULL"
# Those of other cells have no keys here.
PEOPLE = "SELECT id FROM people.person WHERE home IS NULL ORDER BY id"
ANYBODY = "SELECT 1 FROM people.person LIMIT 1"
MIGRATIONS = "SELECT name FROM house.migration ORDER BY name"
PATIENTLY = "SET LOCAL statement_timeout = 0"
SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public')
"""
DROP = 'DROP SCHEMA "{}" CASCADE'
# What a server still has, as its own catalogue says. `public` is nobody's: others may use it.
RELATIONS = """
SELECT n.nspname || '.' || c.relname AS name, n.nspname <> 'public' AS is_ours
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f', 'S') AND n.nspname NOT LIKE 'pg\\_%'
  AND n.nspname <> 'information_schema'
ORDER BY 2 DESC, 1 LIMIT 1000
"""
# Whoever gets a copy of what the server writes.
COPIERS = """
SELECT 'the replication slot ' || slot_name AS name FROM pg_replication_slots
UNION ALL SELECT 'the publication ' || pubname FROM pg_publication
UNION ALL SELECT 'the archive of its write-ahead log'
WHERE current_setting('archive_mode') <> 'off'
ORDER BY 1
"""
# A number for an entry about each of several people.
TAKE_NUMBERS = """
INSERT INTO custody.subject AS s (person_id, next) SELECT p, 1 FROM unnest($1::uuid[]) AS t (p)
ON CONFLICT (person_id) DO UPDATE SET next = s.next + 1 RETURNING s.person_id, s.next - 1 AS n
"""
RECORD = """
WITH added AS (
    INSERT INTO custody.journal (person_id, n, leaf, sealed)
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[]) RETURNING leaf, ref
)
SELECT count(ledger.put('access', leaf, ref)) FROM added
"""
# One line for each person. Whoever wants a digest gets it at once: it may be the last.
TELL = """
WITH line AS (
    INSERT INTO notify.line (id, person_id, kind, top_id)
    SELECT l, p, 'operator-change', l FROM unnest($1::uuid[], $2::uuid[]) AS t (l, p)
    RETURNING id, person_id
)
INSERT INTO notify.notification (id, person_id, kind, line_id)
SELECT id, person_id, 'operator-change', id FROM line
"""
CONTACTS_OF = """
SELECT person_id, kind, version, sealed FROM people.contact
WHERE address_index IS NOT NULL AND person_id = ANY ($1::uuid[])
"""
SET_INDEXES = """
UPDATE people.contact c SET address_index = t.i
FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS t (p, k, i)
WHERE c.person_id = t.p AND c.kind = t.k
"""
SET_MARK = "UPDATE custody.cell SET mark = $1"
PUT = "SELECT ledger.put('decisions', $1)"
# Who holds something of this cell; the name of who keeps its backup is a setting.
HOLDERS = """
SELECT 'share' AS kind, g.peer, g.cell_id, coalesce(p.origin, '') AS origin
FROM custody.guardian g LEFT JOIN border.peer p USING (cell_id)
UNION ALL
SELECT 'backup', p.name, p.cell_id, p.origin FROM border.peer p WHERE p.name = $1
ORDER BY kind, peer
"""
# Offers do not go along: whatever was on its way is looked at, and offered by the new operator.
LOOK_AGAIN = """
INSERT INTO abroad.stale (kind, id)
SELECT DISTINCT subject_kind, subject_id FROM abroad.crossing WHERE state = 'offered'
"""
REPLACED = """
UPDATE abroad.crossing SET state = 'replaced', settled_at = now() WHERE state = 'offered'
"""
# Where the policy says that the witnesses of peers are.
DOORS = "SELECT origin || '/witness' AS url FROM border.peer"
GUARDS = "SELECT cell_id FROM custody.guardian WHERE is_on"
COUNT_WAITING = "SELECT count(*) FROM ledger.inbox WHERE log = $1"


class Sale(msgspec.Struct, frozen=True):
    """A sale that is not over here."""

    id: UUID
    state: str
    operator: str
    jurisdiction: str
    keys: str
    announced_at: datetime
    not_before: datetime
    is_noted: bool
    contents: str | None


async def open_sale(tx: Tx) -> Sale | None:
    """The sale that is under way, also where the tables are of an older version."""
    if not await tx.fetchval(HAS_SALE):
        return None
    row = await tx.fetchrow(OPEN)
    return Sale(**dict(row)) if row else None


async def people(tx: Tx) -> list[UUID]:
    """Everybody who has an account."""
    return [row["id"] for row in await tx.fetch(PEOPLE)]


async def take_numbers(tx: Tx, whose: Sequence[UUID]) -> dict[UUID, int]:
    """The number of the next entry about each."""
    return {row["person_id"]: row["n"] for row in await tx.fetch(TAKE_NUMBERS, whose)}


async def record(tx: Tx, drawn: dict[UUID, Drawn]) -> None:
    """Notes an entry about each, and hands it to the log."""
    each = drawn.values()
    await tx.execute(
        RECORD,
        list(drawn),
        [one.n for one in each],
        [one.leaf for one in each],
        [one.sealed for one in each],
    )


async def contacts_of(tx: Tx, whose: Sequence[UUID]) -> list[Row]:
    """Sealed addresses by which people are found."""
    return await tx.fetch(CONTACTS_OF, whose)


async def drop_all(tx: Tx) -> None:
    """Takes every table of the cell away."""
    for row in await tx.fetch(SCHEMAS):
        await tx.execute(DROP.format(row["nspname"]))


async def schemas(tx: Tx) -> list[str]:
    """What a database has besides its own and `public`."""
    return [row["nspname"] for row in await tx.fetch(SCHEMAS)]


async def relations(tx: Tx) -> list[tuple[str, bool]]:
    """Tables and what is like them, each with whether it lies in a schema of a cell; those first,
    1,000 at most."""
    return [(row["name"], row["is_ours"]) for row in await tx.fetch(RELATIONS)]


async def copiers(tx: Tx) -> list[str]:
    """Who copies what the server writes, in words."""
    return [row["name"] for row in await tx.fetch(COPIERS)]
