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
