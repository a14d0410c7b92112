-- Whose film is made next, how long that takes, and what a film waits for.

ALTER TABLE media.asset
    -- Its place in the order of all authors' films: the lowest comes first (ADR 0036).
    ADD COLUMN turn integer NOT NULL DEFAULT 0 CHECK (turn >= 0),
    -- When the current attempt began.
    ADD COLUMN started_at timestamptz,
    -- What has to be mended before work can go on, while that is so.
    ADD COLUMN waits_for text CHECK (waits_for IN ('disk', 'store'));

DROP INDEX media.asset_by_owner;
CREATE INDEX asset_by_owner ON media.asset (owner_id, turn);
CREATE INDEX asset_by_turn ON media.asset (turn);
CREATE INDEX asset_queued ON media.asset (turn, id) WHERE state = 'queued';

-- How long films take at present, from the start of the work to the first rendition: one row,
-- a mean that forgets.
CREATE TABLE media.pace (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    first_ms integer NOT NULL CHECK (first_ms > 0)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON media.pace TO luciole_media;
