-- Block lists of hashes of pictures, and what machines suggest: they point, people decide.

-- One version of a list. `hashes`: 32 bytes each, one after the other, each once; empty once it is
-- removed. `checked_to`: the last film that was here before the list and is compared by now.
CREATE TABLE safety.list (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    version text NOT NULL CHECK (version ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    source text NOT NULL CHECK (char_length(source) <= 200),
    category text NOT NULL,
    near_bits smallint NOT NULL CHECK (near_bits BETWEEN 0 AND 31),
    size integer NOT NULL CHECK (size > 0),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    hashes bytea NOT NULL CHECK (octet_length(hashes) IN (0, 32 * size)),
    loaded_at timestamptz NOT NULL,
    checked_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    checked_at timestamptz,
    removed_at timestamptz,
    CHECK ((removed_at IS NULL) = (hashes <> ''))
);
CREATE UNIQUE INDEX list_by_name ON safety.list (name) WHERE removed_at IS NULL;
-- They are as good as random and do not get smaller.
ALTER TABLE safety.list ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- That a machine has pointed at something; `about_id`: the clip, comment or person. `facts`: in
-- numbers what it saw. `id` stands in the log.
CREATE TABLE safety.suggestion (
    id uuid PRIMARY KEY,
    review_id uuid NOT NULL REFERENCES safety.review (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    about_id uuid NOT NULL,
    method text NOT NULL CHECK (method IN ('list', 'rule')),
    name text NOT NULL,
    version text NOT NULL,
    facts jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    outcome text NOT NULL DEFAULT 'waiting'
        CHECK (outcome IN ('waiting', 'confirmed', 'dismissed', 'gone')),
    decided_at timestamptz,
    CHECK ((outcome = 'waiting') = (decided_at IS NULL))
);
CREATE INDEX suggestion_by_review ON safety.suggestion (review_id);
CREATE INDEX suggestion_by_person ON safety.suggestion (person_id);
CREATE INDEX suggestion_about ON safety.suggestion (about_id, method, name);

-- What moderators made of suggestions so far; it stays when a person goes.
CREATE TABLE safety.measured (
    method text NOT NULL CHECK (method IN ('list', 'rule')),
    name text NOT NULL,
    version text NOT NULL,
    confirmed integer NOT NULL DEFAULT 0 CHECK (confirmed >= 0),
    dismissed integer NOT NULL DEFAULT 0 CHECK (dismissed >= 0),
    PRIMARY KEY (method, name, version)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON safety.list, safety.suggestion, safety.measured
    TO luciole_safety;
GRANT USAGE ON SCHEMA media TO luciole_safety;
GRANT SELECT ON media.still_hash TO luciole_safety;

