-- Uploads in pieces, and what becomes of them.

CREATE TABLE media.upload (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    -- How much has arrived for good; moves only together with a row in media.chunk.
    offset_bytes bigint NOT NULL DEFAULT 0 CHECK (offset_bytes BETWEEN 0 AND size_bytes),
    chunks integer NOT NULL DEFAULT 0,
    -- Set once a clip is made of it. It lives on until the clip's last rendition is there.
    asset_id uuid UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX upload_open ON media.upload (owner_id) WHERE asset_id IS NULL;
CREATE INDEX upload_expiring ON media.upload (expires_at) WHERE asset_id IS NULL;

CREATE TABLE media.chunk (
    upload_id uuid NOT NULL REFERENCES media.upload (id) ON DELETE CASCADE,
    offset_bytes bigint NOT NULL CHECK (offset_bytes >= 0),
    size_bytes integer NOT NULL CHECK (size_bytes > 0),
    object_key text NOT NULL,
    PRIMARY KEY (upload_id, offset_bytes)
);

CREATE TABLE media.asset (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    upload_id uuid REFERENCES media.upload (id) ON DELETE SET NULL,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'probing', 'encoding', 'playable', 'complete', 'refused')),
    refused_code text CHECK ((refused_code IS NOT NULL) = (state = 'refused')),
    trim_start_ms integer NOT NULL CHECK (trim_start_ms >= 0),
    trim_end_ms integer CHECK (trim_end_ms > trim_start_ms),
    cover_ms integer NOT NULL CHECK (cover_ms >= 0),
    is_public boolean NOT NULL,
    -- The unguessable part of its addresses; another one each time the audience changes.
    token text NOT NULL UNIQUE,
    -- Counts every start of work on it; what an attempt writes carries its number.
    attempt integer NOT NULL DEFAULT 0,
    -- Starts that never came to an end of any kind: the worker died.
    crashes integer NOT NULL DEFAULT 0,
    progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    duration_ms integer,
    width integer,
    height integer,
    has_audio boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (state NOT IN ('playable', 'complete')
           OR (duration_ms IS NOT NULL AND width IS NOT NULL AND height IS NOT NULL))
);
CREATE INDEX asset_at_work ON media.asset (changed_at)
    WHERE state IN ('queued', 'probing', 'encoding', 'playable');
CREATE INDEX asset_by_owner ON media.asset (owner_id);
CREATE INDEX asset_by_upload ON media.asset (upload_id);

-- One stored file of an asset: a rendition to play, or the poster.
CREATE TABLE media.file (
    asset_id uuid NOT NULL REFERENCES media.asset (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('rendition', 'poster')),
    name text NOT NULL,
    -- The last part of its address; has the attempt's number in it.
    filename text NOT NULL,
    -- Where its bytes are. Follows the address when the audience changes, a moment later.
    object_key text NOT NULL,
    mime text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    bitrate_bps integer NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (asset_id, kind, name)
);
CREATE UNIQUE INDEX file_by_filename ON media.file (asset_id, filename);

-- Objects that no row refers to: announced before they are written, claimed by the transaction
-- that refers to them, and listed here again when that ends. Old ones are deleted.
CREATE TABLE media.unclaimed (
    object_key text PRIMARY KEY,
    since timestamptz NOT NULL,
    -- Deletion has begun; it can no longer be claimed.
    is_doomed boolean NOT NULL DEFAULT false
);
CREATE INDEX unclaimed_by_age ON media.unclaimed (since);

-- What other slices may know of an asset. Keys are addresses below /media/.
CREATE VIEW media.playable AS
    SELECT
        a.id AS asset_id, a.state, a.refused_code, a.progress, a.duration_ms, a.width, a.height,
        a.has_audio, a.is_public,
        coalesce(
            (SELECT jsonb_agg(
                jsonb_build_object(
                    'name', f.name, 'width', f.width, 'height', f.height,
                    'bitrate_bps', f.bitrate_bps, 'size_bytes', f.size_bytes, 'mime', f.mime,
                    'key', CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END
                        || a.token || '/' || f.filename)
                ORDER BY f.width * f.height)
             FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'rendition'),
            '[]'::jsonb) AS renditions,
        (SELECT CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END || a.token || '/' || f.filename
         FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'poster') AS poster_key,
        NULL::text AS captions_key
    FROM media.asset a;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    media.upload, media.chunk, media.asset, media.file, media.unclaimed
    TO luciole_media;
GRANT SELECT ON media.playable TO luciole_media, luciole_clips, luciole_feed;
GRANT USAGE ON SCHEMA media TO luciole_clips, luciole_feed;
