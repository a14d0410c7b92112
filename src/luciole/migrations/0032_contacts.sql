-- Finding people whom one knows, without an address book in the cell: addresses that their owners have
-- proved, the records by which people who want to be found are found, and how much each has asked.

DO $$
BEGIN
    BEGIN
        CREATE ROLE luciole_contacts NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another cell of this cluster made it
    END;
END
$$;
GRANT luciole_contacts TO luciole_api, luciole_worker, CURRENT_USER;
CREATE SCHEMA contacts;
GRANT USAGE ON SCHEMA contacts TO luciole_contacts;
GRANT USAGE ON SCHEMA people TO luciole_contacts;
GRANT SELECT ON people.card TO luciole_contacts;
-- What is sealed stays out of it.
CREATE VIEW people.contact_version AS SELECT person_id, kind, version FROM people.contact;
GRANT SELECT ON people.contact_version TO luciole_contacts;

-- A code that was sent to an address and not typed yet; only a keyed hash of it.
CREATE TABLE contacts.verification (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('email', 'phone')),
    version integer NOT NULL,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    tries smallint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, kind)
);
CREATE INDEX verification_by_age ON contacts.verification (made_at);

-- How many codes an account has had sent on a day.
CREATE TABLE contacts.sent (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    day date NOT NULL,
    codes smallint NOT NULL DEFAULT 1,
    PRIMARY KEY (person_id, day)
);
CREATE INDEX sent_by_day ON contacts.sent (day);

-- Addresses that their owner has proved, by the number of the write that it was proved for.
CREATE TABLE contacts.verified (
    person_id uuid NOT NULL REFERENCES people.person (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('email', 'phone')),
    version integer NOT NULL,
    verified_on date NOT NULL,
    PRIMARY KEY (person_id, kind)
);

-- Who wants to be found by an address. `mark` says where in the filter and in the book it is,
-- `record` is the handle, which only who has the address can open: both are for everybody.
-- `opening` is what makes and opens the record, sealed under the person's key.
CREATE TABLE contacts.findable (
    person_id uuid NOT NULL,
    kind text NOT NULL,
    mark bytea NOT NULL CHECK (octet_length(mark) = 16),
    record bytea NOT NULL CHECK (octet_length(record) = 48),
    opening bytea NOT NULL,
    PRIMARY KEY (person_id, kind),
    FOREIGN KEY (person_id, kind) REFERENCES contacts.verified (person_id, kind) ON DELETE CASCADE
);
CREATE INDEX findable_by_mark ON contacts.findable (mark, person_id, kind) INCLUDE (record);

-- How much somebody has asked of the blinded function, since when.
CREATE TABLE contacts.asked (
    person_id uuid PRIMARY KEY REFERENCES people.person (id) ON DELETE CASCADE,
    since date NOT NULL,
    points integer NOT NULL DEFAULT 0 CHECK (points >= 0)
);

-- How much all have asked on a day: published.
CREATE TABLE contacts.day (
    day date PRIMARY KEY,
    points bigint NOT NULL DEFAULT 0
);

-- Goes up with each change of what is findable, so that the filter is made anew.
CREATE TABLE contacts.edition (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL
);
CREATE FUNCTION contacts.changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        INSERT INTO contacts.edition AS e (number) VALUES (1)
        ON CONFLICT (one) DO UPDATE SET number = e.number + 1;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER findable_changed AFTER INSERT OR UPDATE OR DELETE ON contacts.findable
    FOR EACH STATEMENT EXECUTE FUNCTION contacts.changed();

-- An address that is written anew or taken away is not proved any more, from that moment on.
CREATE FUNCTION contacts.forget() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        DELETE FROM contacts.verified WHERE person_id = OLD.person_id AND kind = OLD.kind;
        DELETE FROM contacts.verification WHERE person_id = OLD.person_id AND kind = OLD.kind;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER contact_gone AFTER DELETE ON people.contact
    FOR EACH ROW EXECUTE FUNCTION contacts.forget();
CREATE TRIGGER contact_changed AFTER UPDATE OF version ON people.contact
    FOR EACH ROW WHEN (OLD.version IS DISTINCT FROM NEW.version)
    EXECUTE FUNCTION contacts.forget();
REVOKE ALL ON FUNCTION contacts.changed, contacts.forget FROM PUBLIC;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    contacts.verification, contacts.sent, contacts.verified, contacts.findable, contacts.asked,
    contacts.day, contacts.edition
    TO luciole_contacts;
