-- The log learns from what happened to it.

-- A database that was put back to an earlier state, by whatever means, gives numbers out again that
-- the log has seen already. Recovery notes what the log holds under them, and the journal tells of
-- each such number that its meaning is lost.

ALTER TABLE ledger.taken
    ADD COLUMN leaf bytea CHECK (octet_length(leaf) = 71),
    ADD COLUMN idx bigint,
    ADD CHECK ((leaf IS NULL) = (idx IS NULL));

-- The entry that the log holds under a label of which this database knows nothing; none elsewhere.
-- Waits for a recovery under way, as one who hands an entry over does.
CREATE FUNCTION ledger.forgotten(mark bytea) RETURNS bytea
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    BEGIN
        LOCK TABLE ledger.inbox IN ROW EXCLUSIVE MODE;
        RETURN (SELECT t.leaf FROM ledger.taken t WHERE t.label = mark);
    END
    $$;

-- Notes which row of a journal stands for such an entry now.
CREATE FUNCTION ledger.remember(mark bytea, made bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        INSERT INTO ledger.place (ref, idx) SELECT made, t.idx FROM ledger.taken t WHERE t.label = mark
    $$;
REVOKE ALL ON FUNCTION ledger.forgotten, ledger.remember FROM PUBLIC;

-- As before, but none where the log has the number already: the journal then holds what the log
-- has of it, without a meaning, and the caller takes the next number.
CREATE OR REPLACE FUNCTION custody.record(about uuid, number bigint, entry bytea, opening bytea)
    RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
    DECLARE
        mark CONSTANT bytea := pg_catalog.substr(entry, 8, 32);
        lost CONSTANT bytea := CASE WHEN number > 0 THEN ledger.forgotten(mark) END;
        made bigint;
    BEGIN
        INSERT INTO custody.journal (person_id, n, leaf, sealed)
        VALUES (about, number, coalesce(lost, entry), CASE WHEN lost IS NULL THEN opening ELSE '' END)
        RETURNING ref INTO made;
        IF lost IS NOT NULL THEN
            PERFORM ledger.remember(mark, made);
            RETURN NULL;
        END IF;
        PERFORM ledger.put('access', entry, made);
        RETURN made;
    END
    $$;

-- When a cosignature line ("— name base64") was made: 8 bytes behind the key's id.
CREATE FUNCTION ledger.cosigned_at(line text) RETURNS bytea
    LANGUAGE sql IMMUTABLE SET search_path = ''
    AS $$
        SELECT pg_catalog.substr(pg_catalog.decode(pg_catalog.split_part(line, ' ', 3), 'base64'), 5, 8)
    $$;
REVOKE ALL ON FUNCTION ledger.cosigned_at FROM PUBLIC;

-- As before, but an older line never replaces a newer one: lines may be handed in late, or again.
CREATE OR REPLACE FUNCTION ledger.cosign(log text, size bigint, root bytea, signer text, line text)
    RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
        INSERT INTO ledger.cosignature AS c (log, size, signer, line)
        SELECT k.log, k.size, $4, $5 FROM ledger.checkpoint k
        WHERE k.log = $1 AND k.size = $2 AND k.root = $3 AND k.note IS NOT NULL
        ON CONFLICT (log, size, signer) DO UPDATE SET line = CASE
            WHEN ledger.cosigned_at(excluded.line) > ledger.cosigned_at(c.line) THEN excluded.line
            ELSE c.line END
        RETURNING true
    $$;
