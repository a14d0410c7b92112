-- What a person has brought along from another network: one sealed text of each kind.

CREATE TABLE rights.imported (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('suggestions', 'favourites')),
    -- Counts the writes: the seal holds it, so that an older text put back does not open.
    version integer NOT NULL CHECK (version > 0),
    sealed bytea NOT NULL,
    PRIMARY KEY (person_id, kind)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON rights.imported TO luciole_rights;
