-- Exports that people ask for, exports that they bring along, and what came with those.

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

-- An export that somebody brings along. Its pieces are numbered, sealed, of one size but for the
-- last, so that `offset_bytes` says all about them.
CREATE TABLE rights.import (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'uploading'
        CHECK (state IN ('uploading', 'queued', 'running', 'done', 'refused')),
    refused_code text CHECK ((refused_code IS NOT NULL) = (state = 'refused')),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    offset_bytes bigint NOT NULL DEFAULT 0 CHECK (offset_bytes BETWEEN 0 AND size_bytes),
    attempt integer NOT NULL DEFAULT 0,
    progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    -- Every file has been compared with the manifest.
    is_checked boolean NOT NULL DEFAULT false,
    report jsonb,
    made_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX import_under_way ON rights.import (person_id)
    WHERE state IN ('uploading', 'queued', 'running');
CREATE INDEX import_by_person ON rights.import (person_id, made_at DESC, id DESC);
CREATE INDEX import_by_age ON rights.import (expires_at);
CREATE INDEX import_at_work ON rights.import (changed_at) WHERE state IN ('queued', 'running');

-- What became of each thing of an import; written with it, so that a second run does nothing twice.
CREATE TABLE rights.import_item (
    import_id uuid NOT NULL REFERENCES rights.import (id) ON DELETE CASCADE,
    kind text NOT NULL,
    subject text NOT NULL CHECK (char_length(subject) <= 300),
    outcome text NOT NULL,
    made_id uuid,
    PRIMARY KEY (import_id, kind, subject)
);

-- What came along and is not in force here: follows of people elsewhere, likes of clips elsewhere.
CREATE TABLE rights.carried (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('follow', 'like')),
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 300),
    source text NOT NULL CHECK (char_length(source) <= 100),
    made_at timestamptz,
    UNIQUE (person_id, kind, subject)
);
CREATE INDEX carried_by_person ON rights.carried (person_id, kind, id);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON rights.export, rights.import, rights.import_item, rights.carried TO luciole_rights;

-- All clips of an author, whatever their state: for those who take them along, or erase them.
CREATE INDEX clip_of_author ON clips.clip (author_id, created_at, id);

-- When a person last proved who they are: acts that cannot be undone, or that show everything, want
-- a proof of the last minutes.
ALTER TABLE people.session ADD COLUMN proved_at timestamptz;
UPDATE people.session SET proved_at = created_at;
ALTER TABLE people.session ALTER COLUMN proved_at SET NOT NULL;
