-- What an author does to a film before it is made: pieces of it in an order, no sound, pictures
-- laid over it.

ALTER TABLE media.asset
    -- Start and end of each piece in ms of the uploaded film, one after the other, as they play.
    ADD COLUMN pieces integer[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(pieces) % 2 = 0 AND cardinality(pieces) <= 32),
    ADD COLUMN is_muted boolean NOT NULL DEFAULT false;

-- A picture over the film, from `start_ms` to `end_ms` of what is made of it; no end: to the end.
-- It goes when the last rendition is made, as the upload does.
CREATE TABLE media.layer (
    asset_id uuid NOT NULL REFERENCES media.asset (id) ON DELETE CASCADE,
    place smallint NOT NULL CHECK (place BETWEEN 0 AND 3),
    png bytea NOT NULL CHECK (octet_length(png) <= 262144),
    start_ms integer NOT NULL CHECK (start_ms >= 0),
    end_ms integer CHECK (end_ms > start_ms),
    PRIMARY KEY (asset_id, place)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON media.layer TO luciole_media;

-- The film that stands beside a film, or before it. When that one goes, or must not be quoted any
-- more, how alone is left: a job finds it so, and takes the quoted part out.
ALTER TABLE media.asset
    ADD COLUMN quoted_asset_id uuid,
    ADD COLUMN quote_how text CHECK (quote_how IN ('duet', 'stitch')),
    ADD COLUMN quote_start_ms integer CHECK (quote_start_ms >= 0),
    ADD COLUMN quote_end_ms integer CHECK (quote_end_ms > quote_start_ms),
    ADD CHECK (quoted_asset_id IS NULL OR quote_how IS NOT NULL),
    ADD CHECK ((quote_how IS NULL) = (quote_start_ms IS NULL)
        AND (quote_how IS NULL) = (quote_end_ms IS NULL));
CREATE INDEX asset_with_lost_quote ON media.asset (id)
    WHERE quote_how IS NOT NULL AND quoted_asset_id IS NULL;
CREATE INDEX asset_quoting ON media.asset (quoted_asset_id) WHERE quoted_asset_id IS NOT NULL;
CREATE FUNCTION media.forget_quoted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        UPDATE media.asset SET quoted_asset_id = NULL WHERE quoted_asset_id = OLD.id;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER quoted_forgotten AFTER DELETE ON media.asset
    FOR EACH ROW EXECUTE FUNCTION media.forget_quoted();
REVOKE ALL ON FUNCTION media.forget_quoted FROM PUBLIC;

-- Whether others may make duets and stitches with a clip; NULL: as its author prefers. What was there
-- before, and what comes from elsewhere, was never asked.
ALTER TABLE clips.clip ADD COLUMN lets_quote boolean DEFAULT false;
ALTER TABLE clips.preference ADD COLUMN lets_quote boolean NOT NULL DEFAULT true;

-- Which clip a clip was made from. It goes with either of the two.
CREATE TABLE clips.made_from (
    clip_id uuid PRIMARY KEY REFERENCES clips.clip (id) ON DELETE CASCADE,
    -- No reference: of a backup, this row may be readable and that one not any more.
    first_id uuid,
    how text NOT NULL CHECK (how IN ('duet', 'stitch')),
    made_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX made_from_by_first ON clips.made_from (first_id);
CREATE FUNCTION clips.forget_first() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        UPDATE clips.made_from SET first_id = NULL WHERE first_id = OLD.id;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER first_forgotten AFTER DELETE ON clips.clip
    FOR EACH ROW EXECUTE FUNCTION clips.forget_first();
REVOKE ALL ON FUNCTION clips.forget_first FROM PUBLIC;

-- Clips that everybody may see and that are their author's alone, and whether others may quote them.
CREATE VIEW clips.quotable AS
    SELECT
        c.id AS clip_id, c.author_id, c.asset_id,
        coalesce(c.lets_quote, f.lets_quote, true) AS lets_quote
    FROM clips.clip c
    JOIN people.card p ON p.id = c.author_id
    LEFT JOIN clips.preference f ON f.person_id = c.author_id
    LEFT JOIN clips.shown_since w ON w.person_id = c.author_id
    WHERE c.state = 'published' AND c.audience = 'everyone' AND c.audience_list IS NULL
      AND NOT p.is_private AND NOT coalesce(c.published_at < w.since, false)
      AND NOT EXISTS (SELECT 1 FROM clips.made_from m WHERE m.clip_id = c.id);

-- Where a clip is withheld, or its author is, what is made from it is, too.
CREATE VIEW notices.made_of AS
    SELECT m.clip_id, m.first_id, c.author_id AS first_author_id
    FROM clips.made_from m JOIN clips.clip c ON c.id = m.first_id;
CREATE OR REPLACE VIEW notices.clips_here AS
    SELECT clip_id, notice_id FROM notices.here WHERE what = 'clip'
    UNION ALL
    SELECT m.clip_id, h.notice_id
    FROM notices.here h JOIN notices.made_of m ON m.first_id = h.clip_id WHERE h.what = 'clip'
    UNION ALL
    SELECT m.clip_id, h.notice_id
    FROM notices.people_here h JOIN notices.made_of m ON m.first_author_id = h.person_id;

GRANT SELECT, INSERT, UPDATE, DELETE ON clips.made_from TO luciole_clips;
GRANT SELECT ON clips.quotable TO luciole_clips;
GRANT SELECT ON notices.made_of TO luciole_notices;
