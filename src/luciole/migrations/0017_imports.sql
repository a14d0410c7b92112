-- Exports that people bring along, and what became of the things in them.

-- Its pieces are numbered, sealed, and of one size but for the last, so that `offset_bytes` says all
-- about them.
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
-- One at a time.
CREATE UNIQUE INDEX import_under_way ON rights.import (person_id)
    WHERE state IN ('uploading', 'queued', 'running');
CREATE INDEX import_by_person ON rights.import (person_id, made_at DESC, id DESC);
CREATE INDEX import_by_age ON rights.import (expires_at);
CREATE INDEX import_at_work ON rights.import (changed_at) WHERE state IN ('queued', 'running');

-- Written together with what it is about, so that a second run does nothing twice.
CREATE TABLE rights.import_item (
    import_id uuid NOT NULL REFERENCES rights.import (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('account', 'avatar', 'contact', 'clip', 'like', 'follow')),
    subject text NOT NULL CHECK (char_length(subject) <= 100),
    outcome text NOT NULL CHECK (outcome IN ('taken', 'encoding', 'carried', 'left')),
    made_id uuid,
    PRIMARY KEY (import_id, kind, subject)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON rights.import, rights.import_item TO luciole_rights;

-- Follows and likes of people and clips elsewhere, which nobody here can put into force.
ALTER TABLE rights.imported DROP CONSTRAINT imported_kind_check;
ALTER TABLE rights.imported ADD CONSTRAINT imported_kind_check
    CHECK (kind IN ('suggestions', 'favourites', 'carried'));

-- All clips of an author, whatever their state: for those who take them along, or erase them.
CREATE INDEX clip_of_author ON clips.clip (author_id, created_at, id);
