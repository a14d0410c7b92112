-- Recalls that another cell refused are asked for again, and people who move to another cell are
-- followed there.

-- A recall under way, by the address of what is called back: `crossing` is its number the last time.
-- `again_at`: it was refused, the first time at `refused_at`, and is not asked for again before. Of
-- who is erased, only that they are called back themselves is left, without whose it was.
CREATE TABLE abroad.recall (
    peer text NOT NULL,
    uri text NOT NULL CHECK (char_length(uri) <= 500),
    crossing uuid NOT NULL UNIQUE,
    person_id uuid REFERENCES people.person (id) ON DELETE SET NULL,
    refused_at timestamptz,
    again_at timestamptz,
    refusals smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (peer, uri),
    CHECK (again_at IS NULL OR refused_at IS NOT NULL)
);
CREATE INDEX recall_due ON abroad.recall (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX recall_by_person ON abroad.recall (person_id) WHERE person_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON abroad.recall TO luciole_abroad;
