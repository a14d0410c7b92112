-- The running log: an inbox that every act fills in its own transaction, and what the sequencer
-- knows. The log itself is in the object store: PostgreSQL is the inbox, never the archive.

-- Entries that no log holds yet. They are taken out by DELETE, never by `id > last`: rows become
-- visible in the order of commits, not of ids.
CREATE TABLE ledger.inbox (
    log text NOT NULL CHECK (log IN ('access', 'decisions', 'border')),
    id bigint GENERATED ALWAYS AS IDENTITY,
    entry bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535),
    ref bigint,
    PRIMARY KEY (log, id),
    -- About persons only: a seal that the sequencer did not make would be wrong, and no witness
    -- would cosign the log again.
    CHECK (log <> 'access' OR octet_length(entry) = 71 AND get_byte(entry, 0) = 1
           AND get_byte(entry, 1) BETWEEN 1 AND 9 AND get_byte(entry, 2) BETWEEN 1 AND 5)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_threshold = -1);

-- Labels that may never come again, because a label that came twice could not be sealed: those of
-- enrolments (who enrols twice with one key would repeat all labels), and those that a restored
-- database has forgotten although the log holds them.
CREATE TABLE ledger.taken (
    label bytea PRIMARY KEY CHECK (octet_length(label) = 32)
);

-- How far each log is: its size and the roots of its whole subtrees, the largest first. For
-- `access` also the minute of the oldest person entry that no seal covers.
CREATE TABLE ledger.state (
    log text PRIMARY KEY,
    size bigint NOT NULL DEFAULT 0,
    frontier bytea NOT NULL DEFAULT '',
    unsealed_minute bigint
);

-- The cover of the log `access`: adjacent ranges, each with its seal and where that stands.
CREATE TABLE ledger.seal (
    idx bigint PRIMARY KEY,
    entry bytea NOT NULL CHECK (octet_length(entry) = 63)
);

-- Objects that belong to a size that is committed and may not be in the object store yet.
CREATE TABLE ledger.staged (
    log text NOT NULL,
    path text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (log, path)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE ledger.staged ALTER COLUMN content SET STORAGE EXTERNAL;

-- Heads of the log: committed, then signed (`note`), then published with enough cosignatures.
CREATE TABLE ledger.checkpoint (
    log text NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    note text,
    published_at timestamptz,
    PRIMARY KEY (log, size)
);

-- What witnesses have said of a head: one line for each of their keys.
CREATE TABLE ledger.cosignature (
    log text NOT NULL,
    size bigint NOT NULL,
    signer text NOT NULL,
    line text NOT NULL CHECK (octet_length(line) <= 8192),
    PRIMARY KEY (log, size, signer),
    FOREIGN KEY (log, size) REFERENCES ledger.checkpoint ON DELETE CASCADE
);

-- Which index of the log `access` the entry behind a journal's row has.
CREATE TABLE ledger.place (
    ref bigint PRIMARY KEY,
    idx bigint NOT NULL
);

-- Hands an entry to a log in the caller's transaction. Raises unique_violation for a label that
-- may not come again.
CREATE FUNCTION ledger.put(log text, entry bytea, ref bigint DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    DECLARE
        mark CONSTANT bytea := pg_catalog.substr(entry, 8, 32);
    BEGIN
        -- First, so that it waits for a recovery that has the table locked; what that has found
        -- to be taken is then seen below.
        INSERT INTO ledger.inbox VALUES (put.log, DEFAULT, put.entry, put.ref);
        IF put.log = 'access' THEN
            IF pg_catalog.get_byte(entry, 1) = 1 THEN
                INSERT INTO ledger.taken VALUES (mark);
            ELSIF EXISTS (SELECT FROM ledger.taken t WHERE t.label = mark) THEN
                RAISE unique_violation USING MESSAGE = 'label taken', CONSTRAINT = 'taken_pkey';
            END IF;
        END IF;
    END
    $$;

-- Notes a cosignature that the caller has verified, if that head is one of ours and of interest.
CREATE FUNCTION ledger.cosign(log text, size bigint, root bytea, signer text, line text)
    RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        INSERT INTO ledger.cosignature AS c (log, size, signer, line)
        SELECT k.log, k.size, $4, $5 FROM ledger.checkpoint k
        WHERE k.log = $1 AND k.size = $2 AND k.root = $3 AND k.note IS NOT NULL
        ON CONFLICT (log, size, signer) DO UPDATE SET line = excluded.line
        RETURNING true
    $$;

-- Waits for all who are handing entries over, and lets nobody begin until the transaction ends.
CREATE FUNCTION ledger.lock_inbox() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$ BEGIN LOCK TABLE ledger.inbox IN SHARE ROW EXCLUSIVE MODE; END $$;

-- Forgets which entries the rows of a journal were; for a person who is erased.
CREATE FUNCTION ledger.forget(refs bigint[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$ DELETE FROM ledger.place WHERE ref = ANY ($1) $$;

-- What others may read: where an entry is.
CREATE VIEW ledger.placed AS SELECT ref, idx FROM ledger.place;

REVOKE ALL ON FUNCTION ledger.put, ledger.cosign, ledger.lock_inbox, ledger.forget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.lock_inbox TO luciole_ledger;
GRANT USAGE ON SCHEMA ledger TO luciole_custody, luciole_rights, luciole_people;
GRANT EXECUTE ON FUNCTION ledger.put
    TO luciole_ledger, luciole_custody, luciole_rights, luciole_people;
GRANT EXECUTE ON FUNCTION ledger.cosign TO luciole_ledger, luciole_rights;
GRANT EXECUTE ON FUNCTION ledger.forget TO luciole_custody, luciole_rights;
GRANT SELECT ON ledger.placed TO luciole_rights;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON ledger.inbox, ledger.taken, ledger.state, ledger.seal, ledger.staged,
       ledger.checkpoint, ledger.cosignature, ledger.place
    TO luciole_ledger;
