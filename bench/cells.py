"""A large cell out of nothing: authors, published clips with three renditions, all in SQL."""

from __future__ import annotations

import asyncpg

# Ids begin with the time, as the cell's own do (UUIDv7), so that indexes grow as they would.
FILL = (
    """
CREATE OR REPLACE FUNCTION pg_temp.id7(kind text, i bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex(1700000000000 + i * 60000), 12, '0') || '7' || substr(md5(kind || i), 1, 3)
        || '8' || substr(md5(kind || i), 4, 15))::uuid
$$""",
    """
INSERT INTO people.person (id, handle, display_name, locale, age_band, is_private, created_at)
SELECT pg_temp.id7('person', i), 'author' || i, 'Author ' || i, 'en', '18+', false, now()
FROM generate_series($1::bigint / 100 + 1, $2::bigint / 100) i""",
    """
INSERT INTO media.asset (id, owner_id, state, trim_start_ms, cover_ms, is_public, token, progress,
    duration_ms, width, height, has_audio, created_at, changed_at)
SELECT pg_temp.id7('asset', i), pg_temp.id7('person', 1 + i % ($2 / 100)), 'complete', 0, 0, true,
    md5('token' || i), 100, 5000 + i % 15000, 540, 960, true, now(), now()
FROM generate_series($1::bigint + 1, $2::bigint) i""",
    """
INSERT INTO media.file (asset_id, kind, name, filename, object_key, mime, width, height,
    bitrate_bps, size_bytes)
SELECT pg_temp.id7('asset', i), f.kind, f.name, f.name || '-1', 'p/' || md5('token' || i) || f.name,
    f.mime, f.side, f.side * 16 / 9, f.side * 2000, f.side * 3000
FROM generate_series($1::bigint + 1, $2::bigint) i,
    (VALUES ('rendition', '540', 'video/mp4', 540), ('rendition', '720', 'video/mp4', 720),
            ('rendition', '1080', 'video/mp4', 1080), ('poster', 'poster', 'image/webp', 540))
        f (kind, name, mime, side)""",
    """
INSERT INTO clips.clip (id, author_id, asset_id, caption, hashtags, audience, state, likes,
    created_at, published_at)
SELECT pg_temp.id7('clip', i), pg_temp.id7('person', 1 + i % ($2 / 100)), pg_temp.id7('asset', i),
    'Clip ' || i || ' of an evening by the water #evening #walk' || i % 50,
    ARRAY['evening', 'walk' || i % 50], 'everyone', 'published', i % 300,
    now() - (2000000 - i) * interval '1 minute', now() - (2000000 - i) * interval '1 minute'
FROM generate_series($1::bigint + 1, $2::bigint) i""",
)
SETTLE = "VACUUM (ANALYZE) people.person, media.asset, media.file, clips.clip"
# A cell that grew by itself has taken in what is found by search long ago; after a fill at once the
# worker would be at it for a quarter of an hour, beside what is measured.
NOT_SOUGHT = "TRUNCATE search.stale"
HOW_MANY = "SELECT count(*) FROM clips.clip"
PLACES = """
SELECT published_at, id FROM clips.card WHERE state = 'published'
AND published_at > (SELECT min(published_at) FROM clips.published) + interval '3 days'
ORDER BY md5(id::text) LIMIT $1
"""
PERSON = "SELECT id FROM people.person WHERE handle = $1"
FOLLOW = """
INSERT INTO graph.follow (follower_id, followee_id, state)
SELECT $1, id, 'accepted' FROM people.person WHERE handle LIKE 'author%' ORDER BY id LIMIT $2
"""


async def fill(url: str, clips: int) -> None:
    """Brings the cell to this many clips, a hundred an author, which no search finds. `url` is the
    owner's."""
    connection = await asyncpg.connect(url)
    try:
        present = await connection.fetchval(HOW_MANY)
        for query in FILL:
            words = query.count("$1") and (present, clips)
            await connection.execute(query, *(words or ()))
        await connection.execute(NOT_SOUGHT)
        await connection.execute(SETTLE)
    finally:
        await connection.close()
