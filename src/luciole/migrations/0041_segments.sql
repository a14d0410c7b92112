-- Renditions in segments: each has the byte index of a fragmented file, and a clip that everybody's
-- player can play from its beginning has one beside it.

ALTER TABLE media.file DROP CONSTRAINT file_kind_check;
-- `segments`: the fragmented twin of a rendition that is not fragmented itself.
ALTER TABLE media.file
    ADD CONSTRAINT file_kind_check CHECK (
        kind IN ('rendition', 'segments', 'poster', 'avif-poster', 'preview')
    );
-- Of a rendition: where its seconds are, in its twin, or in itself where it has none. NULL: it was
-- made before there were segments, and the job media.segment makes them.
ALTER TABLE media.file ADD COLUMN index jsonb;
CREATE INDEX file_without_segments ON media.file (asset_id)
    WHERE kind = 'rendition' AND index IS NULL;

CREATE OR REPLACE VIEW media.playable AS
    SELECT
        a.id AS asset_id, a.state, a.refused_code, a.progress, a.duration_ms, a.width, a.height,
        a.has_audio, a.is_public,
        coalesce(
            (SELECT jsonb_agg(
                jsonb_build_object(
                    'name', f.name, 'width', f.width, 'height', f.height,
                    'bitrate_bps', f.bitrate_bps, 'size_bytes', f.size_bytes, 'mime', f.mime,
                    'key', CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END
                        || a.token || '/' || f.filename,
                    'segments', jsonb_build_object(
                        'key', CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END
                            || a.token || '/' || coalesce(s.filename, f.filename),
                        'size_bytes', coalesce(s.size_bytes, f.size_bytes)) || f.index)
                ORDER BY f.width * f.height)
             FROM media.file f
             LEFT JOIN media.file s
                ON s.asset_id = f.asset_id AND s.kind = 'segments' AND s.name = f.name
             WHERE f.asset_id = a.id AND f.kind = 'rendition'),
            '[]'::jsonb) AS renditions,
        (SELECT CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END || a.token || '/' || f.filename
         FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'poster') AS poster_key,
        NULL::text AS captions_key,
        a.sound_mode
    FROM media.asset a;
