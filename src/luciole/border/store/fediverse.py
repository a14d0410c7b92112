"""What of this cell the wider Fediverse may read, who follows from there, and what waits to go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from luciole.border.store.told import About
from luciole.kit.db import Tx

# A consent holds while the cell has the operator and the law that it names.
AUTHOR = """
SELECT id, handle, display_name, bio, avatar_key, given_at FROM border.public_author
WHERE id = $1 AND (operator, jurisdiction) = ($2, $3)
"""
AUTHOR_NAMED = """
SELECT id, handle, display_name, bio, avatar_key, given_at FROM border.public_author
WHERE handle = $1 AND (operator, jurisdiction) = ($2, $3)
"""
CLIP = """
SELECT id, author, caption, made_with_ai, published_at, duration_ms, renditions, poster_key
FROM border.public_clip WHERE id = $1
"""
OUTBOX = """
SELECT id, author, caption, made_with_ai, published_at, duration_ms, renditions, poster_key
FROM border.public_clip WHERE author = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3
"""
CLIPS_OF = "SELECT id FROM border.public_clip WHERE author = $1"
SHOWN_CLIPS = "SELECT id FROM border.fedi_shown WHERE author = $1 AND kind = 'clip'"
STALE = "SELECT n, kind, id FROM border.fedi_stale ORDER BY n LIMIT $1"
ALL_STALE = """
INSERT INTO border.fedi_stale (kind, id)
SELECT 'person', id FROM border.public_author
UNION SELECT 'person', author FROM border.fedi_shown
"""
EMPTY_STALE = "DELETE FROM border.fedi_stale"
DROP_STALE = "DELETE FROM border.fedi_stale WHERE n = ANY ($1)"
SHOWN = "SELECT author, digest FROM border.fedi_shown WHERE kind = $1 AND id = $2"
SHOW = """
INSERT INTO border.fedi_shown (kind, id, author, digest, shown_at) VALUES ($1, $2, $3, $4, now())
ON CONFLICT (kind, id) DO UPDATE SET digest = excluded.digest, shown_at = excluded.shown_at
"""
HIDE = "DELETE FROM border.fedi_shown WHERE kind = $1 AND id = $2"
FORGET_REACTIONS = "DELETE FROM border.fedi_reaction WHERE clip_id = $1"
FOLLOW = """
INSERT INTO border.fedi_follower (author, actor, inbox, since, refreshed_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (author, actor) DO UPDATE
SET inbox = excluded.inbox, refreshed_at = excluded.refreshed_at
"""
UNFOLLOW = "DELETE FROM border.fedi_follower WHERE author = $1 AND actor = $2"
FORGET_ACTOR = "DELETE FROM border.fedi_follower WHERE actor = $1"
FORGET_INBOX = "DELETE FROM border.fedi_follower WHERE inbox = $1"
FORGET_FOLLOWERS = "DELETE FROM border.fedi_follower WHERE author = $1"
# A server with many followers is told once.
INBOXES = "SELECT inbox FROM border.fedi_follower WHERE author = $1 GROUP BY inbox"
OLD_FOLLOWERS = """
SELECT actor, min(refreshed_at) AS refreshed_at FROM border.fedi_follower WHERE refreshed_at < $1
GROUP BY actor ORDER BY min(refreshed_at) LIMIT $2
"""
REFRESH = "UPDATE border.fedi_follower SET inbox = $2, refreshed_at = $3 WHERE actor = $1"
KEY = "SELECT actor, inbox, pem, ed25519 FROM border.fedi_key WHERE name = $1 AND fetched_at > $2"
PUT_KEY = """
INSERT INTO border.fedi_key (name, actor, inbox, pem, ed25519, fetched_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO UPDATE SET actor = excluded.actor, inbox = excluded.inbox,
    pem = excluded.pem, ed25519 = excluded.ed25519, fetched_at = excluded.fetched_at
"""
FORGET_KEYS = "DELETE FROM border.fedi_key WHERE actor = $1"
TIDY_KEYS = "DELETE FROM border.fedi_key WHERE fetched_at < $1"
PUT = """INSERT INTO border.fedi_delivery (author, inbox, body, kind, subject, is_gone)
VALUES ($1, $2, $3, $4, $5, $6)"""
WAKE = "SELECT pg_notify('luciole_fediverse', '')"
# In the order in which they were told; after a few attempts one holds up the others no more.
TAKE = """
UPDATE border.fedi_delivery SET due_at = now() + make_interval(secs => $1), attempts = attempts + 1
WHERE id IN (
    SELECT d.id FROM border.fedi_delivery d
    WHERE d.due_at <= now() AND NOT EXISTS (
        SELECT 1 FROM border.fedi_delivery e
        WHERE e.inbox = d.inbox AND e.id < d.id AND e.due_at > now() AND e.attempts < 5)
    ORDER BY d.due_at, d.id LIMIT $2 FOR UPDATE OF d SKIP LOCKED)
RETURNING id, author, inbox, body, attempts, extract(epoch FROM now() - made_at)::integer AS age_s,
    kind, subject, is_gone
"""
END = "DELETE FROM border.fedi_delivery WHERE id = $1"
LATER = "UPDATE border.fedi_delivery SET due_at = now() + make_interval(secs => $2) WHERE id = $1"
END_INBOX = "DELETE FROM border.fedi_delivery WHERE inbox = $1"
IS_OLD = "SELECT true FROM border.fedi_server WHERE origin = $1"
SET_OLD = """
INSERT INTO border.fedi_server (origin, found_at) VALUES ($1, now())
ON CONFLICT (origin) DO UPDATE SET found_at = excluded.found_at
"""
# Servers learn: those that took the old signatures only are asked again after a while.
TIDY_SERVERS = "DELETE FROM border.fedi_server WHERE found_at < $1"
SEE = "INSERT INTO border.fedi_seen (uri) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true"
TIDY_SEEN = "DELETE FROM border.fedi_seen WHERE made_at < $1"
REACT = """
INSERT INTO border.fedi_reaction (clip_id, kind, what, made_on) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
UNREACT = "DELETE FROM border.fedi_reaction WHERE clip_id = $1 AND kind = $2 AND what = $3"
FORGET_ANSWER = "DELETE FROM border.fedi_reaction WHERE kind = 'answer' AND what = $1"
TOTALS = "SELECT likes, shares, answers FROM border.fediverse_totals WHERE clip_id = $1"
CROSSED = "INSERT INTO border.crossing (kind, service) VALUES ('fediverse', $1)"


class Author(NamedTuple):
    """Somebody who is shown, by the number of their persona."""

    id: UUID
    handle: str
    name: str
    bio: str
    avatar_key: str | None
    since: datetime


class Rendition(NamedTuple):
    """A film of a clip, by its address below /media/."""

    key: str
    width: int
    height: int
    size_bytes: int


class Clip(NamedTuple):
    """A clip that is shown."""

    id: UUID
    author: UUID
    caption: str
    made_with_ai: bool
    published_at: datetime
    duration_ms: int
    films: tuple[Rendition, ...]
    poster_key: str | None


class Stale(NamedTuple):
    """A clip or an author that may have changed."""

    n: int
    kind: str
    id: UUID


class Delivery(NamedTuple):
    """Something that waits for an inbox: `attempts` counts this one."""

    id: int
    author: UUID
    inbox: str
    body: bytes
    attempts: int
    age_s: int
    about: About | None


class Key(NamedTuple):
    """A key of somebody elsewhere: PEM text of RSA, or 32 bytes of Ed25519."""

    actor: str
    inbox: str
    key: str | bytes


class Terms(NamedTuple):
    """The operator and the law of this cell now."""

    operator: str
    jurisdiction: str


def _author(row: Any) -> Author:
    return Author(
        row["id"],
        row["handle"],
        row["display_name"],
        row["bio"],
        row["avatar_key"],
        row["given_at"],
    )


def _clip(row: Any) -> Clip:
    films = tuple(
        Rendition(one["key"], one["width"], one["height"], one["size_bytes"])
        for one in msgspec.json.decode(row["renditions"] or "[]")
        if one["mime"] == "video/mp4"
    )
    return Clip(
        row["id"],
        row["author"],
        row["caption"],
        row["made_with_ai"],
        row["published_at"],
        row["duration_ms"] or 0,
        films,
        row["poster_key"],
    )


async def author(tx: Tx, number: UUID, terms: Terms) -> Author | None:
    row = await tx.fetchrow(AUTHOR, number, *terms)
    return _author(row) if row else None


async def author_named(tx: Tx, handle: str, terms: Terms) -> Author | None:
    row = await tx.fetchrow(AUTHOR_NAMED, handle, *terms)
    return _author(row) if row else None


async def clip(tx: Tx, number: UUID) -> Clip | None:
    row = await tx.fetchrow(CLIP, number)
    return _clip(row) if row else None


async def outbox(tx: Tx, author_id: UUID, before: UUID | None, most: int) -> list[Clip]:
    """Clips of an author, newest first."""
    return [_clip(row) for row in await tx.fetch(OUTBOX, author_id, before, most)]


async def clips_of(tx: Tx, author_id: UUID) -> set[UUID]:
    """All clips of an author that are shown, or were and have to be taken back."""
    now = {row["id"] for row in await tx.fetch(CLIPS_OF, author_id)}
    return now | {row["id"] for row in await tx.fetch(SHOWN_CLIPS, author_id)}


async def stale(tx: Tx, most: int) -> list[Stale]:
    """What has to be looked at again, oldest first."""
    return [Stale(row["n"], row["kind"], row["id"]) for row in await tx.fetch(STALE, most)]


async def look_at_all(tx: Tx) -> None:
    """Has everything looked at again that is shown, or was."""
    await tx.execute(EMPTY_STALE)
    await tx.execute(ALL_STALE)


async def look_at_nothing(tx: Tx) -> None:
    """Forgets what was to be looked at."""
    await tx.execute(EMPTY_STALE)


async def drop_stale(tx: Tx, numbers: Sequence[int]) -> None:
    await tx.execute(DROP_STALE, numbers)


async def shown(tx: Tx, kind: str, number: UUID) -> tuple[UUID, bytes] | None:
    """Whose it is and the digest of what was shown last."""
    row = await tx.fetchrow(SHOWN, kind, number)
    return (row["author"], bytes(row["digest"])) if row else None


async def show(tx: Tx, kind: str, number: UUID, author_id: UUID, digest: bytes) -> None:
    await tx.execute(SHOW, kind, number, author_id, digest)


async def hide(tx: Tx, kind: str, number: UUID) -> None:
    """It is shown no more, and what was counted of it goes."""
    await tx.execute(HIDE, kind, number)
    if kind == "clip":
        await tx.execute(FORGET_REACTIONS, number)


async def follow(tx: Tx, author_id: UUID, actor: str, inbox: str, now: datetime) -> None:
    await tx.execute(FOLLOW, author_id, actor, inbox, now.date(), now)


async def unfollow(tx: Tx, author_id: UUID, actor: str) -> None:
    await tx.execute(UNFOLLOW, author_id, actor)


async def forget_actor(tx: Tx, actor: str) -> None:
    """Somebody elsewhere is gone, or has other keys."""
    await tx.execute(FORGET_ACTOR, actor)
    await tx.execute(FORGET_KEYS, actor)


async def forget_keys(tx: Tx, actor: str) -> None:
    await tx.execute(FORGET_KEYS, actor)


async def forget_inbox(tx: Tx, inbox: str) -> None:
    """Nobody is there any more."""
    await tx.execute(FORGET_INBOX, inbox)
    await tx.execute(END_INBOX, inbox)


async def forget_followers(tx: Tx, author_id: UUID) -> None:
    await tx.execute(FORGET_FOLLOWERS, author_id)


async def inboxes(tx: Tx, author_id: UUID) -> list[str]:
    return [row["inbox"] for row in await tx.fetch(INBOXES, author_id)]


async def old_followers(tx: Tx, before: datetime, most: int) -> list[tuple[str, datetime]]:
    """Those whose address has not been looked up since."""
    rows = await tx.fetch(OLD_FOLLOWERS, before, most)
    return [(row["actor"], row["refreshed_at"]) for row in rows]


async def refresh(tx: Tx, actor: str, inbox: str, now: datetime) -> None:
    await tx.execute(REFRESH, actor, inbox, now)


async def key(tx: Tx, name: str, after: datetime) -> Key | None:
    row = await tx.fetchrow(KEY, name, after)
    if row is None:
        return None
    return Key(row["actor"], row["inbox"], row["pem"] or bytes(row["ed25519"]))


async def put_key(tx: Tx, name: str, found: Key, now: datetime) -> None:
    pem = found.key if isinstance(found.key, str) else None
    ed25519 = found.key if isinstance(found.key, bytes) else None
    await tx.execute(PUT_KEY, name, found.actor, found.inbox, pem, ed25519, now)


async def put(tx: Tx, author_id: UUID, inbox: str, body: bytes, about: About | None = None) -> None:
    """Lets something wait for an inbox."""
    await tx.execute(PUT, author_id, inbox, body, *(about or (None, None, False)))
    await tx.execute(WAKE)


async def take(tx: Tx, lease_s: float, most: int) -> list[Delivery]:
    rows = sorted(await tx.fetch(TAKE, lease_s, most), key=lambda row: row["id"])
    return [
        Delivery(
            row["id"],
            row["author"],
            row["inbox"],
            bytes(row["body"]),
            row["attempts"],
            row["age_s"],
            About(row["kind"], row["subject"], row["is_gone"]) if row["kind"] else None,
        )
        for row in rows
    ]


async def end(tx: Tx, delivery: Delivery) -> None:
    await tx.execute(END, delivery.id)


async def later(tx: Tx, delivery: Delivery, seconds: float) -> None:
    await tx.execute(LATER, delivery.id, seconds)


async def is_old(tx: Tx, origin: str) -> bool:
    """Whether that server verifies the older signatures only."""
    return await tx.fetchrow(IS_OLD, origin) is not None


async def set_old(tx: Tx, origin: str) -> None:
    await tx.execute(SET_OLD, origin)


async def see(tx: Tx, uri: bytes) -> bool:
    """Whether it comes for the first time."""
    return await tx.fetchrow(SEE, uri) is not None


async def react(tx: Tx, clip_id: UUID, kind: str, what: bytes, on: date) -> None:
    await tx.execute(REACT, clip_id, kind, what, on)


async def unreact(tx: Tx, clip_id: UUID, kind: str, what: bytes) -> None:
    await tx.execute(UNREACT, clip_id, kind, what)


async def forget_answer(tx: Tx, what: bytes) -> None:
    await tx.execute(FORGET_ANSWER, what)


async def totals(tx: Tx, clip_id: UUID) -> tuple[int | None, int | None, int | None]:
    """Likes, shares and answers from there; None: a few, or none."""
    row = await tx.fetchrow(TOTALS, clip_id)
    return (row["likes"], row["shares"], row["answers"]) if row else (None, None, None)


async def crossed(tx: Tx, origin: str) -> None:
    """Something has left for a server, for the log of crossings."""
    await tx.execute(CROSSED, origin)


async def tidy(tx: Tx, keys: datetime, seen: datetime, servers: datetime) -> None:
    """Takes away what is older."""
    await tx.execute(TIDY_KEYS, keys)
    await tx.execute(TIDY_SEEN, seen)
    await tx.execute(TIDY_SERVERS, servers)
