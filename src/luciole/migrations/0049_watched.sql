-- AV1 for clips that are watched: a second file for some of their renditions, made when nothing else
-- waits to be made. And what the content credentials in a film say about AI.

ALTER TABLE media.asset
    -- `wanted`: somebody above has counted enough watches, all people's together. `made`: there is
    -- nothing left to make, maybe because AV1 would save nothing.
    ADD COLUMN av1 text NOT NULL DEFAULT 'no' CHECK (av1 IN ('no', 'wanted', 'made')),
    -- That AI made the film, or a part of it, by what stood in the file that was uploaded.
    ADD COLUMN ai text CHECK (ai IN ('made', 'partly'));
CREATE INDEX asset_wants_av1 ON media.asset (attempt, id)
    WHERE av1 = 'wanted' AND state = 'complete';

ALTER TABLE media.file DROP CONSTRAINT file_kind_check;
-- `av1`: the rendition of the same name in AV1, always in segments and with its index.
ALTER TABLE media.file
    ADD CONSTRAINT file_kind_check CHECK (
        kind IN ('rendition', 'segments', 'av1', 'poster', 'avif-poster', 'preview')
    ),
    ADD CONSTRAINT file_av1_has_index CHECK (kind <> 'av1' OR index IS NOT NULL);

-- What was in the list of renditions stays there for all who read it; the AV1 file is inside its
-- rendition, for those who ask for it.
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
                        'size_bytes', coalesce(s.size_bytes, f.size_bytes)) || f.index,
                    'av1', jsonb_build_object(
                        'key', CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END
                            || a.token || '/' || v.filename,
                        'size_bytes', v.size_bytes, 'bitrate_bps', v.bitrate_bps) || v.index)
                ORDER BY f.width * f.height)
             FROM media.file f
             LEFT JOIN media.file s
                ON s.asset_id = f.asset_id AND s.kind = 'segments' AND s.name = f.name
             LEFT JOIN media.file v
                ON v.asset_id = f.asset_id AND v.kind = 'av1' AND v.name = f.name
             WHERE f.asset_id = a.id AND f.kind = 'rendition'),
            '[]'::jsonb) AS renditions,
        (SELECT CASE WHEN a.is_public THEN 'p/' ELSE 'r/' END || a.token || '/' || f.filename
         FROM media.file f WHERE f.asset_id = a.id AND f.kind = 'poster') AS poster_key,
        NULL::text AS captions_key,
        a.sound_mode,
        a.ai
    FROM media.asset a;

-- Outside, one word stands for both: the author's label, and what the file says.
CREATE OR REPLACE VIEW border.public_clip AS
    SELECT k.id, s.id AS author, k.caption, k.made_with_ai OR m.ai IS NOT NULL AS made_with_ai,
           k.published_at, k.duration_ms, k.renditions, k.poster_key
    FROM abroad.reach r
    JOIN clips.card k ON k.id = r.clip_id
    JOIN media.playable m ON m.asset_id = k.asset_id
    JOIN abroad.persona s ON s.person_id = k.author_id
    JOIN border.public_author a ON a.id = s.id
    WHERE r.reach = 'fediverse' AND k.state = 'published' AND k.audience = 'everyone'
        AND k.audience_list IS NULL AND NOT k.is_private AND NOT k.is_past
        AND NOT EXISTS (SELECT 1 FROM notices.clips_here h WHERE h.clip_id = k.id);
