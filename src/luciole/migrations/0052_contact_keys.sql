-- Contact discovery: its key is rotated; an address has one owner; who does not want to be found any
-- more is found no more from the next answer on.

-- The key's rounds, numbered by the day since 1970 on which each began; the first, which need not be
-- noted, is of the time before there were rounds. Our half comes of `salt` and of a secret of the cell that is not in the database:
-- without the salt it cannot be made again. `other_key` is the public key that the other cell has given
-- for the round; NULL: it has not been asked yet.
CREATE TABLE contacts.round (
    number integer PRIMARY KEY CHECK (number > 0),
    is_current boolean NOT NULL UNIQUE,
    salt bytea NOT NULL CHECK (octet_length(salt) = CASE WHEN number = 1 THEN 0 ELSE 32 END),
    other_key bytea CHECK (octet_length(other_key) = 32),
    why text NOT NULL CHECK (why IN ('first', 'operator', 'period')),
    since date
);

-- By what somebody will be found in the round that comes. All NULL: they cannot be.
CREATE TABLE contacts.renewed (
    person_id uuid NOT NULL,
    kind text NOT NULL,
    round integer NOT NULL REFERENCES contacts.round (number) ON DELETE CASCADE,
    mark bytea CHECK (octet_length(mark) = 16),
    record bytea CHECK (octet_length(record) = 48),
    opening bytea,
    PRIMARY KEY (person_id, kind),
    FOREIGN KEY (person_id, kind) REFERENCES contacts.findable (person_id, kind) ON DELETE CASCADE,
    CHECK (num_nulls(mark, record, opening) IN (0, 3))
);
CREATE INDEX renewed_by_round ON contacts.renewed (round);

-- The first bytes of records, at random, that were taken away after an edition: they are kept out of
-- its buckets until the next one is made.
CREATE TABLE contacts.withdrawn (
    number bigint NOT NULL,
    nonce bytea NOT NULL CHECK (octet_length(nonce) = 8),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (number, nonce)
);
CREATE INDEX withdrawn_by_age ON contacts.withdrawn (at);
CREATE FUNCTION contacts.withdraw() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    DECLARE
        now_at bigint;
    BEGIN
        -- The row is locked by this until the end, so that numbers are in the order of commits.
        INSERT INTO contacts.edition AS e (number) VALUES (1)
        ON CONFLICT (one) DO UPDATE SET number = e.number + 1
        RETURNING e.number INTO now_at;
        INSERT INTO contacts.withdrawn (number, nonce)
        VALUES (now_at, pg_catalog.substr(OLD.record, 1, 8)) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER findable_gone AFTER DELETE ON contacts.findable
    FOR EACH ROW EXECUTE FUNCTION contacts.withdraw();
REVOKE ALL ON FUNCTION contacts.withdraw FROM PUBLIC;

-- Whose address it is: who has shown it last. A keyed hash; NULL in what is older than this.
ALTER TABLE contacts.verification ADD COLUMN address_index bytea;
ALTER TABLE contacts.verified ADD COLUMN address_index bytea;
CREATE UNIQUE INDEX verified_by_address ON contacts.verified (kind, address_index);

GRANT SELECT, INSERT, UPDATE, DELETE ON contacts.round, contacts.renewed, contacts.withdrawn
    TO luciole_contacts;
GRANT USAGE ON SCHEMA ledger TO luciole_contacts;
GRANT EXECUTE ON FUNCTION ledger.put TO luciole_contacts;
