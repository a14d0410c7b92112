-- Whose content credentials a film brought, and whether they are sound: signatures and bindings are
-- checked now, and what unsound ones say counts as no fact.

ALTER TABLE media.asset
    -- `trusted`: sound, by a signer of the operator's list. `valid`: sound, by whoever it may be.
    -- `invalid`: they could not be checked, or the check failed. `unchecked`: they were read before
    -- there was a check, and the file is gone. NULL: there were none.
    ADD COLUMN credentials text
        CHECK (credentials IN ('trusted', 'valid', 'invalid', 'unchecked')),
    -- The standard's code for the reason (C2PA 2.2, 15).
    ADD COLUMN credentials_code text CHECK (credentials_code ~ '^[A-Za-z0-9._-]{1,80}$'),
    -- Who signed, as their certificate names them.
    ADD COLUMN credentials_signer text CHECK (char_length(credentials_signer) BETWEEN 1 AND 80);

UPDATE media.asset SET credentials = 'unchecked' WHERE ai IS NOT NULL;

-- `ai` is what sound credentials say, for all who read this view. Else it is as in 0049.
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
        CASE WHEN a.credentials IN ('trusted', 'valid') THEN a.ai END AS ai
    FROM media.asset a;

-- What the cell says of a film in the credentials that it signs itself.
ALTER TABLE media.asset
    -- The author's label on the clip.
    ADD COLUMN author_says_ai boolean NOT NULL DEFAULT false,
    -- Whether more was done to it here than encoding: cut, laid over, joined with another.
    ADD COLUMN is_edited boolean NOT NULL DEFAULT false,
    -- What the seals on its files say of the author's label; NULL: not all of them have one. A sweep
    -- seals anew where this differs.
    ADD COLUMN sealed_says_ai boolean;
CREATE INDEX asset_wants_seal ON media.asset (attempt, id)
    WHERE state = 'complete' AND sealed_says_ai IS DISTINCT FROM author_says_ai;

UPDATE media.asset a SET author_says_ai = true
FROM clips.clip c WHERE c.asset_id = a.id AND c.made_with_ai;
