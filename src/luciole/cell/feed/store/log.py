"""SQL of the log and of its snapshots."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from luciole.cell.feed.model import CHANNEL, Mark, NewEvent, Snapshot
from luciole.cell.feed.ranking.columns import ID_BYTES
from luciole.cell.feed.ranking.model import Clip, Signal
from luciole.cell.feed.rows import CLIP, NO_FEATURES, NO_SOUND, Rows
from luciole.kit.db import Row, Tx
from luciole.kit.ids import FIRST_ID

ADD = """
INSERT INTO feed.event
    (at, clip_id, once, session_id, signal, value, loops, source, features, trust, propensity, sign)
SELECT at, clip_id, once, session_id, signal, value, loops, source, features, trust, propensity,
       sign
FROM unnest($1::timestamptz[], $2::uuid[], $3::bytea[], $4::uuid[], $5::smallint[], $6::integer[],
            $7::smallint[], $8::smallint[], $9::bytea[], $10::real[], $11::double precision[],
            $12::smallint[])
     AS n (at, clip_id, once, session_id, signal, value, loops, source, features, trust, propensity,
           sign)
ON CONFLICT (once) DO NOTHING
RETURNING once
"""
ANNOUNCE = "SELECT pg_notify($1, pg_current_xact_id()::text)"
# Below the horizon nothing is added any more: whoever reads so reads every row, in one order.
# Packed here, in the form of `rows.ROW`: a row as an object costs ten times as much. $4 is what
# stands where a slot has no features, or fewer than another.
READ = """
SELECT string_agg(
    int8send(xid::text::bigint) || int8send(seq) || timestamptz_send(at) || uuid_send(clip_id)
    || uuid_send(coalesce(session_id, clip_id)) || int2send(coalesce(signal, -1::smallint))
    || int4send(value) || int2send(loops) || float4send(trust) || int2send(sign)
    || int2send(octet_length(features)::smallint)
    || substr(features || $4::bytea, 1, octet_length($4::bytea)),
    ''::bytea ORDER BY xid, seq)
FROM (
    SELECT xid, seq, at, clip_id, session_id, signal, value, loops, features, trust, sign
    FROM feed.event
    WHERE (xid, seq) > (($1::bigint)::text::xid8, $2)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, seq
    LIMIT $3) AS later
"""
IS_BELOW_HORIZON = """
SELECT ($1::bigint)::text::xid8 < pg_snapshot_xmin(pg_current_snapshot())
"""
CLIPS = """
SELECT id, author_id, hashtags, caption, duration_ms, published_at, sound_id
FROM clips.rankable WHERE id = ANY($1::uuid[])
"""
# Totals of everybody together; a watch weighs what its session is trusted.
MOST_WATCHED = """
SELECT clip_id FROM feed.event
WHERE signal = $3 AND at > $1
GROUP BY clip_id HAVING sum(trust * sign) >= $2
ORDER BY sum(trust * sign) DESC, clip_id LIMIT $4
"""
THERE = "SELECT id FROM clips.published WHERE id = ANY($1::uuid[])"
# Packed here, in the form of `rows.CLIP`, as READ is. $3 stands for no sound.
SOME_CLIPS = """
SELECT string_agg(
           uuid_send(id) || uuid_send(author_id) || uuid_send(coalesce(sound_id, $3))
           || int4send(coalesce(duration_ms, 0)) || timestamptz_send(published_at),
           ''::bytea ORDER BY id) AS packed,
       array_agg(array_to_string(hashtags, ' ') ORDER BY id) AS hashtags,
       array_agg(caption ORDER BY id) AS captions
FROM (
    SELECT id, author_id, hashtags, caption, duration_ms, published_at, sound_id
    FROM clips.rankable WHERE id > $1 ORDER BY id LIMIT $2) AS later
"""
HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
NEWEST_SNAPSHOT = """
SELECT taken_at, xid::text::bigint AS xid, seq, weights_version, digest, data
FROM feed.snapshot ORDER BY taken_at DESC, seq LIMIT 1
"""
NEWEST_MARK = """
SELECT taken_at, xid::text::bigint AS xid, seq FROM feed.snapshot
ORDER BY taken_at DESC, seq LIMIT 1
"""
ADD_SNAPSHOT = """
INSERT INTO feed.snapshot (taken_at, xid, seq, weights_version, digest, data)
VALUES ($1, ($2::bigint)::text::xid8, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
DROP_SNAPSHOTS = "DELETE FROM feed.snapshot WHERE taken_at < $1"
# Only what is in a snapshot already.
DROP_OLD = """
DELETE FROM feed.event WHERE at < $1 AND (xid, seq) <= (($2::bigint)::text::xid8, $3)
"""
# Of clips that were deleted, as far as a snapshot has been through them.
FORGET_CLIPS = """
DELETE FROM feed.event
WHERE clip_id = ANY($1::uuid[]) AND (xid, seq) <= (($2::bigint)::text::xid8, $3)
"""
FORGET_HIDDEN = "DELETE FROM feed.hidden WHERE kind = 'clip' AND value = ANY($1::uuid[]::text[])"


async def most_watched(tx: Tx, since: datetime, least: int, most: int) -> list[UUID]:
    """Clips that were watched so often since then, by all together; the most watched first."""
    rows = await tx.fetch(MOST_WATCHED, since, float(least), int(Signal.WATCHED), most)
    return [row["clip_id"] for row in rows]


async def add(tx: Tx, events: Sequence[NewEvent]) -> set[bytes | None]:
    """Notes events; gives the `once` of those that were not there before."""
    columns = zip(*(_columns(each) for each in events), strict=True)
    return {row["once"] for row in await tx.fetch(ADD, *(list(one) for one in columns))}


async def announce(tx: Tx) -> None:
    """Tells all processes, when the transaction commits, that the log has grown."""
    await tx.execute(ANNOUNCE, CHANNEL)


async def read(tx: Tx, since: Mark, most: int) -> Rows:
    """The rows after a row of the log, in its order."""
    return Rows(await tx.fetchval(READ, since.xid, since.seq, most, NO_FEATURES) or b"")


async def is_below_horizon(tx: Tx, xid: int) -> bool:
    """Whether all rows of a transaction can be read."""
    return bool(await tx.fetchval(IS_BELOW_HORIZON, xid))


async def clips(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Clip]:
    """Those of the clips that For You may show, as they are now."""
    return {row["id"]: _clip(row) for row in await tx.fetch(CLIPS, ids)}


async def there(tx: Tx, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the clips that there are, whoever may see them."""
    return {row["id"] for row in await tx.fetch(THERE, ids)}


async def forget_clips(tx: Tx, ids: Sequence[UUID], kept_in: Mark) -> None:
    """Drops what the log and people's lists say of deleted clips, up to a row of the log."""
    await tx.execute(FORGET_CLIPS, ids, kept_in.xid, kept_in.seq)
    await tx.execute(FORGET_HIDDEN, ids)


async def horizon(tx: Tx) -> int:
    """The transaction below which all has ended."""
    return cast(int, await tx.fetchval(HORIZON))


async def all_clips(tx: Tx, at_once: int) -> AsyncIterator[tuple[bytes, list[str], list[str]]]:
    """Every clip that For You may show, in the order of ids, as `gathering.Gathering` takes them;
    `tx` is a transaction that sees one state of everything."""
    after = FIRST_ID
    while True:
        row = await tx.fetchrow(SOME_CLIPS, after, at_once, UUID(bytes=NO_SOUND))
        if row is None or row["packed"] is None:
            return
        packed = row["packed"]
        yield packed, row["hashtags"], row["captions"]
        after = UUID(bytes=packed[-CLIP.itemsize :][:ID_BYTES])


async def newest_snapshot(tx: Tx) -> Snapshot | None:
    row = await tx.fetchrow(NEWEST_SNAPSHOT)
    if row is None:
        return None
    return Snapshot(
        row["taken_at"],
        Mark(row["xid"], row["seq"]),
        row["weights_version"],
        row["digest"],
        row["data"],
    )


async def newest_mark(tx: Tx) -> tuple[datetime, Mark] | None:
    """When the newest snapshot was taken, and up to which row."""
    row = await tx.fetchrow(NEWEST_MARK)
    return (row["taken_at"], Mark(row["xid"], row["seq"])) if row else None


async def add_snapshot(tx: Tx, snapshot: Snapshot) -> None:
    await tx.execute(
        ADD_SNAPSHOT,
        snapshot.taken_at,
        snapshot.mark.xid,
        snapshot.mark.seq,
        snapshot.weights_version,
        snapshot.digest,
        snapshot.data,
    )


async def drop_snapshots(tx: Tx, taken_before: datetime) -> None:
    await tx.execute(DROP_SNAPSHOTS, taken_before)


async def drop_old(tx: Tx, made_before: datetime, kept_in: Mark) -> int:
    """Drops rows that are old and in a snapshot; gives how many."""
    done = await tx.execute(DROP_OLD, made_before, kept_in.xid, kept_in.seq)
    return int(done.rpartition(" ")[2])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _columns(new: NewEvent) -> tuple[object, ...]:
    event = new.event
    return (
        _EPOCH + timedelta(microseconds=round(event.at * 1_000_000)),
        event.clip,
        new.once,
        event.session,
        int(event.signal),
        event.value,
        event.loops,
        int(event.source),
        event.features,
        event.trust,
        new.propensity,
        event.sign,
    )


def _clip(row: Row) -> Clip:
    return Clip(
        row["id"],
        row["author_id"],
        tuple(cast(list[str], row["hashtags"])),
        row["caption"],
        row["sound_id"],
        row["duration_ms"] or 0,
        row["published_at"].timestamp(),
    )
