"""What a database has to be told after it was put back to an earlier state.

All of it runs as the owner, in the transaction of the restore.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from luciole.copies import numbers
from luciole.copies.numbers import Missed
from luciole.keys import KeyStore
from luciole.kit.copying import Connection

# Counts that others see: of whoever was erased since, the rows are missing.
RECOUNT = (
    """
UPDATE graph.tally t SET
    followers = (SELECT count(*) FROM graph.follow f
                 WHERE f.followee_id = t.person_id AND f.state = 'accepted'),
    following = (SELECT count(*) FROM graph.follow f
                 WHERE f.follower_id = t.person_id AND f.state = 'accepted')
""",
    """
UPDATE clips.clip c SET
    likes = (SELECT count(*) FROM clips.liked l WHERE l.clip_id = c.id),
    favourites = (SELECT count(*) FROM clips.favourite f WHERE f.clip_id = c.id),
    reposts = (SELECT count(*) FROM clips.repost r WHERE r.clip_id = c.id),
    sound_id = (SELECT s.id FROM clips.sound s WHERE s.id = c.sound_id)
""",
    """
UPDATE clips.sound s SET uses = (
    SELECT count(*) FROM clips.clip c
    WHERE c.sound_id = s.id AND c.state = 'published' AND c.audience = 'everyone'
      AND c.audience_list IS NULL)
""",
    # A film whose sound came from one that is not there any more: a job takes the sound away.
    """
UPDATE media.asset a SET sound_asset_id = NULL
WHERE NOT EXISTS (SELECT 1 FROM media.asset s WHERE s.id = a.sound_asset_id)
""",
    # The same with a film that stands in another one.
    """
UPDATE media.asset a SET quoted_asset_id = NULL
WHERE NOT EXISTS (SELECT 1 FROM media.asset s WHERE s.id = a.quoted_asset_id)
""",
    """
UPDATE clips.made_from m SET first_id = NULL
WHERE NOT EXISTS (SELECT 1 FROM clips.clip c WHERE c.id = m.first_id)
""",
    # What was on its way waits no more: whether it has arrived is worked out by sending it anew.
    """
INSERT INTO abroad.stale (kind, id)
SELECT DISTINCT subject_kind, subject_id FROM abroad.crossing WHERE state = 'offered'
""",
    """
UPDATE abroad.crossing SET state = 'replaced', settled_at = now() WHERE state = 'offered'
""",
    # Recalls too: they are asked for again at once.
    """
UPDATE abroad.recall SET refused_at = coalesce(refused_at, now()), again_at = now()
""",
    # A device drops what has a number that it has seen: beyond all those that were given since.
    "UPDATE messages.device SET next_n = next_n + 1000000000",
)
# Films under a public address whose clip is not for everybody any more: the job that was to rename
# them waited when the backup was made.
MISPLACED = """
SELECT DISTINCT c.author_id FROM clips.clip c
JOIN media.asset a ON a.id = c.asset_id
JOIN people.person p ON p.id = c.author_id
WHERE a.is_public <> (c.audience = 'everyone' AND NOT p.is_private)
"""
REFERRED = """
SELECT object_key FROM media.file UNION ALL SELECT object_key FROM media.chunk
UNION ALL SELECT avatar_key FROM people.person WHERE avatar_key IS NOT NULL
UNION ALL SELECT object_key FROM messages.backup
"""
GIVE_UP = """
INSERT INTO media.unclaimed (object_key, since) SELECT unnest($1::text[]), 'epoch'
ON CONFLICT DO NOTHING
"""
NEXT = "SELECT person_id, next FROM custody.subject WHERE person_id = ANY ($1::uuid[])"
SET_NEXT = "UPDATE custody.subject SET next = $2 WHERE person_id = $1"
ADD_MISSED = """
INSERT INTO custody.journal (person_id, n, leaf, sealed) VALUES ($1, $2, $3, '') RETURNING ref
"""
ADD_PLACE = "INSERT INTO ledger.place (ref, idx) VALUES ($1, $2) ON CONFLICT DO NOTHING"


async def recount(connection: Connection) -> None:
    """Corrects the counts."""
    for statement in RECOUNT:
        await connection.execute(statement)


async def misplaced(connection: Connection) -> list[UUID]:
    """Authors whose films have to be looked at."""
    return [row["author_id"] for row in await connection.fetch(MISPLACED)]


async def referred(connection: Connection) -> set[str]:
    """The keys of all objects that a row refers to."""
    return {row["object_key"] for row in await connection.fetch(REFERRED)}


async def give_up(connection: Connection, keys: Iterable[str]) -> None:
    """Objects that no row refers to: the next sweep deletes them."""
    await connection.execute(GIVE_UP, list(keys))


async def take_missed(
    connection: Connection, keys: KeyStore, persons: list[UUID], missed: dict[bytes, Missed]
) -> int:
    """Moves each person's numbers past those that the log has given out meanwhile: used twice, a
    number would make two entries with one label. What the entries meant is lost, and their place
    in the journal stays empty. Gives how many there are."""
    count = 0
    for person_id, n in await connection.fetch(NEXT, persons):
        found = list(numbers.after(keys.label_key(person_id), n, missed))
        for number, one in enumerate(found, n):
            (made,) = await connection.fetch(ADD_MISSED, person_id, number, one.leaf)
            await connection.execute(ADD_PLACE, made["ref"], one.at)
        if found:
            await connection.execute(SET_NEXT, person_id, n + len(found))
        count += len(found)
    return count
