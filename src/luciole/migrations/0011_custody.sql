-- The key broker's tables: grants that it has given, and each person's journal. No key is here:
-- wraps and epoch keys have a store of their own, which no backup of this database contains.

-- How many entries the log has about a person. The row is locked while a number is taken, so that
-- numbers have no holes: an act that is rolled back gives its number back.
CREATE TABLE custody.subject (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    next bigint NOT NULL DEFAULT 0 CHECK (next >= 0)
);

-- What each entry of the `access` log means. `leaf` is the entry as it is published, `sealed` its
-- nonce and its opening, under the person's data key. `ref` finds the leaf's place in the log.
CREATE TABLE custody.journal (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    n bigint NOT NULL CHECK (n >= 0),
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 71),
    sealed bytea NOT NULL CHECK (octet_length(sealed) <= 8192),
    ref bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (person_id, n)
);

-- Permissions to use a person's data key. One for each session, one for each automated purpose and
-- day, and one for each single act of another kind.
CREATE TABLE custody.permit (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    class text NOT NULL CHECK (class IN ('self', 'automated', 'staff', 'legal', 'export')),
    purpose text NOT NULL CHECK (char_length(purpose) BETWEEN 1 AND 50),
    columns text[] NOT NULL,
    session_id uuid UNIQUE REFERENCES people.session (id) ON DELETE CASCADE,
    day date,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (person_id, purpose, day)
);
CREATE INDEX permit_by_age ON custody.permit (expires_at);

-- Which cell's keys this database belongs to: `mark` is made with the cell's secret, so that another
-- cell's keys, or another secret under the same id, are noticed at the start.
CREATE TABLE custody.cell (
    is_this boolean PRIMARY KEY DEFAULT true CHECK (is_this),
    cell_id uuid NOT NULL,
    mark bytea NOT NULL
);

-- What the broker checks a session token against, by itself.
CREATE VIEW people.session_claim AS
    SELECT id, token_hash, person_id, label, expires_at FROM people.session;

-- A person's journal, for the person.
CREATE VIEW custody.entry AS
    SELECT person_id, n, leaf, sealed, ref FROM custody.journal;

-- The number of the next entry about a person, 0 for the first.
CREATE FUNCTION custody.take_number(about uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        INSERT INTO custody.subject AS s (person_id, next) VALUES (about, 1)
        ON CONFLICT (person_id) DO UPDATE SET next = s.next + 1
        RETURNING s.next - 1
    $$;

-- Notes an entry in the person's journal and hands it to the log, in the caller's transaction.
CREATE FUNCTION custody.record(about uuid, number bigint, entry bytea, opening bytea) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    DECLARE
        made bigint;
    BEGIN
        INSERT INTO custody.journal (person_id, n, leaf, sealed)
        VALUES (about, number, entry, opening) RETURNING ref INTO made;
        PERFORM ledger.put('access', entry, made);
        RETURN made;
    END
    $$;

REVOKE ALL ON FUNCTION custody.take_number, custody.record FROM PUBLIC;
GRANT EXECUTE ON FUNCTION custody.take_number, custody.record
    TO luciole_custody, luciole_people, luciole_rights;
GRANT USAGE ON SCHEMA custody TO luciole_people, luciole_rights;
GRANT USAGE ON SCHEMA people TO luciole_custody;
GRANT SELECT ON people.session_claim TO luciole_custody;
-- Wraps of earlier versions move into the broker's store when it starts; no slice makes new ones.
CREATE VIEW people.first_wrap AS SELECT person_id, wrapped FROM people.data_key;
CREATE FUNCTION people.drop_first_wrap(whose uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ DELETE FROM people.data_key WHERE person_id = whose $$;
REVOKE ALL ON FUNCTION people.drop_first_wrap FROM PUBLIC;
GRANT EXECUTE ON FUNCTION people.drop_first_wrap TO luciole_custody;
GRANT SELECT ON people.first_wrap TO luciole_custody;

GRANT SELECT, INSERT ON custody.cell TO luciole_custody;
GRANT SELECT ON custody.subject TO luciole_custody;
GRANT SELECT, INSERT, DELETE ON custody.permit TO luciole_custody;
GRANT SELECT ON custody.entry TO luciole_rights;
