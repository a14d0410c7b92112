-- How a film looks: a hint to show before its poster has come, hashes of its stills to find it
-- again by, and small pictures and a preview that are made later.

ALTER TABLE media.asset
    ADD COLUMN thumbhash bytea CHECK (octet_length(thumbhash) BETWEEN 5 AND 32);
-- Finished films that nobody has looked at yet: from before, or brought along with an export.
CREATE INDEX asset_unseen ON media.asset (attempt, id) WHERE thumbhash IS NULL AND state = 'complete';

ALTER TABLE media.file DROP CONSTRAINT file_kind_check;
ALTER TABLE media.file ADD CONSTRAINT file_kind_check
    CHECK (kind IN ('rendition', 'poster', 'avif-poster', 'preview'));

-- Perceptual hashes (PDQ) of stills, one a second in films of up to a minute.
CREATE TABLE media.still (
    asset_id uuid NOT NULL REFERENCES media.asset (id) ON DELETE CASCADE,
    at_ms integer NOT NULL CHECK (at_ms >= 0),
    pdq bytea NOT NULL CHECK (octet_length(pdq) = 32),
    -- How much there was in the picture to hash; below 50 a match says little.
    quality smallint NOT NULL CHECK (quality BETWEEN 0 AND 100),
    PRIMARY KEY (asset_id, at_ms)
);

-- What a slice that looks for duplicates and for entries of lists may know.
CREATE VIEW media.still_hash AS
    SELECT s.asset_id, a.owner_id, s.at_ms, s.pdq, s.quality
    FROM media.still s
    JOIN media.asset a ON a.id = s.asset_id;

GRANT SELECT, INSERT, UPDATE, DELETE ON media.still TO luciole_media;
GRANT SELECT ON media.still_hash TO luciole_media;
