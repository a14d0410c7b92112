-- Exports that people ask for. (Imports, and what they bring along, follow below.)

CREATE TABLE rights.export (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'ready', 'failed')),
    -- Counts every start; the pieces that an attempt stores carry its number.
    attempt integer NOT NULL DEFAULT 0,
    progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    size_bytes bigint NOT NULL DEFAULT 0,
    pieces integer NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
-- One at a time.
CREATE UNIQUE INDEX export_under_way ON rights.export (person_id)
    WHERE state IN ('queued', 'running');
CREATE INDEX export_by_person ON rights.export (person_id, made_at DESC, id DESC);
CREATE INDEX export_by_age ON rights.export (expires_at);
CREATE INDEX export_at_work ON rights.export (changed_at) WHERE state IN ('queued', 'running');

GRANT SELECT, INSERT, UPDATE, DELETE ON rights.export TO luciole_rights;

-- When a person last proved who they are: acts that cannot be undone, or that show everything, want
-- a proof of the last minutes.
ALTER TABLE people.session ADD COLUMN proved_at timestamptz;
UPDATE people.session SET proved_at = created_at;
ALTER TABLE people.session ALTER COLUMN proved_at SET NOT NULL;
